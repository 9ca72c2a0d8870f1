"""What the dashboard shows, asked of the store in one go, on the engine's thread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sparrow_tui.app.figures import Cell
from sparrow_tui.store.durations import Histogram
from sparrow_tui.store.spans import Span, Spans, spans, start_of
from sparrow_tui.store.sqlite import SqliteStore
from sparrow_tui.store.totals import Sums

WEEKS = 53
"""Weeks of the calendar."""
TOP = 50
"""Lines of a ranking."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to ask."""

    unit: str
    """One of `sparrow_tui.store.steps.STEPS`."""
    number: int
    """Steps."""
    last: int
    """A moment in the last step, in milliseconds since the epoch."""
    now: int
    apart: str = "agent"
    """``agent`` or ``model``."""
    sessions: bool = False
    """Whether sessions are looked at: counted by step and label, not just all together."""


@dataclass(frozen=True, slots=True)
class Board:
    """The answer."""

    wanted: Wanted
    steps: Sequence[Span]
    points: Sequence[Mapping[str, Cell]]
    """By step, apart by label."""
    wholes: Sequence[Cell]
    """By step, everything."""
    order: Sequence[str]
    """Labels, most tokens ever first: their colours' order."""
    total: Cell
    """All steps together."""
    days: Sequence[Span]
    """Of the calendar, from a Monday on."""
    by_day: Sequence[Cell]
    projects: Mapping[str, Cell]
    models: Mapping[str, Cell]
    tools: Sequence[tuple[str, Sums]]
    slowest: Sequence[tuple[str, Histogram]]
    """Since ever."""
    earliest: int | None
    """When the first thing counted happened."""


def board(store: SqliteStore, wanted: Wanted) -> Board:
    """Ask the counters' tables; nothing is scanned but the buckets of the times asked for."""
    # One view of the store: all figures are of the same moment.
    with store.connection:
        return _board(store, wanted)


def _board(store: SqliteStore, wanted: Wanted) -> Board:
    ask = Spans(store.connection)
    steps = spans(wanted.last, wanted.unit, wanted.number)
    whole = Span(steps[0].start, steps[-1].end)
    days = _days(start_of(wanted.now, "day"))
    points = _cells(ask, steps, wanted.apart, sessions=wanted.sessions)
    by = {label: dict(ask.sums([whole], label)[0]) for label in ("model", "project", "tool")}
    going = ask.sessions_by_labels(whole) if wanted.sessions else []
    there = sum(row[3] for row in going) if wanted.sessions else ask.session_count(whole)
    wholes = [_together(point.values()) for point in points]
    return Board(
        wanted=wanted,
        steps=steps,
        points=points,
        wholes=wholes,
        order=[label for label, _ in store.totals.by(wanted.apart)],
        total=Cell(_together(wholes).sums, there),
        days=days,
        by_day=[
            cells.get("", Cell(Sums()))
            for cells in _cells(ask, days, None, sessions=wanted.sessions)
        ],
        projects=_joined(by["project"], _counted((row[2], row[3]) for row in going)),
        models=_joined(by["model"], _counted((row[1], row[3]) for row in going)),
        tools=sorted(by["tool"].items(), key=lambda pair: (-pair[1].tool_calls, pair[0]))[:TOP],
        slowest=store.totals.slowest(TOP),
        earliest=ask.earliest(),
    )


@lru_cache(maxsize=1)
def _days(today: int) -> list[Span]:
    """The calendar's: they change once a day."""
    monday = spans(today, "week", WEEKS)
    return spans(monday[-1].end - 1, "day", 7 * WEEKS)


def _cells(
    ask: Spans, steps: Sequence[Span], apart: str | None, *, sessions: bool
) -> list[dict[str, Cell]]:
    sums = ask.sums(steps, apart)
    going = ask.sessions(steps, apart) if sessions else [{}] * len(steps)
    return [_joined(*both) for both in zip(sums, going, strict=True)]


def _joined(sums: Mapping[str, Sums], going: Mapping[str, int]) -> dict[str, Cell]:
    """Sums and numbers of sessions under the labels of either."""
    return {
        label: Cell(sums.get(label) or Sums(), going.get(label, 0)) for label in {**sums, **going}
    }


def _counted(rows: Iterable[tuple[str, int]]) -> dict[str, int]:
    numbers: dict[str, int] = {}
    for label, number in rows:
        numbers[label] = numbers.get(label, 0) + number
    return numbers


def _together(cells: Iterable[Cell]) -> Cell:
    """Labels added up: a session has one agent and one model, so that none counts twice."""
    total, sessions = Sums(), 0
    for cell in cells:
        total.add(cell.sums)
        sessions += cell.sessions
    return Cell(total, sessions)
