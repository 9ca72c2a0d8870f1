"""The search box: echoes at once, colours what it understood, completes facets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.highlighter import Highlighter
from rich.style import Style
from rich.text import Text as RichText
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import Reactive
from textual.suggester import Suggester
from textual.widgets import Input

from sparrow_tui import query as language
from sparrow_tui.app.completion import Completer, Offer, offer
from sparrow_tui.app.widgets.calm_focus import CalmFocus


class _Painter(Highlighter):
    """Colours the parts of a query: facets, phrases, operators, faults."""

    def __init__(self, box: SearchBox) -> None:
        self._box = box

    def highlight(self, text: RichText) -> None:
        """Style the typed text in place."""
        known = self._box.faults if self._box.faulty == text.plain else []
        for span in language.parse(text.plain).spans:
            faulty = (span.start, span.end) in known
            style = self._box.part_style("problem" if faulty else span.kind)
            if style is not None:
                text.stylize(style, span.start, span.end)


class _Completions(Suggester):
    """Ghost text for the facet being typed."""

    def __init__(self, box: SearchBox, complete: Completer) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._box = box
        self._complete = complete

    async def get_suggestion(self, value: str) -> str | None:
        """The whole box with its last word completed, or nothing."""
        offered = await offer(value, self._complete)
        if value != self._box.value:
            return None
        self._box.set_offer(offered)
        if offered is None:
            return None
        first = offered.applied(value, 0)
        return first if first.startswith(value) else None


class SearchBox(CalmFocus, Input):
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
    virtual_size: Reactive[Size] = Reactive(Size(0, 0), layout=False)
    """A longer text needs no new layout of the screen."""
    HELP = "Every word is a prefix. Facets: agent: project: role: tool: is:error after:2d …"

    class Moved(Message):
        """The user moves through the list without leaving the box."""

        def __init__(self, rows: int) -> None:
            super().__init__()
            self.rows = rows

    class Left(Message):
        """The user is done with the box."""

    class Offered(Message):
        """What Tab would complete has changed."""

        def __init__(self, choices: Sequence[str]) -> None:
            """Args: what Tab puts in, the next one first; empty: nothing."""
            super().__init__()
            self.choices = choices

    def __init__(
        self, complete: Completer, search: Callable[[str], object], *, id: str | None = None
    ) -> None:
        """Prepare.

        Args:
            complete: gives the values of facets.
            search: called with the text at each change, before the echo is drawn; a message
                would come after it, and take the results a frame later.
            id: the widget's id.
        """
        super().__init__(
            placeholder="Search every session…",
            highlighter=_Painter(self),
            suggester=_Completions(self, complete),
            select_on_focus=False,
            validate_on=(),
            id=id,
        )
        self.cursor_blink = False
        self._search = search
        self.faulty = ""
        """The text in which the store found faults, and where (see `mark`)."""
        self.faults: list[tuple[int, int]] = []
        self._offer: Offer | None = None
        self._completed = ("", 0)
        """The text Tab has made, and the number of the choice in it."""
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

    def mark(self, text: str, faults: list[tuple[int, int]]) -> None:
        """Mark what only the store knows to be wrong, as long as ``text`` stands in the box."""
        if (text, faults) != (self.faulty, self.faults):
            self.faulty, self.faults = text, faults
            self.refresh()

    def watch_value(self, value: str) -> None:
        """Each change is a search."""
        self._search(value)
        if value != self._completed[0] and self._offer is not None:
            self.set_offer(None)

    def set_offer(self, offered: Offer | None) -> None:
        """What Tab would put in; choices it has just put in stay on offer."""
        text, _ = self._completed
        if text and text == self.value and offered is None:
            return
        self._offer = offered
        self._completed = ("", 0)
        self.post_message(self.Offered(offered.choices if offered else ()))

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
        """Complete the facet at the end of the text, then the other ways; else the next pane."""
        offered = self._offer
        if offered is None or not self.cursor_at_end:
            self.screen.focus_next()
            return
        text, number = self._completed
        number = (number + 1) % len(offered.choices) if text and text == self.value else 0
        made = offered.applied(self.value, number)
        self._completed = (made, number)
        self.value = made
        self.cursor_position = len(made)
        following = [*offered.choices[number + 1 :], *offered.choices[: number + 1]]
        self.post_message(self.Offered(following if len(following) > 1 else ()))

    def action_leave(self) -> None:
        """Clear what is typed; with nothing typed go to the list."""
        if self.value:
            self.value = ""
        else:
            self.post_message(self.Left())

    def action_clear(self) -> None:
        """Clear what is typed."""
        self.value = ""
