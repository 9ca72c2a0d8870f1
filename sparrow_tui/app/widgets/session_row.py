"""One session as one to three lines of the list."""

from __future__ import annotations

import os.path
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from sparrow_tui.app import clock
from sparrow_tui.sanitize import clean_line
from sparrow_tui.store.base import Session, SessionHit
from sparrow_tui.store.liveness import status_now

SOON = 7 * clock.DAY
"""A source that goes within this time is marked."""


@dataclass(frozen=True, slots=True)
class Look:
    """How an agent is named and coloured."""

    label: str
    color: str


@dataclass(frozen=True, slots=True)
class Styles:
    """The list's styles, taken from its component classes."""

    base: Style
    title: Style
    dim: Style
    snippet: Style
    match: Style
    cursor: Style
    cursor_blurred: Style
    bar: Style
    working: Style
    warning: Style
    error: Style
    pin: Style
    tag: Style
    heading: Style
    rule: Style


MOST = 4
"""Characters a cell of text is made of at most; what is beyond is not looked at."""
LEAST = 6
"""Cells below which a fact is left out rather than cut."""

_NARROW = re.compile(
    "[ -~\xa1-\xac\xae-\u02ff\u0370-\u0377\u0391-\u03ff\u0400-\u0482\u2010-\u2027]*"
)
"""Characters that take one cell each, for certain: counting cells of others takes longer."""
NAMED = 9
"""Cells an agent's name takes where a session has one line."""

Piece = tuple[str, Style]
"""Text and how it looks."""

MARKS = {
    "●": "working",
    "◆": "waiting for you",
    "!": "stopped in the middle",
    "·": "ended",
    "◌": "only prompts are left",
    "★": "pinned",
    "↳": "a sub-agent",
    "▪": "selected for bulk actions",
}
"""What the signs in the list mean, for the help page."""


def draw_row(
    hit: SessionHit,
    *,
    width: int,
    compact: bool,
    searching: bool,
    count: int | None,
    current: bool,
    focused: bool,
    marked: bool,
    look: Look | None,
    present: int,
    styles: Styles,
) -> list[Strip]:
    """The lines of one row, each exactly ``width`` cells."""
    session = hit.session
    look = look or Look(session.agent, "")
    row = _Row(width, current, focused, styles)
    row.bar(marked)
    right = _right(session, count if searching else None, compact, present, styles)
    agent = Style(color=look.color) if look.color else styles.dim
    mark, mark_style = _mark(session, styles, present)
    row.add(f"{mark} ", mark_style)
    if compact:
        row.add(f"{_short(clean_line(look.label))} ", agent)
    _title(row, session, styles, keep=min(_width(right), row.left // 2))
    row.fill(right)
    lines = [row.strip()]
    if not compact:
        row = _Row(width, current, focused, styles)
        row.bar(marked)
        row.add("  ", styles.dim)
        row.add(clean_line(look.label), agent)
        right = [_note(session, present, styles), _size(session, styles)]
        right = [piece for piece in right if piece[0]]
        keep = min(_width(right), row.left // 2)
        facts = [(f" · {fact}", styles.dim) for fact in (_project(session),) if fact]
        facts += [(f" #{clean_line(tag)}", styles.tag) for tag in session.tags]
        facts += [(f" · {fact}", styles.dim) for fact in (_branch(session),) if fact]
        for text, style in facts:
            if row.left - keep >= LEAST:
                row.add(text, style, keep=keep)
        row.fill(right)
        lines.append(row.strip())
    if searching:
        row = _Row(width, current, focused, styles)
        row.bar(marked)
        row.add("  ", styles.dim)
        _snippet(row, hit, styles)
        lines.append(row.strip())
    return lines


def draw_unknown(width: int, first: bool, styles: Styles) -> Strip:
    """A line of a session whose details are on their way."""
    words = Segment("  ·" if first else "", styles.dim)
    return Strip([words]).adjust_cell_length(width, styles.base)


def draw_nothing(width: int, styles: Styles) -> Strip:
    """The first line of a list no session is in."""
    words = Segment("  Nothing matches. Esc clears the search.", styles.dim)
    return Strip([words]).adjust_cell_length(width, styles.base)


class _Row:
    """A line being filled from the left."""

    def __init__(self, width: int, current: bool, focused: bool, styles: Styles) -> None:
        self.width = width
        self.left = width
        self.current = current
        self.styles = styles
        self.ground = styles.base
        if current:
            self.ground = styles.cursor if focused else styles.cursor_blurred
        self.back = _back(self.ground)
        self.segments: list[Segment] = []

    def bar(self, marked: bool) -> None:
        """The first cell: cursor or selection."""
        if marked:
            self.add("▪", self.styles.pin)
        else:
            self.add("▌" if self.current else " ", self.styles.bar)

    def add(self, text: str, style: Style, *, keep: int = 0) -> None:
        """Text at the left, cut to what is left but ``keep`` cells."""
        room = self.left - keep
        if room <= 0 or not text:
            return
        piece = fitted(text, room)
        self.segments.append(Segment(piece.text, self.on_ground(style)))
        self.left -= piece.cells

    def fill(self, right: Sequence[Piece]) -> None:
        """Space, then something at the right end; its first pieces give way where it is tight."""
        pieces = [*right]
        while (length := _width(pieces)) > self.left:
            del pieces[0]
        self.segments.append(Segment(" " * (self.left - length), self.ground))
        for text, style in pieces:
            self.segments.append(Segment(f" {text} ", self.on_ground(style)))
        self.left = 0

    def on_ground(self, style: Style) -> Style:
        """A style on the row's background."""
        return style + self.back

    def strip(self) -> Strip:
        """The line, filled up to its width."""
        if self.left:
            self.segments.append(Segment(" " * self.left, self.ground))
        return Strip(self.segments, self.width)


def _width(pieces: Sequence[Piece]) -> int:
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


def _mark(session: Session, styles: Styles, present: int) -> Piece:
    """One character for a session's state."""
    status = status_now(session, present)
    if session.ghost:
        return "◌", styles.dim
    return {
        "working": ("●", styles.working),
        "waiting": ("◆", styles.warning),
        "unclean": ("!", styles.error if _recent(session, present) else styles.dim),
        "ended": ("·", styles.dim),
    }.get(status, (" ", styles.dim))


def _recent(session: Session, present: int) -> bool:
    return present - (session.updated_at or 0) < SOON


def _title(row: _Row, session: Session, styles: Styles, keep: int) -> None:
    """The title, and before it whether the session is pinned or a sub-agent's."""
    if session.pinned:
        row.add("★ ", styles.pin, keep=keep)
    if session.parent:
        row.add("↳ ", styles.dim, keep=keep)
    row.add(clean_line(session.title) or "(no prompt)", styles.title, keep=keep)


def _right(
    session: Session, count: int | None, compact: bool, present: int, styles: Styles
) -> list[Piece]:
    """What stands at the right of the first line; the first pieces matter least."""
    pieces = []
    if compact:
        pieces += [(f"#{clean_line(tag, 12)}", styles.tag) for tag in session.tags[:2]]
        pieces.append((clean_line(_project(session))[:18], styles.dim))
        pieces.append(_note(session, present, styles))
    if count:
        pieces.append((f"{count:,}×", styles.dim))
    pieces.append((f"{clock.age(session.updated_at, present):>3}", styles.dim))
    return [piece for piece in pieces if piece[0]]


@lru_cache(maxsize=64)
def _short(label: str) -> str:
    """An agent's name in `NAMED` cells: as many of its words as fit, or the first one's start."""
    words = label.split()
    while len(words) > 1 and cell_len(" ".join(words)) > NAMED:
        words.pop()
    return set_cell_size(" ".join(words), NAMED)


def _project(session: Session) -> str:
    path = (session.project or "").rstrip("/\\")
    return clean_line(os.path.basename(path.replace("\\", "/")) or path)


def _branch(session: Session) -> str:
    branch = session.branch or ""
    return "" if branch in ("", "HEAD", "main", "master") else clean_line(branch, 60)


def _size(session: Session, styles: Styles) -> Piece:
    return f"{session.turns:,} turn{'' if session.turns == 1 else 's'}", styles.dim


def _note(session: Session, present: int, styles: Styles) -> Piece:
    """Whether the source is about to vanish, or has."""
    if session.ghost:
        return "prompts only", styles.warning
    if session.source_gone:
        return "kept", styles.working
    if session.expires_at is not None and session.expires_at - present < SOON:
        return f"expires in {clock.until(session.expires_at, present)}", styles.warning
    return "", styles.dim


def _snippet(row: _Row, hit: SessionHit, styles: Styles) -> None:
    """The best hit's text with the query's words lit."""
    best = hit.best
    if best is None:
        return
    at = 0
    if best.spans and best.spans[0][1] > row.left:
        # The pane is narrower than the snippet: begin where the match is seen.
        at = max(best.spans[0][0] - row.left // 3, 0)
        if at:
            row.add("…", styles.snippet)
    for start, end in best.spans:
        row.add(best.snippet[at:start], styles.snippet)
        row.add(best.snippet[start:end], styles.match)
        at = end
    row.add(best.snippet[at:], styles.snippet)
