"""Sessions, turns and hits as JSON: the shapes scripts rely on. Documented in ``--help``.

Times are ISO 8601 in UTC with milliseconds; what is not known is ``null``. Keys may be added,
none is renamed or dropped within one ``schema``.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import msgspec

from sparrow_tui.model import Turn
from sparrow_tui.store.base import Hit, RecentInput, Session
from sparrow_tui.store.liveness import status_now

SCHEMA = 1


def time_form(moment: int | None) -> str | None:
    """Milliseconds since the epoch as ``2026-03-01T10:00:00.000Z``."""
    if moment is None:
        return None
    try:
        at = datetime.fromtimestamp(moment // 1000, UTC)
    except (OverflowError, OSError, ValueError):
        return None
    return f"{at:%Y-%m-%dT%H:%M:%S}.{moment % 1000:03}Z"


def session_form(session: Session) -> dict[str, Any]:
    """A session's facts."""
    usage = session.usage
    coverage = session.coverage
    return {
        "id": session.id,
        "agent": session.agent,
        "title": session.title,
        "project": session.project,
        "branch": session.branch,
        "model": session.model,
        "status": status_now(session, int(time.time() * 1000)),
        "created_at": time_form(session.created_at),
        "updated_at": time_form(session.updated_at),
        "turns": session.turns,
        "parent": session.parent,
        "input_tokens": usage.input,
        "output_tokens": usage.output,
        "cache_read_tokens": usage.cache_read,
        "cache_write_tokens": usage.cache_write,
        "tool_calls": session.tool_calls,
        "tool_errors": session.tool_errors,
        "cost_usd": _dollars(session.cost_micro),
        "reasoning_tokens": usage.reasoning,
        "unpriced_tokens": session.unpriced,
        "requests": session.requests,
        "request_errors": session.request_errors,
        "name": session.name,
        "pinned": session.pinned,
        "tags": list(session.tags),
        "source": session.source,
        "source_gone": session.source_gone,
        "expires_at": time_form(session.expires_at),
        "prompts_only": session.ghost,
        "records": coverage
        and {
            "in_source": coverage.records,
            "kept": coverage.kept,
            "skipped": coverage.skipped,
            "unknown": sum(coverage.unknown.values()),
            "bad": coverage.bad,
        },
    }


def turn_form(turn: Turn, index: int) -> dict[str, Any]:
    """A turn with its content blocks; a block's kind is in ``type``."""
    usage = turn.usage
    return {
        "turn": index,
        "role": turn.role,
        "time": time_form(turn.time),
        "blocks": [_block_form(block) for block in turn.blocks],
        "usage": None
        if usage is None
        else {
            "input_tokens": usage.input,
            "output_tokens": usage.output,
            "cache_read_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write,
            "reasoning_tokens": usage.reasoning,
        },
        "model": turn.model or None,
        "cost_usd": _dollars(turn.cost_micro),
        "duration_ms": turn.duration_ms,
        "meta": turn.meta,
        "taken_back": turn.branch,
    }


def hit_form(hit: Hit) -> dict[str, Any]:
    """A matching turn; ``turn`` is null where the session's title matched."""
    return {
        "session": hit.session,
        "turn": hit.turn if hit.turn >= 0 else None,
        "role": hit.role,
        "time": time_form(hit.time),
        "title": hit.title,
        "snippet": hit.snippet,
        "spans": [list(span) for span in hit.spans],
    }


def input_form(said: RecentInput) -> dict[str, Any]:
    """Something a person typed."""
    return {
        "text": said.text,
        "session": said.session,
        "turn": said.turn,
        "time": time_form(said.time),
    }


def _block_form(block: Any) -> Any:
    return msgspec.to_builtins(block)


def _dollars(micro: int | None) -> float | None:
    return None if micro is None else micro / 1_000_000
