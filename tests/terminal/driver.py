"""A program in a real pseudo-terminal, and what its screen shows (by pyte)."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
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
            # pyte knows neither of these and would print their letters.
            clean = data.replace(b"\x1b[?2026$p", b"").replace(b"\x1b[>1u", b"")
            with contextlib.suppress(Exception):
                self.stream.feed(clean)

    @property
    def text(self) -> str:
        """The screen as text."""
        return "\n".join(line.rstrip() for line in self.screen.display)

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
        faults = []
        for name, on, off in (
            ("alternate screen", b"\x1b[?1049h", b"\x1b[?1049l"),
            ("mouse", b"\x1b[?1000h", b"\x1b[?1000l"),
            ("mouse positions", b"\x1b[?1006h", b"\x1b[?1006l"),
            ("bracketed paste", b"\x1b[?2004h", b"\x1b[?2004l"),
            ("hidden cursor", b"\x1b[?25l", b"\x1b[?25h"),
        ):
            if self.raw.rfind(on) > self.raw.rfind(off):
                faults.append(name)
        if termios.tcgetattr(self._child)[3] != self.before[3]:
            faults.append("line mode")
        return faults

    def close(self) -> None:
        """End the program and what it started."""
        with contextlib.suppress(OSError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.file)
        os.close(self._child)
