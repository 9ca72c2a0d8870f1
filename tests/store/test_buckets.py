"""Sums by blocks of hours: equal to those by hour in every span, and few rows to read."""

from __future__ import annotations

import random
import time
from collections import defaultdict

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparrow_tui.model import SessionInfo, Text, ToolUse, Turn, Usage
from sparrow_tui.store import open_store
from sparrow_tui.store.buckets import EVER, FIELDS, LABELS, add, pieces, read
from sparrow_tui.store.prepared import Prepared, rows
from sparrow_tui.store.spans import Spans, spans
from sparrow_tui.store.sqlite import SqliteStore
from sparrow_tui.store.steps import HOUR_MS, first_hour

NEW_YEAR = 1_767_225_600_000
ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns",
         "Asia/Kathmandu", "Pacific/Kiritimati")  # fmt: skip


@pytest.fixture(params=ZONES)
def zone(request, monkeypatch):
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@given(st.integers(-10_000, 10_000), st.integers(0, 10_000))
def test_pieces_are_the_span(first: int, hours: int) -> None:
    found = list(pieces(first, first + hours))
    covered = [(low * size, high * size) for size, low, high in found]
    assert sum(high - low for low, high in covered) == hours
    assert all(low < high for low, high in covered)
    assert [high for _, high in covered[:-1]] == [low for low, _ in covered[1:]]
    assert not covered or (covered[0][0], covered[-1][1]) == (first, first + hours)
    assert len(found) <= 5
    assert sum(high - low for size, low, high in found if size == 1) < 48


@pytest.fixture(scope="module")
def filled(tmp_path_factory) -> SqliteStore:
    """Sums of two years around the epoch and the present, as if turns had come."""
    store = open_store(str(tmp_path_factory.mktemp("buckets") / "archive.db"))
    chance = random.Random(3)
    with store.transaction():
        for _ in range(600):
            around = chance.choice((0, NEW_YEAR // HOUR_MS))
            hour = around + chance.randrange(-9_000, 9_000)
            key = (hour, chance.choice("ab"), chance.choice("mno"), chance.choice("pqrs"))
            values = [chance.randrange(1, 9) for _ in FIELDS]
            tools = {(hour, key[1], chance.choice(("Bash", "Read"))): (chance.randrange(1, 9), 1)}
            add(store.connection, {key: values}, tools)
    return store


def by_hour(store: SqliteStore, kind: str | None, first: int, end: int) -> dict[str, list[int]]:
    """The same from the hours alone."""
    found: dict[str, list[int]] = defaultdict(lambda: [0] * len(FIELDS))
    if kind == "tool":
        for hour, _, tool, calls, errors in store.connection.execute("SELECT * FROM tool_bucket"):
            if first <= hour < end:
                found[tool][FIELDS.index("tool_calls")] += calls
                found[tool][FIELDS.index("tool_errors")] += errors
        return found
    for hour, *rest in store.connection.execute("SELECT * FROM bucket"):
        if first <= hour < end:
            label = rest[LABELS.index(kind)] if kind else ""
            found[label] = [a + b for a, b in zip(found[label], rest[3:], strict=True)]
    return found


@pytest.mark.parametrize("kind", [*LABELS, "tool", None])
def test_sums_of_any_span_are_those_of_its_hours(filled: SqliteStore, kind: str | None) -> None:
    chance = random.Random(kind)
    edges = []
    for _ in range(25):
        first = chance.choice((0, NEW_YEAR // HOUR_MS)) + chance.randrange(-9_500, 9_500)
        edges.append((first, first + chance.choice((1, 23, 24, 700, 800, 9_000))))
    edges += [EVER, (5, 5)]
    found: list[dict[str, list[int]]] = [{} for _ in edges]
    for place, label, values in read(filled.connection, edges, kind):
        found[place][label] = values
    assert found == [by_hour(filled, kind, *edge) for edge in edges]


@pytest.mark.parametrize("unit", ["day", "week", "month"])
def test_every_zones_steps_are_the_sums_of_their_hours(
    zone: str, filled: SqliteStore, unit: str
) -> None:
    steps = spans(NEW_YEAR, unit, 30)
    found = Spans(filled.connection).sums(steps)
    for step, sums in zip(steps, found, strict=True):
        first, end = -(-step.start // HOUR_MS), -(-step.end // HOUR_MS)
        wanted = by_hour(filled, None, first, end)
        assert {label: list(vars_of(s)) for label, s in sums.items()} == wanted
    whole = (steps[0].start, steps[-1].end - 1)
    together = filled.totals.overall(*whole)
    assert together.input == sum(s.input for sums in found for s in sums.values())


def vars_of(sums) -> list[int]:
    return [getattr(sums, name) for name in FIELDS]


def test_a_local_midnight_within_an_hour_begins_with_the_next(monkeypatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        midnight = NEW_YEAR + 18 * HOUR_MS + HOUR_MS // 2
        assert first_hour(midnight) == NEW_YEAR // HOUR_MS + 19
        assert first_hour(midnight + 60_000) == NEW_YEAR // HOUR_MS + 18
        assert first_hour(NEW_YEAR) == NEW_YEAR // HOUR_MS
    finally:
        monkeypatch.undo()
        time.tzset()


class Steps:
    """Counts the steps SQLite's machine takes: what a question costs, whatever the clock says."""

    def __init__(self, connection: apsw.Connection) -> None:
        self.taken = 0
        connection.trace_v2(apsw.SQLITE_TRACE_PROFILE, self._trace)

    def _trace(self, event: dict) -> None:
        self.taken += event["stmt_status"]["SQLITE_STMTSTATUS_VM_STEP"]

    def of(self, ask) -> int:
        self.taken = 0
        ask()
        return self.taken


def busy(path: str, sessions: int) -> SqliteStore:
    """A store of two years in which so many sessions were held, each within an hour."""
    store = open_store(path)
    chance = random.Random(11)
    for number in range(sessions):
        at = NEW_YEAR - chance.randrange(24 * 730) * HOUR_MS
        turns = [
            Turn(role="assistant", blocks=[Text("x"), ToolUse("c", "Bash", {})], time=at + n,
                 model=f"m{number % 2}", uid=f"{number}.{n}", usage=Usage(10, 1))
            for n in range(2)
        ]  # fmt: skip
        info = SessionInfo(id=f"claude:{number}", project=f"/p/{number % 3}", created_at=at)
        store.write([Prepared(session=info, start=0, rows=rows(turns))])
    return store


def costs(path: str, sessions: int) -> dict[str, int]:
    """Steps taken for two years of charts, for sums of all time, and for a scan of all hours."""
    store = busy(path, sessions)
    count, ask, db = Steps(store.connection), Spans(store.connection), store.connection
    months, weeks = spans(NEW_YEAR, "month", 24), spans(NEW_YEAR, "week", 104)
    scan = "SELECT " + ", ".join(f"sum({name})" for name in FIELDS) + " FROM bucket"
    found = {
        "scan": count.of(lambda: db.execute(scan).fetchall()),
        "months by agent": count.of(lambda: ask.sums(months, "agent")),
        "months of tools": count.of(lambda: ask.sums(months, "tool")),
        "weeks": count.of(lambda: ask.sums(weeks)),
        "all": count.of(store.totals.overall),
        "by model": count.of(lambda: store.totals.by("model")),
    }
    store.close()
    return found


def test_charts_over_years_read_blocks_not_hours(tmp_path) -> None:
    few, many = costs(str(tmp_path / "few.db"), 1_000), costs(str(tmp_path / "many.db"), 4_000)
    assert many["scan"] > 3 * few["scan"]
    # Four times as much in the same years: days that were empty are filled, and that is all.
    for chart in ("months by agent", "months of tools", "weeks"):
        assert many[chart] < 1.5 * few[chart]
    for ever in ("all", "by model"):
        assert many[ever] == few[ever] < many["scan"] / 20
