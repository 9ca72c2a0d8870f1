"""What single messages of Cline's and Roo Code's display log say: words, calls, answers, files."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

from sparrow_tui.agents.common import as_text, data_url, json_or_text
from sparrow_tui.model import Block, Image, Text

ANSWERED = {
    "command_output": "command",
    "mcp_server_response": "use_mcp_server",
    "subtask_result": "newTask",
    "codebase_search_result": "codebaseSearch",
    "subagent": "use_subagents",
}
"""Messages that answer a call, and the kind of call they answer; the rest are the browser's."""


def call_of(kind: str, text: str, value: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A call's tool and what it was given.

    Args:
        kind: of the message.
        text: of the message.
        value: the JSON object in the text, if it is one.
    """
    if kind == "tool":
        given = {key: inner for key, inner in value.items() if key != "tool"}
        return as_text(value.get("tool")) or "tool", given
    if kind == "command":
        return "execute_command", {"command": text}
    if kind == "use_mcp_server":
        names = (as_text(value.get(key)) for key in ("serverName", "toolName") if value.get(key))
        keys = [key for key in ("arguments", "uri") if value.get(key)]
        return ".".join(names), {key: json_or_text(value[key]) for key in keys}
    return kind, value or {"url" if kind == "browser_action_launch" else "text": text}


def answer_blocks(kind: str, text: str, value: dict[str, Any]) -> list[Block]:
    """What a tool said; nothing while a sub-agent still runs."""
    if kind == "browser_action_result" and value:
        blocks: list[Block] = [
            Text(as_text(value[key])) for key in ("currentUrl", "logs") if value.get(key)
        ]
        if as_text(value.get("screenshot")):
            blocks.append(data_url(as_text(value["screenshot"])))
        return blocks
    if kind == "subagent":
        items = value.get("items") if value.get("status") != "running" else None
        return [
            Text(as_text(item.get("result") or item.get("error")))
            for item in (items if isinstance(items, list) else [])
            if isinstance(item, dict)
        ]
    return [Text(text)] if text.strip() else []


def words_of(kind: str, value: dict[str, Any], text: str) -> str:
    """What the model says: a question with its options, a plan, plain text."""
    if not value or kind in ("text", "completion_result"):
        return text
    words = as_text(value.get("question") or value.get("response") or value.get("context"))
    options = value.get("options") or value.get("suggest")
    for option in options if isinstance(options, list) else []:
        answer = option.get("answer") if isinstance(option, dict) else option
        words += f"\n- {as_text(answer)}"
    return words or text


def attached(message: dict[str, Any]) -> list[Block]:
    """Pictures (``data:`` URLs) and names of files that came with a message."""
    images, files = message.get("images"), message.get("files")
    blocks: list[Block] = [data_url(as_text(i)) for i in images] if isinstance(images, list) else []
    for name in files if isinstance(files, list) else []:
        blocks.append(Image(media_type="file", url=as_text(name)))
    return blocks


def table_of(text: str) -> dict[str, Any]:
    """The JSON object a message's text holds; an empty one if it holds none."""
    value = json_or_text(text)
    return value if isinstance(value, dict) else {}


def finished(messages: list[Any]) -> Iterator[Any]:
    """Messages, what was left in the making as if it were whole.

    A message is replaced while it grows. One of the model's that is still partial was broken
    off, unless a whole one of its kind begins with the same words.
    """
    whole = sorted(
        (as_text(message.get("say")), as_text(message.get("text")))
        for message in messages
        if isinstance(message, dict) and not message.get("partial")
    )
    for message in messages:
        if isinstance(message, dict) and message.get("partial") is True:
            kind, text = as_text(message.get("say")), as_text(message.get("text"))
            at = bisect_left(whole, (kind, text))
            grown = at < len(whole) and whole[at][0] == kind and whole[at][1].startswith(text)
            if kind in ("text", "reasoning") and not grown:
                message = {**message, "partial": False}
        yield message
