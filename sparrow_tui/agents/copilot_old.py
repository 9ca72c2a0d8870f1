"""Copilot CLI's sessions of 2025: one JSON document each, told twice inside.

``timeline`` is what the terminal showed, with times and what became of each call; beside it
``chatMessages`` is what the API was sent, with reminders added to the prompts.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sparrow_tui.agents.base import Batch, SourceError
from sparrow_tui.agents.by_session import cut
from sparrow_tui.agents.common import as_text, json_or_text, milliseconds
from sparrow_tui.agents.documents import load
from sparrow_tui.model import (
    Block,
    Coverage,
    Notice,
    Raw,
    SessionInfo,
    Text,
    ToolResult,
    ToolUse,
    Turn,
)

_NOTICES = {"info": "info", "warning": "info", "error": "error"}


def read(path: Path) -> Iterator[Batch]:
    """A document's session.

    Raises:
        SourceError: it cannot be read or is no session.
    """
    document, _ = load(path)
    messages = document.get("chatMessages") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(messages, list):
        raise SourceError("it is not a session")
    coverage = Coverage()
    info = SessionInfo(
        id=f"copilot:{as_text(document.get('sessionId')) or path.stem}",
        created_at=milliseconds(document.get("startTime")),
        model=as_text(document.get("selectedModel")) or None,
    )
    timeline = document.get("timeline")
    if isinstance(timeline, list) and _prompts(timeline, "type") >= _prompts(messages, "role"):
        coverage.records = coverage.skipped = len(messages)
        yield from cut(info, _timeline(timeline, info, coverage), coverage)
    else:
        yield from cut(info, _messages(messages, info.created_at, coverage), coverage)


def _prompts(entries: list[Any], key: str) -> int:
    return sum(isinstance(entry, dict) and entry.get(key) == "user" for entry in entries)


def _timeline(entries: list[Any], info: SessionInfo, coverage: Coverage) -> Iterator[Turn]:
    """Entries of the timeline as turns."""
    called: set[str] = set()
    for entry in entries:
        coverage.records += 1
        if not isinstance(entry, dict):
            coverage.bad += 1
            continue
        kind, moment = as_text(entry.get("type")), milliseconds(entry.get("timestamp"))
        if moment:
            info.updated_at = max(info.updated_at or 0, moment)
        turn = Turn(role="system", blocks=[], time=moment, uid=as_text(entry.get("id")))
        said = as_text(entry.get("text"))
        turns = [turn]
        if kind in ("user", "copilot"):
            turn.role = "user" if kind == "user" else "assistant"
            turn.blocks = [Text(said)] if said.strip() else []
        elif kind in _NOTICES:
            turn.blocks = [Notice(_NOTICES[kind], said)] if said.strip() else []
            turn.api_error = said.startswith("Model call failed")
        elif kind.startswith("tool_call_"):
            turns = _call(turn, entry, called)
        else:
            coverage.unknown[kind] = coverage.unknown.get(kind, 0) + 1
            turn.blocks = [Raw(kind or "entry", entry)]
        turns = [each for each in turns if each.blocks]
        coverage.kept += bool(turns)
        coverage.skipped += not turns
        yield from turns


def _call(turn: Turn, entry: dict[str, Any], called: set[str]) -> list[Turn]:
    """A call, unless an entry before told it, and once it is done what came of it."""
    call = as_text(entry.get("callId"))
    turn.role = "assistant"
    if call not in called:
        turn.blocks = [ToolUse(call, as_text(entry.get("name")), entry.get("arguments"))]
    called.add(call)
    result = entry.get("result")
    if result is None:
        return [turn]
    result = result if isinstance(result, dict) else {"log": result}
    log = as_text(result.get("log"))
    answer = ToolResult(
        call,
        [Text(log)] if log.strip() else [],
        is_error=result.get("type", "success") != "success",
    )
    return [turn, Turn(role="tool", blocks=[answer], time=turn.time)]


def _messages(messages: list[Any], begun: int | None, coverage: Coverage) -> Iterator[Turn]:
    """Chat-completion messages as turns; they carry no times of their own."""
    for message in messages:
        coverage.records += 1
        if not isinstance(message, dict):
            coverage.bad += 1
            continue
        role = as_text(message.get("role"))
        blocks: list[Block] = []
        content = message.get("content")
        for part in content if isinstance(content, list) else [content]:
            text = part.get("text") if isinstance(part, dict) else part
            if isinstance(text, str) and text.strip():
                blocks.append(Text(text))
            elif part is not None and not isinstance(text, str):
                blocks.append(Raw("content", part))
        if role == "tool":
            blocks = [ToolResult(as_text(message.get("tool_call_id")), blocks)]
        calls = message.get("tool_calls")
        for call in calls if isinstance(calls, list) else []:
            function = call.get("function") if isinstance(call, dict) else None
            if isinstance(function, dict):
                blocks.append(
                    ToolUse(
                        as_text(call.get("id")),
                        as_text(function.get("name")),
                        json_or_text(function.get("arguments")),
                    )
                )
        if role == "system" or not blocks:
            coverage.skipped += 1
            continue
        coverage.kept += 1
        known = role in ("user", "assistant", "tool")
        yield Turn(role=role if known else "system", blocks=blocks, time=begun)
