"""Codex's items as content blocks: messages' parts, calls of every kind, what tools answered."""

from __future__ import annotations

import re
from typing import Any

from sparrow_tui.agents.common import as_text, data_url, json_or_text
from sparrow_tui.model import Block, Raw, Text, ToolResult, ToolUse

_EXIT = re.compile(r"^(?:Exit code:|Process exited with code)\s*(-?\d+)\s*$", re.MULTILINE)
_WALL = re.compile(r"^Wall time:\s*([\d.]+)\s*seconds", re.MULTILINE)
_IMAGE_TAG = re.compile(r"</?image\b[^>]*>")
"""What stands around a picture in a prompt's parts; the picture itself says it."""


def texts_of(parts: Any) -> list[str]:
    """The texts of a list of summary or content parts."""
    if isinstance(parts, str):
        return [parts] if parts.strip() else []
    if not isinstance(parts, list):
        return []
    found = [as_text(part.get("text")) for part in parts if isinstance(part, dict)]
    return [text for text in found if text.strip()]


def content_of(parts: Any) -> list[Block]:
    """Blocks of a message or a tool's output."""
    if isinstance(parts, str):
        return [Text(parts)] if parts.strip() else []
    blocks: list[Block] = []
    for part in parts if isinstance(parts, list) else ():
        kind = part.get("type") if isinstance(part, dict) else None
        if kind in ("input_text", "output_text", "text"):
            text = as_text(part.get("text"))
            if text.strip() and not _IMAGE_TAG.fullmatch(text.strip()):
                blocks.append(Text(text))
        elif kind in ("input_image", "image"):
            blocks.append(data_url(as_text(part.get("image_url") or part.get("url"))))
        elif isinstance(part, str):
            blocks.append(Text(part))
        else:
            blocks.append(Raw(str(kind or "content"), part))
    return blocks


def call_of(kind: str, body: dict[str, Any]) -> ToolUse:
    """A ``…_call`` item: functions, tools that take plain text, shells, searches, pictures."""
    call = str(body.get("call_id") or body.get("id") or "")
    if kind == "function_call":
        name = str(body.get("name") or "")
        return ToolUse(call, name, json_or_text(body.get("arguments")))
    if kind == "custom_tool_call":
        return ToolUse(call, str(body.get("name") or ""), body.get("input"))
    name = str(body.get("name") or kind.removesuffix("_call"))
    value = body.get("action") or body.get("arguments") or body.get("revised_prompt")
    return ToolUse(call, name, json_or_text(value))


def result_of(call: str, output: Any, body: dict[str, Any]) -> ToolResult:
    """A tool's output without its wrapping, with exit code and duration where they are told."""
    value = json_or_text(output)
    code: int | None = None
    duration: int | None = None
    if isinstance(value, dict) and ("output" in value or "content" in value):
        facts = value.get("metadata")
        if isinstance(facts, dict):
            if isinstance(facts.get("exit_code"), int):
                code = facts["exit_code"]
            if isinstance(facts.get("duration_seconds"), int | float):
                duration = int(facts["duration_seconds"] * 1000)
        success = value.get("success")
        output = value.get("output", value.get("content"))
        if isinstance(success, bool) and code is None:
            code = 0 if success else 1
    if isinstance(output, str):
        head, told, _ = output[:400].partition("Output:")
        if told and code is None and (match := _EXIT.search(head)):
            code = int(match[1])
        if told and duration is None and (match := _WALL.search(head)):
            duration = int(float(match[1]) * 1000)
        content: list[Block] = [Text(output)] if output.strip() else []
    elif isinstance(output, list):
        content = content_of(output)
    else:
        content = [Text(as_text(output))] if output is not None else []
    failed = body.get("status") in ("failed", "incomplete") or (code is not None and code != 0)
    return ToolResult(call, content, is_error=failed or None if code is None else failed,
                      duration_ms=duration, exit_code=code)  # fmt: skip
