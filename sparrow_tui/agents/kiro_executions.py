"""What Kiro's editor did before version 1.0: logs of executions, and the chats of 2025.

Below ``globalStorage/kiro.kiroagent`` each workspace has a folder named by the first half of its
path's SHA-256. In it lie ``<hash>.chat`` files (the model's context, a snapshot each time) and,
in the folder `LOGS`, a log of every execution: one JSON document of actions.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from sparrow_tui.agents.base import walk
from sparrow_tui.agents.common import COUNT_LIMIT, as_text, milliseconds
from sparrow_tui.agents.injected import user_turns
from sparrow_tui.agents.projects import json_file
from sparrow_tui.model import Coverage, Reasoning, Text, ToolResult, ToolUse, Turn

LOGS = "414d1636299d2b9e4ce7e17fb11f63e9"
"""The first half of the SHA-256 of ``KIRO::EXECUTION::SAVES``."""
HEAD = 4096
"""Bytes at a document's beginning within which its execution is named."""
_FOLDER = re.compile(r"[0-9a-f]{32}")
_EXECUTION = re.compile(rb'"executionId"\s*:\s*"([^"]{1,100})"')
_SILENT = {"model", "intentClassification"}
_FAILED = {"error", "failed", "rejected", "aborted", "canceled", "cancelled"}
_DONE = {"success", "succeeded", "completed", "accepted", "approved"}
_WRAPPED = re.compile(r"\s*<(kiro-ide-message|user)>\s*(.*?)\s*</\1>\s*", re.DOTALL)
_SYSTEM = ("<identity>", "# Identity", "# System Prompt", "<key_kiro_features>")
_AGREED = "I will follow these instructions."


def workspaces(store: Path) -> list[Path]:
    """The folders of workspaces in the editor's store."""
    try:
        return sorted(
            Path(entry.path) for entry in os.scandir(store) if _FOLDER.fullmatch(entry.name)
        )
    except OSError:
        return []


def index(store: Path) -> dict[str, Path]:
    """Every execution's document: its log, else the largest of its chats."""
    folders = [folder / LOGS for folder in workspaces(store)]
    folders += workspaces(store)
    return _index(tuple((os.fspath(folder), modified(folder)) for folder in folders))


def modified(path: str | Path) -> int:
    """When a file or folder was changed, in nanoseconds; 0 if it is gone."""
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=4)
def _index(folders: tuple[tuple[str, int], ...]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    sizes: dict[str, float] = {}
    for folder, _ in folders:
        logs = os.path.basename(folder) == LOGS
        for entry in walk(folder, ("",) if logs else (".chat",), 0):
            name = execution_of(entry.path)
            if name:
                # A log comes before any chat.
                size = math.inf if logs else os.path.getsize(entry.path)
                if size > sizes.get(name, -1):
                    found[name], sizes[name] = Path(entry.path), size
    return found


def execution_of(path: str | Path) -> str:
    """The execution a document is of; empty if it does not say."""
    try:
        with open(path, "rb") as file:
            match = _EXECUTION.search(file.read(HEAD))
    except OSError:
        return ""
    return match[1].decode(errors="replace") if match else ""


class Executions:
    """The executions of one session: each told once."""

    def __init__(self, store: Path) -> None:
        self._paths = index(store)
        self._told: set[str] = set()
        self.credits = 0.0
        """Credits that those told took."""

    def log(self, execution: str) -> dict[str, Any]:
        """A document that was not told yet; empty if there is none."""
        path = self._paths.get(execution) if execution not in self._told else None
        value = json_file(path) if path is not None else None
        return value if isinstance(value, dict) else {}

    def turns(self, execution: str) -> list[Turn]:
        """The answer an execution gave, as it is logged or in a chat; empty if neither is left."""
        value = self.log(execution)
        self._told.add(execution)
        if isinstance(value.get("chat"), list):
            told = list(chat_turns(value, Coverage()))
            last = max(
                (n for n, t in enumerate(told) if t.role == "user" and not t.meta), default=-1
            )
            return told[last + 1 :]
        found: list[Turn] = []
        actions = value.get("actions")
        for action in actions if isinstance(actions, list) else []:
            if isinstance(action, dict):
                self._action(action, found, milliseconds(value.get("startTime")))
        options = value.get("completionOptions")
        model = as_text(options.get("modelId")) if isinstance(options, dict) else ""
        for turn in found:
            turn.model = turn.model or (model if turn.role == "assistant" else "")
        self._count(value.get("usageSummary"))
        return found

    def _action(self, action: dict[str, Any], found: list[Turn], begun: int | None) -> None:
        kind, given, got = (
            as_text(action.get("actionType")),
            action.get("input"),
            action.get("output"),
        )
        time = milliseconds(action.get("emittedAt")) or begun
        said = got.get("message") if isinstance(got, dict) else got
        if kind in _SILENT:
            return
        if kind in ("say", "reasoning"):
            if as_text(said).strip():
                block = Text(as_text(said)) if kind == "say" else Reasoning(as_text(said))
                _open(found, time).blocks.append(block)
            return
        below = got.get("executionId") if isinstance(got, dict) else None
        if given is None and got is None:
            return
        call = as_text(action.get("actionId"))
        if kind == "mcp" and isinstance(given, dict):
            kind, given = as_text(given.get("toolName")) or kind, given.get("toolArgs")
        _open(found, time).blocks.append(ToolUse(call, kind, given))
        state = as_text(action.get("actionState")).lower()
        if got is not None or state in _FAILED:
            found.append(Turn(role="tool", blocks=[_result(call, got, state)], time=time))
        if isinstance(below, str) and below not in self._told:
            found.extend(self.turns(below))

    def _count(self, summary: Any) -> None:
        for entry in summary if isinstance(summary, list) else []:
            used = entry.get("usage") if isinstance(entry, dict) else None
            if not isinstance(used, int | float) or not 0 <= used < COUNT_LIMIT:
                continue
            if as_text(entry.get("unit")).startswith("credit"):
                self.credits += used


def _open(found: list[Turn], time: int | None) -> Turn:
    """The assistant's turn that is being told."""
    if not found or found[-1].role != "assistant":
        found.append(Turn(role="assistant", blocks=[], time=time))
    return found[-1]


def _result(call: str, got: Any, state: str) -> ToolResult:
    """What an action came to."""
    code = got.get("exitCode") if isinstance(got, dict) else None
    said = got
    if isinstance(got, dict):
        keys = ("response", "output", "content", "message", "error")
        said = next(
            (got[key] for key in keys if got.get(key)), got if set(got) - {"exitCode"} else ""
        )
    text = as_text(said)
    failed = True if state in _FAILED else False if state in _DONE else None
    return ToolResult(
        call,
        [Text(text)] if text.strip() else [],
        is_error=failed,
        exit_code=code if isinstance(code, int) and not isinstance(code, bool) else None,
    )


def chat_turns(document: dict[str, Any], coverage: Coverage) -> Iterator[Turn]:
    """The turns of a ``.chat``: the model's context, its instructions among them."""
    metadata = document.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    time, model = milliseconds(metadata.get("startTime")), as_text(metadata.get("modelId"))
    chat = document.get("chat")
    for message in chat if isinstance(chat, list) else []:
        coverage.records += 1
        if not isinstance(message, dict):
            coverage.bad += 1
            continue
        role, text = as_text(message.get("role")), as_text(message.get("content"))
        if not text.strip():
            coverage.skipped += 1
            continue
        coverage.kept += 1
        if role in ("human", "user"):
            if text.lstrip().startswith(_SYSTEM):
                yield Turn(role="user", blocks=[Text(text)], time=time, meta=True)
                continue
            match = _WRAPPED.fullmatch(text)
            yield from user_turns([Text(match[2] if match else text)], time=time)
        elif role in ("bot", "assistant"):
            agreed = text.strip() == _AGREED
            yield Turn(role="assistant", blocks=[Text(text)], time=time, model=model, meta=agreed)
        else:
            yield Turn(role="tool", blocks=[ToolResult("", [Text(text)])], time=time)
