"""Sessions written as new conversations of Gemini CLI and of its fork Qwen Code."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sparrow_tui.agents.restoring import moment_of, stamp, write_new
from sparrow_tui.model import (
    Block,
    Image,
    Notice,
    Reasoning,
    SessionInfo,
    Text,
    ToolResult,
    ToolUse,
    Turn,
)


def write_gemini(root: Path, session: SessionInfo, turns: Iterable[Turn]) -> Path:
    """Write a conversation of Gemini CLI below its ``tmp`` (see `restoring.write_new`)."""
    project = hashlib.sha256((session.project or "").encode()).hexdigest()
    name = f"session-{moment_of(session.created_at):%Y-%m-%dT%H-%M}-{session.native_id[:8]}.jsonl"
    header = {
        "sessionId": session.native_id, "projectHash": project, "kind": "main",
        "startTime": stamp(session.created_at), "lastUpdated": stamp(session.updated_at),
        **({"summary": session.title} if session.title else {}),
        **({"directories": [session.project]} if session.project else {}),
    }  # fmt: skip
    return write_new(root / project / "chats" / name, _gemini_lines(header, turns))


def _gemini_lines(header: dict[str, Any], turns: Iterable[Turn]) -> Iterator[dict[str, Any]]:
    """Messages; an answer of tools goes into the message that called them."""
    yield header
    held: dict[str, Any] | None = None
    for turn in turns:
        if turn.branch:
            continue
        if turn.role == "tool" and held is not None and held["type"] == "gemini":
            for block in turn.blocks:
                for call in held.get("toolCalls", ()):
                    if isinstance(block, ToolResult) and call["id"] == block.tool_use_id:
                        call |= _answered(call["name"], block, turn.time)
            continue
        if held is not None:
            yield held
        held = _gemini_message(turn)
    if held is not None:
        yield held


def _answered(name: str, block: ToolResult, time: int | None) -> dict[str, Any]:
    status = "error" if block.is_error else "success"
    return {"result": [_response(name, block)], "status": status, "timestamp": stamp(time)}


def _gemini_message(turn: Turn) -> dict[str, Any] | None:
    mark = next((block for block in turn.blocks if isinstance(block, Notice)), None)
    message: dict[str, Any] = {
        "id": turn.uid or str(uuid.uuid4()), "timestamp": stamp(turn.time), "type": "user",
    }  # fmt: skip
    if turn.role == "assistant":
        message |= {"type": "gemini", "content": _parts(turn.blocks, calls=False)}
        message["thoughts"] = [
            {"subject": "", "description": block.text, "timestamp": stamp(turn.time)}
            for block in turn.blocks
            if isinstance(block, Reasoning)
        ]
        message["toolCalls"] = [
            {"id": block.id, "name": block.name, "args": block.input}
            for block in turn.blocks
            if isinstance(block, ToolUse)
        ]
        if turn.model:
            message["model"] = turn.model
        if (usage := turn.usage) is not None:
            message["tokens"] = {
                "input": usage.input + usage.cache_read, "cached": usage.cache_read,
                "output": usage.output - usage.reasoning, "thoughts": usage.reasoning,
                "tool": 0, "total": usage.total,
            }  # fmt: skip
    elif mark is not None:
        message |= {"type": "error" if mark.kind == "error" else "info", "content": mark.text}
    elif turn.role in ("user", "summary", "tool"):
        message["content"] = _parts(turn.blocks)
    else:
        return None
    return message


def write_qwen(root: Path, session: SessionInfo, turns: Iterable[Turn]) -> Path:
    """Write a session of Qwen Code below its ``projects`` (see `restoring.write_new`)."""
    slug = re.sub(r"[^A-Za-z0-9]", "-", session.project or "")
    path = root / slug / "chats" / f"{session.native_id}.jsonl"
    return write_new(path, _qwen_lines(session, turns))


def _qwen_lines(session: SessionInfo, turns: Iterable[Turn]) -> Iterator[dict[str, Any]]:
    parent: str | None = None
    names: dict[str, str] = {}
    for turn in turns:
        if turn.branch:
            continue
        for body in _qwen_records(turn, names):
            own = turn.uid if turn.uid and turn.uid != parent else str(uuid.uuid4())
            yield {
                "uuid": own, "parentUuid": parent, "sessionId": session.native_id,
                "timestamp": stamp(turn.time or session.updated_at), "cwd": session.project or "",
                "version": "restored", "gitBranch": session.branch or "", **body,
            }  # fmt: skip
            parent = own
    if session.title:
        yield {
            "uuid": str(uuid.uuid4()), "parentUuid": parent, "sessionId": session.native_id,
            "timestamp": stamp(session.updated_at), "cwd": session.project or "",
            "version": "restored", "type": "system", "subtype": "custom_title",
            "systemPayload": {"customTitle": session.title, "titleSource": "manual"},
        }  # fmt: skip


def _qwen_records(turn: Turn, names: dict[str, str]) -> Iterator[dict[str, Any]]:
    """The records a turn makes, without their envelope."""
    names.update({block.id: block.name for block in turn.blocks if isinstance(block, ToolUse)})
    mark = next((block for block in turn.blocks if isinstance(block, Notice)), None)
    if turn.role == "tool":
        for block in turn.blocks:
            if isinstance(block, ToolResult):
                name = names.get(block.tool_use_id, "")
                status = "error" if block.is_error else "success"
                yield {
                    "type": "tool_result",
                    "message": {"role": "user", "parts": [_response(name, block)]},
                    "toolCallResult": {"callId": block.tool_use_id, "status": status},
                }
    elif turn.role == "assistant":
        record: dict[str, Any] = {
            "type": "assistant", "model": turn.model,
            "message": {"role": "model", "parts": _parts(turn.blocks)},
        }  # fmt: skip
        if (usage := turn.usage) is not None:
            record["usageMetadata"] = {
                "promptTokenCount": usage.input + usage.cache_read,
                "candidatesTokenCount": usage.output - usage.reasoning,
                "cachedContentTokenCount": usage.cache_read,
                "thoughtsTokenCount": usage.reasoning, "totalTokenCount": usage.total,
            }  # fmt: skip
        yield record
    elif mark is not None and mark.kind == "command":
        payload = {"phase": "invocation", "rawCommand": mark.text}
        yield {"type": "system", "subtype": "slash_command", "systemPayload": payload}
    elif mark is not None and mark.kind == "compaction":
        yield {"type": "system", "subtype": "chat_compression", "systemPayload": {}}
    elif turn.role == "user":
        parts = _parts(turn.blocks)
        subtype = {"subtype": "notification"} if turn.meta else {}
        yield {"type": "user", "message": {"role": "user", "parts": parts}, **subtype}


def _parts(blocks: Iterable[Block], *, calls: bool = True) -> list[dict[str, Any]]:
    """Blocks as the API's content parts; with ``calls`` also those that have a place elsewhere."""
    parts: list[dict[str, Any]] = []
    for block in blocks:
        if isinstance(block, Text):
            parts.append({"text": block.text})
        elif isinstance(block, Image) and block.data:
            parts.append({"inlineData": {"mimeType": block.media_type, "data": block.data}})
        elif isinstance(block, Image) and block.url:
            parts.append({"fileData": {"mimeType": block.media_type, "fileUri": block.url}})
        elif isinstance(block, ToolResult):
            parts.append(_response("", block))
        elif calls and isinstance(block, Reasoning):
            parts.append({"text": block.text, "thought": True})
        elif calls and isinstance(block, ToolUse):
            call = {"id": block.id, "name": block.name, "args": block.input}
            parts.append({"functionCall": call})
    return parts


def _response(name: str, block: ToolResult) -> dict[str, Any]:
    """A tool's answer; more than one text, and pictures, ride in ``parts``."""
    texts = [inner.text for inner in block.content if isinstance(inner, Text)]
    key = "error" if block.is_error else "output"
    response = {key: texts[0] if texts else ""}
    body: dict[str, Any] = {"id": block.tool_use_id, "name": name, "response": response}
    others = [inner for inner in block.content if not isinstance(inner, Text)]
    if more := _parts([*map(Text, texts[1:]), *others]):
        body["parts"] = more
    return {"functionResponse": body}
