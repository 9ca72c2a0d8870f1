"""Lines of styled text, free of any terminal: a line is spans, a span is text with a style's name.

Style names are words of this vocabulary: ``text dim user assistant tool ok error warning code
ticked heading quote link strong emphasis strike add delete add-word delete-word hunk keyword string
number comment name notice key rule label``; or ``sgr:`` and SGR parameters for terminal output.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from sparrow_tui.text.wrap import width_of, wrap


class Span(NamedTuple):
    """A run of text in one style. The text is safe (see `sanitize.clean`) and has no newline."""

    text: str
    style: str = "text"


Line: TypeAlias = tuple[Span, ...]
"""One display line."""

WASTED = 8
"""Cells a cut line may leave empty rather than cut a word."""
BLANK: Line = ()


def plain(line: Line) -> str:
    """The characters of a line."""
    return "".join(span.text for span in line)


def line_width(line: Line) -> int:
    """Cells of a line."""
    return sum(width_of(span.text) for span in line)


def fold_spans(spans: Sequence[Span], width: int, indent: str = "") -> list[Line]:
    """Break a logical line of spans into display lines.

    Args:
        spans: the line; no newlines inside.
        width: cells of a display line.
        indent: put before every line but the first.
    """
    text = "".join(span.text for span in spans)
    starts = wrap(text, width, len(indent))
    if len(starts) == 1:
        line = tuple(spans)
        return [line if line_width(line) <= width else _stripped(line)]
    lines: list[Line] = []
    ends = [*starts[1:], len(text)]
    at, position = 0, 0
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        pieces = [Span(indent, "text")] if number and indent else []
        while at < len(spans):
            span_start, span = position, spans[at]
            span_end = span_start + len(span.text)
            piece = span.text[max(start - span_start, 0) : end - span_start]
            if number < len(ends) - 1 and span_end >= end:
                piece = piece.rstrip(" ") if span_end == end or end - span_start > 0 else piece
            if piece:
                pieces.append(Span(piece, span.style))
            if span_end > end:
                break
            position, at = span_end, at + 1
            if span_end == end:
                break
        lines.append(tuple(pieces))
    if line_width(lines[-1]) > width:
        lines[-1] = _stripped(lines[-1])
    return lines


def _stripped(line: Line) -> Line:
    """A line without the spaces at its end."""
    kept = list(line)
    while kept and not kept[-1].text.rstrip(" "):
        kept.pop()
    if kept:
        kept[-1] = Span(kept[-1].text.rstrip(" "), kept[-1].style)
    return tuple(kept)


def fold_text(text: str, width: int, style: str = "text", indent: str = "") -> list[Line]:
    """Break safe text of any number of logical lines into display lines of one style."""
    lines: list[Line] = []
    for logical in text.split("\n"):
        if len(logical) <= width and logical.isascii():
            lines.append((Span(logical, style),) if logical else BLANK)
        else:
            lines.extend(fold_spans([Span(logical, style)], width, indent))
    return lines


def cut(line: Line, width: int) -> Line:
    """A line cut to ``width`` cells, with an ellipsis where something is missing."""
    if line_width(line) <= width:
        return line
    kept: list[Span] = []
    left = max(width - 1, 0)
    for span in line:
        size = width_of(span.text)
        if size <= left:
            kept.append(span)
            left -= size
            continue
        starts = wrap(span.text, max(left, 1), 0)
        head = span.text[: starts[1]] if len(starts) > 1 else span.text
        if width_of(head) < left - WASTED:  # what comes next is long: some of it is better
            head = span.text[:left]
        while head and width_of(head) > left:
            head = head[:-1]
        kept.append(Span(head, span.style))
        break
    kept.append(Span("…", "dim"))
    return tuple(kept)
