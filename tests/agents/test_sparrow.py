"""Sparrow's databases of sessions and its recorded runs."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hostile import adds_up, grow, mutations, rewrite, torture_lines
from session_reading import Reading, read_all

from sparrow_tui.agents.base import Place, SourceError
from sparrow_tui.agents.sparrow import AGENT
from sparrow_tui.model import Image, Notice, Raw, Text, Usage

RUN = "0f0e1a2b-0000-4000-8000-000000000001"
MESSAGES: list[Any] = [
    {"role": "user", "content": [{"type": "text", "text": "Count the ducks"}]},
    {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "exec", "input": {"command": "ls"}}]},
    {"role": "tool", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "duck"}], "is_error": None}]},
    {"role": "assistant", "content": [{"type": "text", "text": "One."}, {"type": "scent"}]},
]  # fmt: skip


def event(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "run": RUN, **more}


EVENTS = [
    event("RunStarted", task="Count the ducks", agent="sparrow"),
    event("RouteSelected", chain=["deepseek-v4-pro", "claude-sonnet-4"], context_window=128000),
    event("ThinkingDelta", text="I "),
    event("ThinkingDelta", text="look."),
    event("ToolUseProposed", id="c1", name="exec", args={"command": "ls"}, risk="Exec"),
    event("ToolUseProposed", id="c1", name="exec", args={"command": "ls"}, risk="Exec"),
    event("ToolUseStarted", id="c1"),
    event("ToolOutput", id="c1", is_error=True, blocks=[{"Text": "no ducks"}, {"Json": {"n": 0}}, {"Image": {"data": [0, 0, 0], "mime": "image/png"}}, {"Diff": {"file": "a", "patch": "+x"}}]),
    event("Compacted", before_chars=900, after_chars=90, handoff_path=None),
    event("TestResult", passed=2, failed=1, detail="quack"),
    event("DiffProposed", file="pond", patch="+duck", plus=1, minus=0),
    event("Error", message="overloaded"),
    event("Hologram", beam=1),
    event("ThinkingDelta", text="None."),
    event("RunFinished", outcome={"status": "interrupted", "diffs": [], "cost_usd": 0.0421, "tokens": {"input": 16, "output": 8}, "duration_ms": 1234}),
]  # fmt: skip


def save(path: Path, native: str, messages: Any, updated: int, name: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, created_at INTEGER NOT NULL,"
            " updated_at INTEGER NOT NULL, name TEXT, status TEXT NOT NULL DEFAULT 'active',"
            " messages_json TEXT NOT NULL)"
        )
        text = messages if isinstance(messages, str) else json.dumps(messages)
        connection.execute(
            "INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?, 'active', ?)",
            (native, updated, updated, name, text),
        )
    connection.close()
    return path


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / ".local" / "state" / "sparrow"


@pytest.fixture
def run(state: Path) -> Path:
    folder = state / "transcripts" / RUN
    folder.mkdir(parents=True)
    inputs = {
        "task": "Count",
        "model_id": "router-selected",
        "timestamp": "2026-01-01T00:00:00+00:00",
    }
    (folder / "inputs.json").write_text(json.dumps(inputs))
    (folder / "meta.json").write_text('{"created_at": "2026-01-01 00:00:00"}')
    path = folder / "events.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in EVENTS))
    return path


def test_sessions(state: Path) -> None:
    path = save(state / "sessions.db", "cli:/w/pond", MESSAGES, 1_770_000_000)
    save(path, "tui:/w/lake", MESSAGES[:1], 1_770_000_100, "Lake")
    reading = Reading().take(AGENT, AGENT.source_at(path))
    assert set(reading.sessions) == {"cli:/w/pond", "tui:/w/lake"}
    session = reading.sessions["cli:/w/pond"]
    info = session.info
    assert (info.id, info.project, info.title) == ("sparrow:cli:/w/pond", "/w/pond", None)
    assert (info.updated_at, info.created_at) == (1_770_000_000_000, None)
    assert session.roles == ["user", "assistant", "tool", "assistant"]
    assert session.uses()[0].input == {"command": "ls"}
    assert session.results()[0].content == [Text("duck")]
    assert session.turns[3].blocks[1] == Raw("scent", {"type": "scent"})
    assert session.coverage.unknown == {"scent": 1}
    assert reading.sessions["tui:/w/lake"].info.title == "Lake"
    assert reading.take(AGENT, AGENT.source_at(path)).emitted == 0

    save(path, "cli:/w/pond", MESSAGES[1:], 1_770_000_200)
    source = AGENT.source_at(path)
    assert source is not None
    (batch,) = AGENT.read(source, reading.checkpoint)
    assert (batch.sliding, len(batch.turns)) == (True, 3)  # the writer keeps what slid out
    assert AGENT.resume(info) is None


def test_broken_and_hostile_sessions(state: Path) -> None:
    path = state / "sessions.db"
    odd = list(mutations(MESSAGES))
    for number, messages in enumerate([*odd, "{broken", "[", "null", "5", ""]):
        save(path, f"s{number}", messages, 1_770_000_000 + number)
    sessions = read_all(AGENT, AGENT.source_at(path))
    assert len(sessions) == len(odd) + 5
    adds_up(sessions)
    assert sessions[f"s{len(odd)}"].turns[0].blocks == [Raw("messages_json", "{broken")]
    other = state / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE sessions (id TEXT)")
    assert not AGENT.sniff(other, other.read_bytes())
    with pytest.raises(SourceError, match="not one of Sparrow's"):
        read_all(AGENT, AGENT.source_at(other))


def test_run(run: Path) -> None:
    (session,) = read_all(AGENT, AGENT.source_at(run)).values()
    info = session.info
    assert (info.id, info.title) == (f"sparrow:run-{RUN}", "Count the ducks")
    assert (info.model, info.status) == ("deepseek-v4-pro", "unclean")
    assert info.created_at == 1_767_225_600_000
    assert session.roles == [
        *("user", "assistant", "tool", "system", "system", "system", "system", "system"),
        *("assistant", "system"),
    ]
    assert session.turns[1].blocks[0] == Text("I look.")
    assert len(session.uses()) == 1
    (result,) = session.results()
    assert (result.tool_use_id, result.is_error) == ("c1", True)
    assert result.content == [
        *(Text("no ducks"), Text('{"n":0}'), Image("image/png", "AAAA", size=3), Text("a\n+x"))
    ]
    assert [turn.blocks[0] for turn in session.turns[3:7]] == [
        Notice("compaction", "900 → 90 characters"),
        Notice("error", "Tests: 2 passed, 1 failed\nquack"),
        Notice("info", "pond\n+duck"),
        Notice("error", "overloaded"),
    ]
    assert session.coverage.unknown == {"Hologram": 1}
    assert (session.usage, session.cost) == (Usage(16, 8), 42_100)
    assert session.turns[8].duration_ms == 1234


def test_hostile_runs(run: Path) -> None:
    grow(AGENT, run)
    rewrite(AGENT, run)
    assert torture_lines(AGENT, run) > 300


def test_where_it_looks(state: Path, run: Path, tmp_path: Path) -> None:
    first = save(state / "sessions.db", "cli:/w/pond", MESSAGES, 1)
    second = save(state / "profiles" / "work" / "sessions.db", "cli:/w/pond", MESSAGES, 1)
    save(state / "sessions_fts.db", "cli:/w/pond", MESSAGES, 1)
    sources = list(AGENT.sources(Place(tmp_path, {}, "linux")))
    assert [source.path for source in sources] == [str(first), str(run), str(second)]
    found = {key for source in sources for key in read_all(AGENT, source)}
    assert found == {"cli:/w/pond", f"run-{RUN}", "work@cli:/w/pond"}
    assert all(AGENT.sniff(Path(s.path), Path(s.path).read_bytes()) for s in sources)
    assert AGENT.source_at(run.with_name("meta.json")) == AGENT.source_at(run)
    assert AGENT.source_at(state / "sessions_fts.db") is None
    moved = AGENT.roots(Place(tmp_path, {"XDG_STATE_HOME": str(tmp_path / "s")}, "linux"))
    assert moved == [tmp_path / "s" / "sparrow"]
