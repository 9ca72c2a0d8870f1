"""How long the whole app takes in a real terminal, from a key to the text it brings.

    python -m tests.benchmarks.viewer_terminal [--turns 100,100000,1000000]

The installed app runs in a pseudo-terminal on the sessions of `tests.benchmarks.viewer`. Times
are from writing the key to reading the last byte of the frame that shows the answer; memory is
the process's resident set after opening. Read them as ratios between sizes of one run.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
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

from tests.benchmarks.viewer import library

PATIENCE = 60.0
REST = 0.5
"""Seconds before something else is measured."""
FINDING = 5.0
"""Seconds a search through the session goes on before memory is looked at."""
OPENINGS = 7
OPENED, IN_LIST, IN_BOX = rb"Outline", rb"Read.*Search", rb"Read.*Sessions"
"""What the key line offers: in the transcript, in the list, in the search box."""
CONTROL = re.compile(rb"\x1b\[[0-9;?<>=:]*[@-~]")


class Session:
    """The app in a terminal of 140×40 cells."""

    def __init__(self, store: Path, home: str) -> None:
        self.file, child = pty.openpty()
        self._child = child
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
            if not found and re.search(pattern, CONTROL.sub(b"", seen)):
                found, last = True, time.perf_counter()
        if not found:
            raise TimeoutError(f"{pattern!r} did not come; the app wrote {seen[-400:]!r}")
        return (last - started) * 1000

    def press(self, keys: str, pattern: bytes) -> float:
        """Milliseconds from keys to what they bring."""
        os.write(self.file, keys.encode())
        return self.until(pattern, quiet=0.06)

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


def measure(number: int) -> dict[str, float]:
    """Milliseconds by what was done, for one size."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as home:
        app = Session(library(number), home)
        try:
            time.sleep(1.5)
            found |= openings(app, number)
            going, pages, ends, worked = [], [], [], []
            for part in (0.5, 0.2, 0.8, 0.35, 0.65):
                turn = max(int(number * part), 1)
                app.press(f":{turn}", rb"%d" % (turn % 10))
                going.append(app.press("\r", rb"turn"))
                started = app.worked()
                # Not to the end: there a page changes nothing, and nothing is written.
                count = min(12, (number - turn) // 16)
                for _ in range(count):
                    pages.append(app.press(" ", rb"."))
                worked.append((app.worked() - started, count))
                ends.append(app.press("G", rb"."))
                app.press("g", rb".")
            found["go to a turn"] = statistics.median(going)
            found["page median"] = statistics.median(pages)
            found["page worst"] = max(pages)
            spent, count = map(sum, zip(*worked, strict=True))
            found["page CPU of all threads, mean"] = spent / count
            found["End"] = statistics.median(ends)
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
