"""The tables beside the turns: tool calls paired with their results, and pictures."""

from __future__ import annotations

from collections.abc import Sequence

import apsw
import msgspec

from sparrow_tui.store.codec import Row
from sparrow_tui.store.durations import Call

_USE = (
    "INSERT INTO call(sid, id, name, use_idx, started) VALUES (?,?,?,?,?)"
    " ON CONFLICT(sid, id) DO UPDATE SET name = excluded.name, use_idx = excluded.use_idx,"
    " started = excluded.started, duration_ms = coalesce(duration_ms, ended - excluded.started)"
)
_RESULT = (
    "INSERT INTO call(sid, id, result_idx, is_error, ended, duration_ms, child)"
    " VALUES (?,?,?,?,?,?,?) ON CONFLICT(sid, id) DO UPDATE SET"
    " result_idx = excluded.result_idx, is_error = excluded.is_error, ended = excluded.ended,"
    " child = coalesce(excluded.child, child),"
    " duration_ms = coalesce(excluded.duration_ms, excluded.ended - started)"
)
_FORGET_USE = "UPDATE call SET use_idx = NULL WHERE sid = ? AND id = ?"
_FORGET_RESULT = (
    "UPDATE call SET result_idx = NULL, is_error = NULL, ended = NULL, duration_ms = NULL"
    " WHERE sid = ? AND id = ?"
)


def record(db: apsw.Connection, sid: int, first: int, rows: Sequence[Row]) -> None:
    """Write down the calls, results and pictures of turns ``first`` on."""
    uses, results, pictures, users = [], [], [], []
    for position, row in enumerate(rows, first):
        for call, name in row.calls:
            uses.append((sid, call, name, position, row.time))
        for call, is_error, duration, child in row.results:
            results.append((sid, call, position, is_error, row.time, duration, child or None))
        for ref, media_type, data in row.pictures:
            pictures.append((ref, media_type, data))
            users.append((sid, ref))
    if uses:
        db.executemany(_USE, uses)
    if results:
        db.executemany(_RESULT, results)
    if pictures:
        db.executemany("INSERT OR IGNORE INTO attachment VALUES (?,?,?)", pictures)
        db.executemany("INSERT OR IGNORE INTO attachment_use VALUES (?,?)", users)


def answered(db: apsw.Connection, sid: int, rows: Sequence[Row]) -> dict[str, Call]:
    """The calls that results among some turns answer, by id."""
    ids = [result[0] for row in rows for result in row.results if result[0]]
    if not ids:
        return {}
    found = db.execute(
        "SELECT id, name, started FROM call WHERE sid = ?"
        " AND id IN (SELECT value FROM json_each(?))",
        (sid, msgspec.json.encode(ids).decode()),
    ).fetchall()
    return {call: Call(name or "", started) for call, name, started in found}


def forget(db: apsw.Connection, sid: int, rows: Sequence[Row]) -> None:
    """Take back the calls and results of turns that are being replaced."""
    uses = [(sid, call) for row in rows for call, _ in row.calls]
    results = [(sid, result[0]) for row in rows for result in row.results]
    if uses:
        db.executemany(_FORGET_USE, uses)
    if results:
        db.executemany(_FORGET_RESULT, results)
    if uses or results:
        db.execute(
            "DELETE FROM call WHERE sid = ? AND use_idx IS NULL AND result_idx IS NULL", (sid,)
        )


def forget_session(db: apsw.Connection, sid: int) -> None:
    """Drop a session's calls and hours, and the pictures no other session shows."""
    db.execute("DELETE FROM call WHERE sid = ?", (sid,))
    db.execute("DELETE FROM presence WHERE sid = ?", (sid,))
    refs = db.execute("SELECT ref FROM attachment_use WHERE sid = ?", (sid,)).fetchall()
    db.execute("DELETE FROM attachment_use WHERE sid = ?", (sid,))
    for (ref,) in refs:
        if not db.execute("SELECT 1 FROM attachment_use WHERE ref = ?", (ref,)).fetchone():
            db.execute("DELETE FROM attachment WHERE ref = ?", (ref,))
