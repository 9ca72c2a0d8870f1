"""Chat files with a message, an item or an event of a stream in each line, one session a file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from sparrow_tui.agents.base import Source
from sparrow_tui.agents.common import (
    anthropic_blocks,
    as_text,
    micro_dollars,
    milliseconds,
    title_of,
    whole,
)
from sparrow_tui.agents.generic_shapes import turns_of
from sparrow_tui.agents.injected import user_turns
from sparrow_tui.agents.line_session import LineSession, count_unknown, some
from sparrow_tui.agents.openai_messages import usage_of
from sparrow_tui.model import Notice, Raw, SessionInfo, Text, Turn, Usage


def session_id(path: str, number: int | None = None) -> str:
    """An id for a conversation that has none: of its file's path and its place in it."""
    place = path if number is None else f"{path}#{number}"
    return f"generic:{hashlib.blake2b(place.encode(errors='replace'), digest_size=8).hexdigest()}"


def note(info: SessionInfo, turn: Turn) -> None:
    """Take title, model and times from a turn."""
    info.model = turn.model or info.model
    if turn.time is not None:
        info.created_at = min(turn.time, info.created_at or turn.time)
        info.updated_at = max(turn.time, info.updated_at or turn.time)
    if info.title is None and turn.role == "user" and not turn.meta:
        for block in turn.blocks:
            if isinstance(block, Text):
                info.title = info.title or title_of(block.text) or None


class MessageLines(LineSession):
    """A message or a Responses item a line."""

    def __init__(self, source: Source) -> None:
        super().__init__(source, session_id(source.path))

    def take(self, record: dict[str, Any]) -> Iterator[Turn]:
        """One message."""
        if self.state.pop("named", False):
            self.info.title = None
        turns = turns_of(record, partial(count_unknown, self.coverage))
        self.keep() if turns else self.skip()
        for turn in turns:
            note(self.info, turn)
            yield turn

    def finish(self) -> None:
        """Files without times have at least that of their last change."""
        if self.info.created_at is None:
            self.info.updated_at = self.source.mtime or None
        if self.info.title is None:
            # Until the person says something.
            self.info.title = Path(self.source.path).name
            self.state["named"] = True


class StreamLines(LineSession):
    """The lines of ``claude -p --output-format stream-json`` and of agents that imitate it."""

    def __init__(self, source: Source) -> None:
        super().__init__(source, session_id(source.path))

    def take(self, record: dict[str, Any]) -> Iterator[Turn]:
        """One event: the start, a message, a result."""
        kind = as_text(record.get("type"))
        time = self.seen(milliseconds(record.get("timestamp") or record.get("timestamp_ms")))
        if kind == "system" and record.get("subtype") == "init":
            self.keep()
            self.info.project = as_text(record.get("cwd")) or self.info.project
            self.info.model = as_text(record.get("model")) or self.info.model
            if record.get("session_id"):
                self.info.extra["session"] = as_text(record["session_id"])
        elif kind in ("assistant", "user") and isinstance(record.get("message"), dict):
            yield from self._message(kind, record, record["message"], time)
        elif kind == "result":
            self.keep()
            yield from self._result(record, time)
        elif kind in ("stream_event", "system", "rate_limit_event", "keep_alive"):
            self.skip()
        else:
            yield self.unknown(f"record {kind}", record, time)

    def finish(self) -> None:
        """Tokens: those of the results, and of the requests that no result sums yet."""
        waiting = self.state.get("waiting", {})
        used = _usage(self.state.get("used"))
        for counts in waiting.values():
            used = used + _usage(counts)
        self.info.usage = some(used)
        if self.info.created_at is None:
            self.info.updated_at = self.source.mtime or None

    def _message(
        self, kind: str, record: dict[str, Any], message: dict[str, Any], time: int | None
    ) -> Iterator[Turn]:
        blocks = anthropic_blocks(message.get("content"))
        for block in blocks:
            if isinstance(block, Raw):
                count_unknown(self.coverage, f"block {block.kind}")
        uid = as_text(record.get("uuid"))
        used = usage_of(message.get("usage"))
        if used is not None:
            # Every line of one message repeats its usage, as far as it was known by then.
            waiting = self.state.setdefault("waiting", {})
            key = as_text(message.get("id"))
            waiting[key] = _counts(used.largest(_usage(waiting.get(key))))
        if not blocks:
            self.skip()
            return
        self.keep()
        if kind == "assistant":
            turn = Turn(role="assistant", blocks=blocks, time=time, uid=uid)
            turn.model = as_text(message.get("model"))
            turns = [turn]
        else:
            turns = user_turns(blocks, time=time, uid=uid)
        for turn in turns:
            turn.meta = turn.meta or bool(record.get("parent_tool_use_id"))
            note(self.info, turn)
            yield turn

    def _result(self, record: dict[str, Any], time: int | None) -> Iterator[Turn]:
        used = usage_of(record.get("usage"))
        if used is not None:
            self.state["used"] = _counts(_usage(self.state.get("used")) + used)
            self.state["waiting"] = {}
        cost = micro_dollars(record.get("total_cost_usd"))
        if cost:
            # A running total: a later result includes the earlier ones.
            self.info.cost_micro = max(cost, self.info.cost_micro or 0)
        if self.info.title is None and as_text(record.get("result")):
            self.info.title = title_of(as_text(record["result"])) or None
        if record.get("is_error") is True:
            words = as_text(record.get("result") or record.get("subtype"))
            yield Turn(role="system", blocks=[Notice("error", words)], time=time, api_error=True)


def _counts(usage: Usage) -> list[int]:
    return [usage.input, usage.output, usage.cache_read, usage.cache_write, usage.reasoning]


def _usage(counts: Any) -> Usage:
    return Usage(*map(whole, counts)) if isinstance(counts, list) else Usage()
