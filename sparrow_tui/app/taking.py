"""What of a transcript is taken away: the text of a block, of a turn, of a fenced piece of code."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sparrow_tui.large import Large
from sparrow_tui.model import Block, Image, Notice, Raw, Reasoning, Text, ToolResult, ToolUse, Turn
from sparrow_tui.sanitize import PART, clean
from sparrow_tui.text import tools

_FENCE = re.compile(r"^[ \t]{0,200}(`{3,}|~{3,})([^\n]*)", re.MULTILINE)


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
        return clean(value if isinstance(value, str) else _json(value))
    if isinstance(block, ToolResult):
        return "\n".join(block_text(inner) for inner in block.content)
    if isinstance(block, Image):
        return clean(block.url or block.media_type)
    assert isinstance(block, Raw)
    return clean(_json(block.data))


def _json(value: object) -> str:
    return value.text() if isinstance(value, Large) else tools.pretty(value)


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
        clean(code).rstrip("\n")
        for number in numbers
        if isinstance(said := turn.blocks[number], Text)
        for code in _fenced(said.text)
    ]
    wanted = line.replace("▏", "").strip()
    return next((code for code in found if wanted and wanted in code), found[0] if found else "")


def _fenced(text: str) -> Iterator[str]:
    """The pieces of code between fences; without a fence that ends it code goes to the end."""
    mark, begin = "", 0
    for fence in _fences(text):
        if mark and fence[1] == mark and not fence[2].strip():
            yield text[begin : fence.start()]
            mark = ""
        elif not mark:
            mark, begin = fence[1], fence.end() + 1
    if mark and begin < len(text):
        yield text[begin:]


def _fences(text: str) -> Iterator[re.Match[str]]:
    """Lines that may be a fence; a large text is searched part by part, and no line twice."""
    at = 0
    while at < len(text):
        end = text.rfind("\n", at, at + PART) + 1 or text.find("\n", at + PART) + 1 or len(text)
        yield from _FENCE.finditer(text, at, min(end, at + PART))
        at = end
