"""What shows when there is nothing to show: what can be done, and where was looked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget

from sparrow_tui.sanitize import clean_line

Looked = tuple[str, str, bool]
"""An agent's name, a place its sessions are looked for in, whether the place exists."""


class FirstRun(Widget, can_focus=True):
    """The page of an empty store."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "app.show_demo", "Demo library", id="first.demo"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._looked: list[Looked] = []
        self._syncing = False

    def say(self, looked: Sequence[Looked], syncing: bool) -> None:
        """Fill the page.

        Args:
            looked: agent, place, whether the place exists.
            syncing: still looking.
        """
        self._looked = [
            (clean_line(agent), clean_line(place, 200), it) for agent, place, it in looked
        ]
        self._syncing = syncing
        self.refresh()

    def render(self) -> Content:
        """What can be done comes first: a low terminal cuts the end of the page."""
        syncing = self._syncing
        title = "Looking for sessions…" if syncing else "No sessions found on this machine yet."
        lines = [
            Content.styled(title, "bold $primary"),
            Content(""),
            _key("d", "look around in a demo library"),
            _key("q", "quit"),
            Content.styled(
                "Sessions kept elsewhere?  sparrow-tui PATH…  takes files and directories.",
                "$text-muted",
            ),
            Content(""),
            Content.styled("Looked for", "$text-muted"),
        ]
        if len(lines) + len(self._looked) <= self.content_size.height:
            lines += self._table()
        else:
            lines += self._flowing()
        return Content("\n").join(lines)

    def _table(self) -> list[Content]:
        """An agent a line."""
        width = max((len(agent) for agent, _, _ in self._looked), default=0)
        return [
            Content.assemble(_mark(there), f"{agent:<{width}}  ", (place, "$text-muted"))
            for agent, place, there in self._looked
        ]

    def _flowing(self) -> list[Content]:
        """As many agents a line as there is room for."""
        room = self.content_size.width
        lines: list[Content] = []
        for agent, place, there in self._looked:
            piece = Content.assemble(_mark(there), f"{agent} ", (place, "$text-muted"))
            if lines and lines[-1].cell_length + 2 + piece.cell_length <= room:
                lines[-1] = Content.assemble(lines[-1], "  ", piece)
            else:
                lines.append(piece)
        return lines


def _key(key: str, does: str) -> Content:
    return Content.assemble((key, "bold $primary"), f"  {does}")


def _mark(there: bool) -> tuple[str, str]:
    return ("✓ ", "$success") if there else ("· ", "$text-disabled")
