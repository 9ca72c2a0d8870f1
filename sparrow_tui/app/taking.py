"""What of a transcript is taken away: the text of a block, of a turn, of a fenced piece of code."""

from __future__ import annotations

import re

from sparrow_tui.model import Block, Image, Notice, Raw, Reasoning, Text, ToolResult, ToolUse, Turn
from sparrow_tui.sanitize import clean
from sparrow_tui.text import tools

_FENCED = re.compile(r"^(\s*)(`{3,}|~{3,})[^\n]*\n(.*?)(?:^\s*\2\s*$|\Z)", re.MULTILINE | re.DOTALL)


def block_text(block: Block) -> str:
    """A block as one would paste it; safe."""
    if isinstance(block, Text | Reasoning | Notice):
        return clean(block.text)
    if isinstance(block, ToolUse):
        value = block.input
        if isinstance(value, dict):
            for key in ("command", "cmd", "code", "content", "patch"):
                if isinstance(value.get(key), str):
                    return clean(value[key])
        return clean(value if isinstance(value, str) else tools.pretty(value))
    if isinstance(block, ToolResult):
        return "\n".join(block_text(inner) for inner in block.content)
    if isinstance(block, Image):
        return clean(block.url or block.media_type)
    assert isinstance(block, Raw)
    return clean(tools.pretty(block.data))


def turn_text(turn: Turn) -> str:
    """A whole turn as one would paste it."""
    return "\n\n".join(text for block in turn.blocks if (text := block_text(block)).strip())


def code_at(turn: Turn, block: int, line: str) -> str:
    """The fenced code a displayed line belongs to; the turn's first code if it is in none.

    Args:
        turn: shown.
        block: number of the block the line is of; -1: none.
        line: the displayed text.

    Returns:
        The code, or nothing if the turn has no fenced code.
    """
    numbers = [block] if 0 <= block < len(turn.blocks) else range(len(turn.blocks))
    found = [
        clean(match[3]).rstrip("\n")
        for number in numbers
        if isinstance(said := turn.blocks[number], Text)
        for match in _FENCED.finditer(said.text)
    ]
    wanted = line.replace("▏", "").strip()
    return next((code for code in found if wanted and wanted in code), found[0] if found else "")
