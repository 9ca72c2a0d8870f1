"""The thread that writes what the user decides about sessions, and how long searches took."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread

from textual.message import Message

from sparrow_tui.app.messages import EngineFailed
from sparrow_tui.faultlog import record
from sparrow_tui.store import durations, open_store
from sparrow_tui.store.base import StoreError
from sparrow_tui.store.organise import Organiser

Change = Callable[[Organiser], object]
QUIET = 5.0
"""Seconds without a search after which those before it are written down."""
MANY = 50
"""Searches that are written down at once, quiet or not."""


class StoreWriter(Thread):
    """Opens the store for writing only while it has something to write."""

    def __init__(self, location: str | None, post: Callable[[Message], None]) -> None:
        """Args: where the store is; how to tell the app (thread-safe)."""
        super().__init__(name="writer", daemon=True)
        self._location = location
        self._post = post
        self._waiting: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._searches: dict[str, list[float]] = {}

    def submit(self, change: Change, then: Message | None = None) -> None:
        """Carry out a change in a transaction of its own; then post a message."""
        self._begin()
        self._waiting.put(lambda: self._change(change, then))

    def searched(self, stage: str, seconds: float) -> None:
        """Count a search in the histogram of search times, before long."""
        self._begin()
        self._waiting.put(lambda: self._searches.setdefault(stage, []).append(seconds))

    def stop(self) -> None:
        """Write nothing any more, once what was decided is written."""
        self._waiting.put(None)

    def _begin(self) -> None:
        if not self.is_alive():
            self.start()

    def run(self) -> None:
        """Write until the app ends."""
        while True:
            number = sum(map(len, self._searches.values()))
            try:
                work = self._waiting.get(timeout=QUIET if number else None)
            except Empty:
                work, number = self._note, 0
            if work is None:
                return
            work()
            if number >= MANY:
                self._note()

    def _change(self, change: Change, then: Message | None) -> None:
        try:
            store = open_store(self._location)
            try:
                with store.transaction():
                    change(store.organiser)
            finally:
                store.close()
        except StoreError as error:
            self._post(EngineFailed(str(error)))
        except Exception as error:
            record(error)
            self._post(EngineFailed("the change could not be written"))
        else:
            if then is not None:
                self._post(then)

    def _note(self) -> None:
        """Write search times down; a store that cannot be written to has none."""
        searches, self._searches = self._searches, {}
        with suppress(StoreError):
            store = open_store(self._location)
            try:
                with store.transaction():
                    for stage, seconds in searches.items():
                        durations.searched(store.connection, stage, seconds)
            finally:
                store.close()
