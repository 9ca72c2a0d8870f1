"""Sessions that were only glanced at: their talk is here until their source is read.

An import of many files first writes what was said in each of them, so that everything is listed
and found within seconds, and then reads them. What a glance wrote is an ordinary session whose
``coverage`` is not known; it counts for nothing in the counters and is replaced whole by the first
turns its source gives. A source counts as unread until then, so an import that was killed in
between goes on with reading.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import apsw

from sparrow_tui.model import Usage
from sparrow_tui.store.index import EMPTY, GLANCES
from sparrow_tui.store.sums import OpenSession


def paths(db: apsw.Connection) -> set[str]:
    """The sources whose sessions were only glanced at."""
    rows = db.execute("SELECT source FROM session WHERE coverage IS NULL").fetchall()
    return {path for (path,) in rows}


def indexed(db: apsw.Connection) -> bool:
    """Whether the index holds anything that glances gave."""
    return _part(db, "high <> ?")


def emptied(db: apsw.Connection) -> bool:
    """Whether the index has parts that are left of what glances gave."""
    return _part(db, "high = ?")


def _part(db: apsw.Connection, which: str) -> bool:
    held = db.execute(f"SELECT 1 FROM part WHERE sealed = ? AND {which}", (GLANCES, EMPTY))
    return held.fetchone() is not None


def left(db: apsw.Connection, path: str) -> list[str]:
    """Ids of sessions a source was thought to hold, and that were not replaced."""
    rows = db.execute("SELECT id FROM session WHERE source = ? AND coverage IS NULL", (path,))
    return [session_id for (session_id,) in rows.fetchall()]


def vanished(db: apsw.Connection) -> list[str]:
    """Sources that were glanced at and are there no more, as far as that was not said yet."""
    rows = db.execute("SELECT source FROM session WHERE coverage IS NULL AND NOT source_gone")
    return [path for (path,) in rows.fetchall() if not os.path.exists(path)]


def mark_gone(db: apsw.Connection, gone: Iterable[str]) -> None:
    """Mark the sessions of sources that were glanced at and are there no more."""
    db.executemany(
        "UPDATE session SET source_gone = 1 WHERE source = ? AND coverage IS NULL",
        [(path,) for path in gone],
    )


def forget(session: OpenSession) -> None:
    """Begin the session anew; what its user decided about it stays."""
    session.glanced = False
    session.turns = session.chars = session.lines = 0
    session.usage = Usage()
    session.prompt = session.created_at = session.updated_at = session.source = None
