"""What a chart of columns shows, and how much of it has room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sparrow_tui.app.figures import METRICS, Metric

NUMBERS = {
    "hour": (12, 24, 48, 72),
    "day": (7, 14, 30, 60),
    "week": (8, 13, 26, 52),
    "month": (6, 12, 24, 36),
}
"""How many steps a chart may show."""
_USUAL = {"hour": 24, "day": 30, "week": 26, "month": 12}
AXIS = 7
"""Cells left of the columns."""
OTHER = "\0other"
"""Label of the part that stands for all without a colour of their own."""


def steps_that_fit(unit: str, width: int) -> int:
    """How many steps a chart of a width shows well."""
    room = width - AXIS
    fitting = [n for n in NUMBERS[unit] if room // n >= (3 if n > _USUAL[unit] else 2)]
    return max(fitting, default=NUMBERS[unit][0])


@dataclass(frozen=True)
class Plot:
    """What a chart shows."""

    metric: Metric = METRICS[0]
    unit: str = "day"
    starts: Sequence[int] = ()
    """When each step begins, milliseconds since the epoch."""
    labels: Sequence[str] = ()
    """Of the stacked parts, lowest first."""
    names: Sequence[str] = ()
    """The labels as they are shown."""
    slots: Sequence[int | None] = ()
    """Their colours; ``None``: of all that have none."""
    parts: Sequence[Sequence[float]] = ()
    """By step, a value for each label."""
    totals: Sequence[float] = ()
    """By step, over everything."""
