"""Cline's messages as it sends them to the model: tasks without a display log, CLI sessions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sparrow_tui.agents.cline_messages import project_in
from sparrow_tui.agents.cline_results import headed
from sparrow_tui.agents.common import anthropic_blocks, as_text, micro_dollars, milliseconds, whole
from sparrow_tui.agents.injected import user_turns
from sparrow_tui.agents.line_session import WRONG_SHAPE, count_unknown, some
from sparrow_tui.model import (
    Block,
    Coverage,
    Image,
    Notice,
    Raw,
    Reasoning,
    SessionInfo,
    Text,
    Turn,
    Usage,
)

_WRAPPED = re.compile(
    r"\s*<(task|user_message|feedback|answer|user_input)(?:\s[^>]*)?>\s*(.*?)\s*</\1>\s*",
    re.DOTALL,
)


def request_turns(messages: list[Any], info: SessionInfo, coverage: Coverage) -> Iterator[Turn]:
    """The turns of Anthropic messages with Cline's additions.

    Args:
        messages: ``{role, content, ts, modelInfo, metrics}`` each.
        info: filled in with times, model and project on the way.
        coverage: one record a message.
    """
    for message in messages:
        coverage.records += 1
        try:
            turns = _turns(message, info, coverage)
        except WRONG_SHAPE:
            coverage.bad += 1
            continue
        coverage.kept += bool(turns)
        coverage.skipped += not turns
        yield from turns


def _turns(message: dict[str, Any], info: SessionInfo, coverage: Coverage) -> list[Turn]:
    time = milliseconds(message.get("ts") or message.get("createdAt"))
    if time is not None:
        info.created_at = info.created_at or time
        info.updated_at = max(time, info.updated_at or time)
    blocks = _blocks(message.get("content"))
    for block in blocks:
        if isinstance(block, Raw):
            count_unknown(coverage, f"block {block.kind}")
    thought = as_text(message.get("reasoning_content"))
    if thought.strip() and not any(isinstance(block, Reasoning) for block in blocks):
        blocks.insert(0, Reasoning(thought))
    role = as_text(message.get("role"))
    uid = as_text(message.get("id"))
    if role == "user" and message.get("isSummary") is True:
        return [Turn(role="summary", blocks=[Notice("compaction"), *blocks], time=time, uid=uid)]
    if role == "user":
        for block in blocks:
            if isinstance(block, Text):
                info.project = info.project or project_in(block.text)
                if match := _WRAPPED.fullmatch(block.text):
                    block.text = match[2]
        kept = [block for block, _, _ in headed(blocks)]
        return user_turns(kept, time=time, uid=uid) if kept else []
    if role not in ("assistant", "system"):
        count_unknown(coverage, f"role {role}")
        return [Turn(role="system", blocks=[Raw(f"role {role}", message)], time=time, meta=True)]
    turn = Turn(role=role, blocks=blocks, time=time, uid=uid)
    model = message.get("modelInfo")
    if isinstance(model, dict) and role == "assistant":
        turn.model = as_text(model.get("modelId") or model.get("id"))
        info.model = turn.model or info.model
    _measure(turn, message.get("metrics"))
    return [turn] if blocks or turn.usage else []


def _measure(turn: Turn, metrics: Any) -> None:
    """Tokens and cost, under the names of the extension or of the CLI."""
    if not isinstance(metrics, dict):
        return
    tokens = metrics.get("tokens")
    if isinstance(tokens, dict):
        turn.usage = some(
            Usage(
                input=whole(tokens.get("prompt")),
                output=whole(tokens.get("completion")),
                cache_read=whole(tokens.get("cached")),
            )
        )
    else:
        read, written = (
            whole(metrics.get("cacheReadTokens")),
            whole(metrics.get("cacheWriteTokens")),
        )
        fresh = whole(metrics.get("inputTokens"))
        # The CLI counts cached tokens among the input.
        fresh -= read + written if fresh >= read + written else 0
        turn.usage = some(Usage(fresh, whole(metrics.get("outputTokens")), read, written))
    turn.cost_micro = micro_dollars(metrics.get("cost")) or None


def _blocks(content: Any) -> list[Block]:
    """Blocks of a ``content``, those the CLI writes in a form of its own included."""
    if not isinstance(content, list):
        return anthropic_blocks(content)
    blocks: list[Block] = []
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else ""
        if kind == "image" and isinstance(part.get("data"), str):
            data = part["data"]
            media_type = as_text(part.get("mediaType") or part.get("media_type"))
            blocks.append(Image(media_type=media_type, data=data, size=len(data) * 3 // 4))
        elif kind in ("file", "document"):
            blocks.append(
                Image(media_type=kind, url=as_text(part.get("path") or part.get("title")))
            )
        else:
            blocks.extend(anthropic_blocks([part]))
    return blocks
