"""The lines of the session list, kept as long as they would be drawn the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.style import Style
from textual.strip import Strip

from sparrow_tui.app import clock
from sparrow_tui.app.widgets.session_row import Look, Styles, draw_row
from sparrow_tui.store.base import SessionHit

KEPT = 500
"""Sessions whose lines are kept."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How rows are drawn."""

    width: int
    compact: bool
    searching: bool
    focused: bool
    """Whether the list has the focus: the cursor is brighter then."""


@dataclass(slots=True)
class _Drawn:
    """Lines of a session, and what they were drawn from."""

    lines: list[Strip]
    hit: SessionHit
    count: int | None
    marked: bool
    minute: int
    shape: Shape


class RowPainter:
    """Draws sessions.

    A line that stays the same object is neither filtered nor cut into pieces again by Textual.
    """

    def __init__(self, present: clock.Clock) -> None:
        """Args: the clock ages are shown by."""
        self._present = present
        self._drawn: dict[tuple[int, bool], _Drawn] = {}
        self._empty = Strip([])
        self.looks: Mapping[str, Look] = {}
        """How agents are named and coloured."""
        self.styles: Styles | None = None

    def forget(self) -> None:
        """Something all rows depend on has changed."""
        self._drawn.clear()
        self._empty = Strip([])

    def session(
        self, hit: SessionHit, count: int | None, *, current: bool, marked: bool, shape: Shape
    ) -> list[Strip]:
        """The lines of a session.

        Args:
            hit: the session, and what of it matches.
            count: how many of its turns match, where known.
            current: whether the cursor stands on it.
            marked: whether it is selected for bulk actions.
            shape: what all rows have in common.
        """
        assert self.styles is not None, "styles come first"
        key = (hit.session.sid, current)
        minute = self._present() // clock.MINUTE
        drawn = self._drawn.get(key)
        if (
            drawn is not None
            and (drawn.hit is hit or drawn.hit == hit)
            and drawn.count == count
            and drawn.marked == marked
            and drawn.minute == minute
            and drawn.shape == shape
        ):
            drawn.hit = hit
            return drawn.lines
        if len(self._drawn) > KEPT:
            self._drawn.clear()
        lines = draw_row(
            hit,
            width=shape.width,
            compact=shape.compact,
            searching=shape.searching,
            count=count,
            current=current,
            focused=shape.focused or not current,
            marked=marked,
            look=self.looks.get(hit.session.agent),
            present=self._present(),
            styles=self.styles,
        )
        self._drawn[key] = _Drawn(lines, hit, count, marked, minute, shape)
        return lines

    def blank(self, width: int, style: Style) -> Strip:
        """A line with nothing on it."""
        if self._empty.cell_length != width:
            self._empty = Strip.blank(width, style)
        return self._empty
