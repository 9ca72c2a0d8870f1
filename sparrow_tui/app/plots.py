"""From what the store said to what the dashboard's widgets show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sparrow_tui.app.board import Board
from sparrow_tui.app.figures import METRICS, Cell, Metric, error_rate, failures
from sparrow_tui.app.widgets.charts_plot import OTHER, Plot
from sparrow_tui.app.widgets.charts_ranking import Line
from sparrow_tui.app.widgets.drawn import COLOURS
from sparrow_tui.store.durations import Histogram
from sparrow_tui.store.totals import Sums
from sparrow_tui.text.figures import compact

Name = Callable[[str], str]


def plot_of(board: Board, metric: Metric, name: Name) -> Plot:
    """The chart's values.

    Args:
        board: the store's answer.
        metric: which figure.
        name: a label as people know it.

    Returns:
        Parts stacked largest at the bottom; those beyond `COLOURS` together as `OTHER`. A label
        keeps its colour while other times are looked at, as far as there are enough.
    """
    sums: dict[str, float] = {}
    for point in board.points:
        for label, cell in point.items():
            sums[label] = sums.get(label, 0) + metric.value(cell)
    ranked = sorted((s for s in sums.items() if s[1] > 0), key=lambda item: (-item[1], item[0]))
    shown = [label for label, _ in ranked[:COLOURS]]
    rest = {label for label, _ in ranked[COLOURS:]}
    labels = [*shown, OTHER] if rest and metric.adds_up else shown
    parts = []
    for point in board.points:
        values = [metric.value(point[label]) if label in point else 0.0 for label in shown]
        if len(labels) > len(shown):
            values.append(sum(metric.value(c) for label, c in point.items() if label in rest))
        parts.append(values)
    slots = _slots(shown, board.order)
    return Plot(
        metric=metric,
        unit=board.wanted.unit,
        starts=[step.start for step in board.steps],
        labels=labels,
        names=["other" if label == OTHER else name(label) for label in labels],
        slots=[*slots, None][: len(labels)],
        parts=parts,
        totals=[metric.value(cell) for cell in board.wholes],
    )


def _slots(shown: Sequence[str], order: Sequence[str]) -> list[int]:
    """Colours: each label's own as long as its place in the order has one, else a free one."""
    own = {label: order.index(label) for label in shown if label in order[:COLOURS]}
    free = [slot for slot in range(COLOURS) if slot not in own.values()]
    return [own[label] if label in own else free.pop(0) for label in shown]


def tiles_of(board: Board) -> list[str]:
    """Sums over the chart's time, in the order of `METRICS`."""
    values = [metric.text(metric.value(board.total)) for metric in METRICS]
    if board.total.sums.unpriced:
        values[1] += "+"
    return values


def ranking(cells: Mapping[str, Cell], metric: Metric, name: Name) -> list[Line]:
    """Labels by a figure, the largest first."""
    found = [(label, metric.value(cell)) for label, cell in cells.items()]
    found = sorted((f for f in found if f[1] > 0), key=lambda item: (-item[1], item[0]))
    return [Line(name(label), value, metric.text(value), key=label) for label, value in found]


def tool_lines(tools: Sequence[tuple[str, Sums]]) -> list[Line]:
    """Tools by calls, with what failed."""
    lines = []
    for tool, sums in tools:
        share = error_rate(sums)
        bad = ("✗<1%" if share < 0.5 else f"✗{share:.0f}%") if failures(sums) else ""
        lines.append(Line(tool, sums.tool_calls, compact(sums.tool_calls), bad, tool))
    return lines


def slow_lines(slowest: Sequence[tuple[str, Histogram]]) -> list[Line]:
    """Tools by how long half their calls take at most."""
    lines = []
    for tool, took in slowest:
        half = took.quantile(0.5)
        if took.number:
            lines.append(Line(tool, half, f"{_seconds(half)} ×{compact(took.number)}", key=tool))
    return lines


def _seconds(value: float) -> str:
    if value < 10:
        return f"{value:.1f}s"
    return f"{value:.0f}s" if value < 100 else f"{value / 60:.0f}m"


def project_name(path: str) -> str:
    """The last part of a project's path."""
    return path.rstrip("/\\").replace("\\", "/").rsplit("/", 1)[-1] or path or "(no project)"


def model_name(label: str) -> str:
    """A model's name, or that there is none."""
    return label or "(no model)"
