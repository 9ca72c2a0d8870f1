"""Every key, taken from the bindings themselves, so that it cannot be wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import ModalScreen
from textual.widgets import Static

from sparrow_tui import query
from sparrow_tui.app.key_names import key_name
from sparrow_tui.app.screens.dialogs import CLOSES
from sparrow_tui.app.widgets.session_row import MARKS


class HelpScreen(ModalScreen[None]):
    """What can be pressed and typed where."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "dismiss", "Close"),
        Binding("j", "scroll(1)", show=False),
        Binding("k", "scroll(-1)", show=False),
    ]

    def __init__(self, sections: Iterable[tuple[str, Iterable[Binding]]]) -> None:
        """Headings and the bindings that stand under them."""
        super().__init__(classes="dialog")
        self._sections = list(sections)

    def compose(self) -> ComposeResult:
        """One scrollable page."""
        with VerticalScroll(classes="dialog--box") as box:
            box.border_subtitle = CLOSES
            yield Static(self._page(), id="help-body")

    def action_scroll(self, lines: int) -> None:
        """Move the page."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def _page(self) -> Content:
        pieces: list[Content] = []
        for heading, bindings in self._sections:
            pieces.append(Content.styled(f"{heading}\n", "bold $primary"))
            for keys, description in _rows(bindings):
                pieces.append(Content.styled(f"  {keys:<23}", "$secondary"))
                pieces.append(Content(f"{description}\n"))
            pieces.append(Content("\n"))
        pieces.append(Content.styled("Searching\n", "bold $primary"))
        for example, meaning in query.EXAMPLES:
            pieces.append(Content.styled(f"  {example:<23}", "$secondary"))
            pieces.append(Content(f"{meaning}\n"))
        pieces.append(Content.styled("\nSigns in the list\n", "bold $primary"))
        for sign, meaning in MARKS.items():
            pieces.append(Content.styled(f"  {sign:<23}", "$secondary"))
            pieces.append(Content(f"{meaning}\n"))
        return Content("").join(pieces)


def _rows(bindings: Iterable[Binding]) -> list[tuple[str, str]]:
    """Keys and what they do, in order."""
    rows: dict[str, list[str]] = {}
    for binding in bindings:
        keys = [key_name(key.strip()) for key in binding.key.split(",")]
        rows.setdefault(purpose(binding), []).extend(keys)
    return [("  ".join(keys), description) for description, keys in rows.items()]


def purpose(binding: Binding) -> str:
    """What a key does, in full; the footer has the short form."""
    return binding.tooltip or binding.description


def declared(node: DOMNode) -> Iterator[Binding]:
    """Bindings our own classes declare for a node, in order."""
    for cls in reversed(type(node).__mro__):
        if cls.__module__.startswith("sparrow_tui"):
            for binding in cls.__dict__.get("BINDINGS", ()):
                if isinstance(binding, Binding) and binding.description:
                    yield binding
