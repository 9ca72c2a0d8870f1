"""What the counters cost: a footer's update, turns arriving while one looks.

    python -m tests.benchmarks.footer [--turns 1000000] [--seconds 5]

The store is made once and kept in a cache directory. "Update" is the time on the UI's thread from
new figures to the painted frame, beside that of one `Static` that shows as much text. "Arriving"
is the processor time of the app's thread while another process writes turns, as a share of one
core, and beside it that of all threads of the app; with it go the turns that what is looked at has
come to count in the meantime, and how often it was drawn.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import platformdirs
from textual.app import App, ComposeResult
from textual.content import Content
from textual.widgets import Static

from sparrow_tui.app.app import SparrowApp
from sparrow_tui.app.widgets.charts import ColumnChart
from sparrow_tui.app.widgets.footer_cells import Figures
from sparrow_tui.app.widgets.metrics_footer import MetricsFooter
from sparrow_tui.model import SessionInfo, Text, Turn, Usage
from sparrow_tui.paths import stylesheet
from sparrow_tui.settings import SavedSearch, Settings
from sparrow_tui.store import open_store
from sparrow_tui.store.connection import tables_fingerprint
from sparrow_tui.store.prepared import Prepared, rows
from sparrow_tui.store.steps import HOUR_MS

NOW = 1_767_225_600_000
A_SESSION = 200
"""Turns."""
TOKENS = 11
"""Of each turn that arrives."""


def library(number: int) -> Path:
    """A store with so many turns over two years, of four agents, six models and 30 projects."""
    folder = Path(platformdirs.user_cache_dir("sparrow-tui-benchmarks"))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"footer-{number}-{tables_fingerprint()}.db"
    if path.exists():
        return path
    unfinished = path.with_suffix(".part")
    unfinished.unlink(missing_ok=True)
    store, chance = open_store(str(unfinished)), random.Random(5)
    for session in range(number // A_SESSION):
        agent = chance.choice(("claude", "codex", "gemini", "opencode"))
        at = NOW - chance.randrange(2 * 365 * 24) * HOUR_MS
        model = f"model-{chance.randrange(6)}"
        turns = [
            Turn(role="assistant" if n % 2 else "user", blocks=[Text(f"turn {n}")],
                 time=at + n * 20_000, model=model, uid=f"{session}.{n}",
                 usage=Usage(100 + n, 10, 1_000) if n % 2 else None)
            for n in range(A_SESSION)
        ]  # fmt: skip
        info = SessionInfo(id=f"{agent}:{session}", project=f"/p/{chance.randrange(30)}",
                           model=model, created_at=at, updated_at=at)  # fmt: skip
        store.write([Prepared(session=info, start=0, rows=rows(turns))])
    store.close()
    unfinished.rename(path)
    return path


class Alone(App[None]):
    """A footer beside a `Static`."""

    CSS_PATH = stylesheet()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return {f"chart-{n}": "#ffffff" for n in range(6)}

    def compose(self) -> ComposeResult:
        yield Static("", id="static")
        yield MetricsFooter(id="metrics")


async def update(times: int = 300) -> dict[str, float]:
    """Milliseconds of processor time from new figures to the frame, for both."""
    app, found = Alone(), {}
    async with app.run_test(size=(140, 10)) as pilot:
        footer, static = app.query_one(MetricsFooter), app.query_one("#static", Static)
        figures = Figures(input=10**6, output=10**5, history=tuple(range(24)))
        footer.show(figures)
        await pilot.pause()

        def show_static(number: int) -> None:
            static.update(Content(f"requests {number}   " * 7), layout=False)

        def show_footer(number: int) -> None:
            footer.show(replace(figures, requests=number, cost_micro=number * 10_000))

        for name, show in (("one Static", show_static), ("footer", show_footer)):
            took = []
            for number in range(times):
                done = asyncio.Event()
                started = time.thread_time()
                show(number)
                app.call_after_refresh(done.set)
                await done.wait()
                took.append((time.thread_time() - started) * 1000)
            found[name] = statistics.median(took)
            found[f"{name}, p99"] = sorted(took)[int(times * 0.99)]
            found[f"{name}, worst"] = max(took)
    return found


def _write(path: str, a_second: int, seconds: float) -> None:
    store, number = open_store(path), 0
    # Turns known by their ids would count once only, however often they are written.
    began, first = time.monotonic(), time.time_ns()
    while time.monotonic() - began < seconds:
        due = int((time.monotonic() - began) * a_second)
        if due - number >= a_second // 20:
            turns = [
                Turn(role="assistant", blocks=[Text("todo")], time=int(time.time() * 1000),
                     uid=f"{first}.{n}", usage=Usage(TOKENS - 1, 1))
                for n in range(number, due)
            ]  # fmt: skip
            store.append("claude:writing", turns)
            number = due
        time.sleep(0.01)
    store.close()


async def arriving(path: Path, seconds: float, a_second: int = 1_000) -> dict[str, float]:
    """Percent of a core the app's thread takes, by what happens."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        copy = str(Path(folder) / "store.db")
        shutil.copyfile(path, copy)
        settings = Settings(saved=[SavedSearch("todo", "todo", pinned=True)])
        app = SparrowApp(copy, sync=False, settings=settings)
        async with app.run_test(size=(140, 40)) as pilot:
            await pilot.pause(2)
            for name, rate in (
                ("idle", 0), ("list and footer", a_second), ("the session it is in", a_second),
                ("below help", a_second), ("dashboard", a_second),
            ):  # fmt: skip
                writer = None
                if rate:
                    command = [sys.executable, "-m", "tests.benchmarks.footer", "--write", copy]
                    command += ["--rate", str(rate), "--seconds", str(seconds + 2)]
                    writer = subprocess.Popen(command, stdin=subprocess.DEVNULL)
                    await asyncio.sleep(1)
                    await _scene(app, name)
                    await asyncio.sleep(1)
                before = _seen(app)
                began, own, whole = time.monotonic(), time.thread_time(), time.process_time()
                await asyncio.sleep(seconds)
                own, whole = time.thread_time() - own, time.process_time() - whole
                passed = time.monotonic() - began
                found[f"{name}, %"] = own / passed * 100
                found[f"{name}, all threads, %"] = whole / passed * 100
                for what, number in _seen(app).items():
                    found[f"{name}: {what} a second"] = (number - before[what]) / passed
                if writer is not None:
                    writer.wait()
    return found


def _seen(app: SparrowApp) -> dict[str, float]:
    """What was counted and drawn so far by that which is on the screen."""
    screen = app.screen
    seen: dict[str, float] = {}
    for footer in screen.query(MetricsFooter):
        seen["turns in the footer"] = footer.figures.requests
        seen["draws of the footer"] = footer.draws
    for chart in screen.query(ColumnChart):
        seen["turns in the chart"] = sum(chart.plot.totals) / TOKENS
        seen["draws of the chart"] = chart.draws
    return seen


async def _scene(app: SparrowApp, name: str) -> None:
    """What lies on top, while turns arrive in the session ``claude:writing``."""
    if name == "the session it is in":
        app.engine.open("claude:writing", focus=True)
        await asyncio.sleep(1)
        app.main.transcript.action_end()
    elif name == "below help":
        app.main.action_help()
    elif name == "dashboard":
        app.pop_screen()
        app.main.action_dashboard()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--turns", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--write", help=argparse.SUPPRESS)
    parser.add_argument("--rate", type=int, default=1_000, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        _write(options.write, options.rate, options.seconds)
        return
    path = library(options.turns)
    table = {
        "Update, ms": asyncio.run(update()),
        "1,000 turns a second arriving": asyncio.run(arriving(path, options.seconds)),
    }
    for title, figures in table.items():
        print(title)
        for name, value in figures.items():
            print(f"  {name:<46}{value:8.1f}")


if __name__ == "__main__":
    sys.exit(main())
