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

LONGEST = 36
"""Characters of a place, where room is short."""


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
        demo, leave = _key("d", "look around in a demo library"), _key("q", "quit")
        elsewhere = Content.styled(
            "Sessions kept elsewhere?  sparrow-tui PATH…  takes files and directories.",
            "$text-muted",
        )
        looked = Content.styled("Looked for", "$text-muted")
        blank = Content("")
        head = [Content.styled(title, "bold $primary"), blank]
        roomy = [*head, demo, leave, elsewhere, blank, looked, *self._table()]
        room = self.content_size.height
        if len(roomy) <= room:
            return Content("\n").join(roomy)
        tight = [*head, Content.assemble(demo, "   ", leave), elsewhere, blank, looked]
        return Content("\n").join([*tight, *self._flowing(room - len(tight))])

    def _table(self) -> list[Content]:
        """An agent a line."""
        width = max((len(agent) for agent, _, _ in self._looked), default=0)
        return [
            Content.assemble(_mark(there), f"{agent:<{width}}  ", (place, "$text-muted"))
            for agent, place, there in self._looked
        ]

    def _flowing(self, height: int) -> list[Content]:
        """As many agents a line as there is room for; how many more there are."""
        room = self.content_size.width
        lines: list[Content] = []
        left_out = 0
        for agent, place, there in self._looked:
            shown = (_shortened(place), "$text-muted")
            piece = Content.assemble(_mark(there), f"{agent} ", shown)
            for number, line in enumerate(lines):
                if line.cell_length + 2 + piece.cell_length <= room:
                    lines[number] = Content.assemble(line, "  ", piece)
                    break
            else:
                if len(lines) < height - 1:
                    lines.append(piece)
                else:
                    left_out += 1
        if left_out:
            more = f"… and {left_out} more: sparrow-tui doctor lists every place."
            lines.append(Content.styled(more, "$text-muted"))
        return lines


def _shortened(place: str) -> str:
    """A path's beginning and end, if it is long."""
    if len(place) <= LONGEST:
        return place
    end = place[-LONGEST // 2 :]
    return f"{place[: LONGEST // 3]}…{end[max(end.find('/'), 0) :]}"


def _key(key: str, does: str) -> Content:
    return Content.assemble((key, "bold $primary"), f"  {does}")


def _mark(there: bool) -> tuple[str, str]:
    return ("✓ ", "$success") if there else ("· ", "$text-disabled")
