"""Times as people say them, from a clock that tests can set."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], int]
"""Gives the present in milliseconds since the epoch."""

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
SOON = 7 * DAY
"""A source that goes within this time is marked."""


def now() -> int:
    """The present, in milliseconds since the epoch."""
    return int(time.time() * 1000)


def age(moment: int | None, present: int) -> str:
    """How long ago, in three or four characters: ``now``, ``12m``, ``3h``, ``5d``, ``8w``."""
    if moment is None:
        return "–"
    gone = present - moment
    if gone < MINUTE:
        return "now"
    for limit, unit, letter in (
        (HOUR, MINUTE, "m"),
        (DAY, HOUR, "h"),
        (14 * DAY, DAY, "d"),
        (365 * DAY, 7 * DAY, "w"),
    ):
        if gone < limit:
            return f"{gone // unit}{letter}"
    return f"{gone // (365 * DAY)}y"


def expiry(moment: int | None, present: int) -> str:
    """What lists say of a source its agent is about to delete; empty if it is not yet."""
    if moment is None or moment - present >= SOON:
        return ""
    return f"expires in {until(moment, present)}" if moment > present else "expires now"


def until(moment: int, present: int) -> str:
    """How long until a time, as `age` says it."""
    return age(present, moment) if moment > present else "now"


def stamp(moment: int | None) -> str:
    """A local date and time: ``2026-03-01 10:00``."""
    if moment is None:
        return "no time"
    try:
        return datetime.fromtimestamp(moment / 1000).strftime("%Y-%m-%d %H:%M")
    except (OverflowError, OSError, ValueError):
        return "no time"
