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
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from sparrow_tui.app.outline import Item, outline
from sparrow_tui.store import open_store
from sparrow_tui.store.base import Interrupted, StoreError

SHOWN = 500
"""Lines in the list at once; typing narrows."""

MARKS = {
    "prompt": ("◆", "$primary"),
    "edit": ("✎", "$success"),
    "error": ("✗", "$error"),
    "sub-agent": ("↳", "$secondary"),
    "compaction": ("≡", "$warning"),
}


class OutlineScreen(ModalScreen[int | None]):
    """Gives the ``turn_index`` to go to, or ``None``."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Close"),
        Binding("down", "move(1)", show=False),
        Binding("up", "move(-1)", show=False),
        Binding("pagedown", "move(10)", show=False),
        Binding("pageup", "move(-10)", show=False),
    ]

    def __init__(self, location: str | None, session_id: str, turn: int) -> None:
        """Args: where the store is; which session; the turn one comes from."""
        super().__init__(classes="dialog")
        self._location = location
        self._session = session_id
        self._turn = turn
        self._items: list[Item] = []
        self._matching: list[Item] = []
        self._complete = False

    def compose(self) -> ComposeResult:
        """A line to type in, the list, a note."""
        with Vertical(classes="dialog--box", id="outline-box"):
            yield Static(Content("Outline"), classes="dialog--title")
            yield Input(placeholder="prompt, edit, error, or any words…", compact=True)
            yield OptionList(id="outline-list", compact=True, markup=False)
            yield Static(Content(""), classes="dialog--note", id="outline-note")

    def on_mount(self) -> None:
        """Read in a thread of its own."""
        self.query_one(OptionList).can_focus = False
        Thread(target=self._read, name="outline", daemon=True).start()

    def _read(self) -> None:
        try:
            store = open_store(self._location, readonly=True)
            try:
                for items in outline(store, self._session):
                    if not self.is_attached:
                        return
                    self.app.call_from_thread(self._add, items)
            finally:
                store.close()
            self.app.call_from_thread(self._add, [], True)
        except (StoreError, Interrupted, RuntimeError):
            return

    def _add(self, items: list[Item], done: bool = False) -> None:
        few = len(self._matching) < SHOWN
        self._items.extend(items)
        self._complete = self._complete or done
        if self.is_attached and (few or done):
            self._fill()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._fill()

    def _fill(self) -> None:
        """Show what fits the typed words."""
        words = self.query_one(Input).value.lower().split()
        self._matching = [
            item
            for item in self._items
            if all(word in f"{item.kind} {item.text}".lower() for word in words)
        ]
        near = 0
        if not words:
            near = max(
                (n for n, item in enumerate(self._matching) if item.turn <= self._turn), default=0
            )
        first = max(0, near - SHOWN // 2)
        self._matching = self._matching[first:]
        shown = self._matching[:SHOWN]
        listing = self.query_one(OptionList)
        listing.clear_options()
        listing.add_options([Option(_line(item)) for item in shown])
        if shown:
            listing.highlighted = min(near - first, len(shown) - 1)
        more = len(self._matching) - len(shown)
        note = f"{len(self._items):,} lines" + ("" if self._complete else " so far")
        if more:
            note += f"; {more:,} more than shown: type to narrow"
        if not self._items and self._complete:
            note = "no prompts, edits, errors or sub-agents in this session"
        self.query_one("#outline-note", Static).update(Content(f"{note}.  Enter goes there."))

    def action_move(self, rows: int) -> None:
        """Move in the list while the line keeps the focus."""
        listing = self.query_one(OptionList)
        if listing.option_count:
            at = (listing.highlighted or 0) + rows
            listing.highlighted = min(max(at, 0), listing.option_count - 1)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self._choose(self.query_one(OptionList).highlighted)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._choose(event.option_index)

    def _choose(self, row: int | None) -> None:
        if row is not None and row < len(self._matching):
            self.dismiss(self._matching[row].turn)

    def action_leave(self) -> None:
        """Close without going anywhere."""
        self.dismiss(None)


def _line(item: Item) -> Content:
    mark, colour = MARKS.get(item.kind, ("·", "$text-muted"))
    return Content.assemble(
        (f"{item.turn + 1:>6,}  ", "$text-muted"), (f"{mark} ", colour), item.text[:200]
    )
