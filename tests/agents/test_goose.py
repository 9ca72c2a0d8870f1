"""Goose: a database of sessions, and the line files from before it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hostile import adds_up, grow, mutations, rewrite, torture_lines
from session_reading import Reading, Session, paths, read_all, same

from sparrow_tui.agents.base import Place, SourceError
from sparrow_tui.agents.goose import AGENT
from sparrow_tui.model import Image, Notice, Raw, Reasoning, Text, Usage

T = 1_765_000_000
MESSAGES: list[dict[str, Any]] = [
    {"id": "m1", "role": "user", "created": T, "content": [{"type": "text", "text": "Feed the geese"}]},
    {"id": "m2", "role": "assistant", "created": T + 1, "content": [
        {"type": "thinking", "thinking": "With oats.", "signature": "s"},
        {"type": "text", "text": "I feed them."},
        {"type": "toolRequest", "id": "t1", "toolCall": {"status": "success", "value": {"name": "shell", "arguments": {"command": "feed"}}}},
        {"type": "toolRequest", "id": "t2", "toolCall": {"status": "error", "error": "no such tool"}},
    ]},
    {"id": "m3", "role": "user", "created": T + 2, "content": [
        {"type": "toolResponse", "id": "t1", "toolResult": {"status": "success", "value": {
            "content": [{"type": "text", "text": "fed"}, {"type": "image", "data": "AAAA", "mimeType": "image/png"}], "isError": False}}},
        {"type": "toolResponse", "id": "t2", "toolResult": {"status": "error", "error": "no such tool"}},
    ]},
    {"id": "m4", "role": "assistant", "created": T + 3, "content": [{"type": "text", "text": "Done."}]},
    {"id": "m5", "role": "user", "created": T + 4, "content": [{"type": "text", "text": "Geese were fed."}],
     "metadata": {"userVisible": False, "agentVisible": True}},
    {"id": "m6", "role": "assistant", "created": T + 5, "content": [
        {"type": "systemNotification", "notificationType": "inlineMessage", "msg": "Compacted"}, {"type": "honk", "n": 1}]},
]  # fmt: skip
SCHEMA = """
CREATE TABLE schema_version (version INTEGER PRIMARY KEY);
CREATE TABLE sessions (id TEXT PRIMARY KEY, name TEXT NOT NULL DEFAULT '', description TEXT NOT NULL DEFAULT '',
  user_set_name BOOLEAN DEFAULT FALSE, session_type TEXT NOT NULL DEFAULT 'user', working_dir TEXT NOT NULL,
  created_at TIMESTAMP, updated_at TIMESTAMP, extension_data TEXT DEFAULT '{}', total_tokens INTEGER,
  input_tokens INTEGER, output_tokens INTEGER, accumulated_total_tokens INTEGER, accumulated_input_tokens INTEGER,
  accumulated_output_tokens INTEGER, schedule_id TEXT, recipe_json TEXT, provider_name TEXT, model_config_json TEXT);
CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, message_id TEXT, session_id TEXT NOT NULL, role TEXT NOT NULL,
  content_json TEXT NOT NULL, created_timestamp INTEGER NOT NULL, timestamp TIMESTAMP, tokens INTEGER, metadata_json TEXT);
"""
LATER = """
ALTER TABLE sessions ADD COLUMN accumulated_cost REAL;
ALTER TABLE sessions ADD COLUMN accumulated_cache_read_tokens INTEGER;
ALTER TABLE sessions ADD COLUMN accumulated_cache_write_tokens INTEGER;
ALTER TABLE sessions ADD COLUMN parent_session_id TEXT;
CREATE TABLE usage_ledger (id INTEGER PRIMARY KEY, session_id TEXT, created_timestamp INTEGER, model TEXT,
  input_tokens INTEGER, output_tokens INTEGER, cache_read_tokens INTEGER, cache_write_tokens INTEGER);
"""


def session(db: sqlite3.Connection, id: str, **columns: Any) -> None:
    row = {
        "id": id,
        "working_dir": "/home/ada/pond",
        "created_at": "2025-12-06 05:46:40",
        "updated_at": "2025-12-06 05:50:00",
        **columns,
    }
    db.execute(
        f"INSERT INTO sessions({','.join(row)}) VALUES ({','.join('?' * len(row))})",
        tuple(row.values()),
    )


def message(db: sqlite3.Connection, session: str, record: dict[str, Any]) -> None:
    db.execute(
        "INSERT INTO messages(message_id, session_id, role, content_json, created_timestamp, metadata_json) VALUES (?,?,?,?,?,?)",
        (record.get("id"), session, record["role"], json.dumps(record["content"]), record["created"],
         json.dumps(record["metadata"]) if "metadata" in record else None),
    )  # fmt: skip


def make(path: Path, later: bool = True) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path)
    db.executescript("PRAGMA journal_mode=WAL;" + SCHEMA + (LATER if later else ""))
    session(
        db, "20251206_1", name="Feeding time", model_config_json='{"model_name": "claude-sonnet-4-5"}', provider_name="anthropic",
        total_tokens=50, input_tokens=40, output_tokens=10, accumulated_input_tokens=900, accumulated_output_tokens=70,
        **({"accumulated_cost": 0.25, "accumulated_cache_read_tokens": 500, "accumulated_cache_write_tokens": 100} if later else {}),
    )  # fmt: skip
    for record in MESSAGES:
        message(db, "20251206_1", record)
    if later:
        session(
            db,
            "20251206_2",
            name="CLI Session",
            session_type="sub_agent",
            parent_session_id="20251206_1",
        )
        message(db, "20251206_2", MESSAGES[0])
        db.execute("INSERT INTO usage_ledger VALUES (1, '20251206_2', 0, 'm', 30, 5, 10, 0)")
        db.execute("INSERT INTO usage_ledger VALUES (2, '20251206_2', 0, 'm', 20, 5, 0, 0)")
    db.commit()
    return db


def check(read: Session) -> None:
    assert read.roles == ["user", "assistant", "tool", "assistant", "summary", "assistant"]
    assert read.turns[1].blocks[:2] == [Reasoning("With oats."), Text("I feed them.")]
    assert [turn.uid for turn in read.turns] == ["m1", "m2", "m3", "m4", "m5", "m6"]
    assert [turn.time for turn in read.turns] == [(T + n) * 1000 for n in range(6)]
    assert [(u.id, u.name, u.input) for u in read.uses()] == [
        ("t1", "shell", {"command": "feed"}), ("t2", "", {"error": "no such tool"}),
    ]  # fmt: skip
    assert [(r.tool_use_id, r.is_error) for r in read.results()] == [("t1", False), ("t2", True)]
    assert read.results()[0].content == [Text("fed"), Image("image/png", "AAAA", size=3)]
    assert read.turns[5].blocks == [
        Notice("info", "Compacted"),
        Raw("honk", {"type": "honk", "n": 1}),
    ]
    assert read.coverage.unknown == {"content honk": 1}
    assert not read.coverage.bad


def test_database(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    db = make(path)
    sessions = read_all(AGENT, AGENT.source_at(path))
    read = sessions["20251206_1"]
    check(read)
    info = read.info
    assert (info.id, info.title, info.project) == (
        "goose:20251206_1",
        "Feeding time",
        "/home/ada/pond",
    )
    assert (info.model, info.created_at, info.updated_at) == (
        "claude-sonnet-4-5",
        T * 1000,
        (T + 200) * 1000,
    )
    assert info.usage == Usage(300, 70, 500, 100)
    assert info.cost_micro == 250_000
    assert read.usage == Usage()
    child = sessions["20251206_2"].info
    assert (child.parent, child.title, child.extra) == (
        "goose:20251206_1",
        None,
        {"kind": "sub_agent"},
    )
    assert child.usage == Usage(40, 10, 10, 0)
    assert AGENT.resume(child) is None
    assert read.coverage.records == read.coverage.kept == 6
    db.close()


def test_older_schema(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    make(path, later=False).close()
    read = read_all(AGENT, AGENT.source_at(path))["20251206_1"]
    check(read)
    assert (read.info.usage, read.info.cost_micro) == (Usage(900, 70), None)
    assert paths(tmp_path) == ["sessions.db"]


def test_only_changed_sessions_are_read_again(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    db = make(path)
    reading = Reading().take(AGENT, AGENT.source_at(path))
    assert reading.take(AGENT, AGENT.source_at(path)).emitted == 0
    message(db, "20251206_2", {**MESSAGES[3], "id": "m9"})
    db.commit()
    assert reading.take(AGENT, AGENT.source_at(path.with_name("sessions.db-wal"))).emitted == 2
    db.execute("UPDATE sessions SET name = 'Renamed' WHERE id = '20251206_1'")
    db.commit()
    reading.take(AGENT, AGENT.source_at(path))
    assert reading.sessions["20251206_1"].info.title == "Renamed"
    same(reading.sessions, read_all(AGENT, AGENT.source_at(path)))
    db.close()


@pytest.fixture
def old(tmp_path: Path) -> Path:
    header = {"working_dir": "/home/ada/pond", "description": "Feeding time", "message_count": 6, "total_tokens": 50,
              "accumulated_input_tokens": 900, "accumulated_output_tokens": 70}  # fmt: skip
    path = tmp_path / ".local" / "share" / "goose" / "sessions" / "20250901_101010.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in [header, *MESSAGES]))
    return path


def test_line_file(old: Path) -> None:
    (read,) = read_all(AGENT, AGENT.source_at(old)).values()
    check(read)
    assert (read.info.id, read.info.title, read.info.project) == (
        "goose:20250901_101010",
        "Feeding time",
        "/home/ada/pond",
    )
    assert (read.info.usage, read.info.created_at, read.info.updated_at) == (
        Usage(900, 70),
        T * 1000,
        (T + 5) * 1000,
    )
    assert AGENT.sniff(old, old.read_bytes())
    grow(AGENT, old)
    rewrite(AGENT, old)
    assert torture_lines(AGENT, old) > 500


def test_where_it_looks(old: Path, tmp_path: Path) -> None:
    place = Place(tmp_path, {}, "linux")
    assert [source.path for source in AGENT.sources(place)] == [str(old)]
    db = make(old.with_name("sessions.db"))
    assert len(list(AGENT.sources(place))) == 2
    session(db, old.stem)
    db.commit()
    assert [Path(source.path).name for source in AGENT.sources(place)] == [
        "sessions.db"
    ]  # taken over
    assert AGENT.roots(Place(tmp_path, {"GOOSE_PATH_ROOT": "/g"}, "linux")) == [
        Path("/g/data/sessions")
    ]
    assert AGENT.roots(Place(tmp_path, {}, "win32"))[0].parts[-4:] == (
        "Block",
        "goose",
        "data",
        "sessions",
    )
    database = old.with_name("sessions.db")
    assert AGENT.sniff(database, database.read_bytes()[:100])
    assert not AGENT.sniff(old, b'{"type": "user"}')
    assert AGENT.source_at(old.with_suffix(".tmp")) is None
    read = read_all(AGENT, AGENT.source_at(database))["20251206_1"]
    resume = AGENT.resume(read.info)
    assert resume is not None
    assert resume.argv == ("goose", "session", "--resume", "--session-id", "20251206_1")
    db.close()


def test_hostile_rows(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    db = make(path)
    for record in MESSAGES:
        for content in mutations(record["content"]):
            message(db, "20251206_1", {**record, "content": content})
    db.execute(
        "INSERT INTO messages(session_id, role, content_json, created_timestamp) VALUES ('20251206_1', 'x', '{', 'y')"
    )
    db.execute(
        "UPDATE sessions SET model_config_json = '[', created_at = x'ff', working_dir = 5 WHERE id = '20251206_1'"
    )
    db.commit()
    sessions = read_all(AGENT, AGENT.source_at(path))
    adds_up(sessions)
    assert sessions["20251206_1"].coverage.records > 500
    assert sessions["20251206_1"].coverage.bad >= 1
    db.close()
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(SourceError):
        read_all(AGENT, AGENT.source_at(path))
    sqlite3.connect(tmp_path / "other.db").execute("CREATE TABLE t(a)").connection.close()
    with pytest.raises(SourceError, match="no sessions"):
        read_all(AGENT, AGENT.source_at(tmp_path / "other.db"))
