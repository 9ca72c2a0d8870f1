"""Saved searches as counters: of a store that only grows, just what is new is asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sparrow_tui import query as language
from sparrow_tui.app.widgets.footer_cells import Pinned
from sparrow_tui.query import Query
from sparrow_tui.settings import SavedSearch
from sparrow_tui.store.sqlite import SqliteStore

WHOLE_EVERY = 120.0
"""Seconds after which everything is counted again: turns may have been rewritten in place."""
CHANGING_EVERY = 5.0
"""The same for searches whose old turns may come and go (``is:live``, ``tag:``)."""
_LASTING = frozenset(
    ("agent", "project", "branch", "model", "session", "role", "tool", "file", "has", "before",
     "after", "error", "sort")
)  # fmt: skip
"""Facets that stay true of a turn once they are."""


@dataclass(slots=True)
class _Count:
    number: int
    complete: bool
    newest: int
    """Row id up to which turns were counted."""
    whole_at: float


class Tally:
    """Counts held from one time to the next. One thread at a time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: dict[str, _Count] = {}
        self._turns = self._newest = -1
        self.whole = 0
        """Times a search was counted from the beginning: what tests count."""

    def count(self, store: SqliteStore, saved: Sequence[SavedSearch]) -> list[Pinned]:
        """The searches that are pinned, counted.

        Row ids sort by time, so what an agent writes now lies above what was counted before.
        Only if the number of turns has changed by as many as lie there is nothing else new.
        """
        wanted = [search for search in saved if search.pinned]
        if not wanted:
            self._held.clear()
            return []
        # One view of the store: nothing may be written between these questions.
        with store.connection:
            return self._count(store, wanted)

    def _count(self, store: SqliteStore, wanted: Sequence[SavedSearch]) -> list[Pinned]:
        turns, newest, above = store.reader.growth(self._newest)
        if self._newest < 0 or turns - self._turns != above:
            self._held.clear()
        found = [self._one(store, search, newest) for search in wanted]
        self._held = {s.query: self._held[s.query] for s in wanted}
        self._turns, self._newest = turns, newest
        return found

    def _one(self, store: SqliteStore, search: SavedSearch, newest: int) -> Pinned:
        query = language.parse(search.query)
        held = self._held.get(search.query)
        lasting = _lasts(query)
        old = WHOLE_EVERY if lasting else CHANGING_EVERY
        if held is None or self._clock() - held.whole_at >= old:
            self.whole += 1
            number, complete = store.searcher.count(query)
            held = _Count(number, complete, newest, self._clock())
            self._held[search.query] = held
        elif lasting and newest > held.newest:
            more, complete = store.searcher.count(query, above=held.newest)
            held.number, held.newest = held.number + more, newest
            held.complete = held.complete and complete
        return Pinned(search.name, held.number, held.complete)


def _lasts(query: Query) -> bool:
    """Whether turns that match go on to match, and what is counted are turns."""
    names = {
        "error" if (facet.name, facet.value) == ("is", "error") else facet.name
        for facet in query.facets
    }
    on_turns = bool(query.terms) or bool(names & {"role", "tool", "file", "has", "error"})
    return on_turns and names <= _LASTING
