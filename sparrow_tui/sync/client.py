"""The parent's side: starts the sync process and hears what it reports."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from threading import Event, Thread

import msgspec

from sparrow_tui.store.location import resolve
from sparrow_tui.sync.progress import Progress

_progress = msgspec.json.Decoder(Progress).decode

PAUSE = 5.0
LONGEST = 300.0
"""Seconds before a process that failed is started again: at first, and at most."""

Hear = Callable[[Progress], None]


class SyncProcess:
    """An import in another process; it ends when we do, and begins again if it fails before."""

    def __init__(
        self, location: str | None, hear: Hear, *, paths: Sequence[str] = (), once: bool = False
    ) -> None:
        """Prepare, but do not start.

        Args:
            location: the store.
            hear: takes reports, in a thread of ours.
            paths: files and directories given by hand.
            once: end after the import, well or not, instead of following.
        """
        self._command = [sys.executable, "-m", "sparrow_tui.sync", "--store"]
        self._command += [str(resolve(location)), *(["--once"] if once else []), "--", *paths]
        self._hear = hear
        self._once = once
        self._stopping = Event()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process and the thread that listens to it."""
        refused = self._begin()
        Thread(target=self._attend, args=(refused,), name="sync", daemon=True).start()

    def _begin(self) -> str:
        """Start the process; why the system refuses to, if it does."""
        self._process = None
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            return error.strerror or str(error)
        return ""

    def _attend(self, refused: str) -> None:
        """Listen; start it again when it fails or is killed, after longer and longer pauses."""
        pause = PAUSE
        while True:
            if self._process is None:
                said = f"the import cannot be started: {refused}"
                self._hear(Progress(phase="failed", message=said))
            elif self._listen(self._process):
                return
            if self._once or self._stopping.wait(pause):
                return
            pause = min(pause * 2, LONGEST)
            refused = self._begin()
            if self._stopping.is_set():
                self.stop()

    def _listen(self, process: subprocess.Popen[bytes]) -> bool:
        """Hear what it reports, to its end; whether it ended as it should."""
        assert process.stdout is not None
        why = ""
        for line in process.stdout:
            try:
                told = _progress(line)
            except msgspec.MsgspecError:
                continue
            why = told.phase
            self._hear(told)
        well = process.wait() in (0, -15) or self._stopping.is_set()
        if not well and why != "failed":
            self._hear(Progress(phase="failed", message="the import ended unexpectedly"))
        return well

    def stop(self) -> None:
        """Ask it to end; returns at once."""
        self._stopping.set()
        if self._process is not None and self._process.stdin is not None:
            try:
                self._process.stdin.close()
            except OSError:
                pass

    def wait(self, seconds: float | None = None) -> int | None:
        """Wait for its end; its exit code, or ``None`` if it is still running."""
        if self._process is None:
            return None
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
