"""Where something is in a session: as laid out now, and in a way that outlives a layout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sparrow_tui.text.pieces import Piece
from sparrow_tui.text.spans import plain


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


class Left(NamedTuple):
    """Where the reader left a session."""

    spot: Spot
    seen: int
    """Turns there were, as far as they were seen."""


def spot_of(page: Sequence[Piece], place: Place) -> Spot:
    """What stands at a place.

    Args:
        page: the turn's pieces.
        place: a line of it.
    """
    if place.piece >= len(page):
        return Spot(place.turn, -1, 0)
    here = page[place.piece]
    block = here.block_of(place.line)
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


def place_of(page: Sequence[Piece], spot: Spot) -> Place:
    """Where something stands now; the beginning of its block if it is folded away."""
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
