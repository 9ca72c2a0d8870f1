"""Codex (CLI, desktop, VS Code): where its rollouts are, and the commands around them."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from sparrow_tui.agents import lines
from sparrow_tui.agents.base import (
    Agent,
    Batch,
    Checkpoint,
    Place,
    Resume,
    Source,
    SourceError,
    entry_source,
    file_source,
    walk,
)
from sparrow_tui.agents.claude_restore import write_new
from sparrow_tui.agents.codex_records import CodexSession
from sparrow_tui.agents.line_session import read_session
from sparrow_tui.model import (
    Coverage,
    Reasoning,
    SessionInfo,
    Text,
    ToolResult,
    ToolUse,
    Turn,
    Usage,
)

UUID_LENGTH = 36


class Codex(Agent):
    """Reads ``~/.codex/sessions/**/rollout-*.jsonl``, compressed and archived ones too."""

    name = "codex"
    label = "Codex"
    glyph = "◎"
    color = "#7aa2f7"
    restorable = True

    def roots(self, place: Place) -> list[Path]:
        """Sessions, archived sessions and the index of names; ``CODEX_HOME`` moves them."""
        home = place.path("CODEX_HOME", place.home / ".codex")
        return [home / "sessions", home / "archived_sessions", home / "session_index.jsonl"]

    def sources(self, place: Place) -> Iterator[Source]:
        """Every rollout; a compressed one only where there is no plain one. The index last."""
        *folders, index = self.roots(place)
        for folder in folders:
            entries = {entry.path: entry for entry in walk(folder, (".jsonl", ".jsonl.zst"), 6)}
            for path, entry in entries.items():
                if path.endswith(".zst") and path.removesuffix(".zst") in entries:
                    continue
                source = entry_source(self.name, entry)
                if source is not None:
                    yield source
        names = self.source_at(index)
        if names is not None:
            yield names

    def sniff(self, path: Path, head: bytes) -> bool:
        """The envelope, or the header line of old rollouts."""
        if path.name.endswith(".jsonl.zst"):
            try:
                head = lines.beginning(path, 65_536)
            except SourceError:
                return False
        for line in head.split(b"\n")[:3]:
            record = lines.parse(line) if line.strip() else None
            if isinstance(record, dict):
                if record.get("type") == "session_meta" and "payload" in record:
                    return True
                if {"id", "timestamp", "instructions"} <= record.keys():
                    return True
                if {"id", "thread_name"} <= record.keys():
                    return True
        return head.startswith(b'{"timestamp":') and b'"payload":{' in head[:300]

    def source_at(self, path: Path) -> Source | None:
        """A rollout, or the index of names, which is read after the rollouts it names."""
        if path.name == "session_index.jsonl":
            source = file_source(self.name, path, "index")
            return msgspec.structs.replace(source, mtime=0) if source else None
        if path.name.endswith((".jsonl", ".jsonl.zst")) and path.name != "history.jsonl":
            return file_source(self.name, path)
        return None

    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Batch]:
        """The items of a rollout, or the names users gave."""
        if source.kind == "index":
            yield from _names(source)
        else:
            yield from read_session(source, since, CodexSession.of)

    def resume(self, session: SessionInfo) -> Resume | None:
        """``codex resume <id>``."""
        native = session.native_id[:UUID_LENGTH]  # without what the name of a copy adds
        return Resume(("codex", "resume", native), session.project or "")

    def restore(self, session: SessionInfo, turns: Iterable[Turn], place: Place) -> Path:
        """A new rollout in today's form."""
        started = datetime.fromtimestamp((session.created_at or 0) / 1000, UTC)
        name = f"rollout-{started:%Y-%m-%dT%H-%M-%S}-{session.native_id}.jsonl"
        folder = self.roots(place)[0] / f"{started:%Y/%m/%d}"
        return write_new(folder / name, _records(session, turns))


def _names(source: Source) -> Iterator[Batch]:
    """Titles of threads; the newest entry for an id wins."""
    names: dict[str, str] = {}
    coverage = Coverage()
    for _, record in lines.records(source.path):
        coverage.records += 1
        if record is None or not isinstance(record.get("id"), str):
            coverage.bad += 1
            continue
        coverage.skipped += 1
        names[record["id"]] = str(record.get("thread_name") or "").strip()
    for session, name in names.items():
        if name:
            yield Batch(SessionInfo(id=f"codex:{session}", title=name))


def _records(session: SessionInfo, turns: Iterable[Turn]) -> Iterator[dict[str, Any]]:
    """A rollout's lines for a session."""

    def line(kind: str, payload: dict[str, Any], moment: int | None) -> dict[str, Any]:
        stamp = datetime.fromtimestamp((moment or session.created_at or 0) / 1000, UTC)
        text = stamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"timestamp": text, "type": kind, "payload": payload}

    meta: dict[str, Any] = {
        "id": session.native_id, "cwd": session.project or os.getcwd(), "cli_version": "0",
        "originator": "codex_cli_rs", "source": "cli", "instructions": None,
        "timestamp": line("", {}, session.created_at)["timestamp"],
    }  # fmt: skip
    if session.branch:
        meta["git"] = {"branch": session.branch}
    yield line("session_meta", meta, session.created_at)
    if session.model:
        context = {"cwd": meta["cwd"], "model": session.model}
        yield line("turn_context", context, session.created_at)
    custom: set[str] = set()
    used = Usage()
    for turn in turns:
        used += turn.usage or Usage()
        if turn.branch:
            continue
        said = [block.text for block in turn.blocks if isinstance(block, Text)]
        if said and turn.role in ("user", "assistant", "system"):
            part = "output_text" if turn.role == "assistant" else "input_text"
            role = "developer" if turn.role == "system" else turn.role
            content = [{"type": part, "text": text} for text in said]
            item: dict[str, Any] = {"type": "message", "role": role, "content": content}
            yield line("response_item", item, turn.time)
            if turn.role == "user" and not turn.meta:
                event = {"type": "user_message", "message": "\n".join(said)}
                yield line("event_msg", event, turn.time)
        for block in turn.blocks:
            if isinstance(block, Reasoning):
                summary = [{"type": "summary_text", "text": block.text}]
                yield line("response_item", {"type": "reasoning", "summary": summary}, turn.time)
            elif isinstance(block, ToolUse):
                yield line("response_item", _call(block, custom), turn.time)
            elif isinstance(block, ToolResult):
                text = "\n".join(b.text for b in block.content if isinstance(b, Text))
                kind = "custom_tool_call" if block.tool_use_id in custom else "function_call"
                output = {"type": f"{kind}_output", "call_id": block.tool_use_id, "output": text}
                yield line("response_item", output, turn.time)
    total = {
        "input_tokens": used.input + used.cache_read + used.cache_write,
        "cached_input_tokens": used.cache_read, "output_tokens": used.output,
        "reasoning_output_tokens": used.reasoning,
    }  # fmt: skip
    info = {"total_token_usage": total}
    yield line("event_msg", {"type": "token_count", "info": info}, session.updated_at)


def _call(use: ToolUse, custom: set[str]) -> dict[str, Any]:
    """A call as an item: tools that take plain text are called by another kind of item."""
    call = use.id or str(uuid.uuid4())
    if isinstance(use.input, str):
        custom.add(call)
        return {"type": "custom_tool_call", "name": use.name, "input": use.input, "call_id": call}
    arguments = msgspec.json.encode(use.input).decode()
    return {"type": "function_call", "name": use.name, "arguments": arguments, "call_id": call}


AGENT = Codex()
