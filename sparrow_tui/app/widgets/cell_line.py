"""A line of cells that is filled from the left, on one background."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

MOST = 4
"""Characters a cell of text is made of at most; what is beyond is not looked at."""

_NARROW = re.compile(
    "[ -~\xa1-\xac\xae-\u02ff\u0370-\u0377\u0391-\u03ff\u0400-\u0482\u2010-\u2027]*"
)
"""Characters that take one cell each, for certain: counting cells of others takes longer."""

Piece = tuple[str, Style]
"""Text and how it looks."""


class Line:
    """A line being filled from the left."""

    def __init__(self, width: int, ground: Style) -> None:
        """Args: cells of the line; the style of what nothing stands on."""
        self.width = width
        self.left = width
        self._ground = ground
        self._back = _back(ground)
        self._segments: list[Segment] = []

    def add(self, text: str, style: Style, *, keep: int = 0) -> None:
        """Text at the left, cut to what is left but ``keep`` cells."""
        room = self.left - keep
        if room <= 0 or not text:
            return
        piece = fitted(text, room)
        self._segments.append(Segment(piece.text, self._on_ground(style)))
        self.left -= piece.cells

    def fill(self, right: Sequence[Piece]) -> None:
        """Space, then something at the right end; its first pieces give way where it is tight."""
        pieces = [*right]
        while (length := cells_of(pieces)) > self.left:
            del pieces[0]
        self._segments.append(Segment(" " * (self.left - length), self._ground))
        for text, style in pieces:
            self._segments.append(Segment(f" {text} ", self._on_ground(style)))
        self.left = 0

    def _on_ground(self, style: Style) -> Style:
        """A style on the row's background."""
        return style + self._back

    def strip(self) -> Strip:
        """The line, filled up to its width."""
        if self.left:
            self._segments.append(Segment(" " * self.left, self._ground))
        return Strip(self._segments, self.width)


def cells_of(pieces: Sequence[Piece]) -> int:
    """Cells of pieces at the right end, each with a space before and after it."""
    return sum(cell_len(text) + 2 for text, _ in pieces)


@lru_cache(maxsize=8)
def _back(ground: Style) -> Style:
    """Only the background of a style."""
    return Style(bgcolor=ground.bgcolor)


class Fitted(NamedTuple):
    """A text that fits, and its width."""

    text: str
    cells: int


def fitted(text: str, room: int) -> Fitted:
    """A text cut to at most ``room`` cells (one or more), with dots where it was cut."""
    if _NARROW.fullmatch(text[:room]):
        length = len(text)
        return Fitted(text, length) if length <= room else Fitted(f"{text[: room - 1]}…", room)
    text = text[: MOST * room]
    length = cell_len(text)
    if length <= room:
        return Fitted(text, length)
    return Fitted(set_cell_size(text, room - 1) + "…", room)
