"""The parent's side: starts the sync process and hears what it reports."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from threading import Thread

import msgspec

from sparrow_tui.store.location import resolve
from sparrow_tui.sync.progress import Progress

_progress = msgspec.json.Decoder(Progress).decode

Hear = Callable[[Progress], None]


class SyncProcess:
    """An import in another process; it ends when we do."""

    def __init__(
        self, location: str | None, hear: Hear, *, paths: Sequence[str] = (), once: bool = False
    ) -> None:
        """Prepare, but do not start.

        Args:
            location: the store.
            hear: takes reports, in a thread of ours.
            paths: files and directories given by hand.
            once: end after the import instead of following.
        """
        self._command = [sys.executable, "-m", "sparrow_tui.sync", "--store"]
        self._command += [str(resolve(location)), *(["--once"] if once else []), "--", *paths]
        self._hear = hear
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process and the thread that listens to it."""
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        Thread(target=self._listen, name="sync", daemon=True).start()

    def _listen(self) -> None:
        process = self._process
        assert process is not None
        assert process.stdout is not None
        for line in process.stdout:
            try:
                self._hear(_progress(line))
            except msgspec.MsgspecError:
                continue
        code = process.wait()
        if code not in (0, -15):
            self._hear(Progress(phase="failed", message="the import ended unexpectedly"))

    def stop(self) -> None:
        """Ask it to end; returns at once."""
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
