"""A session written as a new rollout of Codex."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from sparrow_tui.agents.codex_content import result_of
from sparrow_tui.agents.restoring import moment_of, stamp, write_new
from sparrow_tui.model import (
    Reasoning,
    SessionInfo,
    Text,
    ToolResult,
    ToolUse,
    Turn,
    Usage,
)


def write_back(root: Path, session: SessionInfo, turns: Iterable[Turn]) -> Path:
    """Write a session below the folder of all rollouts (see `restoring.write_new`)."""
    started = moment_of(session.created_at)
    name = f"rollout-{started:%Y-%m-%dT%H-%M-%S}-{session.native_id}.jsonl"
    return write_new(root / f"{started:%Y/%m/%d}" / name, _records(session, turns))


def _records(session: SessionInfo, turns: Iterable[Turn]) -> Iterator[dict[str, Any]]:
    """A rollout's lines for a session."""

    def line(kind: str, payload: dict[str, Any], moment: int | None) -> dict[str, Any]:
        return {"timestamp": stamp(moment or session.created_at), "type": kind, "payload": payload}

    meta: dict[str, Any] = {
        "id": session.native_id, "cwd": session.project or os.getcwd(), "cli_version": "0",
        "originator": "codex_cli_rs", "source": "cli", "instructions": None,
        "timestamp": line("", {}, session.created_at)["timestamp"],
    }  # fmt: skip
    if session.branch:
        meta["git"] = {"branch": session.branch}
    yield line("session_meta", meta, session.created_at)
    if session.model:
        context = {"cwd": meta["cwd"], "model": session.model}
        yield line("turn_context", context, session.created_at)
    if session.title:
        named = {"type": "thread_name_updated", "thread_name": session.title}
        yield line("event_msg", named, session.created_at)
    custom: set[str] = set()
    used = Usage()
    for turn in turns:
        used += turn.usage or Usage()
        if turn.branch:
            continue
        for kind, group in groupby(turn.blocks, type):
            if kind is Text and turn.role in ("user", "assistant", "system"):
                said = [block.text for block in group if isinstance(block, Text)]
                part = "output_text" if turn.role == "assistant" else "input_text"
                role = "developer" if turn.role == "system" else turn.role
                content = [{"type": part, "text": text} for text in said]
                item: dict[str, Any] = {"type": "message", "role": role, "content": content}
                yield line("response_item", item, turn.time)
                if turn.role == "user" and not turn.meta:
                    event = {"type": "user_message", "message": "\n".join(said)}
                    yield line("event_msg", event, turn.time)
                continue
            for block in group:
                if isinstance(block, Reasoning):
                    summary = [{"type": "summary_text", "text": block.text}]
                    thought = {"type": "reasoning", "summary": summary}
                    yield line("response_item", thought, turn.time)
                elif isinstance(block, ToolUse):
                    yield line("response_item", _call(block, custom), turn.time)
                elif isinstance(block, ToolResult):
                    yield line("response_item", _answer(block, custom), turn.time)
    total = {
        "input_tokens": used.input + used.cache_read + used.cache_write,
        "cached_input_tokens": used.cache_read, "output_tokens": used.output,
        "reasoning_output_tokens": used.reasoning,
    }  # fmt: skip
    info = {"total_token_usage": total}
    yield line("event_msg", {"type": "token_count", "info": info}, session.updated_at)


def _call(use: ToolUse, custom: set[str]) -> dict[str, Any]:
    """A call as an item: tools that take plain text are called by another kind of item."""
    call = use.id or str(uuid.uuid4())
    if isinstance(use.input, str):
        custom.add(call)
        return {"type": "custom_tool_call", "name": use.name, "input": use.input, "call_id": call}
    arguments = msgspec.json.encode(use.input).decode()
    return {"type": "function_call", "name": use.name, "arguments": arguments, "call_id": call}


def _answer(result: ToolResult, custom: set[str]) -> dict[str, Any]:
    """A tool's output as an item; exit code and duration in the wrapping of older versions."""
    kind = "custom_tool_call" if result.tool_use_id in custom else "function_call"
    text = "\n".join(block.text for block in result.content if isinstance(block, Text))
    item = {"type": f"{kind}_output", "call_id": result.tool_use_id, "output": text}
    read = result_of(result.tool_use_id, text, {})
    facts: dict[str, Any] = {}
    if result.exit_code is not None and read.exit_code is None:
        facts["exit_code"] = result.exit_code
    if result.duration_ms is not None and read.duration_ms is None:
        facts["duration_seconds"] = result.duration_ms / 1000
    if facts:
        item["output"] = msgspec.json.encode({"output": text, "metadata": facts}).decode()
    elif result.is_error and not read.is_error:
        item["status"] = "failed"
    return item
