"""Axes of charts: round numbers to mark, and which steps of time are named."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime


def ticks(top: float, most: int, least: float = 1) -> list[float]:
    """Round numbers from 0 up to the first that is not below ``top``.

    Args:
        top: the largest value shown; 0 or less counts as ``least``.
        most: marks above 0 there is room for; at least 1.
        least: distance of marks, at the least (whole things: 1).

    Returns:
        Multiples of 1, 2 or 5 times a power of ten; the last is the axis' end.
    """
    top = max(top, least)
    power = 10.0 ** math.floor(math.log10(top / max(most, 1)))
    step = least
    for factor in (1, 2, 5, 10, 20, 50):
        step = max(power * factor, least)
        if math.ceil(top / step - 1e-9) <= most:
            break
    return [step * number for number in range(math.ceil(top / step - 1e-9) + 1)]


def step_name(start: int, unit: str) -> str:
    """A step of time in full: ``Thu 26 Nov 2026, 14:00``, ``week of 23 Nov 2026``."""
    local = datetime.fromtimestamp(start / 1000)
    if unit == "hour":
        again = " again" if local.fold else ""
        return f"{local:%a} {local.day} {local:%b %Y, %H:%M}{again}"
    if unit == "day":
        return f"{local:%a} {local.day} {local:%b %Y}"
    if unit == "week":
        return f"week of {local.day} {local:%b %Y}"
    return f"{local:%B %Y}"


def step_marks(starts: Sequence[int], unit: str) -> list[tuple[str, bool]]:
    """The short name of each step for the axis, and whether it begins something larger."""
    marks = []
    before: datetime | None = None
    for start in starts:
        local = datetime.fromtimestamp(start / 1000)
        if unit == "hour":
            new = local.hour == 0
            marks.append((f"{local.day} {local:%b}" if new else f"{local:%H:%M}", new))
        elif unit == "day":
            new = before is None or before.month != local.month
            marks.append((f"{local.day} {local:%b}" if new else f"{local.day}", new))
        elif unit == "week":
            new = before is None or before.month != local.month
            marks.append((f"{local.day} {local:%b}", new))
        else:
            new = before is None or before.year != local.year
            marks.append((f"{local:%b %Y}" if new else f"{local:%b}", new))
        before = local
    return marks


def placed(
    marks: Sequence[tuple[str, bool]], slot: int, width: int, keep: int | None = None
) -> list[tuple[int, int, str]]:
    """Which marks stand on the axis, where, so that none touches another.

    Args:
        marks: see `step_marks`.
        slot: cells of a step.
        width: cells of the axis.
        keep: a step whose mark must stand there (the cursor's).

    Returns:
        (first cell, step, text), in order.
    """
    # The first begins nothing: it stands there for what has begun before.
    order = sorted(
        range(len(marks)), key=lambda n: (n != keep, not (marks[n][1] and n), not marks[n][1], n)
    )
    every = _stride([len(text) for text, _ in marks], slot)
    taken: list[tuple[int, int, int, str]] = []
    for number in order:
        text, larger = marks[number]
        if number != keep and not larger and number % every:
            continue
        at = min(number * slot, width - len(text))
        if at < 0:
            continue
        end = at + len(text)
        if all(end + 1 <= a or at >= b + 1 for a, b, _, _ in taken):
            taken.append((at, end, number, text))
    return sorted((at, number, text) for at, _, number, text in taken)


def _stride(lengths: Sequence[int], slot: int) -> int:
    """Every how many steps a mark has room."""
    needed = max(lengths, default=1) + 2
    return next((n for n in (1, 2, 3, 4, 6, 7, 12, 14, 24) if n * slot >= needed), 48)
