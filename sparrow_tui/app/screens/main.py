"""The main screen: search, sessions, transcript and counters side by side, and what joins them."""

from __future__ import annotations

import time
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from sparrow_tui.app import messages
from sparrow_tui.app.screens.counters import Counting
from sparrow_tui.app.screens.help import HelpScreen, declared
from sparrow_tui.app.screens.searching import Searching
from sparrow_tui.app.screens.taking_actions import TakingActions
from sparrow_tui.app.syncing import in_words
from sparrow_tui.app.transcript_loader import TranscriptLoader
from sparrow_tui.app.widgets.find_bar import FindBar, FindText
from sparrow_tui.app.widgets.first_run import FirstRun
from sparrow_tui.app.widgets.heading import Heading
from sparrow_tui.app.widgets.kept_lines import KeptHorizontal, KeptStatic, KeptVertical
from sparrow_tui.app.widgets.key_line import KeyLine
from sparrow_tui.app.widgets.metrics_footer import MetricsFooter
from sparrow_tui.app.widgets.search_box import SearchBox
from sparrow_tui.app.widgets.session_list import SessionList
from sparrow_tui.app.widgets.transcript_view import TranscriptView
from sparrow_tui.sanitize import clean_line

TYPED = frozenset(
    ("help", "search", "cycle_scope", "dashboard", "endpoints", "leave", "pin", "rename", "tag",
     "hide", "info", "unmark", "delete", "resume", "copy_resume", "export", "pager", "editor")
)  # fmt: skip
"""Actions whose keys are letters."""

CHANGING = frozenset(
    ("cycle_agent", "cycle_role", "cycle_span", "cycle_sort", "here", "toggle_children",
     "cycle_group", "searches", "save_search")
)  # fmt: skip
"""Actions that change what is searched for."""

FIRST_KEYS = (
    "search", "back", "leave", "quit", "dashboard", "cycle_agent", "here", "cycle_span",
)  # fmt: skip
"""Actions the key line has room for first, after those of the pane with the focus."""

MARKED_KEYS = ("p pin", "t tag", "x hide", "Del delete", "a none")
"""What can be done with several sessions."""

SAID_SECONDS = 10.0
"""How long a sentence about a failure is not repeated."""


class MainScreen(Counting, TakingActions, Searching):
    """Keys go to the search engine, results to the list, the selection to the transcript."""

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
        Binding("q", "leave", "Quit", id="main.quit"),
    ]
    HELP = "The main screen."

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[str, float] = {}
        """Sentences about failures, and when they were last said."""
        self._import = ""
        self._missed = False
        """Something was written while another screen lay on top."""

    def compose(self) -> ComposeResult:
        """Search line; list and transcript; counters; keys."""
        with KeptHorizontal(id="top"):
            yield KeptStatic(Content("◆"), id="prompt")
            yield SearchBox(self.app.engine.complete, self.ask, id="search")
            yield KeptStatic(Content(""), id="found")
        with KeptHorizontal(id="panes"):
            yield SessionList(id="sessions", present=self.app.present)
            yield KeptStatic(id="divider")
            with KeptVertical(id="reading", classes="-behind"):
                yield Heading(id="heading", present=self.app.present)
                loader = TranscriptLoader(self.app.location, lambda told: view.post_message(told))
                view = TranscriptView(loader, places=self.app.places, id="transcript")
                yield view
                yield FindBar(present=self.app.present, id="find")
            yield FirstRun(id="empty")
        yield MetricsFooter(id="metrics")
        yield KeyLine(FIRST_KEYS, id="keys")

    def on_mount(self) -> None:
        """There is a screen to answer to: let the app begin."""
        self.transcript.loader.start()
        self.begin_counting()
        self._caption()
        self.app.begin()

    def list_changed(self) -> None:
        """Say so over the search box."""
        self._caption()

    @on(SessionList.Marked)
    def _marked(self, event: SessionList.Marked) -> None:
        event.stop()
        self._caption()

    def _caption(self) -> None:
        """Over the search box: what list and import do, or what can be done with a selection."""
        grouping = self.app.settings.group
        said = [f"by {grouping}" if grouping else ""]
        said.append("with sub-agents" if self.app.settings.show_children else "")
        said.append(clean_line(self._import))
        if self.sessions.marked:
            said = [f"{len(self.sessions.marked):,} selected", *MARKED_KEYS]
        text = " · ".join(part for part in said if part)
        self.top.border_title = Content(text)

    # What happens beside the user

    def on_store_changed(self, event: messages.StoreChanged) -> None:
        """Something was written: the transcript shown may have grown."""
        self.store_counted()
        self._missed = not self.is_active
        if self.session is not None and not self._missed:
            self.app.engine.open(self.session.id, refresh=True)

    def on_screen_suspend(self) -> None:
        """Another screen lies on top. Textual would draw it anew with each change below."""
        self.app.engine.hold(True)

    def on_screen_resume(self) -> None:
        """What has happened in the meantime."""
        self.app.engine.hold(False)
        if self.is_mounted:
            self._caption()
            self.metrics.show(self.figures)
        if self._missed and self.session is not None:
            self.app.engine.open(self.session.id, refresh=True)
        self._missed = False

    def on_sync_told(self, event: messages.SyncTold) -> None:
        """The import beside the app: a word on the search box's border."""
        self._import = in_words(event.progress)
        if self.is_active:
            self._caption()
        self.importing = event.progress.phase not in ("watching", "failed")
        self.list_answered()

    def on_engine_failed(self, event: messages.EngineFailed) -> None:
        """Something could not be done: say so, once as long as it stands on the screen."""
        told = time.monotonic()
        if told - self._told.get(event.sentence, -SAID_SECONDS) < SAID_SECONDS:
            return
        self._told[event.sentence] = told
        self.app.notify(event.sentence, severity="error", markup=False)

    def list_answered(self) -> None:
        """With nothing to show, say where was looked and what can be done."""
        empty = not self.holds_any and not self.box.value
        panes = self.query_one("#panes")
        if empty:
            self.query_one(FirstRun).say(self.app.places_looked(), self.importing)
        if empty != panes.has_class("-empty"):
            page = self.query_one(FirstRun)
            had_focus = page.has_focus
            panes.set_class(empty, "-empty")
            if empty:
                page.focus()
            elif had_focus:
                self.box.focus()

    def on_descendant_focus(self) -> None:
        """In narrow terminals the pane with the focus is the one that shows."""
        focused = self.focused
        self.divider.set_class(isinstance(focused, SessionList), "-listing")
        if isinstance(focused, SearchBox | SessionList):
            self.make_room(False)

    # Keys

    def action_search(self) -> None:
        """Go to the search box."""
        self.box.focus()
        self.box.action_end()

    def action_back(self) -> None:
        """From a sub-agent to its parent, from the transcript to the list, then to the box."""
        if self.back_to_parent():
            return
        if self.transcript.has_focus_within:
            self.sessions.focus()
        else:
            self.box.focus()

    def action_list_page(self, pages: int) -> None:
        """Page through the list from the search box."""
        self.sessions.action_page(pages)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Letters are text while one types; a text to find leaves the search as it is."""
        if action in CHANGING:
            return not isinstance(self.focused, FindText)
        return not (action in TYPED and isinstance(self.focused, Input))

    def action_leave(self) -> None:
        """Quit."""
        self.app.call_later(self.app.action_quit)

    def action_show_help(self) -> None:
        """Every key."""
        self.action_help()

    def action_help(self) -> None:
        """Every key; those of the pane one is in come first."""
        panes: list[tuple[str, Widget]] = [
            ("Search box", self.box),
            ("Sessions", self.sessions),
            ("Transcript", self.transcript),
        ]
        here = self.focused.ancestors_with_self if self.focused is not None else ()
        panes.sort(key=lambda pane: pane[1] not in here)
        sections = [(heading, [*declared(pane)]) for heading, pane in panes]
        own = [*declared(self)]
        acts = [binding for binding in own if (binding.id or "").startswith("session.")]
        place = next(n for n, (_, pane) in enumerate(panes) if pane is self.sessions)
        sections.insert(place + 1, ("With a session, or those selected", acts))
        sections.append(("Everywhere", [binding for binding in own if binding not in acts]))
        self.app.push_screen(HelpScreen(sections))
