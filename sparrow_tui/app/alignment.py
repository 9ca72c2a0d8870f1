"""Columns stay where they are, however wide a terminal takes a character to be.

Terminals disagree about joined emoji, flags, variation selectors, conjoining Hangul and rare
scripts. After text with any of these the cursor is put where the next text belongs; the cells
are blanked before, since a terminal that takes them to be narrower would leave some as they were.
"""

from __future__ import annotations

import re
from typing import Any

from rich.console import Console
from rich.segment import Segment
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.strip import Strip

DOUBTFUL = re.compile(
    "[\u0700-\u10ff\u1100-\u11ff\u1200-\u1fff\u200c\u200d\u20d0-\u20ff\u2e3a\u2e3b\ua800-\uabff"
    "\ud7b0-\ud7ff\ufdfd\ufe00-\ufe0f\ufff0-\uffff\U00010000-\U0001ffff\U000e0000-\U0010ffff]"
)


class Anchored(Strip):
    """A line that says where its parts belong."""

    __slots__ = ["_column"]

    def __init__(self, strip: Strip, column: int) -> None:
        """Args: the line; the column it begins in, from 0."""
        super().__init__(strip._segments, strip.cell_length)
        self._column = column

    def crop(self, start: int, end: int | None = None) -> Strip:
        """A part of the line."""
        return anchored(super().crop(start, end), self._column + start)

    def render(self, console: Console) -> str:
        """The line as it goes to the terminal."""
        blank = [Segment(" " * s.cell_length, s.style) for s in self._segments]
        column = self._column
        parts = [Strip(blank, self.cell_length).render(console), _to(column)]
        for segment in self._segments:
            parts.append(Strip([segment]).render(console))
            column += segment.cell_length
            if _is_doubtful(segment):
                parts.append(_to(column))
        return "".join(parts)


def anchored(strip: Strip, column: int) -> Strip:
    """A line as it is, if every terminal takes it to be as wide as we do."""
    return Anchored(strip, column) if any(map(_is_doubtful, strip._segments)) else strip


def aligned(update: Any) -> Any:
    """What Textual is about to draw, its doubtful lines anchored."""
    if isinstance(update, ChopsUpdate):
        for chops in update.chops:
            for column, strip in chops.items():
                if strip is not None:
                    chops[column] = anchored(strip, column)  # type: ignore[index]
    elif isinstance(update, LayoutUpdate):
        for number, strips in enumerate(update.strips):
            column = update.region.x
            line: list[Strip] = []
            for strip in strips:
                line.append(anchored(strip, column))
                column += strip.cell_length
            update.strips[number] = line
    return update


def _is_doubtful(segment: Segment) -> bool:
    return not segment.text.isascii() and DOUBTFUL.search(segment.text) is not None


def _to(column: int) -> str:
    return f"\x1b[{column + 1}G"
