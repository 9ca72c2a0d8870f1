"""Kimi Code's wire files, record by record."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sparrow_tui.agents.common import as_text, json_or_text, milliseconds, whole
from sparrow_tui.agents.kimi_wire import KimiSession
from sparrow_tui.agents.line_session import append_text, some
from sparrow_tui.model import Block, Notice, Text, ToolResult, ToolUse, Turn, Usage

_CHILD = re.compile(r"agent[_ -]?id\W{1,4}(agent-\d+)", re.IGNORECASE)


_CODE_SKIPPED = (
    "metadata", "tools.", "llm.", "permission.", "plan_mode.", "full_compaction.", "turn.",
    "runtime.", "token_counting.", "plugin.", "goal.", "todo.", "cron.", "skill.",
)  # fmt: skip
"""Kimi Code's records for its own use; ``turn.prompt`` is repeated by the message that follows."""


class CodeWire(KimiSession):
    """Kimi Code's ``wire.jsonl``: every change of an agent's context."""

    def take(self, record: dict[str, Any]) -> Iterator[Turn]:
        """A record; a step's events add up to one assistant's turn and its tools' answers."""
        kind = as_text(record.get("type"))
        time = self.seen(milliseconds(record.get("time") or record.get("created_at")))
        if kind == "context.append_loop_event" and isinstance(record.get("event"), dict):
            yield from self._event(record["event"], time)
        elif kind == "context.append_message" and isinstance(record.get("message"), dict):
            yield from self._append(record["message"], time)
        elif kind == "usage.record":
            yield from self._usage(record, time)
        elif kind == "context.apply_compaction":
            text = as_text(record.get("summary"))
            yield from self.close()
            self.keep()
            blocks: list[Block] = [Notice("compaction")]
            turn = Turn(role="summary", blocks=[*blocks, Text(text)] if text else blocks, time=time)
            turn.usage = self._waiting()
            yield turn
        elif kind in ("config.update", "profile.bind"):
            self.info.model = as_text(record.get("modelAlias")) or self.info.model
            self.info.project = self.info.project or as_text(record.get("cwd")) or None
            self.skip()
        elif kind == "turn.cancel":
            self.keep()
            yield from self.close()
            yield Turn(role="system", blocks=[Notice("interruption")], time=time, meta=True)
        elif kind.startswith(_CODE_SKIPPED):
            self.skip()
        else:
            yield from self.close()
            yield self.unknown(f"record {kind}", record, time)

    def _append(self, message: dict[str, Any], time: int | None) -> Iterator[Turn]:
        origin = message.get("origin")
        origin = origin if isinstance(origin, dict) else {}
        for turn in [*self.close(), *self.message(message)]:
            turn.time = turn.time or time
            if turn.role == "user" and origin.get("name") != "subagent":
                turn.meta = turn.meta or as_text(origin.get("kind")) not in ("", "user")
            yield turn

    def _event(self, event: dict[str, Any], time: int | None) -> Iterator[Turn]:
        kind = as_text(event.get("type"))
        if kind == "step.begin":
            self.keep()
            yield from self.close()
            self.step(time, as_text(event.get("uuid")))
            self.state["ended"] = False
            self.open[0].model = self.info.model or ""
        elif kind == "content.part":
            blocks = self.blocks(event.get("part"))
            self.keep()
            for block in blocks:
                append_text(self.spoken(time).blocks, block)
        elif kind == "tool.call":
            use = ToolUse(as_text(event.get("toolCallId")), as_text(event.get("name")))
            use.input = json_or_text(event.get("args"))
            self.keep()
            self.spoken(time).blocks.append(use)
        elif kind == "tool.result":
            result = self._result(event)
            self.keep()
            self.answered(result, time)
        elif kind == "step.end":
            self.keep()
            turn = self.spoken(time)
            # The usage record that follows says the same; not every version writes it.
            turn.usage = turn.usage or _usage(event.get("usage"))
            turn.usage_id = as_text(event.get("messageId"))
            if turn.time and time and time > turn.time:
                turn.duration_ms = time - turn.time
            self.state["ended"] = True
        else:
            yield self.unknown(f"event {kind}", event, time)

    def _result(self, event: dict[str, Any]) -> ToolResult:
        value = event.get("result")
        value = value if isinstance(value, dict) else event
        error = value.get("isError")
        result = ToolResult(
            as_text(event.get("toolCallId")),
            self.blocks(value.get("output")),
            is_error=error if isinstance(error, bool) else None,
        )
        for block in result.content:
            child = _CHILD.search(block.text[:2000]) if isinstance(block, Text) else None
            if child and result.tool_use_id.startswith("Agent"):
                result.child = f"kimi:{self.info.native_id.partition('/')[0]}/{child[1]}"
        return result

    def _usage(self, record: dict[str, Any], time: int | None) -> Iterator[Turn]:
        """A request's tokens: the step's that just ended, or those of a compaction."""
        usage = _usage(record.get("usage"))
        self.keep()
        step = record.get("usageScope") != "session"
        if step and self.open and self.state.pop("ended", False):
            usage, before = usage or self.open[0].usage, self._waiting()
            self.open[0].usage = usage + before if usage and before else usage or before
            self.open[0].model = as_text(record.get("model")) or self.open[0].model
            yield from self.close()
        elif usage is not None:
            held = self.state.get("waiting") or [0, 0, 0, 0]
            fields = (usage.input, usage.output, usage.cache_read, usage.cache_write)
            self.state["waiting"] = [a + b for a, b in zip(held, fields, strict=True)]

    def _waiting(self) -> Usage | None:
        """Tokens noted outside a step, given once."""
        return some(Usage(*self.state.pop("waiting", ())))


def _usage(used: Any) -> Usage | None:
    if not isinstance(used, dict):
        return None
    return some(
        Usage(
            input=whole(used.get("inputOther")),
            output=whole(used.get("output")),
            cache_read=whole(used.get("inputCacheRead")),
            cache_write=whole(used.get("inputCacheCreation")),
        )
    )
