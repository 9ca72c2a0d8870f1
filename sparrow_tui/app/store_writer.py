"""The thread that carries out what the user decides about sessions: one write after another."""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

from textual.message import Message

from sparrow_tui.app.messages import EngineFailed
from sparrow_tui.faultlog import record
from sparrow_tui.store import open_store
from sparrow_tui.store.base import StoreError
from sparrow_tui.store.organise import Organiser

Change = Callable[[Organiser], object]


class StoreWriter(Thread):
    """Opens the store for writing only while it has something to write."""

    def __init__(self, location: str | None, post: Callable[[Message], None]) -> None:
        """Args: where the store is; how to tell the app (thread-safe)."""
        super().__init__(name="writer", daemon=True)
        self._location = location
        self._post = post
        self._waiting: SimpleQueue[tuple[Change, Message | None]] = SimpleQueue()

    def submit(self, change: Change, then: Message | None = None) -> None:
        """Carry out a change in a transaction of its own; then post a message."""
        if not self.is_alive():
            self.start()
        self._waiting.put((change, then))

    def run(self) -> None:
        """Write until the app ends."""
        while True:
            change, then = self._waiting.get()
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
