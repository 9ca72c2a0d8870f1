"""The counters, in place: one widget for all figures; what changes is lit for a moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from sparrow_tui.app.widgets.footer_cells import Cell, Figures, cells_of, fitted, gap, pins_of
from sparrow_tui.text.wrap import width_of

FADE = (0.0, 0.7, 1.4)
"""Seconds after a change at which a figure is bright, half bright, and as before."""


@dataclass
class _Glow:
    since: float = 0.0
    text: str = ""


class MetricsFooter(Widget):
    """One line; a second one for saved searches that are counted."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "metrics-footer--label",
        "metrics-footer--figure",
        "metrics-footer--error",
        "metrics-footer--scope",
        "metrics-footer--lit",
        "metrics-footer--fading",
        "metrics-footer--bars",
        "metrics-footer--note",
    }

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.figures = Figures()
        self._known = False
        self._texts: dict[str, str] = {}
        """What the figures shown say, by cell."""
        self._glows: dict[str, _Glow] = {}
        self._widths: dict[str, int] = {}
        self._timer: Timer | None = None
        self._clock = 0.0
        self._strips: list[Strip] = []
        self._looks: dict[str, Style] = {}
        self.draws = 0
        """Times the line was laid out: what tests count."""

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """One line, or two with counted searches."""
        return 2 if self.figures.pinned else 1

    def show(self, figures: Figures) -> None:
        """Show other figures; those that differ light up, unless the scope changed."""
        if figures == self.figures:
            return
        # The first figures are no news.
        same = figures.scope == self.figures.scope and self._known and self.figures.known
        self._known = True
        taller = bool(figures.pinned) != bool(self.figures.pinned)
        before, cells = self._texts, [*cells_of(figures), *pins_of(figures)]
        self._texts = {cell.key: cell.text for cell in cells}
        self.figures = figures
        if not same:
            self._glows.clear()
            self._widths.clear()
        else:
            for cell in cells:
                if cell.style in ("figure", "error") and before.get(cell.key) != cell.text:
                    self._glows[cell.key] = _Glow(self._clock, cell.text)
        if self._glows and self._timer is None:
            self._timer = self.set_interval(FADE[1], self._fade)
        self._strips.clear()
        self.refresh(layout=taller)

    def _fade(self) -> None:
        """Let lit figures cool down."""
        self._clock += FADE[1]
        self._glows = {k: g for k, g in self._glows.items() if self._clock - g.since < FADE[2]}
        if not self._glows and self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._strips.clear()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """The figures, or the counted searches."""
        if not self._strips:
            self.draws += 1
            width = self.size.width
            self._strips = [self._first(width), self._second(width)]
        return self._strips[min(y, 1)]

    def _look(self, name: str) -> Style:
        if name not in self._looks:
            self._looks[name] = self.get_component_rich_style(f"metrics-footer--{name}")
        return self._looks[name]

    def _first(self, width: int) -> Strip:
        cells, short = fitted(self.figures, width, self._widths)
        base, label_style = self.rich_style, self._look("label")
        segments = [Segment(" ", base)]
        for number, cell in enumerate(cells):
            label = cell.short if short else cell.label
            if cell.key == "bars":  # at the end of the line, whatever grows before them
                used = sum(segment.cell_length for segment in segments)
                segments.append(Segment(" " * max(width - used - cell.width - 1, 0), base))
            elif number:
                segments.append(Segment(" " * gap(cell, short), base))
            if label:
                segments.append(Segment(f"{label} ", label_style))
            self._widths[cell.key] = cell.width
            segments.append(Segment(cell.text, self._style_of(cell)))
            pad = cell.width - width_of(cell.text)
            if pad > 0:
                segments.append(Segment(" " * pad, base))
        return Strip(segments).adjust_cell_length(width, base)

    def _style_of(self, cell: Cell) -> Style:
        style = self._look(cell.style)
        glow = self._glows.get(cell.key)
        if glow is not None:
            fresh = self._clock - glow.since < FADE[1]
            lit = self._look("lit" if fresh else "fading")
            # Red stays red.
            return style + lit + (Style(color=style.color) if cell.style == "error" else Style())
        return style

    def _second(self, width: int) -> Strip:
        """As many of the counted searches as there is room for, and how many more there are."""
        segments = [Segment(" ", self.rich_style)]
        used = 1
        pins = pins_of(self.figures)
        for number, cell in enumerate(pins):
            cell.width = max(width_of(cell.text), self._widths.get(cell.key, 0))
            needed = width_of(cell.label) + 1 + cell.width + 3
            more = f"+{len(pins) - number}"
            last = number == len(pins) - 1
            if used + needed - 3 + (0 if last else len(more) + 3) > width:
                segments.append(Segment(more, self._look("label")))
                break
            self._widths[cell.key] = cell.width
            segments += [
                Segment(f"{cell.label} ", self._look("label")),
                Segment(cell.text, self._style_of(cell)),
                Segment(" " * (cell.width - width_of(cell.text) + 3), self.rich_style),
            ]
            used += needed
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def notify_style_update(self) -> None:
        """Colours changed."""
        super().notify_style_update()
        self._strips.clear()
        self._looks.clear()

    def on_resize(self) -> None:
        """Another width: other details."""
        self._strips.clear()
        self._widths.clear()
