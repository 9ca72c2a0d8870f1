"""A session written as a new Claude Code transcript."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sparrow_tui.agents.restoring import anthropic_part, stamp, write_new
from sparrow_tui.model import (
    Notice,
    SessionInfo,
    Text,
    ToolResult,
    Turn,
)

SYNTHETIC = "<synthetic>"
"""The model of notes the agent made itself."""


def write_back(path: Path, session: SessionInfo, turns: Iterable[Turn]) -> Path:
    """Write a session as a transcript (see `write_new`)."""
    return write_new(path, _records(session, turns))


def _records(session: SessionInfo, turns: Iterable[Turn]) -> Iterator[dict[str, Any]]:
    parent = None
    if session.title:
        yield {"type": "custom-title", "customTitle": session.title,
               "sessionId": session.native_id}  # fmt: skip
    for turn in turns:
        content = [part for block in turn.blocks if (part := anthropic_part(block)) is not None]
        if not content or turn.branch:
            continue
        local = any(isinstance(b, Notice) and b.kind in ("info", "error") for b in turn.blocks)
        local = local and not any(isinstance(b, Text) for b in turn.blocks)
        role = "assistant" if turn.role == "assistant" or local else "user"
        own = turn.uid or str(uuid.uuid4())
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
            "uuid": own, "timestamp": stamp(turn.time or session.updated_at),
            "userType": "external", "cwd": session.project or "", "sessionId": session.native_id,
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
