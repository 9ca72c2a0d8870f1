"""Answers to queries: turns newest first, sessions with their best hit, everything counted."""

from __future__ import annotations

import heapq
import math
import time
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice

import apsw
import msgspec

from sparrow_tui import query as language
from sparrow_tui.query import Query
from sparrow_tui.store import codec, completions, docid, index
from sparrow_tui.store.base import Hit, SearchPage, SessionHit
from sparrow_tui.store.rows import sessions_by_sid
from sparrow_tui.store.search_plan import Plan, plan
from sparrow_tui.store.snippets import snippet
from sparrow_tui.store.vocabulary import Vocabulary

COUNTED = 10_000
"""Matches counted exactly for a page; more are "10,000+"."""
CANDIDATES = 1_000
"""Newest matches the ranking chooses from."""
STREAMED = 4_000
"""Matches looked at for the first page of sessions."""
LITERAL_SECONDS = 1.5
"""How long texts are read for signs the index does not know."""
RANKED = 40
"""Sessions on the ranked page."""

_integers = msgspec.json.Decoder(list[int]).decode
_pairs = msgspec.json.Decoder(list[list[int]]).decode


@dataclass(slots=True)
class Results:
    """Sessions that match, as far as they are known."""

    query: Query
    sids: Sequence[int] = ()
    """In order."""
    best: dict[int, int] = field(default_factory=dict)
    """Row id of a session's newest or best hit; none for a title's match."""
    counts: dict[int, int] = field(default_factory=dict)
    """Matching turns by session, where known."""
    hits: int = 0
    complete: bool = True
    notice: str = ""


class Searcher:
    """Questions to the index. One thread at a time."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._db = connection

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary(self._db)

    # Turns

    def page(self, query: Query, limit: int = 50, before: int | None = None) -> SearchPage:
        """Matching turns, newest first (see `SessionStore.search`)."""
        problems = [problem.message for problem in query.problems]
        query, notice = self._corrected(query)
        if notice:
            problems.append(notice)
        steps = plan(self._db, query)
        if not steps.on_turns:
            return self._sessions_as_page(query, limit, problems)
        if before is not None:
            steps = replace(steps, high=min(steps.high, before))
        stream = _Stream(self._db, steps)
        ids = list(islice(stream, max(limit, 0) + 1))
        more = len(ids) > limit
        ids = ids[: max(limit, 0)]
        hits = self._hits(ids, query)
        total, complete = len(ids), stream.complete
        if more or before is not None:
            total, complete = self._count(replace(steps, high=plan(self._db, query).high))
            total = max(total, len(ids) + more)
        return SearchPage(
            hits, total, complete and stream.complete, problems, ids[-1] if more and ids else None
        )

    def count(self, query: Query, above: int = -1) -> tuple[int, bool]:
        """Matches with row ids above one, up to `COUNTED`; whether that is all of them.

        Without words or facets of turns, sessions are counted, whatever their ids.
        """
        steps = plan(self._db, query)
        if not steps.on_turns:
            return (0 if query.is_empty else len(self._whole_sessions(query, steps).sids)), True
        return self._count(replace(steps, low=max(steps.low, above + 1)))

    def _sessions_as_page(self, query: Query, limit: int, problems: list[str]) -> SearchPage:
        """Without words the sessions themselves are the hits."""
        if query.is_empty:
            return SearchPage([], 0, True, problems)
        results = self._whole_sessions(query)
        found = sessions_by_sid(self._db, results.sids[:limit])
        hits = [
            Hit(s.id, s.sid, -1, "", s.updated_at, s.title, "", [])
            for s in (found[sid] for sid in results.sids[:limit] if sid in found)
        ]
        return SearchPage(hits, len(results.sids), True, problems)

    def _count(self, steps: Plan) -> tuple[int, bool]:
        """Matches, up to `COUNTED`; whether that is all of them."""
        if steps.literals or (steps.sids is not None and "{meta} : (x" not in steps.match):
            stream = _Stream(self._db, steps)
            number = sum(1 for _ in islice(stream, COUNTED))
            return number, stream.complete and number < COUNTED
        number = 0
        for name in index.tables(self._db):
            number += self._db.execute(
                f"SELECT count(*) FROM (SELECT 1 FROM {name} WHERE {name} MATCH ?"
                " AND rowid >= ? AND rowid < ? LIMIT ?)",
                (steps.match, steps.low, steps.high, COUNTED + 1 - number),
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
            "SELECT docid, idx, role, time, body FROM turn"
            " WHERE docid IN (SELECT value FROM json_each(?))",
            (wanted,),
        ).fetchall()
        by_id = {row[0]: row for row in rows}
        sessions = sessions_by_sid(self._db, {docid.sid_of(row_id) for row_id in ids})
        hits = []
        for row_id in ids:
            session = sessions.get(docid.sid_of(row_id))
            if row_id not in by_id or session is None:
                continue
            _, turn, role, moment, body = by_id[row_id]
            text, spans = snippet(codec.text_of(body), query)
            hits.append(
                Hit(session.id, session.sid, turn, role, moment, session.title, text, spans, row_id)
            )
        return hits

    # Sessions

    def stages(self, query: Query, *, children: bool = False) -> Iterator[Results]:
        """Sessions that match, better known from stage to stage.

        Args:
            query: what is looked for; empty: every session.
            children: whether the unfiltered list has sub-agents' sessions in it.

        Yields:
            First the newest ones, then the best on top of them, then all, counted.
        """
        if query.is_empty:
            yield Results(query, _all(self._db, children))
            return
        steps = plan(self._db, query)
        if not steps.on_turns:
            yield self._whole_sessions(query, steps)
            return
        query, notice = self._corrected(query)
        if notice:
            steps = plan(self._db, query)
        first = self._newest(query, steps)
        first.notice = notice
        if query.sort in ("", "new") or not first.complete:
            yield first
        if first.complete and query.sort == "new":
            return
        everything = first
        if query.sort in ("", "best"):
            ranked = self._ranked(query, steps, first)
            ranked.notice = notice
            yield ranked
            everything = ranked
        if not first.complete or query.sort in ("old", "long", "cost"):
            complete = self._everything(query, steps, everything)
            complete.notice = notice
            yield complete

    def _newest(self, query: Query, steps: Plan) -> Results:
        """The sessions of the newest matches."""
        results = Results(query)
        stream = _Stream(self._db, steps)
        most = STREAMED if not steps.literals else COUNTED
        for row_id in islice(stream, most):
            sid = docid.sid_of(row_id)
            results.best.setdefault(sid, row_id)
            results.counts[sid] = results.counts.get(sid, 0) + 1
            results.hits += 1
            if len(results.best) >= RANKED * 2 and not steps.literals:
                break
        results.complete = stream.exhausted and stream.complete
        results.sids = array("q", results.best)
        titles = [sid for sid in self._titled(steps) if sid not in results.best]
        if titles:
            results.sids = array("q", [*results.sids, *titles])
        return results

    def _titled(self, steps: Plan, most: int = 200) -> list[int]:
        """Sessions whose title, first prompt or place has the words."""
        if not steps.title_match or steps.low or steps.high != (1 << 63) - 1:
            return []
        rows = self._db.execute(
            "SELECT rowid FROM fts_title WHERE fts_title MATCH ? ORDER BY rowid DESC LIMIT ?",
            (steps.title_match, most),
        ).fetchall()
        return [sid for (sid,) in rows if steps.sids is None or sid in steps.sids]

    def _ranked(self, query: Query, steps: Plan, newest: Results) -> Results:
        """The best sessions on top, the others newest first below.

        Score: what the title and the user's own words hold, how often the words occur, and the
        logarithm of the age, of the sessions of the newest `CANDIDATES` matches and of those
        whose title or prompt fits.
        """
        counts: dict[int, int] = {}
        best: dict[int, int] = {}
        for row_id in islice(_Stream(self._db, steps), CANDIDATES):
            sid = docid.sid_of(row_id)
            counts[sid] = counts.get(sid, 0) + 1
            best.setdefault(sid, row_id)
        scores = {sid: 0.6 * math.log1p(number) for sid, number in counts.items()}
        for sid in self._titled(steps):
            scores[sid] = scores.get(sid, 0.0) + 2.0
        spoken = f"({steps.match}) AND {{meta}} : xfprompt"
        for row_id in islice(_Stream(self._db, replace(steps, match=spoken)), 200):
            sid = docid.sid_of(row_id)
            if scores.get(sid, 0.0) < 1.0 or sid not in best:
                best[sid] = row_id
            scores[sid] = scores.get(sid, 0.0) + (0.8 if counts.get(sid, 0) < 50 else 0.2)
        exact = self._exact(query, steps, best)
        for sid, worth in exact.items():
            scores[sid] = scores.get(sid, 0.0) + worth
        now = time.time() * 1000
        ages = _updated(self._db, scores)
        for sid in scores:
            days = max(0.0, now - ages.get(sid, 0)) / 86_400_000
            scores[sid] -= 0.45 * math.log1p(days)
        top = heapq.nlargest(RANKED, scores, key=lambda sid: (scores[sid], sid))
        chosen = set(top)
        rest = [sid for sid in newest.sids if sid not in chosen]
        rest.extend(sid for sid in scores if sid not in chosen and sid not in newest.best)
        return Results(
            query,
            array("q", dict.fromkeys([*top, *rest])),
            {**newest.best, **best},
            {**counts, **newest.counts},
            newest.hits,
            newest.complete,
        )

    def _exact(self, query: Query, steps: Plan, best: dict[int, int]) -> dict[int, float]:
        """Sessions that hold the words in a row: in the title, or in a prompt."""
        words = [t for clause in query.clauses for term in clause for p in term.phrases for t in p]
        if not words or any(len(clause) > 1 for clause in query.clauses):
            return {}
        phrase = f'"{" ".join(words)}"'
        worth: dict[int, float] = {}
        if steps.title_match:
            rows = self._db.execute(
                "SELECT rowid FROM fts_title WHERE fts_title MATCH ? LIMIT 500",
                (f"{{title prompt}} : {phrase}",),
            )
            worth.update((sid, 6.0) for (sid,) in rows.fetchall())
        said = f"{{meta}} : xfprompt AND {{text}} : {phrase}"
        narrow = replace(steps, match=f"({steps.match}) AND {said}")
        for row_id in islice(_Stream(self._db, narrow), 200):
            sid = docid.sid_of(row_id)
            if sid not in worth or worth[sid] == 6.0:
                best[sid] = row_id
            worth[sid] = worth.get(sid, 0.0) + (5.0 if worth.get(sid, 0.0) < 5.0 else 0.0)
        return {
            sid: score for sid, score in worth.items() if steps.sids is None or sid in steps.sids
        }

    def _everything(self, query: Query, steps: Plan, known: Results) -> Results:
        """Every session that matches, with the number of its hits."""
        counts: dict[int, int] = {}
        best: dict[int, int] = {}
        for name in index.tables(self._db):
            # One text value instead of rows: stepping fights for the interpreter lock.
            text = self._db.execute(
                "SELECT json_group_array(json_array(sid, number, newest)) FROM (SELECT"
                f" (rowid >> {docid.SLOT_BITS}) & {docid.MAX_SID} AS sid, count(*) AS number,"
                f" max(rowid) AS newest FROM {name} WHERE {name} MATCH ? AND rowid >= ?"
                " AND rowid < ? GROUP BY sid)",
                (steps.match, steps.low, steps.high),
            ).get
            for sid, number, newest in _pairs(text):
                if steps.sids is None or sid in steps.sids:
                    counts[sid] = counts.get(sid, 0) + number
                    best[sid] = max(best.get(sid, 0), newest)
        if steps.literals:
            # The index knows only part of what is asked: keep to what was verified.
            counts = {sid: n for sid, n in known.counts.items() if sid in counts}
            best = {sid: row_id for sid, row_id in best.items() if sid in counts}
        newest_first = sorted(best, key=best.__getitem__, reverse=True)
        titled = [sid for sid in self._titled(steps, 2_000) if sid not in best]
        ordered: Iterable[int] = [*newest_first, *titled]
        if query.sort in ("old", "long", "cost"):
            ordered = _sorted(self._db, ordered, query.sort)
        elif query.sort != "new":
            ordered = dict.fromkeys([*known.sids[:RANKED], *ordered])
        complete = not steps.literals or known.complete
        shown = {**best, **{s: known.best[s] for s in known.sids[:RANKED] if s in known.best}}
        return Results(query, array("q", ordered), shown, counts, sum(counts.values()), complete)

    def _whole_sessions(self, query: Query, steps: Plan | None = None) -> Results:
        """Sessions by facets alone."""
        steps = steps or plan(self._db, query)
        rows = self._db.execute(
            "SELECT sid FROM session WHERE coalesce(updated_at, 0) >= ?"
            " AND coalesce(created_at, updated_at, 0) < ? AND (? OR NOT hidden)"
            " ORDER BY updated_at DESC, sid DESC",
            (
                docid.time_of(steps.low) if steps.low else 0,
                docid.time_of(steps.high) if steps.high != (1 << 63) - 1 else 1 << 62,
                steps.sids is not None,
            ),
        ).fetchall()
        sids = [sid for (sid,) in rows if steps.sids is None or sid in steps.sids]
        if query.sort in ("old", "long", "cost"):
            sids = _sorted(self._db, sids, query.sort)
        return Results(query, array("q", sids))

    def details(
        self, sids: Sequence[int], query: Query, results: Results | None = None
    ) -> list[SessionHit]:
        """What rows of a result list show: the session, its hits, the best one's snippet.

        Args:
            sids: the rows.
            query: what was looked for.
            results: the list the rows are of; without it the best hits are looked up.
        """
        sessions = sessions_by_sid(self._db, sids)
        best = dict(results.best) if results else {}
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
        steps = plan(self._db, query)
        if not steps.on_turns:
            return []
        inside = f"{{meta}} : {index.meta_word('s', sid)}"
        match = f"({steps.match}) AND {inside}" if steps.match else inside
        stream = _Stream(self._db, replace(steps, match=match, sids=frozenset([sid])))
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

    def _corrected(self, query: Query) -> tuple[Query, str]:
        """The query with words that are nowhere replaced by the nearest that are."""
        changes: dict[str, str] = {}
        for clause in query.clauses:
            for term in clause:
                plain = len(term.phrases) == 1 and len(term.phrases[0]) == 1 and term.prefix
                if not plain or term.literal or len(clause) > 1:
                    continue
                word = term.phrases[0][0]
                if len(word) < 4 or self._exists(f'"{word}" *'):
                    continue
                near = self._vocabulary.nearest(word)
                if near:
                    changes[term.text] = near[0]
        if not changes:
            return query, ""
        text = query.text
        for wrong, right in changes.items():
            text = text.replace(wrong, right)
        said = ", ".join(f"{right} for {wrong}" for wrong, right in changes.items())
        return language.parse(text), f"showing {said}"

    def _exists(self, match: str) -> bool:
        names = [*index.tables(self._db), "fts_title"]
        return any(
            self._db.execute(f"SELECT 1 FROM {name} WHERE {name} MATCH ? LIMIT 1", (match,)).get
            for name in names
        )


class _Stream:
    """Row ids that match, newest first, from all parts at once; parts not needed stay shut."""

    def __init__(self, db: apsw.Connection, steps: Plan) -> None:
        self._db = db
        self._plan = steps
        self.complete = True
        """False once texts were left unread for lack of time."""
        self.exhausted = False

    def __iter__(self) -> Iterator[int]:
        merged = self._indexed() if self._plan.match else self._all_turns()
        deadline = time.monotonic() + LITERAL_SECONDS
        for row_id in merged:
            if not self._plan.allows(row_id):
                continue
            if self._plan.literals:
                if time.monotonic() > deadline:
                    self.complete = False
                    break
                if not self._holds(row_id):
                    continue
            yield row_id
        self.exhausted = True

    def _indexed(self) -> Iterator[int]:
        parts = self._db.execute(
            "SELECT family, id, high FROM part WHERE low < ? AND high >= ? ORDER BY high DESC",
            (self._plan.high, self._plan.low),
        ).fetchall()
        heads: list[tuple[int, int, Iterator[tuple[int]]]] = []
        at = 0
        while heads or at < len(parts):
            while at < len(parts) and (not heads or parts[at][2] >= -heads[0][0]):
                family, part, _ = parts[at]
                name = index.table(family, part)
                rows = self._db.execute(
                    f"SELECT rowid FROM {name} WHERE {name} MATCH ? AND rowid >= ?"
                    " AND rowid < ? ORDER BY rowid DESC",
                    (self._plan.match, self._plan.low, self._plan.high),
                )
                first = next(rows, None)
                if first is not None:
                    heapq.heappush(heads, (-first[0], at, rows))
                at += 1
            if heads:
                value, place, rows = heads[0]
                following = next(rows, None)
                if following is None:
                    heapq.heappop(heads)
                else:
                    heapq.heapreplace(heads, (-following[0], place, rows))
                yield -value

    def _all_turns(self) -> Iterator[int]:
        rows = self._db.execute(
            "SELECT docid FROM turn WHERE docid >= ? AND docid < ? ORDER BY docid DESC",
            (self._plan.low, self._plan.high),
        )
        for (row_id,) in rows:
            yield row_id

    def _holds(self, row_id: int) -> bool:
        body = self._db.execute("SELECT body FROM turn WHERE docid = ?", (row_id,)).get
        if body is None:
            return False
        text = codec.text_of(body).lower()
        return all(literal.lower() in text for literal in self._plan.literals)


def _all(db: apsw.Connection, children: bool) -> Sequence[int]:
    text = db.execute(
        "SELECT json_group_array(sid) FROM (SELECT sid FROM session WHERE NOT hidden"
        " AND (? OR parent IS NULL) ORDER BY pinned DESC, updated_at DESC, sid DESC)",
        (children,),
    ).get
    return array("q", _integers(text))


def _updated(db: apsw.Connection, sids: Iterable[int]) -> dict[int, int]:
    wanted = msgspec.json.encode(list(sids)).decode()
    rows = db.execute(
        "SELECT sid, coalesce(updated_at, 0) FROM session"
        " WHERE sid IN (SELECT value FROM json_each(?))",
        (wanted,),
    )
    return dict(rows.fetchall())


def _sorted(db: apsw.Connection, sids: Iterable[int], sort: str) -> list[int]:
    order = {
        "old": "updated_at ASC, sid ASC",
        "long": "turns DESC, sid DESC",
        "cost": "cost_micro DESC NULLS LAST, sid DESC",
    }[sort]
    wanted = msgspec.json.encode(list(sids)).decode()
    rows = db.execute(
        f"SELECT sid FROM session WHERE sid IN (SELECT value FROM json_each(?)) ORDER BY {order}",
        (wanted,),
    )
    return [sid for (sid,) in rows.fetchall()]
