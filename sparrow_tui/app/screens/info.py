"""Everything known of a session: where it is, what it cost, how complete it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from sparrow_tui.app.screens.dialogs import CLOSES
from sparrow_tui.app.session_facts import facts
from sparrow_tui.sanitize import clean_line
from sparrow_tui.store.base import Session


class InfoScreen(ModalScreen[None]):
    """A page of facts."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,i,enter", "dismiss", "Close"),
        Binding("j,down", "scroll(1)", show=False),
        Binding("k,up", "scroll(-1)", show=False),
    ]

    def __init__(self, session: Session, label: str, present: int) -> None:
        """Args: what to describe; its agent's name; now, in milliseconds since the epoch."""
        super().__init__(classes="dialog")
        self._session = session
        self._label = label
        self._present = present

    def compose(self) -> ComposeResult:
        """Title and facts."""
        with VerticalScroll(classes="dialog--box") as box:
            box.border_subtitle = CLOSES
            title = clean_line(self._session.title) or self._session.id
            yield Static(Content(title), classes="dialog--title")
            yield Static(_page(list(facts(self._session, self._label, self._present))))

    def action_scroll(self, lines: int) -> None:
        """Move the page."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


def _page(rows: Sequence[tuple[str, str]]) -> Content:
    lines = [
        Content("") if not name else Content.assemble((f"{name:<16}", "$text-muted"), value)
        for name, value in rows
    ]
    return Content("\n").join(lines)
