"""Excerpts of invented sessions for the exporters' tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sparrow_tui.export.source import Excerpt
from sparrow_tui.model import Text, ToolResult, ToolUse, Turn
from sparrow_tui.store.base import Session

HOSTILE = (
    "\x1b]0;owned\x07\x1b[2J\x9b31mred\u202eevil\u2066 <script>alert(1)</script> "
    "<img src=http://evil.test/x.png onerror=alert(1)> ![p](http://evil.test/p.png) \"' & [b]markup[/b]"
)


def excerpt_of(
    turns: Sequence[Turn] | Callable[[], Iterator[Turn]],
    pictures: dict[str, tuple[str, bytes]] | None = None,
    **facts: Any,
) -> Excerpt:
    """An excerpt of turns, or of a function that makes them."""
    number = 0 if callable(turns) else len(turns)
    session = Session(sid=1, id=facts.pop("id", "demo:1"), agent="demo", turns=number, **facts)
    make = turns if callable(turns) else lambda: iter(turns)
    return Excerpt(session, 0, number, make, (pictures or {}).get)


def call(
    number: int, name: str, value: Any, answer: str = "ok", *, error: bool = False
) -> list[Turn]:
    """A tool call and its result."""
    return [
        Turn(role="assistant", blocks=[ToolUse(f"c{number}", name, value)]),
        Turn(role="tool", blocks=[ToolResult(f"c{number}", [Text(answer)], is_error=error)]),
    ]
