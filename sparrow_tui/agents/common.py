"""Small conversions that several agents' modules share."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from sparrow_tui.model import Block, Image, Raw, Reasoning, Text, ToolResult, ToolUse
from sparrow_tui.sanitize import clean_line
from sparrow_tui.titles import unmarked

TITLE_LIMIT = 200
COUNT_LIMIT = 1 << 53
"""Counts beyond this are none: sums must fit 64 bits."""


def milliseconds(value: Any) -> int | None:
    """A time of any usual kind as milliseconds since the epoch, or ``None``.

    Takes ISO 8601 (without zone: UTC) and epoch seconds, milliseconds, micro- or nanoseconds,
    told apart by their size.
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            try:
                value = float(text)
            except ValueError:
                return None
        else:
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=UTC)
            try:
                return int(moment.timestamp() * 1000 + 0.5)
            except (OverflowError, ValueError):
                return None
    if isinstance(value, int | float) and math.isfinite(value) and value > 0:
        for limit, factor in ((1e11, 1000.0), (1e14, 1.0), (1e17, 1e-3), (1e20, 1e-6)):
            if value < limit:
                return int(value * factor)
    return None


def micro_dollars(value: Any) -> int | None:
    """Dollars as a number or numeric text → integer micro-dollars."""
    try:
        amount = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return round(amount * 1_000_000) if 0 <= amount < 1e9 else None


def whole(value: Any) -> int:
    """A token count: a non-negative integer, 0 for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < COUNT_LIMIT:
        return 0
    return int(value)


def as_text(value: Any) -> str:
    """Any JSON value as text: strings as they are, ``None`` empty, the rest as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    try:
        return msgspec.json.encode(value).decode("utf-8", errors="replace")
    except (ValueError, OverflowError):
        # Halves of surrogate pairs, integers of any length: the standard library takes them.
        import json

        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def copy_mark(path: Path) -> str:
    """What the name of a copy has more than the original's beside it (``.a1b2c3``), or nothing.

    Both name the same session inside; with the mark they are two.
    """
    _, dot, more = path.stem.rpartition("_")[2].partition(".")
    return dot + more


_MARKER = re.compile(r"<[^<>]*>|\[\[[^\[\]]*\]\]|\{\{[^{}]*\}\}|@?\[[^\[\]]*\]:|```\w*")
_REQUEST = re.compile(r"^## My request for Codex:\s*$", re.MULTILINE)
"""Where the person's words begin in a prompt that an editor put context before."""


def title_of(text: str) -> str:
    """A session title from a prompt: its first line with words of its own, in one line.

    Lines that are only a tag or a field's marker (``<context>``, ``[[ ## query ## ]]``) name
    what follows them; they are the title only if nothing follows. A line that ends in a colon
    takes the next one along.
    """
    request = _REQUEST.split(text[-100_000:], maxsplit=1)
    if len(request) == 2 and request[1].strip():
        text = request[1]
    otherwise = found = ""
    for line in text.splitlines():
        if not any(character.isalnum() for character in line):
            continue
        if _MARKER.fullmatch(line.strip()):
            otherwise = otherwise or line
            continue
        words = unmarked(line.strip().lstrip("#> ")).lstrip("#>*- ").strip() or line
        if found or not words.endswith(":"):
            return clean_line(f"{found} {words}" if found else words, TITLE_LIMIT)
        found = words
    return clean_line(found or otherwise or text, TITLE_LIMIT)


def json_or_text(value: Any) -> Any:
    """A JSON text (tool arguments) as the value it holds; anything else as it is."""
    if isinstance(value, str) and value[:1] in "{[":
        try:
            return msgspec.json.decode(value)
        except (msgspec.DecodeError, ValueError, UnicodeError, RecursionError):
            return value
    return value


def data_url(url: str) -> Image:
    """A picture from a ``data:`` URL, or one that only names its address."""
    if url.startswith("data:"):
        head, _, data = url.partition(",")
        media_type = head[5:].partition(";")[0]
        return Image(media_type=media_type, data=data, size=len(data) * 3 // 4)
    return Image(url=url)


def anthropic_image(source: Any) -> Image:
    """The ``source`` of an Anthropic image block."""
    if not isinstance(source, dict):
        return Image()
    if source.get("type") == "url":
        return data_url(str(source.get("url") or ""))
    data = str(source.get("data") or "")
    return Image(media_type=str(source.get("media_type") or ""), data=data, size=len(data) * 3 // 4)


def anthropic_blocks(content: Any) -> list[Block]:
    """Blocks of an Anthropic ``content`` (a string or a list); unknown kinds become `Raw`."""
    if isinstance(content, str):
        return [Text(content)] if content.strip() else []
    if isinstance(content, dict):
        content = [content]
    if not isinstance(content, list):
        return [Raw("content", content)] if content is not None else []
    blocks: list[Block] = []
    for part in content:
        if isinstance(part, str):
            if part.strip():
                blocks.append(Text(part))
        elif isinstance(part, dict):
            block = anthropic_block(part)
            if block is not None:
                blocks.append(block)
        else:
            blocks.append(Raw("content", part))
    return blocks


def anthropic_block(part: dict[str, Any]) -> Block | None:
    """One Anthropic content block; ``None`` for one with nothing in it."""
    kind = str(part.get("type") or "")
    if kind == "text":
        text = as_text(part.get("text"))
        return Text(text) if text.strip() else None
    if kind == "thinking" or kind == "reasoning":
        text = as_text(part.get("thinking") or part.get("text"))
        return Reasoning(text) if text.strip() else None
    if kind == "redacted_thinking":
        return None
    if kind == "image":
        return anthropic_image(part.get("source"))
    if kind in ("tool_use", "server_tool_use", "mcp_tool_use"):
        return ToolUse(str(part.get("id") or ""), str(part.get("name") or ""), part.get("input"))
    if kind == "tool_result" or kind.endswith("_tool_result"):
        error = part.get("is_error")
        return ToolResult(
            str(part.get("tool_use_id") or part.get("toolUseID") or ""),
            anthropic_blocks(part.get("content")),
            is_error=error if isinstance(error, bool) else None,
        )
    if kind == "document":
        return _document(part)
    if kind == "tool_reference":
        return Text(as_text(part.get("tool_name")))
    if kind == "web_search_result":
        return Text("\n".join(as_text(part[key]) for key in ("title", "url") if part.get(key)))
    return Raw(kind or "block", part)


def _document(part: dict[str, Any]) -> Block:
    """An uploaded document: text as text, anything else (PDF) as an attachment."""
    name, source = as_text(part.get("title")), part.get("source")
    if isinstance(source, dict) and source.get("type") == "text":
        return Text(f"[{name or 'document'}]\n{as_text(source.get('data'))}")
    if not isinstance(source, dict) or source.get("type") not in ("base64", "url"):
        return Raw("document", part)
    kept = anthropic_image(source)
    kept.media_type, kept.url = kept.media_type or "document", kept.url or name
    return kept
