"""Which folder a chat of Cursor's editor belongs to, where the chat itself does not say."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from sparrow_tui.agents import sqlite_source
from sparrow_tui.agents.base import SourceError
from sparrow_tui.agents.common import as_text
from sparrow_tui.agents.lines import parse
from sparrow_tui.agents.vscode_places import path_of, workspace_folder

TABLE = "ItemTable"
LIMIT = 1000
"""Workspaces that are looked into."""


class Workspaces:
    """Folders by chat; the editor's lists are read when the first chat is asked for.

    Since version 3 the editor's own database lists all chats with their workspaces
    (``composer.composerHeaders``). Before, every workspace's database listed its chats
    (``composer.composerData``), beside a ``workspace.json`` with the folder.
    """

    def __init__(self, path: str, connection: sqlite3.Connection) -> None:
        """Keep what is needed to look: the editor's database by its path, and opened."""
        self._storage = Path(path).parent.parent / "workspaceStorage"
        self._connection = connection
        self._folders: dict[str, str] | None = None

    def folder(self, composer: str) -> str | None:
        """The folder of the workspace a chat was begun in."""
        if self._folders is None:
            self._folders = dict(self._older())
            self._folders.update(self._listed())
        return self._folders.get(composer)

    def _listed(self) -> Iterator[tuple[str, str]]:
        for entry in composers(self._connection, "composer.composerHeaders"):
            workspace = entry.get("workspaceIdentifier")
            workspace = workspace if isinstance(workspace, dict) else {}
            folder = path_of(workspace.get("uri"))
            if not folder and as_text(workspace.get("id")).isalnum():
                folder = workspace_folder(self._storage / as_text(workspace["id"]))
            if folder:
                yield as_text(entry.get("composerId")), folder

    def _older(self) -> Iterator[tuple[str, str]]:
        databases = sorted(self._storage.glob("*/state.vscdb"))
        for path in databases[:LIMIT]:
            folder = workspace_folder(path.parent)
            if not folder:
                continue
            with suppress(SourceError), sqlite_source.opened(path) as connection:
                for entry in composers(connection, "composer.composerData"):
                    yield as_text(entry.get("composerId")), folder


def composers(connection: sqlite3.Connection, key: str) -> list[dict[str, Any]]:
    """The chats a list in a database names."""
    found = item(connection, key)
    listed = found.get("allComposers") if isinstance(found, dict) else found
    return [e for e in (listed if isinstance(listed, list) else []) if isinstance(e, dict)]


def item(connection: sqlite3.Connection, key: str) -> Any:
    """A value of an editor's database; ``None`` if it has none or it is not JSON."""
    if not {"key", "value"} <= sqlite_source.columns(connection, TABLE):
        return None
    rows = sqlite_source.query(connection, f"SELECT value FROM {TABLE} WHERE key = ?", (key,))
    value = rows[0][0] if rows else None
    return parse(value) if isinstance(value, str | bytes) else None
