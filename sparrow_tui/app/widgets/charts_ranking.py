"""The largest of something: names with bars, chosen with the arrows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from sparrow_tui.app.widgets.drawn import Drawn, fitted
from sparrow_tui.text.wrap import width_of

MOST_NAME = 28
LEAST_BAR = 6


@dataclass(frozen=True, slots=True)
class Line:
    """One of the ranking."""

    name: str
    """As shown; not safe yet."""
    amount: float
    value: str
    note: str = ""
    """Something bad about it, in red."""
    key: str = ""
    """What it stands for."""


class Ranking(Drawn, can_focus=True):
    """Lines, the largest first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Line", key_display="↑↓", id="ranking.down"),
        Binding("up,k", "move(-1)", "Line", show=False, id="ranking.up"),
        Binding("enter", "open", "Sessions", key_display="Enter", id="ranking.open"),
    ]
    HELP = "Arrows move, Enter lists the sessions."

    class Opened(Message):
        """The sessions behind a line are wanted."""

        def __init__(self, ranking: Ranking, line: Line) -> None:
            super().__init__()
            self.ranking = ranking
            self.line = line

    def __init__(self, nothing: str, *, slot: int = 0, id: str | None = None) -> None:
        """Args: what to say of nothing; colour of the bars."""
        super().__init__(id=id, classes="panel")
        self._nothing = nothing
        self._slot = slot
        self.lines: Sequence[Line] = ()
        self.cursor = 0
        self._top = 0

    def show(self, lines: Sequence[Line]) -> None:
        """Show other lines."""
        if lines == self.lines:
            return
        held = self.lines[self.cursor].key if self.cursor < len(self.lines) else None
        self.lines = lines
        keys = [line.key for line in lines]
        self.cursor = keys.index(held) if held in keys else min(self.cursor, len(lines) - 1)
        self.cursor = max(self.cursor, 0)
        self.redraw()

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        at = min(max(self.cursor + by, 0), max(len(self.lines) - 1, 0))
        if at != self.cursor:
            self.cursor = at
            self.redraw()

    def action_open(self) -> None:
        """List the sessions."""
        if self.cursor < len(self.lines):
            self.post_message(self.Opened(self, self.lines[self.cursor]))

    def on_focus(self) -> None:
        """The cursor shows."""
        self.redraw()

    def on_blur(self) -> None:
        """The cursor does not show."""
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor."""
        offset = event.get_content_offset(self)
        if offset is not None and 0 <= offset.y + self._top < len(self.lines):
            self.cursor = offset.y + self._top
            self.redraw()

    def draw(self, width: int, height: int) -> Sequence[Strip]:
        """As many lines as fit, around the cursor."""
        if not self.lines:
            return [self.strip([(f" {self._nothing}"[:width], self.look("label"))], width)]
        self._top = min(max(self._top, self.cursor - height + 1), self.cursor)
        shown = self.lines[self._top : self._top + height]
        values = max(len(line.value) for line in shown)
        notes = max(width_of(line.note) for line in shown)
        fixed = 1 + 1 + values + (1 + notes if notes else 0) + 2
        longest = max(width_of(line.name) for line in shown)
        names = max(min(longest, MOST_NAME, width - fixed - LEAST_BAR), 8)
        bars = min(width - fixed - names, 40)
        top = max(line.amount for line in self.lines) or 1
        strips = []
        for place, line in enumerate(shown, self._top):
            here = self.has_focus and place == self.cursor
            pieces: list[tuple[str, Style]] = [
                ("▌" if here else " ", self.look("strong")),
                (fitted(line.name, names), self.look("strong" if here else "figure")),
                (f" {line.value:>{values}}", self.look("figure")),
            ]
            if notes:
                pieces.append((f" {line.note:<{notes}}", self.look("error")))
            if bars >= 3:
                pieces += [
                    ("  ", self.rich_style),
                    (_bar(line.amount / top, bars), self.colour(self._slot)),
                ]
            strips.append(self.strip(pieces, width))
        return strips


def _bar(share: float, cells: int) -> str:
    """A thin bar of half cells; something that is not nothing shows."""
    halves = max(round(share * cells * 2), int(share > 0))
    return "━" * (halves // 2) + "╸" * (halves % 2)
