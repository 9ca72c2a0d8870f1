"""Free row ids for turns that are being written, at the times of the turns (see `docid`)."""

from __future__ import annotations

import time

import apsw

from sparrow_tui.store import docid
from sparrow_tui.store.sums import OpenSession


class RowIds:
    """Gives out row ids. Its caller holds the transaction."""

    def __init__(self, connection: apsw.Connection, beside: apsw.Connection | None = None) -> None:
        """Prepare.

        Args:
            connection: to the archive that is written.
            beside: to another one, whose chunks are not used either.
        """
        self._db = connection
        self._both = (connection,) if beside is None else (connection, beside)
        self._room: dict[int, int] = {}
        """Where a full step's chunks go on: step's first chunk number → a later step's."""

    def following(self, session: OpenSession, moment: int | None) -> int:
        """A free row id at a turn's time; a turn without a time stands beside its neighbour."""
        if moment is None:
            moment = session.updated_at or session.created_at or int(time.time() * 1000)
        second = docid.second_of(moment)
        if session.last is None and session.turns:
            session.last, session.since = self._db.execute(
                "SELECT docid, second FROM turn JOIN chunk ON no = docid >> ?"
                " WHERE turn.sid = ? ORDER BY idx DESC LIMIT 1",
                (docid.PLACE_BITS, session.sid),
            ).fetchone()
        following = None if session.last is None else session.last + 1
        if (
            following is None
            or following % docid.PLACES == 0
            or abs(second - session.since) > docid.SPAN
        ):
            number = self._free_chunk(docid.first_chunk(second))
            self._db.execute("INSERT INTO chunk VALUES (?, ?, ?)", (number, session.sid, second))
            following, session.since = docid.first_of(number), second
        session.last = following
        return following

    def _free_chunk(self, first: int) -> int:
        """The first chunk number from ``first`` on that nobody has, step by step."""
        while True:
            # Steps found full lead to where there was room last time.
            start = self._room.get(first, first)
            end = start | ((1 << docid.STEP_BITS) - 1)
            top = max(self._top(db, start, end) for db in self._both)
            if top < end:
                return top + 1
            self._room[first] = start + (1 << docid.STEP_BITS)

    @staticmethod
    def _top(db: apsw.Connection, start: int, end: int) -> int:
        """The highest number of a chunk between two, or the one before them."""
        top = db.execute("SELECT max(no) FROM chunk WHERE no BETWEEN ? AND ?", (start, end)).get
        return start - 1 if top is None else int(top)
