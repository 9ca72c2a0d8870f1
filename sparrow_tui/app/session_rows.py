"""The rows of the session list: sessions, headings of groups, and what is known of them."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence

from sparrow_tui.store.base import SessionHit
from sparrow_tui.store.grouping import Group

KEPT_DETAILS = 2_000
"""Rows whose details are kept."""


class SessionRows:
    """Rows in order. A row is a session or a group's heading; numbers are held, not objects."""

    def __init__(
        self,
        sids: Sequence[int] = (),
        groups: Sequence[Group] = (),
        counts: Mapping[int, int] = {},
        grouping: str = "",
    ) -> None:
        """Prepare.

        Args:
            sids: sessions in order.
            groups: the groups they are in, if any.
            counts: hits by session, where known.
            grouping: what the groups are groups of.
        """
        self.sids = sids
        self.groups = groups
        self.counts = counts
        self.grouping = grouping
        self.details: dict[int, SessionHit] = {}
        """What is known of sessions, by number."""
        self._rows: Sequence[int] = sids
        if groups:
            rows = array("q")
            for number, group in enumerate(groups):
                rows.append(-1 - number)
                rows.extend(group.sids)
            self._rows = rows
        self._places: dict[int, int] | None = None
        self._asked: set[int] = set()

    def __len__(self) -> int:
        """Number of rows, headings too."""
        return len(self._rows)

    def sid(self, row: int) -> int | None:
        """The session in a row; ``None``: it is a heading, or there is no such row."""
        number = self._rows[row] if 0 <= row < len(self._rows) else -1
        return number if number >= 0 else None

    def group(self, row: int) -> Group | None:
        """The group a row is the heading of."""
        number = self._rows[row] if 0 <= row < len(self._rows) else 0
        return self.groups[-1 - number] if number < 0 else None

    def row_of(self, sid: int, otherwise: int) -> int:
        """The row a session is in; if it is in none, the nearest to another that holds one."""
        if self.sid(otherwise) == sid:
            return otherwise
        if self._places is None:
            self._places = {number: row for row, number in enumerate(self._rows)}
        return self._places.get(sid, self.session_row(otherwise))

    def session_row(self, row: int, step: int = 1) -> int:
        """The nearest row with a session: this one, else further on, else further back.

        Args:
            row: any number.
            step: the direction to look in first; 1 or -1.
        """
        row = max(0, min(row, len(self._rows) - 1))
        if self.group(row) is None:
            return row
        # A heading is never alone: there is a session below it.
        return row - 1 if step < 0 and row > 0 else row + 1

    def span(self, first: int, last: int) -> list[int]:
        """Sessions in the rows ``first`` .. ``last``, as far as there are such rows."""
        return [number for number in self._rows[max(0, first) : max(0, last)] if number >= 0]

    def learn(self, details: Mapping[int, SessionHit], visible: Iterable[int]) -> None:
        """Take in what is known of sessions; too much is forgotten, but not of visible ones."""
        if len(self.details) > KEPT_DETAILS:
            kept = set(visible)
            self.details = {sid: hit for sid, hit in self.details.items() if sid in kept}
        self.details.update(details)
        self._asked.difference_update(details)

    def unknown(self, sids: Iterable[int]) -> list[int]:
        """Which of some sessions are not known; each is told once."""
        missing = [sid for sid in sids if sid not in self.details and sid not in self._asked]
        self._asked.update(missing)
        return missing
