"""How long the app holds its keys up while a turn of many megabytes is read.

    python -m tests.benchmarks.stalls [--megabytes 20]

One session for each kind of large content, read in Textual's headless driver with the keys a
reader would press. The event loop is asked every two milliseconds whether it answers; a table tells
the longest time it did not, by key. That time is the clock's, so what else the machine does counts.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sparrow_tui.app.app import SparrowApp
from sparrow_tui.cli.app import HANDOVER
from sparrow_tui.model import (
    Block,
    Image,
    Raw,
    Reasoning,
    SessionInfo,
    Text,
    ToolResult,
    ToolUse,
    Turn,
)
from sparrow_tui.settings import Settings
from sparrow_tui.store import open_store
from sparrow_tui.store.prepared import Prepared, rows

LOOK = 0.002
KEYS = (
    ("enter", "Enter"), ("pagedown", "PgDn"), ("pagedown", "PgDn"), ("G", "G"), ("pageup", "PgUp"),
    ("g", "g"), ("down", "j"), ("t", "t"), ("t", "t"), ("y", "y"), ("Y", "Y"),
    ("C", "C"), ("pagedown", "PgDn"), ("T", "T"), ("G", "G"), ("i", "i"), ("r", "r"), ("g", "g"),
    ("n", "n"), ("n", "n"), ("N", "N"), ("O", "O"), ("escape", "Esc"), ("slash", "/"),
    ("h", "find"), ("a", "find"), ("l", "find"), ("y", "find"), ("enter", "find"), ("n", "n"),
)  # fmt: skip
"""Keys in their order, and what they are called."""
REST = 0.5
"""Seconds a key's work may take, beside the screen."""


def words(chance: random.Random, size: int, end: str = "\n") -> str:
    """Text of about so many characters, with a rare word in its middle."""
    known = [f"{chance.choice('bcdfgm')}{chance.choice('aeiou')}{n:x}" for n in range(4_000)]
    line = [" ".join(chance.choices(known, k=12)) for _ in range(500)]
    text = end.join(line * (size // sum(map(len, line)) + 1))[:size]
    return f"{text[: size // 2]} halyard {text[size // 2 :]}"


def contents(size: int) -> dict[str, Callable[[], list[Block]]]:
    """What makes the blocks of a turn of ``size`` bytes, by kind."""
    chance = random.Random(3)

    def data() -> list[dict[str, object]]:
        return [
            {"id": n, "name": f"name {n} of a row", "value": n * 1.5, "note": "halyard" * (n == 9)}
            for n in range(size // 60)
        ]

    def edited() -> list[Block]:
        old = words(chance, size // 8)
        return [ToolUse("e", "Edit", {"file_path": "/a.py", "old_string": old,
                                      "new_string": old.replace("a1", "b1")})]  # fmt: skip

    return {
        "text": lambda: [Text(words(chance, size))],
        "one line": lambda: [Text(words(chance, size // 10, " "))],
        "one word": lambda: [Text("x" * (size // 10))],
        "markdown": lambda: [Text(f"# One\n\n{words(chance, 300_000, chr(10) * 2)}")],
        "reasoning": lambda: [Reasoning(words(chance, size))],
        "result": lambda: [ToolResult("a", [Text(words(chance, size))])],
        "JSON result": lambda: [ToolResult("a", [Text(_json(data()))])],
        "coloured result": lambda: [
            ToolResult("a", [Text(words(chance, size, "\x1b[0m\n\x1b[31m"))])
        ],
        "input": lambda: [ToolUse("a", "query", {"rows": data()})],
        "text in input": lambda: [ToolUse("a", "Write", {"file_path": "/a.md",
                                                         "content": words(chance, size)})],
        "edit": edited,
        "record": lambda: [Raw("strange", {"rows": data()})],
        "picture": lambda: [Image("image/png", base64.b64encode(chance.randbytes(size)).decode())],
    }  # fmt: skip


def _json(value: object) -> str:
    import json

    return json.dumps(value)


class Watch:
    """The longest times the event loop did not answer."""

    def __init__(self) -> None:
        self.worst = 0.0

    async def run(self) -> None:
        """Look until cancelled."""
        last = time.perf_counter()
        while True:
            await asyncio.sleep(LOOK)
            now = time.perf_counter()
            self.worst = max(self.worst, now - last - LOOK)
            last = now

    def take(self) -> float:
        """The longest since the last call, in milliseconds."""
        worst, self.worst = self.worst, 0.0
        return worst * 1000


async def one(location: str) -> dict[str, float]:
    """The longest hold by key."""
    app = SparrowApp(location, sync=False, settings=Settings())
    held: dict[str, float] = {}
    async with app.run_test(size=(140, 40)) as pilot:
        watch = Watch()
        watching = asyncio.create_task(watch.run())
        await pilot.pause(1.0)
        for letter in "halyard":
            await pilot.press(letter)
        await pilot.pause(REST)
        held["search"] = watch.take()
        for key, name in KEYS:
            await pilot.press(key)
            await pilot.pause(REST)
            held[name] = max(held.get(name, 0.0), watch.take())
        await pilot.resize_terminal(90, 30)
        await pilot.pause(REST)
        held["resize"] = watch.take()
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
    return held


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=20)
    parser.add_argument("--only", help="one kind of content")
    options = parser.parse_args()
    sys.setswitchinterval(HANDOVER)  # as the app does
    names = ["search", *dict.fromkeys(name for _, name in KEYS), "resize"]
    print(f"{'ms':16}" + "".join(f"{name:>7}" for name in names))
    for kind, make in contents(options.megabytes * 1_000_000).items():
        if options.only not in (None, kind):
            continue
        with tempfile.TemporaryDirectory() as folder:
            location = str(Path(folder) / "a.db")
            store = open_store(location)
            info = SessionInfo(id="bench:1", title=kind, created_at=1_767_000_000_000)
            # What is large comes first: that is where the cursor is after `g`.
            said = [Turn(role="assistant", blocks=make(), time=2)]
            said.append(Turn(role="user", blocks=[Text("Thanks, halyard")], time=3))
            store.write([Prepared(session=info, start=0, rows=rows(said))])
            store.close()
            del said
            held = asyncio.run(one(location))
        print(f"{kind:16}" + "".join(f"{held.get(name, 0):7.0f}" for name in names), flush=True)


if __name__ == "__main__":
    main()
