"""The main screen's panes by name, for the modules its actions are in."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from textual.getters import query_one
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from sparrow_tui.app.compositor import SparingCompositor
from sparrow_tui.app.widgets.find_bar import FindBar
from sparrow_tui.app.widgets.heading import Heading
from sparrow_tui.app.widgets.metrics_footer import MetricsFooter
from sparrow_tui.app.widgets.search_box import SearchBox
from sparrow_tui.app.widgets.session_list import SessionList
from sparrow_tui.app.widgets.transcript_view import TranscriptView

if TYPE_CHECKING:
    from sparrow_tui.app.app import SparrowApp


HANDOVER = 0.0002
"""Seconds the interpreter is left to the thread that writes to the terminal: it would have to wait
for its turn until some other work of this thread is done."""


class Panes(Screen[None]):
    """A screen with a search box, a list, a transcript and counters."""

    app: SparrowApp

    box = query_one("#search", SearchBox)
    sessions = query_one("#sessions", SessionList)
    heading = query_one("#heading", Heading)
    transcript = query_one("#transcript", TranscriptView)
    find_bar = query_one("#find", FindBar)
    metrics = query_one("#metrics", MetricsFooter)
    divider = query_one("#divider", Static)

    def make_room(self, reading: bool) -> None:
        """In narrow terminals the transcript that is read stands alone; in others nothing changes.

        The classes are on the widgets they hide: for one on the screen, Textual works out the
        styles of all of them.
        """
        narrow = self.has_class("-narrow")
        for widget in (self.sessions, self.divider):
            if reading != widget.has_class("-aside"):
                widget.set_class(reading, "-aside", update=narrow)

    def __init__(self) -> None:
        super().__init__()
        self._compositor = SparingCompositor()

    def paint(self, *widgets: Widget) -> None:
        """Draw what has changed now, not with the next tick of Textual's timer.

        Args:
            widgets: changed too; by themselves they would tell it after this.
        """
        if self.is_current:
            self._dirty_widgets.update(widgets)
            self._on_timer_update()
            for widget in widgets:
                widget._repaint_required = False  # done: it need not tell
            time.sleep(HANDOVER)

    def _compositor_refresh(self) -> None:
        # For each change below Textual draws the screen on top anew, all of it; and again with
        # each message that arrives below. What lies below is drawn when it is seen.
        if self.is_active:
            super()._compositor_refresh()
