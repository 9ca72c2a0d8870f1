"""How long charts over many turns take: from the key to the picture, beside scans.

    python -m tests.benchmarks.dashboard [--turns 1000000] [--store FILE]

The store is made once and kept in a cache directory. "Asked" is everything the dashboard asks of
the store; "picture" is from the key to the frame that shows the answer, the screen's making
included where it is opened, on a terminal of 140 by 40. Each is the median: milliseconds that
pass, those of them that this process computes (all its threads; a busy machine adds none), and
the latter as a share of a scan of all turns' numbers, which is what charts would cost without
sums kept as turns arrive.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sparrow_tui.app.app import SparrowApp
from sparrow_tui.app.board import Wanted, board
from sparrow_tui.app.screens.dashboard import DashboardScreen
from sparrow_tui.app.widgets.charts_plot import steps_that_fit
from sparrow_tui.settings import Settings
from sparrow_tui.store import open_store
from sparrow_tui.store.sqlite import SqliteStore
from sparrow_tui.store.steps import STEPS
from tests.benchmarks.footer import library

WIDTH, HEIGHT = 140, 40
KEYS = {"h": "hours", "w": "weeks", "m": "months", "7": "sessions by month", "1": "tokens by month",
        "s": "months by model", "d": "days"}  # fmt: skip


Taken = tuple[float, float]
"""Milliseconds that passed, and of processor time."""


class Watch:
    """A stopwatch for both."""

    def __init__(self) -> None:
        self._passed, self._computed = time.perf_counter(), time.process_time()

    def read(self) -> Taken:
        """Since it was made."""
        passed, computed = time.perf_counter(), time.process_time()
        return (passed - self._passed) * 1000, (computed - self._computed) * 1000


def middle(taken: Sequence[Taken]) -> Taken:
    """The median of each."""
    passed, computed = zip(*taken, strict=True)
    return statistics.median(passed), statistics.median(computed)


def median(times: int, act: Callable[[], object]) -> Taken:
    """What something takes."""
    taken = []
    for _ in range(times):
        watch = Watch()
        act()
        taken.append(watch.read())
    return middle(taken)


def scans(store: SqliteStore) -> dict[str, Taken]:
    """What charts would cost otherwise."""
    db = store.connection
    return {
        "scan of all turns": median(
            3, lambda: db.execute("SELECT count(*), sum(chars), max(time) FROM turn").fetchall()
        ),
        "scan of all hours' sums": median(
            3,
            lambda: db.execute(
                "SELECT hour, agent, sum(input), sum(output), sum(cost_micro) FROM bucket"
                " GROUP BY 1, 2"
            ).fetchall(),
        ),
    }


def asked(store: SqliteStore, now: int) -> dict[str, Taken]:
    """What the store takes, by step."""
    found = {}
    for step in STEPS:
        for sessions in (False, True):
            wanted = Wanted(step, steps_that_fit(step, WIDTH), now, now, "agent", sessions)
            name = f"asked, by {step}" + (", sessions too" if sessions else "")
            found[name] = median(5, lambda wanted=wanted: board(store, wanted))
    return found


async def pictures(path: str, now: int, rounds: int = 5) -> dict[str, Taken]:
    """From a key to its picture."""
    app = SparrowApp(path, sync=False, settings=Settings(), present=lambda: now)
    took: dict[str, list[Taken]] = {}
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await pilot.pause(3)
        while not app.engine.at_rest:
            await pilot.pause(0.1)
        app.main.sessions.focus()
        for number in range(rounds):
            before = app.main._boards.asked
            first = "D, the first time" if number == 0 else "D, again"
            took.setdefault(first, []).append(await _picture(app, "D", before))
            for key, name in KEYS.items():
                before = app.main._boards.asked
                took.setdefault(name, []).append(await _picture(app, key, before))
            await pilot.press("escape")
            await pilot.pause(1)
    return {f"picture: {name}": middle(values) for name, values in took.items()}


async def _picture(app: SparrowApp, key: str, before: int) -> Taken:
    """From a key to the frame with its answer."""
    boards, first = app.main._boards, app.screen
    draws = first.chart.draws if isinstance(first, DashboardScreen) else 0
    watch = Watch()
    app.simulate_key(key)
    while True:
        await asyncio.sleep(0.002)
        screen = app.screen
        if isinstance(screen, DashboardScreen) and not boards.busy and screen.chart.plot.starts:
            answered = boards.asked > before or (key == "1" and screen.view.number == 0)
            # Drawn while a frame is put together: it is written out at once.
            if answered and screen.chart.draws > (draws if screen is first else 0):
                return watch.read()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--turns", type=int, default=1_000_000)
    parser.add_argument("--store", type=Path, help="measure this store instead")
    options = parser.parse_args()
    path = options.store or library(options.turns)
    store = open_store(str(path), readonly=True)
    turns = store.connection.execute("SELECT coalesce(sum(turns), 0) FROM session").get
    now = (store.connection.execute("SELECT max(hour) FROM bucket").get + 1) * 3_600_000 - 1
    figures = scans(store)
    whole = figures["scan of all turns"]
    figures |= asked(store, now)
    store.close()
    figures |= asyncio.run(pictures(str(path), now))
    title = f"{turns:,} turns"
    print(f"{title:<36}{'ms':>10}{'computing':>12}{'of a scan':>12}")
    for name, (passed, computed) in figures.items():
        print(f"  {name:<34}{passed:10.1f}{computed:12.1f}{computed / whole[1]:12.2f}")


if __name__ == "__main__":
    sys.exit(main())
