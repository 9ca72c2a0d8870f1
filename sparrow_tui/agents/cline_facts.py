"""What is known of a task of Cline's or Roo Code's beside its messages: lists, manifests, sums."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from sparrow_tui.agents.cline_messages import project_in
from sparrow_tui.agents.common import (
    as_text,
    milliseconds,
    title_of,
    whole,
)
from sparrow_tui.agents.line_session import some
from sparrow_tui.agents.projects import json_file
from sparrow_tui.model import SessionInfo, Usage


def facts_of(path: Path) -> dict[str, Any]:
    """A task's entry in the list of tasks, from the file beside it or the common one."""
    facts: dict[str, Any] = {}
    storage = path.parent.parent.parent
    for history in (storage / "state" / "taskHistory.json", storage / "tasks" / "_index.json"):
        try:
            status = os.stat(history)
        except OSError:
            continue
        facts = _history(str(history), status.st_size, status.st_mtime_ns).get(path.parent.name, {})
        break
    own = json_file(path.with_name("history_item.json"))
    metadata = json_file(path.with_name("task_metadata.json"))
    used = list_of(metadata.get("model_usage")) if isinstance(metadata, dict) else []
    facts = {**facts, **(own if isinstance(own, dict) else {})}
    if used and isinstance(used[-1], dict) and not facts.get("modelId"):
        facts["modelId"] = used[-1].get("model_id")
        facts["provider"] = used[-1].get("model_provider_id")
    if storage.name == "data":
        facts["interface"] = "CLI task"
    return facts


@lru_cache(maxsize=4)
def _history(path: str, size: int, mtime: int) -> dict[str, dict[str, Any]]:
    """The list of tasks by id; size and time tell whether it is still the same."""
    value = json_file(Path(path))
    entries = value.get("entries") if isinstance(value, dict) else value
    return {as_text(e.get("id")): e for e in list_of(entries) if isinstance(e, dict)}


def describe(info: SessionInfo, facts: dict[str, Any]) -> None:
    """What a CLI session's manifest says about it."""
    metadata = facts.get("metadata")
    more = metadata if isinstance(metadata, dict) else {}
    title = as_text(more.get("title")) or title_of(as_text(facts.get("prompt")))
    info.title = title.strip() or None
    info.project = as_text(facts.get("cwd") or facts.get("workspace_root")) or None
    info.model = as_text(facts.get("model")) or None
    info.created_at = milliseconds(facts.get("started_at"))
    info.updated_at = milliseconds(facts.get("ended_at"))
    parent = as_text(facts.get("parent_session_id"))
    info.parent = f"cline:{parent}" if parent else None
    for key in ("provider", "source"):
        if facts.get(key):
            info.extra[key] = as_text(facts[key])


def project_of(messages: Any) -> str | None:
    """The working directory that the first request names."""
    for message in list_of(messages)[:2]:
        content = message.get("content") if isinstance(message, dict) else None
        for part in list_of(content):
            found = project_in(as_text(part.get("text"))) if isinstance(part, dict) else None
            if found:
                return found
    return None


def total_of(facts: dict[str, Any], inclusive: bool) -> Usage | None:
    """A task's tokens as its entry in the list of tasks sums them."""
    fresh, written = whole(facts.get("tokensIn")), whole(facts.get("cacheWrites"))
    read = whole(facts.get("cacheReads"))
    if inclusive and fresh >= read + written:
        fresh -= read + written
    return some(Usage(fresh, whole(facts.get("tokensOut")), read, written))


def list_of(value: Any) -> list[Any]:
    """The value if it is a list; else nothing."""
    return value if isinstance(value, list) else []
