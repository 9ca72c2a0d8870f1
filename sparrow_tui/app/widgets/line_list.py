"""A list of rows of one height with a cursor: only the rows that are seen are ever drawn."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.reactive import Reactive, reactive
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar

from sparrow_tui.app.widgets.calm_focus import CalmFocus
from sparrow_tui.app.widgets.thin_scrollbar import ThinScrollBar


class LineList(CalmFocus, ScrollView, can_focus=True):
    """Moves a cursor through rows; what a row shows is for subclasses to say."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Next session", show=False, id="list.down"),
        Binding("up,k", "move(-1)", "Previous session", show=False, id="list.up"),
        Binding("pagedown,ctrl+d", "page(1)", "Page down", show=False, id="list.pagedown"),
        Binding("pageup,ctrl+u", "page(-1)", "Page up", show=False, id="list.pageup"),
        Binding("home,g", "first", "First session", show=False, id="list.first"),
        Binding("end,G", "last", "Last session", show=False, id="list.last"),
    ]

    cursor: reactive[int] = reactive(0, repaint=False)

    virtual_size: Reactive[Size] = Reactive(Size(0, 0), layout=False)
    """More or fewer rows need no new layout: the scrollbar always shows."""

    chosen = False
    """The user has moved the cursor, or chosen its row, since the rows last began anew."""

    @property
    def vertical_scrollbar(self) -> ScrollBar:
        """Ours, made when first asked for."""
        if self._vertical_scrollbar is None:
            self._vertical_scrollbar = ThinScrollBar(vertical=True, name="vertical")
            self._vertical_scrollbar.display = False
            self.app._start_widget(self, self._vertical_scrollbar)
        return self._vertical_scrollbar

    @property
    def row_count(self) -> int:
        """Number of rows."""
        raise NotImplementedError

    @property
    def row_height(self) -> int:
        """Lines of one row."""
        return 1

    def nearest(self, row: int, step: int) -> int:
        """The row the cursor goes to when sent to a row, coming in a direction (1 or -1)."""
        return max(0, min(row, self.row_count - 1))

    def first_of(self, row: int) -> int:
        """The first row that should be seen together with a row."""
        return row

    def cursor_moved(self, before: int, after: int) -> None:
        """The cursor stands on another row."""

    def validate_cursor(self, cursor: int) -> int:
        """Stay inside the list."""
        return self.nearest(cursor, 1 if cursor >= self.cursor else -1)

    def watch_cursor(self, before: int, after: int) -> None:
        """Redraw the two rows the cursor left and came to."""
        height = self.row_height
        self.cursor_moved(before, after)
        for row in (before, after):
            top = row * height - self.scroll_offset.y
            if -height < top < self.size.height:
                self.refresh(Region(0, max(top, 0), self.size.width, height))
        self.show_cursor()

    def show_cursor(self) -> None:
        """Scroll as little as brings the cursor's row into view."""
        height = self.row_height
        top = self.first_of(self.cursor) * height
        bottom = (self.cursor + 1) * height
        if top < self.scroll_offset.y:
            self.scroll_to(y=top, animate=False, immediate=True)
        elif bottom > self.scroll_offset.y + self.size.height:
            self.scroll_to(y=bottom - self.size.height, animate=False, immediate=True)

    def action_move(self, rows: int) -> None:
        """Move the cursor by rows."""
        self.chosen = True
        self.cursor += rows

    def action_page(self, pages: int) -> None:
        """Move the cursor by pages."""
        self.chosen = True
        self.cursor += pages * max(1, self.size.height // self.row_height - 1)

    def action_first(self) -> None:
        """Go to the first row."""
        self.chosen = True
        self.cursor = 0

    def action_last(self) -> None:
        """Go to the last row."""
        self.chosen = True
        self.cursor = self.row_count - 1
