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
