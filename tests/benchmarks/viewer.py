"""How long the transcript viewer takes to open, page and resize, by the size of the session.

    python -m tests.benchmarks.viewer [--turns 100,100000,1000000]

Sessions are made once and kept in a cache directory (see `tests.benchmarks.transcripts`). Times
are of the viewer in Textual's headless driver, from the call to the frame that shows the answer,
and of that the CPU time of the thread that draws (what else the machine does counts less there);
read them as ratios between sizes of one run.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import statistics
import sys
import time
from pathlib import Path

from textual.app import App, ComposeResult

from sparrow_tui.app.garbage import Collector
from sparrow_tui.app.themes import THEMES, chart_colours
from sparrow_tui.app.transcript_loader import TranscriptLoader
from sparrow_tui.app.transcript_places import Place
from sparrow_tui.app.widgets.transcript_view import TranscriptView
from sparrow_tui.paths import stylesheet
from sparrow_tui.store import open_store
from tests.benchmarks.transcripts import SID, library

PACE = 0.06
"""Seconds between two pages: a key held down is not much faster."""
REST = 0.3
"""Seconds before something else is measured."""


class Bench(App[None]):
    """The viewer alone."""

    CSS_PATH = stylesheet()

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loader = TranscriptLoader(str(path), self._post)

    def _post(self, message: object) -> None:
        self.view.post_message(message)

    @property
    def view(self) -> TranscriptView:
        return self.query_one(TranscriptView)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return chart_colours("captain")

    def compose(self) -> ComposeResult:
        yield TranscriptView(self.loader, id="transcript")

    def on_mount(self) -> None:
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "captain"
        self.loader.start()


async def painted(app: Bench, shows: object) -> None:
    """Wait for the frame after the viewer shows what was asked for."""
    while not shows():
        await asyncio.sleep(0.0005)
    done = asyncio.Event()
    app.view.call_after_refresh(done.set)
    await done.wait()


class Watch:
    """Milliseconds that passed, and those the UI thread worked."""

    def __init__(self) -> None:
        self._started = time.perf_counter(), time.thread_time()

    def read(self) -> tuple[float, float]:
        """Passed and worked since it was made."""
        passed, worked = self._started
        return (time.perf_counter() - passed) * 1000, (time.thread_time() - worked) * 1000


def told(name: str, times: list[tuple[float, float]]) -> dict[str, float]:
    """Median and worst hundredth."""
    passed, worked = (sorted(column) for column in zip(*times, strict=True))
    last = int(len(times) * 0.99)
    return {
        f"{name}: median": statistics.median(passed),
        f"{name}: p99": passed[last],
        f"{name}: CPU median": statistics.median(worked),
        f"{name}: CPU p99": worked[last],
    }


async def measure(number: int, pages: int) -> dict[str, float]:
    """Milliseconds by what was done, for one size."""
    path = library(number)
    app = Bench(path)
    found: dict[str, float] = {}
    async with app.run_test(size=(120, 40)) as pilot:
        collector = Collector()  # as in the app
        collector.begin()
        view = app.view
        session = open_store(str(path), readonly=True).load(SID)
        assert session is not None
        chance = random.Random(3)
        times = []
        for _ in range(30):
            at = chance.randrange(number)
            watch = Watch()
            view.open(session, at=at)
            await painted(app, lambda at=at: view._goal is None and view.cursor.turn == at)
            times.append(watch.read())
            await asyncio.sleep(REST)
        found |= told("open", times[3:])
        times = []
        for _ in range(10):
            view.go(0, lambda: view.show_place(Place(0), 0))
            await painted(app, lambda: view._goal is None)
            await asyncio.sleep(REST)
            watch = Watch()
            view.action_end()
            await painted(app, lambda: view._goal is None and view.cursor.turn == number - 1)
            times.append(watch.read())
        found |= told("End", times)
        times = []
        before = app.loader.turns_read
        for page in range(pages):
            if page % max(number // 20, 1) == 0:
                view.to_turn(number // 3)
                await painted(app, lambda: view._goal is None)
                await asyncio.sleep(REST)
            watch = Watch()
            view.action_page(1)
            await painted(app, lambda: not view._owed)
            times.append(watch.read())
            await asyncio.sleep(PACE)
        found |= told("page", times)
        found["turns read a page"] = (app.loader.turns_read - before) / len(times)
        times = []
        for width in (100, 120, 90, 120, 110, 120):
            watch = Watch()
            await pilot.resize_terminal(width, 40)
            await painted(app, lambda width=width: view.size.width == width)
            times.append(watch.read())
            await asyncio.sleep(REST)
        found |= told("resize", times)
        collector.end()
    return found


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--turns", default="100,100000")
    parser.add_argument("--pages", type=int, default=200)
    options = parser.parse_args()
    table = {}
    for number in map(int, options.turns.split(",")):
        table[number] = asyncio.run(measure(number, options.pages))
        table[number]["RSS MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    names = list(next(iter(table.values())))
    print("| ms | " + " | ".join(f"{number:,} turns" for number in table) + " |")
    print("|---|" + "---|" * len(table))
    for name in names:
        print(f"| {name} | " + " | ".join(f"{row[name]:.1f}" for row in table.values()) + " |")


if __name__ == "__main__":
    sys.exit(main())
