"""kimi-cli's logs, record by record: wire and context files; what Kimi Code's have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sparrow_tui.agents.base import Source
from sparrow_tui.agents.common import as_text, json_or_text, milliseconds, whole
from sparrow_tui.agents.kimi_side import note_side, side_of, unwrapped
from sparrow_tui.agents.line_session import LineSession, append_text, count_unknown, some
from sparrow_tui.agents.openai_messages import content_blocks, turn_of
from sparrow_tui.agents.side_chains import count_line
from sparrow_tui.model import Block, Notice, SessionInfo, Text, ToolResult, ToolUse, Turn, Usage

Describe = Callable[[SessionInfo, Path, str], None]


class KimiSession(LineSession):
    """What the three kinds of files share: facts from side files, turns made of many records."""

    def __init__(self, source: Source, info: SessionInfo, describe: Describe) -> None:
        super().__init__(source, info.id)
        self.info = info
        self._describe = describe

    def finish(self) -> None:
        """Look at the files beside this one."""
        self._describe(self.info, Path(self.source.path), self.source.kind)
        if self.info.updated_at is None:
            self.info.updated_at = self.source.mtime or None

    def blocks(self, content: Any) -> list[Block]:
        """Content parts; unknown kinds are counted."""
        return content_blocks(content, lambda kind: count_unknown(self.coverage, kind))

    def step(self, time: int | None, uid: str = "") -> None:
        """Open an assistant's turn."""
        self.open = [Turn(role="assistant", blocks=[], time=time, uid=uid)]

    def spoken(self, time: int | None) -> Turn:
        """The open assistant's turn; one is opened if the log does not say where it began."""
        if not self.open:
            self.step(time)
        return self.open[0]

    def answered(self, result: ToolResult, time: int | None) -> None:
        """Add a tool's result behind the open assistant's turn."""
        self.spoken(time)
        self.open.append(Turn(role="tool", blocks=[result], time=time))

    def message(self, record: dict[str, Any]) -> Iterator[Turn]:
        """A whole chat message."""
        turn = turn_of(record, lambda kind: count_unknown(self.coverage, kind))
        if turn is None:
            self.skip()
            return
        self.keep()
        yield turn


class ContextFile(KimiSession):
    """``context.jsonl``: the model's context as chat messages, without times."""

    def take(self, record: dict[str, Any]) -> Iterator[Turn]:
        """A message; checkpoints and token counts are left out."""
        role = as_text(record.get("role"))
        if role.startswith("_") or role == "system":
            self.skip()
            return
        yield from self.message(record)


_WIRE_SKIPPED = {
    "metadata", "TurnEnd", "ApprovalRequest", "ApprovalResponse", "ApprovalRequestResolved",
    "HookTriggered", "HookResolved", "MCPLoadingBegin", "MCPLoadingEnd", "CompactionEnd",
    "ToolCallRequest", "QuestionRequest", "QuestionResponse", "BtwBegin", "BtwEnd",
}  # fmt: skip
"""Events that repeat others or are of the screen only."""


class Wire(KimiSession):
    """kimi-cli's ``wire.jsonl``: what the terminal was told, with times."""

    def take(self, record: dict[str, Any]) -> Iterator[Turn]:
        """An event; a step's events add up to one assistant's turn and its tools' answers."""
        time = self.seen(milliseconds(record.get("timestamp")))
        message = record.get("message")
        kind = as_text(record.get("type"))
        payload: Any = None
        if isinstance(message, dict):
            kind, payload = as_text(message.get("type")), message.get("payload")
        if not isinstance(payload, dict):
            payload = {}
        if kind == "SubagentEvent":
            self._side(payload)
            return
        if kind in _WIRE_SKIPPED:
            self.skip()
            if kind == "TurnEnd":
                yield from self.close()
            return
        if kind in ("TurnBegin", "SteerInput"):
            blocks = self.blocks(payload.get("user_input"))
            self.keep()
            yield from self.close()
            yield Turn(role="user", blocks=blocks, time=time)
        elif kind == "StepBegin":
            self.keep()
            yield from self.close()
            self.step(time)
        elif kind == "ContentPart":
            blocks = self.blocks(payload)
            self.keep()
            for block in blocks:
                append_text(self.spoken(time).blocks, block)
        elif kind == "ToolCall":
            function = payload.get("function")
            function = function if isinstance(function, dict) else payload
            use = ToolUse(as_text(payload.get("id")), as_text(function.get("name")))
            use.input = json_or_text(function.get("arguments"))
            self.keep()
            self.spoken(time).blocks.append(use)
        elif kind == "ToolCallPart":
            self.keep()
            uses = [block for block in self.spoken(time).blocks if isinstance(block, ToolUse)]
            if uses:
                held = uses[-1].input
                arguments = as_text(held) + as_text(payload.get("arguments_part"))
                uses[-1].input = json_or_text(arguments)
        elif kind == "ToolResult":
            result = self._result(payload)
            self.keep()
            self.answered(result, time)
        elif kind == "StatusUpdate":
            self._status(payload, time)
        elif kind in ("StepInterrupted", "CompactionBegin", "Notification", "PlanDisplay"):
            self.keep()
            yield from self.close()
            yield _notice(kind, payload, time)
        else:
            yield from self.close()
            yield self.unknown(f"event {kind}", record, time)

    def _side(self, payload: dict[str, Any]) -> None:
        """An event of a sub-agent: of another session, see `kimi_side.side_chains`."""
        if (told := unwrapped(payload)) is None:
            self.skip()
            return
        self.coverage.records -= 1
        count_line(self.state)
        note_side(self.state, told[0])

    def _result(self, payload: dict[str, Any]) -> ToolResult:
        value = payload.get("return_value", payload.get("result"))
        value = value if isinstance(value, dict) else {"output": value}
        content = self.blocks(value.get("output", value.get("value")))
        words = as_text(value.get("message"))
        if words and (not content or value.get("is_error")):
            content.append(Text(words))
        error = value.get("is_error")
        call = as_text(payload.get("tool_call_id"))
        return ToolResult(
            call,
            content,
            is_error=error if isinstance(error, bool) else None,
            child=side_of(self.state, self.info.id, call),
        )

    def _status(self, payload: dict[str, Any], time: int | None) -> None:
        """Tokens of the step that just ended."""
        used = payload.get("token_usage")
        if not isinstance(used, dict):
            self.skip()
            return
        self.keep()
        usage = some(
            Usage(
                input=whole(used.get("input_other")),
                output=whole(used.get("output")),
                cache_read=whole(used.get("input_cache_read")),
                cache_write=whole(used.get("input_cache_creation")),
            )
        )
        if usage is not None:
            turn = self.spoken(time)
            turn.usage = usage if turn.usage is None else turn.usage + usage
            turn.uid = turn.uid or as_text(payload.get("message_id"))


def _notice(kind: str, payload: dict[str, Any], time: int | None) -> Turn:
    if kind == "PlanDisplay":
        return Turn(role="assistant", blocks=[Text(as_text(payload.get("content")))], time=time)
    if kind == "CompactionBegin":
        return Turn(role="summary", blocks=[Notice("compaction")], time=time)
    if kind == "StepInterrupted":
        return Turn(role="system", blocks=[Notice("interruption")], time=time, meta=True)
    words = "\n".join(filter(None, (as_text(payload.get("title")), as_text(payload.get("body")))))
    return Turn(role="system", blocks=[Notice("info", words)], time=time, meta=True)
