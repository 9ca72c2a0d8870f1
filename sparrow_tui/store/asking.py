"""What every search needs: a plan, whose row ids are whose, what is remembered of sessions."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import apsw
import msgspec

from sparrow_tui.query import Query
from sparrow_tui.store import glances, shown
from sparrow_tui.store.base import Hit, Session
from sparrow_tui.store.facet_values import checked
from sparrow_tui.store.ranking import Results
from sparrow_tui.store.rows import sessions_by_sid
from sparrow_tui.store.search_plan import NOT_HIDDEN, Condition, Plan, plan, sessions_with
from sparrow_tui.store.snippets import snippet
from sparrow_tui.store.stream import Chunks, Stream
from sparrow_tui.store.vocabulary import Vocabulary

SECONDS = 1.5
"""How long texts are read where the index alone cannot answer."""
REMEMBERED = 12
"""Filters whose sessions are remembered."""

integers = msgspec.json.Decoder(list[int]).decode

ORDERS = {
    "old": "updated_at ASC, sid ASC",
    "long": "turns DESC, sid DESC",
    "cost": "cost_micro DESC NULLS LAST, sid DESC",
}


class Asking:
    """A connection to ask through. One thread at a time."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._db = connection
        self._known: dict[tuple[Condition, ...], frozenset[int]] = {}
        self._known_at: tuple[int, int] = (-1, -1)
        self._lists: dict[bool, array[int]] = {}
        self._chunks = Chunks(connection)
        self._shown: tuple[Query | None, dict[int, Hit]] = (None, {})
        """The hits last made, by row id: the stages of an answer have most in common."""

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary(self._db)

    def _plan(self, query: Query) -> Plan:
        """How to answer."""
        self._refresh()
        return plan(query, self._sessions, glances=glances.indexed(self._db))

    def _refresh(self) -> None:
        """Drop what is remembered of sessions when something was written."""
        version = (int(self._db.pragma("data_version")), self._db.total_changes())
        if version != self._known_at:
            self._known.clear()
            self._lists.clear()
            self._chunks.forget()
            self._shown = (None, {})
            self._known_at = version

    def _sessions(self, conditions: tuple[Condition, ...]) -> frozenset[int]:
        """Sessions that fulfil conditions."""
        if any("unixepoch" in condition for condition, _ in conditions):
            return sessions_with(self._db, conditions)  # true of the moment only
        if conditions not in self._known:
            if len(self._known) >= REMEMBERED:
                del self._known[next(iter(self._known))]
            self._known[conditions] = sessions_with(self._db, conditions)
        return self._known[conditions]

    def _all(self, children: bool) -> array[int]:
        """Every session that is not hidden; remembered, because it is asked for most."""
        self._refresh()
        held = self._lists.get(children)
        if held is None:
            text = self._db.execute(
                "SELECT json_group_array(sid) FROM (SELECT sid FROM session WHERE hidden = 0"
                " AND (? OR parent IS NULL) ORDER BY pinned DESC, updated_at DESC, sid DESC)",
                (children,),
            ).get
            held = self._lists[children] = array("q", integers(text))
        return held

    def _checked(self, query: Query) -> Query:
        """The query without facets that nothing could fulfil."""
        self._refresh()
        return checked(self._db, query, self._sessions)

    def _corrected(self, query: Query) -> tuple[Query, str]:
        """The query with the nearest words there are, and what is to be said about it.

        Its problems are where they stand in what was typed.
        """
        corrected, notice = self._vocabulary.corrected(query)
        return replace(self._checked(corrected), problems=query.problems), notice

    def _all_of(self, steps: Plan) -> Stream:
        """Every match, as far as there is time to read texts."""
        seconds = SECONDS if steps.reads_texts else None
        return Stream(self._db, steps, self._chunks, seconds=seconds)

    def _hits(
        self, ids: Sequence[int], query: Query, sessions: Mapping[int, Session] | None = None
    ) -> list[Hit]:
        """Hits for row ids, in their order; ``sessions``: theirs by number, if they are known."""
        if self._shown[0] is not query:
            self._shown = (query, {})
        made = self._shown[1]
        new = [row_id for row_id in ids if row_id not in made]
        if new:
            made.update((hit.docid, hit) for hit in self._make_hits(new, query, sessions))
        return [made[row_id] for row_id in ids if row_id in made]

    def _make_hits(
        self, ids: Sequence[int], query: Query, sessions: Mapping[int, Session] | None
    ) -> list[Hit]:
        wanted = msgspec.json.encode(ids).decode()
        rows = self._db.execute(
            "SELECT docid, sid, idx, role, time, body FROM turn"
            " WHERE docid IN (SELECT value FROM json_each(?))",
            (wanted,),
        ).fetchall()
        by_id = {row[0]: row for row in rows}
        if sessions is None:
            sessions = sessions_by_sid(self._db, {row[1] for row in rows})
        hits = []
        for row_id in ids:
            if row_id not in by_id:
                continue
            _, sid, turn, role, moment, body = by_id[row_id]
            if sid in sessions:
                session = sessions[sid]
                text, spans = snippet(shown.text_of(body), query)
                hits.append(
                    Hit(session.id, sid, turn, role, moment, session.title, text, spans, row_id)
                )
        return hits

    def _whole_sessions(self, query: Query, steps: Plan) -> Results:
        """Sessions by facets alone."""
        dated = steps.since is not None or steps.until is not None
        if not dated and query.sort in ("", "new") and NOT_HIDDEN in steps.conditions:
            # One look at each session for a new value of a facet; none for the others.
            sids: Sequence[int] = self._all(True)
            for condition in steps.conditions:
                if condition != NOT_HIDDEN:
                    held = self._sessions((condition,))
                    sids = [sid for sid in sids if sid in held]
            return Results(query, array("q", sids))
        where = " AND ".join(f"({condition})" for condition, _ in steps.conditions)
        values = tuple(value for _, some in steps.conditions for value in some)
        order = ORDERS.get(query.sort, "updated_at DESC, sid DESC")
        text = self._db.execute(
            f"SELECT json_group_array(sid) FROM (SELECT sid FROM session WHERE {where or 'true'}"
            " AND coalesce(updated_at, 0) >= ? AND coalesce(created_at, updated_at, 0) < ?"
            f" ORDER BY {order})",
            (*values, steps.since or 0, 1 << 62 if steps.until is None else steps.until),
        ).get
        return Results(query, array("q", integers(text)))
