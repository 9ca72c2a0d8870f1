"""The thread that reads windows of turns for the viewer, and what else it asks of a session."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Condition, Thread

from textual.message import Message

from sparrow_tui.app.session_find import SessionFind
from sparrow_tui.model import ToolResult, ToolUse, Turn
from sparrow_tui.store import open_store
from sparrow_tui.store.base import Interrupted, StoreError, ToolCall
from sparrow_tui.store.places import Bucket
from sparrow_tui.store.sqlite import SqliteStore
from sparrow_tui.text import code

Job = Callable[[SqliteStore], Message | None]

SLICE = 0.03
"""Seconds of slow work before other wishes are looked at."""

LULL = 0.15
"""Seconds with nothing asked after which there is time to prepare."""
TOLD_EVERY = 0.2
"""Seconds between two tellings of how far a survey has come."""


@dataclass
class WindowRead(Message):
    """Turns that were asked for."""

    generation: int
    start: int
    turns: list[Turn]
    calls: dict[str, ToolCall]
    total: int


@dataclass
class Surveyed(Message):
    """A session in stretches, as far as it has been looked over."""

    generation: int
    buckets: list[Bucket]
    total: int
    """Turns of the whole session."""


@dataclass
class ReadFailed(Message):
    """The store could not be read: one sentence."""

    sentence: str


@dataclass(slots=True)
class _Wish:
    session: str
    generation: int
    around: int
    start: int
    end: int


@dataclass(slots=True)
class _Survey:
    session: str
    generation: int
    number: int
    found: list[Bucket] = field(default_factory=list)
    total: int = 0
    told: float = 0.0
    """When it was last told what is found."""


class TranscriptLoader(Thread):
    """Owns one read-only connection. A daemon: quitting never waits for it."""

    def __init__(self, location: str | None, post: Callable[[Message], object]) -> None:
        """Args: where the store is; how to hand a message to the viewer (thread-safe)."""
        super().__init__(name="transcript", daemon=True)
        self._location = location
        self._post = post
        self._ready = Condition()
        self._wish: _Wish | None = None
        self._jobs: list[Job] = []
        self._search_wish: SessionFind | None = None
        self._search_number = 0
        self._survey: Iterator[list[Bucket]] | None = None
        self._survey_wish: _Survey | None = None
        self._surveyed_for: _Survey | None = None
        self._stopping = False
        self._languages = list(code.COMMON)
        """What the highlighter has still to learn; it takes longer than a frame may."""
        self.turns_read = 0
        """Turns read from the store so far: what tests count."""

    # Asked from the UI thread; none of these waits.

    def want(self, session: str, generation: int, around: int, start: int, end: int) -> None:
        """Ask for turns ``start`` .. ``end``; only the last wish counts."""
        with self._ready:
            self._wish = _Wish(session, generation, around, start, end)
            self._ready.notify_all()

    def ask(self, job: Job) -> None:
        """Let the connection answer something; the message made is posted."""
        with self._ready:
            self._jobs.append(job)
            self._ready.notify_all()

    def find(
        self, session: str, fits: Callable[[str], bool] | None, start: int = 0, words: str = ""
    ) -> int:
        """Search a session's turns in the background; the number its answers will carry.

        Args:
            session: which.
            fits: accepts a turn's text form; ``None`` ends the search that runs.
            start: the turn to begin at; those before it come last.
            words: that most turns that fit have, for the index; empty: there are none.
        """
        with self._ready:
            self._search_number += 1
            number = self._search_number
            self._search_wish = SessionFind(number, session, fits, start, words) if fits else None
            self._ready.notify_all()
            return self._search_number

    def survey(self, session: str, generation: int, number: int) -> None:
        """Look over a session in the background; only the last survey asked for counts.

        Args:
            session: which.
            generation: what the answer will carry.
            number: of stretches at most.
        """
        with self._ready:
            self._survey_wish = _Survey(session, generation, number)
            self._ready.notify_all()

    def stop(self) -> None:
        """End the thread soon."""
        with self._ready:
            self._stopping = True
            self._ready.notify_all()

    # The thread

    def run(self) -> None:
        """Answer until stopped."""
        try:
            store = open_store(self._location, readonly=True)
        except StoreError as error:
            self._post(ReadFailed(str(error)))
            return
        store.places.frugal()
        while not self._stopping:
            try:
                self._turn(store)
            except Interrupted:
                continue
            except StoreError as error:
                self._post(ReadFailed(str(error)))
                time.sleep(0.2)
        store.close()

    def _turn(self, store: SqliteStore) -> None:
        prepares = bool(self._languages and self.turns_read)
        with self._ready:
            slow = self._search_wish or self._survey_wish
            lull = False
            if not (self._wish or self._jobs or self._stopping or slow):
                lull = not self._ready.wait(LULL if prepares else None)
            wish, self._wish = self._wish, None
            jobs, self._jobs = self._jobs, []
            search, survey = self._search_wish, self._survey_wish
        if lull and wish is None and not jobs:
            code.prepare(self._languages.pop(0))
            return
        if wish is not None:
            self._read(store, wish)
        for job in jobs:
            with contextlib.suppress(Interrupted):
                answer = job(store)
                if answer is not None:
                    self._post(answer)
        if wish is not None or jobs:
            return
        if survey is not None:
            self._survey_on(store, survey)
        elif search is not None:
            self._search_on(store, search)

    def _read(self, store: SqliteStore, wish: _Wish) -> None:
        total = store.places.total(wish.session)
        start, end = max(wish.start, 0), min(wish.end, total)
        around = min(max(wish.around, start), max(end - 1, 0))
        start, end = store.places.span(wish.session, around, start, end)
        turns = store.places.window(wish.session, start, end)
        self.turns_read += len(turns)
        ids = [
            block.id if isinstance(block, ToolUse) else block.tool_use_id
            for turn in turns
            for block in turn.blocks
            if isinstance(block, ToolUse | ToolResult)
        ]
        calls = store.places.calls(wish.session, ids) if ids else {}
        self._post(WindowRead(wish.generation, start, turns, calls, total))

    def _survey_on(self, store: SqliteStore, wish: _Survey) -> None:
        """Survey for a moment."""
        if self._survey is None or self._surveyed_for is not wish:
            self._survey = store.places.buckets(wish.session, wish.number)
            self._surveyed_for = wish
            wish.total = store.places.total(wish.session)
            wish.told = time.monotonic()
        until = time.monotonic() + SLICE
        for part in self._survey:
            wish.found.extend(part)
            now = time.monotonic()
            if now > until:
                if now - wish.told > TOLD_EVERY:
                    wish.told = now
                    self._post(Surveyed(wish.generation, list(wish.found), wish.total))
                return
        with self._ready:
            if self._survey_wish is wish:
                self._survey_wish = None
        self._survey = None
        self._post(Surveyed(wish.generation, wish.found, wish.total))

    def _search_on(self, store: SqliteStore, search: SessionFind) -> None:
        """Search for a moment."""
        told = search.look(store, SLICE)
        with self._ready:
            if self._search_wish is not search:
                return
            if search.done:
                self._search_wish = None
        if told is not None:
            self._post(told)
