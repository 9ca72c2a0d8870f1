"""What the counters say: sums over everything, a span of time, or some sessions.

Read from the tables that are kept as turns arrive (see `sparrow_tui.store.counters`), never by
scanning turns.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime

import apsw
import msgspec

from sparrow_tui.store.counters import HOUR_MS
from sparrow_tui.store.durations import BOUNDS, SEARCH_BOUNDS
from sparrow_tui.store.liveness import LIVE, STATE_AT

FIELDS = (
    "turns", "requests", "request_errors", "input", "output", "cache_read", "cache_write",
    "reasoning", "tool_calls", "tool_errors", "cost_micro", "unpriced",
)  # fmt: skip
_SUMS = ", ".join(f"coalesce(sum({name}), 0)" for name in FIELDS)
LABELS = ("agent", "model", "project")
"""What sums can be kept apart by, besides time and tool."""
STEPS = ("hour", "day", "week", "month")
MOST_ACTIVE_MS = 400 * 24 * HOUR_MS
"""A session counts as active for at most so long."""


class Sums(msgspec.Struct, array_like=True):
    """The counters of some turns."""

    turns: int = 0
    requests: int = 0
    request_errors: int = 0
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0
    tool_calls: int = 0
    tool_errors: int = 0
    cost_micro: int = 0
    """Micro-dollars."""
    unpriced: int = 0
    """Tokens whose model has no known price."""

    @property
    def tokens(self) -> int:
        """All tokens, cached or not."""
        return self.input + self.output + self.cache_read + self.cache_write

    def add(self, other: Sums) -> None:
        """Add another's counts to these."""
        for name in FIELDS:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class Histogram(msgspec.Struct):
    """How often something took how long."""

    bounds: tuple[float, ...]
    """Upper bounds of the slots, in seconds."""
    slots: list[int]
    """Number in each slot, and last of those above every bound."""
    total: float = 0.0
    """Seconds in all."""
    longest: float = 0.0
    """Seconds."""

    @property
    def number(self) -> int:
        """How many there were."""
        return sum(self.slots)

    @property
    def mean(self) -> float:
        """Seconds on average; 0 if there were none."""
        return self.total / self.number if self.number else 0.0


class Ingest(msgspec.Struct, array_like=True, frozen=True):
    """What was read of an agent's sources, ever."""

    agent: str
    bytes: int
    records: int
    lag_ms: int
    """Of the source read last: from its change to its reading."""


class Totals:
    """Questions to the counters' tables. One thread at a time."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._db = connection

    def overall(
        self, since: int | None = None, until: int | None = None, agent: str | None = None
    ) -> Sums:
        """Everything, or what falls between two times (milliseconds, whole hours)."""
        where, values = _span(since, until, agent)
        row = self._db.execute(f"SELECT {_SUMS} FROM bucket{where}", values).fetchone()
        return Sums(*row)

    def by(
        self,
        key: str,
        since: int | None = None,
        until: int | None = None,
        agent: str | None = None,
    ) -> list[tuple[str, Sums]]:
        """Sums apart by ``agent``, ``model`` or ``project``, most tokens first.

        ``tool`` gives only calls; a step of time (``hour``, ``day``, ``week``, ``month``) gives
        local times in order.

        Raises:
            ValueError: another key.
        """
        if key == "tool":
            return self._by_tool(since, until, agent)
        where, values = _span(since, until, agent)
        if key in STEPS:
            rows = self._db.execute(
                f"SELECT hour, {_SUMS} FROM bucket{where} GROUP BY hour ORDER BY hour", values
            ).fetchall()
            steps: dict[str, Sums] = {}
            for hour, *sums in rows:
                steps.setdefault(label_of(hour * HOUR_MS, key), Sums()).add(Sums(*sums))
            return list(steps.items())
        if key not in LABELS:
            raise ValueError(f"sums are not kept by {key}")
        rows = self._db.execute(
            f"SELECT {key}, {_SUMS} FROM bucket{where} GROUP BY {key}"
            " ORDER BY sum(input + output + cache_read + cache_write) DESC, sum(turns) DESC",
            values,
        ).fetchall()
        return [(label, Sums(*sums)) for label, *sums in rows]

    def _by_tool(
        self, since: int | None, until: int | None, agent: str | None
    ) -> list[tuple[str, Sums]]:
        conditions, values = ["1"], []
        for moment, sign in ((since, ">="), (until, "<=")):
            if moment is not None:
                conditions.append(f"day {sign} ?")
                values.append(moment // HOUR_MS // 24)
        rows = self._db.execute(
            "SELECT tool, sum(calls), sum(errors) FROM tool_bucket"
            f" WHERE {' AND '.join(conditions)}"
            + (" AND agent = ?" if agent else "")
            + " GROUP BY tool ORDER BY 2 DESC, 1",
            (*values, *([agent] if agent else [])),
        ).fetchall()
        return [(tool, Sums(tool_calls=calls, tool_errors=errors)) for tool, calls, errors in rows]

    def labelled(self) -> list[tuple[str, str, Sums]]:
        """Sums of everything by agent and model."""
        rows = self._db.execute(
            f"SELECT agent, model, {_SUMS} FROM bucket GROUP BY agent, model"
        ).fetchall()
        return [(agent, model, Sums(*sums)) for agent, model, *sums in rows]

    def durations(self, kind: str) -> dict[tuple[str, str], Histogram]:
        """Histograms by agent and name.

        Args:
            kind: ``tool`` (by tool), ``turn`` (by model) or ``search`` (by stage).
        """
        bounds = SEARCH_BOUNDS if kind == "search" else BOUNDS
        found: dict[tuple[str, str], Histogram] = {}
        for agent, name, slot, number, total, longest in self._db.execute(
            "SELECT agent, name, slot, number, total_us, longest_us FROM duration WHERE kind = ?",
            (kind,),
        ).fetchall():
            held = found.setdefault((agent, name), Histogram(bounds, [0] * (len(bounds) + 1)))
            held.slots[min(slot, len(bounds))] += number
            held.total += total / 1e6
            held.longest = max(held.longest, longest / 1e6)
        return found

    def ingest(self) -> list[Ingest]:
        """What was read of each agent's sources."""
        return [Ingest(*row) for row in self._db.execute("SELECT * FROM ingest").fetchall()]

    def series(
        self, step: str, since: int, until: int, apart: str | None = None
    ) -> dict[str, dict[str, Sums]]:
        """Sums by steps of local time, and within each by agent, model or project.

        Args:
            step: ``hour``, ``day``, ``week`` or ``month``.
            since: first moment, milliseconds since the epoch.
            until: last moment.
            apart: one of `LABELS`; ``None``: all under an empty label.

        Returns:
            Sums by label and then by the step's name (see `label_of`), steps without any left out.
        """
        what = apart if apart in LABELS else "''"
        where, values = _span(since, until, None)
        rows = self._db.execute(
            f"SELECT {what}, hour, {_SUMS} FROM bucket{where} GROUP BY 1, 2 ORDER BY 2", values
        ).fetchall()
        found: dict[str, dict[str, Sums]] = {}
        for label, hour, *sums in rows:
            name = label_of(hour * HOUR_MS, step)
            found.setdefault(label, {}).setdefault(name, Sums()).add(Sums(*sums))
        return found

    def of_sessions(self, sids: Sequence[int]) -> Sums:
        """What some sessions add up to (a copy's turns count in each of its sessions)."""
        total = Sums()
        for start in range(0, len(sids), 20_000):
            part = msgspec.json.encode(list(sids[start : start + 20_000])).decode()
            row = self._db.execute(
                f"SELECT {_SUMS} FROM session WHERE sid IN (SELECT value FROM json_each(?))",
                (part,),
            ).fetchone()
            total.add(Sums(*row))
        return total

    def active(self) -> int:
        """Sessions in which an agent works or waits for its user now."""
        return int(self._db.execute(f"SELECT count(*) FROM session WHERE {LIVE}").get or 0)

    def states(self, now: int) -> dict[tuple[str, str], int]:
        """Number of sessions by agent and state at a time (see `liveness.status_now`)."""
        rows = self._db.execute(
            f"SELECT agent, {STATE_AT} AS state, count(*) FROM session GROUP BY agent, state",
            (now,),
        ).fetchall()
        return {(agent, status): number for agent, status, number in rows}

    def active_since(self, since: int, step: str) -> dict[str, int]:
        """How many sessions had a turn in each step of local time, from a moment on.

        A session counts in the steps from its first turn to its last.
        """
        found: dict[str, int] = {}
        for began, ended in self._db.execute(
            "SELECT max(coalesce(created_at, updated_at), ?), updated_at FROM session"
            " WHERE updated_at >= ? AND NOT ghost",
            (since, since),
        ).fetchall():
            for name in steps_between(began, min(ended, began + MOST_ACTIVE_MS), step):
                found[name] = found.get(name, 0) + 1
        return found

    def slowest(self, limit: int = 20) -> list[tuple[str, Histogram]]:
        """The tools that take longest on average, over all agents."""
        found: dict[str, Histogram] = {}
        for (_, tool), part in self.durations("tool").items():
            held = found.setdefault(tool, Histogram(part.bounds, [0] * len(part.slots)))
            held.slots = [a + b for a, b in zip(held.slots, part.slots, strict=True)]
            held.total += part.total
            held.longest = max(held.longest, part.longest)
        return sorted(found.items(), key=lambda pair: pair[1].mean, reverse=True)[:limit]


def steps_between(first: int, last: int, step: str) -> list[str]:
    """Names of the steps of local time from one moment to another, in order.

    Args:
        first: milliseconds since the epoch.
        last: milliseconds since the epoch.
        step: one of `STEPS`.
    """
    names: dict[str, None] = {}
    stride = HOUR_MS if step == "hour" else 12 * HOUR_MS
    moment = first
    while moment < last:
        names[label_of(moment, step)] = None
        moment += stride
    names[label_of(last, step)] = None
    return list(names)


def _span(
    since: int | None, until: int | None, agent: str | None
) -> tuple[str, tuple[object, ...]]:
    conditions: list[str] = []
    values: list[object] = []
    if since is not None:
        conditions.append("hour >= ?")
        values.append(since // HOUR_MS)
    if until is not None:
        conditions.append("hour <= ?")
        values.append(until // HOUR_MS)
    if agent:
        conditions.append("agent = ?")
        values.append(agent)
    return (f" WHERE {' AND '.join(conditions)}" if conditions else ""), tuple(values)


_FORMS: dict[str, Callable[[datetime], str]] = {
    "hour": lambda moment: moment.strftime("%Y-%m-%d %H:00"),
    "day": lambda moment: moment.strftime("%Y-%m-%d"),
    "week": lambda moment: moment.strftime("%G-W%V"),
    "month": lambda moment: moment.strftime("%Y-%m"),
}


def label_of(moment: int, step: str) -> str:
    """The local hour, day, week or month of a time: ``2026-03-01``, ``2026-W09``."""
    try:
        return _FORMS[step](datetime.fromtimestamp(moment / 1000))
    except (OverflowError, OSError, ValueError):
        return "?"


def day_start(now: int | None = None) -> int:
    """Midnight, local time, in milliseconds since the epoch."""
    moment = datetime.fromtimestamp((now if now is not None else time.time() * 1000) / 1000)
    return int(moment.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)
