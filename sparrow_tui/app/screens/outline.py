"""The outline of a session: type to narrow, Enter goes there."""

from __future__ import annotations

from threading import Thread
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from sparrow_tui.app.outline import Item, outline
from sparrow_tui.app.outline_items import OutlineItems, Picked
from sparrow_tui.app.widgets.outline_list import OutlineList
from sparrow_tui.store import open_store
from sparrow_tui.store.base import Interrupted, StoreError


class OutlineScreen(ModalScreen[int | None]):
    """Gives the ``turn_index`` to go to, or ``None``."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Close"),
        Binding("down", "move(1)", show=False),
        Binding("up", "move(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("ctrl+home", "edge(0)", show=False),
        Binding("ctrl+end", "edge(-1)", show=False),
    ]

    def __init__(self, location: str | None, session_id: str, turn: int) -> None:
        """Args: where the store is; which session; the turn one comes from."""
        super().__init__(classes="dialog")
        self._location = location
        self._session = session_id
        self._turn = turn
        self._items = OutlineItems()
        self._matching = Picked(self._items)
        self._complete = False
        self._cut = False
        """Whether the session has more than is listed."""

    def compose(self) -> ComposeResult:
        """A line to type in, the list, a note."""
        with Vertical(classes="dialog--box", id="outline-box"):
            yield Static(Content("Outline"), classes="dialog--title")
            yield Input(placeholder="prompt, edit, error, or any words…", compact=True)
            yield OutlineList(id="outline-list")
            yield Static(Content(""), classes="dialog--note", id="outline-note")

    def on_mount(self) -> None:
        """Read in a thread of its own."""
        Thread(target=self._read, name="outline", daemon=True).start()

    def _read(self) -> None:
        try:
            store = open_store(self._location, readonly=True)
            try:
                store.places.frugal()
                for items in outline(store, self._session):
                    if not self.is_attached:
                        return
                    self.app.call_from_thread(self._add, items)
            finally:
                store.close()
            self.app.call_from_thread(self._add, [], True)
        except (StoreError, Interrupted, RuntimeError):
            return

    @property
    def listing(self) -> OutlineList:
        """The list."""
        return self.query_one(OutlineList)

    def _add(self, items: list[Item], done: bool = False) -> None:
        """More lines were read; the cursor comes to the reader's turn until it is moved."""
        first = len(self._items)
        self._items.add(items)
        self._complete = self._complete or done
        self._cut = self._cut or any(item.kind == "end" for item in items)
        if not self.is_attached:
            return
        fitting = [*self._items.fitting(self._words(), first)]
        self._matching.extend(fitting)
        if self.listing.chosen or not (fitting and self._items.turns[fitting[0]] <= self._turn):
            self.listing.extend()
        else:
            self.listing.show(self._matching, self._matching.at_turn(self._turn))
        self._tell()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        words = self._words()
        self._matching = Picked(self._items, self._items.fitting(words))
        self.listing.chosen = False
        self.listing.show(self._matching, 0 if words else self._matching.at_turn(self._turn))
        self._tell()

    def _words(self) -> list[str]:
        return self.query_one(Input).value.lower().split()

    def _tell(self) -> None:
        number = len(self._items)
        note = f"{number:,} line{'' if number == 1 else 's'}"
        note += "" if self._complete else " so far"
        if self._words():
            note = f"{len(self._matching):,} of {note}"
        if not self._items and self._complete:
            note = "no prompts, edits, errors or sub-agents in this session"
        if self._cut:
            note += "; the session has more"
        self.query_one("#outline-note", Static).update(Content(f"{note}.  Enter goes there."))

    def action_move(self, rows: int) -> None:
        """Move in the list while the line keeps the focus."""
        self.listing.action_move(rows)

    def action_page(self, pages: int) -> None:
        """Move in the list by pages."""
        self.listing.action_page(pages)

    def action_edge(self, row: int) -> None:
        """The first or last line."""
        if row:
            self.listing.action_last()
        else:
            self.listing.action_first()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        if self.listing.current is not None:
            self.dismiss(self.listing.current.turn)

    @on(OutlineList.Chosen)
    def _chosen(self, event: OutlineList.Chosen) -> None:
        event.stop()
        self.dismiss(event.item.turn)

    def action_leave(self) -> None:
        """Close without going anywhere."""
        self.dismiss(None)
