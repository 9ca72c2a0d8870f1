"""What stands out in a session: prompts, edits, errors, sub-agents, compactions; in a line each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sparrow_tui.model import Notice, Text, ToolResult, ToolUse, Turn
from sparrow_tui.sanitize import clean_line
from sparrow_tui.store.codec import EDIT_TOOLS, TASK_TOOLS
from sparrow_tui.store.flags import Flag
from sparrow_tui.store.sqlite import SqliteStore
from sparrow_tui.text import tools

MASK = Flag.PROMPT | Flag.EDIT | Flag.TOOL_ERROR | Flag.API_ERROR | Flag.SUBAGENT | Flag.COMPACTION
MOST = 50_000
"""Turns looked at; a session with more has a last line that says so."""
AT_ONCE = 200
"""Turns read at a time."""
STRETCH = 2_000
"""Turns looked through at a time: the first lines are there at once."""


class Item(NamedTuple):
    """A line of the outline."""

    turn: int
    kind: str
    """``prompt``, ``edit``, ``error``, ``sub-agent``, ``compaction`` or ``end``."""
    text: str


def outline(store: SqliteStore, session_id: str, most: int = MOST) -> Iterator[list[Item]]:
    """A session's outline, some lines at a time.

    Args:
        store: where it is.
        session_id: which.
        most: turns with lines; if there are more, the last line is where the outline ends.
    """
    left = most
    for start in range(0, store.places.total(session_id), STRETCH):
        found = store.places.flagged(session_id, MASK, start, start + STRETCH)
        for at in range(0, min(len(found), left), AT_ONCE):
            numbers = found[at : min(at + AT_ONCE, left)]
            turns = store.places.some(session_id, numbers)
            yield [item for number in numbers if number in turns for item in _items(number, turns)]
        if len(found) > left:
            said = f"the outline ends here, after {most:,} turns; / finds in all"
            yield [Item(found[left], "end", said)]
            return
        left -= len(found)


def _items(number: int, turns: dict[int, Turn]) -> Iterator[Item]:
    turn = turns[number]
    for block in turn.blocks:
        if isinstance(block, Text) and turn.role == "user" and not turn.meta:
            if block.text.strip():
                yield Item(number, "prompt", clean_line(block.text, 300))
        elif isinstance(block, ToolUse):
            name = block.name.lower()
            if name in EDIT_TOOLS:
                yield Item(number, "edit", tools.gist(block.name, block.input))
            elif name in TASK_TOOLS:
                yield Item(number, "sub-agent", tools.gist(block.name, block.input))
        elif isinstance(block, ToolResult) and block.is_error:
            said = next((b.text for b in block.content if isinstance(b, Text)), "")
            yield Item(number, "error", clean_line(said, 300) or "failed")
        elif isinstance(block, Notice) and block.kind in ("compaction", "error"):
            yield Item(number, block.kind, clean_line(block.text, 300))
