"""The thread that asks the store: newest question wins, older ones are cut short."""

from __future__ import annotations

import time

from sparrow_tui import query as language
from sparrow_tui.app import messages, search_answers
from sparrow_tui.app.engine_wishes import EngineWishes, Post
from sparrow_tui.app.search_answers import Asked, Opening
from sparrow_tui.faultlog import record
from sparrow_tui.store import open_store
from sparrow_tui.store.base import Interrupted, StoreError
from sparrow_tui.store.connection import translated
from sparrow_tui.store.search import Results
from sparrow_tui.store.sqlite import SqliteStore

POLL = 0.04
"""Seconds between looks at the store's version while nothing is asked: some microseconds each."""
QUIET = 0.15
"""Least seconds between two refreshes of the same search while an import writes."""
SHARE = 10
"""... and at least so many times what the last refresh took: an import does not slow the app."""
TYPED = 0.4
"""Seconds after a search during which it is not done again: the next key comes first."""
PAINTING = 0.02
"""Seconds the first results have to be drawn in: two threads that compute take turns."""
TYPING = 0.06
"""Seconds after which the next key is not coming at once: time to count all matches."""


class SearchEngine(EngineWishes):
    """Owns one read-only connection. A daemon, so that quitting never waits for a query."""

    def __init__(self, location: str | None, post: Post) -> None:
        """Args: where the store is; how to hand a message to the app (thread-safe)."""
        super().__init__(post)
        self._location = location
        self._results = Results(self._query)
        self._version = -1
        self._refreshed_at = 0.0
        self._took = 0.0
        """Seconds the last search took."""

    def run(self) -> None:
        """Answer until stopped."""
        try:
            self._store = open_store(self._location, readonly=True)
        except StoreError as error:
            self._post(messages.EngineFailed(str(error)))
            return
        while not self._stopping:
            try:
                with translated(self._store.path):
                    self._turn(self._store)
            except Interrupted:
                continue
            except StoreError as error:
                self._post(messages.EngineFailed(str(error)))
                time.sleep(POLL)
            except Exception as error:
                # A fault in one answer must not leave the app without answers.
                where = record(error)
                self._post(messages.EngineFailed(f"that could not be answered; see {where}"))
                time.sleep(POLL)
        with self._ready:
            store, self._store = self._store, None  # told to stop again, there is nothing to do
        store.close()

    def _turn(self, store: SqliteStore) -> None:
        """Wait for something to do, and do it: searches first."""
        with self._ready:
            self._busy = False
            if not self._has_work():
                self._ready.wait(POLL)
            text, refresh, generation = self._text, self._refresh, self.generation
            self._text = None
            rows, opening = self._rows, self._opening
            if text is None:
                self._rows = self._opening = None
            opened = None
            if text is None and rows is None and opening is None and not self._jobs:
                opened, self._opened = self._opened, None
            self._matching = opened is not None
            self._busy = True
        if text is not None:
            self._search(store, text, generation, refresh)
        elif opened is not None:
            self._match(store, opened)
        else:
            self._answer(store, opening, rows, generation)
        self._watch(store)

    def _answer(
        self, store: SqliteStore, opening: Opening | None, rows: list[int] | None, generation: int
    ) -> None:
        """Do what was asked beside searching; what a new search cuts short is done after it."""
        if opening is not None:
            self._open(store, opening)
        if rows is not None:
            found = store.searcher.details(rows, self._results.query, self._results)
            self._post(messages.RowsFound(generation, {hit.session.sid: hit for hit in found}))
        self._jobs.work(store)

    def _open(self, store: SqliteStore, opening: Opening) -> None:
        """Find the session somebody wants to see."""
        try:
            with translated(store.path):
                answer = search_answers.opened(store, opening, self._results.query)
        except Interrupted:
            with self._ready:
                self._opening = self._opening or opening
            raise
        self._post(answer)
        if isinstance(answer, messages.SessionFound) and not answer.refresh:
            self._opened = answer if answer.finds else None

    def _match(self, store: SqliteStore, opened: messages.SessionFound) -> None:
        """Find the other matches in a session that is shown; what comes up goes before."""
        assert opened.query is not None
        try:
            with translated(store.path):
                self._post(search_answers.matches(store, opened.session, opened.query))
        except Interrupted:
            self._opened = opened
            raise

    def _watch(self, store: SqliteStore) -> None:
        """Tell when another process has written, and run the search again."""
        version = store.version()
        now = time.monotonic()
        since = max(self._refreshed_at + max(QUIET, SHARE * self._took), self._asked_at + TYPED)
        if version == self._version or now < since:
            return
        first = self._version < 0
        self._version = version
        self._refreshed_at = now
        if not first:
            self._post(messages.StoreChanged(version))
            with self._ready:
                held = self._missed = self._held
            if not held:
                self._again()

    def _search(self, store: SqliteStore, text: str, generation: int, refresh: bool) -> None:
        asked = Asked(text, generation, time.perf_counter())
        query = language.parse(text)
        self._query = query
        later = told = False
        results = None
        for results in store.searcher.stages(query, children=self._children):
            if generation != self.generation:
                return
            # The same search again: only its end is told, or rows would change places twice. Of a
            # search that has found nothing yet too, or the list would be empty for a moment.
            told = not refresh and (results.complete or bool(results.sids))
            if told:
                self._tell(store, results, asked, later=later)
            pause = TYPING if results.settled else PAINTING if told and not later else 0.0
            if not refresh and not results.complete and not self._rest(generation, pause):
                return
            later = later or told
        if results is not None and not told and generation == self.generation:
            self._tell(store, results, asked, later=later, refresh=refresh)
        self._took = time.perf_counter() - asked.at

    def _rest(self, generation: int, seconds: float) -> bool:
        """Wait whether another key comes; false: it has."""
        with self._ready:
            return not self._ready.wait_for(lambda: generation != self.generation, seconds)

    def _tell(
        self,
        store: SqliteStore,
        results: Results,
        asked: Asked,
        *,
        later: bool = False,
        refresh: bool = False,
    ) -> None:
        """Hand over one stage of the results."""
        self._results = results
        answer = search_answers.found(
            store, results, asked, self._group, self.snippets, later=later, refresh=refresh
        )
        self._post(answer)
        with self._ready:
            self._answered, self.answer = asked.generation, answer
            self._ready.notify_all()
