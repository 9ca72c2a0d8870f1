"""The list of sessions: any number of rows, only the visible ones drawn and held."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from sparrow_tui.app import clock
from sparrow_tui.app.widgets.session_row import Look, Styles, draw_nothing, draw_row
from sparrow_tui.store.base import SessionHit

PAGE_AHEAD = 40
"""Rows whose details are asked for beyond the visible ones, either side."""
KEPT_DETAILS = 2_000
"""Rows whose details are kept."""


class SessionList(ScrollView, can_focus=True):
    """Sessions, newest or best first, each in one to three lines."""

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
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Next session", show=False, id="list.down"),
        Binding("up,k", "move(-1)", "Previous session", show=False, id="list.up"),
        Binding("pagedown,ctrl+d", "page(1)", "Page down", show=False, id="list.pagedown"),
        Binding("pageup,ctrl+u", "page(-1)", "Page up", show=False, id="list.pageup"),
        Binding("home,g", "first", "First session", show=False, id="list.first"),
        Binding("end,G", "last", "Last session", show=False, id="list.last"),
        Binding("enter,l,right", "choose", "Read", key_display="Enter", id="list.choose"),
        Binding("space", "mark", "Select for bulk actions", show=False, id="list.mark"),
    ]
    HELP = "Sessions. Arrows or j/k move, Enter reads, Space selects several."

    cursor: reactive[int] = reactive(0, repaint=False)

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

    class RowsWanted(Message):
        """Rows have come into view whose details are not here."""

        def __init__(self, sids: list[int]) -> None:
            super().__init__()
            self.sids = sids

        def can_replace(self, message: Message) -> bool:
            """A newer window replaces an older one."""
            return isinstance(message, SessionList.RowsWanted)

    def __init__(
        self,
        *,
        present: clock.Clock = clock.now,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._present = present
        self._sids: Sequence[int] = array("q")
        self._places: dict[int, int] | None = None
        self._counts: Mapping[int, int] = {}
        self._details: dict[int, SessionHit] = {}
        self._looks: Mapping[str, Look] = {}
        self._searching = self._answered = False
        self._strips: dict[tuple[int, bool], list[Strip]] = {}
        self._styles: Styles | None = None
        self._wanted: set[int] = set()
        self._moved = False
        """The user has moved the cursor since the last new search."""
        self.marked: set[int] = set()

    # What the list shows

    @property
    def sids(self) -> Sequence[int]:
        """Numbers of the sessions in the list, in order."""
        return self._sids

    @property
    def selected(self) -> int | None:
        """Number of the session under the cursor."""
        return self._sids[self.cursor] if 0 <= self.cursor < len(self._sids) else None

    def detail(self, sid: int) -> SessionHit | None:
        """What is known of a session in the list."""
        return self._details.get(sid)

    def set_looks(self, looks: Mapping[str, Look]) -> None:
        """How agents are named and coloured."""
        self._looks = looks
        self._repaint()

    def show(
        self,
        sids: Sequence[int],
        details: Mapping[int, SessionHit],
        counts: Mapping[int, int],
        *,
        searching: bool,
        keep: bool,
    ) -> None:
        """Replace the rows.

        Args:
            sids: every row, in order.
            details: rows known by now, at least the first page.
            counts: hits by session, where known.
            searching: rows get a line for the snippet.
            keep: these are better results of the same search: where the user has chosen a
                session the selection stays on it.
        """
        if not keep:
            self._moved = False
        before = self.selected
        offset = self.cursor * self.row_height - self.scroll_offset.y
        self._sids = sids
        self._places = None
        self._counts = counts
        if searching or self._searching or not keep:
            self._details = dict(details)
        else:
            self._details.update(details)
        self._searching, self._answered = searching, True
        self._wanted.clear()
        cursor = 0
        if keep and self._moved and before is not None:
            cursor = self._place_of(before, min(self.cursor, max(len(sids) - 1, 0)))
        self.virtual_size = Size(self.size.width, len(sids) * self.row_height)
        moved = cursor != self.cursor
        self.set_reactive(SessionList.cursor, cursor)
        if keep and self._moved:
            top = cursor * self.row_height - offset
            self.scroll_to(y=max(0, top), animate=False, immediate=True)
        else:
            self.scroll_to(y=0, animate=False, immediate=True)
        self._repaint()
        if self.selected != before or (moved and not keep) or searching:
            self._announce()

    def update_details(self, details: Mapping[int, SessionHit]) -> None:
        """Fill in rows that were asked for, or that changed."""
        if len(self._details) > KEPT_DETAILS:
            visible = set(self._visible_sids())
            self._details = {k: v for k, v in self._details.items() if k in visible}
        self._details.update(details)
        self._wanted.difference_update(details)
        for sid in details:
            self._strips.pop((sid, False), None)
            self._strips.pop((sid, True), None)
        self.refresh()

    def _place_of(self, sid: int, otherwise: int) -> int:
        if otherwise < len(self._sids) and self._sids[otherwise] == sid:
            return otherwise
        if self._places is None:
            self._places = {number: place for place, number in enumerate(self._sids)}
        return self._places.get(sid, otherwise)

    # Geometry

    @property
    def compact(self) -> bool:
        """One line a session: for narrow terminals, where the list is wide and low."""
        return self.screen.has_class("-narrow")

    @property
    def row_height(self) -> int:
        """Lines of one row."""
        return (1 if self.compact else 2) + (1 if self._searching else 0)

    def _visible_sids(self, margin: int = 0) -> Sequence[int]:
        height = self.row_height
        top = max(0, self.scroll_offset.y // height - margin)
        bottom = (self.scroll_offset.y + self.size.height) // height + 1 + margin
        return self._sids[top:bottom]

    def on_resize(self) -> None:
        """Rows are as wide as the list."""
        self.virtual_size = Size(self.size.width, len(self._sids) * self.row_height)
        self._repaint()
        self.call_after_refresh(self._show_cursor)

    def _repaint(self) -> None:
        self._strips.clear()
        self.refresh()

    def notify_style_update(self) -> None:
        """Colours changed."""
        super().notify_style_update()
        self._styles = None
        self._strips.clear()

    # Drawing

    def render_line(self, y: int) -> Strip:
        """One line of the list, at ``y`` within the widget."""
        width = self.size.width
        height = self.row_height
        row, part = divmod(self.scroll_offset.y + y, height)
        if row >= len(self._sids):
            if self._answered and not self._sids and y == 0:
                return draw_nothing(width, self._row_styles())
            return Strip.blank(width, self.rich_style)
        sid = self._sids[row]
        current = row == self.cursor
        key = (sid, current)
        strips = self._strips.get(key)
        if strips is None or strips[0].cell_length != width:
            hit = self._details.get(sid)
            if hit is None:
                self._want()
                blank = Segment(" " * width, self.rich_style)
                mark = Segment(
                    "  ·".ljust(width), self.get_component_rich_style("session-list--dim")
                )
                return Strip([mark if part == 0 else blank], width)
            if len(self._strips) > 500:
                self._strips.clear()
            strips = draw_row(
                hit,
                width=width,
                compact=self.compact,
                searching=self._searching,
                count=self._counts.get(sid),
                current=current,
                focused=self.has_focus or not current,
                marked=sid in self.marked,
                look=self._looks.get(hit.session.agent),
                present=self._present(),
                styles=self._row_styles(),
            )
            self._strips[key] = strips
        return strips[min(part, len(strips) - 1)]

    def _row_styles(self) -> Styles:
        if self._styles is None:
            base = self.rich_style

            def part(name: str) -> Style:
                return self.get_component_rich_style(f"session-list--{name}")

            self._styles = Styles(
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
            )
        return self._styles

    def _want(self) -> None:
        """Ask for the details of rows around the view, once."""
        missing = [
            sid
            for sid in self._visible_sids(PAGE_AHEAD)
            if sid not in self._details and sid not in self._wanted
        ]
        if missing:
            self._wanted.update(missing)
            self.post_message(self.RowsWanted(missing))

    # Moving

    def validate_cursor(self, cursor: int) -> int:
        """Stay inside the list."""
        return max(0, min(cursor, len(self._sids) - 1))

    def watch_cursor(self, before: int, after: int) -> None:
        """Redraw the two rows the cursor left and came to."""
        height = self.row_height
        for row in (before, after):
            if 0 <= row < len(self._sids):
                self._strips.pop((self._sids[row], True), None)
            top = row * height - self.scroll_offset.y
            if -height < top < self.size.height:
                self.refresh(Region(0, max(top, 0), self.size.width, height))
        self._show_cursor()
        self._announce()

    def _show_cursor(self) -> None:
        height = self.row_height
        top = self.cursor * height
        if top < self.scroll_offset.y:
            self.scroll_to(y=top, animate=False, immediate=True)
        elif top + height > self.scroll_offset.y + self.size.height:
            self.scroll_to(y=top + height - self.size.height, animate=False, immediate=True)

    def _announce(self) -> None:
        sid = self.selected
        if sid is not None:
            self.post_message(self.Highlighted(sid, self._details.get(sid)))

    def action_move(self, rows: int) -> None:
        """Move the cursor by rows."""
        self._moved = True
        self.cursor += rows

    def action_page(self, pages: int) -> None:
        """Move the cursor by pages."""
        self._moved = True
        self.cursor += pages * max(1, self.size.height // self.row_height - 1)

    def action_first(self) -> None:
        """Go to the first session."""
        self._moved = True
        self.cursor = 0

    def action_last(self) -> None:
        """Go to the last session."""
        self._moved = True
        self.cursor = len(self._sids) - 1

    def action_choose(self) -> None:
        """Read the session under the cursor."""
        sid = self.selected
        if sid is not None:
            self.post_message(self.Chosen(sid, self._details.get(sid)))

    def action_mark(self) -> None:
        """Select or unselect the session for bulk actions."""
        sid = self.selected
        if sid is not None:
            self.marked.symmetric_difference_update({sid})
            self._strips.pop((sid, True), None)
            self._strips.pop((sid, False), None)
            self.refresh()
            self.cursor += 1

    def unmark(self) -> None:
        """Select nothing for bulk actions."""
        self.marked.clear()
        self._repaint()

    def on_focus(self) -> None:
        """The cursor is brighter with the focus."""
        self._repaint()

    def on_blur(self) -> None:
        """The cursor is dimmer without the focus."""
        self._repaint()

    def on_click(self, event: events.Click) -> None:
        """A click selects; a second one reads."""
        row = (self.scroll_offset.y + event.y) // self.row_height
        if 0 <= row < len(self._sids):
            self._moved = True
            if event.chain > 1 or row == self.cursor:
                self.cursor = row
                self.action_choose()
            else:
                self.cursor = row
