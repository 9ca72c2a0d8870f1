"""What stands under a card's head: text, terminal output, data; its beginning or all of it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import groupby

from sparrow_tui.large import Large
from sparrow_tui.sanitize import clean
from sparrow_tui.text import ansi, diff
from sparrow_tui.text.inputs import as_texts
from sparrow_tui.text.pieces import CHUNK, Layout, Page, breaks_in
from sparrow_tui.text.spans import BLANK, Line, Span, fold_spans
from sparrow_tui.text.values import json_lines

FOLDED, PREVIEW, FULL = range(3)
"""How far a card is open."""
PREVIEW_LINES = 12
FRAME = Span("  │ ", "rule")
"""How a line under a card begins."""
_PREVIEWED = 8_000
_PREVIEWED_PARTS = 8


def output(said: str) -> list[Line]:
    """A result's text in logical lines: with its colours, as a patch, as JSON, or as it is."""
    if ansi.has_colours(said):
        return ansi.coloured(said)
    safe = clean(said)
    if diff.is_patch(safe):
        return diff.patch_lines(safe)
    return json_lines(safe) or _logical(safe)


def _logical(safe: str) -> list[Line]:
    return [(Span(line, "text"),) if line else BLANK for line in safe.expandtabs(4).split("\n")]


def large(page: Page, said: str, width: int, level: int, number: int) -> None:
    """A long text under a card: its beginning, or all of it a part at a time."""
    if level == PREVIEW:
        frame(page, output(said[:_PREVIEWED]), width, level, number, total=breaks_in(said) + 1)
        return
    page.windowed(said, _framed(width), number)


def data(
    page: Page,
    value: object,
    width: int,
    level: int,
    number: int,
) -> None:
    """A large input or record under a card."""
    if not isinstance(value, Large):
        _texts(page, as_texts(value), width, level, number)
        return
    if level == PREVIEW:
        first = "".join(value.part_text(part) for part in value.parts[:_PREVIEWED_PARTS])
        frame(page, output(first[:_PREVIEWED]), width, level, number, size=len(value.packed))
        return
    layout = _framed(width)

    def whole_lines(part: str) -> list[Line]:
        return layout(part.removesuffix("\n"))

    for part in value.parts:
        page.later(whole_lines, number, partial(value.part_text, part))


def _texts(page: Page, texts: Iterable[str], width: int, level: int, number: int) -> None:
    """Texts one below the other; short ones are laid out together."""
    if level == PREVIEW:
        begins, total = "", 0
        for text in texts:
            room = _PREVIEWED - len(begins)
            begins += f"{text[:room]}\n" if room > 0 else ""
            total += breaks_in(text) + 1
        frame(page, output(begins.removesuffix("\n")), width, level, number, total=total)
        return
    for is_long, some in groupby(texts, lambda text: len(text) > CHUNK):
        for said in some if is_long else ("\n".join(some),):
            page.windowed(said, _framed(width), number)


def _framed(width: int) -> Layout:
    def layout(part: str) -> list[Line]:
        logical = ansi.coloured(part) if ansi.has_colours(part) else _logical(clean(part))
        return [(FRAME, *line) for line in folded(logical, width)]

    return layout


def folded(body: list[Line], width: int, indent: str = "") -> list[Line]:
    """Logical lines as display lines that fit in a frame."""
    lines: list[Line] = []
    for line in body:
        lines.extend(fold_spans(line, max(width - 4, 1), indent) if line else [BLANK])
    return lines


def frame(
    page: Page,
    body: list[Line],
    width: int,
    level: int,
    number: int,
    indent: str = "",
    total: int = 0,
    size: int = 0,
) -> None:
    """Lines under a card, at preview level only the first ones.

    Args:
        page: where they go.
        body: logical lines.
        width: of the page.
        level: of the card.
        number: of the block.
        indent: of what a logical line goes on with.
        total: logical lines in all, if ``body`` is only a beginning.
        size: bytes in all, if ``body`` is only a beginning and its lines are not counted.
    """
    if level == PREVIEW:
        # No more is laid out than can be shown.
        total = max(total, len(body))
        body = body[: PREVIEW_LINES + 1]
    lines = folded(body, width, indent)
    hidden = 0
    if level == PREVIEW and (total > PREVIEW_LINES + 1 or len(lines) > 2 * PREVIEW_LINES):
        lines = folded(body[:PREVIEW_LINES], width, indent)[: 2 * PREVIEW_LINES]
        hidden = max(total - PREVIEW_LINES, 0)
    framed: list[Line] = [(FRAME, *line) for line in lines]
    if level == PREVIEW and (hidden or len(lines) == 2 * PREVIEW_LINES):
        more = f"… {hidden:,} more lines" if hidden else "… more"
        more = f"… {size / 1e6:,.1f} MB in all" if size else more
        framed.append((FRAME, Span(f"{more} (t)", "dim")))
    page.add(framed, number)
