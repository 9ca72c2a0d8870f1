"""The search box: echoes at once, colours what it understood, completes facets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from rich.highlighter import Highlighter
from rich.style import Style
from rich.text import Text as RichText
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input

from sparrow_tui import query as language

Completer = Callable[[str, str], Awaitable[list[str]]]
"""Facet name and what is typed of its value → values the store holds."""


class _Painter(Highlighter):
    """Colours the parts of a query: facets, phrases, operators, faults."""

    def __init__(self, box: SearchBox) -> None:
        self._box = box

    def highlight(self, text: RichText) -> None:
        """Style the typed text in place."""
        for span in language.parse(text.plain).spans:
            style = self._box.part_style(span.kind)
            if style is not None:
                text.stylize(style, span.start, span.end)


class _Completions(Suggester):
    """Ghost text for the facet being typed."""

    def __init__(self, complete: Completer) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._complete = complete

    async def get_suggestion(self, value: str) -> str | None:
        """The whole box with its last word completed, or nothing."""
        word = value.rsplit(" ", 1)[-1]
        name, colon, typed = word.lstrip("-").partition(":")
        if not word:
            return None
        if not colon:
            for facet in language.FACETS:
                if len(name) > 1 and facet.startswith(name) and facet != name:
                    return f"{value}{facet[len(name) :]}:"
            return None
        values = await self._complete(name, typed)
        for candidate in values:
            if candidate.lower().startswith(typed.lower()) and len(candidate) > len(typed):
                rest = candidate[len(typed) :]
                if " " not in candidate:
                    return value + rest
        return None


class SearchBox(Input):
    """One line in which every key counts."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "search-box--facet",
        "search-box--phrase",
        "search-box--operator",
        "search-box--negation",
        "search-box--problem",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "recall(1)", "Earlier search", show=False, id="search.up"),
        Binding("tab", "complete", "Complete or next pane", show=False, id="search.complete"),
        Binding("escape", "leave", "Clear", key_display="Esc", id="search.leave"),
        Binding("enter", "submit", "Read", key_display="Enter", id="search.read"),
        Binding("down", "recall(-1)", "Sessions", key_display="↑↓", show=True, id="search.list"),
        Binding("f1", "screen.show_help", "Help", key_display="F1", id="search.help"),
        Binding("ctrl+p", "app.command_palette", "Commands", key_display="^P", id="search.palette"),
        Binding("ctrl+q", "app.quit", "Quit", key_display="^Q", id="search.quit"),
        Binding("ctrl+u", "clear", "Clear", show=False, id="search.clear"),
    ]
    HELP = "Every word is a prefix. Facets: agent: project: role: tool: is:error after:2d …"

    class Moved(Message):
        """The user moves through the list without leaving the box."""

        def __init__(self, rows: int) -> None:
            super().__init__()
            self.rows = rows

    class Left(Message):
        """The user is done with the box."""

    def __init__(self, complete: Completer, *, id: str | None = None) -> None:
        super().__init__(
            placeholder="Search every session…",
            highlighter=_Painter(self),
            suggester=_Completions(complete),
            select_on_focus=False,
            id=id,
        )
        self.cursor_blink = False
        self.history: list[str] = []
        """Earlier searches, newest first."""
        self._recalled = -1
        self._part_styles: dict[str, Style | None] = {}

    def part_style(self, kind: str) -> Style | None:
        """The style of one kind of query part; ``None`` for plain words."""
        if kind not in self._part_styles:
            name = f"search-box--{kind}"
            known = name in self.COMPONENT_CLASSES
            self._part_styles[kind] = self.get_component_rich_style(name) if known else None
        return self._part_styles[kind]

    def notify_style_update(self) -> None:
        """Colours changed."""
        super().notify_style_update()
        self._part_styles.clear()

    def action_recall(self, steps: int) -> None:
        """Up in an empty box brings back earlier searches; otherwise arrows move in the list."""
        recalling = self._recalled >= 0 and self.history[self._recalled : self._recalled + 1] == [
            self.value
        ]
        if self.history and (recalling or (not self.value and steps > 0)):
            place = (self._recalled if recalling else -1) + steps
            self._recalled = max(-1, min(place, len(self.history) - 1))
            self.value = self.history[self._recalled] if self._recalled >= 0 else ""
            self.cursor_position = len(self.value)
        else:
            self.post_message(self.Moved(-steps))

    def action_complete(self) -> None:
        """Take the ghost text, else go to the next pane."""
        if self._suggestion and self._suggestion != self.value and self.cursor_at_end:
            self.value = self._suggestion
            self.cursor_position = len(self.value)
        else:
            self.screen.focus_next()

    def action_leave(self) -> None:
        """Clear what is typed; with nothing typed go to the list."""
        if self.value:
            self.value = ""
        else:
            self.post_message(self.Left())

    def action_clear(self) -> None:
        """Clear what is typed."""
        self.value = ""
