"""Content blocks → display lines: calls and results as cards, notices, pictures, raw records."""

from __future__ import annotations

import json
from collections.abc import Callable

import msgspec

from sparrow_tui.model import Image, Notice, Raw, Reasoning, Text, ToolResult, ToolUse
from sparrow_tui.sanitize import clean, clean_line
from sparrow_tui.store.base import ToolCall
from sparrow_tui.text import ansi, diff, markdown, tools
from sparrow_tui.text.code import highlight, language_of
from sparrow_tui.text.pieces import Page, chunks
from sparrow_tui.text.spans import BLANK, Line, Span, cut, fold_spans, fold_text, line_width

FOLDED, PREVIEW, FULL = range(3)
PREVIEW_LINES = 12
RICH_LIMIT = 48_000
"""Characters of a text beyond which it is shown as written, a part at a time."""
_PREVIEWED = 8_000
_DIFFED = 12_000
"""Characters of an edit beyond which its folded card does not tell its size."""
_FRAME = Span("  │ ", "rule")


def text(page: Page, said: str, width: int, style: str, number: int) -> None:
    """Something said, as Markdown."""
    if len(said) <= RICH_LIMIT:
        page.add(markdown.render(said, width, style), number)
        return
    for part in chunks(said):
        page.later(_plainly(part, width, style), number)


def _plainly(part: str, width: int, style: str) -> Callable[[], list[Line]]:
    return lambda: fold_text(clean(part).expandtabs(4), width, style)


def reasoning(page: Page, block: Reasoning, width: int, opened: bool, number: int) -> None:
    """Thinking: its first line, or all of it."""
    said = block.text.strip("\n")
    if opened:
        for part in chunks(said):
            page.later(_thought(part, width), number)
        return
    first = clean_line(said[: width * 8].replace("**", ""), width * 2)
    more = said.count("\n")
    size = f" +{more} lines" if more else ""
    line = cut((Span("┊ ", "rule"), Span(first, "dim")), max(width - len(size), 8))
    page.add([(*line, Span(size, "dim")) if size else line], number)


def _thought(part: str, width: int) -> Callable[[], list[Line]]:
    def layout() -> list[Line]:
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
    small = _size(block.input) <= (_DIFFED if level == FOLDED else RICH_LIMIT)
    edit = diff.edit_lines(block.name, block.input) if small else None
    right = [tools.duration(call.duration_ms) if call is not None else ""]
    if edit is not None:
        right.insert(0, diff.size_of(edit))
    if call is not None and call.child:
        right.append("Enter opens ›")
    end = "  ".join(part for part in right if part)
    head = (Span(f"{status} ", style), Span(clean_line(block.name, 60) or "tool", "tool"))
    about = Span(tools.gist(block.name, block.input), "text")
    line = cut((*head, Span("  "), about), width - (len(end) + 2 if end else 0))
    room = width - line_width(line) - len(end)
    if end and room > 0:
        line = (*line, Span(" " * room), Span(end, "dim"))
    page.add([line], number)
    if level == FOLDED:
        return
    if edit is not None:
        _frame(page, edit, width, level, number, "  ")
    elif small:
        _frame(page, _input(block), width, level, number, "  ")
    else:
        _large(page, _as_text(block.input), width, level, number)


def _size(value: object) -> int:
    """Characters of the strings of a JSON value, roughly."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(_size, value.values()))
    if isinstance(value, list):
        return sum(map(_size, value))
    return 4


def _as_text(value: object) -> str:
    """A large input as it would be read: strings with their line breaks."""
    if isinstance(value, dict):
        return "\n".join(
            f"{key}:\n{item}" if isinstance(item, str) else f"{key}: {tools.pretty(item)}"
            for key, item in value.items()
        )
    return value if isinstance(value, str) else tools.pretty(value)


def _input(block: ToolUse) -> list[Line]:
    """A call's input in full: commands and code as such, the rest as JSON."""
    value = block.input
    if isinstance(value, str):
        return highlight(clean(value).expandtabs(4), "")
    if isinstance(value, dict):
        only = [key for key, item in value.items() if isinstance(item, str) and "\n" in item]
        if len(only) == 1 and only[0] in ("command", "cmd", "code", "script", "content"):
            path = value.get("file_path") or value.get("path") or ""
            language = language_of(str(path)) if path else "bash"
            rest = {key: item for key, item in value.items() if key != only[0]}
            head = highlight(clean(tools.pretty(rest)), "json") if rest else []
            return [*head, *highlight(clean(value[only[0]]).expandtabs(4), language)]
    if value is None:
        return []
    return highlight(clean(tools.pretty(value)).expandtabs(4), "json")


def result(
    page: Page, block: ToolResult, call: ToolCall | None, width: int, level: int, number: int
) -> None:
    """A result under its call: its size and beginning; opened, all of it."""
    said = "\n".join(b.text for b in block.content if isinstance(b, Text)).rstrip("\n")
    pictures = [image(b) for b in block.content if isinstance(b, Image)]
    others = [b for b in block.content if not isinstance(b, Text | Image)]
    failed = bool(block.is_error)
    lines = said.count("\n") + 1 if said.strip() else 0
    facts = []
    if call is None or call.use_index < 0:
        facts.append("result")
    if block.exit_code:
        facts.append(f"exit {block.exit_code}")
    facts.append(f"{lines:,} line{'' if lines == 1 else 's'}" if lines else "no output")
    if pictures:
        facts.append(f"{len(pictures)} image{'' if len(pictures) == 1 else 's'}")
    tone = "error" if failed else "dim"
    head = (Span("  └ ", "rule"), Span(", ".join(facts), tone))
    if level == FOLDED:
        first = clean_line(said[: width * 8], width)
        page.add([cut((*head, Span("  "), Span(first, tone)), width), *pictures], number)
        return
    page.add([head], number)
    if len(said) > RICH_LIMIT:
        _large(page, said, width, level, number)
    elif said.strip():
        _frame(page, _output(said), width, level, number)
    for other in others:
        if isinstance(other, Raw):
            raw(page, other, width, FULL, number)
        else:
            body = highlight(clean(tools.pretty(msgspec.to_builtins(other))), "json")
            _frame(page, body, width, level, number)
    page.add(pictures, number)


def _output(said: str) -> list[Line]:
    """A result's text in logical lines: with its colours, as JSON, or as it is."""
    if ansi.has_colours(said):
        return ansi.coloured(said)
    safe = clean(said)
    if safe.lstrip()[:1] in ("{", "["):
        try:
            value = json.loads(safe)
        except (ValueError, RecursionError):
            pass
        else:
            if isinstance(value, dict | list):
                return highlight(clean(tools.pretty(value)), "json")
    return _logical(safe)


def _logical(safe: str) -> list[Line]:
    return [(Span(line, "text"),) if line else BLANK for line in safe.expandtabs(4).split("\n")]


def _large(page: Page, said: str, width: int, level: int, number: int) -> None:
    """A long text under a card: its beginning, or all of it a part at a time."""
    if level == PREVIEW:
        _frame(page, _output(said[:_PREVIEWED]), width, level, number, total=said.count("\n") + 1)
        return
    for part in chunks(said):
        page.later(_framed_part(part, width), number)


def _framed_part(part: str, width: int) -> Callable[[], list[Line]]:
    def layout() -> list[Line]:
        logical = ansi.coloured(part) if ansi.has_colours(part) else _logical(clean(part))
        return [(_FRAME, *line) for line in _folded(logical, width)]

    return layout


def _folded(body: list[Line], width: int, indent: str = "") -> list[Line]:
    lines: list[Line] = []
    for line in body:
        lines.extend(fold_spans(line, max(width - 4, 1), indent) if line else [BLANK])
    return lines


def _frame(
    page: Page,
    body: list[Line],
    width: int,
    level: int,
    number: int,
    indent: str = "",
    total: int = 0,
) -> None:
    """Lines under a card, at preview level only the first ones.

    Args:
        page: where they go.
        body: logical lines.
        width: of the page.
        level: of the card.
        number: of the block.
        indent: of what a logical line goes on with.
        total: logical lines in all, if ``body`` is only a beginning.
    """
    if level == PREVIEW:
        # No more is laid out than can be shown.
        total = max(total, len(body))
        body = body[: PREVIEW_LINES + 1]
    lines = _folded(body, width, indent)
    hidden = 0
    if level == PREVIEW and (total > PREVIEW_LINES + 1 or len(lines) > 2 * PREVIEW_LINES):
        lines = _folded(body[:PREVIEW_LINES], width, indent)[: 2 * PREVIEW_LINES]
        hidden = max(total - PREVIEW_LINES, 0)
    framed: list[Line] = [(_FRAME, *line) for line in lines]
    if level == PREVIEW and (hidden or len(lines) == 2 * PREVIEW_LINES):
        more = f"… {hidden:,} more lines" if hidden else "… more"
        framed.append((_FRAME, Span(f"{more} (t)", "dim")))
    page.add(framed, number)


def notice(page: Page, block: Notice, width: int, number: int) -> None:
    """A rule across the page, or a line of its own for what is longer."""
    style = "error" if block.kind == "error" else "notice"
    label = {"interruption": "interrupted", "info": "", "command": "❯"}.get(block.kind, block.kind)
    label = clean_line(label, 40)
    safe = clean(block.text).strip()
    named = not label or label[:7] in safe[:80].lower()
    said = safe if named and safe else f"{label} {safe}".strip()
    first = clean_line(said, 2_000)
    if "\n" not in safe and len(first) + 8 <= width:
        side = max(2, (width - len(first) - 2) // 2)
        rule = Span("─" * side, "rule")
        page.add([BLANK, (rule, Span(f" {first} ", style), rule)], number)
        return
    page.add([BLANK, (Span("── ", "rule"), Span(label or "notice", style))], number)
    if len(safe) <= RICH_LIMIT:
        body = fold_text((safe or said).expandtabs(4), max(width - 3, 1), style)
        page.add([(Span("   "), *line) for line in body], number)
        return
    for part in chunks(safe):
        page.later(_plainly(part, width, style), number)


def image(block: Image) -> Line:
    """A picture's kind and size."""
    size = f"{block.size / 1024:,.1f} kB" if block.size else ""
    named = clean_line(block.url, 200) if block.url else ""
    facts = "  ".join(x for x in (clean_line(block.media_type or "picture", 60), size, named) if x)
    return (Span("  ▣ ", "label"), Span(facts, "dim"))


def raw(page: Page, block: Raw, width: int, level: int, number: int) -> None:
    """A record nobody told us about: its kind, and the JSON it was."""
    head = (
        Span("? ", "warning"),
        Span(clean_line(block.kind, 80), "tool"),
        Span("  unknown record", "dim"),
    )
    said = tools.pretty(block.data)
    if level == FOLDED:
        about = Span(clean_line(said[: width * 8], width), "dim")
        page.add([cut((*head, Span("  "), about), width)], number)
        return
    page.add([cut(head, width)], number)
    if len(said) > RICH_LIMIT:
        _large(page, said, width, level, number)
    else:
        _frame(page, highlight(clean(said), "json"), width, level, number, "  ")
