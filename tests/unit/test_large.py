"""Data of very many values is shown and searched without being made objects at once."""

from __future__ import annotations

import random

import msgspec
import pytest

from sparrow_tui import large
from sparrow_tui.large import Large, opened
from sparrow_tui.model import (
    Raw,
    Reasoning,
    Text,
    ToolResult,
    ToolUse,
    Turn,
    text_form,
    value_texts,
)
from sparrow_tui.store import codec, shown
from sparrow_tui.text import cards, frames
from sparrow_tui.text.pieces import CHUNK, Page
from sparrow_tui.text.spans import plain
from sparrow_tui.text.tools import gist, pretty

ROWS = [{"id": n, "name": f"name {n}", "at": n * 0.5, "note": "halyard" * (n == 9)}
        for n in range(40_000)]  # fmt: skip


def some_value(chance, depth=0):
    if depth > 3 or chance.random() < 0.3:
        return chance.choice([1, None, True, 2.5, -7, 2**40, "x", 'é\n"q"', "longer text " * 9,
                              "日本" * chance.randint(1, 30), "", [], {}])  # fmt: skip
    inner = [some_value(chance, depth + 1) for _ in range(chance.randint(0, 9))]
    if chance.random() < 0.5:
        return inner
    return {chance.choice(["a", "ключ", '"q', "x y"]) + str(n): v for n, v in enumerate(inner)}


def test_the_parts_are_the_whole_text(monkeypatch):
    chance = random.Random(2)
    for _ in range(100):
        value = some_value(chance)
        for size in (5, 20, 300):
            monkeypatch.setattr(large, "PART", size)
            packed = Large(msgspec.msgpack.encode(value))
            assert packed.text() == pretty(value)
            texts = [text for part in packed.texts() for text in value_texts(part)]
            assert texts == [*value_texts(value)]


def test_a_large_value_is_never_made_as_a_whole(monkeypatch):
    packed = Large(msgspec.msgpack.encode({"rows": ROWS, "query": "select halyard"}))
    made: list[int] = []
    decode = large._decode

    def counted(data):
        made.append(len(data))
        return decode(data)

    monkeypatch.setattr(large, "_decode", counted)
    packed.prepare()
    assert sum(made) < 2 * large.BEGINNING
    made.clear()
    assert gist("query", packed) == "select halyard"
    for level in (frames.FOLDED, frames.PREVIEW, frames.FULL):
        page = Page()
        cards.use(page, ToolUse("a", "query", packed), None, 80, level, 0)
        cards.raw(page, Raw("k", packed), 80, level, 0)
        assert len(page.pieces[0].lines) < 60
    assert sum(made) < 40 * large.PART
    assert len(page.pieces) > 100
    made.clear()
    assert len(page.pieces[7].lines) > 100
    assert all(len(piece.text) < 3 * CHUNK for piece in page.pieces)
    assert max(made) < 2 * large.PART


def test_all_of_a_large_value_stands_under_its_card():
    packed = Large(msgspec.msgpack.encode(ROWS))
    page = Page()
    cards.raw(page, Raw("k", packed), 200, frames.FULL, 0)
    lines = [plain(line)[4:] for piece in page.pieces[1:] for line in piece.lines]
    assert "\n".join(lines) == pretty(ROWS)


@pytest.mark.parametrize(
    ("value", "stays_packed"),
    [
        (ROWS, True),
        ({"a": {"b": {"c": ROWS}}}, True),
        ({"file": "a.py", "content": "line\n" * 400_000}, False),
        ([{"text": "word " * 500, "n": n} for n in range(1_000)], False),
        ([7] * 20_000, False),
    ],
)
def test_only_data_of_very_many_values_stays_packed(value, stays_packed):
    turn = Turn(role="assistant", time=7, model="m", blocks=[
        Text("so"), Reasoning("hm"), ToolUse("a", "t", value), ToolUse("b", "none"),
        Raw("k", value), ToolResult("a", [Text("done"), Raw("inner", {"x": 1})]),
    ])  # fmt: skip
    row = codec.encode(turn)
    read = shown.decode(row.body)
    assert [isinstance(block.input, Large) for block in read.blocks[2:4]] == [stays_packed, False]
    assert isinstance(read.blocks[4].data, Large) == stays_packed
    assert shown.text_of(row.body) == text_form(turn.blocks)
    assert read == shown.decode(row.body)
    assert (read == turn) != stays_packed
    assert (read.time, read.model, read.blocks[3].input) == (7, "m", None)
    if stays_packed:
        assert opened(msgspec.Raw(read.blocks[2].input.packed)) == read.blocks[2].input
        assert msgspec.msgpack.decode(read.blocks[4].data.packed) == value
