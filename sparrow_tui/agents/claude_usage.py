"""Claude Code's token counts: a request's lines repeat them, and grow."""

from __future__ import annotations

from typing import Any

from sparrow_tui.agents.common import whole
from sparrow_tui.model import Turn, Usage

IDS = 2_000
"""Requests whose usage is remembered: an id may come back after other records."""


def count(state: dict[str, Any], turn: Turn, request: str, usage: Any) -> None:
    """The field-wise maximum of a request's lines, spread over its turns without overlap.

    Args:
        state: of the session; keeps the maxima.
        turn: the request's turn at hand.
        request: its id.
        usage: of one line.
    """
    if not isinstance(usage, dict):
        return
    held: dict[str, list[int]] = state.setdefault("usage", {})
    earlier = held.pop(request, None)
    before = Usage(*earlier) if earlier else Usage()
    total = before.largest(
        Usage(
            whole(usage.get("input_tokens")),
            whole(usage.get("output_tokens")),
            whole(usage.get("cache_read_input_tokens")),
            whole(usage.get("cache_creation_input_tokens")),
        )
    )
    held[request] = [total.input, total.output, total.cache_read, total.cache_write]
    if len(held) > IDS:
        del held[next(iter(held))]
    share = total.beyond(before)
    first = earlier is None or (turn.usage is not None and turn.usage_total is None)
    turn.usage = share if turn.usage is None else turn.usage + share
    if not first:
        turn.usage_total = total
