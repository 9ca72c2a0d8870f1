"""Session rows read from the tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import apsw
import msgspec

from sparrow_tui.model import Coverage, Usage
from sparrow_tui.store.base import Session
from sparrow_tui.titles import unmarked

COLUMNS = (
    "sid, id, agent, coalesce(nullif(name, ''), nullif(title, ''), nullif(prompt, ''), ''), name,"
    " status, project, branch, model, created_at, updated_at, turns, parent, parent_tool_use,"
    " input, output, cache_read, cache_write, reasoning, requests, request_errors, tool_calls,"
    " tool_errors, cost_micro, unpriced, chars, lines, coverage, source, source_gone, expires_at,"
    " pinned, hidden, ghost, tags, extra"
)

_coverage = msgspec.json.Decoder(Coverage).decode
_extra = msgspec.json.Decoder(dict[str, Any]).decode
_tags = msgspec.json.Decoder(tuple[str, ...]).decode


def session(row: Sequence[Any]) -> Session:
    """A `Session` from a row of `COLUMNS`."""
    return Session(
        sid=row[0],
        id=row[1],
        agent=row[2],
        title=row[3] if row[4] else unmarked(row[3]),
        name=row[4],
        status=row[5],
        project=row[6],
        branch=row[7],
        model=row[8],
        created_at=row[9],
        updated_at=row[10],
        turns=row[11],
        parent=row[12],
        parent_tool_use=row[13],
        usage=Usage(row[14], row[15], row[16], row[17], row[18]),
        requests=row[19],
        request_errors=row[20],
        tool_calls=row[21],
        tool_errors=row[22],
        cost_micro=row[23],
        unpriced=row[24],
        chars=row[25],
        lines=row[26],
        coverage=_coverage(row[27]) if row[27] else None,
        source=row[28],
        source_gone=bool(row[29]),
        expires_at=row[30],
        pinned=bool(row[31]),
        hidden=bool(row[32]),
        ghost=bool(row[33]),
        tags=_tags(row[34]) if row[34] else (),
        extra=_extra(row[35]) if row[35] else {},
    )


def select(connection: apsw.Connection, rest: str, values: Sequence[Any] = ()) -> list[Session]:
    """Sessions for the part of a query after ``FROM session``."""
    query = f"SELECT {COLUMNS} FROM session {rest}"
    return [session(row) for row in connection.execute(query, tuple(values)).fetchall()]


def sessions_by_sid(connection: apsw.Connection, sids: Iterable[int]) -> dict[int, Session]:
    """Sessions by number; numbers there are none of are left out."""
    wanted = msgspec.json.encode(list(sids)).decode()
    rows = select(connection, "WHERE sid IN (SELECT value FROM json_each(?))", (wanted,))
    return {row.sid: row for row in rows}
