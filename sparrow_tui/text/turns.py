"""A turn → display lines at a width, as folded as the reader wants it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sparrow_tui.model import (
    Block,
    Image,
    Notice,
    Raw,
    Reasoning,
    Text,
    ToolResult,
    ToolUse,
    Turn,
)
from sparrow_tui.sanitize import clean, clean_line
from sparrow_tui.store.base import ToolCall
from sparrow_tui.text import ansi, diff, markdown, tools
from sparrow_tui.text.code import highlight, language_of
from sparrow_tui.text.spans import BLANK, Line, Span, cut, fold_spans, fold_text, line_width

FOLDED, PREVIEW, FULL = range(3)
PREVIEW_LINES = 12
RICH_LIMIT = 120_000
"""Characters of a text beyond which it is shown as written, without Markdown or colours."""
_MARKS = {"user": "◆", "assistant": "●", "system": "·", "summary": "≡", "tool": "⚒"}


@dataclass(slots=True)
class View:
    """How turns are to be shown."""

    width: int
    level: int = FOLDED
    """Of tool calls and results that were not opened one by one."""
    reasoning: bool = False
    """Whether thinking is shown in full."""
    details: bool = False
    """Whether headers tell tokens, cost and durations."""
    levels: dict[tuple[int, int], int] = field(default_factory=dict)
    """Levels of single cards, by (turn_index, number of the block)."""

    def level_of(self, turn: int, block: int) -> int:
        """How far a card is open."""
        return self.levels.get((turn, block), self.level)


@dataclass(slots=True)
class Shown:
    """A turn's lines, and which block each belongs to (-1: none)."""

    lines: list[Line] = field(default_factory=list)
    blocks: list[int] = field(default_factory=list)

    def add(self, lines: Sequence[Line], block: int = -1) -> None:
        """Append lines of a block."""
        self.lines.extend(lines)
        self.blocks.extend([block] * len(lines))


def render(
    turn: Turn,
    index: int,
    view: View,
    *,
    previous: Turn | None,
    calls: Mapping[str, ToolCall],
) -> Shown:
    """The lines of a turn.

    Args:
        turn: what to show.
        index: its ``turn_index``.
        view: width and folding.
        previous: the turn before, to leave out a header that would repeat.
        calls: tool calls of the turns around, by id.
    """
    shown = Shown()
    if not turn.blocks:
        return shown
    if _needs_header(turn, previous):
        shown.add([BLANK, _header(turn, view)])
    elif view.details and turn.role != "tool":
        shown.add([_details(turn, view)])
    for number, block in enumerate(turn.blocks):
        lines = _block(block, turn, index, number, view, calls)
        if number and lines and isinstance(block, Text) and shown.lines and shown.lines[-1]:
            shown.add([BLANK], number)
        shown.add(lines, number)
    if turn.meta and turn.role in ("user", "system") and not _is_notice(turn):
        return _folded_meta(turn, index, shown, view)
    return shown


def _is_notice(turn: Turn) -> bool:
    return all(isinstance(block, Notice | Raw) for block in turn.blocks)


def _needs_header(turn: Turn, previous: Turn | None) -> bool:
    """Whether another voice begins to speak."""
    if turn.role == "tool" or _is_notice(turn):
        return False
    if previous is None or turn.role == "user":
        return True
    speaker = previous.role if previous.role != "tool" else "assistant"
    return speaker != turn.role or (bool(turn.model) and turn.model != previous.model
                                    and previous.role == "assistant")  # fmt: skip


def _header(turn: Turn, view: View) -> Line:
    name = {"user": "You", "assistant": turn.model or "Assistant", "summary": "Summary",
            "system": "System"}.get(turn.role, turn.role)  # fmt: skip
    if turn.meta and turn.role == "user":
        name = "Context"
    style = turn.role if turn.role in ("user", "assistant") and not turn.meta else "dim"
    left = [Span(f"{_MARKS.get(turn.role, '·')} ", style), Span(clean_line(name, 60), style)]
    if turn.branch:
        left.append(Span("  taken back", "warning"))
    right = _facts(turn) if view.details else ""
    right = "  ".join(part for part in (right, clock_of(turn.time)) if part)
    room = view.width - line_width(tuple(left)) - len(right)
    if right and room > 1:
        left += [Span(" " * room), Span(right, "dim")]
    return cut(tuple(left), view.width)


def _details(turn: Turn, view: View) -> Line:
    text = "  ".join(part for part in (_facts(turn), clock_of(turn.time)) if part)
    return cut((Span(" " * max(0, view.width - len(text))), Span(text, "dim")), view.width)


def _facts(turn: Turn) -> str:
    parts = []
    if turn.usage is not None:
        usage = turn.usage
        parts.append(f"↑{usage.input + usage.cache_read + usage.cache_write:,} ↓{usage.output:,}")
    if turn.cost_micro is not None:
        parts.append(f"${turn.cost_micro / 1e6:.4f}")
    if turn.duration_ms:
        parts.append(tools.duration(turn.duration_ms))
    return "  ".join(parts)


def clock_of(moment: int | None) -> str:
    """Local time of day; with the date if it is not today's business to guess."""
    if moment is None:
        return ""
    try:
        return datetime.fromtimestamp(moment / 1000).strftime("%b %d %H:%M")
    except (OverflowError, OSError, ValueError):
        return ""


def _block(
    block: Block, turn: Turn, index: int, number: int, view: View, calls: Mapping[str, ToolCall]
) -> list[Line]:
    width = view.width
    level = view.level_of(index, number)
    if isinstance(block, Text):
        return _text(block.text, width, "text" if not turn.branch else "dim")
    if isinstance(block, Reasoning):
        opened = view.levels.get((index, number), FULL if view.reasoning else FOLDED) > FOLDED
        return _reasoning(block.text, width, opened)
    if isinstance(block, ToolUse):
        return _use(block, calls.get(block.id), width, level)
    if isinstance(block, ToolResult):
        return _result(block, calls.get(block.tool_use_id), width, level)
    if isinstance(block, Notice):
        return _notice(block, width)
    if isinstance(block, Image):
        return [_image(block)]
    return _raw(block, width, level)


def _text(text: str, width: int, style: str) -> list[Line]:
    if len(text) > RICH_LIMIT:
        return fold_text(clean(text).expandtabs(4), width, style)
    return markdown.render(text, width, style)


def _reasoning(text: str, width: int, opened: bool) -> list[Line]:
    safe = clean(text).expandtabs(4).strip("\n")
    if opened:
        body = fold_text(safe, max(width - 2, 1), "dim")
        return [(Span("┊ ", "rule"), *line) for line in body]
    first = clean_line(safe.replace("**", ""), width * 2)
    more = safe.count("\n")
    size = f" +{more} lines" if more else ""
    return [cut((Span("┊ ", "rule"), Span(first, "dim")), max(width - len(size), 8))
            + ((Span(size, "dim"),) if size else ())]  # fmt: skip


def _use(block: ToolUse, call: ToolCall | None, width: int, level: int) -> list[Line]:
    """A call's card: one line; opened, the change it makes or its input."""
    status, style = "…", "dim"
    if call is not None and call.result_index is not None:
        status, style = ("✗", "error") if call.is_error else ("✓", "ok")
    edit = diff.edit_lines(block.name, block.input)
    right = [tools.duration(call.duration_ms) if call is not None else ""]
    if edit is not None:
        right.insert(0, diff.size_of(edit))
    if call is not None and call.child:
        right.append("Enter opens ›")
    end = "  ".join(part for part in right if part)
    head = [Span(f"{status} ", style), Span(clean_line(block.name, 60) or "tool", "tool")]
    about = tools.gist(block.name, block.input)
    room = width - line_width(tuple(head)) - (len(end) + 2 if end else 0)
    line = cut((*head, Span("  "), Span(about, "text")), width - (len(end) + 2 if end else 0))
    if end and room > 0:
        line = (*line, Span(" " * (width - line_width(line) - len(end))), Span(end, "dim"))
    if level == FOLDED:
        return [line]
    body = edit if edit is not None else _input(block)
    folded: list[Line] = []
    for part in body:
        folded.extend(fold_spans(part, max(width - 4, 1), "  ") if part else [BLANK])
    return [line, *_framed(folded, level)]


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


def _result(block: ToolResult, call: ToolCall | None, width: int, level: int) -> list[Line]:
    """A result under its call: its size and beginning; opened, all of it."""
    text = "\n".join(b.text for b in block.content if isinstance(b, Text))
    pictures = [_image(b) for b in block.content if isinstance(b, Image)]
    others = [b for b in block.content if not isinstance(b, Text | Image)]
    failed = bool(block.is_error)
    safe = clean(text)
    lines = safe.count("\n") + 1 if safe.strip() else 0
    facts = []
    if call is None or call.use_index < 0:
        facts.append("result")
    if block.exit_code:
        facts.append(f"exit {block.exit_code}")
    facts.append(f"{lines:,} line{'' if lines == 1 else 's'}" if lines else "no output")
    if pictures:
        facts.append(f"{len(pictures)} image{'' if len(pictures) == 1 else 's'}")
    head = [Span("  └ ", "rule"), Span(", ".join(facts), "error" if failed else "dim")]
    if level == FOLDED:
        first = next((line for line in safe.split("\n") if line.strip()), "")
        said = clean_line(first, width)
        return [cut((*head, Span("  "), Span(said, "error" if failed else "dim")), width),
                *pictures]  # fmt: skip
    body: list[Line] = []
    for line in _output(text, safe, call):
        body.extend(fold_spans(line, max(width - 4, 1)) if line else [BLANK])
    for other in others:
        if isinstance(other, Raw):
            body.extend(_raw(other, max(width - 4, 1), FULL))
        else:
            body.extend(fold_text(clean(tools.pretty(_plain(other))), max(width - 4, 1)))
    return [tuple(head), *_framed(body, level), *pictures]


def _plain(block: Block) -> object:
    import msgspec

    return msgspec.to_builtins(block)


def _output(text: str, safe: str, call: ToolCall | None) -> list[Line]:
    """A result's text in logical lines: with its colours, as JSON, or as it is."""
    if ansi.has_colours(text):
        return ansi.coloured(text)
    start = safe.lstrip()[:1]
    if start in "{[" and start and len(safe) < RICH_LIMIT:
        try:
            value = json.loads(safe)
        except (ValueError, RecursionError):
            pass
        else:
            if isinstance(value, dict | list):
                return highlight(clean(tools.pretty(value)), "json")
    return [(Span(line, "text"),) if line else BLANK for line in safe.expandtabs(4).split("\n")]


def _framed(body: list[Line], level: int) -> list[Line]:
    """Lines under a card, at preview level only the first ones."""
    hidden = 0
    if level == PREVIEW and len(body) > PREVIEW_LINES + 1:
        hidden = len(body) - PREVIEW_LINES
        body = body[:PREVIEW_LINES]
    framed: list[Line] = [(Span("  │ ", "rule"), *line) for line in body]
    if hidden:
        framed.append((Span("  │ ", "rule"), Span(f"… {hidden:,} more lines (t)", "dim")))
    return framed


def _notice(block: Notice, width: int) -> list[Line]:
    """A rule across the page, or a line of its own for what is longer."""
    style = "error" if block.kind == "error" else "notice"
    label = {"interruption": "interrupted", "info": "", "command": "❯"}.get(block.kind, block.kind)
    text = clean(block.text).strip()
    said = f"{label} {text}".strip() if not text.lower().startswith(label or "\0") else text
    first = clean_line(said, 2_000)
    if "\n" not in text and len(first) + 8 <= width:
        side = max(2, (width - len(first) - 2) // 2)
        return [BLANK, (Span("─" * side + " ", "rule"), Span(first, style),
                        Span(" " + "─" * side, "rule"))]  # fmt: skip
    body = fold_text(text or said, max(width - 4, 1), style)
    head = (Span("── ", "rule"), Span(label or "notice", style))
    return [BLANK, head, *((Span("   "), *line) for line in body)]


def _image(block: Image) -> Line:
    size = f"{block.size / 1024:,.1f} kB" if block.size else ""
    named = clean_line(block.url, 200) if block.url else ""
    facts = "  ".join(x for x in (clean_line(block.media_type or "picture", 60), size, named) if x)
    return (Span("  ▣ ", "label"), Span(facts, "dim"))


def _raw(block: Raw, width: int, level: int) -> list[Line]:
    """A record nobody told us about: its kind, and the JSON it was."""
    head = (Span("? ", "warning"), Span(clean_line(block.kind, 80), "tool"),
            Span("  unknown record", "dim"))  # fmt: skip
    if level == FOLDED:
        about = clean_line(tools.pretty(block.data), width)
        return [cut((*head, Span("  "), Span(about, "dim")), width)]
    body: list[Line] = []
    for line in highlight(clean(tools.pretty(block.data)), "json"):
        body.extend(fold_spans(line, max(width - 4, 1), "  ") if line else [BLANK])
    return [head, *_framed(body, level)]


def _folded_meta(turn: Turn, index: int, shown: Shown, view: View) -> Shown:
    """Injected text is one dim line until it is opened."""
    if view.level_of(index, 0) > FOLDED:
        return shown
    said = " ".join(b.text for b in turn.blocks if isinstance(b, Text | Reasoning))
    if not said:
        return shown
    lines = said.count("\n")
    size = f"  +{lines} lines" if lines else ""
    first = cut((Span("· ", "rule"), Span(clean_line(said, view.width * 2), "dim")),
                max(view.width - len(size), 8))  # fmt: skip
    folded = Shown()
    folded.add([(*first, Span(size, "dim"))], 0)
    return folded
