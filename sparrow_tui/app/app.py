"""The app: joins the threads, the screens, the user's settings and the fate of errors."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from rich.console import RenderableType
from rich.text import Text as RichText
from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.filter import LineFilter
from textual.message import Message
from textual.screen import Screen

from sparrow_tui import query as language
from sparrow_tui import settings as preferences
from sparrow_tui.agents.base import Place, is_there
from sparrow_tui.agents.registry import agents
from sparrow_tui.app import clock, hangup, reading_places
from sparrow_tui.app.alignment import aligned
from sparrow_tui.app.commands import Commands
from sparrow_tui.app.garbage import QUIET, Collector
from sparrow_tui.app.guard import ControlGuard
from sparrow_tui.app.key_order import KeyOrder
from sparrow_tui.app.remotes import Remotes
from sparrow_tui.app.screens.main import MainScreen
from sparrow_tui.app.search_engine import SearchEngine
from sparrow_tui.app.store_writer import StoreWriter
from sparrow_tui.app.syncing import Syncing
from sparrow_tui.app.themes import DEFAULT, THEMES, chart_colours, initial_theme, readable
from sparrow_tui.app.transcript_places import Left
from sparrow_tui.app.widgets.session_row import Look
from sparrow_tui.faultlog import record
from sparrow_tui.paths import stylesheet
from sparrow_tui.resume import Command
from sparrow_tui.store.sqlite import SqliteStore

DEMO = "demo"
"""The app's result when the user wants to see the demo library."""

Highlighter = Callable[[str], Sequence[tuple[int, int]]]


class SparrowApp(App[str]):
    """Sessions of every agent: found, read and counted."""

    CSS_PATH = stylesheet()
    TITLE = "Sparrow"
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (10, "-roomy")]
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {Commands}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "Quit", show=False, priority=True, id="app.quit"),
        Binding("ctrl+p", "command_palette", "Commands", show=False, id="app.palette"),
    ]

    def __init__(
        self,
        location: str | None = None,
        *,
        sync: bool = True,
        paths: Sequence[str] = (),
        present: clock.Clock = clock.now,
        settings: preferences.Settings | None = None,
        here: Path | None = None,
        scrape: Sequence[str] = (),
        prometheus: str | None = None,
    ) -> None:
        """Prepare the app.

        Args:
            location: the store (see `sparrow_tui.store.location`).
            sync: whether to bring the store up to date in the background.
            paths: files and directories to import; none: every agent's own places.
            present: the clock ages are shown by.
            settings: the user's choices; ``None``: those on disk.
            here: the directory "this project" means.
            scrape: addresses of endpoints whose counters are shown too.
            prometheus: address of a Prometheus server whose counters are shown too.

        Raises:
            AddressError: one of these is no address.
        """
        super().__init__()
        self.location = location
        self.present = present
        self._persist = settings is None
        self.settings = preferences.load() if settings is None else settings
        self.here = here or Path.cwd()
        self.places: dict[str, Left] = reading_places.load() if settings is None else {}
        """Where each session was left in the viewer."""
        self.looks: dict[str, Look] = {}
        self.agents_held: list[str] = []
        self.fault = ""
        """What to tell the user after a fault of ours ended the app."""
        self.leaving_for: Command | None = None
        """What to run once the terminal is free."""
        self.engine = SearchEngine(location, self.from_thread)
        self.writer = StoreWriter(location, self.from_thread)
        self.syncing = Syncing(self.from_thread, location, paths) if sync else None
        self.remotes = Remotes(self.from_thread, scrape, prometheus)
        self.keys = KeyOrder(self, super().on_event)
        self.garbage = Collector()
        self.animation_level = "none"
        # One for all: lines remember what a filter has made of them.
        self._guard = ControlGuard()
        for theme in THEMES:
            self.register_theme(theme)

    def from_thread(self, message: Message) -> None:
        """A thread has something for the main screen; dropped if the app is gone."""
        if self.is_running and self.screen_stack:
            self.screen_stack[0].post_message(message)

    async def on_event(self, event: events.Event) -> None:
        """Keys one after the other, whatever speed they come at."""
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            self.garbage.key_pressed()
            await self.keys.take(event)
        else:
            await super().on_event(event)

    def get_default_screen(self) -> Screen[None]:
        """The main screen."""
        return MainScreen()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """The backstop against control characters runs over everything drawn."""
        return [*super().get_line_filters(), self._guard]

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        super()._display(screen, aligned(renderable))

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Variables that themes not of ours lack."""
        return chart_colours(DEFAULT)

    def on_mount(self) -> None:
        """Colours first: nothing is drawn in another theme."""
        wanted = initial_theme(self.settings.theme)
        self.theme = wanted if wanted in self.available_themes else DEFAULT
        self.theme_changed_signal.subscribe(self, self._theme_changed)
        self._leave_on_signals()

    def _leave_on_signals(self) -> None:
        """Being told to end is no reason to leave the terminal in disorder."""
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None:
                with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                    loop.add_signal_handler(number, self._leave, 128 + number)

    def _leave_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        with contextlib.suppress(RuntimeError):  # it has left
            loop.call_soon_threadsafe(self._leave, hangup.ENDED)

    def _leave(self, code: int) -> None:
        self._stop_threads()
        self.exit(return_code=code)

    def on_unmount(self) -> None:
        """However the app ends, nothing of it goes on asking the store."""
        self._stop_threads()
        self.garbage.end()

    def _stop_threads(self) -> None:
        self.engine.stop()
        self.remotes.stop()
        self.writer.stop()
        if self.syncing is not None:
            self.syncing.stop()

    def begin(self) -> None:
        """The main screen stands: start the engine that answers to it."""
        self.main.box.history = self.settings.searches
        self.engine.show_children(self.settings.show_children)
        self.engine.group(self.settings.group)
        self.engine.start()
        self.call_after_refresh(self._settle)

    def _settle(self) -> None:
        """After the first frame: what it did not need."""
        self._name_agents()
        self.engine.run_job(self._count_agents)
        self.garbage.begin()
        self.set_interval(QUIET, self.garbage.sweep)
        if not self.is_headless:
            loop = asyncio.get_running_loop()
            hangup.watch(lambda: self._leave_soon(loop))
        if self.syncing is not None:
            self.syncing.start()
        self.remotes.start()

    def _count_agents(self, store: SqliteStore) -> None:
        """On the engine's thread: which agents there are, most sessions first."""
        self.agents_held = [*store.reader.agents()]

    def action_show_demo(self) -> None:
        """End, to begin again with the demo library."""
        self.exit(DEMO)

    def leave_for(self, chosen: Command) -> None:
        """End, to become an agent's program."""
        self.leaving_for = chosen
        self.call_later(self.action_quit)

    def places_looked(self) -> list[tuple[str, str, bool]]:
        """Where sessions are looked for: agent, place, whether it exists."""
        place = Place.here()
        home = str(place.home)
        looked = []
        for agent in agents().values():
            roots = agent.roots(place)
            there = [root for root in roots if is_there(root)]
            if roots:
                shown = str(there[0] if there else roots[0])
                shown = f"~{shown[len(home) :]}" if shown.startswith(home) else shown
                looked.append((agent.label, shown, bool(there)))
        return looked

    @property
    def main(self) -> MainScreen:
        """The main screen, whatever lies on top of it."""
        screen = self.screen_stack[0]
        assert isinstance(screen, MainScreen)
        return screen

    def highlighter(self, query: language.Query | None) -> Highlighter | None:
        """A function that finds a query's words in displayed text."""
        if query is None or not query.terms:
            return None
        return lambda text: language.highlight(text, query)

    def remember_search(self, text: str) -> None:
        """Keep a search that led somewhere."""
        if text.strip():
            self.settings.remember_search(text)
            self.main.box.history = self.settings.searches
            self.save_settings()

    def forget_search(self, name: str) -> None:
        """Drop a saved search."""
        self.settings.saved = [s for s in self.settings.saved if s.name != name]
        self.save_settings()

    def save_settings(self) -> None:
        """Write the user's choices down."""
        if self._persist:
            preferences.save(self.settings)

    def _name_agents(self) -> None:
        """Agents in their colours, as far as these can be read in the theme."""
        theme = self.current_theme
        self.looks = {
            name: Look(agent.label, readable(agent.color, theme))
            for name, agent in agents().items()
        }
        self.main.set_looks(self.looks)

    def _theme_changed(self, theme: object) -> None:
        if self.looks:
            self._name_agents()
        if self.settings.theme != self.theme:
            self.settings.theme = self.theme
            self.save_settings()

    def _handle_exception(self, error: Exception) -> None:
        where = record(error)
        details = f"details are in {where}" if where else "the log could not be written"
        self.fault = (
            f"something went wrong that should not have ({type(error).__name__}); {details}"
        )
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        # Textual prints a trace with the values of variables, which quote people's sessions.
        self._exit_renderables.append(RichText(f"sparrow-tui: {self.fault}"))
        self._close_messages_no_wait()

    async def action_quit(self) -> None:
        """Leave at once: threads are daemons, the sync process ends with its pipe."""
        self.main.transcript.remember()
        if self._persist:
            reading_places.save(self.places)
        self._stop_threads()
        self.exit()
