"""A session as a column of marks, and the scrollbar beside it: positions and looks, no drawing."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

from sparrow_tui.store.places import Bucket

NUMBER = 400
"""Stretches a session is divided into."""


class Minimap:
    """Where turns are on a scale of estimated heights."""

    def __init__(
        self,
        buckets: Sequence[Bucket] = (),
        total: int = 0,
        hits: Sequence[int] = (),
        width: int = 80,
    ) -> None:
        """Draw the map, as far as is known.

        Args:
            buckets: the session's stretches, from its beginning on.
            total: its turns; those not in a stretch yet are taken to be like those that are.
            hits: turns that match, in order; more may be added to it later.
            width: cells of a line of text.
        """
        self.is_complete = _known(buckets) >= total
        self._buckets = buckets if self.is_complete else [*buckets, _guessed(buckets, total)]
        self._starts = [bucket.start for bucket in self._buckets]
        self._tops = [0]
        self._hits = hits
        self._marks: list[str] = []
        self._marked_for = (0, 0)
        """Rows and matches the marks were worked out for."""
        self.fit(width)

    def fit(self, width: int) -> None:
        """Estimate heights for another width."""
        self._tops = [0, *accumulate(bucket.height(width) for bucket in self._buckets)]
        self._marked_for = (0, 0)

    def show_hits(self, hits: Sequence[int]) -> None:
        """Mark other turns that match, in order; more may be added to it later."""
        self._hits = hits
        self._marked_for = (0, 0)

    def is_outgrown(self, total: int) -> bool:
        """Whether a session of ``total`` turns wants a new map: it has grown by a stretch."""
        if not self._buckets:
            return True
        last = self._buckets[-1]
        return total - (last.start + last.turns) >= max(self._buckets[0].turns, 1)

    @property
    def height(self) -> int:
        """Estimated lines of the whole session."""
        return self._tops[-1]

    def position(self, turn: float) -> float:
        """Where a turn (and fraction of it) is: 0 at the beginning, 1 at the end."""
        if not self._buckets or not self.height:
            return 0.0
        number = max(bisect_right(self._starts, turn) - 1, 0)
        bucket = self._buckets[number]
        inside = min((turn - bucket.start) / max(bucket.turns, 1), 1.0)
        top, bottom = self._tops[number], self._tops[number + 1]
        return (top + inside * (bottom - top)) / self.height

    def turn_at(self, position: float) -> tuple[int, float]:
        """The turn at a position between 0 and 1, and how far into it that is."""
        if not self._buckets:
            return 0, 0.0
        line = min(max(position, 0.0), 1.0) * self.height
        number = min(max(bisect_right(self._tops, line) - 1, 0), len(self._buckets) - 1)
        bucket = self._buckets[number]
        top, bottom = self._tops[number], self._tops[number + 1]
        inside = (line - top) / max(bottom - top, 1) * bucket.turns
        turn = min(int(inside), bucket.turns - 1)
        return bucket.start + turn, min(inside - turn, 1.0)

    def marks(self, rows: int) -> list[str]:
        """What each of ``rows`` cells shows: a style's name, or nothing."""
        if self._marked_for != (rows, len(self._hits)):
            self._marked_for = rows, len(self._hits)
            self._marks = [""] * rows
            for bucket, top, bottom in zip(self._buckets, self._tops, self._tops[1:], strict=False):
                look = _look(bucket)
                if not look:
                    continue
                first = int(top * rows / self.height)
                last = max(first + 1, int(bottom * rows / self.height))
                for row in range(first, min(last, rows)):
                    if _RANK[look] > _RANK[self._marks[row]]:
                        self._marks[row] = look
            for row in self._rows_with_hits(rows):
                self._marks[row] = "key"
        return self._marks

    def _rows_with_hits(self, rows: int) -> Iterator[int]:
        """Rows with a match: a look for each row, however many matches there are."""
        number = 0
        while number < len(self._hits):
            row = min(int(self.position(self._hits[number]) * rows), rows - 1)
            yield row
            number = bisect_left(self._hits, (row + 1) / rows, number + 1, key=self.position)


def _known(buckets: Sequence[Bucket]) -> int:
    """Turns that are in stretches."""
    return buckets[-1].start + buckets[-1].turns if buckets else 0


def _guessed(buckets: Sequence[Bucket], total: int) -> Bucket:
    """The stretch nothing is known of yet: as high as the others are, without marks."""
    known = _known(buckets)
    missing = total - known
    if not buckets:
        return Bucket(0, total, 3 * total, 0, 0, 0, 0, 0, 0, 0, 0)
    cards, texts, lines, chars = (
        sum(values) * missing // known
        for values in zip(*((b.cards, b.texts, b.lines, b.chars) for b in buckets), strict=True)
    )
    return Bucket(known, missing, cards, texts, lines, chars, 0, 0, 0, 0, 0)


_RANK = {"": 0, "rule": 1, "notice": 2, "add": 3, "user": 4, "error": 5, "key": 6}


def _look(bucket: Bucket) -> str:
    """The most telling thing in a stretch."""
    if bucket.errors:
        return "error"
    if bucket.prompts:
        return "user"
    if bucket.edits:
        return "add"
    if bucket.notices:
        return "notice"
    return "rule" if bucket.calls else ""


def thumb(top: float, shown: int, height: int, rows: int) -> tuple[int, int]:
    """First row and length of a scrollbar's thumb.

    Args:
        top: position of the first line shown, 0 to 1.
        shown: lines shown.
        height: lines in all, estimated.
        rows: of the scrollbar.
    """
    if height <= shown:
        return 0, rows
    length = max(1, min(rows, round(rows * shown / height)))
    return min(int(top * rows), rows - length), length
