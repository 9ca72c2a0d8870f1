"""Text of a transcript → inert HTML: Markdown, code, terminal output, differences.

Everything is escaped. Links to the web are kept as links, nothing is loaded: pictures named in
Markdown become links; other links, HTML and entities in it are shown as they were written. No
mark takes words with it: what CommonMark leaves out (excess cells, a fence's info, unused
references) is shown, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_block.table import escapedSplit, getLine

from sparrow_tui.sanitize import clean
from sparrow_tui.text import ansi
from sparrow_tui.text.code import highlight
from sparrow_tui.text.spans import Line

RICH_LIMIT = 200_000
"""Characters of a text beyond which it is shown as it was written."""

_DEEPEST = 60
"""Levels of lists and quotes inside each other; a text with more is shown as it was written."""
_LINKED = ("http://", "https://", "mailto:")
_KINDS = frozenset(
    ("comment", "keyword", "string", "number", "name", "add", "delete", "hunk", "heading",
     "add-word", "delete-word", "dim")
)  # fmt: skip


def text(said: str) -> str:
    """Markdown as HTML."""
    safe = clean(said)
    if len(safe) <= RICH_LIMIT:
        parser = _markdown()
        tokens = parser.parse(safe)
        # The parser passes over what is deeper than it goes.
        if max((token.level for token in tokens), default=0) < _DEEPEST:
            return str(parser.renderer.render(tokens, parser.options, {}))
    return f'<pre class="plain">{escape(safe)}</pre>'


def output(said: str) -> str:
    """What a tool printed, in its colours."""
    if ansi.has_colours(said) and len(said) <= RICH_LIMIT:
        return spans(ansi.coloured(said.strip("\n")))
    return escape(clean(said).strip("\n"))


def code(source: str, language: str) -> str:
    """Source code, coloured if its language is known."""
    return spans(highlight(clean(source).rstrip("\n"), language))


def spans(lines: Iterable[Line]) -> str:
    """Styled lines as HTML, one below the other."""
    return "\n".join("".join(_span(span.text, span.style) for span in line) for line in lines)


def _span(said: str, style: str) -> str:
    if style.startswith("sgr:"):
        looks = _sgr(style[4:])
        return f"<span {looks}>{escape(said)}</span>" if looks else escape(said)
    return f'<span class="{style}">{escape(said)}</span>' if style in _KINDS else escape(said)


@cache
def _sgr(parameters: str) -> str:
    """SGR parameters as attributes: classes for the 16 colours, styles for the others."""
    numbers = [int(n) for n in parameters.split(";") if n.isdigit() and len(n) < 4]
    classes: list[str] = []
    styles: list[str] = []
    at = 0
    while at < len(numbers):
        number = numbers[at]
        at += 1
        if number in (38, 48):
            value, used = _colour(numbers[at:])
            at += used
            if value:
                styles.append(f"{'color' if number == 38 else 'background'}:{value}")
        elif 30 <= number <= 37 or 90 <= number <= 97:
            classes.append(f"f{number - 30 if number < 90 else number - 82}")
        elif 40 <= number <= 47 or 100 <= number <= 107:
            classes.append(f"b{number - 40 if number < 100 else number - 92}")
        elif number in (1, 2, 3, 4, 9):
            classes.append(f"s{number}")
    parts = []
    if classes:
        parts.append(f'class="{" ".join(classes)}"')
    if styles:
        parts.append(f'style="{";".join(styles)}"')
    return " ".join(parts)


def _colour(numbers: list[int]) -> tuple[str, int]:
    """A colour given by number or by its parts, and how many parameters it took."""
    if numbers[:1] == [2] and len(numbers) >= 4:
        red, green, blue = (min(n, 255) for n in numbers[1:4])
        return f"#{red:02x}{green:02x}{blue:02x}", 4
    if numbers[:1] == [5] and len(numbers) >= 2:
        number = numbers[1]
        if number < 16:
            return f"var(--c{number})", 2
        if number < 232:
            levels = (0, 95, 135, 175, 215, 255)
            cube = number - 16
            parts = (levels[cube // 36], levels[cube // 6 % 6], levels[cube % 6])
            return "#" + "".join(f"{part:02x}" for part in parts), 2
        grey = min(8 + 10 * (number - 232), 255)
        return f"#{grey:02x}{grey:02x}{grey:02x}", 2
    return "", 1


@cache
def _markdown() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": _DEEPEST + 2})
    # Without the rule for pictures, one is an exclamation mark and a link.
    parser.enable(["table", "strikethrough"]).disable(
        ["image", "html_block", "html_inline", "entity", "reference"]
    )
    parser.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
    parser.validateLink = _may_link  # type: ignore[assignment,method-assign]
    parser.add_render_rule("link_open", _link)
    parser.add_render_rule("fence", _fence)
    return parser


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A table, unless a row has more cells than the head: those would go."""
    before = len(state.tokens)
    if not table(state, start, end, silent):
        return False
    if not silent:
        columns = _cells(state, start)
        if any(_cells(state, line) > columns for line in range(start + 2, state.line)):
            del state.tokens[before:]
            state.line = start
            return False
    return True


def _cells(state: StateBlock, line: int) -> int:
    return len(escapedSplit(getLine(state, line).strip().removeprefix("|").removesuffix("|")))


def _fence(self: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    """Code below what its fence says of it."""
    said = str(tokens[index].info).strip()
    label = f'<span class="dim">{escape(said)}</span>\n' if said else ""
    return f"<pre>{label}<code>{code(tokens[index].content, said)}</code></pre>\n"


def _may_link(target: str) -> bool:
    return target.strip().lower().startswith(_LINKED)


def _link(self: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    """A link that tells the other side nothing."""
    target = escape(str(tokens[index].attrGet("href") or ""))
    title = str(tokens[index].attrGet("title") or "")
    more = f' title="{escape(title)}"' if title else ""
    return f'<a href="{target}"{more} rel="noopener noreferrer nofollow">'
