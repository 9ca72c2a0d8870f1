"""The chart's values as a table: a line a step, a column for each part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from textual.binding import Binding, BindingType
from textual.strip import Strip

from sparrow_tui.app.widgets.charts import ColumnChart
from sparrow_tui.app.widgets.charts_plot import Plot
from sparrow_tui.app.widgets.drawn import Drawn, fitted
from sparrow_tui.text.scale import step_name
from sparrow_tui.text.wrap import width_of

_NAME = {"hour": 23, "day": 17, "week": 22, "month": 16}
COLUMN = 12
"""Cells of a column, its gap too."""


class ValueTable(Drawn, can_focus=True):
    """Newest step first. Tells of its cursor with the chart's messages."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,left", "move(1)", "Line", key_display="↑↓", id="table.down"),
        Binding("up,right", "move(-1)", "Line", show=False, id="table.up"),
        Binding("pagedown", "turn(-1)", "Earlier times", show=False, id="table.pagedown"),
        Binding("pageup", "turn(1)", "Later times", show=False, id="table.pageup"),
        Binding("home", "ends(1)", "Now", show=False, id="table.home"),
        Binding("end", "ends(0)", "First times counted", show=False, id="table.end"),
        Binding("enter", "open", "Sessions", key_display="Enter", id="table.open"),
    ]
    HELP = "Arrows move over the lines, Enter lists sessions."

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.plot = Plot()
        self.cursor = -1
        self._top = 0

    def show(self, plot: Plot, cursor: int) -> None:
        """Show other values."""
        if (plot, cursor) != (self.plot, self.cursor):
            self.plot, self.cursor = plot, cursor
            self.redraw()

    def action_move(self, lines: int) -> None:
        """Move the cursor; over the edge to other times."""
        at = self.cursor - lines
        if 0 <= at < len(self.plot.starts):
            self.cursor = at
            self.redraw()
            self.post_message(ColumnChart.Moved())
        elif self.plot.starts:
            self.post_message(ColumnChart.Beyond(-lines))

    def action_turn(self, pages: int) -> None:
        """Other times, a chart further."""
        self.post_message(ColumnChart.Beyond(pages * len(self.plot.starts)))

    def action_ends(self, end: int) -> None:
        """The first or the last times."""
        self.post_message(ColumnChart.Beyond(0, end))

    def action_open(self) -> None:
        """List the sessions of the step under the cursor."""
        if 0 <= self.cursor < len(self.plot.starts):
            self.post_message(ColumnChart.Opened())

    def draw(self, width: int, height: int) -> Sequence[Strip]:
        """Names of the columns, then the steps around the cursor."""
        plot = self.plot
        if not plot.starts:
            return []
        label, figure, strong = self.look("label"), self.look("figure"), self.look("strong")
        name = _NAME[plot.unit]
        fitting = max((width - name - COLUMN - 2) // COLUMN, 0)
        parts = range(min(len(plot.labels), fitting))
        head: list[tuple[str, Style]] = [(f"  {'':<{name}}{plot.metric.title:>{COLUMN}}", label)]
        for part in parts:
            text = fitted(plot.names[part], COLUMN - 2).rstrip()
            space = " " * (COLUMN - width_of(text))
            head.append((f"{space}{text}", self.colour(plot.slots[part])))
        rows = max(height - 1, 1)
        line = len(plot.starts) - 1 - self.cursor
        self._top = min(max(self._top, line - rows + 1), line)
        strips = [self.strip(head, width)]
        for at in range(self._top, min(self._top + rows, len(plot.starts))):
            step = len(plot.starts) - 1 - at
            here = step == self.cursor
            pieces: list[tuple[str, Style]] = [
                ("▌ " if here else "  ", strong),
                (f"{step_name(plot.starts[step], plot.unit):<{name}}", strong if here else label),
                (f"{_text(plot, plot.totals[step]):>{COLUMN}}", strong if here else figure),
            ]
            pieces += [(f"{_text(plot, plot.parts[step][p]):>{COLUMN}}", figure) for p in parts]
            strips.append(self.strip(pieces, width))
        return strips


def _text(plot: Plot, value: float) -> str:
    return plot.metric.text(value) if value else "–"
