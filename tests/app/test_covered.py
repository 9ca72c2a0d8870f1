"""What happens below another screen: nothing is searched, asked or drawn until it is seen."""

from __future__ import annotations

from sparrow_tui.app.screens.dashboard import DashboardScreen
from sparrow_tui.app.screens.help import HelpScreen
from sparrow_tui.model import Text, Turn, Usage
from sparrow_tui.store import open_store

NOW = 1_767_225_600_000


class Counted:
    """Writes to the store the app shows; counts what that costs the app."""

    def __init__(self, driver, location: str) -> None:
        self.driver, self.location = driver, location
        self.frames = self.searches = self.told = 0
        app, searcher = driver.app, driver.app.engine._store.searcher
        display, stages, changed = app._display, searcher.stages, app.main.store_counted

        def count_frame(*arguments) -> None:
            self.frames += 1
            display(*arguments)

        def count_search(*arguments, **options):
            self.searches += 1
            return stages(*arguments, **options)

        def count_told() -> None:
            self.told += 1
            changed()

        app._display, searcher.stages, app.main.store_counted = (
            count_frame,
            count_search,
            count_told,
        )

    async def write(self, times: int) -> None:
        store = open_store(self.location)
        for number in range(times):
            told, turn = self.told, Turn(role="assistant", blocks=[Text("gangway")])
            turn.time, turn.usage = NOW + number, Usage(7, 1)
            store.append("claude:below", [turn])
            await self.driver.until(lambda told=told: self.told > told)
        store.close()


async def test_below_a_dialog_nothing_is_done_until_it_closes(running, demo_store):
    async with running(demo_store) as driver:
        await driver.press("f1")
        await driver.until(lambda: isinstance(driver.app.screen, HelpScreen))
        await driver.until(lambda: driver.main.metrics._timer is None)
        before = len(driver.list.sids)
        counted = Counted(driver, demo_store)
        await counted.write(4)
        assert (counted.frames, counted.searches) == (0, 0)
        await driver.press("escape")
        await driver.until(lambda: len(driver.list.sids) == before + 1)
        await driver.until(lambda: driver.main.metrics.figures == driver.main.figures)


async def test_below_the_dashboard_only_the_dashboard_is_drawn(running, demo_store):
    async with running(demo_store) as driver:
        await driver.press("escape", "D")
        await driver.until(lambda: isinstance(driver.app.screen, DashboardScreen))
        await driver.until(lambda: driver.app.screen.tiles.values)
        screen, counted = driver.app.screen, Counted(driver, demo_store)
        await counted.write(6)
        draws = driver.main.metrics.draws
        await driver.until(lambda: screen.board.days[-1].end)
        assert counted.searches == 0
        assert driver.main.metrics.draws == draws
        # The board and the counters are renewed at most once in a tick, each drawn once; figures
        # that light up fade in two steps.
        assert counted.frames <= 6 * (screen.asking.asked + 1)
        await driver.press("escape")
        await driver.until(lambda: len(driver.list.sids) == 16)
        assert driver.main.metrics.figures == driver.main.figures
