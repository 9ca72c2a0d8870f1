"""HTML exports: one page that stands alone, with every text in it and nothing that acts."""

from __future__ import annotations

from html.parser import HTMLParser

from excerpts import HOSTILE, call, excerpt_of

from sparrow_tui.export import html
from sparrow_tui.model import Image, Notice, Raw, Reasoning, Text, Turn

TAGS = {
    "html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "h4", "h5", "h6", "dl",
    "dt", "dd", "section", "div", "p", "ul", "ol", "li", "a", "time", "pre", "code", "span",
    "details", "summary", "b", "strong", "em", "s", "table", "thead", "tbody", "tr", "th", "td",
    "blockquote", "hr", "br", "img",
}  # fmt: skip
VOID = {"meta", "br", "hr", "img"}


class Reader(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)


def page_of(turns: list[Turn], **facts: object) -> str:
    return "".join(html.pieces(excerpt_of(turns, **facts)))


def check_inert(page: str) -> Reader:
    reader = Reader(page)
    for tag, attributes in reader.tags:
        assert tag in TAGS, tag
        for name, value in attributes.items():
            assert name in {
                "class", "id", "href", "rel", "src", "alt", "title", "open", "style", "lang",
                "charset", "name", "content", "http-equiv", "start", "align",
            }, name  # fmt: skip
            if name == "src":
                assert (value or "").startswith("data:image/")
            if name == "href":
                assert (value or "").startswith(("#", "http://", "https://", "mailto:"))
            if name == "style":
                assert "url" not in (value or "")
    assert not any(c in page for c in "\x1b\x07\x9b\u202e\u2066")
    style = page[page.index("<style>") : page.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    assert "prefers-color-scheme:dark" in style
    printed = style[style.index("@media print") :]
    assert "color-scheme:light;" in printed, "paper is light, whatever the screen is"
    assert "details::details-content{content-visibility:visible" in printed
    return reader


def test_every_block_is_there() -> None:
    turns = [
        Turn(
            role="user",
            blocks=[Text("# Why\n\n---\na\\\nb\n\n| a | b |\n|---|---|\n| `1<2` | *x* |")],
        ),
        Turn(role="assistant", model="m-1", blocks=[Reasoning("hm"), Text("```py\nx = 1\n```")]),
        *call(1, "Bash", {"command": "ls", "timeout": 5}, "\x1b[31mred\x1b[0m \x1b[38;5;208mx"),
        *call(2, "Edit", {"file_path": "/p/a.py", "old_string": "a b c", "new_string": "a X c"}),
        Turn(role="system", blocks=[Notice("error", "it failed"), Raw("odd", {"k": [1]})]),
        Turn(role="user", branch=True, blocks=[Text("never mind")]),
    ]
    page = page_of(turns, title="A <title>", project="/home/a")
    reader = check_inert(page)
    for part in ("A <title>", "/home/a", "Why", "1<2", "m-1", "hm", "x = 1", "red", "X", "timeout",
                 "it failed", "odd", '"k"', "never mind", "taken back"):  # fmt: skip
        assert part in reader.text, part
    classes = {a.get("class") for _, a in reader.tags}
    assert {"f1", "delete-word", "add-word", "user taken", "notice error"} <= classes
    assert ("span", {"style": "color:#ff8700"}) in reader.tags


def test_hostile_sessions_stay_text() -> None:
    turns = [
        Turn(role="user", blocks=[Text(HOSTILE)]),
        Turn(role=HOSTILE, model=HOSTILE, blocks=[Reasoning(HOSTILE), Notice(HOSTILE, HOSTILE)]),
        Turn(role="assistant", model=HOSTILE, blocks=[Text(f"```{HOSTILE}\n{HOSTILE}\n```")]),
        *call(1, HOSTILE, {HOSTILE: HOSTILE, "command": HOSTILE}, HOSTILE, error=True),
        Turn(role="assistant", blocks=[Raw(HOSTILE, HOSTILE), Image(HOSTILE, url=HOSTILE)]),
        Turn(role="user", blocks=[Text(
            "[a](javascript:alert(1)) [b](data:text/html,x) [c](//evil.test/) [d](vbscript:x) "
            "<javascript:alert(1)> [e](https://ok.test/\"onmouseover=x) [f]\n\n[f]: javascript:x"
        )]),
        Turn(role="tool", blocks=[Image("image/svg+xml", "PHN2Zz4="), Image('image/png" x="', "AA")]),
    ]  # fmt: skip
    page = page_of(turns, title=HOSTILE, project=HOSTILE, model=HOSTILE, branch=HOSTILE)
    reader = check_inert(page)
    assert "<script>" not in page
    assert reader.text.count("<script>alert(1)</script>") >= 10
    assert "img" not in [tag for tag, _ in reader.tags]


def test_pictures_are_put_in() -> None:
    turns = [Turn(role="user", blocks=[Image("image/png", ref="r1"), Image("image/png", ref="no")])]
    page = "".join(html.pieces(excerpt_of(turns, {"r1": ("image/png", b"\x89PNG")})))
    reader = check_inert(page)
    assert [a["src"] for tag, a in reader.tags if tag == "img"] == [
        "data:image/png;base64,iVBORw=="
    ]


def shown(said: str) -> str:
    """The words of a page with one text on it."""
    return check_inert(page_of([Turn(role="user", blocks=[Text(said)])])).text


def test_no_markdown_takes_words_away() -> None:
    assert "cell four" in shown("| a | b |\n|---|---|\n| one | two | three | cell four |\n")
    assert 'py title="a.py"' in shown('```py title="a.py"\nx = 1\n```')
    assert "const prefix" in shown("```goconst prefix = 1\nx\n```")
    unused = shown("[see][1]\n\n[1]: https://one.test/a\n[2]: https://two.test/b")
    assert "https://one.test/a" in unused
    assert "https://two.test/b" in unused
    assert "(src/c.py:7)" in shown("[c](src/c.py:7)")
    titled = page_of([Turn(role="user", blocks=[Text('[a](https://a.test "said")')])])
    assert "said" in {a.get("title") for _, a in check_inert(titled).tags}
    for depth in (12, 40, 300):
        assert "deep down" in shown("> " * depth + "deep down")
        listed = "\n".join("  " * level + f"- level {level} of it" for level in range(depth))
        assert f"level {depth - 1} of it" in shown(listed)


def test_no_entity_becomes_what_it_stands_for() -> None:
    assert "&#x202e;" in shown("&#x202e;evil &amp; &#27;[31m")


def test_lines_typed_below_each_other_stay_so() -> None:
    page = page_of([Turn(role="user", blocks=[Text("first\nsecond")])])
    assert ("br", {}) in check_inert(page).tags


def test_a_long_name_of_a_tool_is_whole() -> None:
    name = "mcp__a_server_with_a_long_name__and_a_tool_whose_name_goes_on_" + "x" * 60
    reader = check_inert(page_of([*call(1, name, {"k": "v"}, "done")]))
    assert name in reader.text
