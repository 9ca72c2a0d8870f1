"""How long tools and turns take: histograms kept as turns arrive, and figures of reading itself."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

import apsw
import msgspec

BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Upper bounds of a histogram's slots, in seconds; one slot more takes what is longer."""
SEARCH_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
"""The same for searches."""
LONGEST_MS = 24 * 3_600_000
"""A call that seems to take longer was answered in another life: its duration is not known."""

TABLES = """
CREATE TABLE duration(              -- histograms: how often, and how long in all
  kind TEXT NOT NULL,               -- tool, turn or search
  agent TEXT NOT NULL, name TEXT NOT NULL,  -- a tool's name, a model's, a stage's
  slot INTEGER NOT NULL,            -- number of the first bound that is not less
  number INTEGER NOT NULL, total_us INTEGER NOT NULL, longest_us INTEGER NOT NULL,
  PRIMARY KEY (kind, agent, name, slot)
) WITHOUT ROWID;
CREATE TABLE ingest(                -- what was read from sources, ever
  agent TEXT PRIMARY KEY, bytes INTEGER NOT NULL, records INTEGER NOT NULL,
  lag_ms INTEGER NOT NULL           -- of the source read last: from its change to its reading
) WITHOUT ROWID;
"""

_ADD = (
    "INSERT INTO duration VALUES (?,?,?,?,?,?,?) ON CONFLICT(kind, agent, name, slot) DO UPDATE"
    " SET number = number + excluded.number, total_us = total_us + excluded.total_us,"
    " longest_us = max(longest_us, excluded.longest_us)"
)
_INGEST = (
    "INSERT INTO ingest VALUES (?,?,?,?) ON CONFLICT(agent) DO UPDATE SET"
    " bytes = bytes + excluded.bytes, records = records + excluded.records,"
    " lag_ms = excluded.lag_ms"
)


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

    def plus(self, other: Histogram) -> Histogram:
        """This and another with the same bounds, added up."""
        return Histogram(
            self.bounds,
            [a + b for a, b in zip(self.slots, other.slots, strict=True)],
            self.total + other.total,
            max(self.longest, other.longest),
        )

    def quantile(self, share: float) -> float:
        """Seconds within which a share of them took place; 0 if there were none.

        Within a slot they count as spread evenly, as in Prometheus' ``histogram_quantile``.
        """
        wanted = share * self.number
        if not wanted:
            return 0.0
        below, floor = 0, 0.0
        for bound, number in zip((*self.bounds, self.longest), self.slots, strict=True):
            if number and below + number >= wanted:
                top = min(bound, self.longest)
                return min(floor, top) + max(0.0, top - floor) * (wanted - below) / number
            below, floor = below + number, bound
        return self.longest


class Call(msgspec.Struct, frozen=True):
    """A tool call that is answered."""

    name: str
    started: int | None
    """Milliseconds since the epoch."""

    def lasted(self, told: int | None, ended: int | None) -> int | None:
        """Milliseconds it took: as the agent tells, else from the times of call and answer."""
        if told is not None:
            return told
        if self.started is None or ended is None:
            return None
        taken = ended - self.started
        return taken if 0 <= taken <= LONGEST_MS else None


class Timed:
    """Durations gathered, to be written together."""

    def __init__(self, agent: str) -> None:
        """Args: the agent whose tools and turns they are of."""
        self._agent = agent
        self._slots: dict[tuple[str, str, int], list[int]] = {}

    def tool(self, name: str, milliseconds: int | None) -> None:
        """A tool has answered; nothing is noted if nobody knows how long it took."""
        if milliseconds is not None:
            self._note("tool", name, milliseconds)

    def turn(self, model: str, milliseconds: int) -> None:
        """A turn that took this long."""
        self._note("turn", model, milliseconds)

    def _note(self, kind: str, name: str, milliseconds: int) -> None:
        slot = bisect_left(BOUNDS, milliseconds / 1000)
        held = self._slots.setdefault((kind, name, slot), [0, 0, 0])
        held[0] += 1
        held[1] += milliseconds * 1000
        held[2] = max(held[2], milliseconds * 1000)

    def write(self, db: apsw.Connection) -> None:
        """Add them to the histograms."""
        if self._slots:
            db.executemany(
                _ADD,
                [
                    (kind, self._agent, name, slot, *numbers)
                    for (kind, name, slot), numbers in self._slots.items()
                ],
            )


def searched(db: apsw.Connection, stage: str, seconds: Iterable[float]) -> None:
    """Add searches to their histogram. Its caller holds the transaction."""
    for taken in seconds:
        micro = int(taken * 1_000_000)
        db.execute(_ADD, ("search", "", stage, bisect_left(SEARCH_BOUNDS, taken), 1, micro, micro))


def ingested(db: apsw.Connection, agent: str, size: int, records: int, lag_ms: int) -> None:
    """Add what was read of a source. Its caller holds the transaction."""
    db.execute(_INGEST, (agent, max(size, 0), records, max(lag_ms, 0)))


def histograms(db: apsw.Connection, kind: str) -> dict[tuple[str, str], Histogram]:
    """Histograms of a kind (``tool``, ``turn`` or ``search``) by agent and name."""
    bounds = SEARCH_BOUNDS if kind == "search" else BOUNDS
    found: dict[tuple[str, str], Histogram] = {}
    for agent, name, slot, number, total, longest in db.execute(
        "SELECT agent, name, slot, number, total_us, longest_us FROM duration WHERE kind = ?",
        (kind,),
    ).fetchall():
        held = found.setdefault((agent, name), Histogram(bounds, [0] * (len(bounds) + 1)))
        held.slots[min(slot, len(bounds))] += number
        held.total += total / 1e6
        held.longest = max(held.longest, longest / 1e6)
    return found
