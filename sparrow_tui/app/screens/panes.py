"""The main screen's panes by name, for the modules its actions are in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.getters import query_one
from textual.widgets import Static

from sparrow_tui.app.screens.painting import Painting
from sparrow_tui.app.widgets.find_bar import FindBar
from sparrow_tui.app.widgets.heading import Heading
from sparrow_tui.app.widgets.kept_lines import KeptVertical
from sparrow_tui.app.widgets.metrics_footer import MetricsFooter
from sparrow_tui.app.widgets.search_box import SearchBox
from sparrow_tui.app.widgets.session_list import SessionList
from sparrow_tui.app.widgets.transcript_view import TranscriptView

if TYPE_CHECKING:
    from sparrow_tui.app.app import SparrowApp


class Panes(Painting):
    """A screen with a search box, a list, a transcript and counters."""

    app: SparrowApp

    box = query_one("#search", SearchBox)
    sessions = query_one("#sessions", SessionList)
    heading = query_one("#heading", Heading)
    transcript = query_one("#transcript", TranscriptView)
    find_bar = query_one("#find", FindBar)
    metrics = query_one("#metrics", MetricsFooter)
    divider = query_one("#divider", Static)
    reading_pane = query_one("#reading", KeptVertical)

    def make_room(self, reading: bool) -> None:
        """In narrow terminals the transcript that is read stands alone; in others nothing changes.

        The classes are on the widgets they hide: for one on the screen, Textual works out the
        styles of all of them.
        """
        narrow = self.has_class("-narrow")
        for widget in (self.sessions, self.divider):
            if reading != widget.has_class("-aside"):
                widget.set_class(reading, "-aside", update=narrow)
        if reading == self.reading_pane.has_class("-behind"):
            self.reading_pane.set_class(not reading, "-behind", update=self.has_class("-tiny"))
