"""Lines fit their width in cells, lose no character and leave joined characters together."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from sparrow_tui.text.pieces import chunks
from sparrow_tui.text.spans import Span, cut, fold_spans, line_width, plain
from sparrow_tui.text.wrap import width_of

UNITS = (
    "a", "word ", "b ", " ", "日", "本", "e\u0301", "a" + "\u0300" * 30, "\U0001f469\u200d\U0001f4bb",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea", "\u2764\ufe0f", "\u2764",
    "\u260e\ufe0f", "שלום", "مرحبا", "\U0001f44d\U0001f3fd", "1\ufe0f\u20e3", "\u0301", "\u200d",
    "\ufe0f", "\uff61", "\uff9e", "각", "\u1100\u1161", "क्षि", "\u3000", "—",
)  # fmt: skip
wild = st.lists(st.sampled_from(UNITS), max_size=60).map("".join)


@given(wild, st.integers(2, 24), st.integers(0, 4))
@example("日word ", 5, 3)
def test_lines_fit_and_nothing_is_lost(text: str, width: int, indent: int) -> None:
    hang = " " * min(indent, width - 2)
    lines = fold_spans([Span(text[:7], "dim"), Span(text[7:])], width, hang)
    assert "".join(map(plain, lines)).replace(" ", "") == text.replace(" ", "")
    assert all(width_of(plain(line)) <= width for line in lines)


@given(wild, st.integers(1, 30))
def test_a_cut_line_fits(text: str, width: int) -> None:
    line = cut((Span(text),), width)
    assert line_width(line) <= width
    assert plain(line) == text or plain(line).endswith("…")


def test_joined_characters_are_not_torn_apart() -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    for line in fold_spans([Span(family * 9)], 5):
        assert plain(line) in (family * 2, family)


@given(st.text(max_size=200), st.integers(1, 50))
def test_parts_of_a_large_text_are_all_of_it(text: str, size: int) -> None:
    assert "".join(chunks(text, size)).replace("\n", "") == text.replace("\n", "")


def test_a_cut_line_ends_at_a_word_unless_much_is_lost_by_it() -> None:
    words = cut((Span("ls "), Span("the grey gulls of the bay")), 20)
    assert plain(words) == "ls the grey gulls …"
    path = cut((Span("ls "), Span("/home/ada/code/harbor/payments")), 20)
    assert plain(path) == "ls /home/ada/code/h…"
