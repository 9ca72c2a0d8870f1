"""Content blocks → display lines: calls and results as cards, notices, pictures, raw records."""

from __future__ import annotations

import re

import msgspec

from sparrow_tui.large import Large
from sparrow_tui.model import Image, Notice, Raw, Reasoning, Text, ToolResult, ToolUse
from sparrow_tui.sanitize import clean, clean_line
from sparrow_tui.store.base import ToolCall
from sparrow_tui.text import diff, markdown, tools
from sparrow_tui.text.frames import FOLDED, FRAME, FULL, data, frame, large, output
from sparrow_tui.text.inputs import exceeds, input_lines
from sparrow_tui.text.pieces import Layout, Page, breaks_in
from sparrow_tui.text.spans import BLANK, Line, Span, cut, fold_spans, fold_text, line_width
from sparrow_tui.text.values import beginning, one_line, value_lines

RICH_LIMIT = 48_000
"""Characters of a text without a gap that are laid out at once; more is shown as written."""
MARKDOWN_LIMIT = 400_000
"""Characters beyond which no Markdown is looked for in a text."""
MARKDOWN_PART = 3_000
"""Characters of Markdown that are laid out at once, if there is an empty line to part it at."""
_DIFFED = 12_000
"""Characters of an edit beyond which its folded card does not tell its size."""
_REPORT = re.compile(
    r"(?:(?:Chunk ID|Exit code|Wall time|Process (?:exited|running)|Original token count|"
    r"Total output lines)\b[^\n]{0,80}\n+){1,8}Output:(?:\n|$)"
)
"""How Codex begins the output of a command."""
PICTURE = Span("  ▣ ", "label")
"""How a picture's line begins."""


def text(page: Page, said: str, width: int, style: str, number: int) -> None:
    """Something said, as Markdown; what is long is laid out a part at a time."""
    if len(said) <= MARKDOWN_PART:
        page.add(markdown.render(said, width, style), number)
        return
    if len(said) > MARKDOWN_LIMIT:
        page.windowed(said, _plainly(width, style), number)
        return
    for part, empty in markdown.parts(said, MARKDOWN_PART):
        if len(part) <= RICH_LIMIT:
            page.later(_richly(empty, width, style), number, part)
            continue
        page.windowed(part, _plainly(width, style), number)
        page.add([BLANK] * empty, number)


def _richly(empty: int, width: int, style: str) -> Layout:
    return lambda part: [*markdown.render(part, width, style), *[BLANK] * empty]


def _plainly(width: int, style: str) -> Layout:
    return lambda part: fold_text(clean(part).expandtabs(4), width, style)


def reasoning(page: Page, block: Reasoning, width: int, opened: bool, number: int) -> None:
    """Thinking: its first line, or all of it."""
    said = block.text.strip("\n")
    if opened:
        page.windowed(said, _thought(width), number)
        return
    first = clean_line(said[: width * 8].replace("**", ""), width * 2)
    more = breaks_in(block.text) - (len(block.text) - len(said))
    size = f" +{more} line{'' if more == 1 else 's'}" if more else ""
    line = cut((Span("┊ ", "rule"), Span(first, "dim")), max(width - len(size), 8))
    page.add([(*line, Span(size, "dim")) if size else line], number)


def _thought(width: int) -> Layout:
    def layout(part: str) -> list[Line]:
        body = fold_text(clean(part).expandtabs(4), max(width - 2, 1), "dim")
        return [(Span("┊ ", "rule"), *line) for line in body]

    return layout


def use(
    page: Page, block: ToolUse, call: ToolCall | None, width: int, level: int, number: int
) -> None:
    """A call's card: one line; opened, the change it makes or its input."""
    status, style = "…", "dim"
    if call is not None and call.result_index is not None:
        status, style = ("✗", "error") if call.is_error else ("✓", "ok")
    small = not exceeds(block.input, _DIFFED if level == FOLDED else RICH_LIMIT)
    edit = diff.edit_of(block.name, block.input, whole=level == FULL) if small else None
    right = [tools.duration(call.duration_ms) if call is not None else ""]
    if edit is not None:
        right.insert(0, diff.size_of(edit.lines))
    if call is not None and call.child:
        right.append("Enter opens ›")
    end = "  ".join(part for part in right if part)
    head = (Span(f"{status} ", style), Span(clean_line(block.name, tools.NAME) or "tool", "tool"))
    about = Span(tools.gist(block.name, block.input), "text")
    said = (*head, Span("  "), about)
    wide = width - (len(end) + 2 if end else 0)
    whole = line_width(said) <= wide
    line = said if whole else cut((*said[:-1], Span(tools.brief(about.text))), wide)
    room = width - line_width(line) - len(end)
    if end and room > 0:
        line = (*line, Span(" " * room), Span(end, "dim"))
    page.add([line], number)
    if level == FOLDED:
        return
    if len(block.name) > tools.NAME or line_width(head) > wide:
        named = fold_spans([Span(clean_line(block.name), "tool")], max(width - 4, 1))
        page.add([(FRAME, *part) for part in named], number)
    if small:
        frame(page, input_lines(block, edit, gist_whole=whole), width, level, number, "  ")
    else:
        data(page, block.input, width, level, number)


def result(
    page: Page,
    block: ToolResult,
    call: ToolCall | None,
    answered: str,
    width: int,
    level: int,
    number: int,
) -> None:
    """A result under its call: its size and beginning; opened, all of it.

    Args:
        page: where it goes.
        block: the result.
        call: what it answers, if that is known.
        answered: the call in words, where it is not the line above.
        width: of the page.
        level: how far it is open.
        number: of the block.
    """
    written = "\n".join(b.text for b in block.content if isinstance(b, Text))
    said = written.rstrip("\n")
    pictures = [image(b) for b in block.content if isinstance(b, Image)]
    others = [b for b in block.content if not isinstance(b, Text | Image)]
    failed = bool(block.is_error)
    begins = _report_end(said)
    empty = begins == len(said) or said.isspace()
    past = len(written) - len(said) + said.count("\n", 0, begins)
    lines = 0 if empty else breaks_in(written) - past + 1
    facts = []
    if not answered and (call is None or call.use_index < 0):
        facts.append("result")
    if block.exit_code:
        facts.append(f"exit {block.exit_code}")
    facts.append(f"{lines:,} line{'' if lines == 1 else 's'}" if lines else "no output")
    if pictures:
        facts.append(f"{len(pictures)} image{'' if len(pictures) == 1 else 's'}")
    tone = "error" if failed else "dim"
    head: Line = (Span("  └ ", "rule"), Span(", ".join(facts), tone))
    if answered:
        asked = cut((Span(answered, "dim"),), max(width // 2, 8))
        head = (head[0], *asked, Span("  "), head[1])
    if level == FOLDED:
        first = clean_line(said[begins : begins + width * 8], width)
        page.add([cut((*head, Span("  "), Span(first, tone)), width), *pictures], number)
        return
    page.add([cut(head, width)], number)
    if len(said) > RICH_LIMIT:
        large(page, said, width, level, number)
    elif said.strip():
        frame(page, output(said), width, level, number)
    for other in others:
        if isinstance(other, Raw):
            raw(page, other, width, FULL, number)
        else:
            frame(page, value_lines(msgspec.to_builtins(other)), width, level, number)
    page.add(pictures, number)


def _report_end(said: str) -> int:
    """Where what a command wrote begins, after the lines some agents put before it."""
    report = _REPORT.match(said)
    return report.end() if report else 0


def notice(page: Page, block: Notice, width: int, number: int) -> None:
    """A rule across the page, or a line of its own for what is longer."""
    style = "error" if block.kind == "error" else "notice"
    label = {"interruption": "interrupted", "info": "", "command": "❯"}.get(block.kind, block.kind)
    label = clean_line(label, 40)
    long = len(block.text) > RICH_LIMIT
    safe = clean(block.text[:RICH_LIMIT]).strip()
    named = not label or label[:7] in safe[:80].lower()
    said = safe if named and safe else f"{label} {safe}".strip()
    first = clean_line(said, 2_000)
    if not long and "\n" not in safe and len(first) + 8 <= width:
        side = max(2, (width - len(first) - 2) // 2)
        rule = Span("─" * side, "rule")
        page.add([BLANK, (rule, Span(f" {first} ", style), rule)], number)
        return
    page.add([BLANK, (Span("── ", "rule"), Span(label or "notice", style))], number)
    if not long:
        body = fold_text((safe or said).expandtabs(4), max(width - 3, 1), style)
        page.add([(Span("   "), *line) for line in body], number)
        return
    page.windowed(block.text.strip(), _plainly(width, style), number)


def image(block: Image) -> Line:
    """A picture's kind and size."""
    size = f"{block.size / 1024:,.1f} kB" if block.size else ""
    named = clean_line(block.url, 200) if block.url else ""
    facts = "  ".join(x for x in (clean_line(block.media_type or "picture", 60), size, named) if x)
    return (PICTURE, Span(facts, "dim"))


def raw(page: Page, block: Raw, width: int, level: int, number: int) -> None:
    """A record nobody told us about: its kind, and the JSON it was."""
    head = (
        Span("? ", "warning"),
        Span(clean_line(block.kind, 80), "tool"),
        Span("  unknown record", "dim"),
    )
    if level == FOLDED:
        value = block.data.beginning if isinstance(block.data, Large) else block.data
        about = Span(one_line(beginning(value, width * 2))[: width * 2], "dim")
        page.add([cut((*head, Span("  "), about), width)], number)
        return
    page.add([cut(head, width)], number)
    if exceeds(block.data, RICH_LIMIT):
        data(page, block.data, width, level, number)
    else:
        frame(page, value_lines(block.data), width, level, number, "  ")
