"""Crush and the Go OpenCode: one schema, two programs."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hostile import torture_database
from real import found_real
from session_reading import Reading, paths, read_all, same

from sparrow_tui.agents.base import Agent, Place, SourceError
from sparrow_tui.agents.crush import AGENT as CRUSH
from sparrow_tui.agents.opencode_go import AGENT as OPENCODE_GO
from sparrow_tui.agents.sqlite_source import MAGIC
from sparrow_tui.model import Image, Notice, Raw, Reasoning, Usage

START = 1_755_000_000
"""Seconds, as real databases have it."""
SCHEMA = """
CREATE TABLE goose_db_version(id INTEGER PRIMARY KEY, version_id INTEGER);
CREATE TABLE sessions(id TEXT PRIMARY KEY, parent_session_id TEXT, title TEXT NOT NULL,
  message_count INTEGER NOT NULL DEFAULT 0, prompt_tokens INTEGER NOT NULL DEFAULT 0,
  completion_tokens INTEGER NOT NULL DEFAULT 0, cost REAL NOT NULL DEFAULT 0.0,
  updated_at INTEGER NOT NULL, created_at INTEGER NOT NULL, summary_message_id TEXT);
CREATE TABLE messages(id TEXT PRIMARY KEY, session_id TEXT NOT NULL, role TEXT NOT NULL,
  parts TEXT NOT NULL DEFAULT '[]', model TEXT, created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL, finished_at INTEGER);
"""
CRUSH_LATER = """
ALTER TABLE messages ADD COLUMN provider TEXT;
ALTER TABLE messages ADD COLUMN is_summary_message INTEGER DEFAULT 0 NOT NULL;
"""


def part(kind: str, **data: Any) -> dict[str, Any]:
    return {"type": kind, "data": data}


def add_session(db: sqlite3.Connection, id: str, title: str, at: int = 0, **more: Any) -> None:
    columns = {"id": id, "title": title, "created_at": START + at, "updated_at": START + at, **more}
    db.execute(
        f"INSERT INTO sessions({','.join(columns)}) VALUES ({','.join('?' * len(columns))})",
        tuple(columns.values()),
    )


def add(
    db: sqlite3.Connection, session: str, id: str, role: str, at: int, *parts: Any, **more: Any
) -> None:
    columns = {
        "id": id, "session_id": session, "role": role, "parts": json.dumps(list(parts)),
        "created_at": START + at, "updated_at": START + at, **more,
    }  # fmt: skip
    db.execute(
        f"INSERT INTO messages({','.join(columns)}) VALUES ({','.join('?' * len(columns))})",
        tuple(columns.values()),
    )
    db.execute("UPDATE sessions SET updated_at = ? WHERE id = ?", (START + at, session))


def make(path: Path, later: bool = True) -> sqlite3.Connection:
    """A database with a session, its sub-agent's and one where everything went wrong."""
    path.parent.mkdir(parents=True)
    db = sqlite3.connect(path)
    db.executescript("PRAGMA journal_mode=WAL;" + SCHEMA + (CRUSH_LATER if later else ""))
    add_session(db, "main", "Count the ducks", prompt_tokens=900, completion_tokens=40, cost=0.75)
    add(db, "main", "m1", "user", 0, part("text", text="How many ducks?"))
    add(
        db, "main", "m2", "assistant", 1,
        part("reasoning", thinking="Look first.", signature="s"),
        part("text", text="I look."),
        part("tool_call", id="c1", name="ls", input='{"path": "."}', type="function", finished=True),
        part("tool_call", id="c2", name="agent", input='{"prompt": "count"}', finished=True),
        part("finish", reason="tool_use", time=START + 4),
        model="big-model", finished_at=START + 4,
    )  # fmt: skip
    add(
        db, "main", "m3", "tool", 5,
        part("tool_result", tool_call_id="c1", name="ls", content="duck.txt", metadata="", is_error=False),
        part("tool_result", tool_call_id="c2", name="agent", content="two", metadata="", is_error=True),
        part("finish", reason="stop", time=0),
    )  # fmt: skip
    add(
        db,
        "main",
        "m4",
        "assistant",
        6,
        part("text", text="Two."),
        part("finish", reason="end_turn"),
        model="big-model",
    )
    add_session(db, "m2$$c2", "New Agent Session", 2, parent_session_id="main", cost=0.25)
    add(db, "m2$$c2", "s1", "user", 2, part("text", text="count"))
    add(db, "m2$$c2", "s2", "assistant", 3, part("text", text="two"), model="small-model")
    add_session(db, "odd", "Odd things", 10)
    add(
        db, "odd", "o1", "user", 10, part("binary", Path="a.png", MIMEType="image/png", Data="AAAA")
    )
    add(
        db,
        "odd",
        "o2",
        "assistant",
        11,
        part("finish", reason="error", message="API Error", details="404"),
    )
    add(db, "odd", "o3", "assistant", 12, part("finish", reason="canceled"))
    add(db, "odd", "o4", "assistant", 13, part("hologram", beam=1), "loose")
    add(
        db, "odd", "o5", "assistant", 14, part("text", text="  "), part("finish", reason="end_turn")
    )
    add(db, "odd", "o6", "wizard", 15, part("text", text="abra \x00 \ud83d \x1b[31m"))
    add(db, "odd", "o7", "user", 16)
    db.execute("UPDATE messages SET parts = '{\"not\": ' WHERE id = 'o7'")
    db.commit()
    return db


@pytest.fixture(params=["crush", "opencode-go"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Agent, Path, sqlite3.Connection]:
    crush = request.param == "crush"
    path = tmp_path / "pond" / (".crush/crush.db" if crush else ".opencode/opencode.db")
    return (CRUSH if crush else OPENCODE_GO), path, make(path, later=crush)


def test_sessions_turns_and_tools(made: tuple[Agent, Path, sqlite3.Connection]) -> None:
    agent, path, _ = made
    sessions = read_all(agent, agent.source_at(path))
    assert set(sessions) == {"main", "m2$$c2", "odd"}
    main = sessions["main"]
    assert main.info.id == f"{agent.name}:main"
    assert main.info.title == "Count the ducks"
    assert main.info.project == str(path.parent.parent)
    assert main.info.model == "big-model"
    assert main.info.created_at == START * 1000
    assert main.info.updated_at == (START + 6) * 1000
    assert main.roles == ["user", "assistant", "tool", "assistant"]
    assert main.texts() == ["How many ducks?", "I look.", "Two."]
    assert main.turns[1].blocks[0] == Reasoning("Look first.")
    assert main.turns[1].duration_ms == 3000
    assert main.turns[1].uid == "m2"
    assert [(use.id, use.name, use.input) for use in main.uses()] == [
        ("c1", "ls", {"path": "."}), ("c2", "agent", {"prompt": "count"}),
    ]  # fmt: skip
    assert [(r.tool_use_id, r.is_error) for r in main.results()] == [("c1", False), ("c2", True)]
    assert main.results()[1].child == f"{agent.name}:m2$$c2"
    assert main.coverage.records == main.coverage.kept == 4


def test_money_is_counted_once_and_tokens_are_the_last_requests(
    made: tuple[Agent, Path, sqlite3.Connection],
) -> None:
    agent, path, _ = made
    sessions = read_all(agent, agent.source_at(path))
    assert sessions["main"].info.cost_micro == 500_000  # its own; 0.25 more is the sub-agent's
    assert sessions["m2$$c2"].info.cost_micro == 250_000
    assert sessions["main"].info.usage == Usage(input=900, output=40)
    assert sessions["main"].info.extra == {"tokens": "of the last request only"}
    assert sessions["odd"].info.usage is None


def test_sub_agent(made: tuple[Agent, Path, sqlite3.Connection]) -> None:
    agent, path, _ = made
    child = read_all(agent, agent.source_at(path))["m2$$c2"]
    assert (child.info.parent, child.info.parent_tool_use) == (f"{agent.name}:main", "c2")
    assert child.info.title is None  # a placeholder: the prompt says more
    assert agent.resume(child.info) is None


def test_odd_content_is_kept_or_counted(made: tuple[Agent, Path, sqlite3.Connection]) -> None:
    agent, path, _ = made
    odd = read_all(agent, agent.source_at(path))["odd"]
    assert odd.turns[0].blocks == [Image(media_type="image/png", data="AAAA", size=3, url="a.png")]
    assert odd.turns[1].blocks == [Notice("error", "API Error\n404")]
    assert odd.turns[1].api_error
    assert odd.turns[2].blocks == [Notice("interruption", "canceled")]
    assert odd.turns[3].blocks == [Raw("hologram", part("hologram", beam=1)), Raw("part", "loose")]
    assert odd.roles[4] == "system"
    coverage = odd.coverage
    assert (coverage.records, coverage.kept, coverage.skipped, coverage.bad) == (7, 5, 1, 1)
    assert coverage.unknown == {"part hologram": 1, "part": 1, "role wizard": 1}


def test_only_changed_sessions_are_read_again(made: tuple[Agent, Path, sqlite3.Connection]) -> None:
    agent, path, db = made
    reading = Reading().take(agent, agent.source_at(path))
    assert reading.take(agent, agent.source_at(path)).emitted == 0
    before = agent.source_at(path)
    add(db, "main", "m5", "user", 20, part("text", text="And geese?"))
    db.commit()
    after = agent.source_at(path.with_name(path.name + "-wal"))
    assert before is not None
    assert after is not None
    assert (before.path, before.stamp != after.stamp) == (after.path, True)
    assert reading.take(agent, after).emitted == 5
    same(reading.sessions, read_all(agent, after))
    db.execute("DELETE FROM sessions WHERE id = 'odd'")
    db.commit()
    reading.take(agent, agent.source_at(path))
    assert "odd" in reading.sessions  # what the program deletes stays with us


def test_a_session_touched_this_second_is_read_again(tmp_path: Path) -> None:
    import time

    db = make(tmp_path / ".crush" / "crush.db")
    now = int(time.time()) - START + 1
    add(db, "main", "m9", "assistant", now, part("text", text="half an ans"))
    db.commit()
    reading = Reading().take(CRUSH, CRUSH.source_at(tmp_path / ".crush" / "crush.db"))
    db.execute(
        "UPDATE messages SET parts = replace(parts, 'half an ans', 'whole answer') WHERE id = 'm9'"
    )
    db.commit()
    reading.take(CRUSH, CRUSH.source_at(tmp_path / ".crush" / "crush.db"))
    assert reading.sessions["main"].texts()[-1] == "whole answer"


def test_newer_crush_rows(tmp_path: Path) -> None:
    path = tmp_path / ".crush" / "crush.db"
    db = make(path)
    db.execute("UPDATE messages SET is_summary_message = 1 WHERE id = 'm4'")
    db.execute("UPDATE sessions SET created_at = created_at * 1000 WHERE id = 'main'")
    db.commit()
    main = read_all(CRUSH, CRUSH.source_at(path))["main"]
    assert main.roles[-1] == "summary"
    assert main.info.created_at == START * 1000


def test_many_messages_come_in_batches(tmp_path: Path) -> None:
    path = tmp_path / ".crush" / "crush.db"
    db = make(path)
    for number in range(1200):
        add(db, "main", f"n{number}", "user", 30 + number, part("text", text=f"line {number}"))
    db.commit()
    source = CRUSH.source_at(path)
    assert source is not None
    batches = [b for b in CRUSH.read(source, None) if b.session.native_id == "main"]
    assert [len(b.turns) for b in batches] == [500, 500, 204]
    assert [b.fresh for b in batches] == [True, False, False]
    assert [b.start for b in batches] == [0, 500, 1000]
    assert batches[-1].checkpoint is not None


def test_crush_projects_come_from_its_registry(tmp_path: Path) -> None:
    home = tmp_path / "home"
    make(tmp_path / "a" / ".crush" / "crush.db").close()
    make(tmp_path / "elsewhere" / "crush.db").close()
    make(tmp_path / "unlisted" / ".crush" / "crush.db").close()
    registry = home / ".local/share/crush/projects.json"
    registry.parent.mkdir(parents=True)
    registry.write_text(json.dumps({"projects": [
        {"path": str(tmp_path / "a"), "data_dir": str(tmp_path / "a" / ".crush")},
        {"path": str(tmp_path / "a"), "data_dir": ".crush"},
        {"path": str(tmp_path / "b"), "data_dir": str(tmp_path / "elsewhere")},
        {"path": str(tmp_path / "gone"), "data_dir": 7}, "rubbish", {"path": None},
    ]}))  # fmt: skip
    place = Place(home, {}, "linux")
    found = {s.path: s for s in CRUSH.sources(place)}
    assert set(found) == {str(tmp_path / "a/.crush/crush.db"), str(tmp_path / "elsewhere/crush.db")}
    moved = read_all(CRUSH, found[str(tmp_path / "elsewhere/crush.db")])["main"]
    assert moved.info.project == str(tmp_path / "b")
    resume = CRUSH.resume(moved.info)
    assert resume is not None
    assert resume.argv == ("crush", "--session", "main")
    assert resume.directory == str(tmp_path / "b")
    assert registry.parent in CRUSH.roots(place)
    registry.write_text("{broken")
    assert list(CRUSH.sources(place)) == []
    moved_registry = Place(home, {"CRUSH_GLOBAL_DATA": str(tmp_path / "data")}, "linux")
    assert CRUSH.roots(moved_registry)[0] == tmp_path / "data"


def test_crush_projects_that_no_registry_names_are_found_near_home(tmp_path: Path) -> None:
    for place in ("app/.crush", "work/client/app/.crush", "lib/own", "loud/.crush"):
        make(tmp_path / place / "crush.db").close()
    (tmp_path / "lib/.crush.json").write_text('{"options": {"data_directory": "own"}}')
    (tmp_path / "loud/crush.json").write_text('{"options": {"data_directory": 7}}')
    place = Place(tmp_path, {}, "linux")
    found = {Path(s.path).parent: s for s in CRUSH.sources(place)}
    assert {str(folder.relative_to(tmp_path)) for folder in found} == {
        "app/.crush", "work/client/app/.crush", "lib/own", "loud/.crush",
    }  # fmt: skip
    assert set(found) <= set(CRUSH.roots(place)), "they are watched"
    assert read_all(CRUSH, found[tmp_path / "lib/own"])["main"].info.project == str(
        tmp_path / "lib"
    )


def test_opencode_go_projects_are_found_near_home_and_by_registries(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for place in ("app", "work/client/app", "too/deep/for/us", ".hidden/app", "git/outer/inner"):
        make(home / place / ".opencode" / "opencode.db", later=False).close()
    (home / "git/outer/.git").mkdir()
    make(tmp_path / "mnt" / "big" / ".opencode" / "opencode.db", later=False).close()
    (home / ".claude.json").write_text(json.dumps({"projects": {str(tmp_path / "mnt/big"): {}}}))
    found = {Path(s.path).parent.parent for s in OPENCODE_GO.sources(Place(home, {}, "linux"))}
    # Not: five levels down, hidden, inside another checkout.
    assert found == {home / "app", home / "work/client/app", tmp_path / "mnt/big"}


def test_opencode_go_obeys_its_settings(tmp_path: Path) -> None:
    home = tmp_path / "home"
    make(home / "app" / "chats" / "opencode.db", later=False).close()
    make(home / "lib" / "own" / "opencode.db", later=False).close()
    (home / "lib" / ".opencode.json").write_text('{"data": {"directory": "own"}}')
    place = Place(home, {"XDG_CONFIG_HOME": str(tmp_path / "config")}, "linux")
    (found,) = OPENCODE_GO.sources(place)
    assert found.path == str(home / "lib" / "own" / "opencode.db")
    settings = tmp_path / "config" / "opencode" / ".opencode.json"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"data": {"directory": "chats"}}')
    assert len(list(OPENCODE_GO.sources(place))) == 2
    assert {s.info.project for s in read_all(OPENCODE_GO, found).values()} == {str(home / "lib")}
    settings.write_text(json.dumps({"data": {"directory": str(home / "app" / "chats")}}))
    assert [Path(s.path).parent.name for s in OPENCODE_GO.sources(place)] == ["chats", "own"]
    settings.write_text('{"data": [{"directory": 7}]}')
    assert len(list(OPENCODE_GO.sources(place))) == 1


def test_files_given_by_hand(made: tuple[Agent, Path, sqlite3.Connection], tmp_path: Path) -> None:
    agent, path, db = made
    head = path.read_bytes()[:65536]
    other = OPENCODE_GO if agent is CRUSH else CRUSH
    assert agent.sniff(path, head)
    assert not other.sniff(path, head) or agent is CRUSH
    assert not agent.sniff(path, b"{}")
    assert agent.source_at(path.parent / "crush.log") is None
    db.close()
    assert paths(path.parent) == [path.name]


def test_broken_databases(tmp_path: Path) -> None:
    broken = tmp_path / "crush.db"
    broken.write_bytes(MAGIC + os.urandom(5000))
    source = CRUSH.source_at(broken)
    assert source is not None
    with pytest.raises(SourceError):
        list(CRUSH.read(source, None))
    assert not CRUSH.sniff(broken, broken.read_bytes())
    other = tmp_path / "other.db"
    sqlite3.connect(other).executescript("CREATE TABLE t(a)").close()
    with pytest.raises(SourceError, match="no sessions"):
        list(CRUSH.read(CRUSH.source_at(other), None))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("agent", "pattern"),
    [(CRUSH, "crush/*/.crush/*.db"), (OPENCODE_GO, "opencode-go/*/.opencode/*.db")],
)
def test_real_databases(agent: Agent, pattern: str, tmp_path: Path) -> None:
    import shutil

    for number, original in enumerate(found_real(pattern)):
        copy = tmp_path / str(number) / original.name
        copy.parent.mkdir()
        for suffix in ("", "-wal"):
            if Path(f"{original}{suffix}").exists():
                shutil.copy(f"{original}{suffix}", f"{copy}{suffix}")
        sessions = read_all(agent, agent.source_at(original))
        db = sqlite3.connect(copy)
        counted = dict(
            db.execute(
                "SELECT s.id, count(m.id) FROM sessions s LEFT JOIN messages m ON m.session_id = s.id GROUP BY s.id"
            )
        )
        assert {key: s.coverage.records for key, s in sessions.items()} == counted
        for kind, got in (
            ("tool_call", sum(len(s.uses()) for s in sessions.values())),
            ("tool_result", sum(len(s.results()) for s in sessions.values())),
        ):
            (expected,) = db.execute(
                "SELECT count(*) FROM messages, json_each(parts) p WHERE json_extract(p.value, '$.type') = ?", (kind,)
            ).fetchone()  # fmt: skip
            assert got == expected
        (errors,) = db.execute(
            "SELECT count(*) FROM messages, json_each(parts) p WHERE json_extract(p.value, '$.data.is_error')"
        ).fetchone()
        assert sum(r.is_error is True for s in sessions.values() for r in s.results()) == errors
        texts = [
            text
            for (text,) in db.execute(
                "SELECT json_extract(p.value, '$.data.text') FROM messages, json_each(parts) p"
                " WHERE json_extract(p.value, '$.type') = 'text'"
            )
            if text.strip()
        ]
        assert sorted(t for s in sessions.values() for t in s.texts()) == sorted(texts)
        assert not any(s.coverage.bad or s.coverage.unknown for s in sessions.values())
        db.close()


def test_every_wrong_cell(made: tuple[Agent, Path, sqlite3.Connection]) -> None:
    agent, path, db = made
    db.close()
    assert torture_database(agent, path, rows=1, step=31) > 100
