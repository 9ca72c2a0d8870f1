"""Sources read session by session: which of their sessions changed, and their turns in batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from sparrow_tui.agents.base import BATCH_BYTES, BATCH_TURNS, Batch, Checkpoint
from sparrow_tui.model import (
    Block,
    Coverage,
    Image,
    Notice,
    Raw,
    Reasoning,
    SessionInfo,
    Text,
    ToolResult,
    ToolUse,
    Turn,
)


class Seen:
    """What a reading left behind of each session (a mark), so that the next skips the same.

    A mark is a list of plain values (times, counts) that changes whenever the session does.
    """

    def __init__(self, since: Checkpoint | None) -> None:
        state = since.state if since is not None else None
        marks = state.get("sessions") if isinstance(state, dict) else None
        self._marks: dict[str, Any] = dict(marks) if isinstance(marks, dict) else {}

    def same(self, session_id: str, mark: list[Any]) -> bool:
        """Whether a session is as it was when it was read last."""
        return self._marks.get(session_id) == mark

    def note(self, session_id: str, mark: list[Any] | None) -> None:
        """Remember a session's mark; ``None``: read it again next time in any case."""
        if mark is None:
            self._marks.pop(session_id, None)
        else:
            self._marks[session_id] = mark

    def checkpoint(self) -> Checkpoint:
        """Where to go on: everything noted so far."""
        return Checkpoint(state={"sessions": dict(self._marks)})


def cut(
    info: SessionInfo,
    turns: Iterable[Turn],
    coverage: Coverage,
    *,
    start: int = 0,
    fresh: bool = True,
) -> Iterator[Batch]:
    """A session's turns in batches; at least one batch, so that its facts arrive.

    Args:
        info: the session's facts; read after each batch's turns were produced, so that the
            producer of ``turns`` may fill it in as it goes.
        turns: in order; may be a generator.
        coverage: filled by the producer of ``turns``; emptied into each batch.
        start: index of the first turn.
        fresh: whether the session is read from its beginning.
    """
    held: list[Turn] = []
    size = 0
    for turn in turns:
        if coverage.unknown:
            where = f"message {turn.uid}" if turn.uid else f"turn {start + len(held)}"
            coverage.locate(f"{info.native_id}, {where}")
        held.append(turn)
        size += weight(turn.blocks)
        if len(held) >= BATCH_TURNS or size >= BATCH_BYTES:
            yield Batch(info, start, held, _taken(coverage), fresh=fresh)
            start, held, size, fresh = start + len(held), [], 0, False
    coverage.locate(info.native_id)
    if held or fresh or coverage.records:
        yield Batch(info, start, held, _taken(coverage), fresh=fresh)


def weight(blocks: Iterable[Block]) -> int:
    """About how many characters blocks hold."""
    total = 0
    for block in blocks:
        if isinstance(block, Text | Reasoning | Notice):
            total += len(block.text)
        elif isinstance(block, ToolResult):
            total += weight(block.content)
        elif isinstance(block, Image):
            total += len(block.data)
        elif isinstance(block, ToolUse):
            total += _length(block.input)
        elif isinstance(block, Raw):
            total += _length(block.data)
    return total


def _length(value: Any) -> int:
    """About how many characters a JSON value holds."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(_length, value.values()))
    if isinstance(value, list):
        return sum(map(_length, value))
    return 8


def _taken(coverage: Coverage) -> Coverage:
    """The figures so far, which start again from zero."""
    part = msgspec.structs.replace(coverage)
    coverage.records = coverage.kept = coverage.skipped = coverage.bad = 0
    coverage.unknown, coverage.examples = {}, {}
    return part
