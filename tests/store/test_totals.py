"""Questions charts ask of the counters: steps of local time, sessions behind a point, quantiles."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparrow_tui.model import ToolUse, Turn, Usage
from sparrow_tui.store import open_store
from sparrow_tui.store.durations import Histogram
from sparrow_tui.store.sqlite import SqliteStore
from sparrow_tui.store.steps import (
    HOUR_MS,
    STEPS,
    expression,
    label_of,
    name_of,
)

NEW_YEAR = 1_767_225_600_000
"""2026-01-01T00:00:00Z"""
ZONES = ("UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Kiritimati")


@pytest.fixture(params=ZONES)
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = open_store(str(tmp_path / "archive.db"))
    yield opened
    opened.close()


def said(moment: int, model: str = "m", tokens: int = 10, uid: str = "") -> Turn:
    return Turn(role="assistant", blocks=[ToolUse("c", "Bash")], time=moment, model=model,
                usage=Usage(tokens, 1), uid=uid)  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
def test_sql_and_python_name_the_same_steps(zone: str, step: str, store: SqliteStore) -> None:
    first = NEW_YEAR // HOUR_MS - 24 * 400
    hours = range(first, first + 24 * 800, 7)
    wanted = expression(step, hours[0], hours[-1])
    query = f"SELECT {wanted} FROM (SELECT ? AS hour)"
    for hour in hours:
        number = store.connection.execute(query, (hour,)).get
        assert name_of(number, step) == label_of(hour * HOUR_MS, step)


def test_steps_and_labels(store: SqliteStore) -> None:
    day = 24 * HOUR_MS
    store.append("claude:a", [said(NEW_YEAR, "m1"), said(NEW_YEAR + day, "m2", 30)])
    store.append("codex:b", [said(NEW_YEAR + day + HOUR_MS, "m2", 5)])
    assert [(at, s.input) for at, s in store.totals.by("day")] == [
        ("2026-01-01", 10), ("2026-01-02", 35),
    ]  # fmt: skip
    assert [name for name, _ in store.totals.by("agent")] == ["claude", "codex"]
    assert store.totals.by("hour", since=NEW_YEAR + day)[0][0] == "2026-01-02 00:00"
    tools = store.totals.by("tool", since=NEW_YEAR + day + HOUR_MS)
    assert [(name, sums.tool_calls) for name, sums in tools] == [("Bash", 1)]
    assert store.totals.by("day", until=HOUR_MS) == []


@given(st.lists(st.integers(0, 6), min_size=1, max_size=40), st.floats(0.01, 0.99))
def test_quantiles_stay_within_their_slot(slots: list[int], share: float) -> None:
    bounds = (1.0, 2.0, 5.0, 10.0, 20.0, 60.0)
    numbers = [slots.count(n) for n in range(7)]
    longest = max((100.0 if n == 6 else bounds[n]) for n in slots)
    value = Histogram(bounds, numbers, 1.0, longest).quantile(share)
    reached = sorted(slots)[max(0, math.ceil(len(slots) * share) - 1)]
    assert (
        (bounds[reached - 1] if reached else 0) <= value <= min(longest, (*bounds, 100.0)[reached])
    )
    assert Histogram(bounds, [0] * 7).quantile(share) == 0
