"""The import that runs beside the app: started, stopped, and put into words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.message import Message

from sparrow_tui.app import messages
from sparrow_tui.sync.client import SyncProcess
from sparrow_tui.sync.progress import Progress, sized


class Syncing:
    """Turns the sync process' reports into messages of the app."""

    def __init__(
        self, post: Callable[[Message], None], location: str | None, paths: Sequence[str]
    ) -> None:
        """Prepare, but do not start.

        Args:
            post: hands a message to the app from any thread.
            location: the store.
            paths: files and directories given by hand.
        """
        self._process = SyncProcess(location, self._hear, paths=paths)
        self._post = post

    def start(self) -> None:
        """Begin to import."""
        self._process.start()

    def stop(self) -> None:
        """Let it end."""
        self._process.stop()

    def _hear(self, progress: Progress) -> None:
        self._post(messages.SyncTold(progress))


def in_words(progress: Progress) -> str:
    """One short line about an import; empty when there is nothing to say."""
    if progress.phase == "waiting":
        return "another sparrow-tui imports"
    if progress.phase == "looking":
        return "looking for sessions…"
    if progress.phase == "glancing":
        return f"{progress.glancing} · {progress.sessions:,} found"
    if progress.phase == "indexing":
        return progress.indexing
    if progress.phase == "failed":
        return progress.message or "the import failed"
    if progress.phase == "reading" and progress.of_sources:
        percent = 100 * progress.bytes // max(progress.of_bytes, 1)
        rate = f" · {sized(progress.rate)}/s" if progress.rate else ""
        eta = progress.eta
        left = f" · {_duration(eta)} left" if eta is not None and eta >= 2 else ""
        failed = f" · {progress.failed} failed" if progress.failed else ""
        of = f"{percent}% of {sized(progress.of_bytes)}"
        return f"importing {of} · {progress.sessions:,} sessions{rate}{left}{failed}"
    return ""


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
