"""A turn's page in pieces, laid out one at a time, so that a turn of any size shows at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from sparrow_tui.text.spans import Line

CHUNK = 16_000
"""Characters of a large text that are laid out at once."""
REMEMBERED_FROM = 1_000_000
"""Characters of a text whose line breaks are remembered."""
REMEMBERED = 100
"""Texts of which they are."""

Layout = Callable[[str], list[Line]]
"""Makes a text's lines."""


@dataclass(slots=True)
class Piece:
    """Some lines of a turn, and which block each belongs to (-1: none)."""

    block: int = -1
    layout: Layout | None = None
    """Makes the lines of a piece that is not laid out yet; all are of ``block``."""
    source: str | Callable[[], str] = ""
    """See `text`; or what makes it."""
    _lines: list[Line] = field(default_factory=list)
    _blocks: list[int] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What the layout is made of, as it was written."""
        return self.source if isinstance(self.source, str) else self.source()

    @property
    def lines(self) -> list[Line]:
        """The display lines, laid out on first use."""
        if self.layout is not None and not self._lines:
            self._lines = self.layout(self.text)
        return self._lines

    @property
    def is_laid_out(self) -> bool:
        """Whether the lines are there already."""
        return self.layout is None or bool(self._lines)

    def block_of(self, line: int) -> int:
        """Number of the block a line belongs to; -1: none."""
        return self.block if self.layout is not None else self._blocks[line]

    def add(self, lines: Sequence[Line], block: int) -> None:
        """Append lines that are laid out already."""
        self._lines.extend(lines)
        self._blocks.extend([block] * len(lines))

    def forget(self) -> None:
        """Let go of lines that can be made again."""
        if self.layout is not None:
            self._lines = []


@dataclass(slots=True)
class Page:
    """A turn's pieces in order."""

    pieces: list[Piece] = field(default_factory=list)

    def add(self, lines: Sequence[Line], block: int = -1) -> None:
        """Append lines of a block."""
        if not lines:
            return
        if not self.pieces or self.pieces[-1].layout is not None:
            self.pieces.append(Piece())
        self.pieces[-1].add(lines, block)

    def later(self, layout: Layout, block: int, source: str | Callable[[], str]) -> None:
        """Append lines of a block that are laid out, from a text, when they come into view."""
        self.pieces.append(Piece(block, layout, source))

    def windowed(self, text: str, layout: Layout, block: int) -> None:
        """Append a text of any size, cut into parts that are laid out as they come into view."""
        for start, end in cuts(text):
            self.later(layout, block, partial(text.__getitem__, slice(start, end)))

    @property
    def last(self) -> Line | None:
        """The last line, if it is laid out."""
        return self.pieces[-1].lines[-1] if self.pieces and self.pieces[-1].lines else None


def chunks(text: str, size: int = CHUNK) -> Iterator[str]:
    """The parts of a large text between `cuts`."""
    return (text[start:end] for start, end in cuts(text, size))


def cuts(text: str, size: int = CHUNK) -> Iterator[tuple[int, int]]:
    """Starts and ends of the parts of a large text, at line ends where there are any near.

    A cut never falls inside an escape sequence, so that each part can be made safe by itself.
    """
    at, length = 0, len(text)
    while at < length:
        end = min(at + size, length)
        if end < length:
            newline = text.rfind("\n", at, end)
            if newline > at:
                yield at, newline
                at = newline + 1
                continue
            escape = text.rfind("\x1b", max(at + 1, end - 64), end)
            end = escape if escape > at else end
        yield at, end
        at = end + (1 if text[end : end + 1] == "\n" else 0)


_counted: dict[tuple[int, int], int] = {}


def breaks_in(text: str) -> int:
    """Line breaks in a text; of large ones the last numbers are remembered: each layout asks.

    They are known by their hashes, which Python keeps with a text: none is held here.
    """
    if len(text) <= REMEMBERED_FROM:
        return text.count("\n")
    known = (len(text), hash(text))
    if known not in _counted:
        if len(_counted) >= REMEMBERED:
            _counted.clear()
        _counted[known] = text.count("\n")
    return _counted[known]
