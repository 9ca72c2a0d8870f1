"""The lines of the session list: only those in view are drawn, and kept while they are the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.style import Style
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip

from sparrow_tui.app import clock
from sparrow_tui.app.session_rows import SessionRows
from sparrow_tui.app.widgets.group_heading import draw_heading, group_name
from sparrow_tui.app.widgets.line_list import LineList
from sparrow_tui.app.widgets.row_painter import RowPainter, Shape
from sparrow_tui.app.widgets.session_row import Look, Styles, draw_nothing, draw_unknown
from sparrow_tui.store.base import SessionHit

AGING = 30.0
"""Seconds after which lines are drawn anew, since they tell ages."""
PAGE_AHEAD = 40
"""Rows whose details are asked for beyond the visible ones, either side."""


class SessionLines(LineList):
    """Draws sessions and the headings of groups, each in one to three lines."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "session-list--title",
        "session-list--dim",
        "session-list--snippet",
        "session-list--match",
        "session-list--cursor",
        "session-list--cursor-blurred",
        "session-list--bar",
        "session-list--working",
        "session-list--warning",
        "session-list--error",
        "session-list--pin",
        "session-list--tag",
        "session-list--heading",
        "session-list--rule",
    }

    class RowsWanted(Message):
        """Rows have come into view whose details are not here."""

        def __init__(self, sids: list[int]) -> None:
            super().__init__()
            self.sids = sids

        def can_replace(self, message: Message) -> bool:
            """A newer window replaces an older one."""
            return isinstance(message, SessionLines.RowsWanted)

    def __init__(
        self,
        *,
        present: clock.Clock = clock.now,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._present = present
        self.rows = SessionRows()
        self._searching = self._answered = False
        self._painter = RowPainter(present)
        self._seen: list[Strip] = []
        """The lines last drawn."""
        self.marked: set[int] = set()

    def on_mount(self) -> None:
        """Sessions grow older though nothing changes."""
        self.set_interval(AGING, self._repaint)

    @property
    def sids(self) -> Sequence[int]:
        """Numbers of the sessions in the list, in order."""
        return self.rows.sids

    @property
    def selected(self) -> int | None:
        """Number of the session under the cursor."""
        return self.rows.sid(self.cursor)

    def detail(self, sid: int) -> SessionHit | None:
        """What is known of a session in the list."""
        return self.rows.details.get(sid)

    def set_looks(self, looks: Mapping[str, Look]) -> None:
        """How agents are named and coloured."""
        self._painter.looks = looks
        self._repaint()

    # Geometry

    @property
    def compact(self) -> bool:
        """One line a session: for narrow terminals, where the list is wide and low."""
        return self.screen.has_class("-narrow")

    @property
    def row_width(self) -> int:
        """Cells of one line."""
        return self.scrollable_content_region.width

    @property
    def row_height(self) -> int:
        """Lines of one row."""
        return (1 if self.compact else 2) + (1 if self._searching else 0)

    @property
    def rows_seen(self) -> int:
        """Rows that are seen at once while searching, and a few more."""
        return self.size.height // (2 if self.compact else 3) + 3

    def _visible_sids(self, margin: int = 0) -> list[int]:
        height = self.row_height
        top = self.scroll_offset.y // height - margin
        bottom = (self.scroll_offset.y + self.size.height) // height + 1 + margin
        return self.rows.span(top, bottom)

    def on_resize(self) -> None:
        """Rows are as wide as the list."""
        self.virtual_size = Size(self.row_width, len(self.rows) * self.row_height)
        self._repaint()
        self.call_after_refresh(self.show_cursor)

    def _repaint(self) -> None:
        self._painter.forget()
        self.refresh()

    def notify_style_update(self) -> None:
        """Colours changed."""
        super().notify_style_update()
        self._painter.styles = None
        self._painter.forget()

    # Drawing

    def render_line(self, y: int) -> Strip:
        """One line of the list, at ``y`` within the widget."""
        return self._lines(range(y, y + 1))[0]

    def render_lines(self, crop: Region) -> list[Strip]:
        """Lines on their way to the screen.

        The list has no border and no padding, and so no need of what Textual does to add them:
        it makes several copies of each line, which cost more than drawing them.
        """
        strips = self._seen = self._lines(crop.line_range)
        background = self.background_colors[1]
        for line_filter in self.get_line_filters():
            strips = [strip.apply_filter(line_filter, background) for strip in strips]
        left, right = crop.column_span
        if left > 0 or right < self.row_width:
            strips = [strip.crop(left, right) for strip in strips]
        return strips

    def _refresh_changed(self) -> None:
        """Draw the lines that are not as they were when last drawn."""
        lines = self._lines(range(self.size.height))
        if len(lines) != len(self._seen):
            self.refresh()
            return
        changed = [y for y, line in enumerate(lines) if line is not self._seen[y]]
        if changed:
            first, last = changed[0], changed[-1]
            self.refresh(Region(0, first, self.size.width, last - first + 1))

    def _lines(self, wanted: range) -> list[Strip]:
        """Lines of the list, counted from the widget's top."""
        shape = Shape(self.row_width, self.compact, self._searching, self.has_focus)
        top, height = self.scroll_offset.y, self.row_height
        styles = self._row_styles()
        lines: list[Strip] = []
        for y in wanted:
            row, part = divmod(top + y, height)
            if row < len(self.rows):
                lines.append(self._line(row, part, shape, styles))
            elif y == 0 and self._answered:
                lines.append(draw_nothing(shape.width, styles))
            else:
                lines.append(self._painter.blank(shape.width, styles.base))
        return lines

    def _line(self, row: int, part: int, shape: Shape, styles: Styles) -> Strip:
        """One line of a row."""
        sid = self.rows.sid(row)
        if sid is None:
            return self._heading(row, part, shape.width)
        hit = self.rows.details.get(sid)
        if hit is None:
            self._want()
            return draw_unknown(shape.width, part == 0, styles)
        lines = self._painter.session(
            hit,
            self.rows.counts.get(sid),
            current=row == self.cursor,
            marked=sid in self.marked,
            shape=shape,
        )
        return lines[min(part, len(lines) - 1)]

    def _heading(self, row: int, part: int, width: int) -> Strip:
        """One line of a group's heading, which stands at the foot of its row."""
        group = self.rows.group(row)
        if group is None or part < self.row_height - 1:
            return self._painter.blank(width, self._row_styles().base)
        name = group_name(group.key, self.rows.grouping, self._painter.looks, self._present())
        return draw_heading(name, len(group.sids), width, self._row_styles())

    def _row_styles(self) -> Styles:
        if self._painter.styles is None:
            base = self.rich_style

            def part(name: str) -> Style:
                return self.get_component_rich_style(f"session-list--{name}")

            self._painter.styles = Styles(
                base=base,
                title=part("title"),
                dim=part("dim"),
                snippet=part("snippet"),
                match=part("match"),
                cursor=part("cursor"),
                cursor_blurred=part("cursor-blurred"),
                bar=part("bar"),
                working=part("working"),
                warning=part("warning"),
                error=part("error"),
                pin=part("pin"),
                tag=part("tag"),
                heading=part("heading"),
                rule=part("rule"),
            )
        return self._painter.styles

    def _want(self) -> None:
        """Ask for what is not known of rows around the view, once."""
        missing = self.rows.unknown(self._visible_sids(PAGE_AHEAD))
        if missing:
            self.post_message(self.RowsWanted(missing))
