"""A turn → display lines at a width, as folded as the reader wants it."""

from __future__ import annotations

from collections.abc import Mapping
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
from sparrow_tui.sanitize import clean_line
from sparrow_tui.store.base import ToolCall
from sparrow_tui.text import cards, tools
from sparrow_tui.text.frames import FOLDED, FULL
from sparrow_tui.text.pieces import Page, Piece, breaks_in
from sparrow_tui.text.spans import BLANK, Line, Span, cut, line_width

_MARKS = {"user": "◆", "assistant": "●", "system": "·", "summary": "≡", "tool": "⚒"}
_TONES = {"error": "error"}
"""Styles of titles by the kind of their notice."""


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
    branches: bool = False
    """Whether turns the user rewound from are shown."""
    unread: int = -1
    """The first turn the reader has not seen; -1: there is none."""
    levels: dict[tuple[int, int], int] = field(default_factory=dict)
    """Levels of single cards, by (turn_index, number of the block)."""

    def level_of(self, turn: int, block: int) -> int:
        """How far a card is open."""
        return self.levels.get((turn, block), self.level)


def pieces(
    turn: Turn,
    index: int,
    view: View,
    *,
    previous: Turn | None,
    calls: Mapping[str, ToolCall],
    uses: Mapping[str, ToolUse] | None = None,
) -> list[Piece]:
    """The lines of a turn, in pieces that are laid out as they come into view.

    Args:
        turn: what to show.
        index: its ``turn_index``.
        view: width and folding.
        previous: the turn before that is no folded context, to leave out a header that would
            repeat.
        calls: tool calls of the turns around, by id.
        uses: blocks of calls of the turns before, by id: what results answer.
    """
    page = Page()
    if index == view.unread:
        page.add([BLANK, _new_below(view)])
    if not turn.blocks:
        return page.pieces
    if turn.branch and not view.branches:
        if previous is None or not previous.branch:
            page.add([BLANK, _taken_back(view)])
        return page.pieces
    if is_folded_context(turn, index, view):
        page.add([_folded_context(turn, view)], 0)
        return page.pieces
    title = _title(turn)
    if title is not None:
        page.add([BLANK, _context(turn, title, view)], 0)
    elif _needs_header(turn, previous):
        page.add([BLANK, _header(turn, view)])
    elif view.details and turn.role != "tool":
        page.add([_details(turn, view)])
    for number, block in enumerate(turn.blocks):
        if block is title:
            continue
        if (
            isinstance(block, Text)
            and title is None
            and (page.last if number else _goes_on(page, previous))
        ):
            page.add([BLANK], number)
        _block(page, block, turn, index, number, view, calls, _answered(block, previous, uses))
    return page.pieces


def render(
    turn: Turn,
    index: int,
    view: View,
    *,
    previous: Turn | None,
    calls: Mapping[str, ToolCall],
) -> list[Line]:
    """All lines of a turn at once (see `pieces`)."""
    made = pieces(turn, index, view, previous=previous, calls=calls)
    return [line for piece in made for line in piece.lines]


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
    page: Page,
    block: Block,
    turn: Turn,
    index: int,
    number: int,
    view: View,
    calls: Mapping[str, ToolCall],
    answered: str,
) -> None:
    width = view.width
    level = view.level_of(index, number)
    if isinstance(block, Text):
        cards.text(page, block.text, width, "dim" if turn.branch else "text", number)
    elif isinstance(block, Reasoning):
        opened = view.levels.get((index, number), FULL if view.reasoning else FOLDED) > FOLDED
        cards.reasoning(page, block, width, opened, number)
    elif isinstance(block, ToolUse):
        cards.use(page, block, calls.get(block.id), width, level, number)
    elif isinstance(block, ToolResult):
        call = calls.get(block.tool_use_id)
        cards.result(page, block, call, answered, width, level, number)
    elif isinstance(block, Notice):
        cards.notice(page, block, width, number)
    elif isinstance(block, Image):
        page.add([cut(cards.image(block), width)], number)
    else:
        cards.raw(page, block, width, level, number)


def _answered(block: Block, previous: Turn | None, uses: Mapping[str, ToolUse] | None) -> str:
    """What a result answers, where its call does not stand right above it."""
    if not isinstance(block, ToolResult):
        return ""
    asked = [b.id for b in previous.blocks if isinstance(b, ToolUse)] if previous else []
    if asked == [block.tool_use_id]:
        return ""
    use = (uses or {}).get(block.tool_use_id)
    if use is None:
        return ""
    return f"{clean_line(use.name, 60)}  {tools.brief(tools.gist(use.name, use.input))}"


def _goes_on(page: Page, previous: Turn | None) -> bool:
    """Whether a text follows tool calls or other words under the same header."""
    return previous is not None and not page.pieces and previous.blocks != []


def _new_below(view: View) -> Line:
    side = max(2, (view.width - 13) // 2)
    rule = Span("─" * side, "ok")
    return cut((rule, Span(" new below ", "ok"), rule), view.width)


def _taken_back(view: View) -> Line:
    return cut((Span("↩ ", "warning"), Span("turns taken back here (b shows them)", "dim")),
               view.width)  # fmt: skip


def is_folded_context(turn: Turn, index: int, view: View) -> bool:
    """Whether a turn shows as a single line of injected text: no voice of its own."""
    if not turn.meta or turn.role not in ("user", "system") or (turn.branch and not view.branches):
        return False
    if view.level_of(index, 0) > FOLDED:
        return False
    return any(isinstance(b, Text | Reasoning) and b.text.strip() for b in turn.blocks) or (
        _title(turn) is not None
    )


def _folded_context(turn: Turn, view: View) -> Line:
    said = "\n".join(b.text for b in turn.blocks if isinstance(b, Text | Reasoning))
    title = _title(turn)
    lines = breaks_in(said) + (1 if title is not None and said else 0)
    size = f"  +{lines} line{'' if lines == 1 else 's'}" if lines else ""
    begins = Span(clean_line(said[: view.width * 8], view.width * 2), "dim")
    head = (_titled(title, view.width), Span("  ")) if title is not None else ()
    line = cut((Span("· ", "rule"), *head, begins), max(view.width - len(size), 8))
    return (*line, Span(size, "dim")) if size else line


def _title(turn: Turn) -> Notice | None:
    """The notice that says what a turn of context is."""
    first = turn.blocks[0] if turn.blocks else None
    return first if turn.meta and isinstance(first, Notice) and not _is_notice(turn) else None


def _titled(title: Notice, width: int) -> Span:
    return Span(clean_line(title.text[: width * 8], width * 2), _TONES.get(title.kind, "dim"))


def _context(turn: Turn, title: Notice, view: View) -> Line:
    """What opened context is, and when it came."""
    line = cut((Span("· ", "rule"), _titled(title, view.width)), view.width)
    right = clock_of(turn.time)
    room = view.width - line_width(line) - len(right)
    return (*line, Span(" " * room), Span(right, "dim")) if right and room > 1 else line
