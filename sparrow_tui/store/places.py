"""Where things are in a session: found from the index of turns, without reading bodies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import apsw
import msgspec

from sparrow_tui.model import Turn
from sparrow_tui.store import shown
from sparrow_tui.store.base import ToolCall
from sparrow_tui.store.flags import Flag

_SID = "(SELECT sid FROM session WHERE id = ?)"
AT_ONCE = 10_000
"""Turns whose marks are read at a time."""
READ_BYTES = 3_000_000
"""Characters of text of one window, beyond the turn that was asked for."""


class Bucket(msgspec.Struct, array_like=True, frozen=True):
    """A stretch of turns: what a minimap and a scrollbar need of it."""

    start: int
    """``turn_index`` of its first turn."""
    turns: int
    cards: int
    """Display lines of turns that are a folded card or two each."""
    texts: int
    """Turns that are shown as text under a header."""
    lines: int
    """Their lines as they were written."""
    chars: int
    """Their characters."""
    prompts: int
    edits: int
    errors: int
    calls: int
    notices: int

    def height(self, width: int) -> int:
        """Display lines, estimated: a text takes its characters' worth of lines and a header."""
        return max(self.cards + 2 * self.texts + max(self.lines, self.chars // max(width, 1)), 1)


class Places:
    """Questions about one session's turns. One thread at a time."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._db = connection

    def total(self, session_id: str) -> int:
        """Number of turns; 0 if there is no such session."""
        return int(
            self._db.execute("SELECT turns FROM session WHERE id = ?", (session_id,)).get or 0
        )

    def span(self, session_id: str, around: int, start: int, end: int) -> tuple[int, int]:
        """A part of ``start`` .. ``end`` with ``around`` in it that is not too much to read."""
        rows = self._db.execute(
            f"SELECT idx, chars FROM turn INDEXED BY turn_place WHERE sid = {_SID}"
            " AND idx >= ? AND idx < ? ORDER BY idx",
            (session_id, start, end),
        ).fetchall()
        if sum(chars for _, chars in rows) <= READ_BYTES:
            return start, end
        sizes = dict(rows)
        low, high, left = around, around + 1, READ_BYTES
        while left > 0 and (low > start or high < end):
            if high < end:
                left -= sizes.get(high, 0)
                high += left > 0
            if low > start and left > 0:
                left -= sizes.get(low - 1, 0)
                low -= left > 0
        return low, high

    def calls(self, session_id: str, ids: Sequence[str]) -> dict[str, ToolCall]:
        """Tool calls by their ids."""
        rows = self._db.execute(
            "SELECT id, name, use_idx, result_idx, is_error, duration_ms, child FROM call"
            f" WHERE sid = {_SID} AND id IN (SELECT value FROM json_each(?))",
            (session_id, msgspec.json.encode(list(ids)).decode()),
        ).fetchall()
        return {
            row[0]: ToolCall(
                row[0], row[1] or "", -1 if row[2] is None else row[2], row[3],
                None if row[4] is None else bool(row[4]), row[5], row[6],
            )
            for row in rows
        }  # fmt: skip

    def next(self, session_id: str, turn: int, mask: Flag, step: int) -> int | None:
        """The nearest turn after (``step`` 1) or before (-1) one that has a flag of ``mask``."""
        order, beyond = ("ASC", ">") if step > 0 else ("DESC", "<")
        found = self._db.execute(
            f"SELECT idx FROM turn INDEXED BY turn_place WHERE sid = {_SID} AND idx {beyond} ?"
            f" AND flags & ? ORDER BY idx {order} LIMIT 1",
            (session_id, turn, int(mask)),
        ).get
        return None if found is None else int(found)

    def at_time(self, session_id: str, moment: int) -> int:
        """The first turn at or after a time (milliseconds since the epoch); else the last one."""
        found = self._db.execute(
            f"SELECT idx FROM turn INDEXED BY turn_place WHERE sid = {_SID} AND time >= ?"
            " ORDER BY idx LIMIT 1",
            (session_id, moment),
        ).get
        return int(found) if found is not None else max(self.total(session_id) - 1, 0)

    def frugal(self) -> None:
        """From now on this connection keeps little in memory, whatever it reads."""
        self._db.pragma("mmap_size", 0)
        self._db.pragma("cache_size", -4_000)

    def buckets(self, session_id: str, number: int) -> Iterator[list[Bucket]]:
        """A session in at most ``number`` stretches of equally many turns, some at a time.

        Args:
            session_id: which.
            number: of stretches.
        """
        total = self.total(session_id)
        size = max(-(-total // max(number, 1)), 1)
        step = size * max(AT_ONCE // size, 1)
        for start in range(0, total, step):
            rows = self._db.execute(
                "SELECT min(idx), count(*), sum(CASE kind WHEN 1 THEN 1 WHEN 3 THEN 3 ELSE 0 END),"
                " sum(kind = 2), sum(CASE kind WHEN 2 THEN lines ELSE 0 END),"
                " sum(CASE kind WHEN 2 THEN chars ELSE 0 END),"
                " sum(flags & 4096 > 0), sum(flags & 16 > 0), sum(flags & 520 > 0),"
                " sum(flags & 4 > 0), sum(flags & 128 > 0)"
                " FROM (SELECT idx, flags, lines, chars,"
                "  CASE WHEN role = 'tool' OR flags & 8193 THEN 1"
                "   WHEN flags & 4096 OR NOT flags & 4 THEN 2 ELSE 3 END AS kind"
                "  FROM turn INDEXED BY turn_place"
                "  WHERE sid = (SELECT sid FROM session WHERE id = ?) AND idx >= ? AND idx < ?)"
                " GROUP BY idx / ? ORDER BY 1",
                (session_id, start, start + step, size),
            ).fetchall()
            yield [Bucket(*map(int, row)) for row in rows]

    def flagged(self, session_id: str, mask: Flag, start: int, end: int) -> list[int]:
        """Turns of ``start`` .. ``end`` that have a flag of ``mask``, in order."""
        rows = self._db.execute(
            f"SELECT idx FROM turn INDEXED BY turn_place WHERE sid = {_SID}"
            " AND idx >= ? AND idx < ? AND flags & ? ORDER BY idx",
            (session_id, start, end, int(mask)),
        ).fetchall()
        return [index for (index,) in rows]

    def window(self, session_id: str, start: int, end: int) -> list[Turn]:
        """Turns ``start`` .. ``end``, as far as there are, to be shown.

        Data of very many values in them is `Large`, and ready.
        """
        rows = self._db.execute(
            f"SELECT body FROM turn WHERE sid = {_SID} AND idx >= ? AND idx < ? ORDER BY idx",
            (session_id, start, end),
        ).fetchall()
        turns = [shown.decode(body) for (body,) in rows]
        for turn in turns:
            shown.prepare(turn)
        return turns

    def some(self, session_id: str, turns: Sequence[int]) -> dict[int, Turn]:
        """Turns by their indices, to be shown."""
        rows = self._db.execute(
            f"SELECT idx, body FROM turn WHERE sid = {_SID}"
            " AND idx IN (SELECT value FROM json_each(?))",
            (session_id, msgspec.json.encode(list(turns)).decode()),
        ).fetchall()
        return {index: shown.decode(body) for index, body in rows}

    def matching(
        self, session_id: str, fits: Callable[[str], bool], start: int = 0
    ) -> Iterator[int]:
        """Turns whose text form a function accepts, as they are found.

        From turn ``start`` on, then those before it. Between, a negative number stands for so
        many turns that were read: a caller may stop there.
        """
        for at, end in ((start, 1 << 62), (0, start)):
            while rows := self._db.execute(
                f"SELECT idx, body FROM turn WHERE sid = {_SID} AND idx >= ? AND idx < ?"
                " ORDER BY idx LIMIT 64",
                (session_id, at, end),
            ).fetchall():
                for index, body in rows:
                    if fits(shown.text_of(body)):
                        yield index
                yield -len(rows)
                at = rows[-1][0] + 1

    def likely(
        self, session_id: str, found: Sequence[int], start: int
    ) -> Iterator[tuple[int, str]]:
        """Those of ``found`` from ``start`` on, then those before it, with their text forms."""
        for index in [*(n for n in found if n >= start), *(n for n in found if n < start)]:
            for body in self._db.execute(
                f"SELECT body FROM turn WHERE sid = {_SID} AND idx = ?", (session_id, index)
            ):
                yield index, shown.text_of(body[0])
