"""Matches in a transcript: of the list's search, or of one through this session."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import ClassVar

from textual.binding import Binding, BindingType

from sparrow_tui.app.transcript_loader import TranscriptLoader
from sparrow_tui.app.transcript_places import Place
from sparrow_tui.app.turn_search import TurnSearch, TurnSearched
from sparrow_tui.app.widgets.transcript_moving import TranscriptMoving
from sparrow_tui.app.widgets.transcript_paint import Highlighter
from sparrow_tui.model import Turn
from sparrow_tui.text.frames import FULL
from sparrow_tui.text.spans import plain

NEAR = 2
"""Pieces of a large turn after its first match in which the line with the most is looked for: to
know a line's matches the piece has to be laid out."""


class TranscriptMatches(TranscriptMoving):
    """Knows which turns match, steps through them, and opens the cards that hide a match."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "match(1)", "Next match", id="view.nextmatch"),
        Binding("N", "match(-1)", "Previous match", show=False, key_display="N",
                id="view.prevmatch"),
    ]  # fmt: skip

    def __init__(self, loader: TranscriptLoader, *, id: str | None = None) -> None:
        """Args: who reads turns; the widget's id."""
        super().__init__(loader, id=id)
        self.hits = array("q")
        """Matching turns, in order."""
        self.hit = -1
        """Number of the match one is at."""
        self._due = False
        """A search has been made whose matches are not told yet."""
        self._steps: list[int] = []
        """Steps to matches that are not known yet."""
        self._search = TurnSearch(self.post_message)
        self._then: tuple[int, Place, Callable[[], None]] | None = None
        """What waits for that: where the reader was then, and what is to be done."""

    def _hit_near(self, turn: int) -> int:
        at = bisect_left(self.hits, turn)
        near = [number for number in (at - 1, at) if 0 <= number < len(self.hits)]
        return min(near, key=lambda number: abs(self.hits[number] - turn), default=-1)

    @property
    def matches_due(self) -> bool:
        """Whether matches are still to be told."""
        return self._due

    def forget_matches(self, *, due: bool = False) -> None:
        """No turn matches, or which do is told later (``due``)."""
        self.hits, self.hit = array("q"), -1
        self._search.forget()
        self._due = due
        self._steps.clear()
        self.map.show_hits(self.hits)

    def mark(self, highlight: Highlighter | None, *, due: bool) -> None:
        """Another search in the list: its words are marked where one is.

        Args:
            highlight: finds them in displayed text.
            due: turns that match are told later (`show_matches`).
        """
        if not self.put_off(partial(self.mark, highlight, due=due)):
            self.highlight = highlight
            self.forget_matches(due=due)
            self.restyle()

    def show_matches(self, turns: Sequence[int]) -> None:
        """Take in the turns that match, in order, and go where one wanted to meanwhile."""
        if self.put_off(partial(self.show_matches, turns)) or not self._due:
            return
        steps = [*self._steps]
        self.forget_matches()
        self.hits.extend(turns)
        self.hit = self._hit_near(self.cursor.turn)
        self.redraw()
        for step in steps:
            self.action_match(step)

    def action_match(self, step: int) -> None:
        """The next or previous match: in this turn, else in the next turn that has one."""
        if self.put_off(partial(self.action_match, step)):
            return
        if self._due:
            self._steps.append(step)
            return
        if not self.hits:
            if not self.awaits(step, 0):
                self.say("nothing searched for: / finds in this session")
            return
        self.following = False
        turn = self.cursor.turn
        after, before = bisect_right(self.hits, turn), bisect_left(self.hits, turn)
        if after > before:
            self.hit = before
            pieces = self._pieces(turn)
            if pieces is None:
                self._once_known(partial(self.action_match, step))
                return
            inside = self._beside_cursor(pieces, step)
            if inside is not None:
                self.show_place(inside)
                return
        number = after if step > 0 else before - 1
        if self.awaits(step, number):
            return
        self.hit = number % len(self.hits)
        found = self.hits[self.hit]
        self.go(found, lambda: self._show_match(found, step))

    def awaits(self, step: int, following: int) -> bool:
        """Whether the next match may not be known yet; for heirs."""
        return False

    def _beside_cursor(self, pieces: Sequence[int], step: int) -> Place | None:
        """The next or previous line with a match in the cursor's turn."""
        here = self.cursor.piece
        ahead = [number for number in pieces if (number >= here if step > 0 else number <= here)]
        for place, _ in self._matching_lines(self.cursor.turn, ahead, step):
            if place > self.cursor if step > 0 else place < self.cursor:
                return place
        return None

    def _show_match(self, turn: int, step: int = 0, *, unhidden: bool = False) -> None:
        """Show a turn at a match, opening the cards that hide it.

        Args:
            turn: held.
            step: 1 the first match, -1 the last one, 0 the line with the most.
            unhidden: whether they are open already.
        """
        row = min(self.page_height // 4, 6)
        again = partial(self._show_match, turn, step, unhidden=unhidden)
        pieces = self._pieces(turn)
        place = self._match_in(turn, pieces, step) if pieces is not None else None
        content = self.model.turns.get(turn)
        blocks: Sequence[int] | None = ()
        hidden = pieces is not None and place is None and not unhidden
        if hidden and self.highlight is not None and content is not None:
            blocks = self._search.blocks(content, self.highlight)
            if blocks is not None:
                self._unhide(turn, content, blocks)
                self._show_match(turn, step, unhidden=True)
                return
        self._forget_lines()
        self.show_place(place or Place(turn), row)
        if pieces is None or blocks is None:
            self._once_known(again)

    def _pieces(self, turn: int) -> Sequence[int] | None:
        """Pieces of a turn with a match; ``None``: it will be known soon."""
        page = self.model.page(turn)
        if self.highlight is None or not page:
            return ()
        return self._search.pieces(page, self.highlight)

    def _once_known(self, action: Callable[[], None]) -> None:
        """Do something when a large turn is looked through, unless the reader went on."""
        self._then = (self._generation, self.cursor, action)
        self.say("looking through a large turn…")

    def on_turn_searched(self, event: TurnSearched) -> None:
        """A large turn was looked through."""
        event.stop()
        then, self._then = self._then, None
        if then is not None and then[:2] == (self._generation, self.cursor):
            self.said = ""
            then[2]()
            self.redraw()

    def _unhide(self, turn: int, content: Turn, blocks: Sequence[int]) -> None:
        """Open the cards of a turn that hold a match."""
        for number in blocks:
            self.model.view.levels[(turn, number)] = FULL
            if content.meta:
                self.model.view.levels[(turn, 0)] = FULL
        if content.branch:
            self.model.view.branches = True
        self.model.forget_layout(turn)

    def _match_in(self, turn: int, pieces: Sequence[int], step: int) -> Place | None:
        """A turn's first or last line with a match, or the one with the most near the first."""
        first: Place | None = None
        best: tuple[int, Place] | None = None
        for place, found in self._matching_lines(turn, pieces, step):
            if step:
                return place
            first = place if first is None else first
            if place.piece > first.piece + NEAR:
                break
            if best is None or found > best[0]:
                best = (found, place)
        return best[1] if best else None

    def _matching_lines(
        self, turn: int, pieces: Sequence[int], step: int
    ) -> Iterator[tuple[Place, int]]:
        """Lines of a turn with their number of matches; from its end if ``step`` is negative."""
        if self.highlight is None:
            return
        page = self.model.page(turn) or []
        order = -1 if step < 0 else 1
        for number in pieces[::order]:
            lines = page[number].lines
            for line in range(len(lines))[::order]:
                found = len(self.highlight(plain(lines[line]))) if lines[line] else 0
                if found:
                    yield Place(turn, number, line), found
