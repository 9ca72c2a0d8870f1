"""A search through one session: a moment at a time, from the reader's turn on and round."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from textual.message import Message

from sparrow_tui.query import parse
from sparrow_tui.store.sqlite import SqliteStore

TOLD_EVERY = 0.2
"""Seconds between two tellings of how far a search has come."""
HINTED_AFTER = 0.2
"""Seconds of searching without a match after which the index of words is asked for one."""
HINTS, HINTS_READ = 2_000, 100
"""Turns the index is asked for at most, and of these how many are read."""


@dataclass
class FindTold(Message):
    """What a search through the session has found since it was last told."""

    search: int
    turns: list[int] = field(default_factory=list)
    done: bool = False
    share: float = 0.0
    """Of the session, what is searched."""
    near: int = -1
    """The next match, if the index knew it before the search came there; -1: it did not."""


class SessionFind:
    """Reads a session's turns to its end and then from its beginning.

    What most turns that match have in them, the index of words can tell at once: where reading
    takes long, the next match is told before it is read to.
    """

    def __init__(
        self, number: int, session: str, fits: Callable[[str], bool], start: int, words: str
    ) -> None:
        """Prepare.

        Args:
            number: what the answers carry.
            session: which.
            fits: accepts a turn's text form.
            start: the turn to begin at.
            words: that most turns that fit have; empty: there are none.
        """
        self.done = False
        self._number = number
        self._session = session
        self._fits = fits
        self._start = start
        self._words = words
        self._found: Iterator[int] | None = None
        self._looked = self._total = 0
        self._began = self._told = 0.0

    def look(self, store: SqliteStore, seconds: float) -> FindTold | None:
        """Search on for so long; what there is to tell."""
        now = time.monotonic()
        if self._found is None:
            self._found = store.places.matching(self._session, self._fits, self._start)
            self._total = store.places.total(self._session)
            self._began = self._told = now
        turns: list[int] = []
        self.done = True
        for turn in self._found:
            if turn >= 0:
                turns.append(turn)
                self._words = ""  # one is known
            else:
                self._looked -= turn
            if time.monotonic() > now + seconds:
                self.done = False
                break
        near = -1
        if not self.done and self._words and now - self._began > HINTED_AFTER:
            near, self._words = self._near(store), ""
        if not (turns or self.done or near >= 0 or now - self._told > TOLD_EVERY):
            return None
        self._told = now
        share = min(self._looked / max(self._total, 1), 1.0)
        return FindTold(self._number, turns, self.done, share, near)

    def _near(self, store: SqliteStore) -> int:
        """The next match as far as the index of words knows it; -1: it knows none."""
        session = store.load(self._session)
        if session is None:
            return -1
        turns = store.searcher.hits_in_session(parse(self._words), session.sid, HINTS)
        texts = islice(store.places.likely(self._session, turns, self._start), HINTS_READ)
        return next((turn for turn, text in texts if self._fits(text)), -1)
