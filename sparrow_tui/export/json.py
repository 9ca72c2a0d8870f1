"""A session as one JSON object, in the shape of ``show --json``; pictures are put in."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import msgspec

from sparrow_tui.export.forms import SCHEMA, session_form, turn_form
from sparrow_tui.export.source import Excerpt
from sparrow_tui.model import Block, Image, ToolResult, Turn
from sparrow_tui.sanitize import json_safe


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
    return json_safe(msgspec.json.encode(value).decode("utf-8", "replace"))


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
