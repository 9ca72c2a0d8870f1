"""Row ids that match a plan, newest first, from all parts of the index at once."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterator
from itertools import chain, islice

import apsw

from sparrow_tui.query import holds
from sparrow_tui.store import docid, index, shown
from sparrow_tui.store.search_plan import Plan

FIRST, MOST = 64, 1024
"""Ids fetched from a part at first, and at once later on."""


class Chunks:
    """Whose chunks of row ids are. Remembers what it was asked, as long as nothing is written."""

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db
        self._known: dict[int, int] = {}

    def forget(self) -> None:
        """Something was written: numbers of chunks may mean others now."""
        self._known.clear()

    def sid_of(self, row_id: int) -> int:
        """The number of the session a turn belongs to; 0: it is not in the store any more."""
        chunk = row_id >> docid.PLACE_BITS
        sid = self._known.get(chunk)
        if sid is None:
            found = self._db.execute("SELECT sid FROM chunk WHERE no = ?", (chunk,)).get
            sid = self._known[chunk] = found or 0
        return sid


class Stream:
    """An iterable over row ids. Parts that are not needed stay shut."""

    def __init__(
        self,
        db: apsw.Connection,
        steps: Plan,
        chunks: Chunks,
        *,
        match: str = "",
        families: tuple[str, ...] = ("talk", "output"),
        texts: int | None = None,
        most: int | None = None,
        seconds: float | None = None,
    ) -> None:
        """Prepare.

        Args:
            db: the archive.
            steps: what is asked.
            chunks: tells whose row ids are.
            match: an expression in place of the plan's.
            families: parts to look in.
            texts: so many texts are read at most.
            most: so many ids are looked at, at most.
            seconds: of processor time it is looked for; what was begun with a part is finished. A
                busy machine makes an answer late, not another.
        """
        self._db = db
        self._plan = steps
        self._chunks = chunks
        self._match = match or steps.match
        self._families = families
        self._texts = texts
        self._most = most
        self._deadline = None if seconds is None else time.thread_time() + seconds
        self._ended = False
        self._filtered = steps.sids is not None or bool(steps.without)
        self.below = steps.high
        """Ids given are below this."""
        self.complete = False
        """True once every match was given."""
        self.opened = 0
        """Parts of the index that were asked."""
        self.seen = 0
        """Ids the index gave."""
        self.read = 0
        """Texts that were read."""

    def __iter__(self) -> Iterator[int]:
        return chain.from_iterable(self.batches())

    def batches(self) -> Iterator[list[int]]:
        """The same in lists: a list costs less than its items one by one."""
        for batch in self._indexed() if self._match else self._all_turns():
            rest = None if self._most is None else self._most - self.seen
            kept = batch if rest is None else batch[:rest]
            self.seen += len(kept)
            if self._filtered:
                allows, sid_of = self._plan.allows, self._chunks.sid_of
                kept = [row_id for row_id in kept if allows(sid_of(row_id))]
            if self._plan.reads_texts or self._plan.dated:
                yield from self._verified(kept)
                if self._ended:
                    return
            else:
                yield kept
            if (rest is not None and rest < len(batch)) or self._late():
                return
        self.complete = not self._ended

    def _late(self) -> bool:
        return self._deadline is not None and time.thread_time() > self._deadline

    def _verified(self, ids: list[int]) -> Iterator[list[int]]:
        """Those for which `_holds`, one by one: reading takes long."""
        for row_id in ids:
            if (self._texts is not None and self.read >= self._texts) or self._late():
                self._ended = True
                return
            if self._holds(row_id):
                yield [row_id]

    def _indexed(self) -> Iterator[list[int]]:
        parts = [
            part
            for part in self._db.execute(
                "SELECT family, id, high FROM part WHERE low < ? AND high >= ? ORDER BY high DESC",
                (self.below, self._plan.low),
            ).fetchall()
            if part[0] in self._families
        ]
        active: list[_Part] = []
        at = 0
        while True:
            active = [part for part in active if part.ready()]
            newest = max((part.ids[0] for part in active), default=-1)
            if at < len(parts) and parts[at][2] >= newest:
                if self._late():
                    # What there is already, though the part may have newer ones.
                    self._ended = True
                    yield sorted(chain(*(part.ids for part in active)), reverse=True)
                    return
                family, number, _ = parts[at]
                active.append(_Part(self._rows(index.table(family, number))))
                self.opened += 1
                at += 1
                continue
            if not active:
                return
            # Below this some part may have ids we have not fetched yet.
            sure = max((part.ids[-1] for part in active if part.more), default=-1)
            if at < len(parts):
                sure = max(sure, parts[at][2] + 1)
            taken = [part.take(sure) for part in active]
            yield taken[0] if len(taken) == 1 else sorted(chain(*taken), reverse=True)

    def _rows(self, name: str) -> Iterator[tuple[int]]:
        rows: Iterator[tuple[int]] = self._db.execute(
            f"SELECT rowid FROM {name} WHERE {name} MATCH ? AND rowid >= ? AND rowid < ?"
            " ORDER BY rowid DESC",
            (self._match, self._plan.low, self.below),
        )
        return rows

    def _all_turns(self) -> Iterator[list[int]]:
        rows = _Part(
            self._db.execute(
                "SELECT docid FROM turn WHERE docid >= ? AND docid < ? ORDER BY docid DESC",
                (self._plan.low, self.below),
            )
        )
        while rows.ready():
            yield rows.take(-1)

    def _holds(self, row_id: int) -> bool:
        """What the index does not know: the exact time, and what stands in the text."""
        steps = self._plan
        row = self._db.execute("SELECT time, body FROM turn WHERE docid = ?", (row_id,)).fetchone()
        if row is None:
            return False
        moment, body = row
        if moment is not None:
            if steps.since is not None and moment < steps.since:
                return False
            if steps.until is not None and moment >= steps.until:
                return False
        if not steps.reads_texts:
            return True
        self.read += 1
        text = shown.text_of(body)
        return all(holds(text, clause) for clause in steps.checks) and not (
            steps.refusals and holds(text, steps.refusals)
        )


class _Part:
    """Ids of one part of the index, fetched in growing pieces."""

    def __init__(self, rows: Iterator[tuple[int]]) -> None:
        self._rows = rows
        self._size = FIRST
        self.ids: list[int] = []
        """Fetched and not yet taken, in descending order."""
        self.more = True

    def ready(self) -> bool:
        """Fetch if need be; whether there are ids."""
        if not self.ids and self.more:
            self.ids = [row_id for (row_id,) in islice(self._rows, self._size)]
            self.more = len(self.ids) == self._size
            self._size = min(self._size * 4, MOST)
        return bool(self.ids)

    def take(self, lowest: int) -> list[int]:
        """Ids from ``lowest`` up."""
        if self.ids[-1] >= lowest:
            taken, self.ids = self.ids, []
            return taken
        cut = bisect_left(self.ids, -lowest + 1, key=int.__neg__)
        taken, self.ids = self.ids[:cut], self.ids[cut:]
        return taken
