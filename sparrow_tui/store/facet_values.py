"""Facets whose value nothing in the store has: marked, and left out of the search."""

from __future__ import annotations

from dataclasses import replace

import apsw

from sparrow_tui import query as language
from sparrow_tui.query import Facet, Problem, Query
from sparrow_tui.store import completions, index
from sparrow_tui.store.search_plan import Sessions, session_condition, turn_words

CHECKED = ("agent", "project", "branch", "model", "status", "tag", "tool")
"""Facets whose values are names somebody gave; an ill-typed one would hide everything."""
SLIPS = 0.4
"""A near value has at most so many slips a letter."""


def checked(db: apsw.Connection, query: Query, sessions: Sessions) -> Query:
    """A query without the facets that nothing in the store could fulfil.

    Args:
        db: the archive.
        query: what was typed.
        sessions: looks up sessions; may remember.

    Returns:
        The query itself; or one in which those facets are problems, with the nearest value named,
        and the rest is as it was.
    """
    if not any(facet.name in CHECKED for facet in query.facets):
        return query
    wrong: dict[tuple[int, int], Facet] = {}
    for span in query.spans:
        if span.kind == "facet":
            for facet in language.parse(query.text[span.start : span.end]).facets:
                if facet.name in CHECKED and not _held(db, facet, sessions):
                    wrong[span.start, span.end] = facet
    if not wrong:
        return query
    unwanted = set(wrong.values())
    problems = [Problem(*place, _sentence(db, facet)) for place, facet in wrong.items()]
    spans = [
        replace(span, kind="problem") if (span.start, span.end) in wrong else span
        for span in query.spans
    ]
    return replace(
        query,
        facets=tuple(facet for facet in query.facets if facet not in unwanted),
        problems=tuple(sorted([*query.problems, *problems], key=lambda item: item.start)),
        spans=tuple(spans),
    )


def _held(db: apsw.Connection, facet: Facet, sessions: Sessions) -> bool:
    if words := turn_words(facet):
        return any(
            db.execute(f"SELECT 1 FROM {name} WHERE {name} MATCH ? LIMIT 1", (words,)).fetchone()
            for name in index.tables(db)
        )
    return bool(sessions((session_condition(facet),)))


def _sentence(db: apsw.Connection, facet: Facet) -> str:
    from rapidfuzz import process  # only what is mistyped waits for it to be loaded
    from rapidfuzz.distance import DamerauLevenshtein

    near = process.extractOne(
        facet.value.lower(),
        completions.known(db, facet.name),
        scorer=DamerauLevenshtein.normalized_distance,
        processor=str.lower,
        score_cutoff=SLIPS,
    )
    hint = f", perhaps {near[0]} is meant" if near else ""
    return f"no {facet.name} here is called {facet.value}{hint}"
