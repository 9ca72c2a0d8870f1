"""Kiro CLI's database, its sessions' messages and its workspaces' events."""

from __future__ import annotations

import copy
import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hostile import adds_up, grow, mutations, rewrite, torture_document, torture_lines
from real import found_real
from session_reading import Reading, Session, read_all, same

from sparrow_tui.agents.base import Place, SourceError
from sparrow_tui.agents.kiro import AGENT
from sparrow_tui.model import Image, Notice, Raw, Reasoning, Text, Usage

SID = "6a1c7d1e-1111-4222-8333-444455556666"
T = 1_770_000_000_000


def part(kind: str, data: Any) -> dict[str, Any]:
    return {"kind": kind, "data": data}


def line(kind: str, number: int, *content: Any, **more: Any) -> dict[str, Any]:
    data = {"message_id": f"m{number}", "content": list(content), **more}
    return {"version": "v1", "kind": kind, "data": data}


SHELL = {"exit_status": "exit status: 2", "stdout": "", "stderr": "no ducks"}
LINES = [
    line("Prompt", 1, part("text", "Count the ducks"), part("image", {"format": "png", "source": {"kind": "bytes", "data": [0, 0, 0]}}), meta={"timestamp": T // 1000}),
    line("AssistantMessage", 2, part("thinking", {"text": "Look first.", "signature": "s", "modelId": "claude-opus-4.8"}), part("text", "I look."),
         part("toolUse", {"toolUseId": "t1", "name": "read", "input": {"path": "duck"}}), part("toolUse", {"toolUseId": "t2", "name": "shell", "input": {"command": "ls"}})),
    line("ToolResults", 3, part("toolResult", {"toolUseId": "t1", "status": "success", "content": [part("text", "quack")]}),
         part("toolResult", {"toolUseId": "t2", "status": "success", "content": [part("json", SHELL)]}), results={"t1": {"tool": {}}}),
    line("AssistantMessage", 4, part("text", "One."), part("scent", 1)),
    line("Compaction", 5, summary="Ducks were counted."),
    line("Hologram", 6),
    line("Prompt", 7, part("text", " "), meta={"timestamp": T // 1000 + 60}),
]  # fmt: skip
FACTS = {
    "session_id": SID, "cwd": "/w/pond", "created_at": "2026-02-02T02:40:00Z", "updated_at": "2026-02-02T02:42:00Z",
    "title": "Duck census", "parent_session_id": None,
    "session_state": {"rts_model_state": {"model_info": {"model_id": "claude-opus-4.8"}}, "conversation_metadata": {"user_turn_metadatas": [
        {"input_token_count": 30, "output_token_count": 4, "metering_usage": [{"value": 0.25, "unit": "credit"}]},
        {"input_token_count": None, "metering_usage": [{"value": 0.5, "unit": "credit"}]}]}},
}  # fmt: skip


def event(kind: str, second: int, **payload: Any) -> dict[str, Any]:
    return {
        "id": f"e{second}",
        "timestamp": f"2026-02-02T02:40:{second:02}.000Z",
        "payload": {"type": kind, **payload},
    }


EVENTS = [
    event("session_start", 0, content="You are Kiro CLI"),
    event("user", 1, content="Count the ducks", images=[{"data": "AAAA", "mimeType": "image/png"}], documents=[{"id": "f", "displayName": "Rules", "content": "Be kind."}]),
    event("turn_start", 2, executionId="x"),
    event("assistant", 3, operationType="Reasoning", content="..."),
    event("assistant", 4, operationType="Reasoning", content="Look first."),
    event("tool_call", 5, toolCallId="t1", toolName="read", args={"path": "duck"}),
    event("tool_result", 6, toolCallId="t1", success=False, content="no such file"),
    event("sub_agent_start", 7, subSessionId="sess_c", subAgentName="reviewer", prompt="review"),
    event("sub_agent_complete", 8, subSessionId="sess_c", response="fine"),
    event("assistant", 9, operationType="Say", content="None."),
    event("usage_summary", 10, promptTurnSummaries=[{"unit": "credit", "usage": 1.5}]),
    event("assistant", 11, operationType="Summary", content="No ducks."),
    event("steering_inclusion", 12, documents=["file:///w/rules.md"]),
    event("hologram", 13, beam=1),
]  # fmt: skip
SESSION = {
    "id": "sess_a",
    "title": "Duck census",
    "workspacePaths": ["/w/pond"],
    "modelId": "auto",
    "agentMode": "vibe",
}


def asked(content: Any, **more: Any) -> dict[str, Any]:
    return {"additional_context": "", "content": content, "timestamp": None, "images": None, **more}


ENV = {"env_context": {"env_state": {"operating_system": "linux", "current_working_directory": "/w/pond"}}}  # fmt: skip
CONVERSATION = {
    "conversation_id": "c-1", "next_message": None, "transcript": ["> Count"], "model_info": {"model_id": "claude-sonnet-4.5"},
    "history": [
        {"user": asked({"Prompt": {"prompt": "Count the ducks"}}, timestamp="2026-02-02T03:40:00+01:00", **ENV),
         "assistant": {"ToolUse": {"message_id": "m1", "content": "I look.", "tool_uses": [{"id": "t1", "name": "fs_read", "orig_name": "fs_read", "args": {"path": "duck"}}]}},
         "request_metadata": {"request_id": "r", "message_id": "m1", "request_start_timestamp_ms": T + 1, "stream_end_timestamp_ms": T + 5000, "model_id": "claude-opus-4.6"}},
        {"user": asked({"ToolUseResults": {"tool_use_results": [{"tool_use_id": "t1", "content": [{"Text": "quack"}, {"Json": SHELL}], "status": "Success"}]}}),
         "assistant": {"Response": {"message_id": "m2", "content": "One."}}, "request_metadata": None},
        {"user": asked({"CancelledToolUses": {"prompt": "stop", "tool_use_results": [{"tool_use_id": "t9", "content": [{"Text": "cancelled"}], "status": "Error"}]}}),
         "assistant": {"Response": {"message_id": "m3", "content": ""}}},
        [asked({"Song": {"tune": 1}}), {"Response": {"content": "la"}}],
    ],
    "user_turn_metadata": {"usage_info": [{"value": 0.05, "unit": "credit"}]},
}  # fmt: skip


def write(path: Path, records: list[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


@pytest.fixture
def messages(tmp_path: Path) -> Path:
    path = write(tmp_path / ".kiro" / "sessions" / "cli" / f"{SID}.jsonl", LINES)
    path.with_suffix(".json").write_text(json.dumps(FACTS))
    return path


@pytest.fixture
def events(tmp_path: Path) -> Path:
    folder = tmp_path / ".kiro" / "sessions" / "b550143462be8201" / "sess_a"
    path = write(folder / "messages.jsonl", EVENTS)
    path.with_name("session.json").write_text(json.dumps(SESSION))
    return path


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / ".local" / "share" / "kiro-cli" / "data.sqlite3"
    path.parent.mkdir(parents=True)
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE conversations_v2 (key TEXT NOT NULL, conversation_id TEXT NOT NULL, value TEXT NOT NULL,"
            " created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, PRIMARY KEY (key, conversation_id))"
        )
        connection.execute("CREATE TABLE conversations (key TEXT PRIMARY KEY, value TEXT)")
        connection.execute("CREATE TABLE state (key TEXT PRIMARY KEY, value BLOB)")
    save(path, CONVERSATION, T + 9000)
    with sqlite3.connect(path) as connection:
        connection.executemany(
            "INSERT INTO conversations VALUES (?, ?)",
            [
                ("/w/pond", json.dumps(CONVERSATION)),
                ("/w/lake", json.dumps({**CONVERSATION, "conversation_id": "c-0"})),
                ("/w/mud", "{broken"),
            ],
        )
    return path


def save(path: Path, conversation: Any, updated: int) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(
            "INSERT OR REPLACE INTO conversations_v2 VALUES (?, ?, ?, ?, ?)",
            ("/w/pond", "c-1", json.dumps(conversation), T, updated),
        )
    connection.close()


def only(path: Path) -> Session:
    (session,) = read_all(AGENT, AGENT.source_at(path)).values()
    return session


def test_messages(messages: Path) -> None:
    session = only(messages)
    info = session.info
    assert (info.id, info.title, info.project) == (f"kiro:{SID}", "Duck census", "/w/pond")
    assert (info.created_at, info.updated_at) == (T, T + 120_000)
    assert (info.model, info.usage) == ("claude-opus-4.8", Usage(input=30, output=4))
    assert info.extra["credits"] == 0.75
    assert session.roles == ["user", "assistant", "tool", "assistant", "summary", "system"]
    assert session.turns[0].blocks == [Text("Count the ducks"), Image("image/png", "AAAA", size=3)]
    assert session.turns[1].blocks[:2] == [Reasoning("Look first."), Text("I look.")]
    assert [turn.model for turn in session.turns[1:4:2]] == ["claude-opus-4.8"] * 2
    assert [(use.id, use.name) for use in session.uses()] == [("t1", "read"), ("t2", "shell")]
    first, second = session.results()
    assert (first.tool_use_id, first.content, first.is_error) == ("t1", [Text("quack")], False)
    assert (second.content, second.exit_code, second.is_error) == ([Text("no ducks")], 2, True)
    assert session.turns[3].blocks[1] == Raw("scent", part("scent", 1))
    assert session.turns[4].blocks == [Notice("compaction"), Text("Ducks were counted.")]
    assert session.coverage.unknown == {"block scent": 1, "record Hologram": 1}
    assert (session.coverage.records, session.coverage.kept, session.coverage.skipped) == (7, 6, 1)
    resume = AGENT.resume(info)
    assert resume is not None
    assert resume.argv == ("kiro-cli", "chat", "--resume-id", SID)
    messages.with_suffix(".json").write_text(json.dumps({**FACTS, "parent_session_id": "p"}))
    child = only(messages).info
    assert (child.parent, AGENT.resume(child)) == ("kiro:p", None)


def test_events(events: Path) -> None:
    session = only(events)
    info = session.info
    assert (info.id, info.title, info.project) == ("kiro:sess_a", "Duck census", "/w/pond")
    assert (info.created_at, info.updated_at) == (T, T + 13_000)
    assert info.extra == {"engine": "v3", "credits": 1.5, "agentMode": "vibe"}
    assert session.roles == [
        *("system", "user", "assistant", "assistant", "tool", "assistant", "tool"),
        *("assistant", "summary", "system", "system"),
    ]
    assert [turn.meta for turn in session.turns if turn.role == "system"] == [True] * 3
    image = Image("image/png", "AAAA", size=3)
    assert session.turns[1].blocks == [Text("Count the ducks"), image, Text("[Rules]\nBe kind.")]
    assert session.uses()[0].input == {"path": "duck"}
    assert [(r.tool_use_id, r.is_error, r.child) for r in session.results()] == [
        ("t1", True, ""),
        ("sess_c", None, "kiro:sess_c"),
    ]
    assert session.coverage.unknown == {"event hologram": 1}
    resume = AGENT.resume(info)
    assert resume is not None
    assert resume.argv == ("kiro-cli", "--v3", "--resume-id", "sess_a")
    assert resume.directory == "/w/pond"


def test_the_first_event_as_prompt(events: Path) -> None:
    opening = event("session_start", 0, content="Count the ducks")
    write(events, [opening, EVENTS[1], *EVENTS[1:3]])
    events.with_name("session.json").unlink()
    session = only(events)
    assert (session.roles, session.info.title) == (["user", "user"], "Count the ducks")
    assert AGENT.resume(session.info) is None  # no workspace to find it in


def test_database(database: Path) -> None:
    reading = Reading().take(AGENT, AGENT.source_at(database))
    assert set(reading.sessions) == {"c-1", "c-0"}
    session = reading.sessions["c-1"]
    info = session.info
    assert (info.id, info.title, info.project) == ("kiro:c-1", "Count the ducks", "/w/pond")
    assert (info.created_at, info.updated_at) == (T, T + 9000)
    assert (info.model, info.extra["credits"]) == ("claude-opus-4.6", 0.05)
    assert session.roles == [
        *("user", "assistant", "tool", "assistant", "tool", "user", "user", "assistant")
    ]
    assert [turn.time for turn in session.turns[:2]] == [T, T + 5000]
    assert session.turns[1].duration_ms == 4999
    assert session.uses()[0].input == {"path": "duck"}
    assert session.results()[0].content == [Text("quack"), Text("no ducks")]
    assert [r.is_error for r in session.results()] == [True, True]
    assert session.turns[5].blocks[0] == Notice("interruption", "Tools were cancelled.")
    assert session.coverage.unknown == {"user Song": 1}
    assert reading.sessions["c-0"].info.project == "/w/lake"

    assert reading.take(AGENT, AGENT.source_at(database)).emitted == 0
    longer = copy.deepcopy(CONVERSATION)
    longer["history"].append(longer["history"][0])  # type: ignore[attr-defined]
    save(database, longer, T + 10_000)
    assert reading.take(AGENT, AGENT.source_at(database)).emitted == 10
    same(reading.sessions, read_all(AGENT, AGENT.source_at(database)))


def test_the_forerunner(tmp_path: Path) -> None:
    """Amazon Q Developer CLI as of 1.12: pairs, one conversation a directory, no times."""
    path = tmp_path / ".local" / "share" / "amazon-q" / "data.sqlite3"
    path.parent.mkdir(parents=True)
    asked = {
        "additional_context": "",
        "env_context": {
            "env_state": {"operating_system": "linux", "current_working_directory": "/w/pond"}
        },
    }
    history = [
        [{**asked, "content": {"Prompt": {"prompt": "Count the ducks"}}, "images": None},
         {"ToolUse": {"message_id": "m1", "content": "I look.", "tool_uses": [
             {"id": "t1", "name": "execute_bash", "orig_name": "execute_bash", "args": {"command": "ls"}, "orig_args": {"command": "ls"}}]}}],
        [{**asked, "content": {"ToolUseResults": {"tool_use_results": [
             {"tool_use_id": "t1", "content": [{"Json": {"exit_status": "1", "stdout": "", "stderr": "no ducks"}}], "status": "Success"}]}}},
         {"Response": {"message_id": "m2", "content": "None."}}],
    ]  # fmt: skip
    value = {"conversation_id": "q-1", "next_message": None, "history": history, "valid_history_range": [0, 2], "transcript": ["> Count the ducks"], "tools": {}, "latest_summary": None}  # fmt: skip
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE conversations(key TEXT PRIMARY KEY, value TEXT)")
        db.execute("INSERT INTO conversations VALUES('/w/pond', ?)", (json.dumps(value),))
    (source,) = AGENT.sources(Place(tmp_path, {}, "linux"))
    session = read_all(AGENT, source)["q-1"]
    assert (session.info.title, session.info.project) == ("Count the ducks", "/w/pond")
    assert session.roles == ["user", "assistant", "tool", "assistant"]
    assert [(r.content, r.exit_code, r.is_error) for r in session.results()] == [
        ([Text("no ducks")], 1, True)
    ]
    assert (session.coverage.bad, session.coverage.unknown) == (0, {})
    resume = AGENT.resume(session.info)
    assert resume is not None
    assert (resume.argv, resume.directory) == (("q", "chat", "--resume"), "/w/pond")


def test_credits_beyond_all_measure_count_nothing(tmp_path: Path) -> None:
    path = tmp_path / "saved.json"
    text = json.dumps(CONVERSATION)
    assert '"value": ' in text
    path.write_text(re.sub(r'"value": [\d.]+', f'"value": 1{"0" * 400}', text))
    (session,) = read_all(AGENT, AGENT.source_at(path)).values()
    assert "credits" not in session.info.extra


def test_a_database_without_conversations_yet(tmp_path: Path) -> None:
    path = tmp_path / ".local" / "share" / "kiro-cli" / "data.sqlite3"
    path.parent.mkdir(parents=True)
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE auth_kv (key TEXT PRIMARY KEY, value TEXT)")
    (source,) = AGENT.sources(Place(tmp_path))
    assert read_all(AGENT, source) == {}


def test_a_compacted_conversation_keeps_what_was_read(database: Path) -> None:
    source = AGENT.source_at(database)
    assert source is not None
    first = list(AGENT.read(source, None))
    cut = {
        **CONVERSATION,
        "history": CONVERSATION["history"][3:],  # type: ignore[index]
        "latest_summary": ["Ducks.", {"request_id": "r"}],
    }
    save(database, cut, T + 20_000)
    (batch,) = AGENT.read(source, first[-1].checkpoint)
    assert batch.sliding
    assert not batch.fresh
    assert [turn.role for turn in batch.turns] == ["summary", "user", "assistant"]


def test_saved_conversation(tmp_path: Path, database: Path) -> None:
    path = tmp_path / "saved.json"
    path.write_text(json.dumps(CONVERSATION, indent=1))
    assert AGENT.sniff(path, path.read_bytes())
    assert only(path).turns == read_all(AGENT, AGENT.source_at(database))["c-1"].turns
    assert only(path).info.project == "/w/pond"
    assert torture_document(AGENT, path, CONVERSATION) > 300
    path.write_text('{"conversation_id": 1}')
    with pytest.raises(SourceError, match="not a conversation"):
        only(path)


@pytest.mark.parametrize("layout", ["messages", "events"])
def test_hostile_lines(layout: str, request: pytest.FixtureRequest) -> None:
    path: Path = request.getfixturevalue(layout)
    whole = path.read_bytes()
    grow(AGENT, path)
    rewrite(AGENT, path)
    assert torture_lines(AGENT, path) > 300
    path.write_bytes(whole)
    side = path.with_suffix(".json") if layout == "messages" else path.with_name("session.json")
    for odd in mutations(FACTS if layout == "messages" else SESSION):
        side.write_text(json.dumps(odd))
        adds_up({"": only(path)})


def test_where_it_looks(messages: Path, events: Path, database: Path, tmp_path: Path) -> None:
    (tmp_path / ".kiro" / "sessions" / "cli" / f"{SID}.history").write_text("/model")
    (tmp_path / ".kiro" / "sessions" / "cli" / "new.json").write_text(json.dumps(FACTS))
    found = list(AGENT.sources(Place(tmp_path, {}, "linux")))
    assert {source.path for source in found} == {str(messages), str(events), str(database)}
    for source in found:
        assert AGENT.sniff(Path(source.path), Path(source.path).read_bytes())
        assert AGENT.source_at(Path(source.path)) == source
    assert AGENT.source_at(messages.with_suffix(".json")) == AGENT.source_at(messages)
    assert AGENT.source_at(events.with_name("session.json")) == AGENT.source_at(events)
    for name in ("new.json", f"{SID}.history", f"{SID}.lock"):
        assert AGENT.source_at(messages.with_name(name)) is None
    moved = Place(tmp_path, {"KIRO_HOME": str(tmp_path / "k")}, "darwin")
    assert AGENT.roots(moved) == [
        tmp_path / "k" / "sessions",
        tmp_path / "Library/Application Support/kiro-cli/data.sqlite3",
        tmp_path / "Library/Application Support/amazon-q/data.sqlite3",
        tmp_path / "Library/Application Support/Kiro/User/globalStorage/kiro.kiroagent",
        tmp_path / ".kiro-server/data/User/globalStorage/kiro.kiroagent",
    ]
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE conversations (id, title)")
    assert not AGENT.sniff(other, other.read_bytes())
    assert AGENT.source_at(other) is not None
    with pytest.raises(SourceError, match="no conversations"):
        read_all(AGENT, AGENT.source_at(other))
    for head in (b'{"timestamp":"x","type":"event_msg","payload":{"type":"user"}}\n', b"[]", b"x"):
        assert not AGENT.sniff(Path("x.jsonl"), head)


def test_others_fixtures() -> None:
    for file in found_real("**/kiro/*.jsonl"):
        session = only(file)
        records = [json.loads(text) for text in file.read_text().splitlines()]
        assert AGENT.sniff(file, file.read_bytes())
        assert (session.coverage.kept, session.coverage.unknown) == (len(records), {})
        flat = json.dumps(records)
        assert len(session.uses()) == flat.count('"kind": "toolUse"')
        assert len(session.results()) == flat.count('"kind": "toolResult"')
        assert session.info.parent
