"""The counters under the panes: of what, and when they are brought up to date; the dashboard."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.timer import Timer

from sparrow_tui.app import messages
from sparrow_tui.app.board_asking import BoardAsking
from sparrow_tui.app.board_view import View
from sparrow_tui.app.counting import SCOPES, count, remote_figures
from sparrow_tui.app.screens.dashboard import DashboardScreen
from sparrow_tui.app.screens.endpoints import EndpointsScreen
from sparrow_tui.app.screens.reading import Reading
from sparrow_tui.app.tally import Tally
from sparrow_tui.app.widgets.footer_cells import Figures
from sparrow_tui.app.widgets.metrics_footer import MetricsFooter
from sparrow_tui.metrics.remote import Remote
from sparrow_tui.store.sqlite import SqliteStore

AGAIN = 20
"""Seconds after which figures of the present, such as rates, are counted again."""
TICK = 0.8
"""Seconds between two counts of what is being written: people read no faster."""


class Counting(Reading):
    """Asks the engine for figures, one answer at a time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "cycle_scope", "Counter scope", id="main.scope"),
        Binding("D", "dashboard", "Dashboard", key_display="D", id="main.dashboard"),
        Binding(
            "S",
            "endpoints",
            "Endpoints",
            show=False,
            id="main.endpoints",
            tooltip="Endpoints that are scraped: how each answers",
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.figures = Figures()
        """What the footer shows, here and on the dashboard."""
        self._scope = (*self.app.remotes.scopes, *SCOPES)[0]
        """What is counted: what the user named on the command line comes first."""
        self._remotes: dict[str, Remote] = self.app.remotes.unheard()
        self._tally = Tally()
        """Used on the engine's thread only."""
        self._counting = False
        self._count_again = False
        self._due: Timer | None = None
        """The next count of what is being written."""
        self._ticked = 0.0
        self._looked_at = View()
        """The dashboard's, for the next time."""
        self._boards = BoardAsking(self.app)

    def begin_counting(self) -> None:
        """After the first frame, and now and then."""
        self.call_after_refresh(self.count)
        self.set_interval(AGAIN, self.count)

    def count(self) -> None:
        """Bring the footer up to date, in the engine's own time."""
        if self._counting:
            self._count_again = True
            return
        self._counting = True
        app, sids, scope, tally = self.app, self.sessions.sids, self._scope, self._tally
        session = self.session.sid if self.session is not None else None

        def job(store: SqliteStore) -> Figures:
            return count(
                store, scope, sids=sids, session=session,
                pinned=tally.count(store, app.settings.saved), now=app.present(),
            )  # fmt: skip

        app.engine.run_job(job, self._counted)

    def _counted(self, figures: Figures | None) -> None:
        self._counting = False
        if figures is not None and self._scope in self.app.remotes.scopes:
            self._show(replace(self._elsewhere(), pinned=figures.pinned))
        elif figures is not None and figures.scope == self._scope:
            self._show(figures)
        if self._count_again:
            self._count_again = False
            self.set_timer(0.2, self.count)

    def _elsewhere(self) -> Figures:
        return remote_figures(self._scope, self._remotes[self._scope])

    def _show(self, figures: Figures) -> None:
        self.figures = figures
        for footer in self.app.screen.query(MetricsFooter):
            footer.show(figures)

    def action_cycle_scope(self) -> None:
        """Counters of everything, of the list, of the session shown, or from elsewhere."""
        scopes = (*SCOPES, *self.app.remotes.scopes)
        self._scope = scopes[(scopes.index(self._scope) + 1) % len(scopes)]
        if self._scope in self.app.remotes.scopes:
            self._show(replace(self._elsewhere(), pinned=self.figures.pinned))
        self.count()

    def on_remote_told(self, event: messages.RemoteTold) -> None:
        """Counters elsewhere: shown if their scope is on."""
        self._remotes[event.scope] = event.remote
        if self._scope == event.scope:
            self._show(replace(self._elsewhere(), pinned=self.figures.pinned))
        if isinstance(self.app.screen, EndpointsScreen):
            self.app.screen.renew()

    def action_endpoints(self) -> None:
        """Where counters come from elsewhere, and how it answers."""
        self.app.push_screen(EndpointsScreen(lambda: self._remotes))

    def session_changed(self) -> None:
        """The counters of the session shown are another's."""
        if self._scope == "session":
            self.count()

    def list_counted(self) -> None:
        """The list has other sessions in it."""
        if self._scope == "list":
            self.count()

    def store_counted(self) -> None:
        """Something was written: at once after a pause, in a burst once in `TICK`."""
        if self._due is None:
            wait = self._ticked + TICK - time.monotonic()
            if wait > 0:
                self._due = self.set_timer(wait, self._tick)
            else:
                self._tick()

    def _tick(self) -> None:
        self._due, self._ticked = None, time.monotonic()
        self.count()
        if isinstance(self.app.screen, DashboardScreen):
            self.app.screen.renew()

    # The dashboard

    def action_dashboard(self) -> None:
        """The counters over time; from there to the sessions behind a point."""
        size, view = self.app.size, self._looked_at
        self._boards.ask(view.wanted(size.width, self.app.present()))
        self.app.push_screen(DashboardScreen(view, self._boards, size), self._from_dashboard)

    def _from_dashboard(self, search: str | None) -> None:
        if search is not None:
            self.box.value = search
            self.box.cursor_position = len(search)
            self.sessions.focus()
