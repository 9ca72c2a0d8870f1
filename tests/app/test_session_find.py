"""Finding in a session: on from where one reads, then round; early where the index knows."""

from __future__ import annotations

import pytest

from sparrow_tui.app import session_find
from sparrow_tui.app.session_find import SessionFind
from sparrow_tui.app.widgets import find_bar
from sparrow_tui.model import Text, Turn
from sparrow_tui.store import open_store
from tests.app.test_transcript import SID, fill, read


def session(number: int, **said: str) -> list[Turn]:
    """Turns with nothing to find but what ``said`` names as ``turn_12="…"``."""
    return [
        Turn(
            role="user" if n % 2 else "assistant", blocks=[Text(said.get(f"turn_{n}", f"hay {n}"))]
        )
        for n in range(number)
    ]


@pytest.fixture
def told(location):
    """What searches tell, a few turns at a time."""

    def search(turns: list[Turn], text: str, start: int) -> list[session_find.FindTold]:
        fill(location, turns)
        store = open_store(str(location), readonly=True)
        wanted = find_bar.pattern(text, regex=False)
        find = SessionFind(7, SID, wanted.fits, start, wanted.words)
        answers = []
        while not find.done:
            answer = find.look(store, 0.0)
            answers += [answer] if answer is not None else []
        store.close()
        return answers

    return search


def test_it_goes_on_from_the_start_and_round(told):
    turns = session(
        500, turn_3="a needle", turn_300="Needles", turn_420="needle", turn_299="needle"
    )
    answers = told(turns, "needle", 300)
    assert [turn for answer in answers for turn in answer.turns] == [300, 420, 3, 299]
    assert answers[-1].done
    assert answers[-1].share == 1.0
    shares = [answer.share for answer in answers]
    assert shares == sorted(shares)


def test_where_reading_takes_long_the_index_tells_the_next_match(told, monkeypatch):
    monkeypatch.setattr(session_find, "HINTED_AFTER", 0.0)
    turns = session(3_000, turn_3="the rare needle", turn_2_000="a rare thing, no needle")
    answers = told(turns, "rare needle", 100)
    first = next(answer for answer in answers if answer.near >= 0)
    assert (first.near, first.turns) == (3, [])
    assert first.share < 0.1
    assert [turn for answer in answers for turn in answer.turns] == [3]
    assert sum(answer.near >= 0 for answer in answers) == 1


def test_a_part_of_a_word_is_found_without_the_index(told, monkeypatch):
    monkeypatch.setattr(session_find, "HINTED_AFTER", 0.0)
    answers = told(session(900, turn_3="the needle"), "eedl", 100)
    assert all(answer.near < 0 for answer in answers)
    assert answers[-1].turns == [3] or [3] in [answer.turns for answer in answers]


async def test_a_step_beyond_what_is_searched_waits(running, location):
    turns = session(400, turn_10="needle", turn_200="needle", turn_390="needle")
    async with running(fill(location, turns), size=(100, 30)) as driver:
        await read(driver)
        view = driver.view
        view.to_turn(100)
        await driver.until(lambda: view.current_turn == 100)
        view.loader.find = lambda *asked: 5
        view.find(lambda said: "needle" in said, find_bar.pattern("needle", regex=False).spots)
        view.on_find_told(session_find.FindTold(5, [200], share=0.3))
        await driver.until(lambda: view.current_turn == 200)
        assert "searching… 30%" in driver.lines()[-1]
        view.action_match(1)
        assert view.current_turn == 200
        view.on_find_told(session_find.FindTold(5, [], share=0.5))
        assert view.current_turn == 200
        view.on_find_told(session_find.FindTold(5, [390], share=0.8))
        await driver.until(lambda: view.current_turn == 390)
        view.action_match(1)
        assert view.current_turn == 390
        view.on_find_told(session_find.FindTold(5, [10], True, 1.0))
        await driver.until(lambda: view.current_turn == 10)
        assert [*view.hits] == [10, 200, 390]
        await driver.until(lambda: "match 1/3" in driver.lines()[-1])
        for turn in (200, 390, 10):
            view.action_match(1)
            await driver.until(lambda turn=turn: view.current_turn == turn)


async def test_what_the_index_told_is_shown_and_not_left_again(running, location):
    turns = session(400, turn_10="needle", turn_200="needle")
    async with running(fill(location, turns), size=(100, 30)) as driver:
        await read(driver)
        view = driver.view
        view.to_turn(300)
        await driver.until(lambda: view.current_turn == 300)
        view.loader.find = lambda *asked: 5
        view.find(lambda said: "needle" in said, find_bar.pattern("needle", regex=False).spots)
        view.on_find_told(session_find.FindTold(5, near=10))
        await driver.until(lambda: view.current_turn == 10)
        view.on_find_told(session_find.FindTold(5, [10], share=0.6))
        view.on_find_told(session_find.FindTold(5, [200], True, 1.0))
        assert (view.current_turn, view.hit, [*view.hits]) == (10, 0, [10, 200])
