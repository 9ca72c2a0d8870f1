"""One session as one to three lines of the list."""

from __future__ import annotations

import os.path
from dataclasses import dataclass
from functools import lru_cache

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from sparrow_tui.app import clock
from sparrow_tui.app.widgets.cell_line import Line, Piece, cells_of
from sparrow_tui.sanitize import clean_line
from sparrow_tui.store.base import Session, SessionHit
from sparrow_tui.store.liveness import status_now


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


LEAST = 6
"""Cells below which a fact is left out rather than cut."""

NAMED = 9
"""Cells an agent's name takes where a session has one line."""

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
    ground = styles.base
    if current:
        ground = styles.cursor if focused else styles.cursor_blurred

    def begin() -> Line:
        line = Line(width, ground)
        if marked:
            line.add("▪", styles.pin)
        else:
            line.add("▌" if current else " ", styles.bar)
        return line

    row = begin()
    right = _right(session, count if searching else None, compact, present, styles)
    agent = Style(color=look.color) if look.color else styles.dim
    mark, mark_style = _mark(session, styles, present)
    row.add(f"{mark} ", mark_style)
    if compact:
        row.add(f"{_short(clean_line(look.label))} ", agent)
    _title(row, session, styles, keep=min(cells_of(right), row.left // 2))
    row.fill(right)
    lines = [row.strip()]
    if not compact:
        row = begin()
        row.add("  ", styles.dim)
        row.add(clean_line(look.label), agent)
        note = _note(session, present, styles)
        right = [_size(session, styles), *([note] if note[0] else [])]
        # Where a session's source is going must be seen; how long the session is, may.
        keep = max(min(cells_of(right), row.left // 2), cells_of(right[1:]))
        facts = [(f" · {fact}", styles.dim) for fact in (_project(session),) if fact]
        facts += [(f" #{clean_line(tag)}", styles.tag) for tag in session.tags]
        facts += [(f" · {fact}", styles.dim) for fact in (_branch(session),) if fact]
        for text, style in facts:
            if row.left - keep >= LEAST:
                row.add(text, style, keep=keep)
        row.fill(right)
        lines.append(row.strip())
    if searching:
        row = begin()
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
    return present - (session.updated_at or 0) < clock.SOON


def _title(row: Line, session: Session, styles: Styles, keep: int) -> None:
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
    return clock.expiry(session.expires_at, present), styles.warning


def _snippet(row: Line, hit: SessionHit, styles: Styles) -> None:
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
