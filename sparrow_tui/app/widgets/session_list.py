"""The list of sessions: what it holds, which one is selected, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message

from sparrow_tui.app.session_rows import SessionRows
from sparrow_tui.app.widgets.session_lines import SessionLines
from sparrow_tui.store.base import SessionHit


class Stay(Enum):
    """Whether the selection stays on its session while the rows are replaced."""

    NO = "another search: to the top"
    IF_CHOSEN = "better or first results of a search: only on a row the user has chosen"
    YES = "the store has changed"


class SessionList(SessionLines):
    """Sessions, newest or best first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,l,right", "choose", "Read", key_display="Enter", id="list.choose"),
        Binding("space", "mark", "Select for bulk actions", show=False, id="list.mark"),
    ]
    HELP = "Sessions. Arrows or j/k move, Enter reads, Space selects several."

    class Highlighted(Message):
        """The cursor stands on a session."""

        def __init__(self, sid: int, hit: SessionHit | None) -> None:
            super().__init__()
            self.sid = sid
            self.hit = hit

        def can_replace(self, message: Message) -> bool:
            """Only the last one of a burst matters."""
            return isinstance(message, SessionList.Highlighted)

    class Chosen(Highlighted):
        """The user wants to read a session."""

        def can_replace(self, message: Message) -> bool:
            """Every choice counts."""
            return False

    class Marked(Message):
        """Others than before are selected for bulk actions."""

    def show(self, rows: SessionRows, *, searching: bool, stay: Stay) -> None:
        """Replace the rows.

        Args:
            rows: what to show; at least the first page of it known.
            searching: rows get a line for the snippet.
            stay: whether the selection stays on its session, or goes to the top.
        """
        if stay is Stay.NO:
            self.chosen = False
        held = self.selected if stay is Stay.YES or self.chosen else None
        before, best = self.selected, self._best(self.selected)
        offset = self.cursor * self.row_height - self.scroll_offset.y
        if not searching and not self._searching and stay is not Stay.NO:
            known = self.rows.details
            known.update(rows.details)
            rows.details = known
        self.rows = rows
        self._searching, self._answered = searching, True
        height = self.row_height
        cursor = rows.session_row(0)
        if held is not None:
            cursor = rows.row_of(held, self.cursor)
        self._extend()
        self.set_reactive(SessionList.cursor, cursor)
        top = 0
        if held is not None:
            # New rows above push the others down, as long as the selection is still seen.
            resting = self.scroll_offset.y == 0 and (cursor + 1) * height <= self.size.height
            top = 0 if resting else max(0, cursor * height - offset)
        self.scroll_to(y=top, animate=False, immediate=True)
        self._refresh_changed()
        if (
            self.selected != before
            or stay is Stay.NO
            or (stay is Stay.IF_CHOSEN and self._best(before) != best)
        ):
            self._announce()

    def _extend(self) -> None:
        """There are more or fewer rows; the scrollbar learns it here, not from a layout."""
        size = Size(self.row_width, len(self.rows) * self.row_height)
        self.set_reactive(SessionList.virtual_size, size)
        self.vertical_scrollbar.window_virtual_size = size.height

    def _best(self, sid: int | None) -> int | None:
        """The turn of a session's best hit."""
        hit = self.rows.details.get(sid) if sid is not None else None
        return hit.best.turn if hit is not None and hit.best is not None else None

    def update_details(self, details: Mapping[int, SessionHit]) -> None:
        """Fill in rows that were asked for, or that changed."""
        self.rows.learn(details, self._visible_sids())
        self.refresh()

    # Moving

    @property
    def row_count(self) -> int:
        """Sessions and headings."""
        return len(self.rows)

    def nearest(self, row: int, step: int) -> int:
        """The cursor stands on sessions only."""
        return self.rows.session_row(row, step)

    def first_of(self, row: int) -> int:
        """The first session of a group is seen with the group's heading."""
        return row - 1 if self.rows.group(row - 1) is not None else row

    def cursor_moved(self, before: int, after: int) -> None:
        """Say which session is selected, and see what comes into view."""
        self._announce()
        below = after + self.size.height // self.row_height + 2
        if any(sid not in self.rows.details for sid in self.rows.span(after - 1, below)):
            self._want()

    def _announce(self) -> None:
        sid = self.selected
        if sid is not None:
            self.post_message(self.Highlighted(sid, self.rows.details.get(sid)))

    def action_choose(self) -> None:
        """Read the session under the cursor."""
        sid = self.selected
        if sid is not None:
            self.chosen = True
            self.post_message(self.Chosen(sid, self.rows.details.get(sid)))

    def action_mark(self) -> None:
        """Select or unselect the session for bulk actions."""
        sid = self.selected
        if sid is not None:
            self.marked.symmetric_difference_update({sid})
            self.refresh()
            self.post_message(self.Marked())
            self.cursor += 1

    def unmark(self) -> None:
        """Select nothing for bulk actions."""
        self.marked.clear()
        self._repaint()
        self.post_message(self.Marked())

    def on_focus(self) -> None:
        """The cursor is brighter with the focus."""
        self.refresh()

    def on_blur(self) -> None:
        """The cursor is dimmer without the focus."""
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """A click selects; a second one reads."""
        row = (self.scroll_offset.y + event.y) // self.row_height
        if self.rows.sid(row) is not None:
            self.chosen = True
            if event.chain > 1 or row == self.cursor:
                self.cursor = row
                self.action_choose()
            else:
                self.cursor = row
