"""The chats of Cursor's editor: rows of its one large key-value database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

from sparrow_tui.agents import cursor_messages, sqlite_source
from sparrow_tui.agents.base import Batch, Checkpoint, Source, SourceError
from sparrow_tui.agents.by_session import Seen, cut
from sparrow_tui.agents.common import as_text, json_or_text, milliseconds, whole
from sparrow_tui.agents.lines import parse
from sparrow_tui.model import (
    Block,
    Coverage,
    Raw,
    Reasoning,
    SessionInfo,
    Text,
    ToolResult,
    ToolUse,
    Turn,
    Usage,
)

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
            coverage = Coverage()
            last: Batch | None = None
            for batch in cut(info, _turns(connection, composer, headers, info, coverage), coverage):
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
    info: SessionInfo,
    coverage: Coverage,
) -> Iterator[Turn]:
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
            made = _bubble(bubble, header, model, coverage)
            if made:
                coverage.kept += 1
            else:
                coverage.skipped += 1
            yield from made


def _bubble(
    bubble: dict[str, Any], header: dict[str, Any], model: str, coverage: Coverage
) -> list[Turn]:
    """The turns of a bubble: a prompt, or a piece of an answer with at most one tool call."""
    kind = bubble.get("type", header.get("type"))
    moment = milliseconds(
        bubble.get("createdAt") or bubble.get("timestamp") or header.get("createdAt")
    )
    uid = as_text(bubble.get("bubbleId") or header.get("bubbleId"))
    text = as_text(bubble.get("text"))
    if kind == 1:
        made = cursor_messages.turns({"role": "user", "content": text}, coverage)
        for turn in made:
            turn.time = moment
        if made:
            made[-1].uid = uid
        return made
    turn = Turn(role="assistant", blocks=[], time=moment, model=model, uid=uid)
    if kind != 2:
        turn.role = "system"
        coverage.unknown[f"bubble {kind}"] = coverage.unknown.get(f"bubble {kind}", 0) + 1
        turn.blocks = [Raw(f"bubble {kind}", bubble)]
        return [turn]
    thinking = bubble.get("thinking")
    thought = as_text(thinking.get("text")) if isinstance(thinking, dict) else ""
    if thought.strip():
        turn.blocks.append(Reasoning(thought))
    if text.strip():
        turn.blocks.append(Text(text))
    answers: list[Block] = []
    tool = bubble.get("toolFormerData")
    if isinstance(tool, dict) and (tool.get("name") or tool.get("tool")):
        use, result = _tool(tool, uid)
        turn.blocks.append(use)
        answers = [result] if result is not None else []
    count = bubble.get("tokenCount")
    if isinstance(count, dict):
        usage = Usage(whole(count.get("inputTokens")), whole(count.get("outputTokens")))
        turn.usage = usage if usage.total else None
        turn.usage_id = uid if turn.usage is not None else ""
    found = [turn] if turn.blocks or turn.usage else []
    return [*found, Turn(role="tool", blocks=answers, time=moment)] if answers else found


def _tool(tool: dict[str, Any], uid: str) -> tuple[ToolUse, ToolResult | None]:
    call = as_text(tool.get("toolCallId")) or uid
    arguments = json_or_text(tool.get("rawArgs"))
    if not isinstance(arguments, dict):
        arguments = json_or_text(tool.get("params")) or arguments
    use = ToolUse(call, as_text(tool.get("name") or tool.get("tool")), arguments)
    result, status = json_or_text(tool.get("result")), as_text(tool.get("status"))
    error = json_or_text(tool.get("error"))
    if result in (None, "") and not error and status not in ("completed", "error", "cancelled"):
        return use, None
    failed = status in ("error", "cancelled")
    code, content = None, result
    if isinstance(result, dict):
        code = result.get("exitCode", result.get("exitCodeV2"))
        failed = failed or bool(result.get("error"))
        content = result.get("output") or result.get("contents") or result
    if failed and error:
        content = error.get("clientVisibleErrorMessage") if isinstance(error, dict) else error
        content = content or error
    said = as_text(content) if content not in (None, "", {}) else ""
    return use, ToolResult(
        call,
        [Text(said)] if said else [],
        is_error=failed,
        exit_code=code if isinstance(code, int) and not isinstance(code, bool) else None,
    )


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
    extra: dict[str, Any] = {"editor": True}
    if data.get("isArchived") is True:
        extra["archived"] = True
    return SessionInfo(
        id=f"cursor:{composer}",
        title=as_text(data.get("name")).strip() or None,
        project=folder or None,
        branch=as_text(data.get("createdOnBranch")) or None,
        model=(as_text(config.get("modelName")) or None) if isinstance(config, dict) else None,
        created_at=milliseconds(data.get("createdAt")),
        updated_at=milliseconds(data.get("lastUpdatedAt") or data.get("createdAt")),
        parent=f"cursor:{parent}" if parent else None,
        extra=extra,
    )
