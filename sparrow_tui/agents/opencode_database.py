"""OpenCode's database: which sessions changed, and their rows as turns."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from typing import Any

from sparrow_tui.agents import sqlite_source
from sparrow_tui.agents.base import (
    Batch,
    Checkpoint,
    Source,
    SourceError,
)
from sparrow_tui.agents.by_session import Seen, cut
from sparrow_tui.agents.common import as_text, milliseconds
from sparrow_tui.agents.lines import parse
from sparrow_tui.agents.opencode_turns import entry_turns, session_info, turns
from sparrow_tui.model import Coverage, SessionInfo, Turn

CHUNK = 100
"""Messages whose parts are in memory at a time."""


TAIL = 5000
"""Newest parts among which one changed in place is looked for."""


SETTLED = 2000
"""Milliseconds after which a part that was written is not written again unnoticed."""


_SESSION = (
    "id", "parent_id", "directory", "path", "title", "version", "revert", "model",
    "time_created", "time_updated", "time_archived",
)  # fmt: skip


def read_database(source: Source, since: Checkpoint | None) -> Iterator[Batch]:
    """Sessions whose row, messages or parts changed, newest first.

    Raises:
        SourceError: the database cannot be read, or has no ``session`` table.
    """
    seen = Seen(since)
    state = since.state if since is not None and isinstance(since.state, dict) else {}
    high = state.get("high")
    with sqlite_source.opened(source.path) as connection:
        if not sqlite_source.tables(connection).issuperset(("session", "message")):
            raise SourceError("it has no session and message tables")
        messages = _counts(connection, "message", "count(*), max(time_updated)")
        parts = _counts(connection, "part", "count(*), max(rowid)")
        entries = _counts(connection, "session_message", "count(*), max(time_updated)")
        touched, newest = _touched(connection, high)
        rows = sqlite_source.rows(connection, "session", _SESSION, "ORDER BY time_updated DESC")
        changed: list[tuple[dict[str, Any], list[Any]]] = []
        for row in rows:
            session_id = as_text(row["id"])
            mark = [row["time_updated"], row["time_archived"], *messages.get(session_id, ())]
            mark += [*parts.get(session_id, ()), *entries.get(session_id, ())]
            if session_id and (session_id in touched or not seen.same(session_id, mark)):
                changed.append((row, mark))
        for number, (row, mark) in enumerate(changed, 1):
            session_id = as_text(row["id"])
            info = session_info(row)
            coverage = Coverage()
            if session_id in messages:
                made = _turns(connection, row, info, coverage)
            else:
                made = _entries(connection, session_id, info, coverage)
            last: Batch | None = None
            for batch in cut(info, made, coverage):
                if last is not None:
                    yield last
                last = batch
            seen.note(session_id, mark)
            if last is not None:
                last.checkpoint = seen.checkpoint()
                # The time moves on only with the last session: others touched are still to come.
                last.checkpoint.state["high"] = newest if number == len(changed) else high
                yield last


def _counts(connection: sqlite3.Connection, table: str, what: str) -> dict[str, tuple[Any, ...]]:
    if not sqlite_source.columns(connection, table).issuperset(("session_id", "time_updated")):
        return {}
    found = sqlite_source.query(
        connection, f"SELECT session_id, {what} FROM {table} GROUP BY session_id"
    )
    return {as_text(row[0]): tuple(row)[1:] for row in found}


def _touched(connection: sqlite3.Connection, high: Any) -> tuple[set[str], Any]:
    """Sessions with a part rewritten since (a tool's state, a growing text), and the new time."""
    if not sqlite_source.columns(connection, "part").issuperset(("session_id", "time_updated")):
        return set(), None
    found = sqlite_source.query(
        connection,
        "SELECT session_id, max(time_updated) FROM part WHERE rowid >"
        " (SELECT coalesce(max(rowid), 0) FROM part) - ? GROUP BY session_id",
        (TAIL,),
    )
    times = [row[1] for row in found if isinstance(row[1], int)]
    touched = {
        as_text(row[0])
        for row in found
        if isinstance(high, int) and isinstance(row[1], int) and row[1] > high
    }
    # What was written just now may be written again in the same millisecond.
    settled = int(time.time() * 1000) - SETTLED
    return touched, min(max(times), settled) if times else high


def _turns(
    connection: sqlite3.Connection, row: dict[str, Any], info: SessionInfo, coverage: Coverage
) -> Iterator[Turn]:
    ids = [
        as_text(found[0])
        for found in sqlite_source.query(
            connection,
            "SELECT id FROM message WHERE session_id = ? ORDER BY time_created, id",
            (row["id"],),
        )
    ]
    revert = object_of(row["revert"])
    cut_off = as_text(revert.get("messageID"))
    undone = False
    for first in range(0, len(ids), CHUNK):
        wanted = ids[first : first + CHUNK]
        marks = ",".join("?" * len(wanted))
        rows = sqlite_source.rows(
            connection, "message", ("id", "time_created", "data"), f"WHERE id IN ({marks})", wanted
        )
        by_id = {as_text(found["id"]): found for found in rows}
        parts: dict[str, list[Any]] = {}
        for part in sqlite_source.rows(
            connection,
            "part",
            ("id", "message_id", "data"),
            f"WHERE message_id IN ({marks}) ORDER BY message_id, id",
            wanted,
        ):
            value = parse(part["data"]) if isinstance(part["data"], str | bytes) else None
            if value is None:
                coverage.records += 1
                coverage.bad += 1
                continue
            parts.setdefault(as_text(part["message_id"]), []).append(value)
        for message_id in wanted:
            undone = undone or message_id == cut_off
            found = by_id.get(message_id)
            message = object_of(found["data"]) if found is not None else {}
            if found is None or not message:
                coverage.records += 1
                coverage.bad += 1
                continue
            message["id"] = message_id
            message.setdefault("time_created", found["time_created"])
            for turn in turns(message, parts.get(message_id, []), coverage, undone):
                info.model = turn.model or info.model
                yield turn


def _entries(
    connection: sqlite3.Connection, session_id: str, info: SessionInfo, coverage: Coverage
) -> Iterator[Turn]:
    """A session that is only in the newer table; older ones are in both, and read from `part`."""
    there = sqlite_source.columns(connection, "session_message")
    order = "seq" if "seq" in there else "time_created, id"
    for row in sqlite_source.rows(
        connection,
        "session_message",
        ("id", "type", "time_created", "data"),
        f"WHERE session_id = ? ORDER BY {order}",
        (session_id,),
    ):
        data = parse(row["data"]) if isinstance(row["data"], str | bytes) else None
        if not isinstance(data, dict):
            coverage.records += 1
            coverage.bad += 1
            continue
        moment = milliseconds(row["time_created"])
        for turn in entry_turns(as_text(row["type"]), data, as_text(row["id"]), moment, coverage):
            info.model = turn.model or info.model
            yield turn


def object_of(value: Any) -> dict[str, Any]:
    """A JSON object, given as such or as text; empty for anything else."""
    if isinstance(value, str | bytes):
        value = parse(value)
    return value if isinstance(value, dict) else {}
