"""What turns add up to (see `buckets`): each turn and each request counted once, ever.

A turn read again, or read from a resumed or forked copy, adds only what it did not add before:
of everything counted the largest figures seen are kept by id. Usage counts by request id with
the field-wise maximum over all sessions. Sums never fall.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import apsw
import msgspec

from sparrow_tui.model import SessionInfo, Usage
from sparrow_tui.pricing import price
from sparrow_tui.store import buckets, durations
from sparrow_tui.store.codec import Row, fingerprint
from sparrow_tui.store.contribution import NOTHING, listed, requests
from sparrow_tui.store.steps import HOUR_MS

TABLES = """
CREATE TABLE presence(              -- hours in which a session had turns of its own
  hour INTEGER NOT NULL, sid INTEGER NOT NULL, PRIMARY KEY (hour, sid)
) WITHOUT ROWID;
CREATE INDEX presence_session ON presence(sid);
CREATE TABLE counted(               -- the largest figures of turns and requests in the sums
  id INTEGER PRIMARY KEY,           -- fingerprint
  input INTEGER, output INTEGER, cache_read INTEGER, cache_write INTEGER, reasoning INTEGER,
  requests INTEGER, request_errors INTEGER, calls INTEGER, results INTEGER, cost_micro INTEGER,
  timed INTEGER
);
"""

_KEEP = "INSERT OR REPLACE INTO counted VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"


class _Counted(msgspec.Struct, array_like=True):
    """The largest figures of one turn or request so far."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0
    requests: int = 0
    request_errors: int = 0
    calls: int = 0
    results: int = 0
    cost_micro: int = 0
    """Of the agent's own figures only."""
    timed: int = 0
    """1 if how long it took is in the histograms."""

    @property
    def usage(self) -> Usage:
        return Usage(self.input, self.output, self.cache_read, self.cache_write, self.reasoning)

    def grow(self, usage: Usage) -> Usage:
        """Take in a usage; what of it is more than there was."""
        more = usage.beyond(self.usage)
        top = usage.largest(self.usage)
        self.input, self.output, self.reasoning = top.input, top.output, top.reasoning
        self.cache_read, self.cache_write = top.cache_read, top.cache_write
        return more


@dataclass(slots=True)
class _Adding:
    """Sums in the making, and what was counted before of the turns at hand."""

    held: dict[int, _Counted]
    new: set[int] = field(default_factory=set)
    """Fingerprints never seen before."""
    sums: dict[buckets.Key, list[int]] = field(default_factory=dict)
    tools: dict[buckets.ToolKey, list[int]] = field(default_factory=dict)
    hours: set[int] = field(default_factory=set)
    """Hours in which there are turns never seen before."""

    def of(self, identity: int) -> _Counted:
        """The figures kept under a fingerprint."""
        if identity not in self.held:
            self.held[identity] = _Counted()
            self.new.add(identity)
        return self.held[identity]

    def tool(self, hour: int, agent: str, tool: str, calls: int, errors: int) -> None:
        """Add to a tool's calls and errors."""
        held = self.tools.setdefault((hour, agent, tool), [0, 0])
        held[0] += calls
        held[1] += errors


class Counters:
    """Keeps the sums. Its caller holds the transaction."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._db = connection

    def add(
        self,
        sid: int,
        session: SessionInfo,
        rows: Sequence[Row],
        first: int,
        otherwise: int,
        calls: Mapping[str, durations.Call],
    ) -> None:
        """Count what turns add to what was counted before.

        Args:
            sid: number of the session.
            session: whose turns; model and project for turns that name none. If it says what the
                session cost, its turns get no list prices.
            rows: the turns.
            first: ``turn_index`` of the first.
            otherwise: the time of turns without one, in milliseconds since the epoch.
            calls: the calls that results among the turns answer.
        """
        turns = [
            fingerprint(
                (f"t:{row.uid}" if row.uid else f"i:{session.id}:{place}").encode(
                    "utf-8", "replace"
                )
            )
            for place, row in enumerate(rows, first)
        ]
        requests = [
            fingerprint(f"u:{row.usage_id}".encode("utf-8", "replace")) if row.usage_id else turn
            for turn, row in zip(turns, rows, strict=True)
        ]
        adding = _Adding(self._held({*turns, *requests}))
        timed = durations.Timed(session.agent)
        for turn, request, row in zip(turns, requests, rows, strict=True):
            moment = row.time if row.time is not None else otherwise
            self._count(adding, timed, session, row, turn, request, moment, calls)
        self._write(adding, [*turns, *requests])
        self._db.executemany(
            "INSERT OR IGNORE INTO presence VALUES (?,?)", [(hour, sid) for hour in adding.hours]
        )
        timed.write(self._db)

    def _held(self, identities: Iterable[int]) -> dict[int, _Counted]:
        wanted = msgspec.json.encode(list(identities)).decode()
        rows = self._db.execute(
            "SELECT * FROM counted WHERE id IN (SELECT value FROM json_each(?))", (wanted,)
        ).fetchall()
        return {row[0]: _Counted(*(value or 0 for value in row[1:])) for row in rows}

    @staticmethod
    def _count(
        adding: _Adding,
        timed: durations.Timed,
        session: SessionInfo,
        row: Row,
        turn: int,
        request: int,
        moment: int,
        calls: Mapping[str, durations.Call],
    ) -> None:
        """Count one turn."""
        before = adding.of(turn)
        new = turn in adding.new
        adding.new.discard(turn)
        model = row.model or session.model or ""
        asked, failed = requests(row)
        called, results = row.tools, row.results
        if not new:
            asked, failed = max(0, asked - before.requests), max(0, failed - before.request_errors)
            called, results = called[before.calls :], results[before.results :]
        before.requests += asked
        before.request_errors += failed
        before.calls += len(called)
        before.results += len(results)
        errors = sum(1 for result in results if result[1]) if results else 0
        usage = known = NOTHING
        if row.usage is not None:
            known = adding.of(request).usage
            usage = adding.of(request).grow(row.usage_total or row.usage)
        cost, unpriced = 0, 0
        if row.cost_micro is not None:
            cost = max(0, row.cost_micro - before.cost_micro)
            before.cost_micro = max(before.cost_micro, row.cost_micro)
        elif usage.total and session.cost_micro is None:
            asked_for, unpriced = listed(model, known, adding.of(request).usage, row.time)
            cost = asked_for or 0
        hour = moment // HOUR_MS
        if new:
            adding.hours.add(hour)
        values = (
            int(new), asked, failed, usage.input, usage.output, usage.cache_read,
            usage.cache_write, usage.reasoning, len(called), errors, cost, unpriced,
        )  # fmt: skip
        if any(values):
            key = (hour, session.agent, model, session.project or "")
            held = adding.sums.setdefault(key, [0] * len(values))
            for place, value in enumerate(values):
                held[place] += value
        for tool in called:
            adding.tool(hour, session.agent, tool, 1, 0)
        own = {call for call, _ in row.calls} if results else ()
        for result in results:
            call = calls.get(result[0])
            if call is None or not call.name:
                continue
            if result[1]:
                adding.tool(hour, session.agent, call.name, 0, 1)
            # A call and its answer in one turn share its one time: that tells no duration.
            ended = None if result[0] in own else row.time
            timed.tool(call.name, call.lasted(result[2], ended))
        if row.duration_ms is not None and not before.timed:
            before.timed = 1
            timed.turn(model, row.duration_ms)

    def _write(self, adding: _Adding, identities: Iterable[int]) -> None:
        self._db.executemany(
            _KEEP,
            [
                (identity, *msgspec.structs.astuple(adding.held[identity]))
                for identity in dict.fromkeys(identities)
                if identity in adding.held
            ],
        )
        buckets.add(self._db, adding.sums, adding.tools)

    def session_level(self, info: SessionInfo, model: str, project: str, moment: int) -> int | None:
        """Count what an agent records for a whole session: the growth since last time.

        Returns:
            The session's cost in micro-dollars: the agent's own, else at list price.
        """
        usage = info.usage or Usage()
        cost = info.cost_micro
        unpriced = 0
        if cost is None and usage.total:
            cost = price(model, usage, moment, summed=True)
            unpriced = usage.total if cost is None else 0
        identity = fingerprint(f"s:{info.id}".encode("utf-8", "replace"))
        held = self._held([identity]).get(identity, _Counted())
        growth = held.grow(usage)
        more = max(0, (cost or 0) - held.cost_micro)
        held.cost_micro = max(held.cost_micro, cost or 0)
        self._db.execute(_KEEP, (identity, *msgspec.structs.astuple(held)))
        if growth.total or more:
            values = (
                0, 0, 0, growth.input, growth.output, growth.cache_read, growth.cache_write,
                growth.reasoning, 0, 0, more, growth.total if unpriced else 0,
            )  # fmt: skip
            buckets.add(self._db, {(moment // HOUR_MS, info.agent, model, project): values})
        return cost
