"""How long the whole app takes in a real terminal, from a key to the text it brings.

    python -m tests.benchmarks.viewer_terminal [--turns 100,100000,1000000]

The installed app runs in a pseudo-terminal on the sessions of `tests.benchmarks.transcripts`. Times
are from writing the key to reading the last byte of the frame that shows the answer; where a row
says so, without those in which the thread that draws waited for a core other programs had. A page
is cold right after a jump, before anything was read ahead. Memory is the process's resident set.
Read all as ratios between sizes of one run.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import random
import re
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.transcripts import library

PATIENCE = 60.0
REST = 0.5
"""Seconds before something else is measured."""
FINDING = 5.0
"""Seconds a search through the session goes on before memory is looked at."""
OPENINGS = 7
JUMPS = 80
"""Places pages are turned at: one cold page each, and `WARM` more."""
WARM = 4
SAME_FRAME = 0.004
"""Seconds within which what is written goes on with a frame."""
AT_ONCE = 0.02
"""Seconds without a byte after which a frame counts as complete where the next key is due."""
OPENED, IN_LIST, IN_BOX = rb"Outline", rb"Read.*Search", rb"Read.*Sessions"
"""What the key line offers: in the transcript, in the list, in the search box."""
CONTROL = re.compile(rb"\x1b\[[0-9;?<>=:]*[@-~]")


class Answer(NamedTuple):
    """Milliseconds from a key to the last byte it brings."""

    passed: float
    alone: float
    """Without waits for a core."""
    worked: float
    """CPU time of the thread that draws."""


class Session:
    """The app in a terminal of 140×40 cells."""

    def __init__(self, store: Path, home: str) -> None:
        self.file, child = pty.openpty()
        self._child = child
        self._at_last = (0.0, 0.0)
        """What the thread that draws had spent when the last frame was read."""
        self._resize(140)
        env = {**os.environ, "HOME": home, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        command = [sys.executable, "-m", "sparrow_tui", "--store", str(store), "--no-sync"]
        self.process = subprocess.Popen(
            command, stdin=child, stdout=child, stderr=child, env=env, start_new_session=True
        )
        self.until(rb"2 sessions")

    def _resize(self, columns: int) -> None:
        fcntl.ioctl(self._child, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))

    def until(self, pattern: bytes, *, quiet: float = 0.0) -> float:
        """Milliseconds until the app has written something that fits; then until it is quiet."""
        started = last = time.perf_counter()
        seen, found = b"", False
        while time.perf_counter() - started < PATIENCE:
            if not select.select([self.file], [], [], quiet if found else 0.5)[0]:
                if found:
                    break
                continue
            seen += os.read(self.file, 1 << 16)
            now = time.perf_counter()
            goes_on = found and now - last < SAME_FRAME
            if goes_on or (not found and re.search(pattern, CONTROL.sub(b"", seen))):
                found, last = True, now
                self._at_last = self._drawing()
        if not found:
            raise TimeoutError(f"{pattern!r} did not come; the app wrote {seen[-400:]!r}")
        return (last - started) * 1000

    def press(self, keys: str, pattern: bytes, *, quiet: float = 0.06) -> float:
        """Milliseconds from keys to what they bring."""
        os.write(self.file, keys.encode())
        return self.until(pattern, quiet=quiet)

    def timed(self, keys: str) -> Answer:
        """How long keys take that change the screen."""
        before = self._drawing()
        passed = self.press(keys, rb".")
        worked, waited = (now - then for now, then in zip(self._at_last, before, strict=True))
        return Answer(passed, passed - waited, worked)

    def _drawing(self) -> tuple[float, float]:
        """Milliseconds the thread that draws has worked, and waited for a core."""
        pid = self.process.pid
        line = Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()
        return int(line[0]) / 1e6, int(line[1]) / 1e6

    def rest(self) -> None:
        """Let the app come to rest."""
        time.sleep(REST)

    def resize(self, columns: int) -> float:
        """Milliseconds from a resize to the new frame."""
        self._resize(columns)
        os.killpg(self.process.pid, 28)  # SIGWINCH
        return self.until(rb"turn [\d,]+ of", quiet=0.06)

    def worked(self) -> float:
        """Milliseconds of CPU time the process has used, in steps of the kernel's clock."""
        line = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, line[11:13])) * 1000 / os.sysconf("SC_CLK_TCK")

    def megabytes(self) -> float:
        """Resident memory of the process."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)

    def close(self) -> None:
        """End the app."""
        self.process.kill()
        self.process.wait()
        os.close(self.file)
        os.close(self._child)


def openings(app: Session, number: int) -> dict[str, float]:
    """Milliseconds from Enter to the transcript: of the session shown, of another, at a match."""
    shown, other, matches = [], [], []
    for attempt in range(OPENINGS):
        app.rest()
        shown.append(app.press("\r", OPENED))
        app.press("\x1b", IN_LIST)
        app.press("j", rb"short")
        app.rest()
        other.append(app.press("k\r", OPENED))
        app.press("\x1b", IN_LIST)
        app.press("\x1b", IN_BOX)
        word = f"f{(number * attempt // OPENINGS) // 8 * 8 + 1}"
        app.press(word, rb"hits? in")
        matches.append(app.press("\r", OPENED))
        app.press("\x1b", IN_LIST)
        app.press("/\x15", rb"2 sessions")
    app.rest()
    app.press("\r", OPENED)
    return {
        "Enter, of the session shown": statistics.median(shown),
        "Enter, of another session": statistics.median(other),
        "Enter, at a match": statistics.median(matches),
        "Enter, worst": max(*shown, *other, *matches),
    }


def told(name: str, answers: list[Answer]) -> dict[str, float]:
    """Median and worst hundredth of some answers."""
    passed, alone, worked = (sorted(column) for column in zip(*answers, strict=True))
    last = min(int(len(passed) * 0.99), len(passed) - 1)
    return {
        f"{name} ({len(answers)}), median": statistics.median(passed),
        f"{name}, p99": passed[last],
        f"{name}, median without waits for a core": statistics.median(alone),
        f"{name}, p99 without waits for a core": alone[last],
        f"{name}, CPU median": statistics.median(worked),
        f"{name}, CPU p99": worked[last],
    }


def paging(app: Session, number: int) -> dict[str, float]:
    """Page down, cold and warm, at places all over the session."""
    chance = random.Random(5)
    cold, warm = [], []
    for _ in range(JUMPS):
        # Not to the end: there a page changes nothing, and nothing is written.
        turn = chance.randrange(1, max(number - 200, 20))
        app.press(f":{turn}", rb"%d" % (turn % 10))
        app.press("\r", rb"turn", quiet=AT_ONCE)
        cold.append(app.timed(" "))
        warm += [app.timed(" ") for _ in range(WARM)]
    return told("page, cold", cold) | told("page, warm", warm)


def measure(number: int) -> dict[str, float]:
    """Milliseconds by what was done, for one size."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as home:
        app = Session(library(number), home)
        try:
            time.sleep(1.5)
            found |= openings(app, number)
            going, ends = [], []
            for part in (0.5, 0.2, 0.8, 0.35, 0.65):
                turn = max(int(number * part), 1)
                app.press(f":{turn}", rb"%d" % (turn % 10))
                going.append(app.press("\r", rb"turn"))
                ends.append(app.press("G", rb"."))
                app.press("g", rb".")
            found["go to a turn"] = statistics.median(going)
            found["End"] = statistics.median(ends)
            started = app.worked()
            found |= paging(app, number)
            pages = JUMPS * (WARM + 1)
            found["page and its jumps, CPU of all threads, mean"] = (app.worked() - started) / pages
            found["resize"] = statistics.median(app.resize(width) for width in (120, 150, 100, 140))
            found["RSS MB"] = app.megabytes()
            found["find, eight keys, to the first match"] = app.press("/gateway", rb"match [\d,]+/")
            app.press("\r", OPENED)
            time.sleep(FINDING)
            found["outline"] = app.press("O", rb"Enter goes there")
            app.press("\x1b", rb".")
            found["RSS MB after finding for a while, and the outline"] = app.megabytes()
        finally:
            app.close()
    return found


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--turns", default="100,100000")
    options = parser.parse_args()
    table = {number: measure(number) for number in map(int, options.turns.split(","))}
    print("| ms | " + " | ".join(f"{number:,} turns" for number in table) + " |")
    print("|---|" + "---|" * len(table))
    for name in next(iter(table.values())):
        print(f"| {name} | " + " | ".join(f"{row[name]:.1f}" for row in table.values()) + " |")


if __name__ == "__main__":
    main()
