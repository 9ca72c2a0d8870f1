"""What else the search engine's connection is asked, between searches."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from textual.message import Message

from sparrow_tui.app.messages import Call
from sparrow_tui.store.base import Interrupted
from sparrow_tui.store.connection import translated
from sparrow_tui.store.sqlite import SqliteStore


class _Job(NamedTuple):
    ask: Callable[[SqliteStore], Any]
    then: Callable[[Any], object] | None


class Jobs:
    """Done one after the other. Added from any thread, done by one."""

    def __init__(self, post: Callable[[Message], object]) -> None:
        """Args: how to hand a message to the app (thread-safe)."""
        self._post = post
        self._waiting: deque[_Job] = deque()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, ask: Callable[[SqliteStore], Any], then: Callable[[Any], object] | None) -> None:
        """One more (see `SearchEngine.run_job`)."""
        self._waiting.append(_Job(ask, then))

    def work(self, store: SqliteStore) -> None:
        """Do them all.

        Raises:
            Interrupted: a search comes first; the job it has cut short is begun again next time.
            Exception: a job failed; the others are done next time.
        """
        while self._waiting:
            job = self._waiting[0]
            try:
                with translated(store.path):
                    answer = job.ask(store)
            except Interrupted:
                raise
            except Exception:
                self._end(job, None)
                raise
            self._end(job, answer)

    def _end(self, job: _Job, answer: Any) -> None:
        self._waiting.popleft()
        if job.then is not None:
            self._post(Call(partial(job.then, answer)))
