"""What writing sessions back has in common: a new file, whole or not at all; times; blocks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from sparrow_tui.agents.base import SourceError
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


def write_new(path: Path, records: Iterable[dict[str, Any]]) -> Path:
    """Write a line file whole, for its owner only, unless there is one.

    Raises:
        SourceError: the file exists or cannot be written; nothing is left behind.
    """
    beside = path.with_name(path.name + ".restoring")
    if path.exists():
        raise SourceError(f"{path} exists; nothing was written")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise SourceError(f"{path} cannot be written: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            for record in records:
                file.write(msgspec.json.encode(record) + b"\n")
        os.link(beside, path)
    except OSError as error:
        raise SourceError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        beside.unlink(missing_ok=True)
    return path


def without_loose_ends(turns: Iterable[Turn], closes: Callable[[Turn], bool]) -> Iterator[Turn]:
    """Turns that were taken back only where what follows tells so: else they would count again.

    Args:
        turns: of a session.
        closes: whether a turn that was not taken back tells that those before it were.
    """
    dead: list[Turn] = []
    for turn in turns:
        if turn.branch:
            dead.append(turn)
            continue
        if dead and closes(turn):
            yield from dead
        dead = []
        yield turn


def moment_of(time_ms: int | None) -> datetime:
    """A time as a date, UTC."""
    return datetime.fromtimestamp((time_ms or 0) / 1000, UTC)


def stamp(time_ms: int | None) -> str:
    """A time as ``2026-03-01T10:00:00.000Z``."""
    return moment_of(time_ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def anthropic_part(block: Block) -> dict[str, Any] | None:
    """A block in Anthropic's form; what that form has no place for is left out."""
    if isinstance(block, Text):
        return {"type": "text", "text": block.text}
    if isinstance(block, Notice):
        return {"type": "text", "text": _noted(block)}
    if isinstance(block, Reasoning):
        return {"type": "thinking", "thinking": block.text, "signature": ""}
    if isinstance(block, ToolUse):
        return {"type": "tool_use", "id": block.id, "name": block.name, "input": block.input or {}}
    if isinstance(block, ToolResult):
        inner = [part for item in block.content if (part := anthropic_part(item)) is not None]
        told = {} if block.is_error is None else {"is_error": block.is_error}
        return {"type": "tool_result", "tool_use_id": block.tool_use_id, "content": inner, **told}
    if isinstance(block, Image) and (block.data or block.url):
        source = {"type": "url", "url": block.url}
        if block.data:
            source = {"type": "base64", "media_type": block.media_type, "data": block.data}
        return {"type": "image", "source": source}
    if isinstance(block, Raw) and isinstance(block.data, dict) and "type" in block.data:
        return block.data
    return None


def _noted(notice: Notice) -> str:
    """A mark as the text the agent writes for it."""
    if notice.kind == "command":
        name, _, words = notice.text.partition(" ")
        more = f"\n<command-args>{words}</command-args>" if words else ""
        return f"<command-name>{name}</command-name>{more}"
    return f"[{notice.text}]" if notice.kind == "interruption" else notice.text
