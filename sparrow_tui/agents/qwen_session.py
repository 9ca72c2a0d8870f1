"""One pass over a Qwen Code session: its records as turns, from any point on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sparrow_tui.agents import gemini_parts, lines, qwen_tree
from sparrow_tui.agents.base import (
    Batch,
    Checkpoint,
    Source,
)
from sparrow_tui.agents.by_session import cut
from sparrow_tui.agents.common import as_text, milliseconds
from sparrow_tui.model import Block, Coverage, Notice, Raw, SessionInfo, Text, Turn

_SILENT = {
    "ui_telemetry", "at_command", "attribution_snapshot", "session_notes", "session_source",
    "session_execution_engine", "session_approval_mode", "session_artifact_event",
    "session_artifact_snapshot", "session_sources_snapshot", "file_history_snapshot",
    "user_text_elements", "branch_checkpoint", "goal_state", "goal_turn_end", "omni_recall",
    "agent_bootstrap", "agent_session_ready", "turn_result", "background_task_completed",
}  # fmt: skip


_INJECTED = {"notification", "cron", "goal_runtime", "agent_retry", "background_task_completed"}


class Reading:
    """One pass over a session's file, from its beginning or from its last turn on."""

    def __init__(self, source: Source, since: Checkpoint | None) -> None:
        state = since.state if since is not None and isinstance(since.state, dict) else {}
        if not state or not lines.resumable(source.path, since, source.size):
            since, state = None, {}
        self.path = Path(source.path)
        self.subagent = source.kind == "subagent"
        self.offset = since.offset if since is not None else 0
        self.start = since.turns if since is not None else 0
        self.going_on = since is not None
        self.end = int(state.get("end") or 0)
        """Everything before was counted."""
        self.tail: list[str] = list(state.get("tail") or [])
        """Ids a next record may hang on without being a fork."""
        self.manual = bool(state.get("manual"))
        """A title the user gave is not replaced by a made-up one."""
        self.info = SessionInfo(id=as_text(state.get("id")))
        self.coverage = Coverage()
        self.open_at = self.offset
        self.open_turn = self.start
        self.undone = False
        """The line being read is on a branch the user left."""

    def ahead(self) -> tuple[bool, bool]:
        """Whether anything was appended, and whether all of it hangs on the end."""
        tail, news = set(self.tail), False
        for _, end, records in qwen_tree.records(str(self.path), self.offset):
            if end <= self.end:
                continue
            news = True
            for record in records:
                if not qwen_tree.joins(record, tail):
                    return True, False
                tail.add(as_text(record.get("uuid")))
        return news, True

    def batches(self) -> Iterator[Batch]:
        """The batches, the last one with the checkpoint."""
        dead = [] if self.going_on else qwen_tree.dead(str(self.path))
        last: Batch | None = None
        if not self.info.id:
            self.info.id = f"qwen:{self.path.stem}"
        parts = cut(self.info, self._turns(dead), self.coverage, start=self.start,
                    fresh=not self.going_on)  # fmt: skip
        for batch in parts:
            if last is not None:
                yield last
            last = batch
        if last is None:
            return
        last.checkpoint = Checkpoint(
            self.open_at,
            lines.fingerprint(self.path, min(lines.HEAD, self.end)) if self.end else "",
            self.open_turn,
            {"end": self.end, "tail": self.tail, "manual": self.manual, "id": self.info.id},
        )
        yield last

    def _turns(self, dead: list[tuple[int, int]]) -> Iterator[Turn]:
        """Turns in order; lines of one logical message (same uuid) make one turn."""
        held: Turn | None = None
        number = self.start
        counted_to = self.end
        for at, end, records in qwen_tree.records(str(self.path), self.offset):
            coverage = self.coverage if end > counted_to else Coverage()
            if not records:
                coverage.records += 1
                coverage.bad += 1
            self.undone = any(first <= at < behind for first, behind in dead)
            for record in records:
                coverage.records += 1
                turn = self._turn(record, coverage)
                if turn is None:
                    continue
                turn.branch = self.undone
                if (
                    held is not None
                    and turn.uid
                    and turn.uid == held.uid
                    and turn.role == held.role
                ):
                    held.blocks += turn.blocks
                    held.model = turn.model or held.model
                    if turn.usage is not None:
                        held.usage = turn.usage + held.usage if held.usage else turn.usage
                        held.usage_id = turn.usage_id
                    continue
                if held is not None:
                    yield held
                    number += 1
                held, self.open_at, self.open_turn = turn, at, number
            self.end = max(self.end, end)
        if held is not None:
            yield held

    def _turn(self, record: dict[str, Any], coverage: Coverage) -> Turn | None:
        """What a record says; facts of the session are taken down on the way."""
        kind, subtype = as_text(record.get("type")), as_text(record.get("subtype"))
        moment = milliseconds(record.get("timestamp"))
        uuid = as_text(record.get("uuid"))
        self._facts(record, moment)
        if kind in qwen_tree.SPOKEN:
            self.tail = [uuid]
        else:
            self.tail.append(uuid)
        if kind == "system" and subtype == "rewind":
            self.tail = [uuid]
        message = record.get("message")
        content = message.get("parts") if isinstance(message, dict) else None
        turn = Turn(role="system", blocks=[], time=moment, uid=uuid)
        if kind == "user":
            turn.role = "user"
            turn.blocks = _prompt(record, content, coverage)
            turn.meta = subtype in _INJECTED or record.get("provenance") == "goal_control"
        elif kind == "assistant":
            turn.role, turn.model = "assistant", as_text(record.get("model"))
            turn.blocks = gemini_parts.blocks(content, coverage)
            tokens = record.get("usageMetadata")
            if isinstance(tokens, dict):
                turn.usage = gemini_parts.usage(
                    tokens.get("promptTokenCount"),
                    tokens.get("candidatesTokenCount"),
                    tokens.get("cachedContentTokenCount"),
                    tokens.get("thoughtsTokenCount"),
                    total=tokens.get("totalTokenCount"),
                )
                turn.usage_id = uuid if turn.usage is not None else ""
            if turn.model:
                self.info.model = turn.model
        elif kind == "tool_result":
            turn.role = "tool"
            turn.blocks = [_answer(record, content, coverage)]
        elif kind == "system" and subtype not in _SILENT:
            turn.blocks = self._system(record, subtype, coverage)
        elif kind != "system":
            coverage.unknown[kind] = coverage.unknown.get(kind, 0) + 1
            turn.blocks = [Raw(kind or "record", record)]
        if turn.blocks or turn.usage is not None:
            coverage.kept += 1
            return turn
        coverage.skipped += 1
        return None

    def _facts(self, record: dict[str, Any], moment: int | None) -> None:
        info = self.info
        session_id = as_text(record.get("sessionId"))
        if session_id and not self.going_on:
            if self.subagent:
                info.parent = f"qwen:{session_id}"
            elif info.created_at is None:
                info.id = f"qwen:{session_id}"
        if not self.going_on:
            info.created_at = info.created_at or moment
            info.project = info.project or as_text(record.get("cwd")) or None
        info.branch = as_text(record.get("gitBranch")) or info.branch
        info.updated_at = max(info.updated_at or 0, moment or 0) or None
        if record.get("version"):
            info.extra = {"version": as_text(record["version"])}

    def _system(self, record: dict[str, Any], subtype: str, coverage: Coverage) -> list[Block]:
        """A system record worth seeing, or nothing."""
        payload = record.get("systemPayload")
        payload = payload if isinstance(payload, dict) else {}
        if subtype == "custom_title":
            manual = payload.get("titleSource") != "auto"
            title = as_text(payload.get("customTitle")).strip()
            if title and not self.undone and (manual or not self.manual):
                self.info.title, self.manual = title, manual
            return []
        if subtype == "session_model":
            self.info.model = as_text(payload.get("model")) or self.info.model
            return []
        if subtype == "parent_session":
            parent = as_text(payload.get("parentSessionId"))
            self.info.parent = f"qwen:{parent}" if parent else self.info.parent
            return []
        if subtype == "chat_compression":
            info = payload.get("info")
            info = info if isinstance(info, dict) else {}
            before, after = info.get("originalTokenCount"), info.get("newTokenCount")
            sizes = f"{before} → {after} tokens" if before and after else ""
            return [Notice("compaction", sizes)]
        if subtype == "rewind":
            return [Notice("rewind")]
        if subtype == "slash_command":
            if payload.get("phase") == "invocation" or "phase" not in payload:
                return [Notice("command", as_text(payload.get("rawCommand")))]
            items = payload.get("outputHistoryItems")
            said = [
                as_text(item.get("text"))
                for item in (items if isinstance(items, list) else [])
                if isinstance(item, dict) and item.get("text")
            ]
            return [Notice("command", "\n".join(said))] if said else []
        key = f"system {subtype}".strip()
        coverage.unknown[key] = coverage.unknown.get(key, 0) + 1
        return [Raw(key, record)]


def _prompt(record: dict[str, Any], content: Any, coverage: Coverage) -> list[Block]:
    """What the user typed, where the record tells it from what hooks added; and pictures."""
    said = gemini_parts.blocks(content, coverage)
    payload = record.get("systemPayload")
    typed = payload.get("displayText") if isinstance(payload, dict) else None
    if isinstance(typed, str) and typed.strip():
        return [Text(typed), *(block for block in said if not isinstance(block, Text))]
    return said


def _answer(record: dict[str, Any], content: Any, coverage: Coverage) -> Block:
    """A tool's answer; its call's id and fate are told twice."""
    told = record.get("toolCallResult")
    told = told if isinstance(told, dict) else {}
    call = as_text(told.get("callId"))
    for part in content if isinstance(content, list) else []:
        response = part.get("functionResponse") if isinstance(part, dict) else None
        if not call and isinstance(response, dict):
            call = as_text(response.get("id"))
    status = as_text(told.get("status"))
    return gemini_parts.result(
        call, content, coverage, failed=status in ("error", "cancelled") if status else None
    )
