"""Matching turns by pages, newest first or by session as `sort:` says; how many there are."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

import msgspec

from sparrow_tui.query import Query
from sparrow_tui.store import docid, idents, index
from sparrow_tui.store.base import Hit, SearchPage
from sparrow_tui.store.ranking import Results, by_id, titled
from sparrow_tui.store.rows import sessions_by_sid
from sparrow_tui.store.search_plan import Plan
from sparrow_tui.store.session_search import SessionSearch
from sparrow_tui.store.stream import Stream
from sparrow_tui.store.turn_words import meta_word

__all__ = ["Results", "Searcher"]

COUNTED = 10_000
"""Matches counted exactly for a page; more are "10,000+"."""
NAMED = 200
"""Titles that match which are looked at for a page."""
FIRST = docid.END - 1_000
"""Places from here on are those of sessions found by their id: no turn has them."""


class _Matches(NamedTuple):
    """Matching turns, newest first."""

    ids: list[int]
    complete: bool
    """Whether these are all."""


class Searcher(SessionSearch):
    """Every question to the index. One thread at a time."""

    def page(self, query: Query, limit: int = 50, before: int | None = None) -> SearchPage:
        """Matching turns, newest first (see `SessionStore.search`)."""
        query = self._checked(query)
        problems = [problem.message for problem in query.problems]
        limit = max(limit, 0)
        steps = self._plan(query)
        if not steps.on_turns:
            return self._sessions_as_page(query, limit, problems)
        if query.sort not in ("", "new"):
            return self._sorted_page(query, limit, problems)
        found = self._matches(steps)
        names = self._names(steps, found)
        if not found.ids and found.complete and not names:
            query, notice = self._corrected(query)
            if notice:
                problems.append(notice)
                steps = self._plan(query)
                found = self._matches(steps)
                names = self._names(steps, found)
        total = len(found.ids) + (len(names) if found.complete else 0)
        below = docid.END if before is None else before
        places = self._below(below, steps, found, limit)
        places += [place for place in names if place < below]
        places.sort(reverse=True)
        more = len(places) > limit
        places = places[:limit]
        hits = self._hits([place for place in places if place not in names], query)
        named = {names[place]: place for place in places if place in names}
        for hit in self._named([*named], steps.idents):
            hit.docid = named[hit.sid]
            hits.append(hit)
        hits.sort(key=lambda hit: (hit.docid >= FIRST, hit.time or 0, hit.docid), reverse=True)
        end = places[-1] if more and places else None
        return SearchPage(hits, total, found.complete, problems, end)

    def _matches(self, steps: Plan) -> _Matches:
        """The newest matches, as many as are counted."""
        stream = self._all_of(steps)
        ids: list[int] = []
        for batch in stream.batches():
            ids += batch
            if len(ids) > COUNTED:
                return _Matches(ids[:COUNTED], False)
        return _Matches(ids, stream.complete)

    def _below(self, below: int, steps: Plan, found: _Matches, limit: int) -> list[int]:
        """Matches below an id, one more than a page holds, if there is one."""
        at = bisect_left(found.ids, -below + 1, key=int.__neg__)
        ids = found.ids[at : at + limit + 1]
        if len(ids) <= limit and not found.complete and (at or len(found.ids) == COUNTED):
            stream = self._all_of(steps)
            stream.below = min(stream.below, below)
            ids = list(islice(stream, limit + 1))
        return ids

    def _names(self, steps: Plan, found: _Matches) -> dict[int, int]:
        """Sessions found by their id, which stand above all, or by what they are called alone.

        By their place among the row ids.
        """
        meant = by_id(self._db, steps)
        called = self._names_only(steps, found)
        others = {place: sid for place, sid in called.items() if sid not in meant}
        return {docid.END - 1 - at: sid for at, sid in enumerate(meant)} | others

    def _names_only(self, steps: Plan, found: _Matches) -> dict[int, int]:
        """Sessions found by what they are called alone, by their place among the row ids."""
        named = titled(self._db, steps, steps.titled, NAMED)
        if not named or len(named) >= NAMED:
            return {}  # words of so many titles tell no session from the others
        said = {self._chunks.sid_of(row_id) for row_id in found.ids}
        silent = [sid for sid in named if sid not in said]
        if silent and not found.complete:
            # Tens of sessions in one expression: the index steps over what is not theirs.
            wanted = " OR ".join(f'"{meta_word("s", sid)}"' for sid in silent)
            stream = Stream(self._db, steps, self._chunks, match=f"({steps.match}) AND ({wanted})")
            said = {self._chunks.sid_of(row_id) for row_id in stream}
            silent = [sid for sid in silent if sid not in said]
        rows = self._db.execute(
            "SELECT sid, coalesce(updated_at, 0) FROM session"
            " WHERE sid IN (SELECT value FROM json_each(?))",
            (msgspec.json.encode(silent).decode(),),
        ).fetchall()
        places: dict[int, int] = {}
        for sid, updated in rows:
            place = docid.last_at(updated)  # turns take a step's first ids
            while place in places:
                place -= 1
            places[place] = sid
        return places

    def _named(self, sids: Sequence[int], beginnings: tuple[str, ...] = ()) -> list[Hit]:
        """Hits for sessions whose name, title, place or id matched."""
        found = sessions_by_sid(self._db, sids)
        return [
            idents.hit(s, beginnings) or Hit(s.id, s.sid, -1, "", s.updated_at, s.title, "", [])
            for s in (found[sid] for sid in sids if sid in found)
        ]

    def _sessions_as_page(self, query: Query, limit: int, problems: list[str]) -> SearchPage:
        """Without words the sessions themselves are the hits."""
        if query.is_empty and not query.sort:
            return SearchPage([], 0, True, problems)
        results = self._whole_sessions(query, self._plan(query))
        hits = self._named(results.sids[:limit])
        return SearchPage(hits, len(results.sids), True, problems)

    def _sorted_page(self, query: Query, limit: int, problems: list[str]) -> SearchPage:
        """The best hit of each session, in an order of sessions; there is no second page."""
        *_, results = self.stages(query)
        if results.notice:
            problems.append(results.notice)
        sids = [*results.sids[:limit]]
        turns = self._hits([results.best[s] for s in sids if s in results.best], results.query)
        hits = {hit.sid: hit for hit in [*self._named(sids, idents.words(query)), *turns]}
        total = max(results.hits, len(results.sids))
        return SearchPage([hits[s] for s in sids if s in hits], total, results.complete, problems)

    def count(self, query: Query, above: int = -1) -> tuple[int, bool]:
        """Matches with row ids above one, up to `COUNTED`; whether that is all of them.

        Without words or facets of turns, sessions are counted, whatever their ids. A facet's
        value nothing has yet matches nothing: a counter waits for it.
        """
        steps = self._plan(query)
        if not steps.on_turns:
            return (0 if query.is_empty else len(self._whole_sessions(query, steps).sids)), True
        return self._count(replace(steps, low=max(steps.low, above + 1)))

    def _count(self, steps: Plan) -> tuple[int, bool]:
        """Matches, up to `COUNTED`; whether that is all of them."""
        if steps.reads_texts or steps.dated or steps.sids is not None or steps.without:
            stream = self._all_of(steps)
            number = sum(1 for _ in islice(stream, COUNTED))
            return number, stream.complete and number < COUNTED
        number = 0
        for name in index.tables(self._db):
            number += self._db.execute(
                f"SELECT count(*) FROM (SELECT 1 FROM {name} WHERE {name} MATCH ? AND rowid >= ?"
                " LIMIT ?)",
                (steps.match, steps.low, COUNTED + 1 - number),
            ).get
            if number > COUNTED:
                return COUNTED, False
        return number, True
