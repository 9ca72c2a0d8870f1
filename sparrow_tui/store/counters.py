"""What turns add up to (see `buckets`): each turn and each request counted once, ever.

A turn read again, or read from a resumed or forked copy, adds only what it did not add before:
of everything counted the largest figures seen are kept by id. Usage counts by request id with
the field-wise maximum over all sessions. Sums never fall.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import add

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
        held = self.usage
        more, top = usage.beyond(held), usage.largest(held)
        self.input, self.output, self.reasoning = top.input, top.output, top.reasoning
        self.cache_read, self.cache_write = top.cache_read, top.cache_write
        return more


@dataclass(slots=True)
class _Pending:
    """What is to be written."""

    held: dict[int, _Counted] = field(default_factory=dict)
    """The figures of turns and requests at hand, by fingerprint."""
    sums: dict[buckets.Key, list[int]] = field(default_factory=dict)
    tools: dict[buckets.ToolKey, list[int]] = field(default_factory=dict)
    presence: set[tuple[int, int]] = field(default_factory=set)
    """Hours and sessions that have turns never seen before in them."""
    timed: dict[str, durations.Timed] = field(default_factory=dict)
    """By agent."""

    def of(self, identity: int) -> _Counted:
        """The figures kept under a fingerprint."""
        held = self.held.get(identity)
        if held is None:
            held = self.held[identity] = _Counted()
        return held

    def add(self, key: buckets.Key, values: Sequence[int]) -> None:
        """Add to an hour's sums."""
        held = self.sums.get(key)
        self.sums[key] = [*values] if held is None else [*map(add, held, values)]

    def tool(self, hour: int, agent: str, tool: str, calls: int, errors: int) -> None:
        """Add to a tool's calls and errors."""
        held = self.tools.setdefault((hour, agent, tool), [0, 0])
        held[0] += calls
        held[1] += errors


class Counters:
    """Keeps the sums. Its caller holds the transaction, and ends it with `flush`.

    Turns of one hour, and calls of one tool, are often in several parts of what is written
    together: what they add up to is written once.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._db = connection
        self._pending = _Pending()

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
        new = self._load({*turns, *requests})
        timed = self._pending.timed.setdefault(session.agent, durations.Timed(session.agent))
        for turn, request, row in zip(turns, requests, rows, strict=True):
            moment = row.time if row.time is not None else otherwise
            if turn in new:
                self._pending.presence.add((moment // HOUR_MS, sid))
            self._count(timed, session, row, turn, request, moment, calls, turn in new)
            new.discard(turn)

    def flush(self) -> None:
        """Write what was added since the last time."""
        pending, self._pending = self._pending, _Pending()
        self._db.executemany(  # in the table's order: fewer pages touched
            _KEEP,
            [(key, *msgspec.structs.astuple(held)) for key, held in sorted(pending.held.items())],
        )
        buckets.add(self._db, pending.sums, pending.tools)
        self._db.executemany("INSERT OR IGNORE INTO presence VALUES (?,?)", pending.presence)
        for timed in pending.timed.values():
            timed.write(self._db)

    def _load(self, identities: set[int]) -> set[int]:
        """Have at hand what was counted under fingerprints; those of which nothing was."""
        held = self._pending.held
        missing = {identity for identity in identities if identity not in held}
        wanted = msgspec.json.encode(missing).decode()
        rows = self._db.execute(
            "SELECT * FROM counted WHERE id IN (SELECT value FROM json_each(?))", (wanted,)
        ).fetchall()
        for row in rows:
            held[row[0]] = _Counted(*(value or 0 for value in row[1:]))
            missing.discard(row[0])
        return missing

    def _count(
        self,
        timed: durations.Timed,
        session: SessionInfo,
        row: Row,
        turn: int,
        request: int,
        moment: int,
        calls: Mapping[str, durations.Call],
        new: bool,
    ) -> None:
        """Count one turn; ``new``: it was never seen before."""
        adding = self._pending
        before = adding.of(turn)
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
            asking = adding.of(request)
            known = asking.usage
            usage = asking.grow(row.usage_total or row.usage)
        cost, unpriced = 0, 0
        if row.cost_micro is not None:
            cost = max(0, row.cost_micro - before.cost_micro)
            before.cost_micro = max(before.cost_micro, row.cost_micro)
        elif usage.total and session.cost_micro is None:
            asked_for, unpriced = listed(model, known, asking.usage, row.time)
            cost = asked_for or 0
        hour = moment // HOUR_MS
        values = (
            int(new), asked, failed, usage.input, usage.output, usage.cache_read,
            usage.cache_write, usage.reasoning, len(called), errors, cost, unpriced,
        )  # fmt: skip
        if any(values):
            adding.add((hour, session.agent, model, session.project or ""), values)
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
        self._load({identity})
        held = self._pending.of(identity)
        growth = held.grow(usage)
        more = max(0, (cost or 0) - held.cost_micro)
        held.cost_micro = max(held.cost_micro, cost or 0)
        if growth.total or more:
            values = (
                0, 0, 0, growth.input, growth.output, growth.cache_read, growth.cache_write,
                growth.reasoning, 0, 0, more, growth.total if unpriced else 0,
            )  # fmt: skip
            self._pending.add((moment // HOUR_MS, info.agent, model, project), values)
        return cost
