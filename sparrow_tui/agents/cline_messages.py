"""Cline's and Roo Code's display log (``ui_messages.json``) as turns, one per request or reply."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sparrow_tui.agents.cline_notices import notice
from sparrow_tui.agents.cline_parts import (
    ANSWERED,
    answer_blocks,
    attached,
    call_of,
    finished,
    table_of,
    words_of,
)
from sparrow_tui.agents.cline_results import Results
from sparrow_tui.agents.common import (
    as_text,
    micro_dollars,
    milliseconds,
    whole,
)
from sparrow_tui.agents.line_session import WRONG_SHAPE, count_unknown, some
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

_SKIPPED = frozenset(
    [
        "checkpoint_created",
        "checkpoint_saved",
        "task_progress",
        "api_req_finished",
        "api_req_retried",
        "api_req_rate_limited",
        "mcp_server_request_started",
        "load_mcp_documentation",
        "resume_task",
        "resume_completed_task",
        "browser_session_status",
        "hook_status",
        "hook_output_stream",
        "conditional_rules_applied",
        "shell_integration_warning",
        "auto_approval_max_req_reached",
        "shell_integration_warning_with_suggestion",
        "user_edit_todos",
        "report_bug",
    ]
)
_TOTALS_SINCE = 1_761_938_069_000
"""Since then (Roo Code 3.29.5, 2025-10-31) ``tokensIn`` always counts cached tokens. Before it
was what the provider said, which with Anthropic's protocol is what was not cached."""
_SPENT = ("deleted_api_reqs", "api_req_deleted", "subagent_usage")
_SHOWN = frozenset(
    [
        "listFilesTopLevel",
        "listFilesRecursive",
        "listCodeDefinitionNames",
        "searchFiles",
        "webFetch",
        "webSearch",
        "codebaseSearch",
    ]
)
"""Tools whose ``content`` is what they answered; of the others it is what they were given."""
_MODEL = re.compile(r"<model>([\w.:/@+-]{1,100})</model>")
_FOLDER = re.compile(r"# Current (?:Working|Workspace) Directory \(([^\n]{1,4000}?)\) Files")
_SUFFIXES = ("REQ_APP", "HAS_CHANGES")
"""Marks for the extension's view at the end of commands and results."""


def project_in(text: str) -> str | None:
    """The working directory that a request to the model names."""
    match = _FOLDER.search(text)
    return match[1] if match else None


class DisplayLog:
    """Takes the messages one by one and keeps the turns they make."""

    def __init__(
        self, info: SessionInfo, results: Results, children: list[str], inclusive: bool
    ) -> None:
        """Start an empty log.

        Args:
            info: filled in with times, model and project on the way.
            results: what tools answered, from the log of requests.
            children: session ids of sub-tasks, in order.
            inclusive: whether ``tokensIn`` may count cached tokens too (Roo Code).
        """
        self.info = info
        self.coverage = Coverage()
        self.turns: list[Turn] = []
        self._results = results
        self._children = iter(children)
        self._inclusive = inclusive
        self._model = ""
        self._pending: dict[str, ToolResult] = {}
        self._said = ""
        self._new = True

    def read(self, messages: list[Any]) -> Iterator[Turn]:
        """The turns of all messages; each is counted in ``coverage``."""
        for message in finished(messages):
            self.coverage.records += 1
            try:
                kept = self._take(message)
            except WRONG_SHAPE:
                self.coverage.bad += 1
                continue
            self.coverage.kept += kept
            self.coverage.skipped += not kept
        yield from (turn for turn in self.turns if turn.blocks or turn.usage)

    def _take(self, message: dict[str, Any]) -> bool:
        """One message; whether anything of it was kept."""
        time = milliseconds(message.get("ts"))
        if time is not None:
            self.info.created_at = self.info.created_at or time
            self.info.updated_at = max(time, self.info.updated_at or time)
        kind = as_text(message.get("say") or message.get("ask"))
        if message.get("partial") is True or kind in _SKIPPED:
            return False
        model = message.get("modelInfo")
        if isinstance(model, dict):
            self._model = as_text(model.get("modelId")) or self._model
            self.info.model = self._model or self.info.model
        text = as_text(message.get("text"))
        if kind in ("command", "completion_result"):
            for suffix in _SUFFIXES:
                text = text.removesuffix(suffix)
        files = attached(message)
        thought = as_text(message.get("reasoning"))
        if thought.strip():
            self._add(Reasoning(thought), time)
        first = not any(turn.role == "user" for turn in self.turns)
        if kind in ("task", "user_feedback") or (kind == "text" and first):
            said = [Text(text)] if text.strip() else []
            return self._reply([*said, *files], time) or bool(thought)
        if kind == "user_feedback_diff":
            change = table_of(text)
            words = f"{as_text(change.get('path'))}\n{as_text(change.get('diff'))}".strip()
            return self._reply([Text(words or text)], time)
        kept = self._part(kind, text, time, message)
        for image in files:
            self._add(image, time)
        return kept or bool(files or thought)

    def _part(self, kind: str, text: str, time: int | None, message: dict[str, Any]) -> bool:
        """A message of the model's, a tool's or the extension's."""
        value = table_of(text)
        if kind == "api_req_started" or kind in _SPENT:
            return self._request(kind, value, time)
        if kind in ("text", "completion_result", "new_task", "followup") or kind.endswith(
            "_mode_respond"
        ):
            words = words_of(kind, value, text)
            if not words.strip() or (kind == "completion_result" and words == self._said):
                return False
            self._said = words
            return self._add(Text(words), time)
        if kind == "reasoning":
            return bool(text.strip()) and self._add(Reasoning(text), time)
        if kind in ("tool", "command", "use_mcp_server", "use_subagents") or kind in (
            "browser_action_launch",
            "browser_action",
        ):
            return self._call(kind, text, value, time, message)
        if kind in (
            "command_output",
            "mcp_server_response",
            "browser_action_result",
            "subtask_result",
            "codebase_search_result",
            "subagent",
        ):
            return self._answer(kind, text, value, time)
        if kind == "image":
            return self._add(Image(url=as_text(value.get("imagePath")) or text[:1000]), time)
        told = notice(kind, text, value, message)
        if told is None:
            count_unknown(self.coverage, kind or "message")
            told = Turn(role="system", blocks=[Raw(kind or "message", message)], meta=True)
        told.time = time
        self.turns.append(told)
        return True

    def _request(self, kind: str, value: dict[str, Any], time: int | None) -> bool:
        """A request to the model: what it used, and where it was made."""
        request = as_text(value.get("request"))
        self.info.project = self.info.project or project_in(request)
        if match := _MODEL.search(request):
            self._model = self.info.model = match[1]
        fresh, written = whole(value.get("tokensIn")), whole(value.get("cacheWrites"))
        read = whole(value.get("cacheReads"))
        apart = value.get("apiProtocol") == "anthropic" and (time or 0) < _TOTALS_SINCE
        if self._inclusive and not apart and fresh >= read + written:
            fresh -= read + written
        turn = Turn(role="assistant", blocks=[], time=time, model=self._model)
        turn.usage = some(Usage(fresh, whole(value.get("tokensOut")), read, written))
        turn.cost_micro = micro_dollars(value.get("cost")) or None
        reason = as_text(value.get("cancelReason"))
        if kind in _SPENT:
            words = "Sub-agents" if kind == "subagent_usage" else "Deleted requests"
            turn.role, turn.blocks, turn.meta = "system", [Notice("info", words)], True
        elif reason:
            failed = as_text(value.get("streamingFailedMessage"))
            turn.api_error = reason != "user_cancelled"
            turn.blocks = [Notice("error" if turn.api_error else "interruption", failed)]
        self.turns.append(turn)
        self._new = kind in _SPENT
        return True

    def _reply(self, blocks: list[Block], time: int | None) -> bool:
        if blocks:
            self.turns.append(Turn(role="user", blocks=blocks, time=time))
        return bool(blocks)

    def _add(self, block: Block, time: int | None) -> bool:
        """A block of the model's: to its turn, if nothing came between."""
        last = self.turns[-1] if self.turns else None
        if last is None or last.role != "assistant" or self._new:
            last = Turn(role="assistant", blocks=[], time=time, model=self._model)
            self.turns.append(last)
            self._new = False
        last.blocks.append(block)
        return True

    def _call(
        self, kind: str, text: str, value: dict[str, Any], time: int | None, message: dict[str, Any]
    ) -> bool:
        name, given = call_of(kind, text, value)
        if name == "summarizeTask":
            words = [Text(as_text(value.get("content")))]
            self.turns.append(Turn(role="summary", blocks=[Notice("compaction"), *words]))
            return True
        shown = as_text(given.pop("content", "")) if name in _SHOWN else ""
        found = self._results.take(name, given)
        use = ToolUse(found.tool_use_id if found else "", name, given)
        use.id = use.id or f"{as_text(message.get('ts'))}:{self.coverage.records}"
        self._add(use, time)
        result = found or ToolResult(use.id)
        result.tool_use_id = use.id
        if shown and not result.content:
            result.content = [Text(shown)]
        if name == "newTask":
            result.child = next(self._children, "")
        self._pending[kind if kind != "tool" else name] = result
        if result.content or result.child:
            self._tool(result, time)
        return True

    def _answer(self, kind: str, text: str, value: dict[str, Any], time: int | None) -> bool:
        """What a tool said, for the last call of its kind."""
        call = ANSWERED.get(kind, "browser_action")
        if kind == "browser_action_result" and call not in self._pending:
            call = "browser_action_launch"
        result = self._pending.get(call) or ToolResult("")
        self._pending[call] = result
        blocks = answer_blocks(kind, text, value)
        if not blocks or _known(result, text):
            return False
        self._tool(result, time)
        if kind in ("command_output", "browser_action_result"):
            result.content.extend(blocks)
        else:
            result.content = blocks
        if call in ("browser_action", "browser_action_launch"):
            self._pending.pop(call, None)
        return True

    def _tool(self, result: ToolResult, time: int | None) -> None:
        """Give a result its place after its call, once."""
        for turn in reversed(self.turns):
            if any(block is result for block in turn.blocks):
                return
            if turn.role == "user":
                break
        self.turns.append(Turn(role="tool", blocks=[result], time=time))


def _known(result: ToolResult, text: str) -> bool:
    """Whether a result holds this text already (the log of requests has it whole)."""
    text = text.strip()
    return bool(text) and any(isinstance(b, Text) and text in b.text for b in result.content)
