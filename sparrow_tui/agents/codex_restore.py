"""A session written as a new rollout of Codex."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from sparrow_tui.agents.codex_content import result_of
from sparrow_tui.agents.restoring import moment_of, stamp, without_loose_ends, write_new
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
    Usage,
)

_ABORTED = re.compile(r"Turn aborted \((.*)\)", re.DOTALL)
_NAMED = re.compile(r":(\d+)\+(\d+)\+(\d+)\+(\d+)$")
_TAKEN_BACK = re.compile(r"(\d+) turns taken back")

_Line = tuple[str, dict[str, Any]]
"""A line's kind and payload."""


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
    if session.parent:
        spawn = {
            "parent_thread_id": session.parent.partition(":")[2],
            "agent_role": session.extra.get("agent type"),
        }
        meta["source"] = {"subagent": {"thread_spawn": spawn}}
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
    for turn in without_loose_ends(turns, _takes_back):
        for kind, payload in _lines(turn, custom):
            yield line(kind, payload, turn.time)
        if turn.usage is not None:
            # After the answer it belongs to, so that it is counted as what it was before.
            for told in _totals(used, turn.usage, turn.usage_id):
                used = told
                yield line("event_msg", _total(told), turn.time)
    if session.status in ("waiting", "ended"):
        done = {"type": "task_complete", "last_agent_message": None}
        yield line("event_msg", done, session.updated_at)


def _takes_back(turn: Turn) -> bool:
    return any(isinstance(block, Notice) and block.kind == "rewind" for block in turn.blocks)


def _lines(turn: Turn, custom: set[str]) -> Iterator[_Line]:
    """What a turn's lines hold."""
    if turn.role == "summary":
        said = "\n".join(block.text for block in turn.blocks if isinstance(block, Text))
        yield "compacted", {"message": said}
        return
    for said_here, group in groupby(turn.blocks, lambda block: isinstance(block, Text | Image)):
        blocks = list(group)
        if said_here and turn.role in ("user", "assistant", "system"):
            yield from _said(turn, blocks)
            continue
        for block in blocks:
            if isinstance(block, Reasoning):
                summary = [{"type": "summary_text", "text": block.text}]
                yield "response_item", {"type": "reasoning", "summary": summary}
            elif isinstance(block, ToolUse):
                yield "response_item", _call(block, custom)
            elif isinstance(block, ToolResult):
                yield "response_item", _answer(block, custom)
            elif isinstance(block, Notice):
                yield "event_msg", _mark(block, failed=turn.api_error)


def _said(turn: Turn, blocks: list[Block]) -> Iterator[_Line]:
    """A message, and a prompt's event beside it."""
    role = "developer" if turn.role == "system" else turn.role
    content = [_part(block, turn.role) for block in blocks]
    yield "response_item", {"type": "message", "role": role, "content": content}
    said = [block.text for block in blocks if isinstance(block, Text)]
    if turn.role == "user" and not turn.meta and said:
        yield "event_msg", {"type": "user_message", "message": "\n".join(said)}


def _part(block: Block, role: str) -> dict[str, Any]:
    """A part of a message or of what a tool answered."""
    if isinstance(block, Image):
        inline = f"data:{block.media_type or 'image/png'};base64,{block.data}"
        return {"type": "input_image", "image_url": inline if block.data else block.url}
    if isinstance(block, Raw):
        return block.data if isinstance(block.data, dict) else {"type": block.kind}
    text = block.text if isinstance(block, Text | Reasoning | Notice) else ""
    return {"type": "output_text" if role == "assistant" else "input_text", "text": text}


def _mark(notice: Notice, *, failed: bool) -> dict[str, Any]:
    """The event of a mark; ``failed``: a request to the model did."""
    if aborted := _ABORTED.fullmatch(notice.text):
        return {"type": "turn_aborted", "reason": aborted[1]}
    if notice.kind == "rewind" and (back := _TAKEN_BACK.fullmatch(notice.text)):
        return {"type": "thread_rolled_back", "num_turns": int(back[1])}
    if notice.kind == "error":
        return {"type": "error" if failed else "stream_error", "message": notice.text}
    return {"type": "warning", "message": notice.text}


def _totals(used: Usage, share: Usage, name: str) -> Iterator[Usage]:
    """The running totals that make a turn's share: first the one its id names, if it does.

    Args:
        used: the total before.
        share: the turn's tokens.
        name: the id, as `codex_tokens.grown` makes it.
    """
    left = share
    if told := _NAMED.search(name):
        fresh, cached, output, reasoning = map(int, told.groups())
        first = Usage(fresh, output, cached, 0, reasoning)
        grown = first.beyond(used) if first.total >= used.total else first
        if grown.total and share.largest(grown) == share:
            used, left = first, share.beyond(grown)
            yield used
    if left.total:
        yield used + left


def _total(used: Usage) -> dict[str, Any]:
    """The event that tells what was used so far."""
    total = {
        "input_tokens": used.input + used.cache_read + used.cache_write,
        "cached_input_tokens": used.cache_read, "output_tokens": used.output,
        "reasoning_output_tokens": used.reasoning,
    }  # fmt: skip
    return {"type": "token_count", "info": {"total_token_usage": total}}


def _call(use: ToolUse, custom: set[str]) -> dict[str, Any]:
    """A call as an item: tools that take plain text are called by another kind of item."""
    if not use.id and use.name == "web_search":
        return {"type": "web_search_call", "status": "completed", "action": use.input}
    call = use.id or str(uuid.uuid4())
    if isinstance(use.input, str):
        custom.add(call)
        return {"type": "custom_tool_call", "name": use.name, "input": use.input, "call_id": call}
    arguments = msgspec.json.encode(use.input).decode()
    return {"type": "function_call", "name": use.name, "arguments": arguments, "call_id": call}


def _answer(result: ToolResult, custom: set[str]) -> dict[str, Any]:
    """A tool's output as an item; exit code and duration in the wrapping of older versions."""
    kind = "custom_tool_call" if result.tool_use_id in custom else "function_call"
    item: dict[str, Any] = {"type": f"{kind}_output", "call_id": result.tool_use_id}
    if all(isinstance(block, Text) for block in result.content):
        text = "\n".join(block.text for block in result.content if isinstance(block, Text))
        item["output"] = text
    else:
        text = ""
        item["output"] = [_part(block, "tool") for block in result.content]
    read = result_of(result.tool_use_id, text, {})
    facts: dict[str, Any] = {}
    if result.exit_code is not None and read.exit_code is None:
        facts["exit_code"] = result.exit_code
    if result.duration_ms is not None and read.duration_ms is None:
        facts["duration_seconds"] = result.duration_ms / 1000
    if facts:
        whole = {"output": item["output"], "metadata": facts}
        item["output"] = msgspec.json.encode(whole).decode()
    elif result.is_error and not read.is_error:
        item["status"] = "failed"
    return item
