"""Filters by key, the order of results, and searches that are kept under a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.screen import Screen

from sparrow_tui.app import filters
from sparrow_tui.app.screens.dialogs import AskLine
from sparrow_tui.settings import SavedSearch

if TYPE_CHECKING:
    from sparrow_tui.app.app import SparrowApp
    from sparrow_tui.app.widgets.search_box import SearchBox


class SearchActions(Screen[None]):
    """Keys that change the search text."""

    app: SparrowApp

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "cycle_agent", "Filter by agent", show=False, id="main.agent"),
        Binding("f3", "here", "Sessions of this directory", show=False, id="main.here"),
        Binding("f4", "cycle_role", "Filter by role", show=False, id="main.role"),
        Binding("f5", "cycle_span", "Filter by date", show=False, id="main.span"),
        Binding("f6", "cycle_sort", "Order of results", show=False, id="main.sort"),
        Binding("f7", "toggle_children", "Show or hide sub-agents", show=False, id="main.children"),
        Binding("ctrl+s", "save_search", "Save this search", show=False, id="main.save"),
    ]

    if TYPE_CHECKING:

        @property
        def box(self) -> SearchBox:
            """The search box."""

    def action_cycle_agent(self) -> None:
        """Next agent as a filter."""
        self.set_search(filters.cycle(self.box.value, "agent", self.app.agents_held))

    def action_cycle_role(self) -> None:
        """Next role as a filter."""
        self.set_search(filters.cycle(self.box.value, "role", ["user", "assistant", "tool"]))

    def action_cycle_span(self) -> None:
        """Today, this week, this month as a filter."""
        self.set_search(filters.cycle(self.box.value, "after", ["1d", "7d", "30d"]))

    def action_cycle_sort(self) -> None:
        """Next order of results."""
        orders = ["new", "old", "best", "long", "cost"]
        self.set_search(filters.cycle(self.box.value, "sort", orders))

    def action_here(self) -> None:
        """Only sessions of the directory the app was started in, or all again."""
        text = self.box.value
        here = None if filters.value_of(text, "project") else str(self.app.here)
        self.set_search(filters.put(text, "project", here))

    def action_toggle_children(self) -> None:
        """Sub-agents' sessions in the list, or not."""
        self.app.settings.show_children = not self.app.settings.show_children
        self.app.save_settings()
        self.app.engine.show_children(self.app.settings.show_children)

    def action_save_search(self) -> None:
        """Keep the search under a name; a name that ends in ``!`` also counts in the footer."""
        text = self.box.value.strip()
        if not text:
            self.app.notify("type a search first, then Ctrl+S keeps it", severity="warning")
            return
        held = next((s.name for s in self.app.settings.saved if s.query == text), "")

        def named(name: str | None) -> None:
            if not name or not name.strip(" !"):
                return
            search = SavedSearch(name.strip(" !"), text, pinned=name.rstrip().endswith("!"))
            others = [s for s in self.app.settings.saved if s.name != search.name]
            self.app.settings.saved = [*others, search]
            self.app.save_settings()
            where = "counted in the footer" if search.pinned else "Ctrl+P finds it"
            self.app.notify(f"saved as {search.name}: {where}", markup=False)

        note = "Ctrl+P lists saved searches. End the name with ! to count its hits in the footer."
        self.app.push_screen(AskLine(f"Save “{text}” as", held, note), named)

    def set_search(self, text: str) -> None:
        """Put a text into the search box."""
        self.box.value = text
        self.box.cursor_position = len(text)
