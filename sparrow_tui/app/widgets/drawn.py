"""A widget that draws all its lines at once and keeps them until something changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from sparrow_tui.sanitize import clean_line
from sparrow_tui.text.wrap import width_of

COLOURS = 6
"""Colours series are told apart by; what is beyond is drawn as "other"."""


LOOKS: frozenset[str] = frozenset(
    f"drawn--{name}"
    for name in (
        "label", "figure", "strong", "error", "grid", "cursor", "other",
        *map(str, range(COLOURS)), *(f"heat-{level}" for level in range(5)),
    )
)  # fmt: skip
"""Component classes of whoever holds drawn widgets. Of a screen, not of each of its widgets: the
style sheet is worked out for every one of them each time a widget's styles are."""


class Drawn(Widget):
    """The Line API's frame: `draw` is asked once for a state and size of the widget."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._strips: list[Strip] = []
        self._looks: dict[str, Style] = {}
        self.draws = 0
        """Times the lines were drawn: what tests count."""

    def draw(self, width: int, height: int) -> Sequence[Strip]:
        """All lines, top to bottom."""
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        """One of the lines."""
        if not self._strips:
            self.draws += 1
            size = self.content_size
            self._strips = [*self.draw(size.width, size.height)] or [Strip.blank(size.width)]
        if y < len(self._strips):
            return self._strips[y]
        return Strip.blank(self.size.width, self.rich_style)

    def redraw(self) -> None:
        """What is shown has changed."""
        self._strips.clear()
        self.refresh()

    def look(self, name: str) -> Style:
        """The style sheet's, of the nearest holder; ``cursor`` is a background to lay over."""
        if name not in self._looks:
            wanted = f"drawn--{name}"
            full = next(
                node.get_component_rich_style(wanted)
                for node in self.ancestors_with_self
                if isinstance(node, Widget) and wanted in node.COMPONENT_CLASSES
            )
            self._looks[name] = Style(bgcolor=full.bgcolor) if name == "cursor" else full
        return self._looks[name]

    def colour(self, slot: int | None) -> Style:
        """The style of a series; ``None``: of what is not told apart."""
        return self.look("other" if slot is None or slot >= COLOURS else str(slot))

    def strip(self, pieces: Iterable[tuple[str, Style]], width: int) -> Strip:
        """One line of texts that are safe already."""
        segments = [Segment(text, style) for text, style in pieces if text]
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def notify_style_update(self) -> None:
        """Colours changed."""
        super().notify_style_update()
        self._strips.clear()
        self._looks.clear()

    def on_resize(self) -> None:
        """Another size."""
        self._strips.clear()


def runs(cells: Sequence[tuple[str, Style]]) -> list[tuple[str, Style]]:
    """Single cells joined to runs of one style."""
    return [
        ("".join(character for character, _ in run), style)
        for style, run in groupby(cells, key=lambda cell: cell[1])
    ]


def fitted(text: str, cells: int) -> str:
    """Untrusted text made safe, cut or filled to a number of cells."""
    safe = clean_line(text, max(cells, 1) * 2)
    if width_of(safe) > cells:
        while safe and width_of(safe) > cells - 1:
            safe = safe[:-1]
        safe += "…" if cells > 0 else ""
    return safe + " " * (cells - width_of(safe))
