"""JSON values in little room."""

from __future__ import annotations

from sparrow_tui.text.values import beginning, one_line


def test_the_beginning_of_a_large_value_is_all_that_is_made():
    items = [{"name": "x" * 5_000, "at": [n, n + 1]} for n in range(3_000)]
    for value in (items, {"items": items}, {str(n): n for n in range(5_000)}, "y" * 9_000, [[]], 7):
        part = beginning(value, 200)
        assert one_line(part)[:200] == one_line(value)[:200]
        assert len(one_line(part)) < 60_000
