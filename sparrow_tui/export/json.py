"""A session as one JSON object, in the shape of ``show --json``; pictures are put in."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from sparrow_tui.export.forms import SCHEMA, session_form, turn_form
from sparrow_tui.export.source import Excerpt
from sparrow_tui.model import Block, Image, ToolResult, Turn

# All of these can only stand inside strings, where an escape means the same. The first 32
# control characters are escaped by every JSON writer.
_UNSAFE = re.compile(
    "[\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)


def pieces(excerpt: Excerpt) -> Iterator[str]:
    """The object, a turn at a time; safe to print.

    Keys: ``schema``, ``session``, ``start`` (``turn_index`` of the first turn) and ``turns``.
    """
    head = {
        "schema": SCHEMA,
        "session": session_form(excerpt.session),
        "start": excerpt.start,
    }
    yield encode(head)[:-1] + ',"turns":['
    for index, turn in enumerate(excerpt.turns(), excerpt.start):
        yield ("\n" if index == excerpt.start else ",\n") + encode(
            turn_form(_with_pictures(turn, excerpt), index)
        )
    yield "\n]}\n"


def encode(value: Any) -> str:
    """A value as JSON without characters that act on a terminal or cannot be seen."""
    return _UNSAFE.sub(_escape, msgspec.json.encode(value).decode("utf-8", "replace"))


def _escape(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def _with_pictures(turn: Turn, excerpt: Excerpt) -> Turn:
    if not any(isinstance(block, Image | ToolResult) for block in turn.blocks):
        return turn
    return msgspec.structs.replace(turn, blocks=[_filled(block, excerpt) for block in turn.blocks])


def _filled(block: Block, excerpt: Excerpt) -> Block:
    """A block whose picture's bytes are in it."""
    if isinstance(block, ToolResult) and any(
        isinstance(inner, Image | ToolResult) for inner in block.content
    ):
        content = [_filled(inner, excerpt) for inner in block.content]
        return msgspec.structs.replace(block, content=content)
    if isinstance(block, Image) and block.ref and not block.data:
        found = excerpt.picture(block.ref)
        if found is not None:
            data = base64.b64encode(found[1]).decode()
            return msgspec.structs.replace(block, data=data)
    return block
