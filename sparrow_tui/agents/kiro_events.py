"""Kiro CLI's events of a session, line by line (third engine)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sparrow_tui.agents.base import Source
from sparrow_tui.agents.common import as_text, json_or_text, milliseconds
from sparrow_tui.agents.injected import user_turns
from sparrow_tui.agents.kiro_conversation import picture, sum_of
from sparrow_tui.agents.kiro_side import native_id, side_of, table, title_in
from sparrow_tui.agents.line_session import LineSession, count_unknown
from sparrow_tui.agents.projects import json_file
from sparrow_tui.model import (
    Block,
    Image,
    Notice,
    Reasoning,
    Text,
    ToolResult,
    ToolUse,
    Turn,
)

_SILENT = frozenset(
    {
        *("turn_start", "turn_end", "session_metadata", "session_event", "tombstone"),
        *("pending_interaction", "interaction_resolved", "ContextualHookInvoked"),
    }
)
"""Events that say nothing a reader would miss."""
_SYSTEM_PROMPT = ("You are ", "<", "# ", "system prompt")
"""How the first event's text begins where it is not the person's first prompt."""


class Events(LineSession):
    """``sessions/<workspace>/sess_<id>/messages.jsonl``: ``{id, timestamp, payload}`` a line."""

    def __init__(self, source: Source) -> None:
        path = Path(source.path)
        folder = path.parent.name if path.name == "messages.jsonl" else path.stem
        super().__init__(source, native_id(path, "id", folder))
        self.info.extra["engine"] = "v3"

    def take(self, record: dict[str, Any]) -> Iterator[Turn]:
        """One event."""
        time = self.seen(milliseconds(record.get("timestamp")))
        event = record["payload"]
        kind, uid = as_text(event.get("type")), as_text(record.get("id"))
        text = as_text(event.get("content"))
        if kind in _SILENT:
            self.skip()
        elif kind == "session_start" or kind == "user":
            yield from self._said(kind, text, event, time, uid)
        elif kind == "assistant":
            yield from self._answer(text, event, time, uid)
        elif kind in ("tool_call", "sub_agent_start"):
            self.keep()
            yield Turn(role="assistant", blocks=[_call(event)], time=time, uid=uid)
        elif kind in ("tool_result", "sub_agent_complete"):
            self.keep()
            yield Turn(role="tool", blocks=[self._result(event)], time=time, uid=uid)
        elif kind == "steering_inclusion":
            blocks = _attached(event)
            self.keep() if blocks else self.skip()
            if blocks:
                yield Turn(role="system", blocks=blocks, time=time, uid=uid, meta=True)
        elif kind == "usage_summary":
            self.skip()
            used = event.get("promptTurnSummaries")
            entries = [
                {"value": table(entry).get("usage"), "unit": table(entry).get("unit")}
                for entry in (used if isinstance(used, list) else [])
            ]
            self.state["credits"] = self.state.get("credits", 0.0) + sum_of(entries)
        else:
            yield self.unknown(f"event {kind}", record, time)

    def finish(self) -> None:
        """What the file of facts beside it says: title, workspace, model."""
        if self.state.get("credits"):
            self.info.extra["credits"] = round(self.state["credits"], 4)
        facts = json_file(side_of(Path(self.source.path)))
        if not isinstance(facts, dict):
            return
        self.info.title = as_text(facts.get("title")).strip() or self.info.title
        for key in ("rootPaths", "workspacePaths"):
            paths = facts.get(key)
            if isinstance(paths, list) and paths and as_text(paths[0]):
                self.info.project = as_text(paths[0])
        model = as_text(facts.get("modelId"))
        self.info.model = model if model not in ("", "auto") else self.info.model
        parent = as_text(facts.get("parentSessionId"))
        self.info.parent = f"kiro:{parent}" if parent else None
        for key in ("agentMode", "createdReason"):
            if facts.get(key):
                self.info.extra[key] = as_text(facts[key])

    def _said(
        self, kind: str, text: str, event: dict[str, Any], time: int | None, uid: str
    ) -> Iterator[Turn]:
        """A prompt. The first event holds it in the editor, the system prompt in the CLI."""
        injected = kind == "session_start" and text.lstrip().startswith(_SYSTEM_PROMPT)
        said: list[Block] = [Text(text)] if text.strip() else []
        blocks = [*said, *_attached(event)]
        if not blocks or (kind == "user" and text and text == self.state.get("opening")):
            self.skip()
            self.state.pop("opening", None)
            return
        self.keep()
        if injected:
            yield Turn(role="system", blocks=blocks, time=time, uid=uid, meta=True)
            return
        self.state["opening"] = text if kind == "session_start" else ""
        for turn in user_turns(blocks, time=time, uid=uid):
            if not turn.meta and self.info.title is None:
                self.info.title = title_in(turn.blocks)
            yield turn

    def _answer(
        self, text: str, event: dict[str, Any], time: int | None, uid: str
    ) -> Iterator[Turn]:
        what = as_text(event.get("operationType")) or "Say"
        if not text.strip() or (what == "Reasoning" and text.strip() == "..."):
            # Reasoning is kept encrypted; three dots stand for it.
            self.skip()
            return
        if what == "Summary":
            self.keep()
            said: list[Block] = [Notice("compaction"), Text(text)]
            yield Turn(role="summary", blocks=said, time=time, uid=uid)
            return
        if what not in ("Say", "Reasoning"):
            count_unknown(self.coverage, f"operation {what}")
        self.keep()
        block: Block = Reasoning(text) if what == "Reasoning" else Text(text)
        yield Turn(role="assistant", blocks=[block], time=time, uid=uid)

    def _result(self, event: dict[str, Any]) -> ToolResult:
        child = as_text(event.get("subSessionId"))
        value = event.get("response") if child else event.get("content")
        success = event.get("success")
        result = ToolResult(
            as_text(event.get("toolCallId")) or child,
            is_error=not success if isinstance(success, bool) else None,
            child=f"kiro:{child}" if child else "",
        )
        if as_text(value).strip():
            result.content = [Text(as_text(value))]
        return result


def _call(event: dict[str, Any]) -> ToolUse:
    child = as_text(event.get("subSessionId"))
    if child:
        name = as_text(event.get("subAgentName")) or "subagent"
        return ToolUse(child, name, {"prompt": event.get("prompt")})
    given = json_or_text(event.get("args"))
    return ToolUse(as_text(event.get("toolCallId")), as_text(event.get("toolName")), given)


def _attached(event: dict[str, Any]) -> list[Block]:
    """Pictures and documents of a prompt."""
    images, documents = event.get("images"), event.get("documents")
    blocks: list[Block] = []
    for value in images if isinstance(images, list) else []:
        if value:
            blocks.append(picture(value))
    for value in documents if isinstance(documents, list) else []:
        facts = table(value)
        name = as_text(facts.get("displayName") or facts.get("id")) or as_text(value)
        text = as_text(facts.get("content"))
        if text.strip():
            blocks.append(Text(f"[{name}]\n{text}"))
        elif name:
            blocks.append(Image(media_type="document", url=name))
    return blocks
