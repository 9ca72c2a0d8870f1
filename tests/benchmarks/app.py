"""From a key to its results on the screen, in a real terminal, beside fast-resume on the same home.

    python -m tests.benchmarks.app [--home DIR | --sessions N] [--rounds N]

Both programs run in a pseudo-terminal of 120×40 cells, one after the other and in turns. Words
are typed key by key; the next key comes when the screen has been still for a while. What a
program writes is stamped as it comes and drawn afterwards (by pyte), so that the emulator takes
no time while it is taken. Reported are milliseconds from the key to the first change of the list
of results, and to the last change there; keys that change nothing in the list count for neither.
fast-resume (``pip install fast-resume``) indexes conversation only and shows 100 rows at most.
Without ``--home`` a home of invented Claude Code and Codex sessions is written first.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import apsw

from tests.benchmarks.importing import environment, invent_home
from tests.terminal.driver import UNKNOWN, Terminal

STILL = 0.35
"""Seconds without output after which a key is answered."""
LIST = (slice(4, 34), slice(0, 40))
"""Lines and columns that show results in both programs."""
WORDS = 6
"""Pairs of neighbouring words, from prompts of the home, that are typed."""
CLEAR = {"fast-resume": "\x7f" * 24, "sparrow-tui": "\x15"}
READY = "sessions"


@dataclass
class Times:
    """Milliseconds after a key."""

    first: list[float] = field(default_factory=list)
    last: list[float] = field(default_factory=list)


def listed(terminal: Terminal) -> list[str]:
    """The part of the screen that shows results."""
    lines, columns = LIST
    return [line[columns] for line in terminal.text.split("\n")[lines]]


def answer(terminal: Terminal, keys: str) -> list[tuple[float, bytes]]:
    """Press keys; what came, with the milliseconds after which it had come."""
    begun = time.perf_counter()
    os.write(terminal.file, keys.encode())
    came = []
    while select.select([terminal.file], [], [], STILL)[0]:
        data = os.read(terminal.file, 1 << 17)
        came.append(((time.perf_counter() - begun) * 1000, data))
    return came


def typed(store: Path) -> list[str]:
    """What is typed: neighbouring words of prompts in our archive."""
    connection = apsw.Connection(str(store), flags=apsw.SQLITE_OPEN_READONLY)
    prompts = [text for (text,) in connection.execute("SELECT prompt FROM session ORDER BY id")]
    connection.close()
    found = re.findall(r"(?<!\S)[a-z]{3,9} [a-z]{3,9}(?!\S)", "\n".join(filter(None, prompts)))
    return random.Random(11).sample(sorted(set(found)), WORDS)


def measure(
    name: str, command: Sequence[str], env: Mapping[str, str], words: Sequence[str]
) -> Times:
    """Type all words into a new run of a program."""
    found = Times()
    terminal = Terminal(command, columns=120, rows=40, env=env, cwd=env["HOME"])
    try:
        terminal.until(lambda text: READY in text, f"{name}'s first screen")
        terminal.read(2.0)
        for word in words:
            for key in word:
                before, changes = listed(terminal), []
                for moment, data in answer(terminal, key):
                    terminal.stream.feed(UNKNOWN.sub(b"", data))
                    now = listed(terminal)
                    if now != before:
                        changes.append(moment)
                        before = now
                if changes:
                    found.first.append(changes[0])
                    found.last.append(changes[-1])
            for _, data in answer(terminal, CLEAR[name]):
                terminal.stream.feed(UNKNOWN.sub(b"", data))
    finally:
        terminal.close()
    return found


def prepare(home: Path, scratch: Path, fr: str | None) -> dict[str, list[str]]:
    """Let both programs build their index; how to start them."""
    env = environment(home, scratch)
    store = scratch / "archive.db"
    ours = [sys.executable, "-m", "sparrow_tui"]
    subprocess.run([*ours, "sync", "--store", str(store)], env=env, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    commands = {"sparrow-tui": [*ours, "--store", str(store), "--no-sync"]}
    if fr is not None:
        subprocess.run([fr, "--json", "zzqxv"], env=env, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)  # fmt: skip
        commands["fast-resume"] = [fr]
    return commands


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which a share of all values is."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--home", type=Path, help="a home with agents' sessions; it is only read")
    parser.add_argument("--sessions", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    fr = shutil.which("fr", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    with tempfile.TemporaryDirectory(prefix="sparrow-bench-") as folder:
        scratch = Path(folder)
        home = options.home or scratch / "home"
        if options.home is None:
            invent_home(home, options.sessions)
        commands = prepare(home, scratch, fr)
        env = environment(home, scratch)
        words = typed(scratch / "archive.db")
        every = {name: Times() for name in commands}
        for number in range(options.rounds):
            for name in sorted(commands, reverse=bool(number % 2)):
                times = measure(name, commands[name], env, words)
                every[name].first += times.first
                every[name].last += times.last
    print(f"{'ms from the key':28} {'keys':>5} {'median':>8} {'p99':>8} {'worst':>8}")
    for name, times in every.items():
        for what, values in (("first results", times.first), ("last change", times.last)):
            print(
                f"{name + ': ' + what:28} {len(values):5} {statistics.median(values):8.1f}"
                f" {percentile(values, 0.99):8.1f} {max(values):8.1f}"
            )
    if "fast-resume" in every:
        ours, theirs = every["sparrow-tui"], every["fast-resume"]
        ratio = statistics.median(ours.first) / statistics.median(theirs.first)
        print(f"median of first results, ours / fast-resume's: {ratio:.2f}")


if __name__ == "__main__":
    main()
