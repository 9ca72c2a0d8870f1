"""Codex's rollouts: old and new envelopes, doubled messages, running totals, forks, sub-agents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hostile import adds_up, grow, rewrite, torture_lines
from real import found_real
from session_reading import Reading, Session, paths, read_all, same

from sparrow_tui.agents import lines as line_files
from sparrow_tui.agents.base import Place, SourceError
from sparrow_tui.agents.codex import AGENT
from sparrow_tui.model import (
    Image,
    Notice,
    Raw,
    Reasoning,
    Text,
    ToolUse,
    Turn,
    Usage,
    text_form,
)

SID = "019ed936-0000-7a21-ad41-d1eed95dc4df"
PARENT = "019ed900-0000-7a21-ad41-d1eed95dc4df"
CWD = "/w/orchard"


def line(kind: str, second: float, **payload: Any) -> dict[str, Any]:
    whole, part = divmod(round(second * 1000), 1000)
    stamp = f"2026-04-02T08:{whole // 60:02}:{whole % 60:02}.{part:03}Z"
    return {"timestamp": stamp, "type": kind, "payload": payload}


def meta(ident: str = SID, second: float = 0, **more: Any) -> dict[str, Any]:
    return line(
        "session_meta", second, id=ident, timestamp=f"2026-04-02T08:00:{int(second):02}.000Z",
        cwd=CWD, originator="codex_cli_rs", cli_version="0.99.0", source="cli",
        model_provider="openai", base_instructions={"text": "long"},
        git={"branch": "blossom", "commit_hash": "abc"}, **more,
    )  # fmt: skip


def item(second: float, kind: str, **more: Any) -> dict[str, Any]:
    return line("response_item", second, type=kind, **more)


def event(second: float, kind: str, **more: Any) -> dict[str, Any]:
    return line("event_msg", second, type=kind, **more)


def message(second: float, role: str, *parts: Any) -> dict[str, Any]:
    kind = "output_text" if role == "assistant" else "input_text"
    content = [{"type": kind, "text": p} if isinstance(p, str) else p for p in parts]
    return item(second, "message", role=role, content=content)


def asked(second: float, words: str) -> list[dict[str, Any]]:
    """A prompt, as it stands in a rollout: twice."""
    return [message(second, "user", words), event(second, "user_message", message=words, images=[])]


def said(second: float, words: str) -> list[dict[str, Any]]:
    return [event(second, "agent_message", message=words), message(second, "assistant", words)]


def of_kind(kind: str, record: dict[str, Any]) -> dict[str, Any]:
    record["payload"]["kind"] = kind
    return record


def call(second: float, ident: str, name: str, **arguments: Any) -> dict[str, Any]:
    return item(second, "function_call", name=name, arguments=json.dumps(arguments), call_id=ident)


def output(second: float, ident: str, value: Any, **more: Any) -> dict[str, Any]:
    return item(second, "function_call_output", call_id=ident, output=value, **more)


def tokens(second: float, plain: int, cached: int, out: int, reasoning: int = 0) -> dict[str, Any]:
    """Running totals; ``input_tokens`` includes what was cached."""
    total = {
        "input_tokens": plain + cached, "cached_input_tokens": cached, "output_tokens": out,
        "reasoning_output_tokens": reasoning, "total_tokens": plain + cached + out,
    }  # fmt: skip
    return event(
        second, "token_count", info={"total_token_usage": total, "last_token_usage": total}
    )


DONE = "Chunk ID: 1\nWall time: 1.5 seconds\nProcess exited with code 0\nOutput:\napples.txt\n"
LOG: list[dict[str, Any]] = [
    meta(),
    message(1, "developer", "<permissions instructions>ask</permissions instructions>"),
    message(1, "user", "<environment_context>\n<cwd>/w/orchard</cwd>\n</environment_context>"),
    event(1, "task_started", turn_id="t1"),
    line("turn_context", 1, cwd=CWD, model="gpt-5.5", effort="high"),
    *asked(2, "How many apples are there?"),
    item(3, "reasoning", summary=[{"type": "summary_text", "text": "**Count them**"}], content=None, encrypted_content="xyz"),
    event(3, "agent_reasoning", text="**Count them**"),
    item(3, "reasoning", summary=[], encrypted_content="xyz"),
    *said(4, "I shall count."),
    call(5, "c1", "exec_command", cmd="ls"),
    event(6, "token_count", info=None, rate_limits={}),
    tokens(6, 100, 900, 20, 5),
    event(6, "exec_command_end", call_id="c1", exit_code=0),
    output(6, "c1", DONE),
    item(7, "custom_tool_call", name="apply_patch", input="*** Begin Patch", call_id="c2", status="completed"),
    item(8, "custom_tool_call_output", call_id="c2", output=json.dumps({"output": "no such tree", "metadata": {"exit_code": 1, "duration_seconds": 0.25}})),
    tokens(9, 150, 1800, 45, 5),
    tokens(9, 150, 1800, 45, 5),
    *said(10, "Seven apples."),
    tokens(11, 180, 2000, 60, 9),
    event(11, "task_complete", turn_id="t1", last_agent_message="Seven apples."),
    event(12, "thread_name_updated", thread_id=SID, thread_name="Counting apples"),
]  # fmt: skip


def rollout(home: Path, ident: str = SID) -> Path:
    return home / ".codex/sessions/2026/04/02" / f"rollout-2026-04-02T08-00-00-{ident}.jsonl"


def write(path: Path, *records: Any, tail: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(r) + "\n" for r in records) + tail)
    return path


def compressed(path: Path, *records: Any) -> Path:
    path = path.with_name(path.name + ".zst")
    path.parent.mkdir(parents=True, exist_ok=True)
    data = "".join(json.dumps(r) + "\n" for r in records).encode()
    path.write_bytes(zstandard.ZstdCompressor().compress(data))
    return path


def read(path: Path) -> Session:
    (session,) = read_all(AGENT, AGENT.source_at(path)).values()
    return session


def told(tmp_path: Path, *records: Any) -> Session:
    return read(write(rollout(tmp_path), *records))


def branches(session: Session) -> str:
    return "".join("-" if turn.branch else "+" for turn in session.turns)


def test_a_session(tmp_path: Path) -> None:
    session = told(tmp_path, *LOG)
    info = session.info
    assert (info.id, info.title, info.project, info.branch, info.model, info.parent) == (
        f"codex:{SID}", "Counting apples", CWD, "blossom", "gpt-5.5", None,
    )  # fmt: skip
    assert (info.created_at, info.updated_at) == (1775116800000, 1775116812000)
    assert info.extra["originator"] == "codex_cli_rs"
    assert info.status == "waiting"
    assert [(turn.role, turn.meta) for turn in session.turns] == [
        ("system", True), ("user", True), ("user", False), ("assistant", False), ("tool", False),
        ("assistant", False), ("tool", False), ("assistant", False),
    ]  # fmt: skip
    assert session.turns[2].blocks == [Text("How many apples are there?")]
    assert session.turns[3].blocks == [
        Reasoning("**Count them**"), Text("I shall count."), ToolUse("c1", "exec_command", {"cmd": "ls"}),
    ]  # fmt: skip
    assert session.uses()[1] == ToolUse("c2", "apply_patch", "*** Begin Patch")
    first, second = session.results()
    assert (first.tool_use_id, first.content, first.exit_code, first.is_error) == (
        "c1", [Text(DONE)], 0, False,
    )  # fmt: skip
    assert first.duration_ms == 1500
    assert (second.tool_use_id, second.content, second.exit_code, second.is_error) == (
        "c2", [Text("no such tree")], 1, True,
    )  # fmt: skip
    assert second.duration_ms == 250
    assert session.turns[7].blocks == [Text("Seven apples.")]
    assert session.usage == Usage(180, 60, 2000, 0, 9)
    assert [turn.usage for turn in session.turns if turn.usage] == [
        Usage(100, 20, 900, 0, 5), Usage(50, 25, 900), Usage(30, 15, 200, 0, 4),
    ]  # fmt: skip
    adds_up({SID: session})
    assert (session.coverage.records, session.coverage.kept) == (len(LOG), 10)
    resume = AGENT.resume(info)
    assert resume is not None
    assert (resume.argv, resume.directory) == (("codex", "resume", SID), CWD)


def test_totals_that_fall_begin_a_new_segment(tmp_path: Path) -> None:
    session = told(
        tmp_path, meta(), *asked(1, "Pick"), *said(2, "Picked."), tokens(3, 100, 0, 10),
        *said(4, "More."), tokens(5, 30, 0, 5), tokens(6, 40, 0, 9),
    )  # fmt: skip
    assert session.usage == Usage(140, 19)


def test_a_model_that_only_the_context_window_tells(tmp_path: Path) -> None:
    path = rollout(tmp_path)

    def counted(second: float, out: int, window: int) -> dict[str, Any]:
        record = tokens(second, 10, 0, out)
        record["payload"]["info"]["model_context_window"] = window
        return record

    head = [meta(), *asked(1, "hi"), *said(2, "hello")]
    more = [counted(3, 5, 272_000), *asked(4, "and?"), *said(5, "so"), counted(6, 9, 272_000)]
    write(path, *head, *more)
    session = read(path)
    assert session.info.model == "gpt-5"
    assert session.info.extra["model"] == "not recorded, told by its context window"
    assert [turn.model for turn in session.turns if turn.usage] == ["gpt-5", "gpt-5"]
    write(path, *head, counted(3, 5, 200_000))
    assert read(path).info.model is None  # several models share that one
    named = line("turn_context", 0.5, model="gpt-5-codex", cwd=CWD)
    write(path, meta(), named, *head[1:], *more)
    assert (read(path).info.model, "model" in read(path).info.extra) == ("gpt-5-codex", False)


def test_tokens_without_an_answer_are_kept(tmp_path: Path) -> None:
    records = [
        meta(), *asked(1, "Pick"), item(2, "reasoning", summary=[], encrypted_content="x"),
        tokens(3, 100, 0, 10), tokens(4, 120, 0, 12), call(5, "c1", "shell", command=["ls"]),
        tokens(6, 150, 0, 20), event(7, "turn_aborted", reason="interrupted"), tokens(8, 160, 0, 21),
    ]  # fmt: skip
    session = told(tmp_path, *records)
    assert session.usage == Usage(160, 21)
    assert session.turns[1].usage == Usage(150, 20)
    path, reading = rollout(tmp_path), Reading()
    more = [*records, *said(9, "Back."), tokens(10, 170, 0, 22)]
    for number in range(1, len(more) + 1):
        write(path, *more[:number])
        reading.take(AGENT, AGENT.source_at(path))
        same(reading.sessions, read_all(AGENT, AGENT.source_at(path)))


def test_the_same_words_said_twice_are_two_messages(tmp_path: Path) -> None:
    new = told(tmp_path, meta(), *asked(1, "Go on"), *said(2, "Done."), *asked(3, "Go on"), *said(4, "Done."))  # fmt: skip
    assert new.texts() == ["Go on", "Done.", "Go on", "Done."]
    assert new.roles == ["user", "assistant"] * 2
    # Old rollouts hold items only, some new ones events only: nothing in them is a double.
    items = told(tmp_path, meta(), message(1, "user", "Yes"), message(2, "assistant", "Ok"), message(3, "user", "Yes"), message(4, "assistant", "Ok"))  # fmt: skip
    assert items.texts() == ["Yes", "Ok", "Yes", "Ok"]
    events = told(tmp_path, meta(), *(event(n, "user_message", message="Yes") for n in (1, 2, 3)))
    assert events.texts() == ["Yes"] * 3
    # Both prompts first as items, then both as events.
    crossed = [*asked(1, "Yes"), *asked(2, "Yes")]
    mixed = told(tmp_path, meta(), *(crossed[n] for n in (0, 2, 1, 3)))
    assert mixed.texts() == ["Yes", "Yes"]


def test_pictures(tmp_path: Path) -> None:
    url = "data:image/png;base64,AAAA"
    marked = message(1, "user", '<image name=[Image #1]>', {"type": "input_image", "image_url": url}, "</image>", "What tree is this?")  # fmt: skip
    session = told(
        tmp_path, meta(), marked,
        event(1, "user_message", message="What tree is this?", images=[url]),
        *said(2, "An apple tree."),
        call(3, "c1", "view_image", path="tree.png"),
        output(4, "c1", [{"type": "input_text", "text": "here"}, {"type": "input_image", "image_url": url}]),
        item(5, "image_generation_call", id="ig_1", status="completed", revised_prompt="a pear", result="BBBB"),
        event(6, "user_message", message="Events only", images=[url]),
    )  # fmt: skip
    picture = Image(media_type="image/png", data="AAAA", size=3)
    assert session.turns[0].blocks == [picture, Text("What tree is this?")]
    assert session.results()[0].content == [Text("here"), picture]
    assert session.uses()[1] == ToolUse("ig_1", "image_generation", "a pear")
    assert session.results()[1].tool_use_id == "ig_1"
    assert session.results()[1].content == [Image("image/png", "BBBB", size=3)]
    assert [turn.blocks for turn in session.turns if turn.role == "user"][1:] == [
        [Text("Events only"), picture]
    ]


def test_every_kind_of_call(tmp_path: Path) -> None:
    session = told(
        tmp_path, meta(),
        item(1, "local_shell_call", call_id="l1", status="completed", action={"type": "exec", "command": ["ls"]}),
        output(2, "l1", "pears"),
        item(3, "web_search_call", status="completed", action={"type": "search", "query": "pears"}),
        item(4, "tool_search_call", call_id="s1", arguments={"query": "prune"}),
        item(5, "tool_search_output", call_id="s1", tools=[{"type": "namespace", "name": "garden"}]),
        call(6, "f1", "prune"),
        output(7, "f1", {"content": "cut", "success": False}),
        item(8, "function_call", name="odd", arguments="{not json", call_id="f2"),
        output(9, "f2", "Exit code: 3\nWall time: 2 seconds\nOutput:\nbroken"),
        call(10, "f3", "read"),
        output(11, "f3", "Exit code: 7 is what the manual says"),
        call(12, "f4", "read"),
        output(13, "f4", None),
    )  # fmt: skip
    assert [(use.id, use.name) for use in session.uses()] == [
        ("l1", "local_shell"), ("", "web_search"), ("s1", "tool_search"), ("f1", "prune"),
        ("f2", "odd"), ("f3", "read"), ("f4", "read"),
    ]  # fmt: skip
    assert session.uses()[0].input == {"type": "exec", "command": ["ls"]}
    assert session.uses()[1].input == {"type": "search", "query": "pears"}
    assert session.uses()[2].input == {"query": "prune"}
    assert session.uses()[4].input == "{not json"
    results = {result.tool_use_id: result for result in session.results()}
    assert list(results) == ["l1", "s1", "f1", "f2", "f3", "f4"]
    assert results["l1"].is_error is None
    assert "garden" in text_form([results["s1"]])
    assert (results["f1"].content, results["f1"].is_error) == ([Text("cut")], True)
    assert (results["f2"].exit_code, results["f2"].is_error) == (3, True)
    assert (results["f3"].exit_code, results["f3"].is_error) == (None, None)
    assert results["f4"].content == []


def test_marks_and_unknown_records(tmp_path: Path) -> None:
    session = told(
        tmp_path, meta(), *asked(1, "Water"),
        event(2, "turn_aborted", reason="interrupted"),
        line("compacted", 3, message="Trees were watered.", replacement_history=[{"type": "message"}]),
        event(3, "context_compacted"),
        event(4, "error", message="quota is used up"),
        event(5, "stream_error", message="connection lost; trying again"),
        line("world_state", 6, full=True, state={}),
        event(7, "hologram", beam=1),
        item(8, "riddle", text="what?"),
        line("omen", 9, bird="crow"),
        item(10, "ghost_snapshot", ghost_commit={}),
    )  # fmt: skip
    assert [turn.blocks[0] for turn in session.turns[1:5]] == [
        Notice("interruption", "Turn aborted (interrupted)"),
        Notice("compaction", "Context compacted"),
        Notice("error", "quota is used up"),
        Notice("error", "connection lost; trying again"),
    ]
    assert session.turns[2].role == "summary"
    assert session.turns[2].blocks[1] == Text("Trees were watered.")
    assert [turn.api_error for turn in session.turns[1:5]] == [False, False, True, False]
    assert all(isinstance(turn.blocks[0], Raw) for turn in session.turns[5:])
    assert session.coverage.unknown == {
        "event_msg/hologram": 1,
        "response_item/riddle": 1,
        "omen": 1,
    }
    adds_up({SID: session})


def test_agents_among_themselves_and_plans(tmp_path: Path) -> None:
    letter = {"author": "/root", "recipient": "/root/pruner", "content": "Prune the pear tree"}
    session = told(
        tmp_path, meta(), *asked(1, "Prune"),
        call(2, "c1", "spawn_agent", task_name="pruner"),
        of_kind("started", event(3, "sub_agent_activity", event_id="c1", agent_thread_id=PARENT)),
        output(4, "c1", json.dumps({"task_name": "/root/pruner"})),
        line("inter_agent_communication", 5, **letter, trigger_turn=True),
        line("inter_agent_communication_metadata", 5, trigger_turn=True),
        item(5, "agent_message", author="/root", recipient="/root/pruner",
             content=[{"type": "input_text", "text": "Prune the pear tree"}]),
        item(6, "additional_tools", role="developer", tools=[{"name": "saw"}]),
        item(6, "compaction_trigger"),
        event(7, "item_completed", thread_id=SID, turn_id="t",
              item={"type": "Plan", "id": "p", "text": "1. Find a saw"}),
        event(7, "item_completed", thread_id=SID, turn_id="t", item={"type": "Sleep", "id": "z"}),
        event(8, "guardian_assessment", risk="low"),
    )  # fmt: skip
    assert session.results()[0].child == f"codex:{PARENT}"
    (between,) = [turn for turn in session.turns if turn.meta]
    assert between.blocks == [Notice("info", "/root → /root/pruner"), Text("Prune the pear tree")]
    assert session.turns[-1].blocks == [Text("1. Find a saw")]
    assert not session.coverage.unknown
    assert session.coverage.bad == 0


def test_tools_that_were_found(tmp_path: Path) -> None:
    found = [{"type": "namespace", "name": "saws"}, {"type": "hologram", "beam": 1}]
    session = told(
        tmp_path, meta(), *asked(1, "Find a saw"),
        item(2, "tool_search_call", call_id="s1", arguments={"query": "saw"}),
        item(3, "tool_search_output", call_id="s1", tools=found),
    )  # fmt: skip
    assert [b.data for b in session.results()[0].content if isinstance(b, Raw)] == found
    assert session.coverage.unknown == {"block hologram": 1}


def test_context_among_prompts(tmp_path: Path) -> None:
    def user(second: float, text: str) -> dict[str, Any]:
        content = [{"type": "input_text", "text": text}]
        return item(second, "message", role="user", content=content)

    session = told(
        tmp_path, meta(),
        user(1, "<garden_rules>\nNo boots.\n</garden_rules>"),
        of_kind("environment_context",
                event(1, "user_message", message="<environment_context>old</environment_context>")),
        user(2, "<b>Bold</b> apples?"),
        event(2, "user_message", message="<b>Bold</b> apples?"),
        user(3, "Warning: the shears are open"),
        event(4, "user_message", message="", images=["https://x.invalid/a.png"]),
    )  # fmt: skip
    typed = [turn.blocks for turn in session.turns if turn.role == "user" and not turn.meta]
    assert typed == [[Text("<b>Bold</b> apples?")], [Image(url="https://x.invalid/a.png")]]
    assert len([turn for turn in session.turns if turn.meta]) == 2
    assert session.coverage.bad == 0


def test_prompts_taken_back(tmp_path: Path) -> None:
    back = event(9, "thread_rolled_back", num_turns=2)
    records = [
        meta(), *asked(1, "Plant"), *said(2, "Planted."), *asked(3, "Water"), *said(4, "Watered."),
        *asked(5, "Prune"), call(6, "c1", "shell"), output(7, "c1", "cut"), back,
        *asked(10, "Rest"), *said(11, "Resting."),
    ]  # fmt: skip
    session = told(tmp_path, *records)
    assert branches(session) == "++-----+++"
    assert session.turns[7].blocks == [Notice("rewind", "2 turns taken back")]
    again = [*records, event(12, "thread_rolled_back", num_turns=1), *asked(13, "Sleep")]
    assert branches(told(tmp_path, *again)) == "++-----+--++"
    path, reading = rollout(tmp_path), Reading()
    for number in range(1, len(again) + 1):
        write(path, *again[:number])
        reading.take(AGENT, AGENT.source_at(path))
        same(reading.sessions, read_all(AGENT, AGENT.source_at(path)))
    emptied = told(tmp_path, *records, event(12, "thread_rolled_back", num_turns=99))
    assert branches(emptied) == "-------+--+"
    odd = told(tmp_path, *records[:-4], event(12, "thread_rolled_back", num_turns="x"))
    assert branches(odd) == "++-----++"


LEGACY = [
    {"id": SID, "timestamp": "2025-05-01T08:00:00.000Z", "instructions": None, "git": {"branch": "old"}},
    {"record_type": "state"},
    {"type": "message", "id": None, "role": "user", "content": [{"type": "input_text", "text": "Yes"}]},
    {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Look"}]},
    {"type": "function_call", "name": "shell", "arguments": '{"command":["ls"]}', "call_id": "c1"},
    {"record_type": "state"},
    {"type": "function_call_output", "call_id": "c1", "output": '{"output":"pears","metadata":{"exit_code":0,"duration_seconds":0.1}}'},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Pears."}]},
    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Yes"}]},
]  # fmt: skip


def test_the_old_form(tmp_path: Path) -> None:
    session = told(tmp_path, *LEGACY)
    assert (session.info.id, session.info.branch) == (f"codex:{SID}", "old")
    assert session.info.created_at == 1746086400000
    assert session.roles == ["user", "assistant", "tool", "assistant", "user"]
    assert session.texts() == ["Yes", "Pears.", "Yes"]
    assert session.uses()[0].input == {"command": ["ls"]}
    assert session.results()[0].content == [Text("pears")]
    assert (session.coverage.records, session.coverage.skipped) == (9, 3)
    assert AGENT.sniff(rollout(tmp_path), rollout(tmp_path).read_bytes())


def test_whose_session_a_file_is(tmp_path: Path) -> None:
    # A fork carries its origin's header after its own.
    both = told(tmp_path, meta(forked_from_id=PARENT), meta(PARENT), *asked(1, "Graft"))
    assert both.info.id == f"codex:{SID}"
    # On resuming, a header is written again.
    assert told(tmp_path, *LOG, meta(second=20)).info.id == f"codex:{SID}"
    # Ids of items are not the session's.
    headless = item(1, "message", id="msg_123", role="user", content=[{"type": "input_text", "text": "Graft"}])  # fmt: skip
    assert told(tmp_path, headless).info.id == f"codex:{SID}"
    path = write(rollout(tmp_path), meta(PARENT))
    path.write_text("{broken\n" + path.read_text())
    assert read(path).info.id == f"codex:{SID}"
    plain = write(tmp_path / "copied.jsonl", {**headless}, meta(PARENT))
    assert read(plain).info.id == f"codex:{PARENT}"


def test_sub_agents_are_linked(tmp_path: Path) -> None:
    spawned = {"thread_spawn": {"parent_thread_id": PARENT, "depth": 1, "agent_role": "pruner"}}
    child_meta = line("session_meta", 5, id=SID, timestamp="2026-04-02T08:00:05.000Z", cwd=CWD,
                      source={"subagent": spawned}, cli_version="1")  # fmt: skip
    child = told(tmp_path, child_meta, meta(PARENT), *asked(6, "Prune the pear tree"))
    assert (child.info.id, child.info.parent) == (f"codex:{SID}", f"codex:{PARENT}")
    assert child.info.extra["agent type"] == "pruner"
    review = line("session_meta", 5, id=SID, timestamp="x", source={"subagent": "review"}, forked_from_id=PARENT)  # fmt: skip
    assert told(tmp_path, review).info.parent == f"codex:{PARENT}"
    fork = told(tmp_path, meta(forked_from_id=PARENT))
    assert fork.info.parent is None
    parent = read(
        write(
            rollout(tmp_path, PARENT), meta(PARENT), *asked(1, "Prune all"),
            call(2, "c1", "spawn_agent", message="Prune the pear tree"),
            event(3, "collab_agent_spawn_end", call_id="c1", new_thread_id=SID, prompt="Prune"),
            output(4, "c1", "started"),
            call(5, "c2", "spawn_agent", message="Prune the apple tree"),
            output(6, "c2", json.dumps({"agent_id": "019ed936-aaaa", "nickname": "Ada"})),
            call(7, "c3", "lookup", what="x"),
            output(8, "c3", json.dumps({"agent_id": "not-a-thread"})),
            event(9, "collab_agent_spawn_end", call_id="c3", new_thread_id=None),
        )
    )  # fmt: skip
    assert [result.child for result in parent.results()] == [
        f"codex:{SID}", "codex:019ed936-aaaa", "",
    ]  # fmt: skip
    assert not parent.coverage.unknown


def test_a_forks_copies_are_not_counted_again(tmp_path: Path) -> None:
    story = [*asked(2, "Plant"), *said(3, "Planted."), tokens(4, 100, 10, 20)]
    origin = read(write(rollout(tmp_path, PARENT), meta(PARENT), *story))
    copied = [{**record, "timestamp": "2026-04-02T08:01:00.500Z"} for record in story]
    fork = told(
        tmp_path, meta(second=60, forked_from_id=PARENT) | {"timestamp": "2026-04-02T08:01:00.400Z"},
        meta(PARENT), *copied, *asked(90, "Water"), *said(91, "Watered."), tokens(92, 130, 15, 27),
    )  # fmt: skip
    # A session's tokens are its last total; the ids tell which of them the origin counts.
    assert fork.usage == Usage(130, 27, 15)
    shares = {turn.usage_id: turn.usage for turn in fork.turns if turn.usage}
    assert shares.pop(origin.turns[1].usage_id) == origin.usage
    assert list(shares.values()) == [Usage(30, 7, 5)]
    assert fork.texts() == ["Plant", "Planted.", "Water", "Watered."]
    assert origin.usage == Usage(100, 20, 10)
    assert [turn.uid for turn in fork.turns][:2] == [turn.uid for turn in origin.turns]
    assert not {turn.uid for turn in fork.turns[2:]} & {turn.uid for turn in origin.turns}


def test_a_total_a_fork_begins_with_is_not_its_own(tmp_path: Path) -> None:
    """Forks and sub-agents carry on their origin's total, of whose history they copy a part."""

    def grown(second: float, total: tuple[int, int], last: tuple[int, int] | None) -> Any:
        record = tokens(second, total[0], 0, total[1])
        own = tokens(second, *((last[0], 0, last[1]) if last else (0, 0, 0)))["payload"]["info"]
        told = own["last_token_usage"] if last else None
        record["payload"]["info"]["last_token_usage"] = told
        return record

    head = meta(second=60, forked_from_id=PARENT)
    mine = [*asked(90, "Water"), *said(91, "Watered."), grown(92, (9_130, 915), (130, 15))]
    # Nothing of the origin's counts was copied.
    fork = told(tmp_path, head, *mine)
    assert fork.usage == Usage(130, 15)
    assert told(tmp_path, head, *mine, grown(93, (9_150, 916), (20, 1))).usage == Usage(150, 16)
    # The last of them was, from before or after its history was put together.
    copied = [*asked(60.5, "Plant"), *said(60.6, "Planted."), grown(60.7, (9_000, 900), (40, 4))]
    assert told(tmp_path, head, meta(PARENT, 60.1), *copied, *mine).usage == Usage(170, 19)
    for last in ((0, 0), None):
        copied[-1] = grown(60.7, (9_000, 900), last)
        assert told(tmp_path, head, meta(PARENT, 60.1), *copied, *mine).usage == Usage(130, 15)
    # Some in between were left out.
    copied[-1:] = [grown(60.7, (500, 50), (40, 4)), grown(60.8, (9_000, 900), (60, 6))]
    fork = told(tmp_path, head, meta(PARENT, 60.1), *copied, *mine)
    assert fork.usage == Usage(230, 25)
    # A session of its own counts what its total says, whatever its last answer took.
    whole = told(tmp_path, meta(), *asked(1, "Pick"), *said(2, "Yes."), grown(3, (90, 9), (30, 3)))
    assert whole.usage == Usage(90, 9)


def test_a_copy_beside_the_original(tmp_path: Path) -> None:
    original = write(rollout(tmp_path), *LOG)
    copy = original.with_name(original.name.replace(".jsonl", ".a1b2c3.jsonl"))
    write(copy, *LOG)
    one, other = read(original), read(copy)
    assert other.info.id == f"codex:{SID}.a1b2c3"
    assert [turn.uid for turn in other.turns] == [turn.uid for turn in one.turns]
    assert [turn.usage_id for turn in other.turns] == [turn.usage_id for turn in one.turns]
    resume = AGENT.resume(other.info)
    assert resume is not None
    assert resume.argv == ("codex", "resume", SID)


def test_names(tmp_path: Path) -> None:
    index = tmp_path / ".codex" / "session_index.jsonl"
    write(
        index,
        {"id": SID, "thread_name": "First name", "updated_at": "2026-04-02T08:00:00Z"},
        {"id": PARENT, "thread_name": "Other", "updated_at": "2026-04-02T08:00:00Z"},
        [],
        {"thread_name": "nobody's"},
        {"id": SID, "thread_name": "Second name", "updated_at": "2026-04-02T09:00:00Z"},
        tail='{"id": "half',
    )
    source = AGENT.source_at(index)
    assert source is not None
    found = read_all(AGENT, source)
    assert {key: session.info.title for key, session in found.items()} == {
        SID: "Second name",
        PARENT: "Other",
    }
    assert all(not session.turns for session in found.values())
    assert told(tmp_path, *LOG[:-1]).info.title is None  # the store takes the first prompt
    renamed = [*LOG, event(13, "thread_name_updated", thread_name="Apples, counted")]
    assert told(tmp_path, *renamed).info.title == "Apples, counted"


def test_compressed_and_archived(tmp_path: Path) -> None:
    plain = write(rollout(tmp_path), *LOG)
    whole = read(plain)
    packed = compressed(plain, *LOG)
    archived = tmp_path / ".codex" / "archived_sessions" / plain.name.replace(SID, PARENT)
    write(archived, meta(PARENT), *asked(1, "Long ago"))
    write(tmp_path / ".codex" / "history.jsonl", {"session_id": SID, "ts": 1, "text": "x"})
    (tmp_path / ".codex" / "state_5.sqlite").write_bytes(b"")
    before = paths(tmp_path)
    place = Place(tmp_path, {}, "linux")
    assert {Path(s.path) for s in AGENT.sources(place)} == {plain, archived}
    assert read(archived).info.id == f"codex:{PARENT}"
    assert AGENT.source_at(tmp_path / ".codex" / "history.jsonl") is None
    plain.unlink()
    assert {Path(s.path) for s in AGENT.sources(place)} == {packed, archived}
    session = read(packed)
    assert session.turns == whole.turns
    assert session.coverage == whole.coverage
    assert session.info == whole.info
    reading = Reading().take(AGENT, AGENT.source_at(packed))
    same(reading.take(AGENT, AGENT.source_at(packed)).sessions, {SID: whole})
    assert AGENT.sniff(packed, packed.read_bytes())
    assert paths(tmp_path) == [name for name in before if not name.endswith(plain.name)]
    elsewhere = Place(tmp_path, {"CODEX_HOME": str(tmp_path / "c")}, "linux")
    assert AGENT.roots(elsewhere)[0] == tmp_path / "c" / "sessions"
    assert list(AGENT.sources(elsewhere)) == []


def test_a_long_compressed_rollout(tmp_path: Path) -> None:
    many = [
        record for n in range(700) for record in (*asked(1, f"tree {n}"), *said(2, f"fine {n}"))
    ]
    packed = compressed(rollout(tmp_path), meta(), *many)
    assert len(read(packed).turns) == 1400


def test_compressed_rollouts_that_are_broken(tmp_path: Path) -> None:
    packed = compressed(rollout(tmp_path), *LOG)
    data = packed.read_bytes()
    for broken in (data[: len(data) // 2], b"not zstd at all", b"", data + b"trailing"):
        packed.write_bytes(broken)
        source = AGENT.source_at(packed)
        assert source is not None
        problem = ""
        try:
            adds_up(read_all(AGENT, source))
        except SourceError as error:
            problem = str(error)
        assert str(packed) not in problem
        AGENT.sniff(packed, broken)


def test_reading_on(tmp_path: Path) -> None:
    path, reading, emitted = rollout(tmp_path), Reading(), []
    for number in range(1, len(LOG) + 1):
        half = json.dumps(LOG[number])[:50] if number < len(LOG) else ""
        write(path, *LOG[:number], tail=half)
        emitted.append(reading.take(AGENT, AGENT.source_at(path)).emitted)
        same(reading.sessions, read_all(AGENT, AGENT.source_at(path)))
    assert max(emitted) <= 3
    assert reading.take(AGENT, AGENT.source_at(path)).emitted <= 2


def test_only_new_bytes_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(rollout(tmp_path), *LOG)
    reading = Reading().take(AGENT, AGENT.source_at(path))
    offsets: list[tuple[int, int]] = []
    original = line_files.lines

    def watched(name: Any, offset: int = 0) -> Any:
        for start, data in original(name, offset):
            offsets.append((offset, start))
            yield start, data

    monkeypatch.setattr(line_files, "lines", watched)
    size = path.stat().st_size
    write(path, *LOG, *asked(20, "And pears?"))
    reading.take(AGENT, AGENT.source_at(path))
    new = [start for offset, start in offsets if offset]
    assert new[0] == size
    assert len(new) == 2
    assert [start for offset, start in offsets if not offset] == [0]  # the header names the session
    assert reading.sessions[SID].turns[-1].blocks == [Text("And pears?")]


def test_growing_and_rewritten_files(tmp_path: Path) -> None:
    path = write(rollout(tmp_path), *LOG[:-1])
    grow(AGENT, path)
    rewrite(AGENT, path)
    reading = Reading().take(AGENT, AGENT.source_at(path))
    write(path, meta(), *asked(1, "Another story"), *LOG[3:])
    reading.take(AGENT, AGENT.source_at(path))
    same(reading.sessions, read_all(AGENT, AGENT.source_at(path)))
    assert reading.sessions[SID].texts()[0] == "Another story"
    grow(AGENT, write(path, *LEGACY))


def test_bad_lines_are_counted_and_passed_over(tmp_path: Path) -> None:
    path = write(rollout(tmp_path), LOG[0])
    odd = json.dumps(message(1, "user", "pear PLACE")).encode()
    with path.open("ab") as file:
        file.write(b'{"timestamp":"x\n[]\nnull\n\n\x00\x00\n')
        file.write(odd.replace(b"PLACE", b"\xff\xfe caf\xe9") + b"\n")
        file.write(odd.replace(b"PLACE", b"\\ud83d half \\u0000 \\u001b[31m") + b"\r\n")
    session = read(path)
    assert (session.coverage.records, session.coverage.kept, session.coverage.bad) == (7, 2, 4)
    assert session.texts()[0] == "pear \ufffd\ufffd caf\ufffd"
    adds_up({SID: session})


def test_hostile_records(tmp_path: Path) -> None:
    back = event(20, "thread_rolled_back", num_turns=1)
    path = write(rollout(tmp_path), *LOG, back, *LEGACY)
    assert torture_lines(AGENT, path) > 1000


def test_sniffing(tmp_path: Path) -> None:
    path = write(rollout(tmp_path), *LOG)
    assert AGENT.sniff(path, path.read_bytes())
    assert AGENT.sniff(Path("x.jsonl"), b'{"id":"a","thread_name":"b","updated_at":"c"}\n')
    assert not AGENT.sniff(Path("x.jsonl"), b'{"type":"user","sessionId":"x","uuid":"y"}\n')
    assert not AGENT.sniff(Path("x.jsonl"), b"\xff\x00")


def test_written_back_and_read_again(tmp_path: Path) -> None:
    before = told(tmp_path / "old", *LOG)
    info, turns = before.info, [turn for turn in before.turns if not turn.meta]
    dead = Turn(role="user", blocks=[Text("never mind")], branch=True)
    place = Place(tmp_path / "new", {}, "linux")
    path = AGENT.restore(info, [*turns, dead], place)
    assert path == rollout(tmp_path / "new")
    assert path.stat().st_mode & 0o777 == 0o600
    after = read(path)
    assert (after.info.id, after.info.project, after.info.created_at) == (
        info.id, info.project, info.created_at,
    )  # fmt: skip
    assert after.roles == [turn.role for turn in turns]
    assert after.texts() == [b.text for t in turns for b in t.blocks if isinstance(b, Text)]
    assert after.uses() == before.uses()
    assert [r.tool_use_id for r in after.results()] == [r.tool_use_id for r in before.results()]
    content = path.read_bytes()
    with pytest.raises(SourceError, match="exists"):
        AGENT.restore(info, turns, place)
    assert path.read_bytes() == content


# Real sessions, against a minimal count of the lines themselves


def counted(path: Path) -> dict[str, Any]:
    """Prompts, answers, calls, results, failures and the last running total of a rollout."""
    found: dict[str, Any] = {"calls": [], "results": [], "failed": 0, "items": [], "events": [],
                             "answers": [], "total": {}}  # fmt: skip
    injected = ("<environment_context>", "<user_instructions>", "# AGENTS.md instructions",
                "<permissions instructions>", "<app-context>", "<turn_aborted>", "<skill>",
                "<INSTRUCTIONS>", "<collaboration_mode>", "<subagent_notification>", "<model_switch>")  # fmt: skip
    for raw in path.read_bytes().splitlines():
        try:
            record = json.loads(raw)
        except ValueError:
            continue
        body = record.get("payload") if isinstance(record.get("payload"), dict) else record
        kind = str(body.get("type"))
        if record.get("type") == "event_msg":
            if kind == "user_message" and body["message"].strip():
                found["events"].append(body["message"].strip()[:400])
            elif kind == "token_count" and body.get("info"):
                found["total"] = body["info"].get("total_token_usage") or found["total"]
        elif kind == "message":
            words = "\n".join(part.get("text") or "" for part in body["content"]).strip()
            if body["role"] == "assistant" and words:
                found["answers"].append(words)
            elif body["role"] == "user" and words and not words.startswith(injected):
                found["items"].append(words[:400])
        elif kind.endswith("_call_output") or kind == "tool_search_output":
            found["results"].append(body["call_id"])
            value = body.get("output")
            if isinstance(value, str) and value.startswith("{"):
                try:
                    code = json.loads(value).get("metadata", {}).get("exit_code", 0)
                except ValueError:
                    code = 0
                found["failed"] += code != 0
            elif isinstance(value, str) and "Output:" in value:
                head = value.split("Output:", 1)[0]
                if "code" in head:
                    code = head.split("code", 1)[1].lstrip(": ").split()[0]
                    found["failed"] += code != "0"
        elif kind.endswith("_call"):
            found["calls"].append(body.get("call_id") or body.get("id") or "")
    return found


def test_real_sessions_add_up() -> None:
    for path in found_real("codex/**/*.jsonl"):
        session = read(path)
        adds_up({"": session})
        expected = counted(path)
        assert sorted(use.id for use in session.uses()) == sorted(expected["calls"]), path
        assert sorted(r.tool_use_id for r in session.results()) == sorted(expected["results"]), path
        assert sum(r.is_error is True for r in session.results()) == expected["failed"], path
        prompts = [t for t in session.turns if t.role == "user" and not t.meta]
        assert len(prompts) == len(expected["events"] or expected["items"]), path
        spoken = [
            block.text.strip()
            for turn in session.turns if turn.role == "assistant"
            for block in turn.blocks if isinstance(block, Text)
        ]  # fmt: skip
        assert sorted(spoken) == sorted(expected["answers"]), path
        total = expected["total"]
        if total and not session.info.parent:
            usage = session.usage
            assert usage.output == total["output_tokens"], path
            assert usage.input + usage.cache_read == total["input_tokens"], path
            assert usage.cache_read == total["cached_input_tokens"], path


def test_a_message_that_does_not_say_so_is_one(tmp_path: Path) -> None:
    words = [{"type": "output_text", "text": "Watered."}]
    bare = line("response_item", 2, role="assistant", content=words)
    session = told(tmp_path, meta(), *asked(1, "Water"), bare)
    assert session.texts() == ["Water", "Watered."]
    assert session.coverage.unknown == {}


def test_events_that_tell_something_are_marks(tmp_path: Path) -> None:
    goal = {"threadId": SID, "goal": {"objective": "Prune the trees", "status": "active"}}
    session = told(
        tmp_path,
        meta(),
        *asked(1, "Prune"),
        event(2, "thread_goal_updated", **goal),
        event(3, "thread_goal_updated", **goal),
        event(4, "warning", message="The ladder is short"),
        event(5, "warning", message=" "),
        event(6, "entered_review_mode", target={"type": "custom"}, user_facing_hint="the twigs"),
        event(7, "model_reroute", from_model="a", to_model="b", reason="busy"),
        *said(8, "Pruned."),
    )
    notices = [b for turn in session.turns for b in turn.blocks if isinstance(b, Notice)]
    assert notices == [
        Notice("info", "Goal: Prune the trees"),
        Notice("info", "The ladder is short"),
        Notice("info", "Review: the twigs"),
        Notice("info", "Another model answers: b\nbusy"),
    ]
    assert not session.coverage.unknown
