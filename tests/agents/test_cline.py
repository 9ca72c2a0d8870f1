"""Cline's tasks and CLI sessions, and Roo Code's tasks."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hostile import adds_up, mutations, torture_document
from real import found_real
from session_reading import Reading, Session, read_all, same

from sparrow_tui.agents.base import Place, SourceError
from sparrow_tui.agents.cline import AGENTS, Tasks
from sparrow_tui.model import Image, Notice, Raw, Reasoning, Text, Usage

CLINE, ROO = AGENTS
T = 1_770_000_000_000
TASK = str(T)


def say(kind: str, text: Any = "", second: int = 0, **more: Any) -> dict[str, Any]:
    text = text if isinstance(text, str) else json.dumps(text)
    return {"ts": T + second * 1000, "type": "say", "say": kind, "text": text, **more}


def ask(kind: str, text: Any = "", second: int = 0, **more: Any) -> dict[str, Any]:
    message = say(kind, text, second, **more)
    message["type"], message["ask"] = "ask", message.pop("say")
    return message


MODEL = {"modelInfo": {"providerId": "anthropic", "modelId": "claude-sonnet-4-5", "mode": "act"}}
USED = {"request": "…\n# Current Working Directory (/w/pond) Files\nduck.txt", "tokensIn": 7, "tokensOut": 50,
        "cacheWrites": 30, "cacheReads": 400, "cost": 0.0025}  # fmt: skip
SHOWN = [
    say("task", "Count the ducks\nin the pond", images=["data:image/png;base64,AAAA"]),
    say("api_req_started", USED, 1, **MODEL),
    say("reasoning", "Look first.", 2, **MODEL),
    say("text", "I look.", 2, **MODEL),
    say("text", "I lo", 2, partial=True),
    say("checkpoint_created", "", 2),
    ask("tool", {"tool": "readFile", "path": "duck.txt", "content": "/w/pond/duck.txt"}, 3),
    say("tool", {"tool": "listFilesTopLevel", "path": ".", "content": "duck.txt\nreed.txt"}, 4),
    say("api_req_started", {**USED, "cost": 0.001}, 5, **MODEL),
    ask("command", "wc -l duck.txtREQ_APP", 6),
    say("command_output", "1 duck", 7),
    say("command_output", ".txt", 7),
    say("use_mcp_server", {"serverName": "birds", "type": "use_mcp_tool", "toolName": "name", "arguments": '{"n": 1}'}, 8),
    say("mcp_server_request_started", "", 8),
    say("mcp_server_response", "mallard", 9),
    ask("followup", {"question": "Geese too?", "options": ["yes", "no"]}, 10),
    say("user_feedback", "no", 11),
    say("error", "Cline tried to quack.", 12),
    say("api_req_started", {"request": "", "cancelReason": "streaming_failed", "streamingFailedMessage": "overloaded"}, 13),
    say("deleted_api_reqs", {"tokensIn": 1, "tokensOut": 2, "cacheWrites": 0, "cacheReads": 0, "cost": 0.5}, 14),
    say("completion_result", "One duck.HAS_CHANGES", 15),
    ask("completion_result", "", 16),
    say("hologram", "beam", 17),
]  # fmt: skip
SENT = [
    {"role": "user", "content": [{"type": "text", "text": "<task>\nCount the ducks\n</task>"},
                                 {"type": "text", "text": "<environment_details>\n# Current Working Directory (/w/pond) Files\n</environment_details>"}]},
    {"role": "assistant", "content": [{"type": "text", "text": "I look."},
                                      {"type": "tool_use", "id": "t1", "name": "read_file", "input": {"path": "duck.txt"}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "quack", "is_error": False}]},
    {"role": "assistant", "content": "running"},
    {"role": "user", "content": [{"type": "text", "text": "[execute_command for 'wc -l duck.txt'] Result:"},
                                 {"type": "text", "text": "1 duck.txt"},
                                 {"type": "text", "text": "<environment_details>\nnow\n</environment_details>"}]},
]  # fmt: skip
HISTORY = [{"id": TASK, "ts": T + 17000, "task": "Count the ducks\nin the pond", "tokensIn": 14, "tokensOut": 100,
            "cacheWrites": 60, "cacheReads": 800, "totalCost": 0.0035, "cwdOnTaskInitialization": "/w/pond"}]  # fmt: skip


def put(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return path


def storage(home: Path, agent: Tasks = CLINE) -> Path:
    return home / ".config" / "Code" / "User" / "globalStorage" / agent.extension


@pytest.fixture
def task(tmp_path: Path) -> Path:
    folder = storage(tmp_path)
    put(folder / "state" / "taskHistory.json", HISTORY)
    put(folder / "tasks" / TASK / "api_conversation_history.json", SENT)
    return put(folder / "tasks" / TASK / "ui_messages.json", SHOWN)


def only(path: Path, agent: Tasks = CLINE) -> Session:
    (session,) = read_all(agent, agent.source_at(path)).values()
    return session


def test_a_task(task: Path) -> None:
    session = only(task)
    info = session.info
    assert (info.id, info.title, info.project) == (f"cline:{TASK}", "Count the ducks", "/w/pond")
    assert (info.model, info.created_at, info.updated_at) == ("claude-sonnet-4-5", T, T + 17000)
    assert session.roles == [
        *("user", "assistant", "tool", "assistant", "tool", "assistant", "tool", "assistant"),
        *("tool", "assistant", "user", "system", "assistant", "system", "assistant", "system"),
    ]
    assert session.turns[0].blocks[1] == Image("image/png", "AAAA", size=3)
    assert session.turns[1].blocks[:2] == [Reasoning("Look first."), Text("I look.")]
    assert session.turns[1].usage == Usage(7, 50, 400, 30)
    assert session.usage == Usage(15, 102, 800, 60)
    assert session.cost == 2500 + 1000 + 500_000
    assert [use.name for use in session.uses()] == [
        "readFile",
        "listFilesTopLevel",
        "execute_command",
        "birds.name",
    ]
    assert session.uses()[2].input == {"command": "wc -l duck.txt"}
    assert session.uses()[3].input == {"arguments": {"n": 1}}
    results = session.results()
    assert [r.tool_use_id for r in results] == [use.id for use in session.uses()]
    assert [[block.text for block in r.content] for r in results] == [  # type: ignore[union-attr]
        *(["quack"], ["duck.txt\nreed.txt"], ["1 duck.txt"], ["mallard"])
    ]
    assert (results[0].tool_use_id, results[0].is_error) == ("t1", False)
    assert Text("Geese too?\n- yes\n- no") in session.turns[9].blocks
    assert session.turns[12].blocks == [Notice("error", "overloaded")]
    assert session.turns[12].api_error
    assert session.turns[14].blocks == [Text("One duck.")]
    assert session.turns[15].blocks == [Raw("hologram", SHOWN[-1])]
    assert session.coverage.unknown == {"hologram": 1}
    coverage = session.coverage
    assert (coverage.records, coverage.skipped, coverage.bad) == (len(SHOWN), 6, 0)
    assert CLINE.resume(info) is None


def test_words_broken_off_are_kept(task: Path) -> None:
    put(task, [
        SHOWN[0], say("reasoning", "Look in the reeds", 1, partial=True),
        say("text", "I loo", 2, partial=True), say("text", "I look.", 3),
        say("text", "Then I", 4, partial=True), say("text", "", 5, partial=True),
        say("tool", {"tool": "readFile"}, 6, partial=True), say("completion_result", "Two.", 7),
    ])  # fmt: skip
    session = only(task)
    assert session.texts() == ["Count the ducks\nin the pond", "I look.", "Then I", "Two."]
    assert Reasoning("Look in the reeds") in session.turns[1].blocks
    assert session.uses() == []


def test_output_without_the_log_of_requests(task: Path) -> None:
    task.with_name("api_conversation_history.json").unlink()
    results = only(task).results()
    assert [[b.text for b in r.content] for r in results] == [  # type: ignore[union-attr]
        *(["duck.txt\nreed.txt"], ["1 duck", ".txt"], ["mallard"])
    ]


def test_a_task_without_display_log(task: Path, tmp_path: Path) -> None:
    task.unlink()
    (source,) = CLINE.sources(Place(tmp_path, {}, "linux"))
    (session,) = read_all(CLINE, source).values()
    assert session.info.id == f"cline:{TASK}"
    assert session.info.project == "/w/pond"
    assert session.info.usage == Usage(14, 100, 800, 60)
    assert session.info.cost_micro == 3500
    assert session.roles == ["user", "user", "assistant", "tool", "assistant", "tool", "user"]
    assert [turn.meta for turn in session.turns if turn.role == "user"] == [True, False, True]
    assert session.turns[1].blocks == [Text("Count the ducks")]
    assert session.results()[1].content == [Text("1 duck.txt")]


def test_only_a_changed_task_is_read_again(task: Path) -> None:
    reading = Reading().take(CLINE, CLINE.source_at(task))
    assert reading.take(CLINE, CLINE.source_at(task)).emitted == 0
    for number in range(1, len(SHOWN) + 1):
        put(task, SHOWN[:number])
        reading.take(CLINE, CLINE.source_at(task))
        same(reading.sessions, read_all(CLINE, CLINE.source_at(task)))
    put(task.with_name("api_conversation_history.json"), SENT[:1])
    assert CLINE.source_at(task) == CLINE.source_at(task.with_name("task_metadata.json"))
    assert reading.take(CLINE, CLINE.source_at(task)).emitted > 0


def test_roo(tmp_path: Path) -> None:
    folder = storage(tmp_path, ROO) / "tasks" / "0198-a"
    shown = [
        say("text", "Count"),
        say("api_req_started", {**USED, "tokensIn": 437, "request": "<model>gpt-5</model>"}, 1),
        ask("tool", {"tool": "newTask", "content": "Count geese"}, 2),
        say("subtask_result", "No geese.", 3),
        say("condense_context", "", 4, contextCondense={"cost": 0.01, "prevContextTokens": 900, "newContextTokens": 90, "summary": "Ducks."}),
        ask("followup", {"question": "More?", "suggest": [{"answer": "no"}]}, 5),
    ]  # fmt: skip
    path = put(folder / "ui_messages.json", shown)
    put(folder / "history_item.json", {"id": "0198-a", "task": "Count", "workspace": "/w/pond", "mode": "code",
                                       "parentTaskId": "0198-0", "childIds": ["0198-b"]})  # fmt: skip
    session = only(path, ROO)
    info = session.info
    assert (info.id, info.parent, info.project) == ("roo:0198-a", "roo:0198-0", "/w/pond")
    assert info.model == session.turns[1].model == "gpt-5"
    assert session.turns[1].usage == Usage(7, 50, 400, 30)
    assert (session.results()[0].child, session.results()[0].content) == (
        "roo:0198-b",
        [Text("No geese.")],
    )
    assert session.roles == ["user", "assistant", "tool", "summary", "assistant"]
    assert session.turns[3].blocks == [Notice("compaction", "900 → 90 tokens"), Text("Ducks.")]
    assert session.texts()[-1] == "More?\n- no"
    place = Place(tmp_path, {}, "linux")
    assert [source.path for source in ROO.sources(place)] == [str(path)]
    assert list(CLINE.sources(place)) == []
    assert (ROO.resume(info), bool(ROO.no_resume)) == (None, True)


@pytest.mark.parametrize(
    ("protocol", "second", "used", "fresh"),
    [
        ("anthropic", 0, 437, 7),
        ("openai", 0, 437, 7),
        ("anthropic", -20_000_000, 437, 437),
        ("openai", -20_000_000, 437, 7),
        (None, -20_000_000, 437, 7),
        (None, -20_000_000, 8, 8),
    ],
)
def test_what_roo_counts_as_input(
    tmp_path: Path, protocol: str | None, second: int, used: int, fresh: int
) -> None:
    """A first request that only writes to the cache has more input than is cached."""
    request = {**USED, "tokensIn": used, "apiProtocol": protocol}
    folder = storage(tmp_path, ROO) / "tasks" / "0198-a"
    shown = [say("text", "Count", second), say("api_req_started", request, second)]
    path = put(folder / "ui_messages.json", shown)
    assert only(path, ROO).turns[1].usage == Usage(fresh, 50, 400, 30)


def test_roo_keeps_its_tasks_elsewhere(tmp_path: Path) -> None:
    own = tmp_path / "my tasks"
    settings = tmp_path / ".config" / "VSCodium" / "User" / "settings.json"
    settings.parent.mkdir(parents=True)
    line = f'"roo-cline.customStoragePath": {json.dumps(str(own))},'
    settings.write_text(f"{{\n // a comment\n {line}\n}}")
    path = put(own / "tasks" / "0198-c" / "ui_messages.json", [say("text", "Count")])
    (source,) = ROO.sources(Place(tmp_path, {}, "linux"))
    assert source.path == str(path)
    for text in (f"// {line}", '"roo-cline.customStoragePath": "../x"', "\0", '"roo-cline.'):
        settings.write_text(text)
        assert list(ROO.sources(Place(tmp_path, {}, "linux"))) == []


MESSAGES = {
    "version": 1, "updated_at": "2026-02-02T02:41:00Z", "agent": "lead", "sessionId": "17-ab",
    "messages": [
        {"id": "m1", "role": "user", "ts": T, "content": [
            {"type": "text", "text": '<user_input mode="act">Count</user_input>'}, {"type": "image", "data": "AAAA", "mediaType": "image/png"}]},
        {"id": "m2", "role": "assistant", "ts": T + 1000, "content": [
            {"type": "thinking", "thinking": "Look."}, {"type": "tool_use", "id": "c1", "name": "run_commands", "input": {"commands": ["ls"]}}],
         "modelInfo": {"id": "claude-opus-4-6", "provider": "cline"},
         "metrics": {"inputTokens": 100, "outputTokens": 9, "cacheReadTokens": 60, "cacheWriteTokens": 30, "cost": 0.02}},
        {"id": "m3", "role": "user", "ts": T + 2000, "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "duck", "is_error": True}]},
        {"id": "m4", "role": "assistant", "ts": T + 3000, "content": [{"type": "text", "text": "One."}]},
    ],
}  # fmt: skip
MANIFEST = {
    "version": 1, "session_id": "17-ab", "source": "cli", "started_at": "2026-02-02T02:40:00.000Z", "status": "completed",
    "provider": "cline", "model": "claude-opus-4-6", "cwd": "/w/pond", "prompt": "Count", "metadata": {"title": "Duck census"},
}  # fmt: skip


def test_cli_session(tmp_path: Path) -> None:
    folder = tmp_path / ".cline" / "data" / "sessions" / "17-ab"
    path = put(folder / "17-ab.messages.json", MESSAGES)
    put(folder / "17-ab.json", MANIFEST)
    (source,) = CLINE.sources(Place(tmp_path, {}, "linux"))
    assert source == CLINE.source_at(folder / "17-ab.json") == CLINE.source_at(path)
    (session,) = read_all(CLINE, source).values()
    info = session.info
    assert (info.id, info.title, info.project) == ("cline:17-ab", "Duck census", "/w/pond")
    assert (info.created_at, info.updated_at) == (T, T + 3000)
    assert session.roles == ["user", "assistant", "tool", "assistant"]
    assert session.turns[0].blocks == [Text("Count"), Image("image/png", "AAAA", size=3)]
    assert session.usage == Usage(10, 9, 60, 30)
    assert session.cost == 20_000
    assert session.results()[0].is_error is True
    resume = CLINE.resume(info)
    assert resume is not None
    assert (resume.argv, resume.directory) == (("cline", "--id", "17-ab"), "/w/pond")
    assert CLINE.sniff(path, path.read_bytes())
    assert torture_document(CLINE, path, MESSAGES) > 100
    put(path, MESSAGES)
    assert torture_document(CLINE, path.with_name("17-ab.json"), MANIFEST) > 30


def test_cli_task(tmp_path: Path) -> None:
    data = tmp_path / "elsewhere"
    put(data / "tasks" / TASK / "ui_messages.json", SHOWN[:2])
    (source,) = CLINE.sources(Place(tmp_path, {"CLINE_DATA_DIR": str(data)}, "linux"))
    (session,) = read_all(CLINE, source).values()
    assert session.info.project == "/w/pond"
    put(tmp_path / "data" / "tasks" / TASK / "ui_messages.json", SHOWN[:2])
    (source,) = CLINE.sources(Place(tmp_path, {"CLINE_DIR": str(tmp_path)}, "linux"))
    (session,) = read_all(CLINE, source).values()
    resume = CLINE.resume(session.info)
    assert resume is not None
    assert resume.argv == ("cline", "--taskId", TASK)


def test_hostile_tasks(task: Path) -> None:
    assert torture_document(CLINE, task, SHOWN) > 500
    put(task, SHOWN)
    sent = task.with_name("api_conversation_history.json")
    assert torture_document(CLINE, sent, SENT) > 100
    history = task.parent.parent.parent / "state" / "taskHistory.json"
    for odd in mutations(HISTORY):
        put(history, odd)
        adds_up({"": only(task)})
    nested = copy.deepcopy(SHOWN)
    for odd in (None, 5, [], {"tool": 1}, {"tool": "searchFiles", "content": {"a": []}}):
        nested += [say(kind, odd) for kind in ("tool", "api_req_started", "use_mcp_server")]
        nested += [say(kind, odd) for kind in ("browser_action_result", "subagent", "followup")]
    put(task, nested)
    assert only(task).coverage.bad == 0
    put(task, {"x": 1})
    with pytest.raises(SourceError, match="not a log"):
        only(task)


def test_sniff(task: Path, tmp_path: Path) -> None:
    head = task.read_bytes()
    assert CLINE.sniff(task, head)
    assert not ROO.sniff(task, head)
    assert not CLINE.sniff(task.with_name("other.json"), head)
    bare = put(tmp_path / "bare" / "ui_messages.json", SHOWN)
    assert (CLINE.sniff(bare, head), ROO.sniff(bare, head)) == (True, False)
    put(bare.with_name("history_item.json"), {"id": "bare"})
    assert (CLINE.sniff(bare, head), ROO.sniff(bare, head)) == (False, True)
    assert CLINE.source_at(task.with_name("focus_chain.md")) is None
    for platform, part in (("darwin", "Library"), ("win32", "AppData")):
        assert any(part in root.parts for root in CLINE.roots(Place(tmp_path, {}, platform)))


def test_others_fixtures() -> None:
    for file in found_real("**/cline/tasks/*/api_conversation_history.json"):
        session = only(file)
        assert session.roles == [message["role"] for message in json.loads(file.read_text())]
        assert session.info.project
