"""What the search engine is asked, from the UI's thread; none of it waits for an answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from threading import Condition, Thread
from typing import TypeVar

from textual.message import Message

from sparrow_tui import query as language
from sparrow_tui.app import messages
from sparrow_tui.app.engine_jobs import Jobs
from sparrow_tui.app.search_answers import FIRST_ROWS, Opening
from sparrow_tui.store.sqlite import SqliteStore

T = TypeVar("T")
Post = Callable[[Message], object]


class EngineWishes(Thread):
    """What is still to be answered. The newest search wins; what it keeps waiting is cut short."""

    def __init__(self, post: Post) -> None:
        """Args: how to hand a message to the app (thread-safe)."""
        super().__init__(name="search", daemon=True)
        self._post = post
        self._ready = Condition()
        self._store: SqliteStore | None = None
        """The thread's own, while it is open."""
        self._stopping = False
        self._busy = False
        self._text: str | None = ""
        self._refresh = False
        self._query = language.parse("")
        """Searched for last."""
        self._rows: list[int] | None = None
        self._opening: Opening | None = None
        self._opened: messages.SessionFound | None = None
        """A session shown, whose other matches are still to be found."""
        self._matching = False
        """Whether they are being looked for."""
        self._jobs = Jobs(post)
        self._children = False
        self._group = ""
        self.snippets = FIRST_ROWS
        """Rows whose details come with results that have snippets: those that are seen."""
        self._held = self._missed = False
        self._asked_at = 0.0
        """When somebody searched last, by `time.monotonic`."""
        self._answered = 0
        self.answer: messages.Found | None = None
        """The results handed over last."""
        self.generation = 0
        """Of the newest search."""

    def search(self, text: str) -> int:
        """Search for a text; the number its results will carry."""
        with self._ready:
            self.generation += 1
            self._asked_at = time.monotonic()
            self._text, self._refresh = text, False
            self._rows = None
            self._wake()
        return self.generation

    def wait(self, seconds: float) -> bool:
        """Give the engine a moment to answer the newest search.

        Used right after a key, for less than a frame: then echo and results share one frame.
        """
        with self._ready:
            return self._ready.wait_for(lambda: self._answered >= self.generation, seconds)

    @property
    def at_rest(self) -> bool:
        """Whether there is nothing to answer, and nothing being answered."""
        with self._ready:
            return not (self._busy or self._has_work())

    def rows(self, sids: Sequence[int]) -> None:
        """Ask for the details of rows that came into view."""
        with self._ready:
            self._rows = list(sids)
            self._ask()

    def open(
        self,
        session: int | str,
        turn: int | None = None,
        *,
        focus: bool = False,
        refresh: bool = False,
    ) -> None:
        """Ask for a session to be shown, or for its facts again (``refresh``)."""
        with self._ready:
            asked = self._opening
            if refresh and asked is not None:
                return
            if asked is not None and asked.session == session:
                focus = focus or asked.focus  # chosen, and better results came in before it opened
            self._opening = Opening(session, turn, focus, refresh)
            self._ask()

    def show_children(self, show: bool) -> None:
        """Whether the unfiltered list has sub-agents' sessions in it."""
        self._children = show
        self._again()

    def group(self, by: str) -> None:
        """Put lists into groups (see `sparrow_tui.store.grouping`); empty: into none."""
        self._group = by
        self._again()

    def hold(self, held: bool) -> None:
        """Whether the list is left as it is though the store changes: nobody sees it."""
        with self._ready:
            self._held = held
            missed = self._missed and not held
            self._missed = self._missed and held
        if missed:
            self._again()

    def _again(self) -> None:
        """Ask the newest search once more, unless it is still to be asked."""
        with self._ready:
            if self._text is None:
                self._text, self._refresh = self._query.text, True
            self._wake()

    def run_job(
        self, job: Callable[[SqliteStore], T], then: Callable[[T | None], object] | None = None
    ) -> None:
        """Let the engine's connection answer something else in between.

        Args:
            job: called on the engine's thread; again from its beginning when a search has cut it
                short.
            then: called once, on the UI's thread, with what it returned; ``None``: it failed.
        """
        with self._ready:
            self._jobs.add(job, then)
            self._ask()

    async def complete(self, facet: str, typed: str) -> list[str]:
        """Values of a facet the store holds."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[str]] = loop.create_future()

        def answer(values: list[str]) -> None:
            if not future.done():
                future.set_result(values)

        def job(store: SqliteStore) -> None:
            values = store.searcher.complete(facet, typed)
            loop.call_soon_threadsafe(answer, values)

        self.run_job(job)
        try:
            return await asyncio.wait_for(future, 1)
        except TimeoutError:
            return []

    def stop(self) -> None:
        """End the thread soon."""
        with self._ready:
            self._stopping = True
            self._wake()

    def _ask(self) -> None:
        """Something is asked that matches in the session shown do not keep waiting."""
        if self._matching:
            self._wake()
        else:
            self._ready.notify_all()

    def _wake(self) -> None:
        if self._busy and self._store is not None:
            self._store.interrupt()
        self._ready.notify_all()

    def _has_work(self) -> bool:
        return bool(
            self._stopping
            or self._text is not None
            or self._rows
            or self._opening
            or self._opened
            or self._jobs
        )
