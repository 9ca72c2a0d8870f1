"""A vertical scrollbar one cell wide, drawn from a few kept cells."""

from __future__ import annotations

from rich.segment import Segment
from textual.geometry import Region
from textual.scrollbar import ScrollBar, ScrollBarRender
from textual.strip import Strip


class ThinScrollBar(ScrollBar):
    """Looks and works as Textual's own.

    Textual draws each of its lines with padding, borders and filters of its own: 4 ms a bar,
    whenever the number of rows changes, which is at every key of a search.
    """

    def render_lines(self, crop: Region) -> list[Strip]:
        """Lines on their way to the screen: equal cells are the same object."""
        bar = self.render()
        if not isinstance(bar, ScrollBarRender):
            return super().render_lines(crop)
        style = self.app.console.get_style(bar.style)
        assert style.color is not None
        assert style.bgcolor is not None
        cells = ScrollBarRender.render_bar(
            size=self.size.height,
            virtual_size=bar.virtual_size,
            window_size=bar.window_size,
            position=bar.position,
            back_color=style.bgcolor,
            bar_color=style.color,
        ).segments
        drawn: dict[int, Strip] = {}
        background = self.background_colors[1]
        for cell in cells:
            if id(cell) not in drawn:
                strip = Strip([Segment(cell.text, cell.style)], 1)
                for line_filter in self.get_line_filters():
                    strip = strip.apply_filter(line_filter, background)
                drawn[id(cell)] = strip
        return [drawn[id(cell)] for cell in cells[crop.y : crop.bottom]]
