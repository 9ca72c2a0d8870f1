"""A session written as a new Claude Code transcript."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator
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
    SessionInfo,
    Text,
    ToolResult,
    ToolUse,
    Turn,
)

SYNTHETIC = "<synthetic>"
"""The model of notes the agent made itself."""


def write_back(path: Path, session: SessionInfo, turns: Iterable[Turn]) -> Path:
    """Write a session as a transcript (see `write_new`)."""
    return write_new(path, _records(session, turns))


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


def _records(session: SessionInfo, turns: Iterable[Turn]) -> Iterator[dict[str, Any]]:
    parent = None
    if session.title:
        yield {"type": "custom-title", "customTitle": session.title,
               "sessionId": session.native_id}  # fmt: skip
    for turn in turns:
        content = [part for block in turn.blocks if (part := _part(block)) is not None]
        if not content or turn.branch:
            continue
        local = any(isinstance(b, Notice) and b.kind in ("info", "error") for b in turn.blocks)
        role = "assistant" if turn.role == "assistant" or local else "user"
        own = turn.uid or str(uuid.uuid4())
        moment = (turn.time or session.updated_at or 0) / 1000
        stamp = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
        message: dict[str, Any] = {"role": role, "content": content}
        if role == "assistant":
            message |= {
                "id": turn.usage_id or f"msg_{own}",
                "type": "message",
                "model": SYNTHETIC if local else turn.model or session.model or "",
            }
            if (usage := turn.usage_total or turn.usage) is not None:
                message["usage"] = {
                    "input_tokens": usage.input, "output_tokens": usage.output,
                    "cache_read_input_tokens": usage.cache_read,
                    "cache_creation_input_tokens": usage.cache_write,
                }  # fmt: skip
        record = {
            "parentUuid": parent, "isSidechain": False, "type": role, "message": message,
            "uuid": own, "timestamp": stamp.replace("+00:00", "Z"), "userType": "external",
            "cwd": session.project or "", "sessionId": session.native_id,
            "gitBranch": session.branch or "", "version": "restored",
        }  # fmt: skip
        if turn.api_error:
            record["isApiErrorMessage"] = True
        if turn.role == "summary":
            record["isCompactSummary"] = True
        elif turn.meta:
            record["isMeta"] = True
        for block in turn.blocks:
            if isinstance(block, ToolResult):
                child = block.child.rpartition("/")[2].removeprefix("agent-")
                known = (("durationMs", block.duration_ms), ("agentId", child))
                if facts := {key: fact for key, fact in known if fact}:
                    record["toolUseResult"] = facts
            elif isinstance(block, Notice) and block.kind == "compaction":
                record |= {"type": "system", "subtype": "compact_boundary", "content": block.text}
                del record["message"]
        parent = own
        yield record


def _part(block: Block) -> dict[str, Any] | None:
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
        inner = [part for item in block.content if (part := _part(item)) is not None]
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
