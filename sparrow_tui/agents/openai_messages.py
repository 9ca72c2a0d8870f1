"""Chat messages in OpenAI's form (also Vibe's, Kimi's): their content, tool calls and usage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sparrow_tui.agents.common import (
    anthropic_block,
    as_text,
    data_url,
    json_or_text,
    milliseconds,
    whole,
)
from sparrow_tui.model import Block, Image, Raw, Reasoning, Text, ToolResult, ToolUse, Turn, Usage

ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
Unknown = Callable[[str], None]
"""Told the kind of every block that is kept raw."""


def content_blocks(content: Any, unknown: Unknown) -> list[Block]:
    """Blocks of a ``content``: a string, ``None`` or a list of parts."""
    if content is None:
        return []
    if isinstance(content, str):
        return [Text(content)] if content.strip() else []
    parts = content if isinstance(content, list) else [content]
    blocks: list[Block] = []
    for part in parts:
        blocks.extend(_part(part, unknown))
    return blocks


def _part(part: Any, unknown: Unknown) -> list[Block]:
    if isinstance(part, str):
        return [Text(part)] if part.strip() else []
    if not isinstance(part, dict):
        unknown("part")
        return [Raw("part", part)]
    kind = as_text(part.get("type"))
    if kind in ("text", "input_text", "output_text", "refusal", "summary_text"):
        text = as_text(part.get("text") if kind != "refusal" else part.get("refusal"))
        return [Text(text)] if text.strip() else []
    if kind in ("think", "thinking", "reasoning"):
        text = as_text(part.get("think") or part.get("thinking") or part.get("text"))
        return [Reasoning(text)] if text.strip() else []
    if kind in ("image_url", "input_image"):
        address = part.get("image_url")
        url = address.get("url") if isinstance(address, dict) else address
        return [data_url(as_text(url))]
    if kind in ("input_audio", "audio_url", "video_url", "file", "input_file"):
        return [Image(media_type=kind, url=as_text(part.get("name") or part.get("filename")))]
    if not kind and isinstance(part.get("text"), str):
        return [Text(part["text"])]
    block = anthropic_block(part)
    if isinstance(block, Raw):
        unknown(f"block {kind}")
    return [] if block is None else [block]


def tool_uses(message: dict[str, Any]) -> list[Block]:
    """The calls of an assistant's message (``tool_calls``, or the older ``function_call``)."""
    uses: list[Block] = []
    calls = message.get("tool_calls") or message.get("toolCalls")
    for call in calls if isinstance(calls, list) else []:
        if not isinstance(call, dict):
            uses.append(Raw("tool_call", call))
            continue
        function = call.get("function") or call.get("custom")
        inner = function if isinstance(function, dict) else call
        arguments = inner.get("arguments", inner.get("input"))
        uses.append(
            ToolUse(as_text(call.get("id")), as_text(inner.get("name")), json_or_text(arguments))
        )
    call = message.get("function_call")
    if isinstance(call, dict):
        name = as_text(call.get("name"))
        uses.append(ToolUse(name, name, json_or_text(call.get("arguments"))))
    return uses


def turn_of(message: dict[str, Any], unknown: Unknown) -> Turn | None:
    """A message as a turn; ``None`` if there is nothing in it."""
    role = as_text(message.get("role"))
    if role not in ROLES:
        unknown(f"role {role}")
        return Turn(role="system", blocks=[Raw(f"role {role}", message)], meta=True)
    blocks: list[Block] = []
    thought = message.get("reasoning_content") or message.get("reasoning")
    if isinstance(thought, str) and thought.strip():
        blocks.append(Reasoning(thought))
    else:
        blocks.extend(_reasoned(message.get("reasoning_details")))
    blocks.extend(content_blocks(message.get("content"), unknown))
    if as_text(_dict(message.get("audio")).get("transcript")).strip():
        blocks.append(Text(as_text(message["audio"]["transcript"])))
    if isinstance(message.get("refusal"), str) and message["refusal"]:
        blocks.append(Text(message["refusal"]))
    if ROLES[role] == "tool":
        pair = as_text(message.get("tool_call_id") or message.get("name"))
        error = message.get("is_error")
        blocks = [ToolResult(pair, blocks, is_error=error if isinstance(error, bool) else None)]
    else:
        blocks.extend(tool_uses(message))
    if not blocks:
        return None
    results = [block for block in blocks if isinstance(block, ToolResult)]
    turn_role = "tool" if results and len(results) == len(blocks) else ROLES[role]
    when = message.get("timestamp") or message.get("created_at") or message.get("create_time")
    return Turn(
        role=turn_role,
        blocks=blocks,
        time=milliseconds(when),
        model=as_text(message.get("model")) if role == "assistant" else "",
        uid=as_text(message.get("message_id") or message.get("id")),
    )


def _reasoned(details: Any) -> list[Block]:
    """Reasoning in OpenRouter's parts: texts and summaries, the encrypted ones left out."""
    parts = details if isinstance(details, list) else []
    texts = [as_text(_dict(part).get("text") or _dict(part).get("summary")) for part in parts]
    return [Reasoning(text) for text in texts if text.strip()]


def usage_of(usage: Any) -> Usage | None:
    """OpenAI's or Anthropic's ``usage``; ``None`` if it counts nothing.

    OpenAI's prompt tokens include cached ones, Anthropic's input tokens do not.
    """
    if not isinstance(usage, dict):
        return None
    if "prompt_tokens" in usage or "completion_tokens" in usage:
        prompt_details = usage.get("prompt_tokens_details")
        cached = whole(_dict(prompt_details).get("cached_tokens"))
        found = Usage(
            input=max(0, whole(usage.get("prompt_tokens")) - cached),
            output=whole(usage.get("completion_tokens")),
            cache_read=cached,
            reasoning=whole(_dict(usage.get("completion_tokens_details")).get("reasoning_tokens")),
        )
    elif "input_tokens_details" in usage or "output_tokens_details" in usage:
        cached = whole(_dict(usage.get("input_tokens_details")).get("cached_tokens"))
        found = Usage(
            input=max(0, whole(usage.get("input_tokens")) - cached),
            output=whole(usage.get("output_tokens")),
            cache_read=cached,
            reasoning=whole(_dict(usage.get("output_tokens_details")).get("reasoning_tokens")),
        )
    else:
        found = Usage(
            input=whole(usage.get("input_tokens")),
            output=whole(usage.get("output_tokens")),
            cache_read=whole(usage.get("cache_read_input_tokens")),
            cache_write=whole(usage.get("cache_creation_input_tokens")),
        )
    return found if found.total else None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
