"""Columns over time, stacked by agent or model, with axes, a cursor and its values.

Drawn by one widget with block characters, an eighth of a cell exact. A plotting library was
weighed and left: textual-plot (on textual-hires-canvas and numpy) draws lines and points, but
no stacks; it costs 20 MB and about four times the time of a frame, and cells of two colours,
which stacks need, are beyond its canvas. Sums by step are amounts, which columns show and lines
between them would not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from sparrow_tui.app.widgets.charts_plot import AXIS, Plot
from sparrow_tui.app.widgets.drawn import Drawn, fitted, runs
from sparrow_tui.text.scale import placed, step_marks, step_name, ticks
from sparrow_tui.text.wrap import width_of

_ROUND = re.compile(r"\.0+(?=[kMGT]|$)")
_LOWER = " ▁▂▃▄▅▆▇"
NAME = 28
"""Cells a part's name takes at most."""
SLOTS = (12, 8, 6, 5, 4, 3, 2, 1)
"""Cells a step may take, the last of them a gap."""


class ColumnChart(Drawn, can_focus=True):
    """One column a step."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", "Point", key_display="←→", id="chart.left"),
        Binding("right", "move(1)", "Point", show=False, id="chart.right"),
        Binding("pageup", "turn(-1)", "Earlier times", show=False, id="chart.pageup"),
        Binding("pagedown", "turn(1)", "Later times", show=False, id="chart.pagedown"),
        Binding("home", "ends(0)", "First times counted", show=False, id="chart.home"),
        Binding("end", "ends(1)", "Now", show=False, id="chart.end"),
        Binding("up", "layer(1)", "Next part", show=False, id="chart.up"),
        Binding("down", "layer(-1)", "Previous part", show=False, id="chart.down"),
        Binding("enter", "open", "Sessions", key_display="Enter", id="chart.open"),
    ]
    HELP = "Arrows move over the columns, up and down single out a part, Enter lists sessions."

    class Moved(Message):
        """The cursor stands on another step, or a part was singled out."""

    class Beyond(Message):
        """Other times are wanted."""

        def __init__(self, steps: int, end: int | None = None) -> None:
            """Args: how many steps later; or 0, and the first (0) or last (1) time of all."""
            super().__init__()
            self.steps = steps
            self.end = end

    class Opened(Message):
        """The sessions behind the cursor are wanted."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.plot = Plot()
        self.cursor = -1
        """Step under the cursor; -1: none yet."""
        self.single: int | None = None
        """Part singled out."""

    def show(self, plot: Plot, cursor: int) -> None:
        """Show other values."""
        if plot.labels != self.plot.labels:
            self.single = None
        if (plot, cursor) != (self.plot, self.cursor):
            self.plot, self.cursor = plot, cursor
            self.redraw()

    # Keys

    def action_move(self, steps: int) -> None:
        """Move the cursor; over the edge to other times."""
        at = self.cursor + steps
        if 0 <= at < len(self.plot.starts):
            self._stand_on(at)
        elif self.plot.starts:
            self.post_message(self.Beyond(steps))

    def _stand_on(self, step: int) -> None:
        if step != self.cursor:
            self.cursor = step
            self.redraw()
            self.post_message(self.Moved())

    def action_turn(self, pages: int) -> None:
        """Other times, a chart further."""
        self.post_message(self.Beyond(pages * len(self.plot.starts)))

    def action_ends(self, end: int) -> None:
        """The first or the last times."""
        self.post_message(self.Beyond(0, end))

    def action_layer(self, by: int) -> None:
        """Single out a part of the stacks, or none again."""
        number = len(self.plot.labels)
        if number:
            at = 0 if self.single is None else self.single + 1
            at = (at + by) % (number + 1)
            self.single = at - 1 if at else None
            self.redraw()
            self.post_message(self.Moved())

    def action_open(self) -> None:
        """List the sessions behind the cursor."""
        if 0 <= self.cursor < len(self.plot.starts):
            self.post_message(self.Opened())

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor."""
        offset = event.get_content_offset(self)
        if offset is not None and self.plot.starts and offset.x >= AXIS:
            step = (offset.x - AXIS) // self._slot(self.content_size.width)
            if step < len(self.plot.starts):
                self._stand_on(step)

    # Drawing

    def _slot(self, width: int) -> int:
        number = max(len(self.plot.starts), 1)
        room = width - AXIS
        return next((slot for slot in SLOTS if slot * number <= room), 1)

    def draw(self, width: int, height: int) -> Sequence[Strip]:
        """The values at the cursor, the columns, the axis of time."""
        plot = self.plot
        if height < 4 or width < AXIS + 8 or not plot.starts:
            return [Strip.blank(width, self.rich_style)] * height
        rows = height - 3  # the values above, the highest mark, the axis of time
        marks = ticks(max(plot.totals, default=0), max(2, min(rows // 3, 5)), plot.metric.least)
        columns = self._columns(rows, marks[-1], width)
        at_row = {
            round(mark / marks[-1] * rows): _ROUND.sub("", plot.metric.text(mark)) for mark in marks
        }
        lines = [self._values(width)]
        grid, axis = self.look("grid"), self.look("label")
        empty = not any(plot.totals)
        for row in range(rows, -1, -1):
            mark = at_row.get(row)
            name = f"{mark or '':>{AXIS - 1}} "
            back = ("▁", grid) if mark is not None else (" ", self.rich_style)
            body = self._row(columns, row, back, width - AXIS)
            if empty and row == rows // 2:
                said = f"no {plot.metric.noun or 'cost'} in this time".center(width - AXIS)
                body = [(said[: width - AXIS], axis)]
            lines.append(self.strip([(name, axis), *body], width))
        lines.append(self._times(width))
        return lines

    def _columns(
        self, rows: int, top: float, width: int
    ) -> list[tuple[list[tuple[int, Style]], int, int]]:
        """Of each step: where its parts end in eighths of a row, and in what style; its cells."""
        plot = self.plot
        slot = self._slot(width)
        bar = max(slot - (2 if slot >= 8 else 1), 1)
        faint = self.look("grid")
        plain = self.look("error") if plot.metric.error else self.colour(0)
        styles = [self.colour(number) for number in plot.slots]
        scale = rows * 8 / top
        columns = []
        for parts, total in zip(plot.parts, plot.totals, strict=True):
            if not plot.metric.adds_up or not plot.labels:
                value = total if self.single is None else parts[self.single]
                columns.append(([(_eighths(value, scale), plain)], slot, bar))
                continue
            height, eighths = 0.0, []
            for place, value in enumerate(parts):
                height += value
                style = styles[place] if self.single in (None, place) else faint
                eighths.append((_eighths(height, scale), style))
            columns.append((eighths, slot, bar))
        return columns

    def _row(
        self,
        columns: Sequence[tuple[list[tuple[int, Style]], int, int]],
        row: int,
        back: tuple[str, Style],
        width: int,
    ) -> list[tuple[str, Style]]:
        """One row of all columns."""
        cells: list[tuple[str, Style]] = []
        lit = self.look("cursor")
        for number, (eighths, slot, bar) in enumerate(columns):
            cell, gap = _cell(eighths, row * 8, back), back
            if number == self.cursor:
                gap = (back[0], back[1] + lit)
                # Where another part lies behind, there is no background to light.
                if cell[1].bgcolor == back[1].bgcolor:
                    cell = (cell[0], cell[1] + lit)
            cells += [cell] * bar + [gap] * (slot - bar)
        cells += [back] * max(width - len(cells), 0)
        return runs(cells[:width])

    def _times(self, width: int) -> Strip:
        """The axis of time; the cursor's step always has its name."""
        plot = self.plot
        marks = step_marks(plot.starts, plot.unit)
        pieces: list[tuple[str, Style]] = [(" " * AXIS, self.rich_style)]
        at = 0
        slot = self._slot(width)
        for first, step, text in placed(marks, slot, width - AXIS, self.cursor):
            style = self.look("strong" if step == self.cursor else "label")
            pieces += [(" " * (first - at), self.rich_style), (text, style)]
            at = first + len(text)
        return self.strip(pieces, width)

    def _values(self, width: int) -> Strip:
        """What the column under the cursor stands for; the legend at the same time."""
        plot = self.plot
        if not 0 <= self.cursor < len(plot.starts):
            return Strip.blank(width, self.rich_style)
        label, figure, strong = self.look("label"), self.look("figure"), self.look("strong")
        name = step_name(plot.starts[self.cursor], plot.unit)
        total = plot.metric.text(plot.totals[self.cursor])
        noun = f" {plot.metric.noun}" if plot.metric.noun else ""
        pieces: list[tuple[str, Style]] = [(f" {name}  ", label), (total, strong), (noun, label)]
        used = sum(width_of(text) for text, _ in pieces)
        parts = plot.parts[self.cursor]
        for place in sorted(range(len(parts)), key=lambda place: -parts[place]):
            if not parts[place] and place != self.single:
                continue
            shown = fitted(plot.names[place], NAME).rstrip()
            value = plot.metric.text(parts[place])
            needed = width_of(shown) + len(value) + 6
            if used + needed > width:
                break
            chosen = self.single == place
            pieces += [
                ("   ", self.rich_style),
                ("▸ " if chosen else "■ ", self.colour(plot.slots[place])),
                (f"{shown} ", strong if chosen else label),
                (value, figure),
            ]
            used += needed
        return self.strip(pieces, width)


def _eighths(value: float, scale: float) -> int:
    """Eighths of a row a value reaches; something that is not nothing shows."""
    return max(round(value * scale), int(value > 0))


def _cell(
    eighths: Sequence[tuple[int, Style]], low: int, back: tuple[str, Style]
) -> tuple[str, Style]:
    """The character and style of a cell whose bottom is at ``low`` eighths."""
    inside = [(end, style) for end, style in eighths if end > low]
    if not inside:
        return back
    end, style = inside[0]
    if end >= low + 8:
        return " ", Style(bgcolor=style.color)
    above = next((other for far, other in inside[1:] if far > end), None)
    if above is None:
        return _LOWER[end - low], style
    return _LOWER[end - low], Style(color=style.color, bgcolor=above.color)
