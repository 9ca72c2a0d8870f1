"""Large texts are worked through part by part, and come out as if they had been at once."""

from __future__ import annotations

import random

import pytest

from sparrow_tui import sanitize
from sparrow_tui.app import taking
from sparrow_tui.model import Notice, Reasoning, Text, ToolResult, Turn
from sparrow_tui.sanitize import clean, storable
from sparrow_tui.text import cards, frames
from sparrow_tui.text.pieces import Page
from sparrow_tui.text.spans import plain

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


class Counted(str):
    """A text that notes how often its lines are counted."""

    counts = 0

    def count(self, *asked):
        Counted.counts += 1
        return super().count(*asked)


def test_the_lines_of_a_large_text_are_counted_once_and_it_is_not_copied():
    Counted.counts = 0
    large = Counted("a line of some words\n" * 150_000 + "end")
    for width in range(40, 60):
        page = Page()
        cards.reasoning(page, Reasoning(large), width, False, 0)
        page.windowed(large, lambda part: [], 0)
        frames.large(page, large, width, frames.PREVIEW, 0)
    assert Counted.counts == 1
    assert all(callable(piece.source) for piece in page.pieces if piece.layout)
    parts = [piece.text for piece in page.pieces if piece.layout]
    assert "\n".join(parts) == large


@pytest.mark.parametrize("end", ["", "\n", "\n\n\n"])
@pytest.mark.parametrize("begin", ["", "Exit code: 0\nOutput:\n"])
def test_the_lines_of_a_result_are_those_between_its_report_and_its_end(begin, end):
    for number in (1, 70_000):
        block = ToolResult("a", [Text(begin + "\n".join(["one of the lines"] * number) + end)])
        page = Page()
        cards.result(page, block, None, "", 80, frames.FOLDED, 0)
        assert f" {number:,} line{'s' * (number > 1)} " in plain(page.pieces[0].lines[0])


def test_a_large_notice_is_windowed():
    page = Page()
    cards.notice(page, Notice("error", "it broke\n" * 200_000), 80, 0)
    assert len(page.pieces) > 50
    assert sum(len(piece.lines) for piece in page.pieces) == 200_000 + 2
