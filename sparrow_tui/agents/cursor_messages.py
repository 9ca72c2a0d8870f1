"""What Cursor's three stores have in common: wrapped prompts, and messages of its CLI."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

from sparrow_tui.agents.common import anthropic_image, as_text, data_url, json_or_text
from sparrow_tui.model import (
    Block,
    Coverage,
    Image,
    Raw,
    Reasoning,
    Text,
    ToolResult,
    ToolUse,
    Turn,
)

_QUERY = re.compile(r"<user_query>\s*(.*?)\s*</user_query>", re.DOTALL)
_FILES = re.compile(r"<image_files>(.*?)</image_files>", re.DOTALL)
_FILE = re.compile(r"^\d+\. +(\S.*?) *$", re.MULTILINE)
_INJECTED = ("<user_info>", "<system_reminder>", "<system_notification>", "<timestamp>", "<rules>")

_TIME = re.compile(
    r"<timestamp>\w+, (\w{3}) (\d{1,2}), (\d{4}), (\d{1,2}):(\d\d) ([AP]M)"
    r" \(UTC(?:([+-])(\d{1,2})(?::(\d\d))?)?\)</timestamp>"
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def prompt(text: str) -> tuple[str, str]:
    """A user's text as (what the person typed, what Cursor put around it)."""
    queries = _QUERY.findall(text)
    if queries:
        return "\n\n".join(queries), _QUERY.sub("", text).strip()
    return ("", text) if text.lstrip().startswith(_INJECTED) else (text, "")


def _pictures(around: str) -> list[Block]:
    """Pictures the person added to a prompt: Cursor lists the files it keeps them in."""
    return [
        Image("image", url=path)
        for listed in _FILES.findall(around)
        for path in _FILE.findall(listed)
    ]


def told_time(text: str) -> int | None:
    """The time Cursor puts before a prompt (to the minute), as milliseconds since the epoch."""
    match = _TIME.search(text)
    if match is None or match[1] not in _MONTHS:
        return None
    month, hour = _MONTHS.index(match[1]) + 1, int(match[4]) % 12 + 12 * (match[6] == "PM")
    offset = timedelta(hours=int(match[8] or 0), minutes=int(match[9] or 0))
    try:
        zone = timezone(-offset if match[7] == "-" else offset)
        moment = datetime(int(match[3]), month, int(match[2]), hour, int(match[5]), tzinfo=zone)
        return int(moment.timestamp()) * 1000
    except (ValueError, OverflowError):
        return None


def turns(message: dict[str, Any], coverage: Coverage, name: str = "") -> list[Turn]:
    """The turns of one message ``{role, content}``; tool answers make a turn of their own.

    Args:
        message: of the CLI's store or a transcript's ``message`` with its role.
        coverage: counts unknown parts.
        name: makes ids for calls that have none.
    """
    role, content = as_text(message.get("role")), message.get("content")
    parts = content if isinstance(content, list) else [content]
    blocks = [block for n, part in enumerate(parts) for block in _blocks(part, coverage, name, n)]
    answers: list[Block] = [block for block in blocks if isinstance(block, ToolResult)]
    rest: list[Block] = [block for block in blocks if not isinstance(block, ToolResult)]
    found: list[Turn] = []
    if role == "user":
        typed: list[Block] = []
        put_in: list[Block] = []
        time: int | None = None
        for block in rest:
            if isinstance(block, Text):
                time = time or told_time(block.text)
                said, around = prompt(block.text)
                typed += [Text(said)] if said.strip() else []
                typed += _pictures(around)
                put_in += [Text(around)] if around else []
            else:
                typed.append(block)
        if put_in:
            found.append(Turn(role="user", blocks=put_in, time=time, meta=True))
        if typed:
            found.append(Turn(role="user", blocks=typed, time=time))
    elif rest:
        found.append(Turn(role="assistant" if role == "assistant" else "system", blocks=rest))
        found[-1].model = _model(parts) if role == "assistant" else ""
    if answers:
        found.append(Turn(role="tool", blocks=answers))
    return found


def _model(parts: list[Any]) -> str:
    """The model that a part of an answer names."""
    for part in parts:
        options = part.get("providerOptions") if isinstance(part, dict) else None
        cursor = options.get("cursor") if isinstance(options, dict) else None
        if isinstance(cursor, dict) and isinstance(cursor.get("modelName"), str):
            return as_text(cursor["modelName"])
    return ""


def _blocks(part: Any, coverage: Coverage, name: str, number: int) -> list[Block]:
    """One part in the forms of the AI SDK (``tool-call``) and of Anthropic (``tool_use``)."""
    if part is None:
        return []
    if isinstance(part, str):
        return [Text(part)] if part.strip() else []
    if not isinstance(part, dict):
        return [_unknown("part", part, coverage)]
    kind = as_text(part.get("type"))
    if kind in ("text", "reasoning", "thinking"):
        text = as_text(part.get("thinking") if kind == "thinking" else part.get("text"))
        if not text.strip():
            return []
        return [Text(text) if kind == "text" else Reasoning(text)]
    if kind in ("tool-call", "tool_use", "tool_call"):
        call = as_text(part.get("toolCallId") or part.get("id")) or f"{name}.{number}"
        arguments = part.get("args", part.get("input"))
        return [
            ToolUse(
                call, as_text(part.get("toolName") or part.get("name")), json_or_text(arguments)
            )
        ]
    if kind in ("tool-result", "tool_result"):
        return [_result(part, coverage, name)]
    if kind in ("image", "file"):
        return [_image(part)]
    if kind in ("redacted-reasoning", "redacted_thinking"):
        return []
    return [_unknown(kind, part, coverage)]


def _result(part: dict[str, Any], coverage: Coverage, name: str) -> ToolResult:
    options = part.get("providerOptions")
    cursor = options.get("cursor") if isinstance(options, dict) else None
    level = cursor.get("highLevelToolCallResult") if isinstance(cursor, dict) else None
    failed = part.get("isError", part.get("is_error"))
    if failed is None and isinstance(level, dict):
        failed = level.get("isError")
    given = part.get("result", part.get("content"))
    content: list[Block] = []
    for number, item in enumerate(given if isinstance(given, list) else [given]):
        if isinstance(item, dict) and item.get("type") in ("text", "image"):
            content.extend(_blocks(item, coverage, name, number))
        elif as_text(item):
            content.append(Text(as_text(item)))
    call = as_text(part.get("toolCallId") or part.get("tool_use_id"))
    return ToolResult(call, content, is_error=failed if isinstance(failed, bool) else None)


def _image(part: dict[str, Any]) -> Image:
    if isinstance(part.get("source"), dict):
        return anthropic_image(part["source"])
    data = as_text(part.get("image") or part.get("data"))
    if data.startswith(("data:", "http:", "https:", "file:")):
        return data_url(data)
    media_type = as_text(part.get("mimeType") or part.get("mediaType"))
    return Image(media_type=media_type, data=data, size=len(data) * 3 // 4)


def _unknown(kind: str, part: Any, coverage: Coverage) -> Block:
    key = f"part {kind}".strip()
    coverage.unknown[key] = coverage.unknown.get(key, 0) + 1
    text = part.get("text") if isinstance(part, dict) else None
    return Text(text) if isinstance(text, str) and text.strip() else Raw(kind or "part", part)
