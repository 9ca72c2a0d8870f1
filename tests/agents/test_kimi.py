"""Kimi: event logs in which a turn is made of many records."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hostile import adds_up, grow, mutations, rewrite, torture_lines
from real import found_real
from session_reading import Reading, Session, read_all

from sparrow_tui.agents.base import Place
from sparrow_tui.agents.kimi import AGENT
from sparrow_tui.model import Notice, Reasoning, Text, Usage

T = 1_780_000_000_000
SESSION = "session_0a1b2c3d"


def user(text: str, at: int, kind: str = "user", name: str = "") -> list[dict[str, Any]]:
    content = [{"type": "text", "text": text}]
    origin = {"kind": kind, **({"name": name} if name else {})}
    return [
        {"type": "turn.prompt", "input": content, "origin": origin, "time": T + at},
        {"type": "context.append_message", "time": T + at,
         "message": {"role": "user", "content": content, "toolCalls": [], "origin": origin}},
    ]  # fmt: skip


def event(at: int, **fields: Any) -> dict[str, Any]:
    return {"type": "context.append_loop_event", "event": fields, "time": T + at}


def tokens(*numbers: int) -> dict[str, int]:
    return dict(
        zip(("inputOther", "output", "inputCacheRead", "inputCacheCreation"), numbers, strict=True)
    )


CODE: list[dict[str, Any]] = [
    {"type": "metadata", "protocol_version": "1.4", "created_at": T},
    {"type": "config.update", "modelAlias": "kimi-k2", "systemPrompt": "You are", "time": T},
    *user("How many ducks?", 10),
    *user("<plan>", 11, "injection"),
    event(20, type="step.begin", uuid="s1", turnId="0", step=1),
    {"type": "llm.request", "model": "kimi-k2", "time": T + 21},
    event(30, type="content.part", part={"type": "think", "think": "Look."}),
    event(31, type="content.part", part={"type": "text", "text": "I "}),
    event(32, type="content.part", part={"type": "text", "text": "look."}),
    event(40, type="tool.call", toolCallId="Bash_0", name="Bash", args={"command": "ls"}),
    event(41, type="tool.call", toolCallId="Agent_1", name="Agent", args={"prompt": "count"}),
    event(50, type="tool.result", toolCallId="Bash_0", result={"output": "no such pond", "isError": True}),
    event(51, type="tool.result", toolCallId="Agent_1", result={"output": "agent_id: agent-0\nTwo."}),
    event(60, type="step.end", uuid="s1", usage=tokens(100, 10, 5, 1), finishReason="tool_use", messageId="c1"),
    {"type": "usage.record", "model": "kimi-k2", "usage": tokens(100, 10, 5, 1), "usageScope": "turn", "time": T + 60},
    event(70, type="step.begin", uuid="s2", turnId="0", step=2),
    event(71, type="content.part", part={"type": "text", "text": "Two."}),
    event(80, type="step.end", uuid="s2", usage=tokens(7, 2, 100, 0), finishReason="end_turn", messageId="c2"),
    {"type": "full_compaction.begin", "time": T + 90},
    {"type": "usage.record", "model": "kimi-k2", "usage": tokens(50, 5, 0, 0), "usageScope": "session", "time": T + 91},
    {"type": "context.apply_compaction", "summary": "Two ducks.", "time": T + 92},
    *user("Go on", 100),
    {"type": "turn.cancel", "time": T + 110},
]  # fmt: skip
STATE = {
    "createdAt": "2026-05-28T20:26:40Z", "title": "Ducks", "workDir": "/home/ada/pond", "lastPrompt": "Go on",
    "agents": {"main": {"type": "main", "parentAgentId": None}, "agent-0": {"type": "sub", "parentAgentId": "main"}},
}  # fmt: skip
WIRE: list[dict[str, Any]] = [
    {"type": "metadata", "protocol_version": "1.1"},
    *({"timestamp": T / 1000 + at, "message": {"type": kind, "payload": payload}} for at, kind, payload in [
        (1, "TurnBegin", {"user_input": [{"type": "text", "text": "How many?"}]}),
        (2, "StepBegin", {"n": 1}),
        (3, "ContentPart", {"type": "think", "think": "Hm."}),
        (4, "ContentPart", {"type": "text", "text": "I look."}),
        (5, "ToolCall", {"type": "function", "id": "t1", "function": {"name": "Shell", "arguments": '{"comm'}}),
        (6, "ToolCallPart", {"arguments_part": 'and": "ls"}'}),
        (7, "StatusUpdate", {"context_usage": 0.1, "message_id": "m1",
                             "token_usage": {"input_other": 9, "output": 3, "input_cache_read": 4, "input_cache_creation": 0}}),
        (8, "ToolResult", {"tool_call_id": "t1", "return_value": {"is_error": False, "output": "duck", "message": "ok"}}),
        (9, "StepBegin", {"n": 2}),
        (10, "ContentPart", {"type": "text", "text": "One."}),
        (11, "StatusUpdate", {"context_usage": 0.2}),
        (12, "TurnEnd", {}),
        (13, "SteerInput", {"user_input": "Thanks"}),
        (14, "StepInterrupted", {}),
    ]),
]  # fmt: skip


def write(path: Path, records: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / ".kimi-code" / "sessions" / "wd_pond_0123456789ab" / SESSION
    path = write(folder / "agents" / "main" / "wire.jsonl", CODE)
    (folder / "state.json").write_text(json.dumps(STATE))
    return path


@pytest.fixture
def wire(tmp_path: Path) -> Path:
    named = hashlib.md5(b"/home/ada/pond").hexdigest()
    path = write(tmp_path / ".kimi" / "sessions" / named / "1111-2222" / "wire.jsonl", WIRE)
    (tmp_path / ".kimi" / "kimi.json").write_text('{"work_dirs": [{"path": "/home/ada/pond"}]}')
    path.with_name("state.json").write_text('{"custom_title": "Pond life"}')
    write(path.with_name("context.jsonl"), [{"role": "user", "content": "How many?"}])
    return path


def only(path: Path) -> Session:
    (session,) = read_all(AGENT, AGENT.source_at(path)).values()
    return session


def test_kimi_code(code: Path) -> None:
    session = only(code)
    info = session.info
    assert (info.id, info.title, info.project) == (f"kimi:{SESSION}", "Ducks", "/home/ada/pond")
    assert (info.model, info.created_at, info.updated_at) == ("kimi-k2", T, T + 110)
    assert session.roles == [
        "user",
        "user",
        "assistant",
        "tool",
        "tool",
        "assistant",
        "summary",
        "user",
        "system",
    ]
    assert [turn.meta for turn in session.turns] == [False, True, *[False] * 6, True]
    turn = session.turns[2]
    assert turn.blocks[:2] == [Reasoning("Look."), Text("I look.")]
    assert (turn.uid, turn.usage_id, turn.time, turn.duration_ms) == ("s1", "c1", T + 20, 40)
    assert [(u.id, u.name, u.input) for u in session.uses()] == [
        ("Bash_0", "Bash", {"command": "ls"}), ("Agent_1", "Agent", {"prompt": "count"}),
    ]  # fmt: skip
    assert [(r.tool_use_id, r.is_error, r.child) for r in session.results()] == [
        ("Bash_0", True, ""), ("Agent_1", None, f"kimi:{SESSION}/agent-0"),
    ]  # fmt: skip
    assert session.turns[6].blocks == [Notice("compaction"), Text("Two ducks.")]
    # step.end and usage.record say the same; the compaction's request counts too.
    assert session.usage == Usage(157, 17, 105, 1)
    coverage = session.coverage
    assert coverage.records == len(CODE)
    assert not coverage.unknown


def test_sub_agent(code: Path) -> None:
    path = write(
        code.parent.parent / "agent-0" / "wire.jsonl",
        [CODE[0], *user("Count", 1, "system_trigger", "subagent")],
    )
    session = only(path)
    assert (session.info.id, session.info.parent) == (f"kimi:{SESSION}/agent-0", f"kimi:{SESSION}")
    assert session.info.title is None
    assert session.info.project == "/home/ada/pond"
    assert not session.turns[0].meta
    assert AGENT.resume(session.info) is None


def test_kimi_cli_wire(wire: Path) -> None:
    session = only(wire)
    info = session.info
    assert (info.id, info.title, info.project) == ("kimi:1111-2222", "Pond life", "/home/ada/pond")
    assert (info.created_at, info.updated_at) == (T + 1000, T + 14000)
    assert session.roles == ["user", "assistant", "tool", "assistant", "user", "system"]
    assert session.turns[1].blocks[:2] == [Reasoning("Hm."), Text("I look.")]
    (use,), (result,) = session.uses(), session.results()
    assert (use.id, use.name, use.input) == ("t1", "Shell", {"command": "ls"})
    assert (result.tool_use_id, result.is_error, result.content) == ("t1", False, [Text("duck")])
    assert session.usage == Usage(9, 3, 4, 0)
    assert session.turns[1].uid == "m1"
    assert session.turns[-1].blocks == [Notice("interruption")]


def side(at: int, call: str, kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    told = {"task_tool_call_id": call, "event": {"type": kind, "payload": payload}}
    return {"timestamp": T / 1000 + at, "message": {"type": "SubagentEvent", "payload": told}}


USED = {
    "token_usage": {"input_other": 2, "output": 1, "input_cache_read": 0, "input_cache_creation": 0}
}
WITH_SIDES = [
    *WIRE[:7],
    side(7, "t1", "TurnBegin", {"user_input": "Count the ducks"}),
    side(7, "t1", "StepBegin", {"n": 1}),
    side(7, "t1", "ToolCall", {"type": "function", "id": "s1", "function": {"name": "Task", "arguments": "{}"}}),
    WIRE[7],
    side(8, "t1", "SubagentEvent", {"task_tool_call_id": "s1", "event": {
        "type": "TurnBegin", "payload": {"user_input": "Count again"}}}),
    side(8, "t1", "StatusUpdate", USED),
    side(8, "t1", "ToolResult", {"tool_call_id": "s1", "return_value": {"is_error": True, "output": "fog"}}),
    *WIRE[8:],
]  # fmt: skip


def test_kimi_cli_sub_agents_told_in_their_callers_log(wire: Path) -> None:
    write(wire, WITH_SIDES)
    found = read_all(AGENT, AGENT.source_at(wire))
    main, counting, again = (
        found[ident] for ident in ("1111-2222", "1111-2222/side-t1", "1111-2222/side-s1")
    )
    assert len(found) == 3
    assert main.usage == Usage(9, 3, 4, 0)
    assert main.results()[0].child == "kimi:1111-2222/side-t1"
    assert main.coverage.records == len(WIRE)
    assert (counting.info.parent, counting.info.parent_tool_use) == ("kimi:1111-2222", "t1")
    assert counting.info.project == "/home/ada/pond"
    assert counting.info.title is None
    assert counting.roles == ["user", "assistant", "tool"]
    assert (counting.uses()[0].id, counting.results()[0].is_error) == ("s1", True)
    assert counting.results()[0].child == "kimi:1111-2222/side-s1"
    assert counting.usage == Usage(2, 1)
    assert (again.info.parent, again.texts()) == ("kimi:1111-2222/side-t1", ["Count again"])


def test_kimi_cli_sub_agents_with_logs_of_their_own(wire: Path) -> None:
    told = side(7, "t1", "TurnBegin", {"user_input": "Count the ducks"})
    told["message"]["payload"] |= {"agent_id": "a1", "parent_tool_call_id": "t1"}
    write(wire, [*WIRE, told])
    assert only(wire).coverage.skipped


def test_kimi_cli_context_only(tmp_path: Path) -> None:
    named = "0" * 32
    records: list[dict[str, Any]] = [
        {"role": "_checkpoint", "id": 0},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": [{"type": "think", "think": "Hm"}, {"type": "text", "text": "Hello"}],
         "tool_calls": [{"type": "function", "id": "t", "function": {"name": "Shell", "arguments": "{}"}}]},
        {"role": "tool", "content": [{"type": "text", "text": "ok"}], "tool_call_id": "t"},
        {"role": "_usage", "token_count": 12},
    ]  # fmt: skip
    for path in (
        tmp_path / "sessions" / named / "aaaa" / "context.jsonl",
        tmp_path / "sessions" / named / "bbbb.jsonl",
    ):
        session = only(write(path, records))
        assert session.info.native_id in ("aaaa", "bbbb")
        assert session.roles == ["user", "assistant", "tool"]
        assert (session.uses()[0].id, session.results()[0].tool_use_id) == ("t", "t")
        assert (session.coverage.kept, session.coverage.skipped) == (3, 2)
        assert session.info.updated_at


def test_where_it_looks(code: Path, wire: Path, tmp_path: Path) -> None:
    for name in ("context_1.jsonl", "context_sub_1.jsonl"):
        write(wire.with_name(name), [{"role": "user", "content": "told in the log too"}])
        assert AGENT.source_at(wire.with_name(name)) is None
    found = [source.path for source in AGENT.sources(Place(tmp_path))]
    assert sorted(found) == sorted([str(code), str(wire)])
    for side in (
        code.parent.parent.parent / "state.json",
        wire.with_name("state.json"),
        wire.with_name("context.jsonl"),
    ):
        source = AGENT.source_at(side)
        assert source is not None
        assert source.path in (str(code), str(wire))
    moved = AGENT.roots(Place(tmp_path, {"KIMI_CODE_HOME": "/k"}))
    assert moved[1] == Path("/k/sessions")
    for path in (code, wire):
        assert AGENT.sniff(path, path.read_bytes())
    assert not AGENT.sniff(code, b'{"type":"user"}')
    resume = AGENT.resume(only(wire).info)
    assert resume is not None
    assert (resume.argv, resume.directory) == (("kimi", "--session", "1111-2222"), "/home/ada/pond")


def test_growing_rewritten_and_hostile_files(code: Path, wire: Path) -> None:
    for path in (code, wire):
        grow(AGENT, path)
        rewrite(AGENT, path)
        assert torture_lines(AGENT, path) > 500
    write(wire, WITH_SIDES)
    grow(AGENT, wire)
    assert torture_lines(AGENT, wire) > 500


def test_a_step_in_the_making_is_shown_and_then_replaced(code: Path) -> None:
    lines = code.read_bytes().splitlines(keepends=True)
    code.write_bytes(b"".join(lines[:10]))
    reading = Reading().take(AGENT, AGENT.source_at(code))
    assert reading.sessions[SESSION].turns[-1].blocks == [Reasoning("Look."), Text("I ")]
    code.write_bytes(b"".join(lines[:11]))
    assert reading.take(AGENT, AGENT.source_at(code)).emitted == 1
    assert reading.sessions[SESSION].texts()[-1] == "I look."


def test_hostile_state(code: Path) -> None:
    for state in mutations(STATE):
        (code.parent.parent.parent / "state.json").write_text(json.dumps(state))
        adds_up(read_all(AGENT, AGENT.source_at(code)))


def test_real_logs() -> None:
    for file in found_real("fixtures/**/agents/kimi/*.jsonl"):
        records = [json.loads(line) for line in file.read_text().splitlines()]
        events = [r["event"] for r in records if r["type"] == "context.append_loop_event"]
        usages = [r["usage"] for r in records if r["type"] == "usage.record"]
        session = only(file)
        assert session.coverage.records == len(records)
        assert not session.coverage.bad
        assert not session.coverage.unknown
        assert len(session.uses()) == sum(e["type"] == "tool.call" for e in events)
        assert len(session.results()) == sum(e["type"] == "tool.result" for e in events)
        errors = sum(
            bool(e["type"] == "tool.result" and e["result"].get("isError")) for e in events
        )
        assert sum(r.is_error is True for r in session.results()) == errors
        fields = ("inputOther", "output", "inputCacheRead", "inputCacheCreation")
        assert session.usage == Usage(*(sum(u[name] for u in usages) for name in fields))
