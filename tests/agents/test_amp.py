"""Amp's thread files."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hostile import torture_document
from real import found_real
from session_reading import Reading, Session, read_all, same

from sparrow_tui.agents.amp import AGENT
from sparrow_tui.agents.base import Place, SourceError
from sparrow_tui.model import Notice, Raw, Reasoning, Text, Usage

T = 1_770_000_000_000
THREAD: dict[str, Any] = {
    "v": 3, "id": "T-0a1b", "created": T, "title": "Duck census",
    "env": {"initial": {"trees": [{"displayName": "pond", "uri": "file:///home/ada/my%20pond",
                                   "repository": {"type": "git", "ref": "refs/heads/main", "url": "https://x"}}]}},
    "meta": {"traces": [{"id": "1", "endTime": "2026-02-02T02:45:00.000Z"}]},
    "messages": [
        {"role": "user", "messageId": 0, "content": [{"type": "text", "text": "Count"}], "meta": {"sentAt": T + 1000}},
        {"role": "assistant", "messageId": 1, "state": {"type": "complete"}, "content": [
            {"type": "thinking", "thinking": "Look.", "signature": "s"}, {"type": "text", "text": "I look."},
            {"type": "tool_use", "complete": True, "id": "t1", "name": "Bash", "input": {"cmd": "ls"}},
            {"type": "tool_use", "complete": True, "id": "t2", "name": "Read", "input": {"path": "x"}},
            {"type": "tool_use", "complete": True, "id": "t3", "name": "Read", "input": {"path": "y"}}],
         "usage": {"model": "claude-opus-4-5", "inputTokens": 10, "outputTokens": 20, "cacheCreationInputTokens": 30,
                   "cacheReadInputTokens": 40, "totalInputTokens": 80, "timestamp": "2026-02-02T02:40:05.000Z"}},
        {"role": "user", "messageId": 2, "content": [
            {"type": "tool_result", "toolUseID": "t1", "run": {"status": "done", "result": {"output": "duck", "exitCode": 0}}},
            {"type": "tool_result", "toolUseID": "t2", "run": {"status": "error", "error": {"message": "no such file"}}},
            {"type": "tool_result", "toolUseID": "t3", "run": {"status": "cancelled"}}]},
        {"role": "assistant", "messageId": 3, "content": [{"type": "text", "text": "One."}, {"type": "scent"}],
         "usage": {"model": "gpt-5", "inputTokens": 0, "outputTokens": 2, "cacheCreationInputTokens": 70, "cacheReadInputTokens": 5}},
        {"role": "assistant", "messageId": 4, "content": [], "state": {"type": "error", "error": {"message": "overloaded"}}},
    ],
}  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / ".local" / "share" / "amp" / "threads" / "T-0a1b.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(THREAD))
    return path


def only(path: Path) -> Session:
    (session,) = read_all(AGENT, AGENT.source_at(path)).values()
    return session


def test_thread(path: Path) -> None:
    session = only(path)
    info = session.info
    assert (info.id, info.title, info.project, info.branch) == (
        "amp:T-0a1b",
        "Duck census",
        "/home/ada/my pond",
        "main",
    )
    assert (info.model, info.created_at, info.updated_at) == ("gpt-5", T, 1770000300000)
    assert session.roles == ["user", "assistant", "tool", "assistant", "assistant"]
    assert session.turns[0].time == T + 1000
    assert session.turns[1].blocks[:2] == [Reasoning("Look."), Text("I look.")]
    assert [(u.id, u.name) for u in session.uses()] == [
        ("t1", "Bash"),
        ("t2", "Read"),
        ("t3", "Read"),
    ]
    results = session.results()
    assert [(r.tool_use_id, r.is_error, r.exit_code) for r in results] == [
        ("t1", False, 0),
        ("t2", True, None),
        ("t3", True, None),
    ]
    assert [r.content for r in results] == [
        [Text("duck")],
        [Text("no such file")],
        [Notice("interruption", "Cancelled.")],
    ]
    assert session.turns[1].usage == Usage(10, 20, 40, 30)
    assert session.turns[3].usage == Usage(70, 2, 5, 0)  # GPT: nothing is written to a cache
    assert session.cost == 0
    assert session.turns[4].api_error
    assert session.turns[3].blocks[1] == Raw("scent", {"type": "scent"})
    assert session.coverage.unknown == {"block scent": 1}
    assert session.coverage.records == session.coverage.kept == 5


def test_only_a_changed_thread_is_read_again(path: Path) -> None:
    reading = Reading().take(AGENT, AGENT.source_at(path))
    assert reading.take(AGENT, AGENT.source_at(path)).emitted == 0
    longer = copy.deepcopy(THREAD)
    longer["messages"].append(
        {"role": "user", "messageId": 5, "content": [{"type": "text", "text": "Again"}]}
    )
    path.write_text(json.dumps(longer))
    assert reading.take(AGENT, AGENT.source_at(path)).emitted == 6
    same(reading.sessions, read_all(AGENT, AGENT.source_at(path)))


def test_hostile_threads(path: Path) -> None:
    assert torture_document(AGENT, path, THREAD) > 400
    path.write_text('{"id": "T-1"}')
    with pytest.raises(SourceError, match="not a thread"):
        only(path)


def test_where_it_looks(path: Path, tmp_path: Path) -> None:
    place = Place(tmp_path, {}, "linux")
    path.with_name("index.json").write_text("{}")
    assert [source.path for source in AGENT.sources(place)] == [str(path)]
    assert AGENT.sniff(path, path.read_bytes())
    assert not AGENT.sniff(path, b'{"id": "x"}')
    assert AGENT.source_at(path.with_suffix(".tmp")) is None
    resume = AGENT.resume(only(path).info)
    assert resume is not None
    assert (resume.argv, resume.directory) == (
        ("amp", "threads", "continue", "T-0a1b"),
        "/home/ada/my pond",
    )


def test_others_fixtures() -> None:
    for file in found_real("fixtures/**/amp/T-*.json"):
        thread = json.loads(file.read_text())
        session = only(file)
        assert session.roles == [message["role"] for message in thread["messages"]]
        assert session.texts() == [
            part["text"] for message in thread["messages"] for part in message["content"]
        ]
        assert session.info.project == thread["env"]["initial"]["cwd"]
