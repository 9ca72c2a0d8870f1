"""Axes: round marks, names of times that do not touch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparrow_tui.text.scale import placed, step_marks, step_name, ticks

DAY = 86_400_000
NEW_YEAR = 1_767_225_600_000


@pytest.mark.parametrize(
    ("top", "most", "wanted"),
    [
        (0, 4, [0, 1]),
        (3, 4, [0, 1, 2, 3]),
        (18_000, 4, [0, 5_000, 10_000, 15_000, 20_000]),
        (100, 2, [0, 50, 100]),
        (101, 2, [0, 100, 200]),
    ],
)
def test_marks_are_round(top, most, wanted):
    assert ticks(top, most) == wanted


@given(st.floats(0, 1e15), st.integers(2, 8), st.sampled_from([0.5, 1, 10_000]))
def test_marks_cover_the_values_in_the_room_there_is(top, most, least):
    marks = ticks(top, most, least)
    assert marks[0] == 0
    assert marks[-1] >= top * (1 - 1e-9)
    assert 2 <= len(marks) <= most + 1
    assert marks[1] >= least


@given(
    st.sampled_from(["hour", "day", "week", "month"]), st.integers(1, 80), st.integers(1, 12),
    st.integers(8, 200), st.integers(0, 79),
)  # fmt: skip
def test_marks_of_time_never_touch(unit, number, slot, width, keep):
    marks = step_marks([NEW_YEAR + n * DAY for n in range(number)], unit)
    found = placed(marks, slot, width, keep if keep < number else None)
    end = -1
    for at, _, text in found:
        assert at > end
        end = at + len(text)
        assert end <= width
    if keep < number:
        assert keep in [step for _, step, _ in found]


def test_names_of_times(monkeypatch):
    import time

    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        assert step_name(NEW_YEAR, "hour") == "Thu 1 Jan 2026, 01:00"
        assert step_name(NEW_YEAR, "day") == "Thu 1 Jan 2026"
        assert step_name(NEW_YEAR, "month") == "January 2026"
        twice = 1_792_890_000_000  # 2026-10-25T01:00Z: 02:00, an hour after 02:00
        assert step_name(twice - 3_600_000, "hour") == "Sun 25 Oct 2026, 02:00"
        assert step_name(twice, "hour") == "Sun 25 Oct 2026, 02:00 again"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_month_that_begins_is_named_before_the_one_that_ends():
    # Noon: the same day in most zones.
    starts = [NEW_YEAR + DAY // 2 + n * DAY for n in range(-3, 27)]
    texts = [text for _, _, text in placed(step_marks(starts, "day"), 2, 73, 29)]
    assert texts[0] == "1 Jan"
    roomy = [text for _, _, text in placed(step_marks(starts, "day"), 4, 120, 29)]
    assert roomy[0] == "29 Dec"
    assert "1 Jan" in roomy
