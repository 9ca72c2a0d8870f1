"""Large texts are worked through part by part, and come out as if they had been at once."""

from __future__ import annotations

import random

import pytest

from sparrow_tui import sanitize
from sparrow_tui.app import taking
from sparrow_tui.model import Text, Turn
from sparrow_tui.sanitize import clean, storable

PIECES = ("\x1b", "[", "]", "31m", "\n", "\r\n", "\r", "a", "\x07", "\\", "bcd", "0;title",
          "\x1bP", "\x00", "\u2028", "\u202e", "\ud800")  # fmt: skip


def test_parts_make_the_same_safe_text(monkeypatch):
    chance = random.Random(4)
    for _ in range(3_000):
        text = "".join(chance.choices(PIECES, k=chance.randint(1, 40)))
        whole = clean(text), storable(text)
        for size in (1, 2, 5, 9):
            with monkeypatch.context() as small:
                small.setattr(sanitize, "PART", size)
                assert (clean(text), storable(text)) == whole, (text, size)


@pytest.mark.parametrize("line", ["word " * 20 + "\n", "é\x1b[31m red\r\n", "x" * 99])
def test_no_part_is_larger_than_it_may_be(line):
    text = line * (3 * sanitize.PART // len(line))
    parts = [*sanitize._parts(text)]
    assert "".join(text[start:end] for start, end in parts) == text
    assert len(parts) > 2
    assert max(end - start for start, end in parts) <= sanitize.PART + 1


def test_what_needs_no_change_is_not_copied():
    text = "plain words\n" * sanitize.PART
    assert clean(text) is text
    assert storable(text) is text


@pytest.mark.parametrize("size", [7, 10**6])
def test_code_is_found_between_fences_part_by_part(monkeypatch, size):
    monkeypatch.setattr(taking, "PART", size)
    said = "so:\n```py\none\n~~~\n```\nthen\n  ~~~~\ntwo\n```\n  ~~~~ \n```\nleft open\n"
    turn = Turn(role="assistant", blocks=[Text(said)])
    found = [taking.code_at(turn, 0, line) for line in ("one", "two", "left open", "elsewhere")]
    assert found == ["one\n~~~", "two\n```", "left open", "one\n~~~"]


def test_a_turn_without_code_has_none():
    assert taking.code_at(Turn(role="user", blocks=[Text("``` in a line\nno")]), 0, "no") == "no"
    assert taking.code_at(Turn(role="user", blocks=[Text("a ``` in a line")]), 0, "a") == ""
