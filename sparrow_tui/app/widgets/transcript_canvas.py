"""A transcript on screen: its lines, cursor, minimap, scrollbar and last line, drawn."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from sparrow_tui.app.transcript_model import TranscriptModel
from sparrow_tui.app.transcript_places import Place
from sparrow_tui.app.widgets.minimap import Minimap, thumb
from sparrow_tui.app.widgets.transcript_paint import STYLES, Highlighter, Painter
from sparrow_tui.text.spans import Line, Span, cut, line_width

WIDEST = 120
"""Cells of a line of text: wider is hard to read."""
SIDE = 5
"""Cells beside the text: bar and gap at the left; gap, minimap and scrollbar at the right."""


class TranscriptCanvas(Widget, can_focus=True):
    """Draws the lines around a place. How one gets there is its heirs' matter."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"transcript-view--{name}" for name in STYLES),
        "transcript-view--match",
        "transcript-view--cursor",
        "transcript-view--selected",
        "transcript-view--bar",
        "transcript-view--thumb",
        "transcript-view--status",
    }

    def __init__(self, *, id: str | None = None) -> None:
        """Args: the widget's id."""
        super().__init__(id=id)
        self.model = TranscriptModel()
        self.cursor = Place(0)
        self.map = Minimap()
        self.highlight: Highlighter | None = None
        self.selected_from: Place | None = None
        self.said = ""
        """A word on the last line, until the next key."""
        self._rows: list[Place] = []
        self._painter: Painter | None = None
        self._strips: dict[tuple[Place, int], Strip] = {}

    # Geometry

    @property
    def page_height(self) -> int:
        """Lines of text on screen; the last line tells where one is."""
        return max(self.size.height - 1, 1)

    @property
    def text_width(self) -> int:
        """Cells of a line of text."""
        return max(min(self.size.width - SIDE, WIDEST), 10)

    # Drawing

    def redraw(self) -> None:
        """Something on screen has changed."""
        self.said = ""
        self._rows = self.model.rows(self.page_height)
        self.refresh()

    def say(self, text: str) -> None:
        """A word on the last line."""
        self.said = text
        self.refresh()

    def notify_style_update(self) -> None:
        """Colours changed."""
        super().notify_style_update()
        self._painter = None
        self._strips.clear()

    def restyle(self) -> None:
        """Matches changed: lines are drawn anew."""
        self._strips.clear()
        self.redraw()

    def _paint(self) -> Painter:
        if self._painter is None:
            base = self.rich_style
            self._painter = Painter(
                base, lambda name: self.get_component_rich_style(f"transcript-view--{name}")
            )
        return self._painter

    def render_line(self, y: int) -> Strip:
        """One line of the widget."""
        width = self.size.width
        if y >= self.page_height:
            return self._status_strip(width)
        painter = self._paint()
        if y >= len(self._rows):
            blank = Segment(" " * max(width - 2, 0), painter.base)
            return Strip([blank, *self._side(y, painter)], width)
        place = self._rows[y]
        current = self.has_focus and place == self.cursor
        selected = self._is_selected(place)
        in_block = place.turn == self.cursor.turn and (
            self.model.block(place) == self.model.block(self.cursor)
        )
        key = (place, current + 2 * selected + 4 * in_block + 8 * self.has_focus)
        strip = self._strips.get(key)
        if strip is None or strip.cell_length != width - 2:
            strip = self._draw(place, width - 2, current, selected, in_block)
            if len(self._strips) > 1_000:
                self._strips.clear()
            self._strips[key] = strip
        return Strip([*strip, *self._side(y, painter)], width)

    def _draw(self, place: Place, width: int, current: bool, selected: bool, bar: bool) -> Strip:
        painter = self._paint()
        under: Style | None = None
        if selected:
            under = painter.style("selected")
        elif current:
            under = painter.style("cursor")
        mark = (
            Segment("▎", painter.style("bar"))
            if bar and self.has_focus
            else Segment(" ", painter.base)
        )
        line: Line = cut(self.model.line(place), max(width - 3, 1))
        if not line and bar is False and not current:
            return Strip([Segment(" " * width, painter.base)], width)
        body = painter.line(line, max(width - 2, 1), self.highlight, under)
        return Strip([mark, Segment(" ", painter.base), *body], width)

    def _is_selected(self, place: Place) -> bool:
        if self.selected_from is None:
            return False
        first, last = sorted((self.selected_from, self.cursor))
        return first <= place <= last

    def _side(self, y: int, painter: Painter) -> list[Segment]:
        """Minimap and scrollbar beside a row."""
        rows = self.page_height
        look = self.map.marks(rows)[y] if self.map.height and rows > 1 else ""
        left = Segment("▐" if look else " ", painter.style(look) if look else painter.base)
        shown = len(self._rows)
        height = max(self.map.height, shown)
        first, length = thumb(self._position(), shown, height, rows)
        everything = self.model.has(0) and shown < rows
        on = first <= y < first + length and not everything
        return [left, Segment("▐" if on else " ", painter.style("thumb" if on else "text"))]

    def _position(self) -> float:
        """Where the view is in the session: 0 at the beginning, near 1 at the end."""
        top = self.model.top
        if (
            self._rows
            and self._rows[-1].turn >= self.model.total - 1
            and (self.model.at_end(self.page_height))
        ):
            return 1.0
        page = self.model.page(top.turn) or []
        inside = (
            top.piece / len(page)
            if len(page) > 1
            else (top.line / max(len(page[0].lines), 1) if page else 0.0)
        )
        return self.map.position(top.turn + inside)

    def status(self) -> tuple[Line, Line]:
        """Left and right part of the last line; for heirs."""
        return (), ()

    def _status_strip(self, width: int) -> Strip:
        painter = self._paint()
        left, right = self.status()
        room = width - line_width(left) - line_width(right) - 3
        if room < 1:
            left, room = cut(left, max(width - line_width(right) - 4, 1)), 1
        line = (Span("  "), *left, Span(" " * max(room, 1)), *right, Span(" "))
        return Strip(painter.line(cut(line, width), width, None, painter.style("status")), width)
