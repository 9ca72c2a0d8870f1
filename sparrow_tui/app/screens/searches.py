"""Searches that were made or kept: one is chosen, pinned as a counter, or forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from sparrow_tui.sanitize import clean_line
from sparrow_tui.settings import SavedSearch

if TYPE_CHECKING:
    from sparrow_tui.app.app import SparrowApp

EARLIER = 20
"""Earlier searches that are listed below those with a name."""


class SearchesScreen(ModalScreen[str | None]):
    """Gives the text of the search that was chosen."""

    app: SparrowApp

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,f9", "dismiss", "Close"),
        Binding("j", "move(1)", show=False),
        Binding("k", "move(-1)", show=False),
        Binding("p,exclamation_mark", "pin", "Count in the footer, or not"),
        Binding("delete,x", "forget", "Forget"),
    ]

    def __init__(self) -> None:
        super().__init__(classes="dialog")
        self._texts: list[str] = []

    def compose(self) -> ComposeResult:
        """A list, and the keys for it."""
        with Vertical(classes="dialog--box"):
            yield Static(Content("Searches"), classes="dialog--title")
            yield OptionList(id="searches")
            yield Static(
                Content("Enter searches   p counts it in the footer   Del forgets   Esc leaves"),
                classes="dialog--note",
            )

    def on_mount(self) -> None:
        """Fill the list."""
        self._fill(0)
        self.query_one(OptionList).focus()

    def _fill(self, place: int) -> None:
        rows = [*self._rows()]
        self._texts = [text for text, _ in rows]
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(label) for _, label in rows])
        if rows:
            options.highlighted = min(place, len(rows) - 1)
        else:
            words = "None yet: Ctrl+S keeps the search in the box, Enter remembers it."
            options.add_option(Option(Content.styled(words, "$text-muted"), disabled=True))

    def _rows(self) -> Iterator[tuple[str, Content]]:
        settings = self.app.settings
        for saved in settings.saved:
            mark = ("◈ " if saved.pinned else "★ ", "$warning")
            name = (f"{clean_line(saved.name, 24):<24}  ", "bold")
            yield saved.query, Content.assemble(mark, name, clean_line(saved.query, 80))
        named = {saved.query for saved in settings.saved}
        for text in [text for text in settings.searches if text not in named][:EARLIER]:
            yield text, Content.assemble("  ", (clean_line(text, 80), "$text-muted"))

    def action_move(self, rows: int) -> None:
        """Move in the list."""
        options = self.query_one(OptionList)
        options.action_cursor_down() if rows > 0 else options.action_cursor_up()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter or a click: that one."""
        event.stop()
        if event.option_index < len(self._texts):
            self.dismiss(self._texts[event.option_index])

    def action_pin(self) -> None:
        """Count the search in the footer, or no longer."""
        place = self.query_one(OptionList).highlighted
        if place is None or place >= len(self._texts):
            return
        settings = self.app.settings
        if place < len(settings.saved):
            held = settings.saved[place]
            settings.saved[place] = msgspec.structs.replace(held, pinned=not held.pinned)
        else:
            text = self._texts[place]
            settings.saved.append(SavedSearch(text[:24], text, pinned=True))
            place = len(settings.saved) - 1
        self.app.save_settings()
        self._fill(place)

    def action_forget(self) -> None:
        """Take the search out of the list."""
        place = self.query_one(OptionList).highlighted
        if place is None or place >= len(self._texts):
            return
        settings = self.app.settings
        if place < len(settings.saved):
            del settings.saved[place]
        else:
            settings.searches.remove(self._texts[place])
        self.app.save_settings()
        self._fill(place)
