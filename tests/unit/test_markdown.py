"""Markdown in display lines: a text laid out in parts reads as the whole does."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from sparrow_tui.text import markdown
from sparrow_tui.text.cards import MARKDOWN_PART, text
from sparrow_tui.text.pieces import Page
from sparrow_tui.text.spans import BLANK, plain

LINES = st.sampled_from(
    ["", "  ", "words **bold** `code`", "# Heading", "- item", "  - inner", "> quote", "---",
     "```python", "```", "~~~", "````", "    indented", "\tdef f(): pass", "| a | b |", "|---|---|",
     "\x1b[31mred\x1b[0m", "a\rb", "1. one"]
)  # fmt: skip


@given(st.lists(LINES, max_size=40), st.integers(1, 60))
@example(["- item", "| a | b |", "", "  "], 18)
def test_parts_read_as_the_whole(lines, size):
    source = "\n".join(lines)
    whole = markdown.render(source, 60)
    joined = []
    for part, empty in markdown.parts(source, size):
        joined += [*markdown.render(part, 60), *[BLANK] * empty]
    while joined and joined[-1] == BLANK and len(joined) > len(whole):
        joined.pop()
    assert joined == whole


def test_a_long_answer_keeps_its_markdown_and_is_laid_out_as_it_is_read():
    paragraph = "Some **bold** words and `code`, again and again.\n\n"
    code = "```python\nx = 1\n\ny = 2\n```\n\n"
    said = (paragraph * 40 + code) * 50
    assert len(said) > 20 * MARKDOWN_PART
    page = Page()
    text(page, said, 80, "text", 0)
    assert not any(piece.is_laid_out for piece in page.pieces)
    lines = [plain(line) for piece in page.pieces for line in piece.lines]
    assert lines[0] == "Some bold words and code, again and again."
    assert lines.count("▏ python") == 50
    assert lines == [plain(line) for line in markdown.render(said, 80)]


def test_ticks_inside_code_are_code() -> None:
    spans = markdown.inline("a `` x ` y `` b `one` and `code ``x`` ` end")
    code = [span.text for span in spans if span.style == "ticked"]
    assert code == [" x ` y ", "one", "code ``x`` "]
    assert (
        "".join(s.text for s in markdown.inline("lone ` tick, ``` three"))
        == "lone ` tick, ``` three"
    )


def test_quotes_hold_quotes_lists_and_code() -> None:
    lines = markdown.render("> said\n> > answered\n> - item\n>\n> # Loud", 40)
    assert [plain(line) for line in lines] == ["▎ said", "▎ ▎ answered", "▎ • item", "▎ ", "▎ Loud"]
    deep = markdown.render(">" * 5_000 + " deep", 40)
    assert "deep" in "".join(plain(line) for line in deep)


def test_columns_are_set_as_their_table_says() -> None:
    said = "| Name | Tons | Flag |\n|:---|---:|:-:|\n| Ada | 7 | x |\n| Bo | 1,200 | no |"
    assert [plain(line) for line in markdown.render(said, 40)] == [
        "Name │  Tons │ Flag",
        "─────┼───────┼─────",
        "Ada  │     7 │  x  ",
        "Bo   │ 1,200 │  no ",
    ]


def test_minor_headings_are_less_than_major_ones() -> None:
    (first,), (third,) = markdown.render("## Two", 40), markdown.render("### Three", 40)
    assert (first[0].style, third[0].style) == ("heading", "strong")
