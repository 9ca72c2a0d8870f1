"""Small questions: a line of text, or yes and no."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from sparrow_tui.sanitize import clean

CLOSES = "Esc closes · ↑↓ PgDn more"
"""What stands on the edge of a page that lies over the others."""


class AskLine(ModalScreen[str | None]):
    """Asks for one line; gives ``None`` if the user thinks better of it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", "Cancel")]

    def __init__(self, title: str, value: str = "", note: str = "", placeholder: str = "") -> None:
        super().__init__(classes="dialog")
        self._title = title
        self._value = value
        self._note = note
        self._placeholder = placeholder

    def compose(self) -> ComposeResult:
        """Title, line, note."""
        with Vertical(classes="dialog--box"):
            yield Static(Content(clean(self._title)), classes="dialog--title")
            yield Input(self._value, placeholder=self._placeholder)
            yield Static(
                Content(clean(self._note or "Enter takes it, Esc leaves it.")),
                classes="dialog--note",
            )

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter: that is the answer."""
        event.stop()
        self.dismiss(event.value)

    def action_give_up(self) -> None:
        """Esc: no answer."""
        self.dismiss(None)


class Confirm(ModalScreen[bool]):
    """Asks whether to go on; Enter or y for yes, anything else for no."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "answer(True)", "Yes"),
        Binding("n,escape,q", "answer(False)", "No"),
    ]

    def __init__(self, title: str, details: str) -> None:
        super().__init__(classes="dialog")
        self._title = title
        self._details = details

    def compose(self) -> ComposeResult:
        """Title, details, keys."""
        with Vertical(classes="dialog--box"):
            yield Static(Content(clean(self._title)), classes="dialog--title")
            yield Static(Content(clean(self._details)))
            yield Static(Content("Enter or y: yes   Esc or n: no"), classes="dialog--note")

    def action_answer(self, yes: bool) -> None:
        """Close with the answer."""
        self.dismiss(yes)
