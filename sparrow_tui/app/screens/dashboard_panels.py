"""The panels beside the chart: the calendar and the rankings, in two rows."""

from __future__ import annotations

from textual.containers import Horizontal
from textual.content import Content

from sparrow_tui.app.board import Board
from sparrow_tui.app.figures import Metric
from sparrow_tui.app.plots import model_name, project_name, ranking, slow_lines, tool_lines
from sparrow_tui.app.widgets.charts_calendar import Calendar
from sparrow_tui.app.widgets.charts_ranking import Ranking
from sparrow_tui.store.spans import start_of

TITLES = {
    "calendar": "Calendar",
    "projects": "Top projects",
    "models": "Top models",
    "tools": "Top tools",
    "slowest": "Slowest tools, ever",
}
"""In the order of Tab."""
ABOVE = ("calendar", "tools")
"""Those of the upper row."""


class Panels:
    """Made before the screen stands, with the classes they have: nothing is styled twice."""

    def __init__(self, chosen: str) -> None:
        """Args: the panel shown where there is room for one only."""
        self.calendar = Calendar(id="calendar")
        self.rankings = {
            "projects": Ranking("nothing in this time", slot=0, id="projects"),
            "models": Ranking("nothing in this time", slot=1, id="models"),
            "tools": Ranking("no tools were called in this time", slot=2, id="tools"),
            "slowest": Ranking("no call's duration is known", slot=4, id="slowest"),
        }
        self.all: dict[str, Calendar | Ranking] = {"calendar": self.calendar, **self.rankings}
        for name, panel in self.all.items():
            panel.border_title = Content(TITLES[name])
        below = [panel for name, panel in self.all.items() if name not in ABOVE]
        self.rows = (
            Horizontal(*(self.all[name] for name in ABOVE), id="panels-above", classes="panels"),
            Horizontal(*below, id="panels-below", classes="panels"),
        )
        self.choose(chosen, update=False)

    def choose(self, chosen: str, *, update: bool = True) -> None:
        """Where there is room for one panel only, show this one.

        Args:
            chosen: its id.
            update: whether styles follow at once.
        """
        for name, panel in self.all.items():
            panel.set_class(name == chosen, "-chosen", update=update)
        for row, is_above in zip(self.rows, (True, False), strict=True):
            row.set_class((chosen in ABOVE) == is_above, "-chosen", update=update)

    def show(self, held: Board, metric: Metric) -> None:
        """Show an answer of the store."""
        present = start_of(held.wanted.now, "day")
        starts = [day.start for day in held.days]
        today = starts.index(present) if present in starts else len(starts) - 1
        values = [metric.value(cell) for cell in held.by_day]
        self.calendar.show(metric, starts, values, today)
        self.rankings["projects"].show(ranking(held.projects, metric, project_name))
        self.rankings["models"].show(ranking(held.models, metric, model_name))
        self.rankings["tools"].show(tool_lines(held.tools))
        self.rankings["slowest"].show(slow_lines(held.slowest))
