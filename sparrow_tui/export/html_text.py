"""Text of a transcript → inert HTML: Markdown, code, terminal output, differences.

Everything is escaped. Links are kept as links, nothing is loaded: pictures named in Markdown
become links, HTML in it is shown as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt

from sparrow_tui.sanitize import clean
from sparrow_tui.text import ansi
from sparrow_tui.text.code import highlight
from sparrow_tui.text.spans import Line

RICH_LIMIT = 200_000
"""Characters of a text beyond which it is shown as it was written."""

_LINKED = ("http://", "https://", "mailto:")
_KINDS = frozenset(
    ("comment", "keyword", "string", "number", "name", "add", "delete", "hunk", "heading",
     "add-word", "delete-word", "dim")
)  # fmt: skip


def text(said: str) -> str:
    """Markdown as HTML."""
    safe = clean(said)
    if len(safe) > RICH_LIMIT:
        return f'<pre class="plain">{escape(safe)}</pre>'
    return str(_markdown().render(safe))


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
    parser = MarkdownIt("commonmark", {"html": False, "highlight": _fence})
    # Without the rule for pictures, one is an exclamation mark and a link.
    parser.enable(["table", "strikethrough"]).disable(["image", "html_block", "html_inline"])
    parser.validateLink = _may_link  # type: ignore[assignment,method-assign]
    parser.add_render_rule("link_open", _link)
    return parser


def _fence(source: str, language: str, _more: str) -> str:
    return code(source, language)


def _may_link(target: str) -> bool:
    return target.strip().lower().startswith(_LINKED) or not re.match(r"\s*[\w+.-]*:", target)


def _link(self: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    """A link that tells the other side nothing; one to a file of the project is only text."""
    target = str(tokens[index].attrGet("href") or "")
    if not target.lower().startswith(_LINKED):
        return f'<a title="{escape(target)}">'
    return f'<a href="{escape(target)}" rel="noopener noreferrer nofollow">'
