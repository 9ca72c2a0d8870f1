"""What Gemini CLI and its fork Qwen Code leave of sessions without a recording."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sparrow_tui.agents import gemini_log
from sparrow_tui.agents.base import Batch, SourceError, walk
from sparrow_tui.agents.by_session import cut
from sparrow_tui.agents.common import as_text, milliseconds
from sparrow_tui.agents.documents import load
from sparrow_tui.agents.gemini_files import project
from sparrow_tui.model import Coverage, Notice, SessionInfo, Text, Turn


def prompts(agent: str, path: Path, elsewhere: Iterable[str] = ()) -> Iterator[Batch]:
    """``logs.json``: the prompts of sessions whose recording is gone, or never was.

    Args:
        agent: whose sessions they are.
        path: the list of prompts in a project's folder.
        elsewhere: names of recordings besides those in the folder's ``chats``.

    Raises:
        SourceError: it cannot be read or is no such list.
    """
    entries, _ = load(path)
    if not isinstance(entries, list):
        raise SourceError("it is not a list of prompts")
    chats = walk(path.parent / "chats", (".json", ".jsonl"), 0)
    # Names end in the id's first 8 characters, or are the id.
    recorded = "/".join([*(file.name for file in chats), *elsewhere])
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in entries:
        if isinstance(entry, dict) and entry.get("type", "user") == "user":
            session_id = as_text(entry.get("sessionId"))
            if session_id and session_id[:8] not in recorded:
                found.setdefault(session_id, []).append(entry)
    for session_id, typed in found.items():
        info = SessionInfo(
            id=f"{agent}:{session_id}", project=project(path, {}), ghost=True, status="ended"
        )
        turns: list[Turn] = []
        for entry in typed:
            text, moment = as_text(entry.get("message")), milliseconds(entry.get("timestamp"))
            if text.startswith("/"):
                turns.append(Turn(role="system", blocks=[Notice("command", text)], time=moment))
            elif text.strip():
                turns.append(Turn(role="user", blocks=[Text(text)], time=moment))
        if any(turn.role == "user" for turn in turns):
            yield from cut(info, turns, Coverage(len(typed), len(turns)))


def checkpoint(agent: str, path: Path) -> Iterator[Batch]:
    """``/chat save TAG``: the model's context, from before conversations were recorded.

    Args:
        agent: whose it is.
        path: ``checkpoint-TAG.json`` in a project's folder.

    Raises:
        SourceError: it cannot be read or is no conversation.
    """
    saved, _ = load(path)
    history = saved.get("history") if isinstance(saved, dict) else saved
    if not isinstance(history, list):
        raise SourceError("it is not a saved conversation")
    tag = path.stem.removeprefix("checkpoint-")
    log = gemini_log.Log()
    log.document({"messages": history})
    info = SessionInfo(
        id=f"{agent}:checkpoint-{path.parent.name[:12]}-{tag}",
        title=tag,
        project=project(path, {}),
    )
    yield from cut(info, gemini_log.all_turns(log, info), log.coverage)
