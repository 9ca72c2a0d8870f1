"""Keys to the search engine, and its results to the list."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.containers import Horizontal
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Input, Static

from sparrow_tui import query as language
from sparrow_tui.app import messages
from sparrow_tui.app.screens.search_actions import SearchActions
from sparrow_tui.app.session_rows import SessionRows
from sparrow_tui.app.widgets.search_box import SearchBox
from sparrow_tui.app.widgets.session_list import SessionList, Stay
from sparrow_tui.sanitize import clean_line

ONE_FRAME = 0.014
"""Seconds results are waited for before a key's echo is drawn without them."""


class Searching(SearchActions):
    """The search line and what it finds."""

    top = query_one("#top", Horizontal)
    found = query_one("#found", Static)

    def __init__(self) -> None:
        super().__init__()
        self.query_now = language.parse("")
        self.holds_any = True
        """Whether the library has sessions, as far as is known."""
        self.importing = self.app.syncing is not None
        """Whether the import beside the app is not done yet."""
        self._filling = self.importing
        """The list fills for the first time."""
        self._shown = 0
        """Generation of the results in the list."""
        self._drawn: messages.Found | None = None
        """The results last shown."""
        self._choose = False
        """Enter was pressed before its results had come."""
        self._choices: Sequence[str] = ()
        self._problems: Sequence[language.Problem] = ()
        self._notice = ""
        self._hinted = Content("")

    def list_answered(self) -> None:
        """Whether there are any sessions has become known."""

    def list_counted(self) -> None:
        """The list has other rows in it to count."""

    def ask(self, text: str) -> None:
        """Search. What is answered within a frame is drawn together with the key's echo."""
        engine = self.app.engine
        engine.search(text)
        if engine.is_alive() and engine.wait(ONE_FRAME) and engine.answer is not None:
            self._show_found(engine.answer)
        # The box moves its cursor when it has told about its text.
        self.box.call_next(self._paint_found)

    @on(Input.Changed, "#search")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()

    @on(Input.Submitted, "#search")
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.app.remember_search(event.value)
        if self._shown == self.app.engine.generation:
            self.sessions.action_choose()
        else:
            self._choose = True

    @on(SearchBox.Offered)
    def _offered(self, event: SearchBox.Offered) -> None:
        event.stop()
        self._choices = event.choices
        self._hint()

    @on(SearchBox.Moved)
    def _moved_from_box(self, event: SearchBox.Moved) -> None:
        event.stop()
        self.sessions.action_move(event.rows)

    @on(SearchBox.Left)
    def _left_box(self, event: SearchBox.Left) -> None:
        event.stop()
        self.sessions.focus()

    def on_found(self, event: messages.Found) -> None:
        """Results have come; those a key has waited for are there already."""
        if event is not self._drawn:
            self._show_found(event)
            self._paint_found()

    def _paint_found(self) -> None:
        rows = self.sessions
        self.paint(self.box, self.found, rows, rows.vertical_scrollbar)

    def _show_found(self, event: messages.Found) -> None:
        """Show results, unless newer ones are on their way."""
        self._drawn = event
        if event.generation != self.app.engine.generation:
            return
        self.query_now = event.query
        if not event.query.text.strip():
            self.holds_any = bool(event.sids)
            self.list_answered()
        rows = SessionRows(event.sids, event.groups, event.counts, event.grouping)
        rows.details.update(event.details)
        stay = Stay.IF_CHOSEN if event.later else Stay.NO
        if event.refresh:
            # Nobody has chosen the session that came first: the newest is on top in the end.
            stay = Stay.IF_CHOSEN if self._filling and not self.app.keys.used else Stay.YES
            self._filling = self._filling and self.importing
        searching = bool(event.query.terms)
        self.sessions.show(rows, searching=searching, stay=stay)
        self.app.engine.snippets = self.sessions.rows_seen
        self.found.update(_summary(event, searching), layout=False)
        self._problems, self._notice = event.problems, event.notice
        self.box.mark(event.text, [(fault.start, fault.end) for fault in event.problems])
        self._hint()
        self.list_counted()
        if searching and not event.refresh:
            stage = "ranked" if event.later else "first"
            self.app.writer.searched(stage, event.took_ms / 1000)
        self._shown = event.generation
        if self._choose:
            self._choose = False
            self.sessions.action_choose()

    def on_rows_found(self, event: messages.RowsFound) -> None:
        """Details of rows that came into view."""
        if event.generation == self.app.engine.generation:
            self.sessions.update_details(event.details)

    @on(SessionList.RowsWanted)
    def _rows_wanted(self, event: SessionList.RowsWanted) -> None:
        event.stop()
        self.app.engine.rows(event.sids)

    def _hint(self) -> None:
        """The line under the search box: what Tab puts in, what is wrong, what was corrected."""
        hint = Content("")
        if self._choices:
            first, *others = (clean_line(choice, 40) for choice in self._choices[:8])
            hint = Content.assemble(("Tab ", "bold $primary"), (first, "$foreground"))
            hint += Content("".join(f"  {other}" for other in others))
        elif self._problems:
            more = f" (and {len(self._problems) - 1} more)" if len(self._problems) > 1 else ""
            hint = Content.styled(f"{clean_line(self._problems[0].message)}{more}", "$error")
        elif self._notice:
            hint = Content.styled(clean_line(self._notice), "$warning")
        if hint != self._hinted:
            self._hinted = hint
            self.top.border_subtitle = hint


def _summary(event: messages.Found, searching: bool) -> Content:
    """What stands at the right of the search box."""
    number = len(event.sids)
    more = "" if event.complete else "+"
    sessions = f"{number:,}{more} session{'' if number == 1 and event.complete else 's'}"
    found_by_id = event.complete and not event.hits and number
    if not searching or found_by_id:
        return Content(sessions)
    return Content(f"{event.hits:,}{more} hit{'' if event.hits == 1 else 's'} in {sessions}")
