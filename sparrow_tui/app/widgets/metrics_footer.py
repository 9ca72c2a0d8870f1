"""The counters, in place: one widget for all figures; what changes is lit for a moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from sparrow_tui.sanitize import clean_line
from sparrow_tui.text.figures import compact, dollars, sparkline
from sparrow_tui.text.wrap import width_of

FADE = (0.0, 0.7, 1.4)
"""Seconds after a change at which a figure is bright, half bright, and as before."""


class Pinned(NamedTuple):
    """A saved search that is counted."""

    name: str
    number: int
    """Of matching turns."""
    complete: bool = True
    """Whether that is all."""


@dataclass(frozen=True)
class Figures:
    """What the footer shows. Counts are since ever, within the scope."""

    scope: str = "all"
    requests: int = 0
    request_errors: int = 0
    input: int = 0
    output: int = 0
    cache: int = 0
    tool_calls: int = 0
    tool_errors: int = 0
    cost_micro: int = 0
    unpriced: int = 0
    """Tokens without a known price."""
    active: int = 0
    today_tokens: int = 0
    today_cost: int = 0
    """Micro-dollars."""
    rate: float = 0.0
    """Tokens a minute over the last hour."""
    history: Sequence[int] = ()
    """Tokens by hour of the last day, oldest first."""
    pinned: Sequence[Pinned] = ()
    """Saved searches that are counted."""
    dated: bool = True
    """Whether it is known what came today and when."""
    note: str = ""
    """Something about the source of the figures: stale, unreachable."""


@dataclass
class _Cell:
    key: str
    label: str
    text: str
    style: str = "figure"
    rank: int = 0
    """Cells of the highest rank are left out first where there is no room."""
    short: str = ""
    """Label in narrow terminals."""
    near: bool = False
    """Whether it belongs to the cell before."""
    width: int = 0


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
        same = figures.scope == self.figures.scope and self._known
        self._known = True
        taller = bool(figures.pinned) != bool(self.figures.pinned)
        before, cells = self._texts, self._all_cells(figures)
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

    def _cells(self, figures: Figures) -> list[_Cell]:
        """The figures in order, each with its rank."""
        f = figures
        # Buckets know no sessions: what came today is always of all of them.
        today = "today" if f.scope == "all" else "all today"
        cells = [
            _Cell("scope", "", f.scope.upper(), "scope", 0),
            _Cell("req", "requests", compact(f.requests), rank=1, short="req"),
            _Cell("reqx", "", f"✗{compact(f.request_errors)}" if f.request_errors else "",
                  "error", 1, near=True),
            _Cell("in", "tokens", f"↑{compact(f.input)}", rank=0, short="tok"),
            _Cell("out", "", f"↓{compact(f.output)}", rank=0, near=True),
            _Cell("cache", "", f"⟳{compact(f.cache)}" if f.cache else "", "label", 8, near=True),
            _Cell("tool", "tools", compact(f.tool_calls), rank=2, short="tools"),
            _Cell("toolx", "", f"✗{compact(f.tool_errors)}" if f.tool_errors else "",
                  "error", 2, near=True),
            _Cell("cost", "cost", dollars(f.cost_micro) + ("+" if f.unpriced else ""), rank=0),
            _Cell("active", "active", f"{f.active:,}", rank=4, short="live"),
            _Cell("today", today, compact(f.today_tokens) if f.dated else "", rank=3,
                  short=today),
            _Cell("spent", "", dollars(f.today_cost) if f.dated else "", rank=5, near=True),
            _Cell("rate", "", f"{compact(f.rate)}/min" if f.rate else "", "label", 6),
            _Cell("bars", "", sparkline(f.history), "bars", 7),
        ]  # fmt: skip
        if f.note:
            cells.insert(1, _Cell("note", "", clean_line(f.note, 60), "note", 1))
        return [cell for cell in cells if cell.text]

    @staticmethod
    def _pins(figures: Figures) -> list[_Cell]:
        """The counted searches."""
        return [
            _Cell(f"pin {pin.name}", clean_line(pin.name, 24),
                  f"{pin.number:,}{'' if pin.complete else '+'}")
            for pin in figures.pinned
        ]  # fmt: skip

    def _all_cells(self, figures: Figures) -> list[_Cell]:
        return [*self._cells(figures), *self._pins(figures)]

    def _fit(self, width: int) -> tuple[list[_Cell], bool]:
        """The cells there is room for, and whether labels are short."""
        cells = self._cells(self.figures)
        for short in (False, True):
            left = list(cells)
            while True:
                if self._needed(left, short) <= width:
                    dropped = len(left) < len(cells)
                    if not (dropped and not short and width < 110):
                        return left, short
                    break
                worst = max(cell.rank for cell in left)
                if worst == 0:
                    break
                left = [cell for cell in left if cell.rank < worst]
        return [cell for cell in cells if cell.rank == 0], True

    def _needed(self, cells: Sequence[_Cell], short: bool) -> int:
        needed = 1
        for cell in cells:
            label = cell.short if short else cell.label
            cell.width = max(width_of(cell.text), self._widths.get(cell.key, 0))
            needed += cell.width + (len(label) + 1 if label else 0)
            needed += 0 if cell is cells[0] else _gap(cell, short)
        return needed

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
        cells, short = self._fit(width)
        base, label_style = self.rich_style, self._look("label")
        segments = [Segment(" ", base)]
        for number, cell in enumerate(cells):
            label = cell.short if short else cell.label
            if number:
                segments.append(Segment(" " * _gap(cell, short), base))
            if label:
                segments.append(Segment(f"{label} ", label_style))
            self._widths[cell.key] = cell.width
            segments.append(Segment(cell.text, self._style_of(cell)))
            pad = cell.width - width_of(cell.text)
            if pad > 0:
                segments.append(Segment(" " * pad, base))
        return Strip(segments).adjust_cell_length(width, base)

    def _style_of(self, cell: _Cell) -> Style:
        style = self._look(cell.style)
        glow = self._glows.get(cell.key)
        if glow is not None:
            fresh = self._clock - glow.since < FADE[1]
            return style + self._look("lit" if fresh else "fading")
        return style

    def _second(self, width: int) -> Strip:
        """As many of the counted searches as there is room for, and how many more there are."""
        segments = [Segment(" ", self.rich_style)]
        used = 1
        pins = self._pins(self.figures)
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


def _gap(cell: _Cell, short: bool) -> int:
    """Cells before one that is not the first."""
    return 1 if cell.near else 2 if short else 3
