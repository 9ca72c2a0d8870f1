"""Turns of many megabytes: what is long is done beside the user's work; by work counted."""

from __future__ import annotations

from threading import current_thread, main_thread

import pytest

from sparrow_tui.app.turn_search import TurnSearched
from sparrow_tui.app.widgets import find_bar
from sparrow_tui.model import Raw, Text, ToolResult, ToolUse, Turn
from sparrow_tui.text.spans import plain
from tests.app.test_transcript import fill, read, talk

LINES = "".join(f"line {n} of many, none of them short\n" for n in range(80_000))
ROWS = [{"id": n, "name": f"name {n}", "at": n * 0.5} for n in range(60_000)]
MOST = 400_000
"""Characters the thread of the keys may look through for a match."""


@pytest.fixture
def looked(monkeypatch):
    """Characters in which matches were looked for, in the thread of the keys and in others."""
    counts = {True: 0, False: 0}
    real = find_bar.pattern

    def counting(text, *, regex):
        wanted = real(text, regex=regex)

        def spots(line):
            counts[current_thread() is main_thread()] += len(line)
            return wanted.spots(line)

        return find_bar.Pattern(wanted.fits, spots)

    monkeypatch.setattr(find_bar, "pattern", counting)
    return counts


def with_needles(text: str, *places: float) -> str:
    for place in sorted(places, reverse=True):
        at = text.index("\n", int(len(text) * place)) + 1
        text = f"{text[:at]}the needle\n{text[at:]}"
    return text


def needle_under(view) -> bool:
    return "needle" in plain(view.model.line(view.cursor))


async def test_matches_far_inside_a_large_text(running, location, looked):
    said = with_needles(LINES, 0.3, 0.95)
    turns = [*talk(3), Turn(role="assistant", blocks=[Text(said)]), *talk(3)]
    async with running(fill(location, turns), size=(100, 30)) as driver:
        await read(driver)
        view = driver.view
        await driver.press("slash")
        await driver.type("needle")
        await driver.until(lambda: view.current_turn == 3 and needle_under(view))
        first = view.cursor
        await driver.press("enter")
        await driver.until(lambda: view.has_focus)
        await driver.press("n")
        await driver.until(lambda: view.cursor > first and needle_under(view))
        await driver.press("N")
        await driver.until(lambda: view.cursor == first)
    assert looked[True] < MOST
    assert looked[False] > len(LINES) * 0.6  # between one match and the other at least


@pytest.mark.parametrize(
    "block",
    [
        ToolResult("a", [Text(with_needles(LINES, 0.9))]),
        ToolUse("a", "query", {"rows": [*ROWS, {"id": 0, "name": "the needle"}, *ROWS[:99]]}),
        Raw("strange", {"rows": [*ROWS, {"id": 0, "name": "the needle"}, *ROWS[:99]]}),
    ],
)
async def test_a_match_hidden_in_a_large_card_is_opened(running, location, looked, block):
    turns = [*talk(3), Turn(role="assistant", blocks=[block]), *talk(3)]
    async with running(fill(location, turns), size=(100, 30)) as driver:
        await read(driver)
        view = driver.view
        await driver.press("slash")
        await driver.type("needle")
        await driver.until(lambda: view.current_turn == 3 and needle_under(view))
    assert looked[True] < MOST


async def test_who_goes_on_meanwhile_is_left_where_he_is(running, location, looked):
    said = with_needles(LINES, 0.3, 0.95)
    turns = [Turn(role="assistant", blocks=[Text(said)]), *talk(90)]
    async with running(fill(location, turns), size=(100, 30)) as driver:
        await read(driver)
        view = driver.view
        await driver.press("slash")
        await driver.type("needle")
        await driver.until(lambda: needle_under(view))
        await driver.press("enter")
        await driver.until(lambda: view.has_focus)
        waiting = []
        view._search._beside = lambda *asked: waiting.append(asked)
        await driver.press("n")
        await driver.until(lambda: waiting and view._then is not None)
        assert "looking through" in driver.lines()[-1]
        await driver.press("G")
        await driver.until(lambda: view.current_turn == 90)
        del view._search._beside
        view.post_message(TurnSearched())
        await driver.until(lambda: view._then is None)
        assert view.current_turn == 90
