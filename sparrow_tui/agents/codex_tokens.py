"""Codex's running totals: what each answer adds, once over all copies of a history."""

from __future__ import annotations

from typing import Any

from sparrow_tui.agents.common import whole
from sparrow_tui.model import Turn, Usage


def grown(state: dict[str, Any], info: Any) -> tuple[Usage, str] | None:
    """What a ``token_count`` event's total is more than the one before; ``None``: nothing.

    A total that falls begins a new segment, which adds all of it. A fork carries on the total
    of its origin and may hold only a part of its counts, or none: what an event adds there is
    no more than its last answer took.

    Args:
        state: of the session; keeps the last total.
        info: of the event: ``total_token_usage`` with input (cached included), cached input,
            output (reasoning included) and reasoning tokens, and ``last_token_usage``.

    Returns:
        The growth, and an id of it that is the same in the copies that forks and sub-agents
        begin with: the thread the history came from and the totals themselves.
    """
    now = _usage(info.get("total_token_usage")) if isinstance(info, dict) else None
    if now is None:
        return None
    first = "total" not in state
    before = Usage(*state.get("total", ()))
    state["total"] = as_list(now)
    share = now.beyond(before) if now.total >= before.total else now
    if state.get("origin"):
        last = _usage(info.get("last_token_usage"))
        if last is not None and last.total < share.total:
            share = last
        elif last is None and first:
            return None
    if not share.total:
        return None
    totals = f"{now.input}+{now.cache_read}+{now.output}+{now.reasoning}"
    return share, f"codex:{state.get('root', '')}:{totals}"


def _usage(told: Any) -> Usage | None:
    """Tokens as an event tells them; ``None`` if it does not."""
    if not isinstance(told, dict):
        return None
    cached = whole(told.get("cached_input_tokens"))
    return Usage(
        max(0, whole(told.get("input_tokens")) - cached),
        whole(told.get("output_tokens")),
        cached,
        0,
        whole(told.get("reasoning_output_tokens")),
    )


def model_by_window(info: Any) -> str:
    """The model whose context is as large as a ``token_count`` event says; empty if unclear.

    Versions before 0.36 record no model at all. Of the models they knew (their
    ``openai_model_info.rs``) only GPT-5's window is 272,000 tokens; it was their default, and
    GPT-5-Codex, which shares the window, has the same price.
    """
    window = info.get("model_context_window") if isinstance(info, dict) else None
    return "gpt-5" if window == 272_000 else ""


def give(turn: Turn, share: Usage, name: str) -> None:
    """Add tokens to a turn, which keeps the id of the first it got."""
    turn.usage = share if turn.usage is None else turn.usage + share
    turn.usage_id = turn.usage_id or name


def hold(state: dict[str, Any], share: Usage, name: str) -> None:
    """Keep tokens for the answer that is still to come."""
    kept, first = state.get("pending") or ([], name)
    state["pending"] = [as_list(Usage(*kept) + share), first]


def held(state: dict[str, Any]) -> tuple[Usage, str] | None:
    """The tokens no answer has taken yet."""
    pending = state.get("pending")
    return (Usage(*pending[0]), str(pending[1])) if pending else None


def as_list(usage: Usage) -> list[int]:
    """As a plain list, in the order of the fields."""
    return [usage.input, usage.output, usage.cache_read, usage.cache_write, usage.reasoning]
