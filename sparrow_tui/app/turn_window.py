"""The turns of a session that are held near the view, and their layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sparrow_tui.app.transcript_places import Place
from sparrow_tui.model import ToolUse, Turn
from sparrow_tui.store.base import ToolCall
from sparrow_tui.text.pieces import Piece
from sparrow_tui.text.spans import Line
from sparrow_tui.text.turns import View, is_folded_context, pieces

AHEAD = 3
"""Pages' worth of turns asked for on either side of the view; with less than one, more."""
HELD = 900
"""Turns held at most."""
QUIET = 30
"""Turns looked at for the voice before a turn; those of folded context have none."""
PIECES = 24
"""Pieces of a large turn that stay laid out on either side of the view."""


class TurnWindow:
    """Turns held and laid out around the line on top."""

    def __init__(self) -> None:
        self.view = View(width=80)
        self.total = 0
        self.top = Place(0)
        self.turns: dict[int, Turn] = {}
        self._calls: dict[str, ToolCall] = {}
        self._uses: dict[str, ToolUse] = {}
        self._pages: dict[int, list[Piece]] = {}

    def clear(self, total: int) -> None:
        """Forget everything: another session."""
        self.total = total
        self.top = Place(0)
        self.turns.clear()
        self._calls.clear()
        self._uses.clear()
        self._pages.clear()
        self.view.levels.clear()

    def hold(self, start: int, turns: Sequence[Turn], calls: Mapping[str, ToolCall]) -> bool:
        """Take in turns that were read; what is far from the view goes.

        Returns:
            Whether there was a turn among them that was not held.
        """
        news = any(index not in self.turns for index in range(start, start + len(turns)))
        for index, turn in enumerate(turns, start):
            if self.turns.get(index) != turn:
                self.turns[index] = turn
                self._uses.update((b.id, b) for b in turn.blocks if isinstance(b, ToolUse))
                self.forget_layout(index)
        for key, call in calls.items():
            if self._calls.get(key) != call:
                self._calls[key] = call
                self._pages.pop(call.use_index, None)
                if call.result_index is not None:
                    self._pages.pop(call.result_index, None)
        if len(self.turns) > HELD:
            near = {
                *range(self.top.turn - HELD // 3, self.top.turn + HELD // 3),
                *range(start, start + len(turns)),  # one may be about to go there
            }
            self.turns = {k: v for k, v in self.turns.items() if k in near}
            self._pages = {k: v for k, v in self._pages.items() if k in near}
            held = {b.id for t in self.turns.values() for b in t.blocks if isinstance(b, ToolUse)}
            self._uses = {k: v for k, v in self._uses.items() if k in held}
            self._calls = {k: v for k, v in self._calls.items() if v.use_index in near
                           or v.result_index in near}  # fmt: skip
        return news

    def missing(self, height: int) -> tuple[int, int] | None:
        """Turns that should be read now, if any: a range around the view."""
        last_turn = self.total - 1
        first, last = self.top.turn, min(self.top.turn + height, last_turn)
        near = range(max(first - height, 0), min(last + height, last_turn) + 1)
        if all(index in self.turns for index in near):
            return None
        wide = range(max(first - AHEAD * height, 0), min(last + AHEAD * height, last_turn) + 1)
        lacking = [index for index in wide if index not in self.turns]
        return lacking[0], lacking[-1] + 1

    def levels_reset(self) -> None:
        """Every card as folded as all are."""
        self.view.levels.clear()
        self.view.branches = False
        self.view.unread = -1
        self._pages.clear()

    def forget_layout(self, turn: int) -> None:
        """A turn is laid out anew, and the one after it: its header depends on this one."""
        self._pages.pop(turn, None)
        for after in range(turn + 1, turn + QUIET):
            self._pages.pop(after, None)
            if after not in self.turns or not self._is_quiet(after):
                break

    def has(self, turn: int) -> bool:
        """Whether a turn is held."""
        return turn in self.turns

    def page(self, turn: int) -> list[Piece] | None:
        """A turn's pieces; ``None`` if it is not held."""
        held = self._pages.get(turn)
        if held is None:
            content = self.turns.get(turn)
            if content is None:
                return None
            held = pieces(
                content, turn, self.view, previous=self._before(turn), calls=self._calls,
                uses=self._uses,
            )  # fmt: skip
            self._pages[turn] = held
        return held

    def _before(self, turn: int) -> Turn | None:
        """The turn whose voice a turn follows."""
        for before in range(turn - 1, turn - QUIET, -1):
            if before not in self.turns or not self._is_quiet(before):
                break
        return self.turns.get(before)

    def _is_quiet(self, turn: int) -> bool:
        return is_folded_context(self.turns[turn], turn, self.view)

    def line(self, place: Place) -> Line:
        """The display line at a place that is held."""
        page = self.page(place.turn) or []
        return page[place.piece].lines[place.line]

    def block(self, place: Place) -> int:
        """Number of the block at a place; -1: none."""
        page = self.page(place.turn)
        if not page or place.piece >= len(page):
            return -1
        piece = page[place.piece]
        return piece.block_of(place.line) if place.line < len(piece.lines) else -1

    def call(self, call_id: str) -> ToolCall | None:
        """A tool call near the view."""
        return self._calls.get(call_id)

    def trim(self) -> None:
        """Let go of the layout of what is far from the view in a large turn."""
        page = self._pages.get(self.top.turn, ())
        if len(page) > 2 * PIECES:
            for number, piece in enumerate(page):
                if abs(number - self.top.piece) > PIECES:
                    piece.forget()
