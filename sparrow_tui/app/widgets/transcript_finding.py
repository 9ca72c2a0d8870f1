"""Finding in the session shown: from the reader's turn on, and round from its beginning."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType

from sparrow_tui.app.session_find import FindTold
from sparrow_tui.app.transcript_loader import TranscriptLoader
from sparrow_tui.app.widgets.transcript_matches import TranscriptMatches
from sparrow_tui.app.widgets.transcript_paint import Highlighter


class TranscriptFinding(TranscriptMatches):
    """Takes in what a search through the session finds, in the order it is read."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "find", "Find", key_display="/", id="view.find"),
    ]

    def __init__(self, loader: TranscriptLoader, *, id: str | None = None) -> None:
        """Args: who reads turns; the widget's id."""
        super().__init__(loader, id=id)
        self._find_number = 0
        self._finding = False
        self._find_start = 0
        """The turn the search began at."""
        self._share = 0.0
        """Of the session, how much is searched."""
        self._before = 0
        """Matches before that turn: they are found last."""
        self._is_near = False
        """Whether a match was shown that the index told, before the search came there."""
        self._awaited = 0
        """A step to a match that is not found yet."""

    def find(
        self, fits: Callable[[str], bool] | None, highlight: Highlighter | None, words: str = ""
    ) -> None:
        """Search this session.

        Args:
            fits: accepts the text form of a turn that matches; ``None``: end the search.
            highlight: finds matches in displayed text.
            words: that most turns that match have; empty: that cannot be told.
        """
        self.said = ""
        self._find_start = self.cursor.turn
        self._find_number = self.loader.find(self.session_id, fits, self._find_start, words)
        self._finding = fits is not None
        self._share, self._before, self._is_near, self._awaited = 0.0, 0, False, 0
        self.forget_matches()
        self.highlight = highlight
        self.restyle()

    def on_find_told(self, event: FindTold) -> None:
        """The search through the session found something, or has come further."""
        event.stop()
        if event.search != self._find_number or not self._finding:
            return
        self._finding, self._share = not event.done, event.share
        self._take_in(event.turns)
        if self.hits and self.hit < 0:
            following = bisect_left(self.hits, self.cursor.turn) % len(self.hits)
            found = self.hits[following]
            if not self._is_near:
                self.hit = following
                self.go(found, lambda: self._show_match(found))
            elif found == self.cursor.turn or event.done:
                self.hit = following
        elif event.near >= 0 and not self.hits:
            near, self._is_near = event.near, True
            self.go(near, lambda: self._show_match(near))
        if event.done and not self.hits:
            self.say("not in this session")
        if self._awaited and (event.turns or event.done):
            step, self._awaited = self._awaited, 0
            self.action_match(step)
        self.redraw()

    def _take_in(self, turns: list[int]) -> None:
        """Add matches, each in its place."""
        self.hits.extend(turn for turn in turns if turn >= self._find_start)
        before = array("q", (turn for turn in turns if turn < self._find_start))
        if self.hit >= self._before:
            self.hit += len(before)
        self.hits[self._before : self._before] = before
        self._before += len(before)

    def awaits(self, step: int, following: int) -> bool:
        """Whether another match may be found before the one with a number; then it is awaited."""
        place = following if step > 0 else following + 1
        if not self._finding or (self.hits and (place - self._before) % len(self.hits)):
            return False
        self._awaited = step
        self.say("searching on…")
        return True

    def progress(self) -> str:
        """How far the search has come; empty if none runs."""
        return f"searching… {self._share:.0%}" if self._finding else ""

    def action_find(self) -> None:
        """Search in this session."""
        self.post_message(self.Asked("find"))
