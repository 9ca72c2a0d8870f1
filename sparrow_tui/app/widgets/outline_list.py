"""The lines of an outline: any number of them, drawn as they are seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from sparrow_tui.app.outline import Item
from sparrow_tui.app.widgets.line_list import LineList
from sparrow_tui.text.spans import Span, cut

MARKS = {
    "prompt": "◆", "edit": "✎", "error": "✗", "sub-agent": "↳", "compaction": "≡", "end": "…",
}  # fmt: skip


class OutlineList(LineList, can_focus=False):
    """One line an item; the line one types in keeps the focus."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "outline-list--turn",
        "outline-list--cursor",
        *(f"outline-list--{kind}" for kind in MARKS),
    }

    @dataclass
    class Chosen(Message):
        """An item was clicked on."""

        item: Item

    def __init__(self, *, id: str | None = None) -> None:
        """Args: the widget's id."""
        super().__init__(id=id)
        self.items: Sequence[Item] = ()

    def show(self, items: Sequence[Item], row: int) -> None:
        """Show items, with the cursor on a row that stands in the middle."""
        self.items = items
        self.extend()
        self.cursor = row
        self.call_after_refresh(self._centre)

    def _centre(self) -> None:
        """The cursor's row in the middle."""
        self.scroll_to(y=self.cursor - self.size.height // 2, animate=False, immediate=True)

    def extend(self) -> None:
        """There are more items in the sequence shown than before."""
        self.virtual_size = Size(self.scrollable_content_region.width, len(self.items))
        self.refresh()

    @property
    def row_count(self) -> int:
        """Number of items."""
        return len(self.items)

    @property
    def current(self) -> Item | None:
        """The item under the cursor."""
        return self.items[self.cursor] if 0 <= self.cursor < len(self.items) else None

    def render_line(self, y: int) -> Strip:
        """One line of the list."""
        row, width = self.scroll_offset.y + y, self.scrollable_content_region.width
        if row >= len(self.items):
            return Strip.blank(width, self.rich_style)
        item = self.items[row]

        def look(name: str) -> Style:
            return self.get_component_rich_style(f"outline-list--{name}")

        kind = item.kind if item.kind in MARKS else "compaction"
        room, text = max(width - 10, 1), item.text
        if kind == "edit" and len(text) > room:
            text = f"…{text[1 - room :]}"  # a path's end tells more than its beginning
        line = cut((Span(text),), room)
        strip = Strip(
            [
                Segment(f"{item.turn + 1:>6,}  ", look("turn")),
                Segment(f"{MARKS[kind]} ", look(kind)),
                *(Segment(text, self.rich_style) for text, _ in line),
            ]
        ).adjust_cell_length(width, self.rich_style)
        if row != self.cursor:
            return strip
        ground = Style(bgcolor=look("cursor").bgcolor)
        return Strip(Segment.apply_style(strip, post_style=ground), width)

    def on_resize(self) -> None:
        """Lines are as wide as the list."""
        self.extend()
        self.call_after_refresh(self._centre)

    def on_click(self, event: events.Click) -> None:
        """A click goes there."""
        row = self.scroll_offset.y + event.y
        if row < len(self.items):
            self.cursor = row
            self.post_message(self.Chosen(self.items[row]))
