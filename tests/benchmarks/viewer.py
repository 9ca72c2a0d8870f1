"""How long the transcript viewer takes to open, page and resize, by the size of the session.

    python -m tests.benchmarks.viewer [--turns 100,100000,1000000]

Sessions are made once and kept in a cache directory. Times are of the viewer in Textual's
headless driver, from the call to the frame that shows the answer; read them as ratios between
sizes of one run.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import platformdirs
from textual.app import App, ComposeResult

from sparrow_tui.app.themes import THEMES, chart_colours
from sparrow_tui.app.transcript_loader import TranscriptLoader
from sparrow_tui.app.transcript_places import Place
from sparrow_tui.app.widgets.transcript_view import TranscriptView
from sparrow_tui.model import SessionInfo, Text, ToolResult, ToolUse, Turn
from sparrow_tui.paths import stylesheet
from sparrow_tui.store import open_store
from sparrow_tui.store.base import StoreError
from sparrow_tui.store.prepared import Prepared, rows

WORDS = [
    "retry",
    "gateway",
    "timeout",
    "parser",
    "index",
    "window",
    "cursor",
    "anchor",
    "tokens",
    "schema",
    "branch",
]
SID = "bench:1"


def turns(number: int, seed: int = 7) -> Iterator[Turn]:
    """A session's turns: prompts, answers with code, tool calls with results."""
    chance = random.Random(seed)
    start = 1_700_000_000_000
    for index in range(number):
        kind = index % 8
        said = " ".join(chance.choice(WORDS) for _ in range(chance.randint(8, 60)))
        at = start + index * 1_000
        if kind == 0:
            yield Turn(role="user", blocks=[Text(said)], time=at)
        elif kind in (1, 7):
            code = f"\n```python\ndef f{index}(x):\n    return x + {index}\n```\n"
            yield Turn(role="assistant", blocks=[Text(said + code + said)], time=at, model="m-1")
        elif kind % 2 == 0:
            call = ToolUse(f"c{index}", "Bash", {"command": f"grep -rn {said[:30]} src"})
            yield Turn(role="assistant", blocks=[call], time=at, model="m-1")
        else:
            output = "\n".join(f"src/a{n}.py:{n}: {said}" for n in range(chance.randint(1, 25)))
            result = ToolResult(f"c{index - 1}", [Text(output)], is_error=index % 97 == 0)
            yield Turn(role="tool", blocks=[result], time=at)


def library(number: int) -> Path:
    """A store with one session of ``number`` turns, made on first use."""
    folder = Path(platformdirs.user_cache_dir("sparrow-tui-benchmarks"))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"viewer-{number}.db"
    if path.exists():
        try:
            open_store(str(path), readonly=True).close()
            return path
        except StoreError:
            path.unlink()  # of another build
    unfinished = path.with_suffix(".part")
    unfinished.unlink(missing_ok=True)
    store = open_store(str(unfinished))
    chunk: list[Turn] = []
    written = 0

    def flush() -> None:
        nonlocal written
        info = SessionInfo(id=SID, title="benchmark", created_at=1_700_000_000_000)
        store.write([Prepared(session=info, start=written, rows=rows(chunk))])
        written += len(chunk)
        chunk.clear()

    for turn in turns(number):
        chunk.append(turn)
        if len(chunk) == 5_000:
            flush()
    if chunk:
        flush()
    store.close()
    unfinished.rename(path)
    return path


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


async def measure(number: int, pages: int) -> dict[str, float]:
    """Milliseconds by what was done, for one size."""
    path = library(number)
    app = Bench(path)
    found: dict[str, float] = {}
    async with app.run_test(size=(120, 40)) as pilot:
        view = app.view
        session = open_store(str(path), readonly=True).load(SID)
        assert session is not None
        chance = random.Random(3)
        opened = []
        for _ in range(20):
            at = chance.randrange(number)
            started = time.perf_counter()
            view.open(session, at=at)
            await painted(app, lambda at=at: view._goal is None and view.cursor.turn == at)
            opened.append((time.perf_counter() - started) * 1000)
        found["open"] = statistics.median(opened)
        found["open worst"] = max(opened)
        ends = []
        for _ in range(10):
            view.go(0, lambda: view.show_place(Place(0), 0))
            await painted(app, lambda: view._goal is None)
            started = time.perf_counter()
            view.action_end()
            await painted(app, lambda: view._goal is None and view.cursor.turn == number - 1)
            ends.append((time.perf_counter() - started) * 1000)
        found["End"] = statistics.median(ends)
        view.to_turn(number // 3)
        await painted(app, lambda: view._goal is None)
        times = []
        before = app.loader.turns_read
        for _ in range(min(pages, max(number // 60, 2))):
            started = time.perf_counter()
            view.action_page(1)
            await painted(app, lambda: not view._owed)
            times.append((time.perf_counter() - started) * 1000)
            await asyncio.sleep(0.005)
        times.sort()
        found["page median"] = statistics.median(times)
        found["page p99"] = times[int(len(times) * 0.99)]
        found["turns read a page"] = (app.loader.turns_read - before) / len(times)
        sizes = []
        for width in (100, 120, 90, 120):
            started = time.perf_counter()
            await pilot.resize_terminal(width, 40)
            sizes.append((time.perf_counter() - started) * 1000)
        found["resize"] = statistics.median(sizes)
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
