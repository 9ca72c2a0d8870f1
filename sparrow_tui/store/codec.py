"""A turn ↔ the row that keeps it: body, searchable text, and the facts other tables need."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar

import msgspec
import zstandard

from sparrow_tui import tokens
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
    Usage,
    text_form,
)
from sparrow_tui.scrub import scrubbed
from sparrow_tui.store.flags import Flag
from sparrow_tui.store.turn_words import about, plain_words

Struct = TypeVar("Struct", bound=msgspec.Struct)
PLAIN, ZSTD = b"\x00", b"\x01"
PROMPT_LENGTH = 20_000
"""Characters of a prompt in the index of phrases; what is longer was pasted."""
WORTH_COMPRESSING = 160
"""Bytes; below this zstd gains nothing."""
LEVEL = 3
"""Of zstd, for turns: twice the work of the next ones gains 3 % (real sessions)."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Turn).decode


# The same as plain integers, for what is done with every turn.
_API_ERROR = int(Flag.API_ERROR)
_BLANK = int(Flag.BLANK)
_BRANCH = int(Flag.BRANCH)
_COMPACTION = int(Flag.COMPACTION)
_EDIT = int(Flag.EDIT)
_IMAGE = int(Flag.IMAGE)
_META = int(Flag.META)
_NOTICE = int(Flag.NOTICE)
_PROMPT = int(Flag.PROMPT)
_RAW = int(Flag.RAW)
_REASONING = int(Flag.REASONING)
_SUBAGENT = int(Flag.SUBAGENT)
_TOOL_ERROR = int(Flag.TOOL_ERROR)
_TOOL_USE = int(Flag.TOOL_USE)


class Row(msgspec.Struct, kw_only=True, gc=False):
    """A turn made ready for the tables; it crosses process borders as MessagePack."""

    role: str
    time: int | None
    flags: int
    chars: int
    lines: int
    body: bytes
    words: str | None
    """What the index is fed (see `fed`): made where turns are read, in worker processes.
    ``None``: put off, the index takes the turn later."""
    said: str
    """The words in order, of a prompt; else empty."""
    vocabulary: str = ""
    """Of talk: words for nearest words that the turns before it did not have (`plain_words`)."""
    digest: int
    """64-bit fingerprint of the whole turn: equal means nothing changed."""
    tools: list[str]
    """Names of the tools called."""
    files: list[str]
    """Paths that tool inputs name."""
    calls: list[tuple[str, str]]
    """(call id, tool name) of each tool use."""
    results: list[tuple[str, bool | None, int | None, str]]
    """(call id, is_error, duration in ms, child session id) of each tool result."""
    pictures: list[tuple[str, str, bytes]]
    """(ref, media type, bytes) of pictures to keep as attachments."""
    model: str
    uid: str
    usage: Usage | None
    usage_id: str
    usage_total: Usage | None
    cost_micro: int | None
    duration_ms: int | None


EDIT_TOOLS = frozenset(
    ("edit", "write", "multiedit", "notebookedit", "apply_patch", "str_replace_editor",
     "str_replace", "create_file", "replace", "write_file", "write_to_file", "apply_diff",
     "insert_edit_into_file", "replace_in_file", "patch", "edit_file", "fs_write", "create",
     "str_replace_based_edit_tool", "search_replace")
)  # fmt: skip
TASK_TOOLS = frozenset(("task", "agent", "spawn_agent", "subagent", "new_task", "delegate"))
_PATH_KEYS = (
    "file_path", "path", "filePath", "filename", "notebook_path", "target_file", "absolute_path",
    "relative_workspace_path", "file", "files", "paths",
)  # fmt: skip


@cache
def _compressor() -> zstandard.ZstdCompressor:
    return zstandard.ZstdCompressor(level=LEVEL)


@cache
def _decompressor() -> zstandard.ZstdDecompressor:
    return zstandard.ZstdDecompressor()


def pack(data: bytes) -> bytes:
    """Bytes as the store keeps them: compressed where that gains something."""
    if len(data) < WORTH_COMPRESSING:
        return PLAIN + data
    small = _compressor().compress(data)
    return ZSTD + small if len(small) < len(data) else PLAIN + data


def unpack(data: bytes) -> bytes:
    """The opposite of `pack`."""
    return _decompressor().decompress(data[1:]) if data[:1] == ZSTD else bytes(data[1:])


def plain_body(turn: Turn) -> bytes:
    """A turn's body, not compressed: for what is not kept long."""
    try:
        return PLAIN + _encode(turn)
    except (UnicodeEncodeError, OverflowError):
        return PLAIN + _encode(scrubbed(turn))


def encode(turn: Turn, *, to_index: bool = True, met: set[str] | None = None) -> Row:
    """A turn as a row.

    Args:
        turn: the turn.
        to_index: false puts the words for the index off.
        met: see `plain_words`; ``None``: its words are not for nearest words.
    """
    pictures: list[tuple[str, str, bytes]] = []
    blocks = [_without_picture(block, pictures) for block in turn.blocks]
    flags = 0
    if turn.meta:
        flags |= _META
    if turn.branch:
        flags |= _BRANCH
    if turn.api_error:
        flags |= _API_ERROR
    tools: list[str] = []
    files: list[str] = []
    calls: list[tuple[str, str]] = []
    results: list[tuple[str, bool | None, int | None, str]] = []
    shown = said = False
    for block in blocks:
        shown = True
        if isinstance(block, Text):
            said = said or bool(block.text.strip())
            shown = said
        elif isinstance(block, ToolUse):
            flags |= _TOOL_USE
            tools.append(block.name)
            calls.append((block.id, block.name))
            name = block.name.lower()
            if name in EDIT_TOOLS:
                flags |= _EDIT
            if name in TASK_TOOLS:
                flags |= _SUBAGENT
            files.extend(paths_of(block.input))
        elif isinstance(block, ToolResult):
            results.append((block.tool_use_id, block.is_error, block.duration_ms, block.child))
            if block.is_error:
                flags |= _TOOL_ERROR
            if block.child:
                flags |= _SUBAGENT
            if any(isinstance(inner, Image) for inner in block.content):
                flags |= _IMAGE
        elif isinstance(block, Image):
            flags |= _IMAGE
        elif isinstance(block, Reasoning):
            flags |= _REASONING
        elif isinstance(block, Notice):
            flags |= _NOTICE
            if block.kind == "compaction":
                flags |= _COMPACTION
        elif isinstance(block, Raw):
            flags |= _RAW
    if turn.role == "user" and said and not turn.meta:
        flags |= _PROMPT
    if turn.role == "system" and said and turn.meta:
        flags &= ~_NOTICE  # it is the title of what was put in
    if not blocks or (not shown and flags & ~(_META | _BRANCH) == 0):
        flags |= _BLANK
    text = text_form(blocks)
    kept = msgspec.structs.replace(turn, blocks=blocks) if pictures else turn
    try:
        packed = _encode(kept)
    except (UnicodeEncodeError, OverflowError):
        # Half a surrogate pair, an integer of any length: JSON allows them, also in ids and names.
        return encode(scrubbed(turn), to_index=to_index, met=met)
    words = tokens.words(text) if to_index else None
    return Row(
        role=turn.role,
        time=turn.time,
        flags=flags,
        chars=len(text),
        lines=text.count("\n") + 1,
        body=pack(packed),
        words=None if words is None else fed(words, turn.role, flags, tools, files),
        vocabulary="" if words is None or met is None else plain_words(words, met),
        said=_said(text) if to_index and flags & _PROMPT else "",
        digest=fingerprint(packed),
        tools=tools,
        files=files,
        calls=calls,
        results=results,
        pictures=pictures,
        model=turn.model,
        uid=turn.uid,
        usage=turn.usage,
        usage_id=turn.usage_id,
        usage_total=turn.usage_total,
        cost_micro=turn.cost_micro,
        duration_ms=turn.duration_ms,
    )


def fed(words: set[str], role: str, flags: int, tools: Sequence[str], files: Sequence[str]) -> str:
    """What the index takes for a turn, but for whose it is.

    Args:
        words: the `tokens.words` of its text form.
        role: whose turn it is.
        flags: `Flag` bits.
        tools: names of the tools it calls.
        files: paths that the tools are given.
    """
    return f"{tokens.index_text_of(words)} {about(role, flags, tools, files)}"


def _said(text: str) -> str:
    return tokens.index_text(text[:PROMPT_LENGTH], in_order=True)


def decode(body: bytes) -> Turn:
    """The turn in a row's body."""
    return _decode(unpack(body))


def fingerprint(data: bytes) -> int:
    """A signed 64-bit fingerprint."""
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big", signed=True)


def _without_picture(block: Block, pictures: list[tuple[str, str, bytes]]) -> Block:
    """The block with inline pictures taken out into ``pictures`` and named by hash."""
    if isinstance(block, ToolResult) and any(
        isinstance(b, Image) and b.data for b in block.content
    ):
        inner = [_without_picture(b, pictures) for b in block.content]
        return msgspec.structs.replace(block, content=inner)
    if isinstance(block, Image) and block.data:
        try:
            data = base64.b64decode(block.data, validate=False)
        except (binascii.Error, ValueError):
            return block
        ref = hashlib.sha256(data).hexdigest()
        pictures.append((ref, block.media_type, data))
        return Image(media_type=block.media_type, url=block.url, ref=ref, size=len(data))
    return block


def paths_of(value: Any) -> list[str]:
    """File paths a tool's input names, also in an ``apply_patch`` text."""
    found: list[str] = []
    if isinstance(value, dict):
        for key in _PATH_KEYS:
            item = value.get(key)
            if isinstance(item, str):
                found.append(item)
            elif isinstance(item, list):
                found.extend(x for x in item if isinstance(x, str))
        patch = value.get("patch") or value.get("input")
        if isinstance(patch, str):
            found.extend(_patched(patch))
    elif isinstance(value, str):
        found.extend(_patched(value))
    return [path for path in found if 0 < len(path) < 1024]


def _patched(patch: str) -> Sequence[str]:
    """Paths in an ``apply_patch`` text."""
    if "*** Begin Patch" not in patch:
        return ()
    heads = ("*** Update File: ", "*** Add File: ", "*** Delete File: ")
    return [
        line.partition(": ")[2].strip() for line in patch.splitlines() if line.startswith(heads)
    ]
