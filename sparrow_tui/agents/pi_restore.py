"""A session written as a new line file of Pi (format: docs/session.md of pi-mono)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from sparrow_tui.agents.restoring import moment_of, stamp, write_new
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


def write_back(root: Path, session: SessionInfo, turns: Iterable[Turn]) -> Path:
    """Write a session below a folder of sessions (see `restoring.write_new`)."""
    place = (session.project or "/").strip("/\\").replace("\\", "/")
    folder = f"--{place.replace('/', '-')}--"
    begun = f"{moment_of(session.created_at):%Y-%m-%dT%H-%M-%S-000Z}"
    return write_new(root / folder / f"{begun}_{session.native_id}.jsonl", _lines(session, turns))


def _lines(session: SessionInfo, turns: Iterable[Turn]) -> Iterator[dict[str, Any]]:
    every = iter(turns)
    first = next(every, None)
    head = {
        "type": "session", "id": session.native_id,
        "timestamp": stamp(session.created_at), "cwd": session.project or "",
    }  # fmt: skip
    # Entries of the first version had no ids; given some, they would count as new ones.
    numbered = first is None or bool(first.uid)
    yield {**head, "version": 3} if numbered else head
    before: str | None = None
    number = 0
    used: set[str] = set()
    for turn in every if first is None else chain([first], every):
        if turn.branch:
            continue
        for entry in _entries(turn, before):
            number += 1
            own = turn.uid.partition(":")[0]
            if not own or own in used:
                own = f"{number:08x}"
            used.add(own)
            time = turn.time or session.updated_at
            place = {"id": own, "parentId": before} if numbered else {}
            yield {**entry, **place, "timestamp": stamp(time)}
            before = own
    if session.title:
        named = {"type": "session_info", "timestamp": stamp(session.updated_at)}
        place = {"id": f"{number + 1:08x}", "parentId": before} if numbered else {}
        yield {**named, **place, "name": session.title}


def _entries(turn: Turn, before: str | None) -> Iterator[dict[str, Any]]:
    """The entries a turn makes: one, but one for each tool result."""
    marks = [block for block in turn.blocks if isinstance(block, Notice)]
    kinds = {mark.kind for mark in marks}
    said = "\n".join(block.text for block in turn.blocks if isinstance(block, Text))
    if turn.role == "tool":
        for block in turn.blocks:
            if isinstance(block, ToolResult):
                details = {} if block.exit_code is None else {"exitCode": block.exit_code}
                about: dict[str, Any] = {"toolCallId": block.tool_use_id, "details": details}
                about |= {"toolName": "", "isError": bool(block.is_error)}
                yield _message(turn, "toolResult", block.content, **about)
    elif turn.role == "summary" and "compaction" in kinds:
        yield {"type": "compaction", "summary": said, "firstKeptEntryId": before,
               "tokensBefore": _number(marks[0].text)}  # fmt: skip
    elif turn.role == "summary":
        yield {"type": "branch_summary", "fromId": before, "summary": said}
    elif "model" in kinds:
        provider, _, model = marks[0].text.rpartition("/")
        yield {"type": "model_change", "provider": provider, "modelId": model}
    elif "command" in kinds:
        command, _, output = marks[0].text.removeprefix("! ").partition("\n")
        yield _message(turn, "bashExecution", None, command=command, output=output)
    elif turn.role == "assistant":
        more: dict[str, Any] = {"model": turn.model, "stopReason": "stop"}
        for kind, reason in (("error", "error"), ("interruption", "aborted")):
            if kind in kinds:
                more |= {"stopReason": reason, "errorMessage": marks[-1].text}
        if turn.usage is not None:
            usage = turn.usage
            more["usage"] = {
                "input": usage.input, "output": usage.output, "cacheRead": usage.cache_read,
                "cacheWrite": usage.cache_write, "totalTokens": usage.total,
            }  # fmt: skip
            if turn.cost_micro is not None:
                more["usage"]["cost"] = {"total": turn.cost_micro / 1e6}
            if turn.usage_id and not turn.usage_id.startswith("pi:"):
                more["responseId"] = turn.usage_id
        yield _message(turn, "assistant", turn.blocks, **more)
    elif turn.meta and turn.role == "user":
        yield {"type": "custom_message", "customType": "restored", "display": True,
               "content": _content(turn.blocks)}  # fmt: skip
    elif turn.role == "user":
        yield _message(turn, "user", turn.blocks)
    else:
        for block in turn.blocks:
            if isinstance(block, Raw) and isinstance(block.data, dict) and "type" in block.data:
                yield block.data


def _message(turn: Turn, role: str, blocks: list[Block] | None, **more: Any) -> dict[str, Any]:
    content = {} if blocks is None else {"content": _content(blocks)}
    message = {"role": role, **content, "timestamp": turn.time, **more}
    return {"type": "message", "message": message}


def _content(blocks: Iterable[Block]) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    for block in blocks:
        if isinstance(block, Text):
            parts.append({"type": "text", "text": block.text})
        elif isinstance(block, Reasoning):
            parts.append({"type": "thinking", "thinking": block.text})
        elif isinstance(block, Image) and block.data:
            parts.append({"type": "image", "data": block.data, "mimeType": block.media_type})
        elif isinstance(block, ToolUse):
            parts.append({"type": "toolCall", "id": block.id, "name": block.name,
                          "arguments": block.input})  # fmt: skip
    return parts


def _number(text: str) -> int:
    digits = "".join(sign for sign in text if sign.isdigit())
    return int(digits) if digits else 0
