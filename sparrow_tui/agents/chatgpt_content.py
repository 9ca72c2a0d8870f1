"""ChatGPT's messages: some ten content types, made into turns."""

from __future__ import annotations

import re
from typing import Any

from sparrow_tui.agents.common import as_text, json_or_text, milliseconds, whole
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

_ROLES = {"user": "user", "assistant": "assistant", "system": "system", "tool": "tool"}
_TEXTS = {
    "tether_quote", "tether_browsing_display", "execution_output", "system_error",
    "tether_browsing_code", "computer_output", "sonic_webpage",
}  # fmt: skip

_MARK = re.compile("[ ]?\ue200[^\ue201]*\ue201")
"""A reference inside an answer (``cite``, ``image_group``…), which the website shows as a chip."""


def message_turn(message: dict[str, Any], coverage: Coverage) -> Turn | None:
    """A message as a turn; ``None`` if nothing is in it.

    An assistant's message to a recipient other than all is a call of that tool. What a tool
    says does not name its call: the result gets the tool's name for an id.

    Args:
        message: a node's ``message``.
        coverage: unknown kinds are counted there.
    """
    author = message.get("author")
    author = author if isinstance(author, dict) else {}
    role = as_text(author.get("role"))
    metadata = message.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    content = message.get("content")
    blocks = _blocks(content if isinstance(content, dict) else {"parts": [content]}, coverage)
    if role == "assistant":
        blocks = _referenced(blocks, metadata.get("content_references"))
    blocks += _attached(metadata.get("attachments"), blocks)
    if not blocks:
        return None
    if role not in _ROLES:
        count_unknown(coverage, f"role {role}")
    recipient = as_text(message.get("recipient")) or "all"
    native = as_text(message.get("id"))
    turn = Turn(
        role=_ROLES.get(role, "system"),
        blocks=blocks,
        time=milliseconds(message.get("create_time")),
        model=as_text(metadata.get("model_slug")) if role == "assistant" else "",
        uid=native,
    )
    hidden = metadata.get("is_visually_hidden_from_conversation") is True
    turn.meta = hidden or turn.role == "system" or _type(content) == "user_editable_context"
    if role == "assistant" and recipient != "all":
        turn.blocks = _call(native, recipient, blocks)
    elif role == "tool":
        error = _type(content) == "system_error" or None
        turn.blocks = [ToolResult(as_text(author.get("name")), blocks, is_error=error)]
    if as_text(message.get("status")) == "finished_partial_completion":
        turn.blocks = [*turn.blocks, Notice("interruption")]
    return turn


def _referenced(blocks: list[Block], references: Any) -> list[Block]:
    """An answer's texts with its references as links; those that have none go."""
    links: dict[str, str] = {}
    for reference in references if isinstance(references, list) else []:
        if isinstance(reference, dict) and as_text(reference.get("matched_text")).strip():
            links[as_text(reference["matched_text"])] = as_text(reference.get("alt"))
    for block in blocks:
        if isinstance(block, Text) and "\ue200" in block.text:
            for mark, link in links.items():
                block.text = block.text.replace(mark, link)
            block.text = _MARK.sub("", block.text)
    return [block for block in blocks if not isinstance(block, Text) or block.text.strip()]


def _attached(attachments: Any, blocks: list[Block]) -> list[Block]:
    """Names of the files given with a message; pictures stand among its parts already."""
    shown = "\n".join(block.url for block in blocks if isinstance(block, Image))
    found: list[Block] = []
    for file in attachments if isinstance(attachments, list) else []:
        key = as_text(file.get("id")) if isinstance(file, dict) else ""
        if isinstance(file, dict) and as_text(file.get("name")) and not (key and key in shown):
            media_type = as_text(file.get("mime_type") or file.get("mimeType")) or "file"
            name, size = as_text(file["name"]), whole(file.get("size"))
            found.append(Image(media_type=media_type, url=name, size=size))
    return found


def _type(content: Any) -> str:
    return as_text(content.get("content_type")) if isinstance(content, dict) else ""


def _call(native: str, recipient: str, blocks: list[Block]) -> list[Block]:
    """What was said to a tool as a call of it; reasoning stays before it."""
    said = "\n".join(block.text for block in blocks if isinstance(block, Text))
    rest = [block for block in blocks if not isinstance(block, Text)]
    return [*rest, ToolUse(native, recipient, json_or_text(said))]


def _blocks(content: dict[str, Any], coverage: Coverage) -> list[Block]:
    kind = _type(content) or "text"
    if kind in ("text", "multimodal_text"):
        parts = content.get("parts")
        listed = parts if isinstance(parts, list) else [content.get("text")]
        return [block for part in listed for block in _part(part, coverage)]
    if kind == "code":
        return _text(content.get("text"))
    if kind in _TEXTS:
        pieces = (content.get("title"), content.get("text") or content.get("result"))
        words = "\n".join(filter(None, map(as_text, pieces)))
        return _text(words)
    if kind == "thoughts":
        thoughts = content.get("thoughts")
        found: list[Block] = []
        for thought in thoughts if isinstance(thoughts, list) else []:
            if isinstance(thought, dict):
                pieces = (thought.get("summary"), thought.get("content"))
                words = "\n".join(filter(None, map(as_text, pieces)))
                found.extend([Reasoning(words)] if words.strip() else [])
        return found
    if kind == "reasoning_recap":
        return [Notice("info", as_text(content.get("content")))] if content.get("content") else []
    if kind in ("user_editable_context", "model_editable_context"):
        keys = ("user_profile", "user_instructions", "model_set_context")
        return _text("\n\n".join(filter(None, (as_text(content.get(key)) for key in keys))))
    count_unknown(coverage, f"content {kind}")
    return [Raw(f"content {kind}", content)]


def _part(part: Any, coverage: Coverage) -> list[Block]:
    if part is None or isinstance(part, str):
        return _text(part)
    if not isinstance(part, dict):
        count_unknown(coverage, "part")
        return [Raw("part", part)]
    kind = _type(part)
    if kind == "image_asset_pointer":
        size = part.get("size_bytes")
        address = as_text(part.get("asset_pointer"))
        return [Image(media_type="image", url=address, size=size if isinstance(size, int) else 0)]
    if kind == "audio_transcription":
        return _text(part.get("text"))
    if kind.endswith("asset_pointer"):
        inner = part.get("audio_asset_pointer")
        inner = inner if isinstance(inner, dict) else part
        return [Image(media_type="audio", url=as_text(inner.get("asset_pointer")))]
    if "text" in part:
        return _text(part.get("text"))
    count_unknown(coverage, f"part {kind}")
    return [Raw(f"part {kind}", part)]


def _text(value: Any) -> list[Block]:
    text = as_text(value)
    return [Text(text)] if text.strip() else []
