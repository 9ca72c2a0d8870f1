"""What the counters say: sums over everything, a span of time, or some sessions.

Read from the tables that are kept as turns arrive (see `sparrow_tui.store.counters`), never by
scanning turns.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import apsw
import msgspec

from sparrow_tui.store import durations
from sparrow_tui.store.buckets import EVER, FIELDS, LABELS, read
from sparrow_tui.store.durations import Histogram
from sparrow_tui.store.liveness import LIVE_AT, STATE_AT
from sparrow_tui.store.steps import HOUR_MS, STEPS, expression, first_hour, name_of

_SUMS = ", ".join(f"coalesce(sum({name}), 0)" for name in FIELDS)


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

    @property
    def fresh(self) -> int:
        """Tokens that were not read from a cache."""
        return self.input + self.output + self.cache_write

    def add(self, other: Sums) -> None:
        """Add another's counts to these."""
        for name in FIELDS:
            setattr(self, name, getattr(self, name) + getattr(other, name))


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
        """Everything, or what falls between two times (milliseconds; see `first_hour`)."""
        rows = read(self._db, [_hours(since, until)], "agent" if agent else None)
        return next((Sums(*sums) for _, label, sums in rows if label == (agent or "")), Sums())

    def by(
        self, key: str, since: int | None = None, until: int | None = None
    ) -> list[tuple[str, Sums]]:
        """Sums apart by ``agent``, ``model`` or ``project``, most tokens first.

        ``tool`` gives only calls, most first; a step of time (``hour``, ``day``, ``week``,
        ``month``) gives local times in order.

        Raises:
            ValueError: another key.
        """
        span = _hours(since, until)
        if key in STEPS:
            return self._stepped(key, *span)
        if key not in (*LABELS, "tool"):
            raise ValueError(f"sums are not kept by {key}")
        found = [(label, Sums(*sums)) for _, label, sums in read(self._db, [span], key)]
        if key == "tool":
            return sorted(found, key=lambda pair: (-pair[1].tool_calls, pair[0]))
        return sorted(found, key=lambda pair: (-pair[1].tokens, -pair[1].turns, pair[0]))

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
        return durations.histograms(self._db, kind)

    def ingest(self) -> list[Ingest]:
        """What was read of each agent's sources."""
        return [Ingest(*row) for row in self._db.execute("SELECT * FROM ingest").fetchall()]

    def _stepped(self, step: str, first: int, end: int) -> list[tuple[str, Sums]]:
        """Sums by steps of local time, in order."""
        where, values = "WHERE hour >= ? AND hour < ?", (first, end)
        first, last = self._db.execute(
            f"SELECT min(hour), max(hour) FROM bucket {where}", values
        ).fetchone()
        if first is None:
            return []
        rows = self._db.execute(
            f"SELECT {expression(step, first, last)} AS step, {_SUMS} FROM bucket {where}"
            " GROUP BY 1 ORDER BY 1",
            values,
        ).fetchall()
        return [(name_of(number, step), Sums(*sums)) for number, *sums in rows]

    def hours(self, after: int) -> list[tuple[int, int]]:
        """Tokens that were not read from a cache, by hour since the epoch, later than ``after``."""
        rows = self._db.execute(
            "SELECT hour, sum(input + output + cache_write) FROM bucket WHERE hour > ?"
            " GROUP BY hour",
            (after,),
        ).fetchall()
        return [(hour, tokens) for hour, tokens in rows]

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

    def active(self, now: int | None = None) -> int:
        """Sessions in which an agent works or waits for its user.

        Args:
            now: the present in milliseconds since the epoch.
        """
        moment = int(time.time() * 1000) if now is None else now
        query = f"SELECT count(*) FROM session WHERE {LIVE_AT}"
        return int(self._db.execute(query, (moment,)).get or 0)

    def states(self, now: int) -> dict[tuple[str, str], int]:
        """Number of sessions by agent and state at a time (see `liveness.status_now`)."""
        rows = self._db.execute(
            f"SELECT agent, {STATE_AT} AS state, count(*) FROM session GROUP BY agent, state",
            (now,),
        ).fetchall()
        return {(agent, status): number for agent, status, number in rows}

    def slowest(self, limit: int = 20) -> list[tuple[str, Histogram]]:
        """The tools that typically (half their calls) take longest, over all agents."""
        found: dict[str, Histogram] = {}
        for (_, tool), part in self.durations("tool").items():
            found[tool] = found[tool].plus(part) if tool in found else part
        return sorted(found.items(), key=lambda pair: pair[1].quantile(0.5), reverse=True)[:limit]


def _hours(since: int | None, until: int | None) -> tuple[int, int]:
    """The first hour of a time, and the one after its last."""
    return (
        EVER[0] if since is None else first_hour(since),
        EVER[1] if until is None else until // HOUR_MS + 1,
    )
