"""The events of a Copilot CLI session as turns, one event at a time."""

from __future__ import annotations

import math
import re
from typing import Any

from sparrow_tui.agents.common import as_text, data_url, milliseconds, whole
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
    Usage,
)

_EXIT_CODE = re.compile(r"<exited with exit code (-?\d+)>\s*$")
_NOTES = {"session.info": "info", "session.warning": "info", "system.notification": "info"}
_SILENT = {
    "system.message", "assistant.turn_start", "assistant.turn_end", "assistant.intent",
    "subagent.started", "subagent.completed", "subagent.selected", "subagent.deselected",
    "session.auto_mode_resolved", "session.usage_checkpoint", "session.usage_info",
    "session.permissions_changed", "session.mode_changed", "session.plan_changed",
    "session.workspace_file_changed", "session.compaction_start", "session.idle",
    "session.tools_updated", "session.skills_loaded", "session.extensions_loaded",
    "session.custom_agents_updated", "session.mcp_servers_loaded", "session.schedule_created",
    "session.mcp_server_status_changed", "session.background_tasks_changed",
    "session.schedule_cancelled", "session.remote_steerable_changed", "tool.execution_progress",
    "tool.execution_partial_result", "tool.user_requested", "user_input.requested",
    "user_input.completed", "elicitation.requested", "elicitation.completed",
    "pending_messages.modified",
}  # fmt: skip
_SILENT_FAMILIES = ("hook.", "permission.", "mcp.", "external_tool.", "capabilities.", "commands.")


class Events:
    """What earlier events leave for later ones; plain values that a checkpoint can carry."""

    def __init__(self, info: SessionInfo, state: dict[str, Any]) -> None:
        self.info = info
        self.model = as_text(state.get("model"))
        """The model chosen last."""
        self.pending: dict[str, int] = dict(state.get("pending") or {})
        """Calls not yet answered: id → time of the call."""
        self.spent: dict[str, int] = dict(state.get("spent") or {})
        """Output tokens of this run's messages by model: the closing totals contain them."""
        self.thought = as_text(state.get("thought"))
        """Reasoning that came ahead of its message."""
        self.premium = float(state.get("premium") or 0)
        """Premium requests of all runs: what the subscription is billed in."""
        self.last = as_text(state.get("last"))
        """Type of the newest event."""

    def state(self) -> dict[str, Any]:
        """Everything the next reading needs."""
        return {
            "model": self.model,
            "pending": self.pending,
            "spent": self.spent,
            "thought": self.thought,
            "premium": self.premium,
            "last": self.last,
        }

    def turns(self, event: dict[str, Any], coverage: Coverage) -> list[Turn]:
        """The turns of one event, mostly one or none; facts of the session are taken down."""
        kind = as_text(event.get("type"))
        data = event.get("data")
        data = data if isinstance(data, dict) else {}
        moment = milliseconds(event.get("timestamp"))
        if moment:
            self.info.updated_at = max(self.info.updated_at or 0, moment)
        self.last = kind
        turn = Turn(role="system", blocks=[], time=moment, uid=as_text(event.get("id")))
        turns = [turn]
        if kind == "user.message":
            self._user(turn, data)
        elif kind == "assistant.message":
            self._assistant(turn, data)
        elif kind == "assistant.reasoning":
            self.thought = as_text(data.get("content"))
            coverage.kept += 1
            return []
        elif kind == "tool.execution_start":
            call = as_text(data.get("toolCallId"))
            known = call in self.pending
            self.pending[call] = moment or 0
            if not known:
                turn.role, turn.model = "assistant", as_text(data.get("model"))
                turn.blocks = [ToolUse(call, as_text(data.get("toolName")), data.get("arguments"))]
        elif kind == "tool.execution_complete":
            self._result(turn, data)
        elif kind == "session.shutdown":
            turns = self._shutdown(turn, data)
        else:
            turn.blocks = self._session(kind, data, event, coverage)
            turn.api_error = kind in ("session.error", "model.call_failure")
        turns = [each for each in turns if each.blocks or each.usage]
        if turns or kind in ("session.start", "session.resume", "session.title_changed"):
            coverage.kept += 1
        else:
            coverage.skipped += 1
        return turns

    def _user(self, turn: Turn, data: dict[str, Any]) -> None:
        turn.role = "user"
        text = as_text(data.get("content"))
        turn.blocks = [Text(text)] if text.strip() else []
        turn.meta = bool(data.get("source"))
        attachments = data.get("attachments")
        for attachment in attachments if isinstance(attachments, list) else []:
            if isinstance(attachment, dict):
                turn.blocks.append(_attachment(attachment))

    def _assistant(self, turn: Turn, data: dict[str, Any]) -> None:
        turn.role = "assistant"
        turn.model = as_text(data.get("model")) or self.model
        thought = as_text(data.get("reasoningText")) or self.thought
        self.thought = ""
        if thought.strip():
            turn.blocks.append(Reasoning(thought))
        if as_text(data.get("content")).strip():
            turn.blocks.append(Text(as_text(data["content"])))
        requests = data.get("toolRequests")
        for request in requests if isinstance(requests, list) else []:
            if isinstance(request, dict):
                call = as_text(request.get("toolCallId"))
                self.pending[call] = turn.time or 0
                turn.blocks.append(
                    ToolUse(call, as_text(request.get("name")), request.get("arguments"))
                )
        output = whole(data.get("outputTokens"))
        # A message cut in chunks repeats its figures on each.
        if output and not data.get("chunkIndex"):
            turn.usage = Usage(output=output)
            turn.usage_id = as_text(data.get("messageId"))
            self.spent[turn.model] = self.spent.get(turn.model, 0) + output
        if turn.model:
            self.info.model = turn.model

    def _result(self, turn: Turn, data: dict[str, Any]) -> None:
        turn.role = "tool"
        call = as_text(data.get("toolCallId"))
        begun = self.pending.pop(call, 0)
        result, error = data.get("result"), data.get("error")
        said = result.get("content") if isinstance(result, dict) else result
        if not said and error is not None:
            said = error.get("message") if isinstance(error, dict) else error
        text = as_text(said)
        code = _EXIT_CODE.search(text[-200:])
        success = data.get("success")
        turn.blocks = [
            ToolResult(
                call,
                [Text(text)] if text else [],
                is_error=not success if isinstance(success, bool) else None,
                duration_ms=turn.time - begun
                if begun and turn.time and turn.time > begun
                else None,
                exit_code=int(code[1]) if code else None,
            )
        ]

    def _shutdown(self, turn: Turn, data: dict[str, Any]) -> list[Turn]:
        """The end of a run: what its totals hold beyond the messages' own output tokens.

        Input includes what was read from and written to the cache.
        """
        turns: list[Turn] = []
        for model, left in _left(_totals(data.get("modelMetrics")), self.spent).items():
            if not left.total and not left.reasoning:
                continue
            if turn.usage is None:
                turn.model, turn.usage = model, left
            else:
                note = Notice("info", f"Also used: {model}.")
                turns.append(
                    Turn(role="system", blocks=[note], time=turn.time, model=model, usage=left)
                )
        turn.blocks = [Notice("info", f"Session closed ({as_text(data.get('shutdownType'))}).")]
        premium = data.get("totalPremiumRequests")
        if isinstance(premium, int | float) and math.isfinite(premium):
            self.premium += premium
        if self.premium:
            self.info.extra["premium_requests"] = round(self.premium, 2)
        if data.get("totalNanoAiu"):
            self.info.extra["nano_aiu"] = whole(data["totalNanoAiu"])
        self.spent = {}
        return [turn, *turns]

    def _session(
        self, kind: str, data: dict[str, Any], event: dict[str, Any], coverage: Coverage
    ) -> list[Block]:
        """What the rest says; most of it is for the program itself."""
        info = self.info
        if kind in ("session.start", "session.resume", "session.context_changed"):
            self._context(kind, data)
            return []
        if kind == "session.title_changed":
            info.title = as_text(data.get("title")).strip() or info.title
            return []
        if kind == "session.model_change":
            self.model = as_text(data.get("newModel"))
            info.model = self.model or info.model
            return [Notice("model", self.model)]
        if kind in _NOTES:
            return [Notice(_NOTES[kind], as_text(data.get("message") or data.get("content")))]
        if kind in ("session.error", "model.call_failure"):
            words = as_text(data.get("message") or data.get("errorMessage"))
            return [Notice("error", words or "The request failed.")]
        if kind == "abort":
            return [Notice("interruption", as_text(data.get("reason")))]
        if kind == "session.truncation":
            return [Notice("compaction", "Older messages were dropped from the context.")]
        if kind == "session.compaction_complete":
            return [Notice("compaction", as_text(data.get("summaryContent")) or _sizes(data))]
        if kind == "session.snapshot_rewind":
            return [Notice("rewind")]
        if kind == "session.task_complete":
            return [Notice("info", as_text(data.get("summary")))]
        if kind == "skill.invoked":
            return [Notice("command", as_text(data.get("name")))]
        if kind == "subagent.failed":
            return [Notice("error", as_text(data.get("error")))]
        if kind in _SILENT or kind.startswith(_SILENT_FAMILIES):
            return []
        coverage.unknown[kind] = coverage.unknown.get(kind, 0) + 1
        return [Raw(kind or "event", event)]

    def _context(self, kind: str, data: dict[str, Any]) -> None:
        info = self.info
        context = data.get("context") if kind != "session.context_changed" else data
        context = context if isinstance(context, dict) else {}
        if kind == "session.start":
            info.project = as_text(context.get("cwd")) or None
            info.created_at = milliseconds(data.get("startTime"))
        info.branch = as_text(context.get("branch")) or info.branch
        if data.get("selectedModel"):
            info.model = self.model = as_text(data["selectedModel"])
        for key, value in (
            ("version", data.get("copilotVersion")),
            ("repository", context.get("repository")),
        ):
            if value:
                info.extra[key] = as_text(value)


def _totals(metrics: Any) -> dict[str, Usage]:
    """A run's tokens by model."""
    totals: dict[str, Usage] = {}
    for model, of in (metrics if isinstance(metrics, dict) else {}).items():
        used = of.get("usage") if isinstance(of, dict) else None
        if isinstance(used, dict):
            read, written = whole(used.get("cacheReadTokens")), whole(used.get("cacheWriteTokens"))
            totals[model] = Usage(
                input=max(0, whole(used.get("inputTokens")) - read - written),
                output=whole(used.get("outputTokens")),
                cache_read=read,
                cache_write=written,
                reasoning=whole(used.get("reasoningTokens")),
            )
    return totals


def _left(totals: dict[str, Usage], spent: dict[str, int]) -> dict[str, Usage]:
    """What totals hold beyond the output tokens that messages told.

    Messages may name no model or another than was asked (early 2026): what they told beyond
    their own model's total is part of the others'.
    """
    left = {model: used.beyond(Usage(output=spent.get(model, 0))) for model, used in totals.items()}
    over = sum(spent.values()) - sum(min(u.output, spent.get(m, 0)) for m, u in totals.items())
    for model in sorted(left, key=lambda each: -left[each].output):
        part = min(over, left[model].output)
        left[model] = left[model].beyond(Usage(output=part))
        over -= part
    return left


def _attachment(attachment: dict[str, Any]) -> Block:
    """A picture or file the user attached; of a file only its name is recorded."""
    data, media_type = as_text(attachment.get("data")), as_text(attachment.get("mimeType"))
    if data.startswith("data:"):
        return data_url(data)
    if data:
        return Image(media_type=media_type, data=data, size=len(data) * 3 // 4)
    name = as_text(attachment.get("path") or attachment.get("displayName"))
    if name and attachment.get("type") in ("file", "directory", "selection", None):
        return Notice("info", f"Attached: {name}")
    return Raw("attachment", attachment)


def _sizes(data: dict[str, Any]) -> str:
    before, after = data.get("preCompactionTokens"), data.get("postCompactionTokens")
    return f"{before} → {after} tokens" if before and after else ""
