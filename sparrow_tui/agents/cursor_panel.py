"""Chats of Cursor's editor up to 2024: tabs and composers in the database of their workspace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sparrow_tui.agents import cursor_bubbles, cursor_workspaces, sqlite_source
from sparrow_tui.agents.base import Batch, Checkpoint, Source
from sparrow_tui.agents.by_session import Seen, cut
from sparrow_tui.agents.common import as_text, milliseconds
from sparrow_tui.agents.documents import sealed
from sparrow_tui.agents.vscode_places import workspace_folder
from sparrow_tui.model import Coverage, SessionInfo, Turn

KEY = "workbench.panel.aichat.view.aichat.chatdata"
"""The chat panel's tabs."""
_TYPES = {"user": 1, "ai": 2}
_UNNAMED = ("", "New Chat", "New chat")


def read(source: Source, since: Checkpoint | None) -> Iterator[Batch]:
    """Chats that are new or changed since a checkpoint. Later versions have none here.

    Raises:
        SourceError: the database cannot be read.
    """
    seen = Seen(since)
    project = workspace_folder(Path(source.path).parent) or None
    with sqlite_source.opened(source.path) as connection:
        panel = cursor_workspaces.item(connection, KEY)
        composers = cursor_workspaces.composers(connection, "composer.composerData")
    tabs = panel.get("tabs") if isinstance(panel, dict) else None
    chats = [*(tabs if isinstance(tabs, list) else []), *composers]
    for chat in chats:
        bubbles = _bubbles(chat)
        native = as_text(chat.get("tabId") or chat.get("composerId")) if bubbles else ""
        if not native:
            continue
        info = _info(native, chat, project)
        mark = [info.title, info.updated_at, len(bubbles), len(as_text(bubbles[-1]))]
        if not seen.same(native, mark):
            coverage = Coverage()
            turns = _turns(bubbles, info, coverage)
            yield from sealed(cut(info, turns, coverage), seen, native, mark)


def _bubbles(chat: Any) -> list[Any]:
    """A tab's bubbles, or a composer's, where they still stand in it."""
    if not isinstance(chat, dict):
        return []
    found = chat.get("bubbles") or chat.get("conversation")
    return found if isinstance(found, list) else []


def _info(native: str, chat: dict[str, Any], project: str | None) -> SessionInfo:
    title = as_text(chat.get("chatTitle") or chat.get("name")).strip()
    last = chat.get("lastSendTime") or chat.get("lastUpdatedAt") or chat.get("createdAt")
    return SessionInfo(
        id=f"cursor:{native}",
        title=None if title in _UNNAMED else title,
        project=project,
        created_at=milliseconds(chat.get("createdAt")),
        updated_at=milliseconds(last),
        extra={"editor": True},
    )


def _turns(bubbles: list[Any], info: SessionInfo, coverage: Coverage) -> Iterator[Turn]:
    for bubble in bubbles:
        coverage.records += 1
        if not isinstance(bubble, dict):
            coverage.bad += 1
            continue
        kind = bubble.get("type")
        told = {
            **bubble,
            "type": _TYPES.get(kind, kind) if isinstance(kind, str) else kind,
            "text": bubble.get("text") or bubble.get("rawText") or bubble.get("content"),
            "richText": bubble.get("richText") or bubble.get("initText"),
            "bubbleId": bubble.get("bubbleId") or bubble.get("id"),
            "context": bubble.get("context") or bubble,
        }
        info.model = as_text(bubble.get("modelType")) or info.model
        made = cursor_bubbles.turns(told, {}, info.model or "", coverage)
        coverage.kept += bool(made)
        coverage.skipped += not made
        for turn in made:
            if turn.time is not None:
                info.created_at = min(turn.time, info.created_at or turn.time)
                info.updated_at = max(turn.time, info.updated_at or turn.time)
            yield turn
