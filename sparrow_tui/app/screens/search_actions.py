"""Filters by key, the order of results, and searches that are kept under a name."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from sparrow_tui.app import filters
from sparrow_tui.app.screens.dialogs import AskLine
from sparrow_tui.app.screens.panes import Panes
from sparrow_tui.app.screens.searches import SearchesScreen
from sparrow_tui.settings import SavedSearch
from sparrow_tui.store.grouping import GROUPS


class SearchActions(Panes):
    """Keys that change the search text."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "cycle_agent", "Agent", key_display="F2", id="main.agent",
                tooltip="Filter by agent: the next one, at last none"),
        Binding("f3", "here", "Here", key_display="F3", id="main.here",
                tooltip="Only sessions of the current directory's project"),
        Binding("f4", "cycle_role", "Role", key_display="F4", id="main.role",
                tooltip="Filter by who spoke: user, assistant, tool"),
        Binding("f5", "cycle_span", "Date", key_display="F5", id="main.span",
                tooltip="Filter by date: a day, a week, a month back"),
        Binding("f6", "cycle_sort", "Order", key_display="F6", id="main.sort",
                tooltip="Order: newest, oldest, best, longest, most expensive"),
        Binding("f7", "toggle_children", "Sub-agents", key_display="F7", id="main.children",
                tooltip="Show or hide sub-agents' sessions"),
        Binding("f8", "cycle_group", "Group", key_display="F8", id="main.group",
                tooltip="Group by project, day or agent"),
        Binding("f9", "searches", "Searches", key_display="F9", id="main.searches",
                tooltip="Saved and earlier searches"),
        Binding("ctrl+s", "save_search", "Save", id="main.save",
                tooltip="Save this search under a name, or pin it as a counter"),
    ]  # fmt: skip

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

        self.list_changed()

    def action_cycle_group(self) -> None:
        """By project, by day, by agent, not at all."""
        order = ["", *GROUPS]
        held = self.app.settings.group
        place = order.index(held) if held in order else 0
        self.app.settings.group = order[(place + 1) % len(order)]
        self.app.save_settings()
        self.app.engine.group(self.app.settings.group)
        self.list_changed()

    def action_searches(self) -> None:
        """Choose among saved and earlier searches."""

        def chosen(text: str | None) -> None:
            if text is not None:
                self.set_search(text)
                self.box.focus()
            self.count()

        self.app.push_screen(SearchesScreen(), chosen)

    def count(self) -> None:
        """Bring the counters up to date."""

    def list_changed(self) -> None:
        """The list has other rows in it, or in other groups."""

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

        note = (
            "Enter keeps it, F9 lists what is kept. "
            "End the name with ! to count its hits in the footer."
        )
        self.app.push_screen(AskLine(f"Save “{text}” as", held, note), named)

    def set_search(self, text: str) -> None:
        """Put a text into the search box."""
        self.box.value = text
        self.box.cursor_position = len(text)
