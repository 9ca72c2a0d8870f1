"""Words the readable exports share: who speaks, when, what a call was about."""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, datetime

from sparrow_tui.export.source import Excerpt
from sparrow_tui.model import Image, Notice, Raw, ToolResult, ToolUse, Turn
from sparrow_tui.sanitize import clean_line
from sparrow_tui.text import tools

REMEMBERED = 4_096
"""Calls that wait for their result; more and the oldest loses its name beside the result."""


def beside(value: object, told: frozenset[str]) -> dict[str, object]:
    """What a change's input holds beside the change and a file's name (the gist says it)."""
    if not isinstance(value, dict):
        return {}
    rest = {key: item for key, item in value.items() if key not in told}
    return {} if len(rest) == 1 and next(iter(rest)) in tools.PATHS else rest


def moment(milliseconds: int | None) -> str:
    """``2026-03-01 10:00:00 UTC``; empty if not known."""
    if milliseconds is None:
        return ""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, OSError, ValueError):
        return ""


def speaker(turn: Turn) -> str:
    """Who a turn is by, in a few safe words."""
    if turn.role == "user":
        name = "Context" if turn.meta else "User"
    elif turn.role == "assistant":
        name = clean_line(turn.model, 60) or "Assistant"
    else:
        name = clean_line(turn.role, 30).capitalize() or "Turn"
    return f"{name} (taken back)" if turn.branch else name


def new_voice(turn: Turn, previous: Turn | None) -> bool:
    """Whether a turn needs a heading of its own: results and notices go on under the last one."""
    if turn.role == "tool" or all(isinstance(block, Notice | Raw) for block in turn.blocks):
        return previous is None
    if previous is None or turn.role == "user":
        return True
    before = "assistant" if previous.role == "tool" else previous.role
    if before != turn.role or previous.branch != turn.branch:
        return True
    return previous.role == "assistant" and bool(turn.model) and turn.model != previous.model


def facts(excerpt: Excerpt) -> list[tuple[str, str]]:
    """What is known of a session, as pairs of safe texts."""
    session = excerpt.session
    usage = session.usage
    tokens = f"{usage.input:,} in, {usage.output:,} out" if usage.total else ""
    if usage.cache_read or usage.cache_write:
        tokens += f", {usage.cache_read:,} read from and {usage.cache_write:,} put in a cache"
    turns = f"{session.turns:,}"
    if not excerpt.whole:
        turns = f"{excerpt.start + 1:,} to {excerpt.end:,} of {session.turns:,}"
    known = (
        ("Session", session.id),
        ("Project", session.project),
        ("Branch", session.branch),
        ("Model", session.model),
        ("Began", moment(session.created_at)),
        ("Last turn", moment(session.updated_at)),
        ("Turns", turns),
        ("Tokens", tokens),
        ("Cost", "" if session.cost_micro is None else f"${session.cost_micro / 1e6:,.2f}"),
        ("Started by", session.parent),
    )
    return [(name, clean_line(value)) for name, value in known if value]


def title(excerpt: Excerpt) -> str:
    """The session's title, one safe line."""
    return clean_line(excerpt.session.title, 300) or "Session without a prompt"


def outcome(block: ToolResult) -> str:
    """How a call ended: ``failed, exit code 1, 2.0 s``; empty if nothing is known."""
    parts = []
    if block.is_error:
        parts.append("failed")
    if block.exit_code:
        parts.append(f"exit code {block.exit_code}")
    if spent := tools.duration(block.duration_ms):
        parts.append(spent)
    return ", ".join(parts)


def about_picture(block: Image) -> str:
    """A picture in words."""
    size = f"{block.size:,} bytes" if block.size else ""
    parts = (block.media_type or "picture", size, "" if block.ref or block.data else block.url)
    return ", ".join(clean_line(part, 200) for part in parts if part)


class Calls:
    """Names of the tools whose results are still to come, in constant memory."""

    def __init__(self) -> None:
        self._names: OrderedDict[str, str] = OrderedDict()

    def called(self, block: ToolUse) -> None:
        """A call was made."""
        self._names[block.id] = clean_line(block.name, 60)
        if len(self._names) > REMEMBERED:
            self._names.popitem(last=False)

    def answered(self, block: ToolResult) -> str:
        """The tool's name, once its result is there; empty if not known."""
        return self._names.pop(block.tool_use_id, "")
