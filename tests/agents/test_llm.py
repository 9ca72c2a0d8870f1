"""simonw's llm: two generations of tables, alone and in one file."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hostile import adds_up
from session_reading import Reading, paths, read_all, same

from sparrow_tui.agents.base import Place, SourceError
from sparrow_tui.agents.llm import AGENT
from sparrow_tui.model import Image, Raw, Reasoning, Text, Usage

FIRST = """
CREATE TABLE conversations (id TEXT PRIMARY KEY, name TEXT, model TEXT);
CREATE TABLE responses (id TEXT PRIMARY KEY, model TEXT, prompt TEXT, system TEXT, prompt_json TEXT, options_json TEXT,
  response TEXT, response_json TEXT, conversation_id TEXT, duration_ms INTEGER, datetime_utc TEXT, input_tokens INTEGER,
  output_tokens INTEGER, token_details TEXT, schema_id TEXT, resolved_model TEXT, reasoning TEXT);
CREATE TABLE attachments (id TEXT PRIMARY KEY, type TEXT, path TEXT, url TEXT, content BLOB);
CREATE TABLE prompt_attachments (response_id TEXT, attachment_id TEXT, "order" INTEGER);
CREATE TABLE fragments (id INTEGER PRIMARY KEY, hash TEXT, content TEXT, datetime_utc TEXT, source TEXT);
CREATE TABLE prompt_fragments (response_id TEXT, fragment_id INTEGER, "order" INTEGER);
CREATE TABLE system_fragments (response_id TEXT, fragment_id INTEGER, "order" INTEGER);
CREATE TABLE tool_calls (id INTEGER PRIMARY KEY, response_id TEXT, tool_id INTEGER, name TEXT, arguments TEXT, tool_call_id TEXT);
CREATE TABLE tool_results (id INTEGER PRIMARY KEY, response_id TEXT, tool_id INTEGER, name TEXT, output TEXT,
  tool_call_id TEXT, instance_id INTEGER, exception TEXT);
"""
OLDEST = """
CREATE TABLE conversations (id TEXT PRIMARY KEY, name TEXT, model TEXT);
CREATE TABLE responses (id TEXT PRIMARY KEY, model TEXT, prompt TEXT, system TEXT, prompt_json TEXT, options_json TEXT,
  response TEXT, response_json TEXT, conversation_id TEXT, duration_ms INTEGER, datetime_utc TEXT);
"""
SECOND = """
CREATE TABLE messages (hash TEXT PRIMARY KEY, parent_hash TEXT, role TEXT, provider_metadata TEXT);
CREATE TABLE parts (id INTEGER PRIMARY KEY, message_hash TEXT, position INTEGER, type TEXT, tool_name TEXT, text TEXT, payload TEXT);
CREATE TABLE part_attachments (part_id INTEGER, attachment_id TEXT, "order" INTEGER);
CREATE TABLE threads (id TEXT PRIMARY KEY, name TEXT, tip_message_hash TEXT, forked_from TEXT, datetime_utc TEXT);
CREATE TABLE turns (id TEXT PRIMARY KEY, thread_id TEXT, parent_message_hash TEXT, tip_message_hash TEXT, model TEXT,
  resolved_model TEXT, options_json TEXT, schema_id TEXT, input_tokens INTEGER, output_tokens INTEGER, token_details TEXT,
  duration_ms INTEGER, datetime_utc TEXT, response_json TEXT);
"""
DETAILS = '{"prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens_details": {"reasoning_tokens": 2}}'


def insert(db: sqlite3.Connection, table: str, **row: Any) -> None:
    names = ",".join(f'"{name}"' for name in row)
    db.execute(
        f"INSERT INTO {table}({names}) VALUES ({','.join('?' * len(row))})", tuple(row.values())
    )


def first(db: sqlite3.Connection) -> None:
    """A conversation with a fragment, a picture, a tool call and its result."""
    insert(db, "conversations", id="c1", name="Count ducks", model="duck-1")
    insert(db, "responses", id="r1", model="duck-1", resolved_model="duck-1.5", prompt="How many?", system="Be brief.",
           response="I count.", reasoning="Look.", conversation_id="c1", duration_ms=1200, datetime_utc="2025-06-01T10:00:00.5",
           input_tokens=10, output_tokens=5, token_details=DETAILS)  # fmt: skip
    insert(db, "fragments", id=7, content="duck duck goose")
    insert(db, "prompt_fragments", response_id="r1", fragment_id=7, order=0)
    insert(db, "attachments", id="a1", type="image/png", content=b"\x89PN")
    insert(db, "attachments", id="a2", type="application/pdf", path="/p.pdf")
    insert(db, "prompt_attachments", response_id="r1", attachment_id="a1", order=0)
    insert(db, "prompt_attachments", response_id="r1", attachment_id="a2", order=1)
    insert(
        db,
        "tool_calls",
        id=1,
        response_id="r1",
        name="count",
        arguments='{"what": "ducks"}',
        tool_call_id="t1",
    )
    insert(
        db, "tool_calls", id=2, response_id="r1", name="count", arguments="{}", tool_call_id="t2"
    )
    insert(db, "responses", id="r2", model="duck-1", prompt="", system="Be brief.", response="Two.", conversation_id="c1",
           datetime_utc="2025-06-01T10:00:03", input_tokens=20, output_tokens=1)  # fmt: skip
    insert(db, "tool_results", id=1, response_id="r2", name="count", output="2", tool_call_id="t1")
    insert(
        db,
        "tool_results",
        id=2,
        response_id="r2",
        name="count",
        output="",
        tool_call_id="t2",
        exception="KeyError: what",
    )
    insert(
        db,
        "responses",
        id="r9",
        model="duck-1",
        prompt="Alone",
        response="Yes",
        datetime_utc="2025-06-02T10:00:00",
    )
    db.commit()


def say(
    db: sqlite3.Connection,
    hash: str,
    parent: str | None,
    role: str,
    *parts: tuple[str, str | None, Any],
) -> None:
    insert(db, "messages", hash=hash, parent_hash=parent, role=role)
    for position, (kind, text, payload) in enumerate(parts):
        name = payload.get("name") if payload else None
        insert(db, "parts", message_hash=hash, position=position, type=kind, tool_name=name, text=text,
               payload=json.dumps(payload) if payload else None)  # fmt: skip


def second(db: sqlite3.Connection, thread: str = "h1") -> None:
    """A thread of four messages and a fork that shares two of them."""
    say(
        db,
        "m1",
        None,
        "user",
        ("text", None, {"text_ref": [{"literal": "Read "}, {"fragment": 7}]}),
    )
    say(db, "m2", "m1", "assistant", ("reasoning", "Hm.", None),
        ("tool_call", None, {"name": "count", "arguments": {"what": "geese"}, "tool_call_id": "t1"}))  # fmt: skip
    say(
        db,
        "m3",
        "m2",
        "tool",
        (
            "tool_result",
            None,
            {"name": "count", "output": "", "tool_call_id": "t1", "exception": "no geese"},
        ),
    )
    say(db, "m4", "m3", "assistant", ("text", "None.", None), ("scent", None, {"n": 1}))
    say(db, "m5", "m2", "user", ("text", "Never mind", None))
    say(db, "m6", "m5", "assistant", ("text", "Fine.", None))
    insert(
        db,
        "threads",
        id=thread,
        name="Geese",
        tip_message_hash="m4",
        datetime_utc="2026-06-01T10:00:00",
    )
    insert(
        db,
        "threads",
        id="h2",
        name="Fork",
        tip_message_hash="m6",
        forked_from=thread,
        datetime_utc="2026-06-01T11:00:00",
    )
    for id, owner, parent, tip, minute in (
        ("u1", thread, None, "m2", 1),
        ("u2", thread, "m2", "m4", 2),
        ("u3", "h2", "m2", "m6", 3),
    ):
        insert(db, "turns", id=id, thread_id=owner, parent_message_hash=parent, tip_message_hash=tip, model="duck-2",
               input_tokens=10, output_tokens=5, token_details=DETAILS, duration_ms=7, datetime_utc=f"2026-06-01T10:0{minute}:00")  # fmt: skip
    db.commit()


def both(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path)
    db.executescript("PRAGMA journal_mode=WAL;" + FIRST + SECOND)
    first(db)
    second(db)
    return db


def test_first_generation(tmp_path: Path) -> None:
    path = tmp_path / "logs.db"
    both(path).close()
    sessions = read_all(AGENT, AGENT.source_at(path))
    assert set(sessions) == {"c1", "r9", "h1", "h2"}
    read = sessions["c1"]
    info = read.info
    assert (info.id, info.title, info.project, info.model) == (
        "llm:c1",
        "Count ducks",
        None,
        "duck-1",
    )
    assert (info.created_at, info.updated_at) == (1748772000500, 1748772003000)
    assert read.roles == ["system", "user", "user", "assistant", "tool", "assistant"]
    assert [turn.meta for turn in read.turns] == [True, True, False, False, False, False]
    assert read.turns[1].blocks == [Text("duck duck goose")]
    assert read.turns[2].blocks == [
        Text("How many?"), Image("image/png", "iVBO", size=3), Image("application/pdf", url="/p.pdf"),
    ]  # fmt: skip
    answer = read.turns[3]
    assert answer.blocks[:2] == [Reasoning("Look."), Text("I count.")]
    assert (answer.model, answer.uid, answer.duration_ms) == ("duck-1.5", "r1", 1200)
    assert [(u.id, u.name, u.input) for u in read.uses()] == [
        ("t1", "count", {"what": "ducks"}),
        ("t2", "count", {}),
    ]
    assert [(r.tool_use_id, r.is_error, r.content) for r in read.results()] == [
        ("t1", False, [Text("2")]), ("t2", True, [Text("KeyError: what")]),
    ]  # fmt: skip
    assert read.usage == Usage(26, 6, 4, 0, 2)
    assert read.cost == 0
    assert sessions["r9"].texts() == ["Alone", "Yes"]


def test_second_generation(tmp_path: Path) -> None:
    path = tmp_path / "logs.db"
    both(path).close()
    sessions = read_all(AGENT, AGENT.source_at(path))
    read = sessions["h1"]
    info = read.info
    assert (info.title, info.model) == ("Geese", "duck-2")
    assert (info.created_at, info.updated_at) == (1780308000000, 1780308120000)
    assert read.roles == ["user", "assistant", "tool", "assistant"]
    assert read.turns[0].blocks == [Text("Read duck duck goose")]
    assert [turn.uid for turn in read.turns] == ["m1", "m2", "m3", "m4"]
    assert [turn.time for turn in read.turns] == [1780308060000] * 2 + [1780308120000] * 2
    (use,), (result,) = read.uses(), read.results()
    assert (use.id, use.name, use.input) == ("t1", "count", {"what": "geese"})
    assert (result.tool_use_id, result.is_error) == ("t1", True)
    assert read.turns[3].blocks[1] == Raw("part scent", {"n": 1, "text": None})
    assert read.coverage.unknown == {"part scent": 1}
    assert read.usage == Usage(12, 10, 8, 0, 4)
    fork = sessions["h2"]
    assert fork.info.extra == {"forked from": "h1"}
    assert [turn.uid for turn in fork.turns] == ["m1", "m2", "m5", "m6"]
    shared = {t.usage_id for t in read.turns if t.usage} & {
        t.usage_id for t in fork.turns if t.usage
    }
    assert shared == {"u1"}  # the same request: counted once over all sessions


def test_a_conversation_in_both_generations_is_one_session(tmp_path: Path) -> None:
    path = tmp_path / "logs.db"
    db = sqlite3.connect(path)
    db.executescript(FIRST + SECOND)
    insert(db, "conversations", id="x", name="Both", model="duck-1")
    insert(db, "responses", id="r1", model="duck-1", prompt="One", response="1", conversation_id="x",
           datetime_utc="2025-06-01T10:00:00", input_tokens=3, output_tokens=1)  # fmt: skip
    say(db, "m1", None, "user", ("text", "One", None))
    say(db, "m2", "m1", "assistant", ("text", "1", None))
    say(db, "m3", "m2", "user", ("text", "Two", None))
    say(db, "m4", "m3", "assistant", ("text", "2", None))
    insert(
        db,
        "threads",
        id="x",
        name="Both",
        tip_message_hash="m4",
        datetime_utc="2026-06-01T10:00:00",
    )
    insert(db, "turns", id="u1", thread_id="x", parent_message_hash="m2", tip_message_hash="m4", model="duck-2",
           input_tokens=5, output_tokens=2, datetime_utc="2026-06-01T10:00:00")  # fmt: skip
    db.commit()
    db.close()
    read = read_all(AGENT, AGENT.source_at(path))["x"]
    assert read.texts() == ["One", "1", "Two", "2"]
    assert read.usage == Usage(8, 3)
    assert read.turns[1].model == "duck-1"


def test_oldest_tables(tmp_path: Path) -> None:
    path = tmp_path / "logs.db"
    db = sqlite3.connect(path)
    db.executescript(OLDEST)
    insert(db, "conversations", id="c", name="Old", model="m")
    insert(
        db,
        "responses",
        id="r",
        model="m",
        prompt="Hi",
        response="Ho",
        conversation_id="c",
        datetime_utc="2023-08-01T10:00:00",
    )
    db.commit()
    db.close()
    read = read_all(AGENT, AGENT.source_at(path))["c"]
    assert (read.roles, read.usage, read.info.title) == (["user", "assistant"], Usage(), "Old")
    assert paths(tmp_path) == ["logs.db"]


def test_only_changed_conversations_are_read_again(tmp_path: Path) -> None:
    path = tmp_path / "logs.db"
    db = both(path)
    reading = Reading().take(AGENT, AGENT.source_at(path))
    assert reading.take(AGENT, AGENT.source_at(path)).emitted == 0
    insert(
        db,
        "responses",
        id="r3",
        model="duck-1",
        prompt="And now?",
        response="Three.",
        conversation_id="c1",
        datetime_utc="2025-06-03T10:00:00",
    )
    db.execute("UPDATE threads SET tip_message_hash = 'm2' WHERE id = 'h2'")
    db.commit()
    source = AGENT.source_at(path.with_name("logs.db-wal"))
    assert reading.take(AGENT, source).emitted == 8 + 2
    same(reading.sessions, read_all(AGENT, source))
    db.close()


def test_where_it_looks(tmp_path: Path) -> None:
    path = tmp_path / ".config" / "io.datasette.llm" / "logs.db"
    place = Place(tmp_path, {}, "linux")
    assert list(AGENT.sources(place)) == []
    both(path).close()
    assert [source.path for source in AGENT.sources(place)] == [str(path)]
    both(path.parent / "work" / "logs.db").close()
    assert len(list(AGENT.sources(place))) == 2
    assert AGENT.roots(Place(tmp_path, {"LLM_USER_PATH": "/l"}, "linux")) == [Path("/l")]
    assert "Application Support" in str(AGENT.roots(Place(tmp_path, {}, "darwin"))[0])
    assert AGENT.sniff(path, path.read_bytes()[:100])
    assert not AGENT.sniff(path, b"{}")
    assert AGENT.source_at(path.with_name("keys.json")) is None
    resume = AGENT.resume(read_all(AGENT, AGENT.source_at(path))["c1"].info)
    assert resume is not None
    assert resume.argv == ("llm", "chat", "--cid", "c1")


def test_hostile_databases(tmp_path: Path) -> None:
    path = tmp_path / "logs.db"
    db = both(path)
    db.execute("UPDATE messages SET parent_hash = 'm4' WHERE hash = 'm1'")  # a ring
    db.execute("UPDATE messages SET role = x'ff00' WHERE hash = 'm3'")
    for payload in (
        "[",
        "5",
        "null",
        '{"text_ref": [5, {"fragment": "x"}], "arguments": [1], "attachments": 3}',
    ):
        for kind in ("text", "tool_call", "tool_result", "attachment", None):
            insert(db, "parts", message_hash="m4", position=9, type=kind, payload=payload)
    db.execute(
        "UPDATE responses SET token_details = '[1]', input_tokens = 'many', datetime_utc = 'then', response = x'ff'"
    )
    db.execute(
        "UPDATE turns SET token_details = '{\"prompt_tokens_details\": 5}', datetime_utc = NULL"
    )
    db.commit()
    sessions = read_all(AGENT, AGENT.source_at(path))
    adds_up(sessions)
    assert sessions["h1"].coverage.records == 4
    db.close()
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(SourceError):
        read_all(AGENT, AGENT.source_at(path))
    sqlite3.connect(tmp_path / "other.db").execute("CREATE TABLE t(a)").connection.close()
    with pytest.raises(SourceError, match="none of llm"):
        read_all(AGENT, AGENT.source_at(tmp_path / "other.db"))
