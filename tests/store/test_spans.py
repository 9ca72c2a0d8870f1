"""Steps of local time in many zones, and what was counted in them."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparrow_tui.model import Text, Turn, Usage
from sparrow_tui.store import open_store
from sparrow_tui.store.spans import Span, Spans, moved, spans, start_of
from sparrow_tui.store.sqlite import SqliteStore
from sparrow_tui.store.steps import HOUR_MS, STEPS

NEW_YEAR = 1_767_225_600_000
"""2026-01-01T00:00:00Z"""
ZONES = ("UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Santiago")


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


@pytest.mark.parametrize("step", STEPS)
def test_steps_follow_each_other_without_gaps(zone: str, step: str) -> None:
    for last in range(NEW_YEAR, NEW_YEAR + 400 * 24 * HOUR_MS, 977 * HOUR_MS):
        found = spans(last, step, 30)
        assert len(found) == 30
        assert found[-1].start <= last < found[-1].end
        for one, following in itertools.pairwise(found):
            assert one.start < one.end == following.start
        for span in found:
            assert start_of(span.start, step) == span.start == start_of(span.end - 1, step)
            assert moved(span.start, step, 1) == span.end
            assert moved(span.end, step, -1) == span.start


def test_days_are_local_whatever_clocks_do(zone: str) -> None:
    for day in spans(NEW_YEAR + 300 * 24 * HOUR_MS, "day", 300):
        local = datetime.fromtimestamp(day.start / 1000)
        assert (local.hour, local.minute) in ((0, 0), (1, 0))  # midnight, if there is one
        assert 23 * HOUR_MS <= day.end - day.start <= 25 * HOUR_MS


@settings(deadline=None, max_examples=20)
@given(moments=st.lists(st.integers(0, 24 * 120), min_size=1, max_size=30))
def test_every_hour_counts_once(tmp_path_factory, moments: list[int]) -> None:
    store = open_store(str(tmp_path_factory.mktemp("spans") / "archive.db"))
    first = NEW_YEAR - 24 * 60 * HOUR_MS
    turns = [
        Turn(role="assistant", blocks=[Text("x")], time=first + hour * HOUR_MS + 60_000,
             model=f"m{hour % 3}", usage=Usage(hour + 1, 1), uid=f"{place}")
        for place, hour in enumerate(moments)
    ]  # fmt: skip
    store.append("claude:a", turns)
    ask, overall = Spans(store.connection), store.totals.overall()
    for step, number in (("hour", 24 * 130), ("day", 130), ("week", 20), ("month", 6)):
        found = ask.sums(spans(first + 24 * 121 * HOUR_MS, step, number), "model")
        assert sum(s.input for step_ in found for s in step_.values()) == overall.input
        assert sum(s.turns for step_ in found for s in step_.values()) == overall.turns
    assert ask.earliest() == (first + min(moments) * HOUR_MS)
    store.close()


def test_half_hour_zones_take_hours_that_begin_in_them(monkeypatch, store: SqliteStore) -> None:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        # 18:30 UTC is midnight there: the hour from 18:00 on began the day before.
        turn = Turn(role="assistant", blocks=[Text("x")], time=NEW_YEAR + 18 * HOUR_MS + 2_400_000,
                    usage=Usage(7, 0))  # fmt: skip
        store.append("claude:a", [turn])
        days = spans(NEW_YEAR + 24 * HOUR_MS, "day", 2)
        found = Spans(store.connection).sums(days)
        assert [sums[""].input if sums else 0 for sums in found] == [7, 0]
    finally:
        monkeypatch.undo()
        time.tzset()


def test_sessions_count_where_they_have_turns(store: SqliteStore) -> None:
    day = 24 * HOUR_MS
    for name, days in (("claude:a", (0, 2)), ("claude:b", (2,)), ("codex:c", (2,))):
        turns = [
            Turn(role="user", blocks=[Text("x")], time=NEW_YEAR + n * day, uid=f"{name}{n}")
            for n in days
        ]
        store.append(name, turns)
    steps = [Span(NEW_YEAR + n * day, NEW_YEAR + (n + 1) * day) for n in range(3)]
    ask = Spans(store.connection)
    assert ask.sessions(steps) == [{"": 1}, {}, {"": 3}]
    assert ask.sessions(steps, "agent") == [{"claude": 1}, {}, {"claude": 2, "codex": 1}]
    whole, years = Span(NEW_YEAR, NEW_YEAR + 3 * day), Span(NEW_YEAR, NEW_YEAR + 900 * day)
    assert ask.sessions([whole]) == [{"": 3}]
    assert [ask.session_count(span) for span in (steps[0], steps[1], whole, years)] == [1, 0, 3, 3]
    with store.transaction():
        store.organiser.hide("claude:b", True)
    assert ask.sessions(steps) == [{"": 1}, {}, {"": 2}]
    assert [ask.session_count(span) for span in (steps[2], whole, years)] == [2, 2, 2]
    assert sorted(ask.sessions_by_labels(whole)) == [("claude", "", "", 1), ("codex", "", "", 1)]


def test_an_empty_store_has_no_first_time(store: SqliteStore) -> None:
    ask = Spans(store.connection)
    assert ask.earliest() is None
    assert ask.sums(spans(NEW_YEAR, "day", 3)) == [{}, {}, {}]
    assert ask.sessions([]) == []
