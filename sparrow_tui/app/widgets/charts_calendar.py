"""A year at a glance: a square a day, the more the brighter."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from sparrow_tui.app.figures import METRICS, Metric
from sparrow_tui.app.widgets.drawn import Drawn
from sparrow_tui.text.scale import step_name

LEVELS = 4
"""Steps of brightness of days that have something."""
_NAMES = ("Mon", "", "Wed", "", "Fri", "", "Sun")
_LEFT = 5


class Calendar(Drawn, can_focus=True):
    """Columns are weeks, rows the days from Monday on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-7)", "Day", key_display="←→↑↓", id="calendar.left"),
        Binding("right", "move(7)", "Day", show=False, id="calendar.right"),
        Binding("up", "move(-1)", "Day", show=False, id="calendar.up"),
        Binding("down", "move(1)", "Day", show=False, id="calendar.down"),
        Binding("enter", "open", "Sessions", key_display="Enter", id="calendar.open"),
    ]
    HELP = "Arrows move over the days, Enter lists a day's sessions."

    class Opened(Message):
        """The sessions of the day under the cursor are wanted."""

        def __init__(self, start: int) -> None:
            super().__init__()
            self.start = start
            """When the day begins."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, classes="panel")
        self.metric: Metric = METRICS[0]
        self.starts: Sequence[int] = ()
        self.values: Sequence[float] = ()
        self.today = -1
        """Place of the present day; what follows is not drawn."""
        self.cursor = -1

    def show(
        self, metric: Metric, starts: Sequence[int], values: Sequence[float], today: int
    ) -> None:
        """Show days.

        Args:
            metric: of the values.
            starts: when each day begins, the first a Monday.
            values: of each day.
            today: place of the present day.
        """
        if (metric, starts, values, today) == (self.metric, self.starts, self.values, self.today):
            return
        held = self.starts[self.cursor] if 0 <= self.cursor < len(self.starts) else None
        self.metric, self.starts, self.values, self.today = metric, starts, values, today
        self.cursor = starts.index(held) if held in starts and held is not None else today
        self.redraw()

    def action_move(self, days: int) -> None:
        """Move the cursor."""
        first = self._first_week(self.content_size.width) * 7
        at = self.cursor + days
        if first <= at <= self.today:
            self.cursor = at
            self.redraw()

    def action_open(self) -> None:
        """List the day's sessions."""
        if 0 <= self.cursor < len(self.starts):
            self.post_message(self.Opened(self.starts[self.cursor]))

    def on_focus(self) -> None:
        """The cursor shows."""
        self.redraw()

    def on_blur(self) -> None:
        """The cursor does not show."""
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor."""
        offset = event.get_content_offset(self)
        if offset is not None and 1 <= offset.y <= 7 and offset.x >= _LEFT:
            week = self._first_week(self.content_size.width) + (offset.x - _LEFT) // 2
            at = week * 7 + offset.y - 1
            if 0 <= at <= self.today:
                self.cursor = at
                self.redraw()

    def _first_week(self, width: int) -> int:
        return max(0, len(self.starts) // 7 - max((width - _LEFT) // 2, 1))

    def draw(self, width: int, height: int) -> Sequence[Strip]:
        """Months, seven rows of days, what the cursor stands on."""
        if not self.starts:
            return []
        first = self._first_week(width)
        weeks = len(self.starts) // 7
        label = self.look("label")
        levels = self._levels(first * 7)
        heat = [self.look(f"heat-{level}") for level in range(LEVELS + 1)]
        lines = [self.strip([(self._months(first, weeks), label)], width)]
        for day in range(7):
            pieces: list[tuple[str, Style]] = [(f" {_NAMES[day]:<{_LEFT - 1}}", label)]
            for week in range(first, weeks):
                at = week * 7 + day
                if at > self.today:
                    break
                here = self.has_focus and at == self.cursor
                mark = "▣ " if here else "■ "
                pieces.append((mark, self.look("strong") if here else heat[levels[at]]))
            lines.append(self.strip(pieces, width))
        if height >= 9:
            lines.append(self._bottom(width, heat))
        return lines[:height]

    def _bottom(self, width: int, heat: Sequence[Style]) -> Strip:
        """The value at the cursor and what the colours mean."""
        label = self.look("label")
        pieces: list[tuple[str, Style]] = [(" " * _LEFT, label)]
        at = self.cursor if self.has_focus else self.today
        if 0 <= at < len(self.values):
            noun = f" {self.metric.noun}" if self.metric.noun and self.metric.adds_up else ""
            pieces += [
                (f"{step_name(self.starts[at], 'day')}  ", label),
                (self.metric.text(self.values[at]), self.look("strong")),
                (noun, label),
            ]
        used = sum(len(text) for text, _ in pieces)
        if used + 22 <= width:
            pieces += [("   less ", label), *(("■ ", style) for style in heat), ("more", label)]
        return self.strip(pieces, width)

    def _levels(self, first: int) -> list[int]:
        """Brightness of each day: by its rank among the days that have something."""
        some = sorted({value for value in self.values[first : self.today + 1] if value > 0})
        rank = {value: 1 + place * LEVELS // len(some) for place, value in enumerate(some)}
        return [rank.get(value, 0) for value in self.values]

    def _months(self, first: int, weeks: int) -> str:
        """Names of months above the weeks they begin in."""
        line = " " * _LEFT
        before = 0
        for week in range(first, weeks):
            if week * 7 > self.today:
                break
            month = datetime.fromtimestamp(self.starts[week * 7] / 1000)
            at = _LEFT + 2 * (week - first)
            if month.month != before and len(line) <= at:
                line = f"{line:<{at}}{month:%b} "
            before = month.month
        return line
