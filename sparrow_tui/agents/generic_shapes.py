"""Shapes of chat files that no program owns: which one a JSON value is, and its messages."""

from __future__ import annotations

import re
from typing import Any

from sparrow_tui.agents.common import as_text, json_or_text
from sparrow_tui.agents.injected import user_turns
from sparrow_tui.agents.openai_messages import ROLES, Unknown, turn_of, usage_of
from sparrow_tui.model import Block, Notice, Raw, Reasoning, Text, ToolResult, ToolUse, Turn

SPEAKERS = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "system": "system",
    "function_call": "assistant",
    "observation": "tool",
    "tool": "tool",
}
"""Who speaks in ``{from, value}`` messages, by the names data sets use."""
_STREAM = ("system", "assistant", "user", "result")
_CUT = re.compile(
    rb'"messages"\s*:\s*\[\s*\{\s*"(?:role"\s*:\s*"(?:system|developer|user|assistant|tool)'
    rb'"|content"\s*:)'
    rb'|^\s*\[\s*\{\s*"role"\s*:\s*"(?:system|developer|user|assistant)"\s*,\s*"content"\s*:'
)
"""The beginning of a document that is longer than what one looks at."""


def shape(value: Any) -> str:
    """What a record is: ``conversation``, ``message``, ``stream``, ``item``, or nothing known."""
    if not isinstance(value, dict):
        return ""
    if is_message(value):
        return "message"
    if messages_of(value) is not None or answers_of(value):
        return "conversation"
    kind = value.get("type")
    if kind in _STREAM and isinstance(value.get("session_id"), str):
        told = isinstance(value.get("message"), dict) or kind == "result"
        return "stream" if told or value.get("subtype") == "init" else ""
    return "item" if _is_item(value) else ""


def _is_item(value: Any) -> bool:
    """Whether a value is an item of OpenAI's Responses interface."""
    if not isinstance(value, dict):
        return False
    kind = value.get("type")
    if kind == "message":
        return _has(value, "role", ROLES) and isinstance(value.get("content"), list)
    if kind in ("function_call", "function_call_output"):
        return isinstance(value.get("call_id"), str)
    return kind == "reasoning" and isinstance(value.get("summary"), list)


def looks_cut(head: bytes) -> bool:
    """Whether a document that breaks off after ``head`` begins like a chat."""
    return _CUT.search(head) is not None


def is_message(value: Any) -> bool:
    """Whether a value is a chat message: a known role, and content or calls."""
    if not isinstance(value, dict) or not _has(value, "role", ROLES) or "type" in value:
        # Anthropic's answers have a type; they stand inside of something else or say "message".
        return _is_answer(value)
    if isinstance(value.get("tool_calls"), list) or isinstance(value.get("function_call"), dict):
        return True
    return "content" in value and isinstance(value["content"], str | list)


def _has(value: dict[str, Any], key: str, names: dict[str, str]) -> bool:
    name = value.get(key)
    return isinstance(name, str) and name in names


def _is_answer(value: Any) -> bool:
    """Whether a value is a whole answer of Anthropic's interface."""
    return (
        isinstance(value, dict)
        and value.get("type") == "message"
        and value.get("role") == "assistant"
        and isinstance(value.get("content"), list)
        and isinstance(value.get("usage"), dict)
    )


def messages_of(value: dict[str, Any]) -> list[Any] | None:
    """The messages of a conversation, the system prompt and the answer included."""
    for holder in _holders(value):
        messages = holder.get("messages")
        if isinstance(messages, list) and messages and is_message(messages[0]):
            system = holder.get("system")
            first = [{"role": "system", "content": system}] if system else []
            return [*first, *messages, *answers_of(value)]
        said = holder.get("conversations")
        if isinstance(said, list) and said and _is_said(said[0]):
            return said
        asked = holder.get("input")
        if isinstance(asked, str) and asked.strip() and _output_of(value):
            asked = [{"role": "user", "content": asked}]
        if isinstance(asked, list) and asked and (is_message(asked[0]) or _is_item(asked[0])):
            system = holder.get("instructions")
            first = [{"role": "system", "content": system}] if isinstance(system, str) else []
            return [*first, *asked, *answers_of(value)]
    return None


def _holders(value: dict[str, Any]) -> list[dict[str, Any]]:
    """Where a request may stand: at the top, in a batch's line, in a log of requests."""
    found = [value]
    for key in ("body", "params", "request", "input", "kwargs"):
        inner = value.get(key)
        if isinstance(inner, dict):
            found.append(inner)
            if isinstance(inner.get("body"), dict):
                found.append(inner["body"])
    return found


def _is_said(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and _has(value, "from", SPEAKERS)
        and isinstance(value.get("value"), str)
    )


def answers_of(value: dict[str, Any]) -> list[Any]:
    """The answer to a request as messages or items; why there is none, if it failed."""
    answer = _answer_of(value)
    if answer is not None:
        return [answer]
    output = _output_of(value)
    if output:
        return output
    failed = _failure_of(value)
    return [{"type": "error", "message": failed}] if failed else []


def _responses(value: dict[str, Any]) -> list[dict[str, Any]]:
    """Where an answer may stand: in a batch's line, in a log of requests, at the top."""
    response = value.get("response", value.get("result"))
    response = response if isinstance(response, dict) else value
    found = (response, response.get("body"), response.get("message"))
    return [holder for holder in found if isinstance(holder, dict)]


def _output_of(value: dict[str, Any]) -> list[Any]:
    """The items of a response of OpenAI's Responses interface; the last message has its usage."""
    for holder in _responses(value):
        output = holder.get("output")
        if not isinstance(output, list) or not any(map(_is_item, output)):
            continue
        items, facts = list(output), {"model": holder.get("model"), "usage": holder.get("usage")}
        for at in reversed(range(len(items))):
            if isinstance(items[at], dict) and items[at].get("type") == "message":
                items[at] = {**facts, "created_at": holder.get("created_at"), **items[at]}
                break
        return items
    return []


def _failure_of(value: dict[str, Any]) -> str:
    """Why a request of a batch (it has a ``custom_id``) failed; empty if it did not."""
    if not isinstance(value.get("custom_id"), str):
        return ""
    for holder in (*_responses(value), value):
        error = holder.get("error")
        while isinstance(error, dict) and isinstance(error.get("error"), dict):
            error = error["error"]
        if isinstance(error, dict):
            return as_text(error.get("message") or error.get("type") or error.get("code"))
        if holder.get("type") in ("canceled", "expired"):
            return as_text(holder["type"])
    return ""


def _answer_of(value: dict[str, Any]) -> dict[str, Any] | None:
    """The answer to a request, with the model and usage that came with it."""
    for holder in _responses(value):
        if _is_answer(holder):
            return holder
        choices = holder.get("choices")
        first = choices[0] if isinstance(choices, list) and choices else None
        message = first.get("message") if isinstance(first, dict) else None
        if isinstance(message, dict) and is_message(message):
            facts = {"model": holder.get("model"), "usage": holder.get("usage")}
            return {**facts, "created_at": holder.get("created"), **message}
    return None


def turns_of(message: Any, unknown: Unknown) -> list[Turn]:
    """The turns of a message or a Responses item; none if there is nothing in it.

    Raises:
        TypeError and its kin: it is no message.
    """
    if not isinstance(message, dict):
        raise TypeError("a message is an object")
    if "from" in message and "role" not in message:
        message = _said(message)
    kind = message.get("type")
    if isinstance(kind, str) and kind != "message":
        return _item(kind, message, unknown)
    content = message.get("content")
    if isinstance(content, list):
        message = {**message, "content": [_part(part) for part in content]}
    turn = turn_of(message, unknown)
    if turn is None:
        return []
    usage = usage_of(message.get("usage"))
    if turn.role == "assistant":
        turn.usage = usage
    turn.meta = turn.meta or turn.role == "system"
    if turn.role == "user":
        return user_turns(turn.blocks, time=turn.time, uid=turn.uid)
    return [turn]


def _said(message: dict[str, Any]) -> dict[str, Any]:
    """A ``{from, value}`` message in OpenAI's form."""
    speaker = as_text(message.get("from"))
    role = SPEAKERS.get(speaker, speaker)
    if speaker == "function_call":
        call = json_or_text(message.get("value"))
        return {"role": role, "tool_calls": [call if isinstance(call, dict) else {"name": call}]}
    return {"role": role, "content": message.get("value")}


def _part(part: Any) -> Any:
    """A document as a text or a file that is only named; other parts as they are."""
    if not isinstance(part, dict) or part.get("type") != "document":
        return part
    source = part.get("source")
    if isinstance(source, dict) and source.get("type") == "text":
        return {"type": "text", "text": as_text(source.get("data"))}
    name = part.get("title") or (source.get("url") if isinstance(source, dict) else "")
    return {"type": "file", "name": as_text(name) or "document"}


def _item(kind: str, item: dict[str, Any], unknown: Unknown) -> list[Turn]:
    """An item of OpenAI's Responses interface that is not a message."""
    pair = as_text(item.get("call_id") or item.get("id"))
    uid = as_text(item.get("id"))
    if kind in ("function_call", "custom_tool_call"):
        given = json_or_text(item.get("arguments", item.get("input")))
        use = ToolUse(pair, as_text(item.get("name")), given)
        return [Turn(role="assistant", blocks=[use], uid=uid)]
    if kind in ("function_call_output", "custom_tool_call_output"):
        output = item.get("output")
        result = ToolResult(pair)
        for part in output if isinstance(output, list) else [output]:
            text = part.get("text") if isinstance(part, dict) else part
            if as_text(text).strip():
                result.content.append(Text(as_text(text)))
        return [Turn(role="tool", blocks=[result], uid=uid)]
    if kind == "reasoning":
        parts = [*_list(item.get("summary")), *_list(item.get("content"))]
        blocks: list[Block] = [
            Reasoning(as_text(part.get("text")))
            for part in parts
            if isinstance(part, dict) and as_text(part.get("text")).strip()
        ]
        return [Turn(role="assistant", blocks=blocks, uid=uid)] if blocks else []
    if kind == "error":
        words = [Notice("error", as_text(item.get("message")))]
        return [Turn(role="system", blocks=[*words], api_error=True)]
    if kind.endswith("_call"):
        rest = {key: value for key, value in item.items() if key not in ("type", "id", "status")}
        return [Turn(role="assistant", blocks=[ToolUse(pair, kind, rest)], uid=uid)]
    unknown(f"item {kind}")
    return [Turn(role="system", blocks=[Raw(f"item {kind}", item)], meta=True)]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
