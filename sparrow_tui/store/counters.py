"""What turns add up to: sums by hour, each turn and each request counted once, ever.

A turn read again, or read from a resumed or forked copy, adds nothing: the ids of what was
counted are kept. Usage counts by request id with the field-wise maximum over all sessions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import apsw

from sparrow_tui.model import SessionInfo, Usage
from sparrow_tui.pricing import price
from sparrow_tui.store.codec import Flag, Row, fingerprint

TABLES = """
CREATE TABLE bucket(                -- sums by hour (Unix hours, UTC)
  hour INTEGER NOT NULL, agent TEXT NOT NULL, model TEXT NOT NULL, project TEXT NOT NULL,
  turns INTEGER NOT NULL DEFAULT 0, requests INTEGER NOT NULL DEFAULT 0,
  request_errors INTEGER NOT NULL DEFAULT 0,
  input INTEGER NOT NULL DEFAULT 0, output INTEGER NOT NULL DEFAULT 0,
  cache_read INTEGER NOT NULL DEFAULT 0, cache_write INTEGER NOT NULL DEFAULT 0,
  reasoning INTEGER NOT NULL DEFAULT 0, tool_calls INTEGER NOT NULL DEFAULT 0,
  tool_errors INTEGER NOT NULL DEFAULT 0, cost_micro INTEGER NOT NULL DEFAULT 0,
  unpriced INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (hour, agent, model, project)
) WITHOUT ROWID;
CREATE TABLE tool_bucket(           -- tool calls by day
  day INTEGER NOT NULL, agent TEXT NOT NULL, tool TEXT NOT NULL,
  calls INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (day, agent, tool)
) WITHOUT ROWID;
CREATE TABLE counted(               -- fingerprints of turns and requests that are in the sums
  id INTEGER PRIMARY KEY,
  input INTEGER, output INTEGER, cache_read INTEGER, cache_write INTEGER, reasoning INTEGER
);
"""

HOUR_MS = 3_600_000

_ADD = (
    "INSERT INTO bucket VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
    " ON CONFLICT(hour, agent, model, project) DO UPDATE SET turns = turns + excluded.turns,"
    " requests = requests + excluded.requests,"
    " request_errors = request_errors + excluded.request_errors,"
    " input = input + excluded.input, output = output + excluded.output,"
    " cache_read = cache_read + excluded.cache_read,"
    " cache_write = cache_write + excluded.cache_write,"
    " reasoning = reasoning + excluded.reasoning, tool_calls = tool_calls + excluded.tool_calls,"
    " tool_errors = tool_errors + excluded.tool_errors,"
    " cost_micro = cost_micro + excluded.cost_micro, unpriced = unpriced + excluded.unpriced"
)
_ADD_TOOL = (
    "INSERT INTO tool_bucket VALUES (?,?,?,?)"
    " ON CONFLICT(day, agent, tool) DO UPDATE SET calls = calls + excluded.calls"
)


@dataclass(slots=True)
class Contribution:
    """What one turn adds to its session's sums."""

    requests: int
    request_errors: int
    usage: Usage
    tool_calls: int
    tool_errors: int
    cost_micro: int | None
    unpriced: int


def contribution(row: Row, model: str) -> Contribution:
    """What a turn adds.

    A request is an assistant turn; one that goes on with an earlier turn's request is none of
    its own. A failed request counts as an error instead. Tool calls count when called.

    Args:
        row: the turn.
        model: the session's model, for turns that name none.
    """
    failed = bool(row.flags & Flag.API_ERROR)
    request = row.role == "assistant" and not failed and row.usage_total is None
    usage = row.usage or Usage()
    cost, unpriced = _cost(row, model, usage)
    return Contribution(
        int(request),
        int(failed),
        usage,
        len(row.calls),
        sum(1 for result in row.results if result[1]),
        cost,
        unpriced,
    )


def _cost(row: Row, model: str, usage: Usage) -> tuple[int | None, int]:
    """Micro-dollars (the agent's own figure wins) and tokens without a price."""
    if row.cost_micro is not None:
        return row.cost_micro, 0
    if not usage.total:
        return None, 0
    cost = price(row.model or model, usage, row.time)
    return (cost, 0) if cost is not None else (None, usage.total)


class Counters:
    """Keeps the sums. Its caller holds the transaction."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._db = connection

    def add(
        self,
        session_id: str,
        agent: str,
        model: str,
        project: str,
        rows: Sequence[Row],
        first: int,
        otherwise: int,
    ) -> None:
        """Count turns that were never counted before.

        Args:
            session_id: whose turns.
            agent: of the session.
            model: of the session, for turns that name none.
            project: of the session.
            rows: the turns.
            first: ``turn_index`` of the first.
            otherwise: the time of turns without one, in milliseconds since the epoch.
        """
        sums: dict[tuple[int, str, str, str], list[int]] = {}
        tools: dict[tuple[int, str, str], int] = {}
        for position, row in enumerate(rows, first):
            name = f"t:{row.uid}" if row.uid else f"i:{session_id}:{position}"
            new = self._first_time(fingerprint(name.encode("utf-8", "replace")))
            usage = self._uncounted(row, new)
            if not new and not usage.total:
                continue
            part = contribution(row, model)
            moment = row.time if row.time is not None else otherwise
            hour = moment // HOUR_MS
            if usage == part.usage:
                cost, unpriced = part.cost_micro, part.unpriced
            else:
                cost, unpriced = _cost(row, model, usage) if usage.total else (None, 0)
            key = (hour, agent, row.model or model, project)
            values = (
                int(new), part.requests * new, part.request_errors * new,
                usage.input, usage.output, usage.cache_read, usage.cache_write, usage.reasoning,
                part.tool_calls * new, part.tool_errors * new, cost or 0, unpriced,
            )  # fmt: skip
            held = sums.setdefault(key, [0] * len(values))
            for place, value in enumerate(values):
                held[place] += value
            if new:
                for tool in row.tools:
                    tool_key = (hour // 24, agent, tool)
                    tools[tool_key] = tools.get(tool_key, 0) + 1
        if sums:
            self._db.executemany(_ADD, [(*key, *values) for key, values in sums.items()])
        if tools:
            self._db.executemany(_ADD_TOOL, [(*key, number) for key, number in tools.items()])

    def _first_time(self, identity: int) -> bool:
        before = self._db.total_changes()
        self._db.execute("INSERT OR IGNORE INTO counted(id) VALUES (?)", (identity,))
        return bool(self._db.total_changes() != before)

    def _uncounted(self, row: Row, new: bool) -> Usage:
        """The part of a turn's usage that no copy of its request has counted yet."""
        if row.usage is None:
            return Usage()
        if not row.usage_id:
            return row.usage if new else Usage()
        identity = fingerprint(f"u:{row.usage_id}".encode("utf-8", "replace"))
        held = self._db.execute(
            "SELECT input, output, cache_read, cache_write, reasoning FROM counted WHERE id = ?",
            (identity,),
        ).fetchone()
        counted = Usage(*(value or 0 for value in held)) if held else Usage()
        total = row.usage_total or row.usage
        after = counted.largest(total)
        self._db.execute(
            "INSERT OR REPLACE INTO counted VALUES (?,?,?,?,?,?)",
            (
                identity, after.input, after.output, after.cache_read, after.cache_write,
                after.reasoning,
            ),
        )  # fmt: skip
        return total.beyond(counted)

    def session_level(self, info: SessionInfo, model: str, project: str, moment: int) -> int | None:
        """Count what an agent records for a whole session: the growth since last time.

        Returns:
            The session's cost in micro-dollars: the agent's own, else at list price.
        """
        usage = info.usage or Usage()
        cost = info.cost_micro
        unpriced = 0
        if cost is None and usage.total:
            cost = price(model, usage, moment)
            unpriced = usage.total if cost is None else 0
        identity = fingerprint(f"s:{info.id}".encode("utf-8", "replace"))
        paid = fingerprint(f"c:{info.id}".encode("utf-8", "replace"))
        held = self._db.execute(
            "SELECT input, output, cache_read, cache_write, reasoning FROM counted WHERE id = ?",
            (identity,),
        ).fetchone()
        before = Usage(*(value or 0 for value in held)) if held else Usage()
        paid_before = self._db.execute("SELECT input FROM counted WHERE id = ?", (paid,)).get or 0
        growth = usage.beyond(before)
        after = usage.largest(before)
        self._db.executemany(
            "INSERT OR REPLACE INTO counted VALUES (?,?,?,?,?,?)",
            [
                (identity, after.input, after.output, after.cache_read, after.cache_write,
                 after.reasoning),
                (paid, max(cost or 0, paid_before), 0, 0, 0, 0),
            ],
        )  # fmt: skip
        more = max(0, (cost or 0) - paid_before)
        if growth.total or more:
            self._db.execute(
                _ADD,
                (
                    moment // HOUR_MS, info.agent, model, project, 0, 0, 0, growth.input,
                    growth.output, growth.cache_read, growth.cache_write, growth.reasoning, 0, 0,
                    more, growth.total if unpriced else 0,
                ),
            )  # fmt: skip
        return cost
