"""Goose's messages: content items of some ten kinds, made into turns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sparrow_tui.agents.common import as_text, milliseconds
from sparrow_tui.agents.injected import user_turns
from sparrow_tui.agents.line_session import count_unknown
from sparrow_tui.model import (
    Block,
    Coverage,
    Image,
    Notice,
    Raw,
    Reasoning,
    Text,
    ToolResult,
    ToolUse,
    Turn,
)

_EMPTY = {"redactedThinking", "toolConfirmationRequest"}
"""Nothing to read: an encrypted thought, a question on the screen that the request repeats."""


def message_turns(message: dict[str, Any], coverage: Coverage) -> list[Turn]:
    """The turns of a message; tool results, which come as the user's, get the role ``tool``.

    Args:
        message: role, created (seconds), content, metadata and id.
        coverage: unknown kinds are counted there.
    """
    blocks: list[Block] = []
    content = message.get("content")
    for item in content if isinstance(content, list) else []:
        blocks.extend(_blocks(item, coverage))
    if not blocks:
        return []
    time = milliseconds(message.get("created"))
    uid = as_text(message.get("id"))
    role = as_text(message.get("role"))
    metadata = message.get("metadata")
    if isinstance(metadata, dict) and metadata.get("userVisible") is False:
        # What a compaction left for the model only.
        return [Turn(role="summary", blocks=blocks, time=time, uid=uid, meta=True)]
    if role == "assistant":
        return [Turn(role="assistant", blocks=blocks, time=time, uid=uid)]
    if role != "user":
        count_unknown(coverage, f"role {role}")
        return [Turn(role="system", blocks=blocks, time=time, uid=uid, meta=True)]
    return user_turns(blocks, time=time, uid=uid)


def _blocks(item: Any, coverage: Coverage) -> Iterator[Block]:
    kind = as_text(item.get("type")) if isinstance(item, dict) else ""
    if kind == "text":
        text = as_text(item.get("text"))
        if text.strip():
            yield Text(text)
    elif kind in ("thinking", "reasoning"):
        text = as_text(item.get("thinking") or item.get("text"))
        if text.strip():
            yield Reasoning(text)
    elif kind == "image":
        yield _picture(item)
    elif kind in ("toolRequest", "frontendToolRequest"):
        yield _request(item)
    elif kind == "toolResponse":
        yield _response(item, coverage)
    elif kind == "systemNotification":
        yield Notice("info", as_text(item.get("msg")))
    elif kind in ("contextLengthExceeded", "summarizationRequested"):
        yield Notice("compaction", as_text(item.get("msg")))
    elif kind == "actionRequired":
        yield Notice("info", as_text(item.get("data")))
    elif kind not in _EMPTY:
        count_unknown(coverage, f"content {kind}")
        yield Raw(kind or "content", item)


def _request(item: dict[str, Any]) -> Block:
    """A call. One the model got wrong has an error in place of a name."""
    call = item.get("toolCall")
    value = call.get("value", call) if isinstance(call, dict) else None
    if not isinstance(value, dict) or "name" not in value:
        error = call.get("error") if isinstance(call, dict) else call
        return ToolUse(as_text(item.get("id")), "", {"error": error})
    return ToolUse(as_text(item.get("id")), as_text(value.get("name")), value.get("arguments"))


def _response(item: dict[str, Any], coverage: Coverage) -> Block:
    answer = item.get("toolResult")
    result = ToolResult(as_text(item.get("id")))
    if not isinstance(answer, dict):
        result.content = [Text(as_text(answer))] if answer is not None else []
        return result
    if answer.get("status") == "error":
        result.is_error = True
        result.content = [Text(as_text(answer.get("error")))]
        return result
    value = answer.get("value")
    if isinstance(value, dict):
        error = value.get("isError", value.get("is_error"))
        result.is_error = error if isinstance(error, bool) else None
        value = value.get("content")
    if answer.get("status") == "success" and result.is_error is None:
        result.is_error = False
    for part in value if isinstance(value, list) else [value]:
        if isinstance(part, dict) and part.get("type") == "resource":
            inner = part.get("resource")
            text = inner.get("text") if isinstance(inner, dict) else inner
            result.content.append(Text(as_text(text)))
        elif isinstance(part, dict):
            result.content.extend(_blocks(part, coverage))
        elif part is not None:
            result.content.append(Text(as_text(part)))
    return result


def _picture(item: dict[str, Any]) -> Image:
    data = as_text(item.get("data"))
    media = as_text(item.get("mimeType") or item.get("mime_type"))
    return Image(media_type=media, data=data, size=len(data) * 3 // 4)
