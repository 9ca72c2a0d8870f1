"""A transcript on screen: its lines, cursor, minimap, scrollbar and last line, drawn."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from sparrow_tui.app.transcript_model import TranscriptModel
from sparrow_tui.app.transcript_places import Place
from sparrow_tui.app.widgets.calm_focus import CalmFocus
from sparrow_tui.app.widgets.minimap import Minimap, thumb
from sparrow_tui.app.widgets.transcript_paint import STYLES, Highlighter, Painter
from sparrow_tui.text.spans import Line, Span, cut, line_width

WIDEST = 120
"""Cells of a line of text: wider is hard to read."""
SIDE = 5
"""Cells beside the text: bar and gap at the left; gap, minimap and scrollbar at the right."""


KEPT = 1_000
"""Lines that stay drawn."""


class Look(NamedTuple):
    """How a line of text is marked."""

    current: bool
    """The cursor is on it."""
    selected: bool
    bar: bool
    """It belongs to the cursor's block."""


class Side(NamedTuple):
    """What stands beside a row."""

    mark: str
    """The minimap's style; empty: no mark."""
    thumb: str
    """The style of the scrollbar's thumb; empty: it is elsewhere."""


class TranscriptCanvas(CalmFocus, Widget, can_focus=True):
    """Draws the lines around a place. How one gets there is its heirs' matter."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"transcript-view--{name}" for name in STYLES),
        "transcript-view--match",
        "transcript-view--cursor",
        "transcript-view--selected",
        "transcript-view--bar",
        "transcript-view--thumb",
        "transcript-view--thumb-focused",
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
        self._texts: list[tuple[Line, int]] = []
        """Text and block of each row, kept: painting may come when the turn is laid out anew."""
        self._block = -1
        """The cursor's."""
        self._painter: Painter | None = None
        self._strips: dict[tuple[Place, Look, Side], tuple[Line, Strip]] = {}
        self._blanks: dict[Side, Strip] = {}
        self._status: tuple[object, Strip] | None = None
        self._seen: dict[int, Strip] = {}
        """Lines as they were last drawn on screen."""

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
        self.cursor = self.model.first_of(self.cursor)
        self._rows = self.model.rows(self.page_height)
        self._texts = [(self.model.line(p), self.model.block(p)) for p in self._rows]
        self._block = self.model.block(self.cursor)
        self._refresh_changed()

    def say(self, text: str) -> None:
        """A word on the last line."""
        self.said = text
        self._refresh_changed()

    def on_key(self, event: events.Key) -> None:
        """What was said has been read."""
        if self.said:
            self.say("")

    def _refresh_changed(self) -> None:
        """Draw the lines that are not as they were when last drawn."""
        lines = self._lines(range(self.size.height))
        changed = [y for y, line in enumerate(lines) if line is not self._seen.get(y)]
        if changed:
            first, last = changed[0], changed[-1]
            self.refresh(Region(0, first, self.size.width, last - first + 1))

    def notify_style_update(self) -> None:
        """Colours changed."""
        super().notify_style_update()
        self._painter = None
        self._forget_lines()

    def restyle(self) -> None:
        """Matches changed: lines are drawn anew."""
        self._forget_lines()
        self.redraw()

    def _forget_lines(self) -> None:
        """What all lines depend on has changed: width, colours or matches."""
        self._strips.clear()
        self._blanks.clear()

    def _paint(self) -> Painter:
        if self._painter is None:
            base = self.rich_style
            self._painter = Painter(
                base, lambda name: self.get_component_rich_style(f"transcript-view--{name}")
            )
        return self._painter

    def render_line(self, y: int) -> Strip:
        """One line of the widget."""
        return self._lines(range(y, y + 1))[0]

    def render_lines(self, crop: Region) -> list[Strip]:
        """Lines on their way to the screen.

        The view has no border and no padding: what Textual does to add them, several copies of
        each line, costs more than drawing them. A line that stays the same object is neither
        filtered nor cut into pieces again.
        """
        strips = self._lines(crop.line_range)
        self._seen.update(zip(crop.line_range, strips, strict=True))
        background = self.background_colors[1]
        for line_filter in self.get_line_filters():
            strips = [strip.apply_filter(line_filter, background) for strip in strips]
        left, right = crop.column_span
        if left > 0 or right < self.size.width:
            strips = [strip.crop(left, right) for strip in strips]
        return strips

    def _lines(self, wanted: range) -> list[Strip]:
        """Lines of the widget, kept as long as they would be drawn the same."""
        width, height, focused = self.size.width, self.page_height, self.has_focus
        rows, sides = self._rows, self._sides()
        cursor = self.cursor
        lines = []
        for y in wanted:
            if y >= height:
                lines.append(self._status_strip(width))
                continue
            side = sides[y]
            if y >= len(rows):
                lines.append(self._blank(width, side))
                continue
            place, (line, block) = rows[y], self._texts[y]
            look = Look(
                current=focused and place == cursor,
                selected=self._is_selected(place),
                bar=focused and place.turn == cursor.turn and block == self._block,
            )
            key = (place, look, side)
            drawn, strip = self._strips.get(key, (None, None))
            if strip is None or drawn is not line or strip.cell_length != width:
                strip = self._draw(line, width, look, side)
                if len(self._strips) > KEPT:
                    self._strips.clear()
                self._strips[key] = (line, strip)
            lines.append(strip)
        return lines

    def _draw(self, line: Line, width: int, look: Look, side: Side) -> Strip:
        """A line of text with what stands beside it."""
        painter = self._paint()
        under: Style | None = None
        if look.selected:
            under = painter.style("selected")
        elif look.current:
            under = painter.style("cursor")
        mark = Segment("▎", painter.style("bar")) if look.bar else Segment(" ", painter.base)
        room = width - 2  # beside the minimap and the scrollbar
        fitting: Line = cut(line, max(room - 3, 1))
        body = painter.line(fitting, max(room - 2, 1), self.highlight, under)
        segments = [mark, Segment(" ", painter.base), *body, *self._beside(side)]
        return Strip(segments, width)

    def _blank(self, width: int, side: Side) -> Strip:
        """A line with no text on it."""
        strip = self._blanks.get(side)
        if strip is None or strip.cell_length != width:
            blank = Segment(" " * max(width - 2, 0), self._paint().base)
            strip = self._blanks[side] = Strip([blank, *self._beside(side)], width)
        return strip

    def _beside(self, side: Side) -> list[Segment]:
        """A cell of the minimap and one of the scrollbar."""
        painter = self._paint()
        map_style = painter.style(side.mark) if side.mark else painter.base
        thumb_style = painter.style(side.thumb or "text")
        return [
            Segment("▐" if side.mark else " ", map_style),
            Segment("▐" if side.thumb else " ", thumb_style),
        ]

    def _is_selected(self, place: Place) -> bool:
        if self.selected_from is None:
            return False
        first, last = sorted((self.selected_from, self.cursor))
        return first <= place <= last

    def _sides(self) -> list[Side]:
        """Minimap and scrollbar beside each row."""
        rows, shown = self.page_height, len(self._rows)
        marks = self.map.marks(rows) if self.map.height and rows > 1 else [""] * rows
        first, length = thumb(self._position(), shown, max(self.map.height, shown), rows)
        if self.model.has(0) and shown < rows:
            length = 0  # everything is on screen
        look = "thumb-focused" if self.has_focus else "thumb"
        return [
            Side(mark, look if first <= y < first + length else "") for y, mark in enumerate(marks)
        ]

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
        shown = (left, right, width, painter)
        if self._status is not None and self._status[0] == shown:
            return self._status[1]
        room = width - line_width(left) - line_width(right) - 3
        if room < 1:
            left, room = cut(left, max(width - line_width(right) - 4, 1)), 1
        line = (Span("  "), *left, Span(" " * max(room, 1)), *right, Span(" "))
        strip = Strip(painter.line(cut(line, width), width, None, painter.style("status")), width)
        self._status = (shown, strip)
        return strip
