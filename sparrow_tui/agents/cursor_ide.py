"""The chats of Cursor's editor: rows of its one large key-value database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

from sparrow_tui.agents import cursor_bubbles, sqlite_source
from sparrow_tui.agents.base import Batch, Checkpoint, Source, SourceError
from sparrow_tui.agents.by_session import Seen, cut
from sparrow_tui.agents.common import as_text, micro_dollars, milliseconds
from sparrow_tui.agents.cursor_workspaces import Workspaces
from sparrow_tui.agents.lines import parse
from sparrow_tui.model import Coverage, SessionInfo, Turn

TABLE = "cursorDiskKV"
COMPOSER = "composerData:"
CHUNK = 200
"""Bubbles in memory at a time."""


def composers(connection: sqlite3.Connection) -> list[str]:
    """Ids of the chats in the database, by the key's index alone."""
    rows = sqlite_source.query(
        connection, f"SELECT key FROM {TABLE} WHERE key >= ? AND key < ?", _range(COMPOSER)
    )
    return [as_text(row[0]).removeprefix(COMPOSER) for row in rows]


def read(source: Source, since: Checkpoint | None) -> Iterator[Batch]:
    """Chats that are new or changed since a checkpoint; drafts without a message are passed over.

    The database may hold gigabytes: it is asked by key ranges only.

    Raises:
        SourceError: the database cannot be read or has no such table.
    """
    seen = Seen(since)
    with sqlite_source.opened(source.path) as connection:
        workspaces = Workspaces(source.path, connection)
        if TABLE not in sqlite_source.tables(connection):
            raise SourceError(f"it has no {TABLE} table")
        for composer in composers(connection):
            mark = _mark(connection, composer)
            if seen.same(composer, mark):
                continue
            data = _value(connection, COMPOSER + composer)
            headers = _headers(data)
            seen.note(composer, mark)
            if not isinstance(data, dict) or not headers:
                continue
            info = _info(composer, data)
            info.project = info.project or workspaces.folder(composer)
            coverage = Coverage()
            last: Batch | None = None
            inline = data.get("conversationMap")
            turns = _turns(
                connection,
                composer,
                headers,
                inline if isinstance(inline, dict) else {},
                info,
                coverage,
            )
            for batch in cut(info, turns, coverage):
                if last is not None:
                    yield last
                last = batch
            if last is not None:
                last.checkpoint = seen.checkpoint()
                yield last


def _range(prefix: str) -> tuple[str, str]:
    """Bounds of the keys with a prefix."""
    return prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1)


def _mark(connection: sqlite3.Connection, composer: str) -> list[Any]:
    """What changes with a chat: the rows it is in are replaced whenever they are written.

    Of the bubbles only the key's index is read.
    """
    (own,) = sqlite_source.query(
        connection, f"SELECT max(rowid), max(length(value)) FROM {TABLE} WHERE key = ?",
        (COMPOSER + composer,),
    )  # fmt: skip
    (bubbles,) = sqlite_source.query(
        connection,
        f"SELECT count(*), max(rowid) FROM {TABLE} WHERE key >= ? AND key < ?",
        _range(f"bubbleId:{composer}:"),
    )
    return [*own, *bubbles]


def _value(connection: sqlite3.Connection, key: str) -> Any:
    rows = sqlite_source.query(connection, f"SELECT value FROM {TABLE} WHERE key = ?", (key,))
    value = rows[0][0] if rows else None
    return parse(value) if isinstance(value, str | bytes) else None


def _headers(data: Any) -> list[dict[str, Any]]:
    """The order of the bubbles; older chats hold the bubbles themselves."""
    if not isinstance(data, dict):
        return []
    for key in ("fullConversationHeadersOnly", "conversation"):
        found = data.get(key)
        if isinstance(found, list) and found:
            return [header for header in found if isinstance(header, dict)]
    return []


def _turns(
    connection: sqlite3.Connection,
    composer: str,
    headers: list[dict[str, Any]],
    inline: dict[str, Any],
    info: SessionInfo,
    coverage: Coverage,
) -> Iterator[Turn]:
    """The turns of the bubbles, from their rows or, in older chats, from the chat's own row."""
    model = info.model or ""
    for first in range(0, len(headers), CHUNK):
        part = headers[first : first + CHUNK]
        keys = [f"bubbleId:{composer}:{as_text(header.get('bubbleId'))}" for header in part]
        rows = sqlite_source.query(
            connection,
            f"SELECT key, value FROM {TABLE} WHERE key IN ({','.join('?' * len(keys))})",
            keys,
        )
        values = {as_text(row[0]): row[1] for row in rows}
        for header, key in zip(part, keys, strict=True):
            coverage.records += 1
            value = values.get(key)
            bubble = parse(value) if isinstance(value, str | bytes) else None
            if bubble is None:
                bubble = inline.get(as_text(header.get("bubbleId")))
            if bubble is None and value is None and ("text" in header or "richText" in header):
                bubble = header
            if not isinstance(bubble, dict):
                coverage.bad += 1
                continue
            told = bubble.get("modelInfo")
            told = told.get("modelName") if isinstance(told, dict) else bubble.get("modelType")
            model = as_text(told) or model
            info.model = model or info.model
            info.project = info.project or as_text(bubble.get("workspaceProjectDir")) or None
            made = cursor_bubbles.turns(bubble, header, model, coverage)
            if made:
                coverage.kept += 1
            else:
                coverage.skipped += 1
            if first == 0 and made and made[0].time is None and header is headers[0]:
                # Older chats record no times but that of their beginning.
                made[-1].time = info.created_at
            yield from made


def _info(composer: str, data: dict[str, Any]) -> SessionInfo:
    config, workspace = data.get("modelConfig"), data.get("workspaceIdentifier")
    uri = workspace.get("uri") if isinstance(workspace, dict) else None
    repositories = data.get("trackedGitRepos")
    folder = as_text(uri.get("fsPath") or uri.get("path")) if isinstance(uri, dict) else ""
    if not folder and isinstance(repositories, list) and repositories:
        first = repositories[0]
        folder = as_text(first.get("repoPath")) if isinstance(first, dict) else ""
    sub = data.get("subagentInfo")
    parent = as_text(sub.get("parentComposerId")) if isinstance(sub, dict) else ""
    branch = data.get("activeBranch")
    extra: dict[str, Any] = {"editor": True}
    if isinstance(data.get("unifiedMode"), str):
        extra["mode"] = data["unifiedMode"]
    if data.get("isArchived") is True:
        extra["archived"] = True
    return SessionInfo(
        id=f"cursor:{composer}",
        title=as_text(data.get("name")).strip() or None,
        project=folder or None,
        branch=as_text(data.get("createdOnBranch"))
        or (as_text(branch.get("branchName")) if isinstance(branch, dict) else "")
        or None,
        model=(as_text(config.get("modelName")) or None) if isinstance(config, dict) else None,
        created_at=milliseconds(data.get("createdAt")),
        updated_at=milliseconds(data.get("lastUpdatedAt") or data.get("createdAt")),
        parent=f"cursor:{parent}" if parent else None,
        cost_micro=_cost(data.get("usageData")),
        extra=extra,
    )


def _cost(models: Any) -> int | None:
    """Micro-dollars from ``usageData``: ``{model: {costInCents, amount}}``."""
    costs = [
        micro_dollars(entry.get("costInCents"))
        for entry in (models.values() if isinstance(models, dict) else ())
        if isinstance(entry, dict)
    ]
    return sum(cents // 100 for cents in costs if cents) or None
