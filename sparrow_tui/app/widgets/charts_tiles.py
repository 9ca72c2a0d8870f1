"""The figures there are, each with its sum: one is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip

from sparrow_tui.app.figures import METRICS
from sparrow_tui.app.widgets.drawn import Drawn

WIDEST = 18
NARROWEST = 11


class Tiles(Drawn):
    """Two lines: keys with titles, and values below."""

    class Chosen(Message):
        """A tile was clicked."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.values: Sequence[str] = ()
        self.chosen = 0

    def show(self, values: Sequence[str], chosen: int) -> None:
        """Show other values (as text, in the order of `METRICS`)."""
        if (values, chosen) != (self.values, self.chosen):
            self.values, self.chosen = values, chosen
            self.redraw()

    def on_click(self, event: events.Click) -> None:
        """A click chooses."""
        first, number, cells = self._layout(self.content_size.width)
        at = first + event.x // cells
        if at < first + number:
            self.post_message(self.Chosen(at))

    def _layout(self, width: int) -> tuple[int, int, int]:
        """First tile shown, how many, cells of each: the chosen one is among them."""
        number = min(len(METRICS), max(1, width // NARROWEST))
        cells = min(width // number, WIDEST)
        first = min(max(0, self.chosen - number + 1), len(METRICS) - number)
        return first, number, cells

    def draw(self, width: int, height: int) -> Sequence[Strip]:
        """Both lines."""
        first, number, cells = self._layout(width)
        above: list[tuple[str, Style]] = []
        below: list[tuple[str, Style]] = []
        for place in range(first, first + number):
            metric = METRICS[place]
            chosen = place == self.chosen
            value = self.values[place] if place < len(self.values) else ""
            key = self.look("strong" if chosen else "label")
            lit = self.look("cursor") if chosen else Style()
            bad = metric.error and value not in ("0", "0%", "")
            figure = self.look("error" if bad else "strong" if chosen else "figure")
            above.append((f" {place + 1} {metric.title}"[:cells].ljust(cells), key + lit))
            below.append((f"   {value}"[:cells].ljust(cells), figure + lit))
        return [self.strip(above, width), self.strip(below, width)]
