"""The line at the bottom: what can be pressed now, as many whole keys as there is room for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.style import Style
from textual import events
from textual.screen import Screen
from textual.strip import Strip

from sparrow_tui.app.key_names import key_name
from sparrow_tui.app.widgets.drawn import Drawn
from sparrow_tui.text.wrap import width_of

HELP = "Help"
"""Description of the key that always shows, at the right end: it leads to all others."""
GAP = 2
"""Cells between two keys."""


class Key(NamedTuple):
    """A key that can be pressed."""

    key: str
    display: str
    description: str
    tooltip: str
    action: str

    @property
    def width(self) -> int:
        """Cells it takes."""
        return width_of(self.display) + 1 + width_of(self.description)


class KeyLine(Drawn):
    """Keys of the pane with the focus, then of the screen; one widget, drawn when they change."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"drawn--strong", "drawn--label"}

    def __init__(self, first: Sequence[str] = (), *, id: str | None = None) -> None:
        """Args: the screen's actions that are most useful, most useful first."""
        super().__init__(id=id)
        self._first = {action: rank for rank, action in enumerate(first)}
        self._keys: list[Key] = []
        self._places: list[tuple[int, Key]] = []
        """Where each key begins that is shown."""

    def on_mount(self) -> None:
        """Keys change with the focus."""
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def on_unmount(self) -> None:
        """Nobody is to be told any more."""
        self.screen.bindings_updated_signal.unsubscribe(self)

    def _changed(self, screen: Screen[object]) -> None:
        if not self.is_attached or screen is not self.screen:
            return
        keys = self._offered(screen)
        if keys != self._keys:
            self._keys = keys
            self.redraw()

    def _offered(self, screen: Screen[object]) -> list[Key]:
        """What is offered: the focused pane's own keys, then the screen's by their use."""
        found: dict[str, tuple[int, Key]] = {}
        for node, binding, enabled, tooltip in screen.active_bindings.values():
            if not (binding.show and enabled):
                continue
            name = binding.action.rpartition(".")[2].partition("(")[0]
            own = node is not screen and node is not self.app
            rank = len(self._first)
            if own and "." not in binding.action:
                rank = -2 if binding.key == "enter" else -1
            display = binding.key_display or key_name(binding.key)
            key = Key(binding.key, display, binding.description, tooltip, binding.action)
            found.setdefault(key.description, (self._first.get(name, rank), key))
        return [key for _, key in sorted(found.values(), key=lambda ranked: ranked[0])]

    def draw(self, width: int, height: int) -> Sequence[Strip]:
        """The keys from the left, and Help at the right end."""
        help_key = next((key for key in self._keys if key.description == HELP), None)
        others = [key for key in self._keys if key is not help_key]
        end = width - (1 + help_key.width if help_key else 0)
        pieces: list[tuple[str, Style]] = [(" ", self.rich_style)]
        self._places, at = [], 1
        for key in others:
            if at + key.width + (GAP if help_key else 0) > end:
                break
            pieces += self._piece(key, at)
            pieces.append((" " * GAP, self.rich_style))
            at += key.width + GAP
        if help_key and at <= end:
            pieces.append((" " * (end - at), self.rich_style))
            pieces += self._piece(help_key, end)
        return [self.strip(pieces, width)]

    def _piece(self, key: Key, at: int) -> list[tuple[str, Style]]:
        self._places.append((at, key))
        return [(key.display, self.look("strong")), (f" {key.description}", self.look("label"))]

    def key_at(self, x: int) -> Key | None:
        """The key shown at a cell of the line."""
        return next((key for at, key in self._places if at <= x < at + key.width), None)

    def on_click(self, event: events.Click) -> None:
        """A click presses the key."""
        key = self.key_at(event.x)
        if key is not None:
            self.app.simulate_key(key.key)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """What a key does, in full."""
        key = self.key_at(event.x)
        tooltip = key.tooltip or None if key else None
        if tooltip != self.tooltip:
            self.tooltip = tooltip
