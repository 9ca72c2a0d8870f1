"""Kiro CLI's messages of a session, line by line (second engine)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sparrow_tui.agents.base import Source
from sparrow_tui.agents.common import as_text, milliseconds, whole
from sparrow_tui.agents.injected import user_turns
from sparrow_tui.agents.kiro_conversation import picture, shell_output, sum_of
from sparrow_tui.agents.kiro_side import native_id, side_of, table, title_in
from sparrow_tui.agents.line_session import LineSession, count_unknown, some
from sparrow_tui.agents.projects import json_file
from sparrow_tui.model import (
    Block,
    Notice,
    Raw,
    Reasoning,
    Text,
    ToolResult,
    ToolUse,
    Turn,
    Usage,
)


class Messages(LineSession):
    """``sessions/cli/<id>.jsonl``: ``{version, kind, data}`` a line."""

    def __init__(self, source: Source) -> None:
        path = Path(source.path)
        super().__init__(source, native_id(path, "session_id", path.stem))

    def take(self, record: dict[str, Any]) -> Iterator[Turn]:
        """One message; the results of several tools stand in one."""
        kind, data = as_text(record.get("kind")), record["data"]
        meta = data.get("meta")
        time = milliseconds(meta.get("timestamp")) if isinstance(meta, dict) else None
        self.seen(time)
        uid = as_text(data.get("message_id"))
        content = data.get("content")
        blocks = [
            block
            for part in (content if isinstance(content, list) else [])
            for block in self._block(part)
        ]
        if kind in ("Compaction", "Summary"):
            self.keep()
            text = as_text(data.get("summary"))
            said: list[Block] = [Text(text)] if text.strip() else blocks
            yield Turn(role="summary", blocks=[Notice("compaction"), *said], time=time, uid=uid)
        elif kind not in ("Prompt", "AssistantMessage", "ToolResults"):
            yield self.unknown(f"record {kind}", record, time)
        elif not blocks:
            self.skip()
        elif kind == "AssistantMessage":
            self.keep()
            yield Turn(role="assistant", blocks=blocks, time=time, uid=uid, model=self._model(data))
        else:
            self.keep()
            for turn in user_turns(blocks, time=time, uid=uid):
                if kind == "Prompt" and not turn.meta and self.info.title is None:
                    self.info.title = title_in(turn.blocks)
                yield turn

    def finish(self) -> None:
        """What the file of facts beside it says: title, directory, tokens, credits."""
        facts = json_file(side_of(Path(self.source.path)))
        if not isinstance(facts, dict):
            return
        self.info.title = as_text(facts.get("title")).strip() or self.info.title
        self.info.project = as_text(facts.get("cwd")) or None
        self.info.created_at = milliseconds(facts.get("created_at")) or self.info.created_at
        self.info.updated_at = milliseconds(facts.get("updated_at")) or self.info.updated_at
        parent = as_text(facts.get("parent_session_id"))
        self.info.parent = f"kiro:{parent}" if parent else None
        state = table(facts.get("session_state"))
        model = table(table(state.get("rts_model_state")).get("model_info"))
        self.info.model = as_text(model.get("model_id")) or self.info.model
        done = table(state.get("conversation_metadata")).get("user_turn_metadatas")
        turns = [turn for turn in (done if isinstance(done, list) else []) if table(turn)]
        self.info.usage = some(
            Usage(
                input=sum(whole(turn.get("input_token_count")) for turn in turns),
                output=sum(whole(turn.get("output_token_count")) for turn in turns),
            )
        )
        credits = sum(sum_of(turn.get("metering_usage")) for turn in turns)
        if credits:
            self.info.extra["credits"] = round(credits, 4)

    def _model(self, data: dict[str, Any]) -> str:
        """The model of a message: only its thinking names it."""
        for part in data["content"]:
            inner = part.get("data") if isinstance(part, dict) else None
            if isinstance(inner, dict) and inner.get("modelId"):
                self.info.model = as_text(inner["modelId"])
        return self.info.model or ""

    def _block(self, part: Any) -> Iterator[Block]:
        kind, data = as_text(part.get("kind")), part.get("data")
        inner = table(data)
        if kind == "text":
            if as_text(data).strip():
                yield Text(as_text(data))
        elif kind == "json":
            yield Text(as_text(data))
        elif kind == "thinking":
            if as_text(inner.get("text")).strip():
                yield Reasoning(as_text(inner["text"]))
        elif kind == "toolUse":
            yield ToolUse(
                as_text(inner.get("toolUseId")), as_text(inner.get("name")), inner.get("input")
            )
        elif kind == "toolResult":
            yield self._result(inner)
        elif kind == "image":
            yield picture(data)
        else:
            count_unknown(self.coverage, f"block {kind}")
            yield Raw(kind or "block", part)

    def _result(self, value: dict[str, Any]) -> ToolResult:
        status = as_text(value.get("status"))
        result = ToolResult(
            as_text(value.get("toolUseId")), is_error=status != "success" if status else None
        )
        content = value.get("content")
        for part in content if isinstance(content, list) else []:
            shell = table(table(part).get("data"))
            if "exit_status" in shell:
                shell_output(result, shell)
            else:
                result.content.extend(self._block(part))
        return result
