"""Codex's rollout items → turns: doubled messages once, totals as shares, forks without copies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sparrow_tui.agents import lines
from sparrow_tui.agents.base import Source, SourceError
from sparrow_tui.agents.common import as_text, data_url, json_or_text, milliseconds, whole
from sparrow_tui.agents.line_session import LineSession
from sparrow_tui.model import (
    Block,
    Image,
    Notice,
    Raw,
    Reasoning,
    Text,
    ToolResult,
    ToolUse,
    Turn,
    Usage,
)

RECENT = 12
"""Messages remembered to recognise their double."""
REPLAY_MS = 2_000
"""A fork writes its parent's items anew at once: within this time of its own beginning."""

_EVENTS_SKIPPED = frozenset(
    (
        "agent_message_delta", "agent_message_content_delta", "agent_reasoning_delta",
        "agent_reasoning_raw_content", "agent_reasoning_raw_content_delta",
        "agent_reasoning_section_break", "apply_patch_approval_request", "background_event",
        "collab_agent_spawn_begin", "collab_agent_spawn_end", "context_compacted",
        "deprecation_notice", "elicitation_request", "entered_review_mode",
        "exec_approval_request", "exec_command_begin", "exec_command_end",
        "exec_command_output_delta", "exited_review_mode", "get_history_entry_response",
        "image_generation_begin", "image_generation_end", "item_completed", "item_started",
        "list_custom_prompts_response", "list_skills_response", "mcp_list_tools_response",
        "mcp_startup_complete", "mcp_startup_update", "mcp_tool_call_begin", "mcp_tool_call_end",
        "patch_apply_begin", "patch_apply_end", "patch_apply_updated", "plan_delta",
        "plan_update", "raw_response_item", "reasoning_content_delta",
        "reasoning_raw_content_delta", "request_user_input", "session_configured",
        "shutdown_complete", "skills_update_available", "terminal_interaction",
        "thread_goal_updated", "turn_diff", "undo_completed", "undo_started",
        "view_image_tool_call", "warning", "web_search_begin", "web_search_end",
    )
)  # fmt: skip
_INJECTED = (
    "<environment_context>", "<user_instructions>", "# AGENTS.md instructions",
    "<permissions instructions>", "<app-context>", "<turn_aborted>", "<skill>", "<INSTRUCTIONS>",
    "<collaboration_mode>", "<subagent_notification>", "<model_switch>",
)  # fmt: skip
_EXIT = re.compile(r"(?:Exit code:|[Pp]rocess exited with code)\s*(-?\d+)")
_WALL = re.compile(r"Wall time:\s*([\d.]+)\s*seconds")


class CodexSession(LineSession):
    """One rollout."""

    @classmethod
    def of(cls, source: Source) -> CodexSession:
        """The session a rollout holds: the id of its first header, else that in its name."""
        native = ""
        try:
            for _, record in lines.records(source.path):
                body = record.get("payload", record) if record else {}
                if isinstance(body, dict) and isinstance(body.get("id"), str):
                    native = body["id"]
                break
        except SourceError:
            pass
        name = Path(source.path).name.removesuffix(".zst").removesuffix(".jsonl")
        return cls(source, f"codex:{native or name[-36:]}")

    def take(self, record: dict[str, Any]) -> Iterator[Turn]:
        """The turns a line completes."""
        time = milliseconds(record.get("timestamp"))
        payload = record.get("payload")
        if isinstance(payload, dict):
            self.seen(time)
            yield from self._envelope(str(record.get("type") or ""), payload, time)
        elif "record_type" in record:
            self.skip()
        elif "type" not in record and "id" in record:
            self.seen(time)
            self._meta(record)
        else:
            yield from self._item(record, time)

    def _envelope(self, kind: str, body: dict[str, Any], time: int | None) -> Iterator[Turn]:
        if kind == "response_item":
            yield from self._item(body, time)
        elif kind == "event_msg":
            yield from self._event(body, time)
        elif kind == "session_meta":
            self._meta(body)
        elif kind == "turn_context":
            self.skip()
            self._context(body)
        elif kind == "compacted":
            yield from self.close()
            self.keep()
            text = as_text(body.get("message")).strip()
            blocks: list[Block] = [Notice("compaction", "Context compacted")]
            if text:
                blocks.append(Text(text))
            yield Turn(role="summary", blocks=blocks, time=time, meta=True)
        elif kind == "world_state":
            self.skip()
        else:
            yield from self.close()
            yield self.unknown(kind or "record", body, time)

    def _meta(self, body: dict[str, Any]) -> None:
        """The first header is the session's own; forks carry copies of their parents' after it."""
        self.skip()
        if self.state.get("meta"):
            if isinstance(body.get("id"), str) and f"codex:{body['id']}" != self.info.id:
                self.state.setdefault("origin", body["id"])
            return
        self.state["meta"] = True
        self.state["began"] = milliseconds(body.get("timestamp"))
        if isinstance(body.get("cwd"), str):
            self.info.project = body["cwd"]
        git = body.get("git")
        if isinstance(git, dict) and isinstance(git.get("branch"), str):
            self.info.branch = git["branch"]
        for name in ("originator", "cli_version", "model_provider"):
            if isinstance(body.get(name), str):
                self.info.extra[name.replace("_", " ")] = body[name]
        origin = body.get("forked_from_id")
        source = body.get("source")
        if isinstance(source, dict) and "subagent" in source:
            spawn = source["subagent"]
            spawn = spawn.get("thread_spawn", spawn) if isinstance(spawn, dict) else {}
            parent = spawn.get("parent_thread_id") or body.get("parent_thread_id") or origin
            if isinstance(parent, str):
                self.info.parent = f"codex:{parent}"
        if isinstance(origin, str):
            self.state["origin"] = origin

    def _context(self, body: dict[str, Any]) -> None:
        if not self.info.project and isinstance(body.get("cwd"), str):
            self.info.project = body["cwd"]
        if isinstance(body.get("model"), str) and body["model"]:
            self.info.model = body["model"]

    def _uid(self, time: int | None) -> str:
        """The same in a fork's copy: the origin's id and the place among the items."""
        number = self.state.get("number", 0)
        self.state["number"] = number + 1
        origin = self.state.get("origin") if self._replaying(time) else None
        return f"{origin or self.info.native_id}#{number}"

    def _replaying(self, time: int | None) -> bool:
        began = self.state.get("began")
        if not self.state.get("origin") or began is None or time is None:
            return False
        return bool(time <= began + REPLAY_MS)

    # Items

    def _item(self, body: dict[str, Any], time: int | None) -> Iterator[Turn]:
        kind = str(body.get("type") or "")
        if kind == "message":
            yield from self._message(body, time)
        elif kind == "reasoning":
            parts = [*_texts(body.get("summary")), *_texts(body.get("content"))]
            new = [part for part in parts if not self._doubled("reasoning", part)]
            if new:
                self.keep()
                yield from self._assistant([Reasoning("\n\n".join(new))], time)
            else:
                self.skip()
        elif kind.endswith("_output"):
            self.keep()
            self._result(body, time)
        elif kind.endswith("_call"):
            self.keep()
            yield from self._assistant([_call(kind, body)], time)
            if kind == "image_generation_call" and isinstance(body.get("result"), str):
                image = Image("image/png", body["result"], size=len(body["result"]) * 3 // 4)
                call = str(body.get("call_id") or body.get("id") or "")
                self._answer(ToolResult(call, [image]), time)
        elif kind in ("compaction", "compaction_summary", "context_compaction", "ghost_snapshot"):
            self.skip()
        else:
            yield from self.close()
            yield self.unknown(f"response_item/{kind}", body, time)

    def _message(self, body: dict[str, Any], time: int | None) -> Iterator[Turn]:
        role = str(body.get("role") or "")
        blocks = _content(body.get("content"))
        text = "\n".join(block.text for block in blocks if isinstance(block, Text))
        if not blocks:
            self.skip()
        elif role == "assistant":
            if self._doubled("assistant", text):
                self.skip()
                return
            self.keep()
            yield from self._assistant(blocks, time)
        elif role == "user" and not text.lstrip().startswith(_INJECTED):
            if self._doubled("user", text):
                self.skip()
                return
            yield from self._prompt(blocks, time)
        else:
            yield from self.close()
            self.keep()
            shown = "user" if role == "user" else "system"
            yield Turn(role=shown, blocks=blocks, time=time, uid=self._uid(time), meta=True)

    def _prompt(self, blocks: list[Block], time: int | None) -> Iterator[Turn]:
        yield from self.close()
        self.keep()
        self.state["last"] = "working"
        yield Turn(role="user", blocks=blocks, time=time, uid=self._uid(time))

    def _assistant(self, blocks: list[Block], time: int | None) -> Iterator[Turn]:
        """What the model said joins its open turn, unless a tool answered since."""
        if not (self.open and self.open[-1].role == "assistant"):
            yield from self.close()
            turn = Turn(role="assistant", blocks=[], time=time, uid=self._uid(time),
                        model=self.info.model or "")  # fmt: skip
            self.open = [turn]
            pending = self.state.pop("pending", None)
            if pending:
                turn.usage = Usage(*pending)
        self.open[-1].blocks.extend(blocks)

    def _result(self, body: dict[str, Any], time: int | None) -> None:
        output = body.get("output")
        if output is None:
            output = body.get("tools")
        call = str(body.get("call_id") or "")
        self._answer(_unwrapped(call, output, body), time)

    def _answer(self, result: ToolResult, time: int | None) -> None:
        self.state["last"] = "working"
        if not (self.open and self.open[-1].role == "tool"):
            self.open.append(Turn(role="tool", blocks=[], time=time, uid=self._uid(time)))
        self.open[-1].blocks.append(result)
        self.open[-1].time = time or self.open[-1].time

    def _doubled(self, kind: str, text: str) -> bool:
        """Messages stand twice in a rollout, as item and as event: the second one is skipped."""
        recent: list[list[str]] = self.state.setdefault("recent", [])
        mark = [kind, text.strip()[:400]]
        if mark in recent:
            recent.remove(mark)
            return True
        recent.append(mark)
        del recent[:-RECENT]
        return False

    # Events

    def _event(self, body: dict[str, Any], time: int | None) -> Iterator[Turn]:
        kind = str(body.get("type") or "")
        if kind == "token_count":
            self.skip()
            self._tokens(body.get("info"), time)
        elif kind == "user_message":
            text = as_text(body.get("message"))
            if not text.strip() or self._doubled("user", text):
                self.skip()
                return
            images = body.get("images")
            more = [data_url(url) for url in images or () if isinstance(url, str)]
            yield from self._prompt([Text(text), *more], time)
        elif kind in ("agent_message", "agent_reasoning"):
            text = as_text(body.get("message") or body.get("text"))
            spoken = kind == "agent_message"
            if not text.strip() or self._doubled("assistant" if spoken else "reasoning", text):
                self.skip()
                return
            self.keep()
            yield from self._assistant([Text(text) if spoken else Reasoning(text)], time)
        elif kind in ("task_started", "turn_started"):
            self.skip()
            self.state["last"] = "working"
        elif kind in ("task_complete", "turn_complete"):
            self.skip()
            self.state["last"] = "waiting"
        elif kind == "thread_name_updated":
            self.skip()
            name = as_text(body.get("thread_name") or body.get("name")).strip()
            self.info.title = name or self.info.title
        elif kind in ("turn_aborted", "error", "stream_error", "thread_rolled_back"):
            yield from self.close()
            self.keep()
            self.state["last"] = "waiting"
            yield self._mark(kind, body, time)
        elif kind in _EVENTS_SKIPPED:
            self.skip()
        else:
            yield from self.close()
            yield self.unknown(f"event_msg/{kind}", body, time)

    def _mark(self, kind: str, body: dict[str, Any], time: int | None) -> Turn:
        if kind == "turn_aborted":
            notice = Notice("interruption", f"Turn aborted ({as_text(body.get('reason'))})")
        elif kind == "thread_rolled_back":
            notice = Notice("rewind", f"{whole(body.get('num_turns'))} turns taken back")
        else:
            notice = Notice("error", as_text(body.get("message")))
        return Turn(role="system", blocks=[notice], time=time, uid=self._uid(time),
                    api_error=kind == "error")  # fmt: skip

    def _tokens(self, info: Any, time: int | None) -> None:
        """The growth of the session's running total belongs to the answer at hand."""
        total = info.get("total_token_usage") if isinstance(info, dict) else None
        if not isinstance(total, dict):
            return
        cached = whole(total.get("cached_input_tokens"))
        now = Usage(
            max(0, whole(total.get("input_tokens")) - cached),
            whole(total.get("output_tokens")),
            cached,
            0,
            whole(total.get("reasoning_output_tokens")),
        )
        before = Usage(*self.state.get("total", [0, 0, 0, 0, 0]))
        self.state["total"] = [now.input, now.output, now.cache_read, 0, now.reasoning]
        if self._replaying(time):
            return
        share = now.beyond(before) if now.total >= before.total else now
        if not share.total:
            return
        for turn in reversed(self.open):
            if turn.role == "assistant":
                turn.usage = share if turn.usage is None else turn.usage + share
                return
        pending = Usage(*self.state.get("pending", [0, 0, 0, 0, 0])) + share
        self.state["pending"] = [pending.input, pending.output, pending.cache_read, 0,
                                 pending.reasoning]  # fmt: skip

    def finish(self) -> None:
        """Nothing counted is lost: what no answer took stands in a turn of its own."""
        pending = self.state.pop("pending", None)
        if pending:
            self.open.append(Turn(role="system", blocks=[], usage=Usage(*pending), meta=True,
                                  time=self.info.updated_at, uid=self._uid(None)))  # fmt: skip
        self.info.status = str(self.state.get("last") or "ended")


def _texts(parts: Any) -> list[str]:
    """The texts of a list of summary or content parts."""
    if isinstance(parts, str):
        return [parts] if parts.strip() else []
    if not isinstance(parts, list):
        return []
    found = [as_text(part.get("text")) for part in parts if isinstance(part, dict)]
    return [text for text in found if text.strip()]


def _content(parts: Any) -> list[Block]:
    """Blocks of a message or a tool's output."""
    if isinstance(parts, str):
        return [Text(parts)] if parts.strip() else []
    blocks: list[Block] = []
    for part in parts if isinstance(parts, list) else ():
        kind = part.get("type") if isinstance(part, dict) else None
        if kind in ("input_text", "output_text", "text"):
            if as_text(part.get("text")).strip():
                blocks.append(Text(as_text(part.get("text"))))
        elif kind in ("input_image", "image"):
            blocks.append(data_url(as_text(part.get("image_url") or part.get("url"))))
        elif isinstance(part, str):
            blocks.append(Text(part))
        else:
            blocks.append(Raw(str(kind or "content"), part))
    return blocks


def _call(kind: str, body: dict[str, Any]) -> ToolUse:
    call = str(body.get("call_id") or body.get("id") or "")
    if kind == "function_call":
        name = str(body.get("name") or "")
        return ToolUse(call, name, json_or_text(body.get("arguments")))
    if kind == "custom_tool_call":
        return ToolUse(call, str(body.get("name") or ""), body.get("input"))
    name = str(body.get("name") or kind.removesuffix("_call"))
    value = body.get("action") or body.get("arguments") or body.get("revised_prompt")
    return ToolUse(call, name, json_or_text(value))


def _unwrapped(call: str, output: Any, body: dict[str, Any]) -> ToolResult:
    """A tool's output without its wrapping, with exit code and duration where they are told."""
    value = json_or_text(output)
    code: int | None = None
    duration: int | None = None
    if isinstance(value, dict) and ("output" in value or "content" in value):
        facts = value.get("metadata")
        if isinstance(facts, dict):
            if isinstance(facts.get("exit_code"), int):
                code = facts["exit_code"]
            if isinstance(facts.get("duration_seconds"), int | float):
                duration = int(facts["duration_seconds"] * 1000)
        success = value.get("success")
        output = value.get("output", value.get("content"))
        if isinstance(success, bool) and code is None:
            code = 0 if success else 1
    if isinstance(output, str):
        start = output[:400]
        if code is None and (match := _EXIT.search(start)):
            code = int(match[1])
        if duration is None and (match := _WALL.search(start)):
            duration = int(float(match[1]) * 1000)
        content: list[Block] = [Text(output)] if output.strip() else []
    elif isinstance(output, list):
        content = _content(output)
    else:
        content = [Text(as_text(output))] if output is not None else []
    failed = body.get("status") in ("failed", "incomplete") or (code is not None and code != 0)
    return ToolResult(call, content, is_error=failed or None if code is None else failed,
                      duration_ms=duration, exit_code=code)  # fmt: skip
