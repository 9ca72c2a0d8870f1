"""A program in a real pseudo-terminal, and what its screen shows (by pyte)."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence

import pyte

WAIT = 30.0
"""Seconds after which something that was waited for is given up."""
UNKNOWN = re.compile(rb"\x1b\[(?:\?\d+\$p|[<>=]\d*u)")
"""Mode requests and keyboard protocols: pyte would print their letters."""
CONTROL = re.compile(rb"\x1b\[[0-9;?<>=]*[@-~]|\x1b\][^\x07]*\x07")
"""Any control sequence the app writes."""
MODES = {
    "alternate screen": (b"\x1b[?1049h", b"\x1b[?1049l"),
    "mouse": (b"\x1b[?1000h", b"\x1b[?1000l"),
    "mouse movement": (b"\x1b[?1003h", b"\x1b[?1003l"),
    "mouse positions": (b"\x1b[?1006h", b"\x1b[?1006l"),
    "focus reports": (b"\x1b[?1004h", b"\x1b[?1004l"),
    "bracketed paste": (b"\x1b[?2004h", b"\x1b[?2004l"),
    "hidden cursor": (b"\x1b[?25l", b"\x1b[?25h"),
    "no line wrap": (b"\x1b[?7l", b"\x1b[?7h"),
    "keyboard protocol": (b"\x1b[>", b"\x1b[<u"),
}
"""What an app switches on, and how it is switched off again."""


class Terminal:
    """Starts a command with a terminal of a given size as its only terminal."""

    def __init__(
        self, command: Sequence[str], *, columns: int, rows: int, env: Mapping[str, str], cwd: str
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = bytearray()
        parent, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(child)
        self._child = child
        # Readline, where a test runner has loaded it, leaves the size of another terminal here.
        env = {key: value for key, value in env.items() if key not in ("COLUMNS", "LINES")}
        self.process = subprocess.Popen(
            command,
            stdin=child,
            stdout=child,
            stderr=child,
            env={**env, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
            cwd=cwd,
            start_new_session=True,
        )
        self.file = parent

    def read(self, seconds: float = 0.05) -> None:
        """Take in what the program has written."""
        until = time.monotonic() + seconds
        while True:
            left = until - time.monotonic()
            ready, _, _ = select.select([self.file], [], [], max(left, 0))
            if not ready:
                return
            try:
                data = os.read(self.file, 65536)
            except OSError:
                return
            if not data:
                return
            self.raw += data
            with contextlib.suppress(Exception):
                self.stream.feed(UNKNOWN.sub(b"", data))

    @property
    def text(self) -> str:
        """The screen as text; cells one by one, since pyte's own way stumbles over joined emoji."""
        columns, rows = range(self.screen.columns), range(self.screen.lines)
        lines = ("".join(self.screen.buffer[y][x].data for x in columns) for y in rows)
        return "\n".join(line.rstrip() for line in lines)

    def until(self, condition: Callable[[str], object], what: str) -> None:
        """Wait until the screen's text satisfies something."""
        deadline = time.monotonic() + WAIT
        while time.monotonic() < deadline:
            self.read()
            if condition(self.text):
                return
            if self.process.poll() is not None:
                self.read(0.2)
                if condition(self.text):
                    return
                break
        raise AssertionError(f"{what} did not come; the screen shows:\n{self.text}")

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self.file, keys.encode())

    def ended(self) -> int:
        """Wait for the program's end; its exit code."""
        deadline = time.monotonic() + WAIT
        while self.process.poll() is None and time.monotonic() < deadline:
            self.read()
        self.read(0.2)
        code = self.process.poll()
        assert code is not None, f"the program goes on; the screen shows:\n{self.text}"
        return code

    def left_clean(self) -> list[str]:
        """What was not put back as it was."""
        faults = [
            name for name, (on, off) in MODES.items() if self.raw.rfind(on) > self.raw.rfind(off)
        ]
        left, screen, after = bytes(self.raw).rpartition(MODES["alternate screen"][1])
        before = left.partition(MODES["alternate screen"][0])[0]
        if not screen or CONTROL.sub(b"", before + after).strip():
            faults.append("text outside the alternate screen")
        if termios.tcgetattr(self._child)[3] != self.before[3]:
            faults.append("line mode")
        return faults

    def hang_up(self) -> None:
        """Close the terminal; the program keeps its end."""
        os.close(self.file)
        self.file = -1

    def close(self) -> None:
        """End the program and what it started."""
        with contextlib.suppress(OSError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if self.file >= 0:
            os.close(self.file)
        os.close(self._child)
