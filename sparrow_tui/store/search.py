"""Answers to queries: turns newest first, sessions with their best hit, everything counted."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice

import apsw
import msgspec

from sparrow_tui.query import Query
from sparrow_tui.store import codec, completions, docid, index
from sparrow_tui.store.base import Hit, SearchPage, SessionHit
from sparrow_tui.store.ranking import FIRST_TEXTS, TOP, Results, ranked, titled
from sparrow_tui.store.rows import sessions_by_sid
from sparrow_tui.store.search_plan import Condition, Plan, plan, sessions_with
from sparrow_tui.store.snippets import snippet
from sparrow_tui.store.stream import Chunks, Stream
from sparrow_tui.store.vocabulary import Vocabulary

__all__ = ["Results", "Searcher"]

COUNTED = 10_000
"""Matches counted exactly for a page; more are "10,000+"."""
FIRST_SESSIONS = 2 * TOP
"""Sessions of the first stage."""
FIRST_HITS = 1_500
"""Matches looked at for the first stage."""
FIRST_SEEN = 6_000
"""Ids looked at for the first stage when a filter throws most of them away."""
SECONDS = 1.5
"""How long texts are read after that."""
FIRST_SECONDS = 0.005
"""After so long the first stage is what was found."""
REMEMBERED = 6
"""Filters whose sessions are remembered."""

_integers = msgspec.json.Decoder(list[int]).decode
_triples = msgspec.json.Decoder(list[tuple[int, int, int]]).decode


class Searcher:
    """Questions to the index. One thread at a time."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._db = connection
        self._known: dict[tuple[Condition, ...], frozenset[int]] = {}
        self._known_at: tuple[int, int] = (-1, -1)
        self._lists: dict[bool, array[int]] = {}
        self._chunks = Chunks(connection)

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary(self._db)

    def _plan(self, query: Query) -> Plan:
        """How to answer."""
        self._refresh()
        return plan(query, self._sessions)

    def _refresh(self) -> None:
        """Drop what is remembered of sessions when something was written."""
        version = (int(self._db.pragma("data_version")), self._db.total_changes())
        if version != self._known_at or len(self._known) > REMEMBERED:
            self._known.clear()
            self._lists.clear()
            self._chunks.forget()
            self._known_at = version

    def _sessions(self, conditions: tuple[Condition, ...]) -> frozenset[int]:
        """Sessions that fulfil conditions."""
        if any("unixepoch" in condition for condition, _ in conditions):
            return sessions_with(self._db, conditions)  # true of the moment only
        if conditions not in self._known:
            self._known[conditions] = sessions_with(self._db, conditions)
        return self._known[conditions]

    def _all(self, children: bool) -> array[int]:
        """Every session that is not hidden; remembered, because it is asked for most."""
        self._refresh()
        held = self._lists.get(children)
        if held is None:
            text = self._db.execute(
                "SELECT json_group_array(sid) FROM (SELECT sid FROM session WHERE NOT hidden"
                " AND (? OR parent IS NULL) ORDER BY pinned DESC, updated_at DESC, sid DESC)",
                (children,),
            ).get
            held = self._lists[children] = array("q", _integers(text))
        return held

    # Turns

    def page(self, query: Query, limit: int = 50, before: int | None = None) -> SearchPage:
        """Matching turns, newest first (see `SessionStore.search`)."""
        problems = [problem.message for problem in query.problems]
        limit = max(limit, 0)
        steps = self._plan(query)
        if not steps.on_turns:
            return self._sessions_as_page(query, limit, problems)
        ids, complete = self._newest_ids(steps, limit, before)
        if not ids and complete and before is None:
            query, notice = self._vocabulary.corrected(query)
            if notice:
                problems.append(notice)
                steps = self._plan(query)
                ids, complete = self._newest_ids(steps, limit, before)
        more = len(ids) > limit
        ids = ids[:limit]
        total = len(ids)
        if more or before is not None:
            total, complete = self._count(steps)
            total = max(total, len(ids) + more)
        hits = self._hits(ids, query)
        hits.sort(key=lambda hit: (hit.time or 0, hit.docid), reverse=True)
        return SearchPage(hits, total, complete, problems, ids[-1] if more and ids else None)

    def _newest_ids(self, steps: Plan, limit: int, before: int | None) -> tuple[list[int], bool]:
        """One id more than asked for, if there is one; whether these are all."""
        stream = self._all_of(steps)
        if before is not None:
            stream.below = min(stream.below, before)
        ids = list(islice(stream, limit + 1))
        return ids, stream.complete

    def count(self, query: Query, above: int = -1) -> tuple[int, bool]:
        """Matches with row ids above one, up to `COUNTED`; whether that is all of them.

        Without words or facets of turns, sessions are counted, whatever their ids.
        """
        steps = self._plan(query)
        if not steps.on_turns:
            return (0 if query.is_empty else len(self._whole_sessions(query, steps).sids)), True
        return self._count(replace(steps, low=max(steps.low, above + 1)))

    def _all_of(self, steps: Plan) -> Stream:
        """Every match, as far as there is time to read texts."""
        seconds = SECONDS if steps.reads_texts else None
        return Stream(self._db, steps, self._chunks, seconds=seconds)

    def _sessions_as_page(self, query: Query, limit: int, problems: list[str]) -> SearchPage:
        """Without words the sessions themselves are the hits."""
        if query.is_empty:
            return SearchPage([], 0, True, problems)
        results = self._whole_sessions(query, self._plan(query))
        found = sessions_by_sid(self._db, results.sids[:limit])
        hits = [
            Hit(s.id, s.sid, -1, "", s.updated_at, s.title, "", [])
            for s in (found[sid] for sid in results.sids[:limit] if sid in found)
        ]
        return SearchPage(hits, len(results.sids), True, problems)

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

    def _hits(self, ids: Sequence[int], query: Query) -> list[Hit]:
        """Hits for row ids, in their order."""
        if not ids:
            return []
        wanted = msgspec.json.encode(list(ids)).decode()
        rows = self._db.execute(
            "SELECT docid, sid, idx, role, time, body FROM turn"
            " WHERE docid IN (SELECT value FROM json_each(?))",
            (wanted,),
        ).fetchall()
        by_id = {row[0]: row for row in rows}
        sessions = sessions_by_sid(self._db, {row[1] for row in rows})
        hits = []
        for row_id in ids:
            if row_id not in by_id:
                continue
            _, sid, turn, role, moment, body = by_id[row_id]
            if sid in sessions:
                session = sessions[sid]
                text, spans = snippet(codec.text_of(body), query)
                hits.append(
                    Hit(session.id, sid, turn, role, moment, session.title, text, spans, row_id)
                )
        return hits

    # Sessions

    def stages(self, query: Query, *, children: bool = False) -> Iterator[Results]:
        """Sessions that match, better known from stage to stage.

        Args:
            query: what is looked for; empty: every session.
            children: whether the unfiltered list has sub-agents' sessions in it.

        Yields:
            First the newest ones, then the best on top of them, then all, counted. If nothing
            matches, the same for the nearest words that are there.
        """
        if query.is_empty:
            yield Results(query, self._all(children))
            return
        steps = self._plan(query)
        if not steps.on_turns:
            yield self._whole_sessions(query, steps)
            return
        first = self._newest(query, steps)
        if not first.sids and first.complete and query.terms:
            yield Results(query, complete=False)
            query, notice = self._vocabulary.corrected(query)
            if notice:
                steps = self._plan(query)
                first = self._newest(query, steps)
                first.notice = notice
        for results in self._better(query, steps, first):
            results.notice = first.notice
            yield results

    def _better(self, query: Query, steps: Plan, first: Results) -> Iterator[Results]:
        if query.sort in ("", "new") or not first.complete:
            yield first
        known = first
        if query.sort in ("", "best"):
            known = ranked(self._db, steps, first, self._chunks)
            yield known
        if not first.complete or query.sort in _ORDERS:
            yield self._everything(query, steps, known)

    def _newest(self, query: Query, steps: Plan) -> Results:
        """The sessions of the newest matches."""
        results = Results(query)
        stream = Stream(
            self._db, steps, self._chunks, texts=FIRST_TEXTS, most=FIRST_SEEN, seconds=FIRST_SECONDS
        )
        best, counts, sid_of = results.best, results.counts, self._chunks.sid_of
        ended = True
        for batch in stream.batches():
            for row_id in batch:
                sid = sid_of(row_id)
                if sid in counts:
                    counts[sid] += 1
                elif sid:
                    best[sid], counts[sid] = row_id, 1
            results.hits += len(batch)
            if len(best) >= FIRST_SESSIONS or results.hits >= FIRST_HITS:
                break
        else:
            ended = False
        results.complete = stream.complete and not ended
        names = [sid for sid in titled(self._db, steps, steps.titled) if sid not in best]
        results.sids = array("q", [*best, *names])
        return results

    def _everything(self, query: Query, steps: Plan, known: Results) -> Results:
        """Every session that matches, with the number of its hits."""
        if steps.reads_texts or steps.dated:
            counts, best, complete = self._read_all(steps)
        else:
            counts, best = self._count_all(steps)
            complete = True
        newest_first = sorted(best, key=best.__getitem__, reverse=True)
        names = [s for s in titled(self._db, steps, steps.titled, 5_000) if s not in best]
        ordered: Iterable[int] = [*newest_first, *names]
        if query.sort in _ORDERS:
            ordered = _sorted(self._db, ordered, query.sort)
        elif query.sort != "new":
            ordered = dict.fromkeys([*known.sids[:TOP], *ordered])
        shown = {**best, **{s: known.best[s] for s in known.sids[:TOP] if s in known.best}}
        return Results(query, array("q", ordered), shown, counts, sum(counts.values()), complete)

    def _count_all(self, steps: Plan) -> tuple[dict[int, int], dict[int, int]]:
        """Hits and newest row id of every session, by the index alone."""
        counts: dict[int, int] = {}
        best: dict[int, int] = {}
        for name in index.tables(self._db):
            # One text value instead of rows: stepping fights for the interpreter lock.
            text = self._db.execute(
                "SELECT json_group_array(json_array(sid, number, newest)) FROM (SELECT chunk.sid,"
                " sum(number) AS number, max(newest) AS newest FROM (SELECT rowid >> ? AS no,"
                f" count(*) AS number, max(rowid) AS newest FROM {name} WHERE {name} MATCH ?"
                " GROUP BY 1) AS hit CROSS JOIN chunk ON chunk.no = hit.no GROUP BY chunk.sid)",
                (docid.PLACE_BITS, steps.match),
            ).get
            for sid, number, newest in _triples(text):
                if steps.allows(sid):
                    counts[sid] = counts.get(sid, 0) + number
                    best[sid] = max(best.get(sid, 0), newest)
        return counts, best

    def _read_all(self, steps: Plan) -> tuple[dict[int, int], dict[int, int], bool]:
        """The same where times or texts decide; whether there was time for all."""
        counts: dict[int, int] = {}
        best: dict[int, int] = {}
        stream = self._all_of(steps)
        for row_id in stream:
            sid = self._chunks.sid_of(row_id)
            if sid:
                counts[sid] = counts.get(sid, 0) + 1
                best.setdefault(sid, row_id)
        return counts, best, stream.complete

    def _whole_sessions(self, query: Query, steps: Plan) -> Results:
        """Sessions by facets alone."""
        where = " AND ".join(f"({condition})" for condition, _ in steps.conditions)
        values = tuple(value for _, some in steps.conditions for value in some)
        order = _ORDERS.get(query.sort, "updated_at DESC, sid DESC")
        text = self._db.execute(
            f"SELECT json_group_array(sid) FROM (SELECT sid FROM session WHERE {where or 'true'}"
            " AND coalesce(updated_at, 0) >= ? AND coalesce(created_at, updated_at, 0) < ?"
            f" ORDER BY {order})",
            (*values, steps.since or 0, 1 << 62 if steps.until is None else steps.until),
        ).get
        return Results(query, array("q", _integers(text)))

    def details(
        self, sids: Sequence[int], query: Query, results: Results | None = None
    ) -> list[SessionHit]:
        """What rows of a result list show: the session, its hits, the best one's snippet.

        Args:
            sids: the rows.
            query: what was looked for.
            results: the list the rows are of; without it there are no hits.
        """
        sessions = sessions_by_sid(self._db, sids)
        best = results.best if results else {}
        counts = results.counts if results else {}
        ids = [best[sid] for sid in sids if sid in best]
        hits = {hit.sid: hit for hit in self._hits(ids, query)}
        return [
            SessionHit(sessions[sid], counts.get(sid, 0), hits.get(sid))
            for sid in sids
            if sid in sessions
        ]

    def hits_in_session(self, query: Query, sid: int, limit: int = 100_000) -> list[int]:
        """Every ``turn_index`` of a session that matches, in order."""
        steps = self._plan(query)
        if not steps.on_turns:
            return []
        inside = f'"{index.meta_word("s", sid)}"'
        match = f"({steps.match}) AND {inside}" if steps.match else inside
        stream = Stream(self._db, steps, self._chunks, match=match)
        ids = msgspec.json.encode(list(islice(stream, limit))).decode()
        rows = self._db.execute(
            "SELECT idx FROM turn WHERE docid IN (SELECT value FROM json_each(?)) ORDER BY idx",
            (ids,),
        ).fetchall()
        return [turn for (turn,) in rows]

    # Help with typing

    def complete(self, facet: str, typed: str) -> list[str]:
        """Values of a facet the store holds that begin as typed, likeliest first."""
        return completions.values(self._db, facet, typed)


_ORDERS = {
    "old": "updated_at ASC, sid ASC",
    "long": "turns DESC, sid DESC",
    "cost": "cost_micro DESC NULLS LAST, sid DESC",
}


def _sorted(db: apsw.Connection, sids: Iterable[int], sort: str) -> list[int]:
    wanted = msgspec.json.encode(list(sids)).decode()
    rows = db.execute(
        "SELECT sid FROM session WHERE sid IN (SELECT value FROM json_each(?))"
        f" ORDER BY {_ORDERS[sort]}",
        (wanted,),
    )
    return [sid for (sid,) in rows.fetchall()]
