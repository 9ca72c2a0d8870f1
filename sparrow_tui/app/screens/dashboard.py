"""The dashboard: the counters over time, as charts and rankings that lead to the sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from sparrow_tui.app import messages
from sparrow_tui.app.behind import search_for
from sparrow_tui.app.board import Board, Wanted, board
from sparrow_tui.app.figures import METRICS, Metric
from sparrow_tui.app.plots import (
    plot_of,
    project_name,
    ranking,
    slow_lines,
    tiles_of,
    tool_lines,
)
from sparrow_tui.app.screens.help import HelpScreen
from sparrow_tui.app.widgets.charts import ColumnChart, steps_that_fit
from sparrow_tui.app.widgets.charts_calendar import Calendar
from sparrow_tui.app.widgets.charts_ranking import Ranking
from sparrow_tui.app.widgets.charts_table import ValueTable
from sparrow_tui.app.widgets.charts_tiles import Tiles
from sparrow_tui.app.widgets.key_line import KeyLine
from sparrow_tui.app.widgets.metrics_footer import MetricsFooter
from sparrow_tui.store.spans import moved, spans, start_of
from sparrow_tui.store.sqlite import SqliteStore
from sparrow_tui.text.scale import step_name

if TYPE_CHECKING:
    from sparrow_tui.app.app import SparrowApp

PANELS = ("calendar", "projects", "models", "tools", "slowest")
"""Beside the chart, in the order of Tab."""
TITLES = {
    "calendar": "Calendar",
    "projects": "Top projects",
    "models": "Top models",
    "tools": "Top tools",
    "slowest": "Slowest tools, ever",
}


@dataclass
class View:
    """What is looked at; kept while the dashboard is left."""

    metric: int = 0
    unit: str = "day"
    apart: str = "agent"
    last: int | None = None
    """A moment in the last step; ``None``: the present, as it moves on."""
    cursor: int | None = None
    """When the step under the cursor begins; ``None``: the last one."""
    table: bool = False
    panel: str = PANELS[0]
    """The one shown where there is room for one only."""


class DashboardScreen(Screen[str | None]):
    """Gives a text for the search box, or ``None``."""

    app: SparrowApp

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (20, "-low"), (34, "-high")]
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(
                str(number), f"metric({number - 1})", metric.title, show=False,
                id=f"dashboard.{metric.name}",
            )
            for number, metric in enumerate(METRICS, 1)
        ),
        Binding("tab", "panel(1)", "Panel", key_display="Tab", id="dashboard.panel"),
        Binding("shift+tab", "panel(-1)", "Previous panel", show=False, id="dashboard.back"),
        Binding("h", "unit('hour')", "Step", key_display="h d w m", id="dashboard.hour",
                tooltip="Steps of time: hours, days, weeks, months"),
        Binding("d", "unit('day')", "By day", show=False, id="dashboard.day"),
        Binding("w", "unit('week')", "By week", show=False, id="dashboard.week"),
        Binding("m", "unit('month')", "By month", show=False, id="dashboard.month"),
        Binding("s", "stack", "Stack", id="dashboard.stack",
                tooltip="Stacked by agent, or by model"),
        Binding("t", "table", "Table", id="dashboard.table"),
        Binding("c", "cycle_scope", "Counter scope", show=False, id="dashboard.scope"),
        Binding("question_mark,f1", "help", "Help", key_display="?", id="dashboard.help"),
        Binding("escape,q,D", "leave", "Back", key_display="Esc", id="dashboard.leave"),
    ]  # fmt: skip
    HELP = "The dashboard."

    def __init__(self, view: View) -> None:
        """Args: what to look at; changed as the user looks elsewhere."""
        super().__init__()
        self.view = view
        self.board: Board | None = None
        self._asking = False
        self._ask_again = False
        self.asked = 0
        """Times the store was asked: what tests count."""

    def compose(self) -> ComposeResult:
        """Figures; the chart or its table; panels; counters; keys."""
        yield Tiles(id="tiles")
        with ContentSwitcher(initial="chart", id="plot"):
            yield ColumnChart(id="chart")
            yield ValueTable(id="table")
        with Horizontal(id="panels-above", classes="panels"):
            yield Calendar(id="calendar")
            yield Ranking("no tools were called in this time", slot=2, id="tools")
        with Horizontal(id="panels-below", classes="panels"):
            yield Ranking("nothing in this time", slot=0, id="projects")
            yield Ranking("nothing in this time", slot=1, id="models")
            yield Ranking("no call's duration is known", slot=4, id="slowest")
        yield MetricsFooter(id="metrics")
        yield KeyLine(("leave", "panel"), id="keys")

    def on_mount(self) -> None:
        """Ask for everything; the figures at the bottom are the main screen's."""
        self.query_one(ContentSwitcher).current = "table" if self.view.table else "chart"
        for panel in PANELS:
            self.query_one(f"#{panel}").border_title = Content(TITLES[panel])
        self._show_panel()
        self._front.focus()
        self.set_interval(30, self.renew)

    def on_screen_resume(self) -> None:
        """Seen (again): the counters are the main screen's."""
        if self.is_mounted:
            self.query_one(MetricsFooter).show(self.app.main.figures)
            self.renew()

    def on_resize(self) -> None:
        """Another width has room for another number of steps."""
        self.call_after_refresh(self.renew)

    # Asking

    def renew(self) -> None:
        """Bring everything up to date, in the engine's own time; one question at a time."""
        if self._asking:
            self._ask_again = True
            return
        width = self.query_one("#plot").content_size.width if self.is_mounted else 0
        if width <= 0:
            return  # not laid out yet; being laid out asks
        self._asking = True
        self.asked += 1
        view, now, app = self.view, self.app.present(), self.app
        wanted = Wanted(
            view.unit, steps_that_fit(view.unit, width), view.last or now, now, view.apart
        )

        def job(store: SqliteStore) -> None:
            answer: Board | None = None  # stays so if a new search cuts this short
            try:
                answer = board(store, wanted)
            finally:
                app.from_thread(messages.Call(lambda: self._answered(answer)))

        app.engine.run_job(job)

    def _answered(self, answer: Board | None) -> None:
        self._asking = False
        if not self.is_attached:
            return
        if answer is not None:
            self.board = answer
            self._paint()
        if self._ask_again:
            self._ask_again = False
            self.renew()

    # Showing

    @property
    def metric(self) -> Metric:
        """The figure looked at."""
        return METRICS[self.view.metric]

    @property
    def _front(self) -> ColumnChart | ValueTable:
        """The chart or its table, whichever is shown."""
        if self.view.table:
            return self.query_one("#table", ValueTable)
        return self.query_one("#chart", ColumnChart)

    def _paint(self) -> None:
        held, view, metric = self.board, self.view, self.metric
        if held is None:
            return
        self.query_one(Tiles).show(tiles_of(held), view.metric)
        plot = plot_of(held, metric, self._agent if held.wanted.apart == "agent" else _model)
        cursor = len(plot.starts) - 1
        if view.cursor is not None:
            cursor = max(
                (n for n, start in enumerate(plot.starts) if start <= view.cursor), default=0
            )
        self._front.show(plot, cursor)
        self._title(held)
        present = start_of(held.wanted.now, "day")
        starts = [day.start for day in held.days]
        today = starts.index(present) if present in starts else len(starts) - 1
        values = [metric.value(cell) for cell in held.by_day]
        self.query_one(Calendar).show(metric, starts, values, today)
        self.query_one("#projects", Ranking).show(ranking(held.projects, metric, project_name))
        self.query_one("#models", Ranking).show(ranking(held.models, metric, _model))
        self.query_one("#tools", Ranking).show(tool_lines(held.tools))
        self.query_one("#slowest", Ranking).show(slow_lines(held.slowest))

    def _title(self, held: Board) -> None:
        """What the chart shows, on its rule."""
        first, last = held.steps[0].start, held.steps[-1].end - 1
        ending = "now" if self.view.last is None else step_name(last, "day")
        self.query_one("#plot").border_title = Content.assemble(
            f"{self.metric.title} by {held.wanted.unit}, by {held.wanted.apart}",
            (f"   {step_name(first, 'day')} – {ending}", "$text-muted not bold"),
        )

    def _agent(self, label: str) -> str:
        look = self.app.looks.get(label)
        return look.label if look else label

    # Keys

    def action_metric(self, number: int) -> None:
        """Look at another figure: all are here already."""
        self.view.metric = number
        self._paint()

    def action_unit(self, unit: str) -> None:
        """Other steps of time; the cursor stays where it is as far as it can."""
        view, before, now = self.view, self.view.unit, self.app.present()
        view.unit = unit
        width = self.query_one("#plot").content_size.width
        if view.cursor is not None:
            shown = spans(view.last or now, unit, steps_that_fit(unit, width))
            if not shown[0].start <= view.cursor < shown[-1].end:
                view.last = moved(start_of(view.cursor, before), before, 1) - 1
        if view.last is not None and view.last >= start_of(now, unit):
            view.last = None
        self.renew()

    def action_stack(self) -> None:
        """Stacked by agent, or by model."""
        self.view.apart = "model" if self.view.apart == "agent" else "agent"
        self.renew()

    def action_table(self) -> None:
        """The values as a table, or as a chart."""
        focused = self._front.has_focus
        self.view.table = not self.view.table
        self.query_one(ContentSwitcher).current = "table" if self.view.table else "chart"
        self._paint()
        if focused:
            self._front.focus()

    def action_panel(self, by: int) -> None:
        """Go round the chart and the panels."""
        order: list[Widget] = [self._front, *(self.query_one(f"#{name}") for name in PANELS)]
        at = next((n for n, widget in enumerate(order) if widget.has_focus), 0)
        target = order[(at + by) % len(order)]
        if target.id in PANELS:
            self.view.panel = target.id
            self._show_panel()
        target.focus()

    def _show_panel(self) -> None:
        """Where there is room for one panel only, it is this one."""
        for panel in PANELS:
            self.query_one(f"#{panel}").set_class(panel == self.view.panel, "-chosen")
        above = self.view.panel in ("calendar", "tools")
        self.query_one("#panels-above").set_class(above, "-chosen")
        self.query_one("#panels-below").set_class(not above, "-chosen")

    def action_cycle_scope(self) -> None:
        """The counters' scope, as on the main screen."""
        self.app.main.action_cycle_scope()

    def action_help(self) -> None:
        """Every key of the dashboard."""
        self.app.push_screen(
            HelpScreen(
                [
                    ("Dashboard", self),
                    ("Chart", self.query_one("#chart")),
                    ("Table", self.query_one("#table")),
                    ("Calendar", self.query_one("#calendar")),
                    ("Rankings", self.query_one("#projects")),
                ]
            )
        )

    def action_leave(self) -> None:
        """Back to the sessions."""
        self.dismiss(None)

    # From the panels

    @on(Tiles.Chosen)
    def _tile(self, event: Tiles.Chosen) -> None:
        event.stop()
        self.action_metric(event.number)

    @on(ColumnChart.Moved)
    def _moved(self, event: ColumnChart.Moved) -> None:
        event.stop()
        front = self._front
        at_end = front.cursor == len(front.plot.starts) - 1 and self.view.last is None
        self.view.cursor = None if at_end else front.plot.starts[front.cursor]

    @on(ColumnChart.Beyond)
    def _beyond(self, event: ColumnChart.Beyond) -> None:
        event.stop()
        if self.board is not None:
            self._go(self.board, event.steps, event.end)
            self.renew()

    def _go(self, held: Board, steps: int, end: int | None) -> None:
        """Look at other times: never past the present, never before anything was counted."""
        view, unit = self.view, self.view.unit
        number = held.wanted.number
        newest = start_of(held.wanted.now, unit)
        oldest = start_of(held.earliest if held.earliest is not None else newest, unit)
        first_end = min(moved(oldest, unit, number - 1), newest)
        at_end = start_of(held.wanted.last, unit)
        if end is not None:
            wanted = newest if end else first_end
            view.cursor = wanted if end else oldest
        else:
            wanted = min(max(moved(at_end, unit, steps), first_end), newest)
            edge = spans(wanted, unit, number)[0].start
            if abs(steps) == 1:
                view.cursor = edge if steps < 0 else wanted
            elif view.cursor is not None:
                view.cursor = min(max(view.cursor, edge), wanted)
        view.last = None if wanted >= newest else wanted
        if view.last is None and view.cursor is not None and view.cursor >= newest:
            view.cursor = None

    @on(ColumnChart.Opened)
    def _open_step(self, event: ColumnChart.Opened) -> None:
        event.stop()
        held = self.board
        if held is None:
            return
        step = held.steps[self._front.cursor]
        chart = self.query_one("#chart", ColumnChart)
        label = ""
        if not self.view.table and chart.single is not None:
            label = chart.plot.labels[chart.single]
        facets = {held.wanted.apart: label} if label and not label.startswith("\0") else {}
        self.dismiss(search_for(step.start, step.end, self.metric.error, **facets))

    @on(Calendar.Opened)
    def _open_day(self, event: Calendar.Opened) -> None:
        event.stop()
        self.dismiss(search_for(event.start, moved(event.start, "day", 1), self.metric.error))

    @on(Ranking.Opened)
    def _open_line(self, event: Ranking.Opened) -> None:
        event.stop()
        held, name = self.board, event.ranking.id
        if held is None:
            return
        if name == "slowest":
            self.dismiss(search_for(tool=event.line.key))
            return
        facet = {"projects": "project", "models": "model", "tools": "tool"}[name or ""]
        start, end = held.steps[0].start, held.steps[-1].end
        self.dismiss(search_for(start, end, self.metric.error, **{facet: event.line.key}))


def _model(label: str) -> str:
    return label or "(no model)"
