"""Qwen Code's tree of records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hostile import torture_lines
from session_reading import Reading, read_all, same

from sparrow_tui.agents.base import Place, SourceError
from sparrow_tui.agents.qwen import AGENT
from sparrow_tui.model import Image, Notice, Raw, Reasoning, Text, Usage

SID = "7c0b9a10-5d5e-4f0e-8a77-0f1e2d3c4b5a"


def record(
    uuid: str, parent: str | None, kind: str, second: int, *parts: Any, **more: Any
) -> dict[str, Any]:
    value = {
        "uuid": uuid, "parentUuid": parent, "sessionId": SID, "timestamp": f"2026-03-01T10:00:{second:02}.000Z",
        "type": kind, "cwd": "/w/pond", "version": "0.21.0", "gitBranch": "reeds", **more,
    }  # fmt: skip
    if parts:
        value["message"] = {
            "role": "model" if kind == "assistant" else "user",
            "parts": list(parts),
        }
    return value


def system(uuid: str, parent: str, subtype: str, second: int, **payload: Any) -> dict[str, Any]:
    return record(uuid, parent, "system", second, subtype=subtype, systemPayload=payload)


USAGE = {
    "promptTokenCount": 100,
    "candidatesTokenCount": 10,
    "cachedContentTokenCount": 60,
    "thoughtsTokenCount": 5,
}
CALL = {"functionCall": {"id": "c1", "name": "read_file", "args": {"path": "duck"}}}
ANSWER = {"functionResponse": {"id": "c1", "name": "read_file", "response": {"output": "quack"}}}
LOG = [
    record("u1", None, "user", 0, {"text": "Count the ducks"}, {"text": "<qwen:hook>extra</qwen:hook>"}, {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}, systemPayload={"displayText": "Count the ducks"}),
    record("a1", "u1", "assistant", 1, {"text": "Look first.", "thought": True}, model="qwen3-coder", usageMetadata=USAGE),
    record("a1", "u1", "assistant", 2, CALL, model="qwen3-coder"),
    system("s1", "a1", "ui_telemetry", 2, uiEvent={"event.name": "api"}),
    record("t1", "s1", "tool_result", 3, ANSWER, toolCallResult={"callId": "c1", "status": "error"}),
    record("a2", "t1", "assistant", 4, {"text": "One duck."}, model="qwen3-coder", usageMetadata=USAGE),
    system("x1", "a2", "custom_title", 5, customTitle="Ducks of the pond", titleSource="manual"),
    system("x2", "x1", "custom_title", 5, customTitle="Made up", titleSource="auto"),
    record("u2", "x2", "user", 6, {"text": "Background job done"}, subtype="notification"),
    record("a3", "u2", "assistant", 7, {"text": "A dead end."}, model="qwen3-max"),
    system("r1", "x2", "rewind", 8, targetUuid="x2"),
    record("u3", "r1", "user", 9, {"text": "And geese?"}, subtype="mid_turn_user_message"),
    record("a4", "u3", "assistant", 10, {"text": "None."}, model="qwen3-coder"),
    system("c9", "a4", "slash_command", 11, phase="invocation", rawCommand="/compress"),
    system("c8", "c9", "chat_compression", 12, info={"originalTokenCount": 900, "newTokenCount": 90}),
]  # fmt: skip


def chat(home: Path) -> Path:
    return home / ".qwen" / "projects" / "-w-pond" / "chats" / f"{SID}.jsonl"


def write(path: Path, *records: Any, tail: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(r) + "\n" for r in records) + tail)
    return path


def test_a_session(tmp_path: Path) -> None:
    path = write(chat(tmp_path), *LOG)
    (session,) = read_all(AGENT, AGENT.source_at(path)).values()
    info = session.info
    assert info.id == f"qwen:{SID}"
    assert (info.title, info.project, info.branch, info.model) == (
        "Ducks of the pond",
        "/w/pond",
        "reeds",
        "qwen3-coder",
    )
    assert (info.created_at, info.updated_at) == (1772359200000, 1772359212000)
    assert session.roles == [
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
        "assistant",
        "system",
        "user",
        "assistant",
        "system",
        "system",
    ]
    assert session.turns[0].blocks == [Text("Count the ducks"), Image("image/png", "AAAA", size=3)]
    assert session.turns[1].blocks[0] == Reasoning("Look first.")
    assert session.uses()[0].input == {"path": "duck"}
    assert (session.results()[0].tool_use_id, session.results()[0].is_error) == ("c1", True)
    assert session.results()[0].content == [Text("quack")]
    assert [t.branch for t in session.turns] == [False] * 4 + [True] * 2 + [False] * 5
    assert [t.meta for t in session.turns if t.role == "user"] == [False, True, False]
    assert session.turns[-2].blocks == [Notice("command", "/compress")]
    assert session.turns[-1].blocks == [Notice("compaction", "900 → 90 tokens")]
    assert session.usage == Usage(input=80, output=30, cache_read=120, reasoning=10)
    coverage = session.coverage
    assert (coverage.records, coverage.kept, coverage.skipped, coverage.bad) == (15, 12, 3, 0)
    resume = AGENT.resume(info)
    assert resume is not None
    assert (resume.argv, resume.directory) == (("qwen", "--resume", SID), "/w/pond")


def test_reading_on_line_by_line(tmp_path: Path) -> None:
    path, reading, emitted = chat(tmp_path), Reading(), []
    for number in range(1, len(LOG) + 1):
        write(path, *LOG[:number], tail='{"uuid": "half')
        emitted.append(reading.take(AGENT, AGENT.source_at(path)).emitted)
        same(reading.sessions, read_all(AGENT, AGENT.source_at(path)))
    assert max(emitted[:10] + emitted[11:]) <= 2  # all but the fork, which marks what went before
    assert reading.take(AGENT, AGENT.source_at(path)).emitted == 0
    write(path, {**LOG[0], "cwd": "/elsewhere"})
    assert reading.take(AGENT, AGENT.source_at(path)).emitted == 1
    assert reading.sessions[SID].info.project == "/elsewhere"


def test_hostile_and_unknown_records(tmp_path: Path) -> None:
    path = write(chat(tmp_path), LOG[0])
    glued = json.dumps(record("g1", "u1", "user", 1, {"text": 'a {"b": 1}'})) + json.dumps(
        record("g2", "g1", "assistant", 2, {"text": "c"})
    )
    with path.open("ab") as file:
        file.write(b'{"broken\n[]\n\xff\n' + glued.encode() + b"\n")
        file.write(json.dumps(system("z1", "g2", "hologram", 3, beam=1)).encode() + b"\n")
        file.write(json.dumps(record("z2", "z1", "wizard", 4)).encode() + b"\n")
        file.write(
            json.dumps(record("z3", "z2", "user", 5, {"text": "\x1b]0;x\x07 \ud83d"})).encode()
            + b"\n"
        )
    (session,) = read_all(AGENT, AGENT.source_at(path)).values()
    assert session.texts()[1:3] == ['a {"b": 1}', "c"]
    assert session.coverage.unknown == {"system hologram": 1, "wizard": 1}
    assert (session.coverage.records, session.coverage.bad) == (9, 3)
    assert isinstance(session.turns[3].blocks[0], Raw)


def test_places(tmp_path: Path) -> None:
    write(chat(tmp_path), *LOG)
    child = chat(tmp_path).parent.parent / "subagents" / SID / "agent-1.jsonl"
    write(child, LOG[0])
    old = tmp_path / ".qwen/tmp/abc/chats/session-1.json"
    write(
        old,
        {
            "sessionId": "old",
            "startTime": "2026-01-01T00:00:00Z",
            "messages": [{"id": "1", "type": "user", "content": "hi"}],
        },
    )
    write(tmp_path / ".qwen/projects/-w-pond/memory/x.jsonl", LOG[0])
    found = {}
    for source in AGENT.sources(Place(tmp_path, {}, "linux")):
        found.update(read_all(AGENT, source))
        assert AGENT.sniff(Path(source.path), Path(source.path).read_bytes())
    assert set(found) == {SID, "agent-1", "old"}
    assert found["agent-1"].info.parent == f"qwen:{SID}"
    assert AGENT.resume(found["agent-1"].info) is None
    assert found["old"].texts() == ["hi"]
    elsewhere = AGENT.roots(Place(tmp_path, {"QWEN_HOME": str(tmp_path / "q")}, "linux"))
    assert elsewhere[0] == tmp_path / "q" / "projects"
    assert AGENT.source_at(tmp_path / ".qwen" / "settings.json") is None
    begun = b'{"uuid":"1","sessionId":"s","type":"system","systemPayload":{"uiEvent":{}}}'
    assert AGENT.sniff(Path("x.jsonl"), begun)
    assert not AGENT.sniff(
        Path("x.jsonl"), b'{"uuid":"a","sessionId":"b","message":{"content":[]}}\n'
    )
    old.write_text("[1]")
    with pytest.raises(SourceError):
        read_all(AGENT, AGENT.source_at(old))


OLD = {
    "sessionId": SID,
    "projectHash": "abc",
    "startTime": "2025-11-04T20:55:46.000Z",
    "lastUpdated": "2025-11-04T21:12:43.000Z",
    "messages": [
        {"id": "m1", "type": "user", "content": "<system-reminder>Be kind.</system-reminder>Hi"},
        {
            "id": "m2", "type": "qwen", "content": "Hello.", "thoughts": [], "model": "coder-model",
            "tokens": {"input": 100, "output": 9, "cached": 60, "thoughts": 4, "tool": 0, "total": 109},
        },
    ],
}  # fmt: skip


def test_recordings_of_the_earlier_fork(tmp_path: Path) -> None:
    folder = tmp_path / ".qwen/tmp/abc"
    write(folder / f"chats/session-2025-11-04T20-55-{SID[:8]}.json", OLD)
    (folder / ".project_root").write_text("/w/pond")
    sub = {
        **OLD, "startTime": "2025-11-04T21:02:00.000Z",
        "messages": [{"id": "s1", "type": "user", "content": "Count"}],
    }  # fmt: skip
    write(folder / f"chats/session-2025-11-04T21-02-{SID[:8]}.json", sub)
    found = {}
    for source in AGENT.sources(Place(tmp_path, {}, "linux")):
        found.update(read_all(AGENT, source))
    session, below = found[SID], found[f"{SID}.2025-11-04T21-02"]
    assert (session.info.project, session.info.model) == ("/w/pond", "coder-model")
    assert [(t.role, t.meta) for t in session.turns] == [
        ("user", True), ("user", False), ("assistant", False),
    ]  # fmt: skip
    assert session.texts()[1:] == ["Hi", "Hello."]
    assert session.usage == Usage(input=40, output=9, cache_read=60, reasoning=4)
    assert session.coverage.unknown == {}
    assert (below.info.parent, below.texts()) == (f"qwen:{SID}", ["Count"])


def test_what_is_left_of_sessions_without_a_recording(tmp_path: Path) -> None:
    folder = tmp_path / ".qwen/tmp/abc"
    entries = [
        {"sessionId": session, "messageId": 0, "type": "user", "message": session, "timestamp": ""}
        for session in (SID, "deadbeef-1")
    ]
    write(folder / "logs.json", entries)
    write(folder / "checkpoint-birds.json", [{"role": "user", "parts": [{"text": "Count"}]}])
    write(chat(tmp_path), *LOG)
    found = {}
    for source in AGENT.sources(Place(tmp_path, {}, "linux")):
        assert AGENT.sniff(Path(source.path), Path(source.path).read_bytes())
        found.update(read_all(AGENT, source))
    assert set(found) == {SID, "deadbeef-1", "checkpoint-abc-birds"}
    assert not found[SID].info.ghost
    assert found["deadbeef-1"].info.ghost
    assert AGENT.resume(found["deadbeef-1"].info) is None
    assert found["checkpoint-abc-birds"].texts() == ["Count"]


def test_output_includes_the_thoughts_where_the_total_says_so(tmp_path: Path) -> None:
    told = {**USAGE, "totalTokenCount": 110}
    path = write(
        chat(tmp_path), record("u1", None, "user", 0, {"text": "Hi"}),
        record("a1", "u1", "assistant", 1, {"text": "Ho"}, usageMetadata=told),
    )  # fmt: skip
    (session,) = read_all(AGENT, AGENT.source_at(path)).values()
    assert session.usage == Usage(input=40, output=10, cache_read=60, reasoning=5)


def test_every_wrong_shape(tmp_path: Path) -> None:
    assert torture_lines(AGENT, write(chat(tmp_path), *LOG)) > 500
