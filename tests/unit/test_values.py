"""JSON values in little room, and of any size at little cost."""

from __future__ import annotations

import msgspec
import pytest

from sparrow_tui.model import Raw, ToolUse
from sparrow_tui.text import cards, frames
from sparrow_tui.text.inputs import as_texts, exceeds
from sparrow_tui.text.pieces import Page
from sparrow_tui.text.spans import plain
from sparrow_tui.text.tools import gist
from sparrow_tui.text.values import beginning, one_line


class Row(dict):
    """One of many values that notes how often any of them is looked into."""

    looks = 0

    def values(self):
        Row.looks += 1
        return super().values()

    def items(self):
        Row.looks += 1
        return super().items()


@pytest.fixture
def rows():
    Row.looks = 0
    return [Row(id=n, name=f"name {n}", inner=[n, [n]]) for n in range(50_000)]


def test_the_beginning_of_a_large_value_is_all_that_is_made():
    items = [{"name": "x" * 5_000, "at": [n, n + 1]} for n in range(3_000)]
    for value in (items, {"items": items}, {str(n): n for n in range(5_000)}, "y" * 9_000, [[]], 7):
        part = beginning(value, 200)
        assert one_line(part)[:200] == one_line(value)[:200]
        assert len(one_line(part)) < 60_000


def test_a_value_wide_on_every_level_is_looked_at_from_its_beginning_only(rows):
    deep = [[rows] * 1_000] * 1_000
    assert one_line(beginning(deep, 200))[:200] == one_line(beginning(deep, 900))[:200]
    assert Row.looks < 1_000


def test_a_folded_card_of_a_large_value_looks_at_little_of_it(rows):
    assert gist("query", {"rows": rows}).startswith('{"rows":[{"id":0')
    cards.use(
        Page(), ToolUse(id="a", name="query", input={"rows": rows}), None, 80, frames.FOLDED, 0
    )
    cards.raw(Page(), Raw(kind="k", data=rows), 80, frames.FOLDED, 0)
    assert Row.looks < 5_000


@pytest.mark.parametrize(
    ("value", "size"),
    [("abc", 3), (["ab", "c"], 3), ({"k": "abc"}, 3), ([1, None, True], 3), ({}, 0)],
)
def test_the_size_of_a_value_is_that_of_its_texts(value, size):
    assert not exceeds(value, size)
    assert exceeds(value, size - 1)


def test_a_large_input_of_few_texts_reads_as_they_do_and_data_as_json(rows):
    value = {"old": "a\nb", "edits": [{"new": "c\nd"}], "none": {}}
    assert [*as_texts(value)] == ["old:", "a\nb", "edits:", "new:", "c\nd", "none:", "{}"]
    assert msgspec.json.decode("".join(as_texts(rows))) == rows


def test_the_long_texts_of_an_input_are_not_copied_for_a_layout():
    long = "line\n" * 20_000
    value = {"path": "a.py", "content": long, "mode": "w", "more": [long, "end"]}
    page = Page()
    cards.use(page, ToolUse("a", "Write", value), None, 80, frames.FULL, 0)
    cards.raw(page, Raw("k", value), 80, frames.FULL, 0)
    texts = [piece.source.func.__self__ for piece in page.pieces if piece.layout]
    held = {id(text): len(text) for text in texts}
    assert id(long) in held
    assert sum(held.values()) < len(long) + 200
    page = Page()
    cards.use(page, ToolUse("a", "Write", value), None, 80, frames.PREVIEW, 0)
    assert "… 39,997 more lines" in plain(page.pieces[0].lines[-1])
