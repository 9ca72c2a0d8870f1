"""Markdown exports: complete, readable, and inert whatever displays them."""

from __future__ import annotations

import pytest
from excerpts import HOSTILE, call, excerpt_of
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from sparrow_tui.export import markdown
from sparrow_tui.export.markdown_safe import code, fenced, inert, plain
from sparrow_tui.model import Image, Notice, Raw, Reasoning, Text, Turn

READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def tokens(text: str) -> list[Token]:
    found = []
    for token in READER.parse(text):
        found += [token, *(token.children or ())]
    return found


def live(text: str) -> list[str]:
    """What a reader would act on: tags and pictures."""
    return [t.type for t in tokens(text) if t.type in ("html_inline", "html_block", "image")]


FRAGMENTS = [
    "<script>", "</div>", "<!-- ", "-->", "<?x", "<https://a.test/`b>", "<https://ok.test>",
    "![a](http://e.test/x)", "![a][r]", "[r]: http://e.test", "](", "[l](<b`c>)", "[l](b`c)",
    '[l](b "t`")', "`", "``", "```", "````", "~~~", "~~~~", "```py", "~~~ `x`", "\\", "\\`", "|",
    "|-|-|", "- ", "1. ", "10) ", "> ", "* ", "+ ", "# ", "    ", "  ", "   ", "\t", "\n", "\n\n",
    "\n  ", "\n   ", "\n    ", "\n- ", "\n> ", "\n1. ", "text", "é", "<b", "a>", '"', "=", "---",
]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=24))
def test_nothing_in_a_text_stays_live(fragments: list[str]) -> None:
    text = inert("".join(fragments))
    assert live(text) == []
    # Nor does it swallow what follows it in the document.
    after = text + "\n\n## Next\n\n<i>x</i>\n"
    assert "html_inline" in [t.type for t in tokens(after)], text


@pytest.mark.parametrize(
    "text",
    [
        "plain *words* and [a link](https://a.test/x)",
        "use `List<int>` and ``a ` <b>`` here",
        "```html\n<p>hello</p>\n![x](y)\n```",
        "1. first\n   ```sh\n   cat <file\n   ```\n2. second",
        "~~~\n<x>\n~~~\n\n`<y>`",
        "see <https://a.test/x>",
        "| a | b |\n|---|---|\n| 1 < 2 | x |",
    ],
)
def test_harmless_markdown_is_kept_to_the_letter(text: str) -> None:
    assert inert(text) == text


def test_an_open_fence_is_closed() -> None:
    assert inert("```py\nprint(1)") == "```py\nprint(1)\n```"


@given(st.text(alphabet="`~a\n ", max_size=60))
def test_no_line_ends_a_fenced_block(text: str) -> None:
    found = READER.parse(fenced(text))
    assert [t.type for t in found] == ["fence"]


@given(st.text(alphabet="`a <b>\\", min_size=1, max_size=30).filter(lambda t: t.strip()))
def test_inline_code_is_one_span(text: str) -> None:
    found = tokens(f"x {code(text)} y")
    assert [t.content for t in found if t.type == "code_inline"] == [" ".join(text.split())]


@given(st.text(alphabet="*_`[]()<>#|~!&;\\ab\n", max_size=30))
def test_plain_text_means_nothing(text: str) -> None:
    kinds = {t.type for t in tokens(f"x {plain(text)} y")}
    assert kinds <= {"paragraph_open", "paragraph_close", "inline", "text", "text_special"}


def document(turns: list[Turn], **facts: object) -> str:
    return "".join(markdown.pieces(excerpt_of(turns, **facts)))


def test_every_block_is_there() -> None:
    turns = [
        Turn(role="user", blocks=[Text("Why *so*?"), Image("image/png", ref="ab", size=12)]),
        Turn(role="assistant", model="m-1", blocks=[Reasoning("hm\n\nwell"), Text("Because.")]),
        *call(1, "Bash", {"command": "ls -l", "timeout": 5}, "total ```0"),
        *call(2, "Edit", {"file_path": "/p/a.py", "old_string": "old_x", "new_string": "new_y"}),
        Turn(role="system", blocks=[Notice("compaction", "made short"), Raw("odd", {"k": [1]})]),
    ]
    text = document(turns, title="About *things*", project="/home/a", model="m-1")
    for part in (
        "# About \\*things\\*", "`/home/a`", "Why *so*?", "image/png, 12 bytes", "## m-1 · turn 2",
        "> hm\n>\n> well", "Because.", "```sh\nls -l\n```", '"timeout": 5', "````\ntotal ```0\n````",
        "- old_x", "+ new_y", "*compaction:* made short", "*Record of kind* `odd`", '"k"',
    ):  # fmt: skip
        assert part in text, part


def test_hostile_sessions_stay_text() -> None:
    turns = [
        Turn(role="user", blocks=[Text(HOSTILE)]),
        Turn(role=HOSTILE, model=HOSTILE, blocks=[Reasoning(HOSTILE), Notice(HOSTILE, HOSTILE)]),
        *call(1, HOSTILE, {HOSTILE: HOSTILE, "command": HOSTILE}, HOSTILE, error=True),
        Turn(role="assistant", blocks=[Raw(HOSTILE, HOSTILE), Image(HOSTILE, url=HOSTILE)]),
    ]
    text = document(turns, title=HOSTILE, project=HOSTILE, model=HOSTILE, branch=HOSTILE)
    assert live(text) == []
    assert not any(c in text for c in "\x1b\x07\x9b\u202e\u2066")
    assert text.count("alert(1)") >= 10
