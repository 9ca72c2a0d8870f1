"""The command palette: every key's action by name, saved searches, agents and themes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from textual.binding import Binding
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.dom import DOMNode

from sparrow_tui.app import filters
from sparrow_tui.app.key_names import key_name
from sparrow_tui.app.screens.help import declared, purpose
from sparrow_tui.sanitize import clean_line

if TYPE_CHECKING:
    from sparrow_tui.app.app import SparrowApp


class Command(NamedTuple):
    """Something the palette offers."""

    name: str
    help: str
    run: Callable[[], object]


class Commands(Provider):
    """What can be done now."""

    async def discover(self) -> Hits:
        """Everything, before anything is typed."""
        for command in self._commands():
            yield DiscoveryHit(command.name, command.run, help=command.help)

    async def search(self, query: str) -> Hits:
        """Commands that match what is typed."""
        matcher = self.matcher(query)
        for command in self._commands():
            score = matcher.match(command.name)
            if score > 0:
                yield Hit(score, matcher.highlight(command.name), command.run, help=command.help)

    def _commands(self) -> Iterator[Command]:
        app: SparrowApp = self.app  # type: ignore[assignment]
        main = app.main
        for saved in app.settings.saved:
            name = f"Search: {clean_line(saved.name, 60)}"
            yield Command(name, clean_line(saved.query, 80), partial(main.set_search, saved.query))
            yield Command(
                f"Forget search: {clean_line(saved.name, 60)}",
                clean_line(saved.query, 80),
                partial(app.forget_search, saved.name),
            )
        focused: list[DOMNode] = [main, main.transcript, main.sessions]
        seen = set()
        for node in focused:
            for binding in declared(node):
                moves = binding.action.startswith(("line", "page", "move", "list_page"))
                name = purpose(binding)
                if name not in seen and not moves:
                    seen.add(name)
                    keys = ", ".join(key_name(key.strip()) for key in binding.key.split(","))
                    yield Command(name, keys, partial(self._act, node, binding))
        for agent in app.agents_held:
            look = app.looks.get(agent)
            label = look.label if look else agent
            text = filters.put(main.box.value, "agent", agent)
            yield Command(f"Only {label}", f"agent:{agent}", partial(main.set_search, text))
        for theme in sorted(app.available_themes):
            yield Command(f"Theme: {theme}", "", partial(setattr, app, "theme", theme))

    def _act(self, node: DOMNode, binding: Binding) -> None:
        app: SparrowApp = self.app  # type: ignore[assignment]
        if hasattr(node, "focus") and node is not app.main:
            node.focus()
        app.call_later(app.run_action, binding.action, node)
