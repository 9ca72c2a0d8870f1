"""The main screen: search, sessions, transcript and counters side by side, and what joins them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Footer, Input, Static

from sparrow_tui import query as language
from sparrow_tui.app import messages
from sparrow_tui.app.counting import SCOPES, count, remote_figures
from sparrow_tui.app.screens.help import HelpScreen
from sparrow_tui.app.screens.outline import OutlineScreen
from sparrow_tui.app.screens.search_actions import SearchActions
from sparrow_tui.app.screens.taking_actions import TakingActions
from sparrow_tui.app.syncing import in_words
from sparrow_tui.app.transcript_loader import TranscriptLoader
from sparrow_tui.app.widgets.find_bar import FindBar
from sparrow_tui.app.widgets.first_run import FirstRun
from sparrow_tui.app.widgets.heading import Heading
from sparrow_tui.app.widgets.metrics_footer import Figures, MetricsFooter
from sparrow_tui.app.widgets.search_box import SearchBox
from sparrow_tui.app.widgets.session_list import SessionList
from sparrow_tui.app.widgets.session_row import Look
from sparrow_tui.app.widgets.transcript_view import TranscriptView
from sparrow_tui.metrics.remote import Remote
from sparrow_tui.sanitize import clean_line
from sparrow_tui.store.base import Session, SessionHit
from sparrow_tui.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from sparrow_tui.app.app import SparrowApp


TYPED = frozenset(
    ("help", "search", "cycle_scope", "dashboard", "leave", "pin", "rename", "tag", "hide",
     "info", "unmark", "delete", "resume", "copy_resume", "export", "pager", "editor")
)  # fmt: skip
"""Actions whose keys are letters."""


class MainScreen(TakingActions, SearchActions):
    """Keys go to the search engine, results to the list, the selection to the transcript."""

    app: SparrowApp

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
    AUTO_FOCUS = "#search"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", key_display="/", id="main.search"),
        Binding("question_mark", "help", "Help", key_display="?", id="main.help"),
        Binding("f1", "show_help", "Help", show=False, id="main.helpanywhere"),
        Binding("tab", "app.focus_next", "Next pane", show=False, id="main.next"),
        Binding("shift+tab", "app.focus_previous", "Previous pane", show=False, id="main.previous"),
        Binding("escape", "back", "Back", id="main.back"),
        Binding("pagedown", "list_page(1)", "Page down", show=False),
        Binding("pageup", "list_page(-1)", "Page up", show=False),
        Binding("c", "cycle_scope", "Counter scope", id="main.scope"),
        Binding("D", "dashboard", "Dashboard", key_display="D", id="main.dashboard"),
        Binding("q", "leave", "Quit", id="main.quit"),
    ]
    HELP = "The main screen."

    def __init__(self) -> None:
        super().__init__()
        self.query_now = language.parse("")
        self.session: Session | None = None
        """What the transcript shows."""
        self._scope = (*self.app.remotes.scopes, *SCOPES)[0]
        """What is counted: what the user named on the command line comes first."""
        self._remotes: dict[str, Remote] = {}
        self._counting = False
        self._count_again = False
        self._holds_any = True
        self._syncing = self.app.syncing is not None
        self._trail: list[tuple[str, int | None]] = []
        """Sessions one came from through sub-agent cards: (id, turn)."""

    def compose(self) -> ComposeResult:
        """Search line; list and transcript; counters; keys."""
        with Horizontal(id="top"):
            yield Static(Content("◆"), id="prompt")
            yield SearchBox(self.app.engine.complete, id="search")
            yield Static(Content(""), id="found")
        with Horizontal(id="panes"):
            yield SessionList(id="sessions", present=self.app.present)
            with Vertical(id="reading"):
                yield Heading(id="heading", present=self.app.present)
                loader = TranscriptLoader(self.app.location, self._from_loader)
                yield TranscriptView(loader, places=self.app.places, id="transcript")
                yield FindBar(present=self.app.present, id="find")
            yield FirstRun(id="empty")
        yield MetricsFooter(id="metrics")
        yield Footer(id="keys", show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """There is a screen to answer to: let the app begin."""
        self.transcript.loader.start()
        self.call_after_refresh(self.count)
        self.set_interval(20, self.count)
        self.app.begin()

    def _from_loader(self, message: Message) -> None:
        """The loader's thread answers the viewer; dropped if the app is gone."""
        if self.app.is_running and self.is_attached:
            self.transcript.post_message(message)

    # Typing and results

    @on(Input.Changed, "#search")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.app.engine.search(event.value)

    @on(Input.Submitted, "#search")
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.app.remember_search(event.value)
        self.sessions.action_choose()

    @on(SearchBox.Moved)
    def _moved_from_box(self, event: SearchBox.Moved) -> None:
        event.stop()
        self.sessions.action_move(event.rows)

    @on(SearchBox.Left)
    def _left_box(self, event: SearchBox.Left) -> None:
        event.stop()
        self.sessions.focus()

    def on_found(self, event: messages.Found) -> None:
        """Results: show them, unless newer ones are on their way."""
        if event.generation != self.app.engine.generation:
            return
        self.query_now = event.query
        if not event.query.text.strip():
            self._holds_any = bool(event.sids)
            self._first_run()
        searching = bool(event.query.terms)
        self.sessions.show(
            event.sids, event.details, event.counts, searching=searching, keep=event.refresh
        )
        self.query_one("#found", Static).update(self._summary(event, searching))
        if self._scope == "list":
            self.count()

    def on_rows_found(self, event: messages.RowsFound) -> None:
        """Details of rows that came into view."""
        if event.generation == self.app.engine.generation:
            self.sessions.update_details(event.details)

    @on(SessionList.RowsWanted)
    def _rows_wanted(self, event: SessionList.RowsWanted) -> None:
        event.stop()
        self.app.engine.rows(event.sids)

    def _summary(self, event: messages.Found, searching: bool) -> Content:
        """What stands at the right of the search box."""
        sessions = f"{len(event.sids):,} session{'' if len(event.sids) == 1 else 's'}"
        if not searching:
            return Content(sessions)
        more = "" if event.complete else "+"
        text = f"{event.hits:,}{more} hits in {sessions}{more}"
        if event.notice:
            return Content.assemble((f"{event.notice}  ", "$warning"), text)
        return Content(text)

    # Counters

    def count(self) -> None:
        """Bring the footer up to date, in the engine's own time."""
        if self._scope in self.app.remotes.scopes:
            remote = self._remotes.get(self._scope, Remote(problem="asking…", of=1))
            self.query_one(MetricsFooter).show(remote_figures(self._scope, remote))
            return
        if self._counting:
            self._count_again = True
            return
        self._counting = True
        app, sids = self.app, self.sessions.sids
        session = self.session.sid if self.session is not None else None

        def job(store: SqliteStore) -> None:
            figures: Figures | None = None  # stays so if a new search cuts this short
            try:
                figures = count(
                    store, self._scope, sids=sids, session=session,
                    saved=app.settings.saved, now=app.present(),
                )  # fmt: skip
            finally:
                app.from_thread(messages.Call(lambda: self._counted(figures)))

        app.engine.run_job(job)

    def _counted(self, figures: Figures | None = None) -> None:
        self._counting = False
        if figures is not None and figures.scope == self._scope:
            self.query_one(MetricsFooter).show(figures)
        if self._count_again:
            self._count_again = False
            self.set_timer(0.2, self.count)

    def action_cycle_scope(self) -> None:
        """Counters of everything, of the list, of the session shown, or from elsewhere."""
        scopes = (*SCOPES, *self.app.remotes.scopes)
        self._scope = scopes[(scopes.index(self._scope) + 1) % len(scopes)]
        self.count()

    def on_remote_told(self, event: messages.RemoteTold) -> None:
        """Counters elsewhere: shown if their scope is on."""
        self._remotes[event.scope] = event.remote
        if self._scope == event.scope:
            self.count()

    # What happens beside the user

    def on_store_changed(self, event: messages.StoreChanged) -> None:
        """Something was written: the transcript shown may have grown."""
        if self.session is not None:
            self.app.engine.open(self.session.id, refresh=True)
        self.count()

    def on_sync_told(self, event: messages.SyncTold) -> None:
        """The import beside the app: a word on the search box's border."""
        said = in_words(event.progress)
        self.query_one("#top").border_subtitle = Content(clean_line(said))
        self._syncing = event.progress.phase not in ("watching", "failed")
        self._first_run()

    def on_engine_failed(self, event: messages.EngineFailed) -> None:
        """Something could not be done: say so."""
        self.app.notify(event.sentence, severity="error", markup=False)

    def _first_run(self) -> None:
        """With nothing to show, say where was looked and what can be done."""
        empty = not self._holds_any and not self.box.value
        panes = self.query_one("#panes")
        if empty:
            self.query_one(FirstRun).say(self.app.places_looked(), self._syncing)
        if empty != panes.has_class("-empty"):
            page = self.query_one(FirstRun)
            had_focus = page.has_focus
            panes.set_class(empty, "-empty")
            if empty:
                page.focus()
            elif had_focus:
                self.box.focus()

    # Reading

    @on(SessionList.Highlighted)
    def _highlighted(self, event: SessionList.Highlighted) -> None:
        event.stop()
        if isinstance(event, SessionList.Chosen):
            return
        self._trail.clear()
        self.app.engine.open(event.sid, self._turn_of(event.hit))

    @on(SessionList.Chosen)
    def _chosen(self, event: SessionList.Chosen) -> None:
        event.stop()
        self.app.remember_search(self.box.value)
        self.app.engine.open(event.sid, self._turn_of(event.hit), focus=True)

    @staticmethod
    def _turn_of(hit: SessionHit | None) -> int | None:
        return (
            hit.best.turn
            if hit is not None and hit.best is not None and hit.best.turn >= 0
            else None
        )

    def on_session_found(self, event: messages.SessionFound) -> None:
        """A session to show."""
        view = self.transcript
        same = self.session is not None and self.session.id == event.session.id
        self.session = event.session
        if self._scope == "session" and not same:
            self.count()
        self._head()
        if same and event.refresh:
            view.turns_appended(event.session.turns)
        elif not same or event.turn is not None or event.focus:
            view.open(
                event.session,
                at=event.turn,
                hits=list(event.hits),
                highlight=self.app.highlighter(event.query),
            )
        if event.focus:
            self.set_class(True, "-reading")
            view.focus()

    def _head(self) -> None:
        if self.session is not None:
            look = self.app.looks.get(self.session.agent)
            self.query_one("#heading", Heading).show(self.session, look)

    def set_looks(self, looks: Mapping[str, Look]) -> None:
        """How agents are named and coloured has become known."""
        self.sessions.set_looks(looks)
        self._head()

    @on(TranscriptView.OpenChild)
    def _open_child(self, event: TranscriptView.OpenChild) -> None:
        event.stop()
        if self.session is not None:
            self._trail.append((self.session.id, self.transcript.current_turn))
        self.app.engine.open(event.session_id, focus=True)

    def on_descendant_focus(self) -> None:
        """In narrow terminals the pane with the focus is the one that shows."""
        focused = self.focused
        if isinstance(focused, SearchBox | SessionList):
            self.remove_class("-reading")

    @on(TranscriptView.Asked)
    def _asked(self, event: TranscriptView.Asked) -> None:
        event.stop()
        if event.what in ("find", "goto"):
            self.find_bar.ask(event.what, self.transcript.model.total)
        elif event.what == "outline" and self.session is not None:
            outline = OutlineScreen(
                self.app.location, self.session.id, self.transcript.current_turn
            )
            self.app.push_screen(
                outline, lambda turn: None if turn is None else self.transcript.to_turn(turn)
            )

    @on(FindBar.Find)
    def _find(self, event: FindBar.Find) -> None:
        event.stop()
        wanted = event.pattern
        self.transcript.find(wanted.fits if wanted else None, wanted.spots if wanted else None)

    @on(FindBar.Goto)
    def _goto(self, event: FindBar.Goto) -> None:
        event.stop()
        if event.kind == "time":
            self.transcript.to_time(event.value)
        else:
            self.transcript.to_turn(event.value)

    @on(FindBar.Step)
    def _find_step(self, event: FindBar.Step) -> None:
        event.stop()
        self.transcript.action_match(event.step)

    @on(FindBar.Left)
    def _find_left(self, event: FindBar.Left) -> None:
        event.stop()
        self.transcript.focus()

    # Keys

    def action_search(self) -> None:
        """Go to the search box."""
        self.box.focus()
        self.box.action_end()

    def action_back(self) -> None:
        """From a sub-agent to its parent, from the transcript to the list, then to the box."""
        if self._trail:
            session_id, turn = self._trail.pop()
            self.app.engine.open(session_id, turn, focus=True)
        elif self.transcript.has_focus_within:
            self.sessions.focus()
        else:
            self.box.focus()

    def action_list_page(self, pages: int) -> None:
        """Page through the list from the search box."""
        self.sessions.action_page(pages)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Letters are text while one types: their keys are not offered then."""
        return not (action in TYPED and isinstance(self.focused, Input))

    def action_leave(self) -> None:
        """Quit."""
        self.app.call_later(self.app.action_quit)

    def action_show_help(self) -> None:
        """Every key."""
        self.action_help()

    def action_help(self) -> None:
        """Every key."""
        sections = [
            ("Search box", self.box),
            ("Sessions", self.sessions),
            ("Transcript", self.transcript),
            ("Everywhere", self),
        ]
        self.app.push_screen(HelpScreen(sections))

    @property
    def sessions(self) -> SessionList:
        """The list."""
        return self.query_one("#sessions", SessionList)

    @property
    def transcript(self) -> TranscriptView:
        """The viewer."""
        return self.query_one("#transcript", TranscriptView)

    @property
    def find_bar(self) -> FindBar:
        """The line that finds inside the session shown."""
        return self.query_one("#find", FindBar)

    @property
    def box(self) -> SearchBox:
        """The search box."""
        return self.query_one("#search", SearchBox)
