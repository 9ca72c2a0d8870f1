"""The Gemini API's content parts as blocks: what Gemini CLI and its fork Qwen Code write."""

from __future__ import annotations

import re
from typing import Any

from sparrow_tui.agents.common import as_text, whole
from sparrow_tui.model import (
    Block,
    Coverage,
    Image,
    Raw,
    Reasoning,
    Text,
    ToolResult,
    ToolUse,
    Usage,
)

_EXIT_CODE = re.compile(r"^Exit Code: (-?\d+)$", re.MULTILINE)


def blocks(content: Any, coverage: Coverage) -> list[Block]:
    """Blocks of a ``PartListUnion``: a string, a part, or a list of both."""
    if isinstance(content, str | dict):
        content = [content]
    if content is None:
        return []
    if not isinstance(content, list):
        return [_unknown("content", content, coverage)]
    found: list[Block] = []
    for part in content:
        if isinstance(part, str):
            if part.strip():
                found.append(Text(part))
        elif isinstance(part, dict):
            block = _block(part, coverage)
            if block is not None:
                found.append(block)
        else:
            found.append(_unknown("part", part, coverage))
    return found


def result(
    call_id: str, content: Any, coverage: Coverage, *, failed: bool | None = None
) -> ToolResult:
    """A tool's answer from the parts it came in.

    Args:
        call_id: pairs it with its call.
        content: a list of parts, among them ``functionResponse``; or anything JSON.
        coverage: counts unknown parts.
        failed: from the call's status; ``None``: an ``error`` in the response tells.
    """
    answer: list[Block] = []
    for block in blocks(content, coverage):
        if isinstance(block, ToolResult):
            answer.extend(block.content)
            if failed is None:
                failed = block.is_error
        else:
            answer.append(block)
    code = None
    for block in answer:
        match = _EXIT_CODE.search(block.text) if isinstance(block, Text) else None
        if match:
            code = int(match[1])
    return ToolResult(call_id, answer, is_error=failed, exit_code=code)


def usage(
    prompt: Any, output: Any, cached: Any, thoughts: Any, tool: Any = 0, total: Any = 0
) -> Usage | None:
    """Tokens of one request; ``None`` if there are none.

    The prompt's figure includes the cached part; results of the API's own tools are prompt
    tokens counted apart. Gemini's output leaves out the thoughts, other APIs' includes them:
    the total tells.
    """
    read, said = whole(cached), whole(output)
    if not total or whole(total) != whole(prompt) + said:
        said += whole(thoughts)
    used = Usage(
        input=max(0, whole(prompt) - read) + whole(tool),
        output=said,
        cache_read=read,
        reasoning=whole(thoughts),
    )
    return used if used.total else None


def _block(part: dict[str, Any], coverage: Coverage) -> Block | None:
    """One part; ``None`` for an empty one."""
    if isinstance(part.get("functionCall"), dict):
        call = part["functionCall"]
        return ToolUse(as_text(call.get("id")), as_text(call.get("name")), call.get("args"))
    if isinstance(part.get("functionResponse"), dict):
        return _response(part["functionResponse"], coverage)
    if isinstance(part.get("inlineData"), dict):
        inline = part["inlineData"]
        data = as_text(inline.get("data"))
        return Image(media_type=as_text(inline.get("mimeType")), data=data, size=len(data) * 3 // 4)
    if isinstance(part.get("fileData"), dict):
        file = part["fileData"]
        return Image(media_type=as_text(file.get("mimeType")), url=as_text(file.get("fileUri")))
    if isinstance(part.get("text"), str):
        text = part["text"]
        if not text.strip():
            return None
        return Reasoning(text) if part.get("thought") is True else Text(text)
    if isinstance(part.get("thought"), str):
        return Reasoning(part["thought"]) if part["thought"].strip() else None
    if not part or set(part) <= {"thoughtSignature", "text", "thought"}:
        return None
    return _unknown(next(iter(part)), part, coverage)


def _response(response: dict[str, Any], coverage: Coverage) -> ToolResult:
    """A ``functionResponse``: output, error, or any object; pictures ride in ``parts``."""
    said = response.get("response")
    failed: bool | None = None
    content: list[Block] = []
    if isinstance(said, dict) and set(said) <= {"output", "error", "content"}:
        failed = bool(said.get("error")) if "error" in said else None
        for key in ("output", "error", "content"):
            value = said.get(key)
            if isinstance(value, list):
                content.extend(blocks(value, coverage))
            elif as_text(value).strip():
                content.append(Text(as_text(value)))
    elif said is not None and said != {}:
        content.append(Text(as_text(said)))
    content.extend(blocks(response.get("parts"), coverage))
    return ToolResult(as_text(response.get("id")), content, is_error=failed)


def _unknown(kind: str, value: Any, coverage: Coverage) -> Raw:
    key = f"part {kind}"
    coverage.unknown[key] = coverage.unknown.get(key, 0) + 1
    return Raw(kind, value)
