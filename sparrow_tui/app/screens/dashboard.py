"""The dashboard: the counters over time, as charts and rankings that lead to the sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from sparrow_tui.app.behind import search_for
from sparrow_tui.app.board import Board
from sparrow_tui.app.board_asking import BoardAsking
from sparrow_tui.app.board_view import View
from sparrow_tui.app.figures import METRICS
from sparrow_tui.app.plots import model_name, plot_of, tiles_of
from sparrow_tui.app.screens.dashboard_panels import Panels
from sparrow_tui.app.screens.help import HelpScreen, declared
from sparrow_tui.app.widgets.charts import ColumnChart
from sparrow_tui.app.widgets.charts_calendar import Calendar
from sparrow_tui.app.widgets.charts_plot import steps_that_fit
from sparrow_tui.app.widgets.charts_ranking import Ranking
from sparrow_tui.app.widgets.charts_table import ValueTable
from sparrow_tui.app.widgets.charts_tiles import Tiles
from sparrow_tui.app.widgets.drawn import LOOKS
from sparrow_tui.app.widgets.key_line import KeyLine
from sparrow_tui.app.widgets.metrics_footer import MetricsFooter
from sparrow_tui.store.spans import moved
from sparrow_tui.text.scale import step_name

if TYPE_CHECKING:
    from sparrow_tui.app.app import SparrowApp


class DashboardScreen(Screen[str | None]):
    """Gives a text for the search box, or ``None``."""

    app: SparrowApp

    COMPONENT_CLASSES: ClassVar[set[str]] = {*LOOKS}
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (22, "-low"), (34, "-high")]
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
        Binding("S", "endpoints", "Endpoints", show=False, id="dashboard.endpoints",
                tooltip="Endpoints that are scraped: how each answers"),
        Binding("question_mark,f1", "help", "Help", key_display="?", id="dashboard.help"),
        Binding("escape,q,D", "leave", "Back", key_display="Esc", id="dashboard.leave"),
    ]  # fmt: skip
    HELP = "The dashboard."

    def __init__(self, view: View, asking: BoardAsking, size: Size) -> None:
        """Prepare to show an answer that may be on its way.

        Args:
            view: what to look at; changed as the user looks elsewhere.
            asking: who asks the store.
            size: of the terminal. Its classes are there from the beginning: with other ones the
                screen would be laid out twice.
        """
        wide = _of(size.width, self.HORIZONTAL_BREAKPOINTS)
        super().__init__(classes=f"{wide} {_of(size.height, self.VERTICAL_BREAKPOINTS)}")
        self.view = view
        self.asking = asking
        self.tiles, self.chart, self.table = (
            Tiles(id="tiles"),
            ColumnChart(id="chart"),
            ValueTable(id="table"),
        )
        self.panels = Panels(view.panel)

    def compose(self) -> ComposeResult:
        """Figures; the chart or its table; panels; counters; keys."""
        yield self.tiles
        with ContentSwitcher(initial="table" if self.view.table else "chart", id="plot"):
            yield self.chart
            yield self.table
        yield from self.panels.rows
        yield MetricsFooter(id="metrics")
        yield KeyLine(("leave", "panel"), id="keys")

    def on_mount(self) -> None:
        """Show what is known; the figures at the bottom are the main screen's."""
        self.asking.hear = self._show
        if self.view.is_of(self.board):
            self._show()
        self.set_focus(self._front)
        self.set_interval(30, self.renew)

    def on_unmount(self) -> None:
        """Nobody is to be told any more."""
        self.asking.hear = lambda: None

    def on_screen_resume(self) -> None:
        """Seen (again): the counters are the main screen's."""
        if self.is_mounted:
            self.query_one(MetricsFooter).show(self.app.main.figures)

    def on_resize(self, event: events.Resize) -> None:
        """Another width has room for another number of steps."""
        held = self.board
        if held is None or held.wanted.number != steps_that_fit(held.wanted.unit, self._width):
            self.renew()

    @property
    def board(self) -> Board | None:
        """What the store said last."""
        return self.asking.board

    @property
    def _width(self) -> int:
        """Cells the chart has: all there are."""
        return self.app.size.width

    def renew(self) -> None:
        """Bring everything up to date, in the engine's own time."""
        self.asking.ask(self.view.wanted(self._width, self.app.present()))

    # Showing

    @property
    def _front(self) -> ColumnChart | ValueTable:
        """The chart or its table, whichever is shown."""
        return self.table if self.view.table else self.chart

    def _show(self) -> None:
        """Show the answer there is, as far as it has what is looked at."""
        held, view, metric = self.board, self.view, self.view.metric
        if held is None or not self.is_attached:
            return
        self.tiles.show(tiles_of(held), view.number)
        if not view.shown_by(held):
            return
        plot = plot_of(held, metric, self._agent if held.wanted.apart == "agent" else model_name)
        self._front.show(plot, view.place(held))
        first, last = held.steps[0].start, held.steps[-1].end - 1
        ending = "now" if view.last is None else step_name(last, "day")
        self.query_one("#plot").border_title = Content.assemble(
            f"{metric.title} by {held.wanted.unit}, by {held.wanted.apart}",
            (f"   {step_name(first, 'day')} – {ending}", "$text-muted not bold"),
        )
        self.panels.show(held, metric)

    def _agent(self, label: str) -> str:
        look = self.app.looks.get(label)
        return look.label if look else label

    # Keys

    def action_metric(self, number: int) -> None:
        """Look at another figure; sessions are counted when they are looked at."""
        self.view.number = number
        self._show()
        if not self.view.shown_by(self.board):
            self.renew()

    def action_unit(self, unit: str) -> None:
        """Other steps of time."""
        self.view.step_by(unit, self._width, self.app.present())
        self.renew()

    def action_stack(self) -> None:
        """Stacked by agent, or by model."""
        self.view.apart = "model" if self.view.apart == "agent" else "agent"
        self.renew()

    def action_table(self) -> None:
        """The values as a table, or as a chart."""
        focused = self._front.has_focus or self.has_class("-flat")
        self.view.table = not self.view.table
        self.query_one(ContentSwitcher).current = "table" if self.view.table else "chart"
        self._show()
        if focused:
            self.remove_class("-paneled")
            self._front.focus()

    def action_panel(self, by: int) -> None:
        """Go round the chart and the panels."""
        order: list[Widget] = [self._front, *self.panels.all.values()]
        at = next((n for n, widget in enumerate(order) if widget.has_focus), 0)
        target = order[(at + by) % len(order)]
        # Where the terminal is too flat for both, it takes the chart's place.
        self.set_class(target.id in self.panels.all, "-paneled")
        if target.id in self.panels.all:
            self.view.panel = target.id
            self.panels.choose(target.id)
        target.focus()

    def action_cycle_scope(self) -> None:
        """The counters' scope, as on the main screen."""
        self.app.main.action_cycle_scope()

    def action_endpoints(self) -> None:
        """Where counters come from elsewhere."""
        self.app.main.action_endpoints()

    def action_help(self) -> None:
        """Every key of the dashboard."""
        self.app.push_screen(
            HelpScreen(
                [
                    ("Dashboard", declared(self)),
                    ("Chart", declared(self.chart)),
                    ("Table", declared(self.table)),
                    ("Calendar", declared(self.panels.calendar)),
                    ("Rankings", declared(self.panels.rankings["projects"])),
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
        self.view.stand_on(self._front.plot.starts, self._front.cursor)

    @on(ColumnChart.Beyond)
    def _beyond(self, event: ColumnChart.Beyond) -> None:
        event.stop()
        if self.board is not None:
            self.view.go(self.board, event.steps, event.end)
            self.renew()

    @on(ColumnChart.Opened)
    def _open_step(self, event: ColumnChart.Opened) -> None:
        event.stop()
        held = self.board
        if held is None:
            return
        step = held.steps[self._front.cursor]
        label = ""
        if not self.view.table and self.chart.single is not None:
            label = self.chart.plot.labels[self.chart.single]
        facets = {held.wanted.apart: label} if label and not label.startswith("\0") else {}
        self.dismiss(search_for(step.start, step.end, self.view.metric.error, **facets))

    @on(Calendar.Opened)
    def _open_day(self, event: Calendar.Opened) -> None:
        event.stop()
        end = moved(event.start, "day", 1)
        self.dismiss(search_for(event.start, end, self.view.metric.error))

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
        self.dismiss(search_for(start, end, self.view.metric.error, **{facet: event.line.key}))


def _of(size: int, classes: list[tuple[int, str]]) -> str:
    """The class of a size: that of the largest bound that is not above it."""
    return max(pair for pair in classes if pair[0] <= size)[1]
