"""Where a line of text is broken to fit a width, in cells: by words, or inside them if need be."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=4096)
def _cells(character: str) -> int:
    from rich.cells import get_character_cell_size

    return get_character_cell_size(character)


def width_of(text: str) -> int:
    """Cells a text takes in a terminal."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def wrap(text: str, width: int, hanging: int = 0) -> list[int]:
    """Offsets at which the display lines of one logical line begin; the first is 0.

    Args:
        text: no newlines, tabs already expanded.
        width: cells of a line; at least 1.
        hanging: cells of indent before every line but the first.
    """
    width = max(width, 1)
    if text.isascii():
        return _wrap_ascii(text, width, min(hanging, width - 1))
    return _wrap_cells(text, width, min(hanging, width - 1))


def _wrap_ascii(text: str, width: int, hanging: int) -> list[int]:
    starts = [0]
    at, room, length = 0, width, len(text)
    while length - at > room:
        space = text.rfind(" ", at, at + room + 1)
        if space <= at:
            at += room
        else:
            at = space + 1
            while at < length and text[at] == " ":
                at += 1
        if at >= length:
            break
        starts.append(at)
        room = width - hanging
    return starts


def _wrap_cells(text: str, width: int, hanging: int) -> list[int]:
    """As above, measuring characters as `width_of` does.

    A combining mark or joined emoji stays with its base; a variation selector may widen it.
    """
    starts = [0]
    room = width
    used = 0
    breakable = -1  # offset after the last space on this line
    since = 0  # cells after `breakable`
    joined = False
    base, base_at, base_size = "", 0, 0
    for at, character in enumerate(text):
        if joined or character == "\u200d":
            joined = not joined
            continue
        if character == "\ufe0f":
            size = _widened(base) if base else 0
            place, before, base = base_at, base_size, ""
            base_size += size
        else:
            size = _cells(character)
            place, before = at, 0
            if size:
                if base_size == 2:
                    # Between wide characters a line may be broken anywhere.
                    breakable, since = at, 0
                base, base_at, base_size = character, at, size
        if used + size > room and size:
            if character == " " and _cells(text[at + 1 : at + 2] or " "):
                # A space at the edge disappears into the break, if it carries no mark.
                breakable, since = at + 1, 0
                used += size
                continue
            if breakable > starts[-1] and since <= width - hanging:
                starts.append(breakable)
                used = since
            elif place > starts[-1]:
                starts.append(place)
                used = before
            room = width - hanging
            breakable, since = -1, used
            if used + size > room and place > starts[-1]:
                starts.append(place)
                used = since = before
        used += size
        since += size
        if character == " ":
            breakable, since = at + 1, 0
    return starts


@lru_cache(maxsize=1024)
def _widened(base: str) -> int:
    """Cells a character gains by the selector that asks for its emoji form."""
    return width_of(base + "\ufe0f") - width_of(base)
