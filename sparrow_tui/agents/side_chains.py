"""Sub-agents whose records stand among those of the session that called them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from sparrow_tui.agents.base import Batch, Checkpoint

Chains = Callable[[str, dict[str, Any], int], Iterator[Batch]]
"""A file's sub-agents: by the session's id, its state, and the offset it was read to."""

_COUNT = "side lines"


def count_line(state: dict[str, Any]) -> None:
    """Note that a record of a sub-agent was met in a session's file."""
    state[_COUNT] = state.get(_COUNT, 0) + 1


def with_chains(
    batches: Iterator[Batch], since: Checkpoint | None, chains: Chains
) -> Iterator[Batch]:
    """A session's batches, then its sub-agents' sessions where there is news of any.

    The file counts as read when its sub-agents are, too: until then the checkpoint is withheld.

    Args:
        batches: the session's own; the state of its checkpoints counts lines (`count_line`).
        since: where the last reading stopped.
        chains: every sub-agent's session, each whole.
    """
    counted = _lines(since)
    held: Batch | None = None
    withheld: Checkpoint | None = None
    for batch in batches:
        if held is not None:
            yield held
        held = batch
        if batch.fresh:
            counted = 0
        if _lines(batch.checkpoint) != counted:
            withheld, batch.checkpoint = batch.checkpoint, None
    if held is None:
        return
    if withheld is not None:
        state = withheld.state["state"]
        for batch in chains(held.session.id, state, withheld.offset):
            yield held
            held = batch
        held.checkpoint = withheld
    yield held


def _lines(checkpoint: Checkpoint | None) -> int:
    """How many records of sub-agents were met up to a checkpoint."""
    with suppress(AttributeError, KeyError, TypeError, ValueError):
        return int(checkpoint.state["state"].get(_COUNT, 0))  # type: ignore[union-attr]
    return 0
