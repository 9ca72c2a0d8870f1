"""One session as one to three lines of the list."""

from __future__ import annotations

import os.path
from dataclasses import dataclass

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
    title = clean_line(session.title) or "(no prompt)"
    mark, mark_style = _mark(session, styles, present)
    right = _right(session, count if searching else None, compact, present)
    agent = Style(color=look.color) if look.color else styles.dim
    if compact:
        row.add(f"{mark} ", mark_style)
        row.add(set_cell_size(look.label[:8], 8) + " ", agent)
        row.fill(title, styles.title, right, styles.dim)
        lines = [row.strip()]
    else:
        row.add(f"{mark} ", mark_style)
        row.fill(title, styles.title, right, styles.dim)
        lines = [row.strip()]
        row = _Row(width, current, focused, styles)
        row.bar(marked)
        row.add("  ", styles.dim)
        row.add(clean_line(look.label), agent)
        facts = [fact for fact in (_project(session), _branch(session)) if fact]
        row.add("".join(f" · {fact}" for fact in facts), styles.dim, shrink=True, keep=12)
        note, note_style = _note(session, present, styles)
        row.fill("", styles.dim, note or _size(session), note_style or styles.dim)
        lines.append(row.strip())
    if searching:
        row = _Row(width, current, focused, styles)
        row.bar(marked)
        row.add("  ", styles.dim)
        _snippet(row, hit, styles)
        lines.append(row.strip())
    return lines


def draw_nothing(width: int, styles: Styles) -> Strip:
    """The first line of a list no session is in."""
    words = Segment("  Nothing matches. Esc in the search box clears it.", styles.dim)
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
        self.segments: list[Segment] = []

    def bar(self, marked: bool) -> None:
        """The first cell: cursor or selection."""
        if marked:
            self.add("▪", self.styles.pin)
        else:
            self.add("▌" if self.current else " ", self.styles.bar)

    def add(self, text: str, style: Style, *, shrink: bool = False, keep: int = 0) -> None:
        """Text at the left, cut to what is left (but ``keep`` cells, if it may shrink)."""
        room = self.left - (keep if shrink else 0)
        if room <= 0 or not text:
            return
        length = cell_len(text)
        if length > room:
            text = set_cell_size(text, room - 1) + "…"
            length = room
        self.segments.append(Segment(text, self.on_ground(style)))
        self.left -= length

    def fill(self, text: str, style: Style, right: str, right_style: Style) -> None:
        """Text at the left, something at the right end, space between."""
        length = cell_len(right)
        if length + 2 > self.left:
            right, length = "", 0
        room = self.left
        self.left -= length + (2 if length else 1)
        before = self.left
        self.add(text, style)
        gap = room - (before - self.left) - length - (1 if length else 0)
        self.segments.append(Segment(" " * max(gap, 0), self.ground))
        if length:
            self.segments.append(Segment(right + " ", self.on_ground(right_style)))
        self.left = 0

    def on_ground(self, style: Style) -> Style:
        """A style on the row's background."""
        if self.ground.bgcolor is None:
            return style
        return style + Style(bgcolor=self.ground.bgcolor)

    def strip(self) -> Strip:
        """The line, filled up to its width."""
        return Strip(self.segments).adjust_cell_length(self.width, self.ground)


def _mark(session: Session, styles: Styles, present: int) -> tuple[str, Style]:
    """One character for a session's state."""
    status = status_now(session, present)
    if session.pinned:
        return "★", styles.pin
    if status == "working":
        return "●", styles.working
    if status == "waiting":
        return "◆", styles.warning
    if session.ghost:
        return "◌", styles.dim
    if session.parent:
        return "↳", styles.dim
    return " ", styles.dim


def _right(session: Session, count: int | None, compact: bool, present: int) -> str:
    age = clock.age(session.updated_at, present)
    parts = []
    if count:
        parts.append(f"{count:,}×")
    if compact:
        parts.append(clean_line(_project(session))[:18])
    parts.append(f"{age:>4}")
    return "  ".join(part for part in parts if part)


def _project(session: Session) -> str:
    path = (session.project or "").rstrip("/\\")
    return clean_line(os.path.basename(path.replace("\\", "/")) or path)


def _branch(session: Session) -> str:
    branch = session.branch or ""
    return "" if branch in ("", "HEAD", "main", "master") else clean_line(branch, 60)


def _size(session: Session) -> str:
    return f"{session.turns:,} turn{'' if session.turns == 1 else 's'}"


def _note(session: Session, present: int, styles: Styles) -> tuple[str, Style | None]:
    """What outranks the number of turns: the session is about to vanish, or has."""
    if session.ghost:
        return "prompts only", styles.warning
    if session.source_gone:
        return "kept", styles.working
    if session.expires_at is not None and session.expires_at - present < SOON:
        return f"expires in {clock.until(session.expires_at, present)}", styles.warning
    return "", None


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
