"""Factory Droid: stored sessions with their settings beside them, and streams."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hostile import grow, rewrite, torture_lines
from real import found_real
from session_reading import Session, read_all

from sparrow_tui.agents.base import Place
from sparrow_tui.agents.droid import AGENT
from sparrow_tui.model import Notice, Raw, Text, Usage


def message(id: str, role: str, *content: Any, at: int = 0) -> dict[str, Any]:
    return {
        "type": "message", "id": id, "timestamp": f"2026-01-05T10:00:{at:02}.000Z",
        "message": {"role": role, "content": list(content)},
    }  # fmt: skip


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


STORED: list[dict[str, Any]] = [
    {"type": "session_start", "id": "d-1", "title": "New Session", "sessionTitle": "Feed the ducks", "owner": "ada",
     "cwd": "/home/ada/pond", "version": "0.81.0"},
    message("m1", "user", text("<system-reminder>\nBe kind.\n</system-reminder>\n\nFeed them"), at=1),
    message("m2", "assistant", {"type": "thinking", "thinking": "Bread?"}, text("Oats."),
            {"type": "tool_use", "id": "t1", "name": "Execute", "input": {"command": "feed"}}, at=2),
    message("m3", "user", {"type": "tool_result", "tool_use_id": "t1", "content": "Error: no oats", "is_error": True}, at=3),
    {"type": "todo_state", "id": "m4", "timestamp": "2026-01-05T10:00:04.000Z", "todos": []},
    {"type": "compaction_state", "id": "m5", "timestamp": "2026-01-05T10:00:05.000Z", "summaryText": "No oats."},
    message("m6", "assistant", text("There are no oats."), at=6),
]  # fmt: skip
SETTINGS = {
    "model": "claude-opus-4-5",
    "tokenUsage": {"inputTokens": 100, "outputTokens": 20, "cacheCreationTokens": 30, "cacheReadTokens": 400, "thinkingTokens": 5},
}  # fmt: skip
STREAM: list[dict[str, Any]] = [
    {"type": "system", "subtype": "init", "session_id": "s-1", "timestamp": 1767600000000, "cwd": "/w", "model": "m"},
    {"type": "message", "session_id": "s-1", "timestamp": 1767600001000, "role": "user", "text": "List", "id": "1"},
    {"type": "tool_call", "session_id": "s-1", "timestamp": 1767600002000, "toolCallId": "c1", "toolName": "LS", "parameters": {"p": 1}},
    {"type": "tool_result", "session_id": "s-1", "timestamp": 1767600003000, "toolCallId": "c1", "value": {"stdout": "a", "exitCode": 2}},
    {"type": "message", "session_id": "s-1", "timestamp": 1767600004000, "role": "assistant", "text": "Listed", "id": "2"},
    {"type": "completion", "session_id": "s-1", "timestamp": 1767600005000, "finalText": "Listed",
     "usage": {"input_tokens": 9, "output_tokens": 3}},
    {"type": "error", "source": "cli", "message": "no key", "timestamp": 1767600006000},
]  # fmt: skip


def write(path: Path, records: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = write(tmp_path / ".factory" / "sessions" / "-home-ada-pond" / "d-1.jsonl", STORED)
    path.with_name("d-1.settings.json").write_text(json.dumps(SETTINGS))
    return path


def only(path: Path) -> Session:
    (session,) = read_all(AGENT, AGENT.source_at(path)).values()
    return session


def test_stored_session(path: Path) -> None:
    session = only(path)
    info = session.info
    assert (info.id, info.title, info.project) == ("droid:d-1", "Feed the ducks", "/home/ada/pond")
    assert (info.model, info.created_at, info.updated_at) == (
        "claude-opus-4-5",
        1767607201000,
        1767607206000,
    )
    assert info.usage == Usage(100, 20, 400, 30, 5)
    assert session.usage == Usage()
    assert info.cost_micro is None
    assert session.roles == ["user", "user", "assistant", "tool", "summary", "assistant"]
    assert session.turns[0].meta
    assert session.turns[1].blocks == [Text("Feed them")]
    assert session.turns[4].blocks == [Notice("compaction"), Text("No oats.")]
    (use,), (result,) = session.uses(), session.results()
    assert (use.id, use.name, use.input) == ("t1", "Execute", {"command": "feed"})
    assert (result.tool_use_id, result.is_error) == ("t1", True)
    coverage = session.coverage
    assert (coverage.records, coverage.kept, coverage.skipped, coverage.bad) == (7, 6, 1, 0)


def test_stream(tmp_path: Path) -> None:
    path = write(tmp_path / "out.jsonl", STREAM)
    session = only(path)
    assert (session.info.id, session.info.project, session.info.model) == ("droid:s-1", "/w", "m")
    assert session.roles == ["user", "assistant", "tool", "assistant", "assistant", "system"]
    assert session.texts().count("Listed") == 1  # the completion repeats it
    assert (session.results()[0].exit_code, session.results()[0].is_error) == (2, True)
    assert session.usage == Usage(input=9, output=3)
    assert session.turns[-1].api_error
    assert AGENT.sniff(path, path.read_bytes())
    grow(AGENT, path)
    assert torture_lines(AGENT, path) > 300


def test_unknown_records_are_kept(path: Path) -> None:
    write(
        path,
        [*STORED, {"type": "hologram", "beam": 1}, message("m7", "assistant", {"type": "scent"})],
    )
    session = only(path)
    assert session.turns[-2].blocks == [Raw("record hologram", {"type": "hologram", "beam": 1})]
    assert session.coverage.unknown == {"record hologram": 1, "block scent": 1}


def test_sub_agent(tmp_path: Path) -> None:
    start = {**STORED[0], "callingSessionId": "d-0", "callingToolUseId": "t9"}
    info = only(write(tmp_path / "sub.jsonl", [start, *STORED[1:]])).info
    assert (info.parent, info.parent_tool_use) == ("droid:d-0", "t9")
    assert AGENT.resume(info) is None


def test_growing_rewritten_and_hostile_files(path: Path) -> None:
    grow(AGENT, path)
    rewrite(AGENT, path)
    assert torture_lines(AGENT, path) > 300


def test_where_it_looks(path: Path, tmp_path: Path) -> None:
    settings = path.with_name("d-1.settings.json")
    assert [source.path for source in AGENT.sources(Place(tmp_path))] == [str(path)]
    before = AGENT.source_at(settings)
    settings.write_text("{}")
    after = AGENT.source_at(settings)
    assert before is not None
    assert after is not None
    assert (before.path, before.stamp != after.stamp) == (str(path), True)
    assert AGENT.sniff(path, path.read_bytes())
    claude = b'{"type":"system","subtype":"init","session_id":"x"}\n{"type":"assistant","message":{},"session_id":"x"}\n'
    assert not AGENT.sniff(path, claude)
    resume = AGENT.resume(only(path).info)
    assert resume is not None
    assert (resume.argv, resume.directory) == (("droid", "--resume", "d-1"), "/home/ada/pond")


def test_others_fixtures() -> None:
    places = ("fixtures/**/agents/droid/*.jsonl", "fixtures/**/factory/*.jsonl")
    for file in found_real(*places):
        records = [json.loads(line) for line in file.read_text().splitlines() if line.strip()]
        session = only(file)
        assert AGENT.sniff(file, file.read_bytes())
        assert (session.coverage.records, session.coverage.bad) == (len(records), 0)
        assert not session.coverage.unknown
        flat = json.dumps(records)
        assert len(session.uses()) == flat.count('"type": "tool_use"') + flat.count(
            '"type": "tool_call"'
        )
        assert len(session.results()) == flat.count('"type": "tool_result"')
