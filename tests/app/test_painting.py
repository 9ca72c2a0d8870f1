"""How often the main screen is laid out and drawn, and what of it."""

from __future__ import annotations

from collections import Counter

import pytest
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.events import Resize
from textual.geometry import Region, Size

from sparrow_tui.app.compositor import uncovered
from sparrow_tui.app.screens.help import HelpScreen


class Counted:
    """Counts layouts and frames of the main screen."""

    def __init__(self, driver) -> None:
        self.counts: Counter[str] = Counter()
        display, compositor = driver.app._display, driver.main._compositor
        reflow = compositor.reflow

        def count_frame(screen, update) -> None:
            if isinstance(update, LayoutUpdate):
                self.counts["whole frames"] += 1
            elif isinstance(update, ChopsUpdate):
                self.counts["lines"] += len(update.spans)
            display(screen, update)

        def count_layout(*arguments):
            self.counts["layouts"] += 1
            return reflow(*arguments)

        driver.app._display, compositor.reflow = count_frame, count_layout


@pytest.mark.parametrize("reading", [False, True], ids=["list", "transcript"])
async def test_a_resize_lays_out_and_draws_once(running, demo_store, reading):
    async with running(demo_store, size=(140, 40)) as driver:
        if reading:
            await driver.press("enter")
            await driver.until(lambda: driver.view.has_focus)
        await driver.settled()
        for size in ((120, 40), (120, 30), (150, 42)):
            counted = Counted(driver)
            await driver.pilot.resize_terminal(*size)
            await driver.until(lambda size=size: driver.main.size == size)
            await driver.settled()
            assert counted.counts == {"layouts": 1, "whole frames": 1}


async def test_a_size_that_is_told_late_is_not_taken(running, demo_store):
    """A window that is dragged: the screen hears of a size when there is another already."""
    async with running(demo_store, size=(140, 40)) as driver:
        await driver.settled()
        counted = Counted(driver)
        late, now = Size(120, 40), Size(110, 30)
        driver.app._size = now  # as the app does when it is told, before it tells the screen
        for size in (late, now, late):
            driver.main.post_message(Resize(size, size))
            await driver.until(lambda: driver.main.size == now)
        await driver.settled()
        assert driver.main.size == now
        assert counted.counts == {"layouts": 1, "whole frames": 1}


async def test_what_lies_below_a_dialog_takes_the_size_too(running, demo_store):
    async with running(demo_store, size=(140, 40)) as driver:
        await driver.press("f1")
        await driver.until(lambda: isinstance(driver.app.screen, HelpScreen))
        await driver.pilot.resize_terminal(104, 30)
        await driver.press("escape")
        await driver.until(lambda: driver.app.screen is driver.main)
        await driver.settled()
        assert driver.main.size == (104, 30)
        assert driver.view.model.view.width == driver.view.text_width
        await driver.pilot.resize_terminal(80, 24)  # narrow: another layout
        await driver.until(lambda: driver.main.sessions.size.width > 60)
        await driver.pilot.resize_terminal(140, 40)
        await driver.until(lambda: driver.main.sessions.size.width < 60)


def test_what_is_covered_is_left_out():
    screen = Region(0, 0, 100, 30)
    left, right, line = Region(0, 0, 40, 29), Region(40, 0, 60, 29), Region(0, 29, 100, 1)
    panes = Region(0, 0, 100, 29)
    seen = {name: (region, screen) for name, region in (
        ("left", left), ("right", right), ("line", line), ("panes", panes), ("screen", screen)
    )}  # fmt: skip
    assert list(uncovered(seen)) == ["left", "right", "line"]
    del seen["line"]
    assert list(uncovered(seen)) == ["left", "right", "screen"]
    note = {"note": (Region(70, 20, 30, 5), screen)}
    assert list(uncovered({**note, **seen})) == ["note", "left", "right", "panes", "screen"]
