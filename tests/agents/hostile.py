"""Readers put to the test: files that grow bit by bit, and records of every wrong shape."""

from __future__ import annotations

import copy
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from session_reading import Reading, Session, read_all, same

from sparrow_tui.agents.base import Agent, Batch, Source, SourceError
from sparrow_tui.model import text_form
from sparrow_tui.store.prepared import prepare

ODD: tuple[Any, ...] = (
    None,
    5,
    -1.5,
    True,
    "x",
    "\ud83d\x00\x1b[31m",
    [],
    {},
    [None, 7],
    {"type": "new"},
    10**40,
    float("inf"),
    float("nan"),
)
At = Callable[[Path], Source | None]


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where in a JSON value something could be replaced."""
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in items:
        yield (*at, key)
        yield from places(inner, (*at, key))


def mutations(value: Any, odd: tuple[Any, ...] = ODD) -> Iterator[Any]:
    """Copies of a JSON value with one place replaced or left out."""
    for place in places(value):
        for other in (*odd, ...):
            changed = copy.deepcopy(value)
            inner = changed
            for key in place[:-1]:
                inner = inner[key]
            if other is ...:
                del inner[place[-1]]
            else:
                inner[place[-1]] = other
            yield changed


def adds_up(sessions: dict[str, Session]) -> None:
    """Every record was kept, skipped or bad; facts and turns can be stored and searched."""
    for session in sessions.values():
        prepare(Batch(session.info, 0, session.turns))
        coverage = session.coverage
        assert coverage.records == coverage.kept + coverage.skipped + coverage.bad, coverage
        for turn in session.turns:
            text_form(turn.blocks).encode()


def grow(agent: Agent, path: Path, steps: int = 40) -> None:
    """Read a copy of a line file at many lengths, lines cut in half: it ends as a whole reading does."""
    data = path.read_bytes()
    cuts = sorted({len(data) * step // steps for step in range(1, steps + 1)})
    cuts = sorted({*cuts, *(i + 1 for i, byte in enumerate(data) if byte == 10), len(data)})
    reading = Reading()
    for cut in cuts:
        path.write_bytes(data[:cut])
        if agent.source_at(path) is not None:
            reading.take(agent, agent.source_at(path))
            adds_up(reading.sessions)
    expected = read_all(agent, agent.source_at(path))
    known = {key: reading.sessions[key] for key in expected}
    same(known, expected)
    assert reading.take(agent, agent.source_at(path)).emitted <= 2  # at most what is still open


def rewrite(agent: Agent, path: Path) -> None:
    """A file cut short, grown again with other lines, or replaced is read anew."""
    data = path.read_bytes()
    lines = data.splitlines(keepends=True)
    reading = Reading().take(agent, agent.source_at(path))
    path.write_bytes(b"".join(lines[:-1]))
    reading.take(agent, agent.source_at(path))
    same(reading.sessions, read_all(agent, agent.source_at(path)))
    path.write_bytes(b"".join([*lines[:-2], lines[-1], lines[-1]]))
    reading.take(agent, agent.source_at(path))
    same(reading.sessions, read_all(agent, agent.source_at(path)))
    path.write_bytes(data)


def torture_lines(agent: Agent, path: Path) -> int:
    """A line file in which every record appears in every wrong shape; number of lines tried."""
    lines = path.read_bytes().splitlines()
    broken = [b"\xff\xfe{", b"null", b"[]", b'"', b"5", b'{"type":', b"[" * 5000, b"{}", b""]
    for line in lines:
        broken.extend(json.dumps(changed).encode() for changed in mutations(json.loads(line)))
    path.write_bytes(b"\n".join([*lines, *broken, *lines]) + b"\n")
    reading = Reading().take(agent, agent.source_at(path))
    adds_up(reading.sessions)
    msgspec.json.encode(reading.checkpoint)
    return len(broken)


def torture_document(
    agent: Agent,
    path: Path,
    document: Any,
    odd: tuple[Any, ...] = (None, 5, "x\ud83d", [], {}, 10**40),
) -> int:
    """A JSON file with every place replaced by something odd; number of documents tried."""
    tried = 0
    for changed in mutations(document, odd):
        path.write_text(json.dumps(changed))
        try:
            adds_up(read_all(agent, agent.source_at(path)))
        except SourceError:
            pass
        tried += 1
    whole = json.dumps(document)
    for cut in range(0, len(whole), max(1, len(whole) // 50)):
        path.write_text(whole[:cut])
        try:
            adds_up(read_all(agent, agent.source_at(path)))
        except SourceError:
            pass
    return tried


CELLS: tuple[Any, ...] = (None, 5, "x", "{}", "[7]", "null", b"\xff\x00", 1 << 62)


def torture_database(agent: Agent, path: Path, rows: int = 3, step: int = 9) -> int:
    """A database with cells of every kind replaced, JSON in them mutated; number of tries."""
    whole = path.read_bytes()
    tried = 0
    for table, column, row in _cells(path, rows):
        with closing(sqlite3.connect(path)) as db:
            value = db.execute(
                f'SELECT "{column}" FROM "{table}" WHERE rowid = ?', (row,)
            ).fetchone()[0]
        values = list(CELLS)
        if isinstance(value, str | bytes):
            try:
                changed = mutations(json.loads(value), (None, 7, "x", [], {}))
            except ValueError:
                changed = iter(())
            values += [json.dumps(other) for other in islice(changed, tried % step, None, step)]
        for other in values:
            with closing(sqlite3.connect(path)) as db, suppress(sqlite3.Error):
                db.execute(f'UPDATE "{table}" SET "{column}" = ? WHERE rowid = ?', (other, row))
                db.commit()
            with suppress(SourceError):
                adds_up(read_all(agent, agent.source_at(path)))
            path.write_bytes(whole)
            tried += 1
    return tried


def _cells(path: Path, rows: int) -> list[tuple[str, str, int]]:
    """Table, column and row number of the first rows of every table."""
    found = []
    with closing(sqlite3.connect(path)) as db:
        tables = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            with suppress(sqlite3.Error):
                columns = [row[1] for row in db.execute(f'PRAGMA table_info("{table}")')]
                numbers = db.execute(f'SELECT rowid FROM "{table}" LIMIT ?', (rows,)).fetchall()
                found += [(table, column, row) for (row,) in numbers for column in columns]
    return found
