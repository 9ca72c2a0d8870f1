"""Steps of local time that sums and charts go by: hours, days, weeks and months."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

HOUR_MS = 3_600_000
STEPS = ("hour", "day", "week", "month")
_MONDAY = 3
"""Days from the Monday of its week to 1970-01-01."""

_FORMS: dict[str, Callable[[datetime], str]] = {
    "hour": lambda moment: f"{moment:%Y-%m-%d %H:00}",
    "day": lambda moment: f"{moment:%Y-%m-%d}",
    "week": lambda moment: f"{moment:%G-W%V}",
    "month": lambda moment: f"{moment:%Y-%m}",
}


def label_of(moment: int, step: str) -> str:
    """The local hour, day, week or month of a time: ``2026-03-01``, ``2026-W09``.

    Args:
        moment: milliseconds since the epoch.
        step: one of `STEPS`.
    """
    try:
        return _FORMS[step](datetime.fromtimestamp(moment / 1000))
    except (OverflowError, OSError, ValueError):
        return "?"


def name_of(number: int, step: str) -> str:
    """The name of a step by its number in SQL (see `expression`)."""
    try:
        if step == "hour":
            return label_of(number * HOUR_MS, step)
        if step == "month":
            return f"{number // 100:04}-{number % 100:02}"
        day = number * 7 - _MONDAY if step == "week" else number
        return _FORMS[step](datetime(1970, 1, 1) + timedelta(days=day))
    except OverflowError:
        return "?"


def expression(step: str, first: int, last: int) -> str:
    """SQL: the number of the step of local time that the column ``hour`` falls in.

    Grouping there instead of here lets a chart over years come from few rows.

    Args:
        step: one of `STEPS`.
        first: Unix hour from which on it is needed.
        last: Unix hour up to which it is needed.
    """
    if step == "hour":
        return "hour"
    offsets = _offsets(first, last)
    offset = str(offsets[-1][1])
    if len(offsets) > 1:
        cases = " ".join(f"WHEN hour < {until} THEN {shift}" for until, shift in offsets[:-1])
        offset = f"CASE {cases} ELSE {offset} END"
    day = f"((hour * 3600 + {offset}) / 86400)"
    if step == "day":
        return day
    if step == "week":
        return f"(({day} + {_MONDAY}) / 7)"
    return f"CAST(strftime('%Y%m', {day} * 86400, 'unixepoch') AS INTEGER)"


def _offsets(first: int, last: int) -> list[tuple[int, int]]:
    """Seconds that local time is ahead of UTC, each with the Unix hour it ends before."""
    found: list[tuple[int, int]] = []
    at, held = first, _offset(first)
    while at < last:
        following = min(at + 24 * 7, last)
        if _offset(following) != held:
            low, high = at, following
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if _offset(middle) == held else (low, middle)
            found.append((high, held))
            following, held = high, _offset(high)
        at = following
    return [*found, (last + 1, held)]


def _offset(hour: int) -> int:
    try:
        return time.localtime(hour * 3600).tm_gmtoff
    except (OverflowError, OSError, ValueError):
        return 0


def first_hour(moment: int) -> int:
    """The first Unix hour of what begins at a moment, in milliseconds since the epoch.

    The hour it falls in. Where local hours begin within those of UTC and the moment is one of
    these beginnings, the next one: the hour before counts where it began, in charts too.
    """
    hour = moment // HOUR_MS
    try:
        begins = moment % HOUR_MS and not moment // 1000 % 60 and not _local(moment).minute
    except (OverflowError, OSError, ValueError):
        begins = False
    return hour + 1 if begins else hour


def _local(moment: int) -> datetime:
    return datetime.fromtimestamp(moment / 1000)


def day_start(now: int | None = None) -> int:
    """Midnight, local time, in milliseconds since the epoch."""
    moment = datetime.fromtimestamp((now if now is not None else time.time() * 1000) / 1000)
    return int(moment.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)
