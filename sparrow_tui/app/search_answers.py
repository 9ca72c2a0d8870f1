"""What the search engine answers, as messages: a stage of results, a session to show."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import NamedTuple

from textual.message import Message

from sparrow_tui.app import messages
from sparrow_tui.query import Query
from sparrow_tui.store.base import Session
from sparrow_tui.store.grouping import grouped
from sparrow_tui.store.rows import sessions_by_sid
from sparrow_tui.store.search import Results
from sparrow_tui.store.sqlite import SqliteStore

FIRST_ROWS = 60
"""Rows whose details come with a list that has no snippets, which cost most."""


class Asked(NamedTuple):
    """A search."""

    text: str
    generation: int
    at: float
    """When it was begun, by `time.perf_counter`."""


@dataclass(slots=True)
class Opening:
    """A wish to show a session."""

    session: int | str
    """Number or id."""
    turn: int | None
    focus: bool
    refresh: bool = False


def found(
    store: SqliteStore,
    results: Results,
    asked: Asked,
    grouping: str,
    snippets: int,
    *,
    later: bool,
    refresh: bool,
) -> messages.Found:
    """One stage of a search's results.

    Args:
        store: where details are read.
        results: the stage.
        asked: the search.
        grouping: what the list is grouped by (see `store.grouping`); empty: nothing.
        snippets: rows whose details come with it, if they have snippets.
        later: the search was answered before, not as well.
        refresh: the same search again.
    """
    groups = grouped(store.connection, results.sids, grouping) if grouping else []
    sids = [sid for group in groups for sid in group.sids] if groups else results.sids
    seen = sids[: snippets if results.query.terms else FIRST_ROWS]
    first = store.searcher.details(seen, results.query, results)
    return messages.Found(
        generation=asked.generation,
        text=asked.text,
        query=results.query,
        sids=sids,
        groups=groups,
        grouping=grouping,
        details={hit.session.sid: hit for hit in first},
        counts=results.counts,
        hits=results.hits,
        complete=results.complete,
        later=later,
        refresh=refresh,
        notice=results.notice,
        problems=results.query.problems,
        took_ms=(time.perf_counter() - asked.at) * 1000,
    )


def opened(store: SqliteStore, opening: Opening, query: Query) -> Message:
    """The session somebody wants to see, and the turn to begin at.

    Args:
        store: where it is.
        opening: what is wanted.
        query: without a turn wanted one begins at the newest it finds. Which others it finds
            (`matches`) may take longer than anybody wants to wait for the text.

    Returns:
        The session; or that it is not there any more.
    """
    wanted = opening.session
    if isinstance(wanted, str):
        session = store.load(wanted)
    else:
        session = sessions_by_sid(store.connection, [wanted]).get(wanted)
    if session is None:
        if opening.refresh:
            return messages.SessionGone(str(wanted))
        return messages.EngineFailed("that session is not in the store (any more)")
    if opening.refresh:
        return messages.SessionFound(session, None, False, None, refresh=True)
    turn = opening.turn
    if turn is None and query.terms:
        turn = next(iter(store.searcher.hits_in_session(query, session.sid, 1)), None)
    return messages.SessionFound(session, turn, opening.focus, query)


def matches(store: SqliteStore, session: Session, query: Query) -> messages.MatchesFound:
    """The turns of a session a query finds."""
    turns = store.searcher.hits_in_session(query, session.sid)
    return messages.MatchesFound(session, query, turns)
