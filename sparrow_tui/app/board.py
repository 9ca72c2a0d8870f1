"""What the dashboard shows, asked of the store in one go, on the engine's thread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sparrow_tui.app.figures import Cell
from sparrow_tui.store.durations import Histogram
from sparrow_tui.store.spans import Span, Spans, spans
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
    monday = spans(wanted.now, "week", WEEKS)
    days = spans(monday[-1].end - 1, "day", 7 * WEEKS)
    points, models = _cells(ask, steps, wanted.apart), _cells(ask, [whole], "model")[0]
    return Board(
        wanted=wanted,
        steps=steps,
        points=points,
        wholes=[_together(point.values()) for point in points],
        order=[label for label, _ in store.totals.by(wanted.apart)],
        total=_together(models.values()),
        days=days,
        by_day=[cells.get("", Cell(Sums())) for cells in _cells(ask, days, None)],
        projects=_cells(ask, [whole], "project")[0],
        models=models,
        tools=store.totals.by("tool", whole.start, whole.end - 1)[:TOP],
        slowest=store.totals.slowest(TOP),
        earliest=ask.earliest(),
    )


def _cells(ask: Spans, steps: Sequence[Span], apart: str | None) -> list[dict[str, Cell]]:
    sums = ask.sums(steps, apart)
    sessions = ask.sessions(steps, apart)
    return [
        {
            label: Cell(counted.get(label) or Sums(), going.get(label, 0))
            for label in {**counted, **going}
        }
        for counted, going in zip(sums, sessions, strict=True)
    ]


def _together(cells: Iterable[Cell]) -> Cell:
    """Labels added up: a session has one agent and one model, so that none counts twice."""
    total, sessions = Sums(), 0
    for cell in cells:
        total.add(cell.sums)
        sessions += cell.sessions
    return Cell(total, sessions)
