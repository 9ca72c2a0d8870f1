"""A row's body → a turn to be shown, or its text: data of very many values is not made objects."""

from __future__ import annotations

import msgspec

from sparrow_tui.large import LARGE, Large, opened
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
    text_form,
)
from sparrow_tui.store.codec import unpack


class _PackedUse(msgspec.Struct, tag="tool_use"):
    id: str
    name: str
    input: msgspec.Raw = msgspec.Raw()


class _PackedRaw(msgspec.Struct, tag="raw"):
    kind: str
    data: msgspec.Raw = msgspec.Raw()


class _PackedTurn(Turn):
    """A turn whose data is not looked into."""

    blocks: list[  # type: ignore[assignment]
        _PackedUse | _PackedRaw | Text | Reasoning | Image | ToolResult | Notice
    ]


_decode = msgspec.msgpack.Decoder(Turn).decode
_decode_packed = msgspec.msgpack.Decoder(_PackedTurn).decode


def decode(body: bytes) -> Turn:
    """The turn in a row's body; data of very many values in it is `Large`."""
    data = unpack(body)
    if len(data) < LARGE:
        return _decode(data)
    packed = _decode_packed(data)
    blocks = [_opened(block) for block in packed.blocks]
    facts = {name: getattr(packed, name) for name in Turn.__struct_fields__ if name != "blocks"}
    return Turn(blocks=blocks, **facts)


def _opened(block: Block | _PackedUse | _PackedRaw) -> Block:
    if isinstance(block, _PackedUse):
        return ToolUse(block.id, block.name, opened(block.input))
    if isinstance(block, _PackedRaw):
        return Raw(block.kind, opened(block.data))
    return block


def prepare(turn: Turn) -> None:
    """Take apart now what is large in a turn: it takes long."""
    for block in turn.blocks:
        value = block.input if isinstance(block, ToolUse) else getattr(block, "data", None)
        if isinstance(value, Large):
            value.prepare()


def text_of(body: bytes) -> str:
    """The text form of the turn in a row's body."""
    return text_form(decode(body).blocks)
