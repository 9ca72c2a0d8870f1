"""A session seen through a scroll window: which line is on top, and what lies around it.

Only turns near the view are held. A place is a turn, a piece of its page and a line of that
piece; nothing here needs the height of what is not on screen, so a session of a million turns
costs what one of a hundred costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from sparrow_tui.model import Turn
from sparrow_tui.store.base import ToolCall
from sparrow_tui.text.pieces import Piece
from sparrow_tui.text.spans import Line, plain
from sparrow_tui.text.turns import View, pieces

AHEAD = 3
"""Pages' worth of turns asked for on either side of the view; with less than one, more."""
HELD = 900
"""Turns held at most."""


class Place(NamedTuple):
    """A display line of a session."""

    turn: int
    piece: int = 0
    line: int = 0


class Spot(NamedTuple):
    """A place that outlives a new layout: a character of a block."""

    turn: int
    block: int
    offset: int
    """Characters of the block's lines (or of its part) before it."""
    part: int = -1
    """Number of the piece, where a large text is in several."""


class TranscriptModel:
    """Turns held, their layout, and the line on top."""

    def __init__(self) -> None:
        self.view = View(width=80)
        self.total = 0
        self.top = Place(0)
        self.turns: dict[int, Turn] = {}
        self._calls: dict[str, ToolCall] = {}
        self._pages: dict[int, list[Piece]] = {}

    # What is held

    def clear(self, total: int) -> None:
        """Forget everything: another session."""
        self.total = total
        self.top = Place(0)
        self.turns.clear()
        self._calls.clear()
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
                self._pages.pop(index, None)
                self._pages.pop(index + 1, None)  # its header depends on this one
        for key, call in calls.items():
            if self._calls.get(key) != call:
                self._calls[key] = call
                self._pages.pop(call.use_index, None)
                if call.result_index is not None:
                    self._pages.pop(call.result_index, None)
        if len(self.turns) > HELD:
            near = range(self.top.turn - HELD // 3, self.top.turn + HELD // 3)
            self.turns = {k: v for k, v in self.turns.items() if k in near}
            self._pages = {k: v for k, v in self._pages.items() if k in near}
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
        self._pages.clear()

    def forget_layout(self, turn: int) -> None:
        """A turn is laid out anew: its cards were opened or closed."""
        self._pages.pop(turn, None)

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
            previous = self.turns.get(turn - 1)
            held = pieces(content, turn, self.view, previous=previous, calls=self._calls)
            self._pages[turn] = held
        return held

    def line(self, place: Place) -> Line:
        """The display line at a place that is held."""
        page = self.page(place.turn) or []
        return page[place.piece].lines[place.line]

    def block(self, place: Place) -> int:
        """Number of the block at a place; -1: none."""
        page = self.page(place.turn)
        if not page or place.piece >= len(page):
            return -1
        return page[place.piece].block_of(place.line)

    def call(self, call_id: str) -> ToolCall | None:
        """A tool call near the view."""
        return self._calls.get(call_id)

    # Walking

    def forward(self, place: Place) -> Iterator[Place]:
        """Lines from a place on, up to the end or to the first turn that is not held."""
        turn, piece, line = place
        while turn < self.total:
            page = self.page(turn)
            if page is None:
                return
            while piece < len(page):
                count = len(page[piece].lines)
                while line < count:
                    yield Place(turn, piece, line)
                    line += 1
                piece, line = piece + 1, 0
            turn, piece, line = turn + 1, 0, 0

    def backward(self, place: Place) -> Iterator[Place]:
        """Lines before a place, nearest first."""
        turn, piece, line = place
        page = self.page(turn)
        if page is None and turn < self.total:
            return
        while True:
            while line > 0:
                line -= 1
                yield Place(turn, piece, line)
            if piece > 0:
                piece -= 1
            else:
                turn -= 1
                if turn < 0:
                    return
                page = self.page(turn)
                if page is None:
                    return
                piece = len(page) - 1
            line = len(page[piece].lines) if page and piece >= 0 else 0
            piece = max(piece, 0)

    def rows(self, height: int) -> list[Place]:
        """The lines on screen."""
        found = []
        for place in self.forward(self.top):
            found.append(place)
            if len(found) >= height:
                break
        return found

    def walk(self, place: Place, lines: int) -> tuple[Place, int]:
        """The place some lines on (or back), and how many there were, as far as is held."""
        steps = 0
        if lines > 0:
            ways = self.forward(place)
            next(ways, None)
            for found in ways:
                place, steps = found, steps + 1
                if steps >= lines:
                    break
        elif lines < 0:
            for found in self.backward(place):
                place, steps = found, steps - 1
                if steps <= lines:
                    break
        return place, steps

    def moved(self, place: Place, lines: int) -> Place:
        """The place some lines on (or back), as far as there are lines held."""
        return self.walk(place, lines)[0]

    def scroll(self, lines: int, height: int) -> int:
        """Move the view; by how many lines it could. The end stays at the bottom."""
        self.top, steps = self.walk(self.first_of(self.top), lines)
        self.settle(height)
        return steps

    def settle(self, height: int) -> None:
        """Leave no room below the end that lines above could fill."""
        shown = 0
        for place in self.forward(self.top):
            shown += 1
            if shown >= height:
                return
            last = place
        reached_end = shown == 0 or last.turn >= self._last_shown()
        if reached_end and shown < height:
            self.top = self.moved(self.top, shown - height)

    def _last_shown(self) -> int:
        """The last turn that has lines, as far as is known."""
        turn = self.total - 1
        while turn > 0 and self.page(turn) == []:
            turn -= 1
        return turn

    def first_of(self, place: Place) -> Place:
        """The place itself, or the first line after it if it has none (a blank turn)."""
        found = next(self.forward(place), None)
        if found is not None:
            return found
        return next(self.backward(place), place)

    def first_said(self, place: Place) -> Place:
        """The first line from a place on that has something on it."""
        found = self.first_of(place)
        return next((p for p in self.forward(found) if self.line(p)), found)

    def to_end(self, height: int) -> None:
        """The last line at the bottom."""
        self.top = self.moved(Place(self.total), -height)

    def at_end(self, height: int) -> bool:
        """Whether the last line is on screen."""
        shown = self.rows(height + 1)
        if not shown:
            return True
        return len(shown) <= height and shown[-1].turn >= self._last_shown()

    # Places that outlive a layout

    def spot(self, place: Place) -> Spot:
        """What stands at a place."""
        page = self.page(place.turn)
        if not page or place.piece >= len(page):
            return Spot(place.turn, -1, 0)
        block = self.block(place)
        here = page[place.piece]
        if here.layout is not None:
            offset = sum(len(plain(line)) for line in here.lines[: place.line])
            return Spot(place.turn, block, offset, place.piece)
        offset = 0
        for number, piece in enumerate(page[: place.piece + 1]):
            if piece.layout is not None:
                continue
            lines = place.line if number == place.piece else len(piece.lines)
            for line in range(lines):
                if piece.block_of(line) == block:
                    offset += len(plain(piece.lines[line]))
        return Spot(place.turn, block, offset)

    def find(self, spot: Spot) -> Place:
        """Where something stands now; the beginning of its block if it is folded away."""
        page = self.page(spot.turn) or []
        numbers = range(len(page))
        if 0 <= spot.part < len(page) and page[spot.part].layout is not None:
            numbers = range(spot.part, spot.part + 1)
        found: Place | None = None
        passed = 0
        for number in numbers:
            piece = page[number]
            if piece.layout is not None and spot.part < 0:
                if found is not None:
                    break
                continue
            for line, content in enumerate(piece.lines):
                if piece.block_of(line) != spot.block:
                    continue
                if found is not None and passed > spot.offset:
                    return found
                found = Place(spot.turn, number, line)
                passed += len(plain(content))
        return found if found is not None else Place(spot.turn)

    def relayout(
        self, change: Callable[[View], None], fixed: Place, row: int, height: int
    ) -> Place:
        """Change how turns are shown, and keep what is at a place on its row.

        Args:
            change: alters the view.
            fixed: the place that shall not move.
            row: its row on screen.
            height: of the screen.

        Returns:
            The place in the new layout.
        """
        spot = self.spot(fixed)
        change(self.view)
        self._pages.clear()
        place = self.first_of(self.find(spot))
        self.top = self.moved(place, -row)
        self.settle(height)
        return place

    def fold(self, turn: int, block: int, level: int, fixed: Place, row: int, height: int) -> Place:
        """Open or close one card; what is at ``fixed`` stays on its row."""
        spot = self.spot(fixed)
        self.view.levels[(turn, block)] = level
        self._pages.pop(turn, None)
        place = self.first_of(self.find(spot))
        self.top = self.moved(place, -row)
        self.settle(height)
        return place
