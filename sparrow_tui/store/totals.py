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
from sparrow_tui.store.durations import Histogram
from sparrow_tui.store.liveness import LIVE_AT, STATE_AT
from sparrow_tui.store.steps import HOUR_MS, STEPS, expression, name_of

FIELDS = (
    "turns", "requests", "request_errors", "input", "output", "cache_read", "cache_write",
    "reasoning", "tool_calls", "tool_errors", "cost_micro", "unpriced",
)  # fmt: skip
_SUMS = ", ".join(f"coalesce(sum({name}), 0)" for name in FIELDS)
LABELS = ("agent", "model", "project")
"""What sums can be kept apart by, besides time and tool."""


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
            return self._stepped(key, where, values)
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
                conditions.append(f"hour {sign} ?")
                values.append(moment // HOUR_MS)
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
        return durations.histograms(self._db, kind)

    def ingest(self) -> list[Ingest]:
        """What was read of each agent's sources."""
        return [Ingest(*row) for row in self._db.execute("SELECT * FROM ingest").fetchall()]

    def _stepped(self, step: str, where: str, values: tuple[object, ...]) -> list[tuple[str, Sums]]:
        """Sums by steps of local time, in order."""
        first, last = self._db.execute(
            f"SELECT min(hour), max(hour) FROM bucket{where}", values
        ).fetchone()
        if first is None:
            return []
        rows = self._db.execute(
            f"SELECT {expression(step, first, last)} AS step, {_SUMS} FROM bucket{where}"
            " GROUP BY 1 ORDER BY 1",
            values,
        ).fetchall()
        return [(name_of(number, step), Sums(*sums)) for number, *sums in rows]

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
