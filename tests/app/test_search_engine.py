"""The thread that answers: what is asked before it comes to it."""

from __future__ import annotations

from sparrow_tui.app import messages
from sparrow_tui.app.search_engine import SearchEngine
from tests.waiting import until


def _opened(store: str, *asked: tuple[int, int, bool]) -> messages.SessionFound:
    """What becomes of openings that were all asked before the first was answered."""
    told: list[messages.SessionFound] = []

    def hear(message: object) -> None:
        if isinstance(message, messages.SessionFound):
            told.append(message)

    engine = SearchEngine(store, hear)
    for session, turn, focus in asked:
        engine.open(session, turn, focus=focus)
    engine.start()
    until(lambda: told, "an opened session")
    engine.stop()
    engine.join(30)
    return told[-1]


def test_better_results_do_not_take_back_that_a_session_was_chosen(demo_store):
    found = _opened(demo_store, (1, 3, True), (1, 5, False))
    assert (found.turn, found.focus) == (5, True)


def test_moving_on_does(demo_store):
    found = _opened(demo_store, (1, 3, True), (2, 5, False))
    assert (found.session.sid, found.focus) == (2, False)


def test_a_session_is_shown_before_all_its_matches_are_found(demo_store):
    told: list[object] = []
    engine = SearchEngine(demo_store, told.append)
    engine.search("gateway")
    engine.start()
    until(lambda: any(isinstance(m, messages.Found) and m.sids for m in told), "results")
    best = next(m for m in told if isinstance(m, messages.Found) and m.sids)
    told.clear()
    engine.open(best.sids[0], None)
    until(lambda: any(isinstance(m, messages.MatchesFound) for m in told), "its matches")
    engine.stop()
    engine.join(30)
    opened, matches = (m for m in told if not isinstance(m, messages.Found))
    assert isinstance(opened, messages.SessionFound)
    assert isinstance(matches, messages.MatchesFound)
    assert matches.session == opened.session
    assert opened.turn == matches.turns[-1]
