"""A small library of invented sessions: for a first look, screenshots and tests."""

from __future__ import annotations

from collections.abc import Iterator

from sparrow_tui.agents.base import Batch
from sparrow_tui.demo import stories, work


def library(now: int) -> Iterator[Batch]:
    """Invented sessions of several agents, with every kind of content block.

    Args:
        now: the present in milliseconds since the epoch; all times lie before it.
    """
    yield from stories.batches(now)
    yield from work.batches(now)
