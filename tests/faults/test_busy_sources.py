"""Databases that their own programs hold: nothing is lost, and they are read once they are free."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from sparrow_tui.agents import opencode_database, sqlite_source
from sparrow_tui.agents.base import Place, Source, SourceBusy, SourceError
from sparrow_tui.cli import main
from sparrow_tui.model import Text
from sparrow_tui.store import open_store, sources
from sparrow_tui.store.sqlite import SqliteStore
from sparrow_tui.sync import follow, importing, process
from tests.waiting import until

SCHEMA = """
CREATE TABLE session(id TEXT PRIMARY KEY, project_id TEXT, parent_id TEXT, directory TEXT,
  title TEXT, version TEXT, time_created INTEGER, time_updated INTEGER);
CREATE TABLE message(id TEXT PRIMARY KEY, session_id TEXT, time_created INTEGER,
  time_updated INTEGER, data TEXT);
CREATE TABLE part(id TEXT PRIMARY KEY, message_id TEXT, session_id TEXT, time_created INTEGER,
  time_updated INTEGER, data TEXT);
INSERT INTO session VALUES('ses_1', 'p', NULL, '/w/pond', 'Ducks', '1.4.0', 1764576000000,
  1764576000000);
"""
SESSION = "opencode:ses_1"
HOLDER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
for line in sys.stdin:
    for statement in line.split(";"):
        db.execute(statement)
    print("done", flush=True)
"""
"""Another program: it does what it is told, a line at a time, and holds what it opened."""


def said(number: int, text: str, session: str = "ses_1") -> str:
    """The statements with which OpenCode writes one message down, on one line."""
    at = 1_764_576_000_000 + number
    data = json.dumps({"role": "user" if number % 2 else "assistant", "time": {"created": at}})
    part = json.dumps({"type": "text", "text": text})
    return (
        f"INSERT INTO message VALUES('msg_{number}', '{session}', {at}, {at}, '{data}');"
        f"INSERT INTO part VALUES('prt_{number}', 'msg_{number}', '{session}', {at}, {at},"
        f" '{part}'); UPDATE session SET time_updated = {at} WHERE id = '{session}';"
    )


Tell = Callable[[str], None]


@pytest.fixture
def database(private_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """OpenCode's, with two messages, at rest."""
    monkeypatch.setattr(sqlite_source, "BUSY_SECONDS", 0.05)
    path = private_home / ".local/share/opencode/opencode.db"
    path.parent.mkdir(parents=True)
    db = sqlite3.connect(path)
    db.executescript(SCHEMA + said(1, "first") + said(2, "second"))
    db.close()
    return path


@pytest.fixture
def tell(database: Path) -> Iterator[Tell]:
    """Another process that has the database open; killed with the test."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(database)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip

    def tell(statements: str) -> None:
        assert holder.stdin is not None
        assert holder.stdout is not None
        holder.stdin.write(statements + "\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == "done\n"

    yield tell
    holder.kill()
    holder.communicate()


def texts(location: str) -> list[str]:
    store = open_store(location)
    try:
        blocks = [block for turn in store.turns(SESSION) for block in turn.blocks]
        return [block.text for block in blocks if isinstance(block, Text)]
    finally:
        store.close()


def test_a_database_held_exclusively_is_read_once_it_is_free(
    database: Path, tell: Tell, location: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tell("BEGIN EXCLUSIVE;")
    assert main(["sync", "--store", location]) == 1
    error = capsys.readouterr().err
    assert error.splitlines() == [
        f"opencode: {database}: the database is locked by its program; the next sync reads it"
    ]
    assert texts(location) == []
    tell("COMMIT;")  # without a change: the file is as it was
    assert main(["sync", "--store", location]) == 0
    assert texts(location) == ["first", "second"]
    tell(said(3, "third") + "BEGIN EXCLUSIVE;")
    assert main(["sync", "--store", location]) == 1
    assert texts(location) == ["first", "second"], "what was read stays"
    tell(said(4, "fourth"))  # in a journal beside it, not committed
    assert main(["sync", "--store", location]) == 0
    assert texts(location) == ["first", "second", "third"]
    tell("COMMIT;")
    assert main(["sync", "--store", location]) == 0
    assert texts(location) == ["first", "second", "third", "fourth"]
    assert main(["sync", "--store", location]) == 0


def test_a_writer_with_a_log_holds_nobody_up(tell: Tell, location: str) -> None:
    tell("PRAGMA journal_mode=WAL;")
    tell("BEGIN EXCLUSIVE;" + said(3, "third"))
    assert main(["sync", "--store", location]) == 0
    assert texts(location) == ["first", "second"]
    tell("COMMIT;")
    assert main(["sync", "--store", location]) == 0
    assert texts(location) == ["first", "second", "third"]


def test_who_follows_tries_a_held_database_again(
    tell: Tell, location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "AGAIN", 0.05)
    told: list[str] = []
    monkeypatch.setattr(process, "emit", lambda item: told.append(item.phase))
    tell("BEGIN EXCLUSIVE;")
    stop = Event()
    following = Thread(target=process.run, args=(location, (), stop), kwargs={"follow_on": True})
    following.start()
    try:
        until(lambda: "watching" in told, "it follows")
        assert texts(location) == []
        tell("COMMIT;")
        until(lambda: texts(location) == ["first", "second"], "it is read without a change")
    finally:
        stop.set()
        following.join(30)
    assert not following.is_alive()


def test_what_breaks_off_in_a_session_loses_nothing_of_it(
    database: Path, tell: Tell, location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock comes between two queries of one session that is read again from its beginning."""
    assert main(["sync", "--store", location]) == 0
    tell(said(3, "third"))
    turns = opencode_database.turns
    made = 0

    def breaks_off(*given: object) -> object:
        nonlocal made
        made += 1
        if made == 2:
            raise SourceBusy("locked")
        return turns(*given)  # type: ignore[arg-type]

    monkeypatch.setattr("sparrow_tui.agents.by_session.BATCH_TURNS", 1)
    monkeypatch.setattr(opencode_database, "turns", breaks_off)
    assert main(["sync", "--store", location]) == 1
    assert texts(location) == ["first", "second"]
    monkeypatch.setattr(opencode_database, "turns", turns)
    assert main(["sync", "--store", location]) == 0
    assert texts(location) == ["first", "second", "third"]


def test_what_the_system_refused_is_tried_again(
    database: Path, location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file's permissions change, and neither its size nor its time does."""
    allowed = sqlite_source.opened

    def refused(path: Path) -> object:
        raise SourceError("it cannot be opened: Permission denied") from PermissionError(13, "no")

    monkeypatch.setattr(sqlite_source, "opened", refused)
    assert main(["sync", "--store", location]) == 1
    assert main(["sync", "--store", location]) == 1, "it is told as long as it is so"
    monkeypatch.setattr(sqlite_source, "opened", allowed)
    assert main(["sync", "--store", location]) == 0
    assert texts(location) == ["first", "second"]


def test_a_database_in_use_is_read_once_for_each_change(
    database: Path, tell: Tell, location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who reads it opens its log as writers do, which a watcher takes for a change."""
    reads: list[int] = []
    read = importing.import_sources

    def noted(store: SqliteStore, found: list[Source], *given: object, **more: object) -> None:
        reads.append(len(found))
        read(store, found, *given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(importing, "import_sources", noted)
    monkeypatch.setattr(sources, "TICK", 0)
    store = open_store(location)
    place = Place.here()
    roots = follow.roots_of(place)

    def hears_of_it() -> list[int]:
        process._apply(store, {f"{database}-wal"}, roots, place)
        return reads

    try:
        tell("PRAGMA journal_mode=WAL;" + said(3, "third"))
        assert hears_of_it() == [1]
        assert hears_of_it() == [1], "nothing was written"
        tell(said(4, "fourth"))
        assert hears_of_it() == [1, 1]
        assert texts(location) == ["first", "second", "third", "fourth"]
    finally:
        store.close()


def test_a_database_that_was_gone_has_its_sessions_again(database: Path, location: str) -> None:
    def gone() -> list[bool]:
        store = open_store(location)
        try:
            return [session.source_gone for session in store.list()]
        finally:
            store.close()

    assert main(["sync", "--store", location]) == 0
    away = database.rename(database.with_suffix(".away"))
    assert main(["sync", "--store", location]) == 0
    assert gone() == [True]
    away.rename(database)
    assert main(["sync", "--store", location]) == 0
    assert gone() == [False]
    assert texts(location) == ["first", "second"]
