"""What the footer says: its figures as cells, and which of them there is room for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sparrow_tui.sanitize import clean_line
from sparrow_tui.text.figures import compact, dollars, sparkline
from sparrow_tui.text.wrap import width_of

FEWEST_BARS = (8, 12)
"""Hours the bars show at the least, and at the least before cached tokens are told too."""
MAIN = 4
"""Rank up to which figures matter more than that nothing moves."""
ROOM = {
    "req": 5, "reqx": 3, "in": 6, "out": 6, "cache": 6, "tool": 5, "toolx": 3, "cost": 6,
    "active": 1, "today": 5, "spent": 6, "rate": 9,
}  # fmt: skip
"""Cells a figure is given where there are enough: it may grow and nothing beside it moves."""


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
    known: bool = True
    """Whether there are figures: nobody's answer is not 0."""
    note: str = ""
    """Something about the source of the figures: stale, unreachable."""


@dataclass
class Cell:
    """A figure with its label."""

    key: str
    label: str
    text: str
    style: str = "figure"
    """One of the footer's component classes."""
    rank: int = 0
    """Cells of the highest rank are left out first where there is no room."""
    short: str = ""
    """Label in narrow terminals."""
    near: bool = False
    """Whether it belongs to the cell before."""
    width: int = 0


def cells_of(figures: Figures) -> list[Cell]:
    """The figures in order, each with its rank."""
    f = figures
    # Buckets know no sessions: what came today is always of all of them.
    today = "today" if f.scope == "all" else "all today"
    cells = [
        Cell("scope", "", f.scope.upper(), "scope", 0),
        Cell("req", "requests", compact(f.requests), rank=1, short="req"),
        Cell("reqx", "", f"✗{compact(f.request_errors)}" if f.request_errors else "",
              "error", 1, near=True),
        Cell("in", "tokens", f"↑{compact(f.input)}", rank=0, short="tok"),
        Cell("out", "", f"↓{compact(f.output)}", rank=0, near=True),
        Cell("cache", "", f"↻{compact(f.cache)}" if f.cache else "", "label", 8, near=True),
        Cell("tool", "tools", compact(f.tool_calls), rank=2, short="tools"),
        Cell("toolx", "", f"✗{compact(f.tool_errors)}" if f.tool_errors else "",
              "error", 2, near=True),
        Cell("cost", "cost", dollars(f.cost_micro) + ("+" if f.unpriced else ""), rank=0),
        Cell("active", "active", f"{f.active:,}", rank=4, short="live"),
        Cell("today", today, compact(f.today_tokens) if f.dated else "", rank=3,
              short=today),
        Cell("spent", "", dollars(f.today_cost) if f.dated else "", rank=5, near=True),
        Cell("rate", "", f"{compact(f.rate)}/min" if f.rate else "", "label", 6),
        Cell("bars", "", sparkline(f.history), "bars", 7),
    ]  # fmt: skip
    if not f.known:
        cells = cells[:1]
    if f.note:
        cells.insert(1, Cell("note", "", clean_line(f.note, 60), "note", 1))
    return [cell for cell in cells if cell.text]


def pins_of(figures: Figures) -> list[Cell]:
    """The counted searches."""
    return [
        Cell(f"pin {pin.name}", clean_line(pin.name, 24),
              f"{pin.number:,}{'' if pin.complete else '+'}")
        for pin in figures.pinned
    ]  # fmt: skip


def fitted(figures: Figures, width: int, widths: dict[str, int]) -> tuple[list[Cell], bool]:
    """The cells there is room for; whether their labels are short.

    Args:
        figures: what is to be said.
        width: cells of the line.
        widths: of each cell so far, by its key: it stays at least as wide, so that nothing moves
            when it becomes shorter. Emptied if one of the main figures were left out for that.
    """
    every = cells_of(figures)
    cells, short = _chosen(every, width, widths)
    if widths and _main(cells) < _main(every):
        widths.clear()
        cells, short = _chosen(every, width, widths)
    spare = width - _needed(cells, short, widths) - 1  # a margin
    for cell in cells:
        more = ROOM.get(cell.key, 0) - cell.width
        if cell.key == "bars":  # the last one
            cell.width = min(width_of(cell.text), cell.width + spare)
            cell.text = cell.text[-cell.width :]
        elif 0 < more <= spare:
            cell.width += more
            spare -= more
    return cells, short


def _main(cells: Sequence[Cell]) -> int:
    return sum(cell.rank <= MAIN for cell in cells)


def _chosen(
    cells: Sequence[Cell], width: int, widths: Mapping[str, int]
) -> tuple[list[Cell], bool]:
    for short in (False, True):
        left = list(cells)
        while True:
            if _needed(left, short, widths) <= width:
                dropped = len(left) < len(cells)
                if not (dropped and not short and width < 110):
                    return left, short
                break
            worst = max(cell.rank for cell in left)
            if worst == 0:
                break
            left = [cell for cell in left if cell.rank < worst]
    return [cell for cell in cells if cell.rank == 0], True


def _needed(cells: Sequence[Cell], short: bool, widths: Mapping[str, int]) -> int:
    """Cells these take; details only come where the main figures have room to grow."""
    needed = 1
    roomy = any(cell.rank > MAIN for cell in cells)
    bars = FEWEST_BARS[any(cell.key == "cache" for cell in cells)]
    for cell in cells:
        label = cell.short if short else cell.label
        cell.width = max(width_of(cell.text), widths.get(cell.key, 0))
        if cell.key == "bars":
            cell.width = min(cell.width, bars)
        if roomy and cell.rank <= MAIN:
            cell.width = max(cell.width, ROOM.get(cell.key, 0))
        needed += cell.width + (len(label) + 1 if label else 0)
        needed += 0 if cell is cells[0] else gap(cell, short)
    return needed


def gap(cell: Cell, short: bool) -> int:
    """Cells before one that is not the first."""
    return 1 if cell.near else 2 if short else 3
