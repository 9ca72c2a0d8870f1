"""What turns a source offers have in common with those that are stored."""

from __future__ import annotations

import os
from collections.abc import Sequence

import apsw

from sparrow_tui.store.codec import Row
from sparrow_tui.store.prepared import Prepared
from sparrow_tui.store.sums import OpenSession

SLIDE_LOOKBACK = 500
"""How many stored turns are compared with a sliding source's content."""


def equal(db: apsw.Connection, sid: int, start: int, rows: Sequence[Row]) -> int:
    """How many of the turns from ``start`` on are stored already."""
    same = 0
    for digest, row in zip(_digests(db, sid, start, start + len(rows)), rows, strict=False):
        if digest != row.digest:
            break
        same += 1
    return same


def align(db: apsw.Connection, session: OpenSession, rows: list[Row]) -> tuple[list[Row], int]:
    """Where a sliding source's content goes on from what is stored.

    Finds the longest run of stored turns at the end that the source begins with; the
    turns after it are new.
    """
    stored = _digests(db, session.sid, max(0, session.turns - SLIDE_LOOKBACK), session.turns)
    offered = [row.digest for row in rows]
    for length in range(min(len(stored), len(offered)), 0, -1):
        if stored[-length:] == offered[:length]:
            return rows[length:], session.turns
    # The end of what is stored may have been dropped again at the source (an answer undone):
    # then the source is a run somewhere inside what is stored and brings nothing new.
    for at in range(len(stored) - len(offered) + 1):
        if stored[at : at + len(offered)] == offered:
            return [], session.turns
    return rows, session.turns


def is_copy(session: OpenSession, item: Prepared) -> bool:
    """Whether a part is of a session that another source holds and still has."""
    held = session.source
    if item.source is None or not (item.rows or item.fresh) or session.ghost or not held:
        return False
    return held != item.source.path and os.path.exists(held)


def beyond(
    db: apsw.Connection, session: OpenSession, rows: list[Row], start: int
) -> tuple[list[Row], int]:
    """What a copy has more than is stored; one that tells another story adds nothing.

    The last turn stored may have been written before it was whole.
    """
    known = session.turns - start
    if not 0 <= known < len(rows):
        return [], start
    stored = _digests(db, session.sid, start, session.turns)
    if any(a != b.digest for a, b in zip(stored[:-1], rows, strict=False)):
        return [], start
    return rows, start


def _digests(db: apsw.Connection, sid: int, start: int, end: int) -> list[int]:
    """Fingerprints of stored turns ``start`` .. ``end``, in order."""
    rows = db.execute(
        "SELECT digest FROM turn WHERE sid = ? AND idx >= ? AND idx < ? ORDER BY idx",
        (sid, start, end),
    ).fetchall()
    return [digest for (digest,) in rows]
