"""Answers to queries: sessions with their best hit, better known from stage to stage."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import apsw
import msgspec

from sparrow_tui.query import Query
from sparrow_tui.store import completions, docid, idents, index
from sparrow_tui.store.asking import ORDERS, Asking
from sparrow_tui.store.base import SessionHit
from sparrow_tui.store.ranking import FIRST_TEXTS, TOP, Results, by_id, ranked, titled
from sparrow_tui.store.rows import sessions_by_sid
from sparrow_tui.store.search_plan import Plan
from sparrow_tui.store.stream import Chunks, Stream
from sparrow_tui.store.turn_words import meta_word

SCREEN_SESSIONS, SCREEN_HITS = 50, 300
"""Sessions of the first stage, and matches looked at: more than a screen shows."""
RANKED_SESSIONS, RANKED_HITS = 2 * TOP, 1_500
"""The same for the ranked stage, which counts hits."""
NEWEST_SEEN = 6_000
"""Ids looked at for these when a filter throws most of them away."""
NEWEST_SECONDS = 0.0025
"""After so long these are what was found."""

_triples = msgspec.json.Decoder(list[tuple[int, int, int]]).decode


class _Newest:
    """The sessions of the newest matches, as far as was looked."""

    def __init__(self, db: apsw.Connection, query: Query, steps: Plan, chunks: Chunks) -> None:
        self._query = query
        self._sid_of = chunks.sid_of
        self._stream = Stream(
            db, steps, chunks, texts=FIRST_TEXTS, most=NEWEST_SEEN, seconds=NEWEST_SECONDS
        )
        self._batches = self._stream.batches()
        self._ended = False
        self._meant = by_id(db, steps)
        self._named = titled(db, steps, steps.titled)
        self._best: dict[int, int] = {}
        self._counts: dict[int, int] = {}
        self._hits = 0

    def upto(self, sessions: int, hits: int) -> Results:
        """Look on until so many are found, or all, or there was enough time."""
        best, counts, sid_of = self._best, self._counts, self._sid_of
        while not self._ended and len(best) < sessions and self._hits < hits:
            batch = next(self._batches, None)
            if batch is None:
                self._ended = True
                break
            for row_id in batch:
                sid = sid_of(row_id)
                if sid in counts:
                    counts[sid] += 1
                elif sid:
                    best[sid], counts[sid] = row_id, 1
            self._hits += len(batch)
        order = array("q", dict.fromkeys([*self._meant, *best, *self._named]))
        complete = self._ended and self._stream.complete
        return Results(self._query, order, {**best}, {**counts}, self._hits, complete)


class SessionSearch(Asking):
    """Questions whose answers are sessions."""

    def stages(self, query: Query, *, children: bool = False) -> Iterator[Results]:
        """Sessions that match, better known from stage to stage.

        Args:
            query: what is looked for; empty: every session.
            children: whether the unfiltered list has sub-agents' sessions in it.

        Yields:
            First the newest ones, then the best on top of them, then all, counted. If nothing
            matches, the same for the nearest words that are there.
        """
        query = self._checked(query)
        if query.is_empty and query.sort in ("", "new", "best"):
            yield Results(query, self._all(children))
            return
        steps = self._plan(query)
        if not steps.on_turns:
            if query.is_empty and not children:
                steps.conditions = (*steps.conditions, ("parent IS NULL", ()))
            yield self._whole_sessions(query, steps)
            return
        newest = _Newest(self._db, query, steps, self._chunks)
        first = newest.upto(SCREEN_SESSIONS, SCREEN_HITS)
        notice = ""
        if not first.sids and first.complete and query.terms:
            yield Results(query, complete=False)
            query, notice = self._corrected(query)
            if notice:
                steps = self._plan(query)
                newest = _Newest(self._db, query, steps, self._chunks)
                first = newest.upto(SCREEN_SESSIONS, SCREEN_HITS)
        for results in self._better(query, steps, newest, first):
            results.notice = notice
            yield results

    def _better(
        self, query: Query, steps: Plan, newest: _Newest, first: Results
    ) -> Iterator[Results]:
        if query.sort in ("", "new") or not first.complete:
            yield first
        known = first
        if query.sort in ("", "best"):
            known = newest.upto(RANKED_SESSIONS, RANKED_HITS)
            known = ranked(self._db, steps, known, self._chunks)
            yield known
        if not known.complete or query.sort in ORDERS:
            yield self._everything(query, steps, known)

    def _everything(self, query: Query, steps: Plan, known: Results) -> Results:
        """Every session that matches, with the number of its hits."""
        if steps.reads_texts or steps.dated:
            counts, best, complete = self._read_all(steps)
        else:
            counts, best = self._count_all(steps)
            complete = True
        newest_first = sorted(best, key=best.__getitem__, reverse=True)
        names = titled(self._db, steps, steps.titled, 5_000)
        ordered: Iterable[int] = dict.fromkeys([*by_id(self._db, steps), *newest_first, *names])
        if query.sort in ORDERS:
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
        hits = {hit.sid: hit for hit in self._hits(ids, query, sessions)}
        words = idents.words(query)
        return [
            SessionHit(s, counts.get(s.sid, 0), hits.get(s.sid) or idents.hit(s, words))
            for s in (sessions[sid] for sid in sids if sid in sessions)
        ]

    def hits_in_session(self, query: Query, sid: int, limit: int = 100_000) -> list[int]:
        """Every ``turn_index`` of a session that matches, in order."""
        steps = self._plan(query)
        if not steps.on_turns:
            return []
        inside = f'"{meta_word("s", sid)}"'
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


def _sorted(db: apsw.Connection, sids: Iterable[int], sort: str) -> list[int]:
    wanted = msgspec.json.encode(list(sids)).decode()
    rows = db.execute(
        "SELECT sid FROM session WHERE sid IN (SELECT value FROM json_each(?))"
        f" ORDER BY {ORDERS[sort]}",
        (wanted,),
    )
    return [sid for (sid,) in rows.fetchall()]
