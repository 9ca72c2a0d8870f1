"""Sums by steps of local time, for charts: hours, days, weeks and months in any zone.

Counters are kept by hours of UTC. A step of local time that begins inside such an hour (zones
with half hours) takes the hours that begin within it, so that every hour counts once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

import apsw
import msgspec

from sparrow_tui.store.buckets import LABELS, read
from sparrow_tui.store.steps import HOUR_MS
from sparrow_tui.store.totals import Sums

_SEEN = "sid NOT IN (SELECT sid FROM session WHERE hidden)"
_LONG = 24 * 90
"""Hours from which on a span may well hold a good part of all sessions."""
_EARLIEST = datetime(1990, 1, 1)
"""Times before it are not real: charts do not go there."""


class Span(NamedTuple):
    """A step of time: ``start <= moment < end``, milliseconds since the epoch."""

    start: int
    end: int


def start_of(moment: int, unit: str) -> int:
    """When the step that holds a moment begins.

    Hours begin where UTC's do; days, weeks (Monday) and months at local midnight.
    """
    if unit == "hour":
        return moment // HOUR_MS * HOUR_MS
    local = datetime.fromtimestamp(moment / 1000)
    day = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if unit == "week":
        day -= timedelta(days=day.weekday())
    elif unit == "month":
        day = day.replace(day=1)
    return int(day.timestamp() * 1000)


def moved(start: int, unit: str, steps: int) -> int:
    """The beginning of the step so many after (before) the one that begins at ``start``."""
    if unit == "hour":
        return start + steps * HOUR_MS
    # Noon is on the same day whatever clocks did at midnight.
    day = datetime.fromtimestamp(start_of(start, unit) / 1000 + 3 * 3600).replace(
        hour=0, minute=0, second=0, microsecond=0, fold=0
    )
    if unit == "month":
        months = day.year * 12 + day.month - 1 + steps
        day = day.replace(year=months // 12, month=months % 12 + 1, day=1)
    else:
        day += timedelta(days=steps * (7 if unit == "week" else 1))
    return int(day.timestamp() * 1000)


def spans(last: int, unit: str, number: int) -> list[Span]:
    """The ``number`` steps that end with the one that holds a moment, in order.

    Args:
        last: milliseconds since the epoch.
        unit: one of `steps.STEPS`.
        number: how many; at least one.
    """
    end = start_of(last, unit)
    starts = [moved(end, unit, step) for step in range(1 - number, 2)]
    return [Span(a, b) for a, b in pairwise(starts)]


class Spans:
    """What the counters say step by step. One thread at a time."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._db = connection

    def earliest(self) -> int | None:
        """When the first thing counted happened; ``None`` if nothing was counted."""
        floor = int(_EARLIEST.timestamp() * 1000) // HOUR_MS
        hour = self._db.execute("SELECT min(hour) FROM bucket WHERE hour >= ?", (floor,)).get
        return None if hour is None else int(hour) * HOUR_MS

    def sums(self, steps: Sequence[Span], apart: str | None = None) -> list[dict[str, Sums]]:
        """What was counted in each step, apart by a label; steps with nothing give no label.

        Args:
            steps: in order.
            apart: one of `LABELS`, or ``tool`` (calls and their errors only); ``None``:
                everything under the empty label.
        """
        found: list[dict[str, Sums]] = [{} for _ in steps]
        for place, name, values in read(self._db, _hours(steps), apart):
            found[place][name] = Sums(*values)
        return found

    def sessions(self, steps: Sequence[Span], apart: str | None = None) -> list[dict[str, int]]:
        """How many sessions had turns of their own in each step, apart by a label.

        Hidden ones are left out, as they are from the list that `sums` leads to.
        """
        if apart not in LABELS:
            return [{"": number} if number else {} for number in self._counts(steps)]
        found: list[dict[str, int]] = [{} for _ in steps]
        rows = self._db.execute(
            f"SELECT step.key, coalesce(session.{apart}, ''), count(DISTINCT sid)"
            " FROM json_each(?) AS step CROSS JOIN presence CROSS JOIN session USING (sid)"
            " WHERE hour >= step.value ->> 0 AND hour < step.value ->> 1"
            " AND NOT hidden GROUP BY 1, 2",
            (msgspec.json.encode(_hours(steps)).decode(),),
        ).fetchall()
        for place, name, number in rows:
            found[place][name] = number
        return found

    def _counts(self, steps: Sequence[Span]) -> list[int]:
        """Sessions in each step. The hidden are few: no look at every session for them."""
        rows = self._db.execute(
            "SELECT (SELECT count(DISTINCT sid) FROM presence WHERE hour >= step.value ->> 0"
            f" AND hour < step.value ->> 1 AND {_SEEN}) FROM json_each(?) AS step ORDER BY step.id",
            (msgspec.json.encode(_hours(steps)).decode(),),
        ).fetchall()
        return [number for (number,) in rows]

    def session_count(self, span: Span) -> int:
        """The same for one span, all labels together."""
        hours = _hours([span])[0]
        # In the order of sessions each is counted as it passes by; a short span is found by hours.
        order = "INDEXED BY presence_session" if hours[1] - hours[0] > _LONG else ""
        count = "SELECT count(DISTINCT sid) FROM presence"
        every = self._db.execute(f"{count} {order} WHERE hour >= ? AND hour < ?", hours).get
        hidden = self._db.execute(
            f"{count} WHERE sid IN (SELECT sid FROM session WHERE hidden)"
            " AND hour >= ? AND hour < ?",
            hours,
        ).get
        return int(every or 0) - int(hidden or 0)

    def sessions_by_labels(self, span: Span) -> list[tuple[str, str, str, int]]:
        """The same for one span: sessions by agent, model and project."""
        rows = self._db.execute(
            "SELECT agent, coalesce(model, ''), coalesce(project, ''), count(*) FROM session"
            " WHERE NOT hidden AND sid IN (SELECT sid FROM presence WHERE hour >= ? AND hour < ?)"
            " GROUP BY 1, 2, 3",
            _hours([span])[0],
        ).fetchall()
        return [(agent, model, project, number) for agent, model, project, number in rows]


def _hours(steps: Sequence[Span]) -> list[tuple[int, int]]:
    """The hours of UTC that begin in each step: the first one, and the one after the last."""
    return [(-(-step.start // HOUR_MS), -(-step.end // HOUR_MS)) for step in steps]
