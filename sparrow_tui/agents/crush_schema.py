"""The database of Crush and of the Go OpenCode it grew from: one schema, read the same way."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sparrow_tui.agents import sqlite_source
from sparrow_tui.agents.base import Batch, Checkpoint, Source, SourceError, database_source
from sparrow_tui.agents.by_session import Seen, cut
from sparrow_tui.agents.common import (
    as_text,
    data_url,
    json_or_text,
    micro_dollars,
    milliseconds,
    whole,
)
from sparrow_tui.agents.lines import parse
from sparrow_tui.model import (
    Block,
    Coverage,
    Image,
    Notice,
    Raw,
    Reasoning,
    SessionInfo,
    Text,
    ToolResult,
    ToolUse,
    Turn,
    Usage,
)

TABLES = ("sessions", "messages")
CHUNK = 100
"""Messages whose parts are in memory at a time."""
_SESSION = (
    "id", "parent_session_id", "title", "message_count", "prompt_tokens", "completion_tokens",
    "cost", "summary_message_id", "created_at", "updated_at",
)  # fmt: skip
_MESSAGE = (
    "id", "role", "parts", "model", "provider", "is_summary_message", "created_at", "finished_at",
)  # fmt: skip
_ROLES = {"user": "user", "assistant": "assistant", "tool": "tool", "system": "system"}
_PLACEHOLDERS = {"", "New Session", "New Agent Session", "Untitled Session"}
"""Titles the program gives a session before it has one."""


def read(
    agent: str, source: Source, since: Checkpoint | None, project: str | None
) -> Iterator[Batch]:
    """Sessions that are new or changed since a checkpoint, newest first, each read whole.

    Times are whole seconds (the schema's comments say milliseconds; newer rows may be): a
    session touched in the current second is read again next time. Token columns hold the
    last request only (the context's size), so they are a lower bound; cost is a running
    total, in which a session's sub-agents are included, and is emitted without their part.

    Args:
        agent: the part of the session ids before the colon.
        source: the database.
        since: where the last reading stopped.
        project: the directory it belongs to.

    Raises:
        SourceError: the database cannot be read or has another schema.
    """
    seen = Seen(since)
    with sqlite_source.opened(source.path) as connection:
        if not sqlite_source.tables(connection).issuperset(TABLES):
            raise SourceError("it has no sessions and messages tables")
        marks = _marks(connection)
        rows = sqlite_source.rows(connection, "sessions", _SESSION, "ORDER BY updated_at DESC")
        costs: dict[str, int] = {}
        children: dict[str, str] = {}
        for row in rows:
            parent = as_text(row["parent_session_id"])
            costs[parent] = costs.get(parent, 0) + (micro_dollars(row["cost"]) or 0)
            if parent:
                children[_call(as_text(row["id"]))] = f"{agent}:{as_text(row['id'])}"
        for row in rows:
            session_id = as_text(row["id"])
            mark = [row["updated_at"], *marks.get(session_id, (0, None, 0))]
            if not session_id or seen.same(session_id, mark):
                continue
            info = _info(agent, row, project, costs.get(session_id, 0))
            coverage = Coverage()
            last: Batch | None = None
            for batch in cut(info, _turns(connection, row, info, children, coverage), coverage):
                if last is not None:
                    yield last
                last = batch
            seen.note(session_id, None if _unsettled(mark) else mark)
            if last is not None:
                last.checkpoint = seen.checkpoint()
                yield last


def _marks(connection: sqlite3.Connection) -> dict[str, tuple[Any, ...]]:
    """Per session: number of messages, newest change, number of finished ones."""
    there = sqlite_source.columns(connection, "messages")
    newest = "max(updated_at)" if "updated_at" in there else "NULL"
    finished = "count(finished_at)" if "finished_at" in there else "0"
    found = sqlite_source.query(
        connection,
        f"SELECT session_id, count(*), {newest}, {finished} FROM messages GROUP BY session_id",
    )
    return {as_text(row[0]): tuple(row)[1:] for row in found}


def _unsettled(mark: Sequence[Any]) -> bool:
    """Whether more may be written with the very times of this mark."""
    newest = max((milliseconds(value) or 0) for value in (mark[0], mark[2]))
    return newest >= (time.time() - 2) * 1000


def _call(session_id: str) -> str:
    """A sub-agent's id is its tool call's, in newer versions behind the calling message's id."""
    return session_id.rpartition("$$")[2]


def _info(agent: str, row: dict[str, Any], project: str | None, below: int) -> SessionInfo:
    session_id = as_text(row["id"])
    parent = as_text(row["parent_session_id"])
    title = as_text(row["title"])
    usage = Usage(input=whole(row["prompt_tokens"]), output=whole(row["completion_tokens"]))
    cost = micro_dollars(row["cost"])
    extra: dict[str, Any] = {}
    if usage.total:
        extra["tokens"] = "of the last request only"
    titling = session_id.startswith("title-")
    return SessionInfo(
        id=f"{agent}:{session_id}",
        title=None if title in _PLACEHOLDERS else title,
        project=project,
        created_at=milliseconds(row["created_at"]),
        updated_at=milliseconds(row["updated_at"]),
        parent=f"{agent}:{parent}" if parent else None,
        parent_tool_use=_call(session_id) if parent and not titling else None,
        cost_micro=None if cost is None else max(0, cost - below),
        usage=usage if usage.total else None,
        extra=extra,
    )


def _turns(
    connection: sqlite3.Connection,
    row: dict[str, Any],
    info: SessionInfo,
    children: dict[str, str],
    coverage: Coverage,
) -> Iterator[Turn]:
    order = "created_at, rowid"
    ids = sqlite_source.query(
        connection,
        f"SELECT rowid FROM messages WHERE session_id = ? ORDER BY {order}",
        (row["id"],),
    )
    for first in range(0, len(ids), CHUNK):
        wanted = [found[0] for found in ids[first : first + CHUNK]]
        messages = sqlite_source.rows(
            connection,
            "messages",
            _MESSAGE,
            f"WHERE rowid IN ({','.join('?' * len(wanted))}) ORDER BY {order}",
            wanted,
        )
        for message in messages:
            coverage.records += 1
            turn = _turn(message, row, coverage)
            if message["role"] == "assistant" and message["model"]:
                info.model = as_text(message["model"])
            if turn is None:
                continue
            for block in turn.blocks:
                if isinstance(block, ToolResult):
                    block.child = children.get(block.tool_use_id, "")
            coverage.kept += 1
            yield turn


def _turn(message: dict[str, Any], session: dict[str, Any], coverage: Coverage) -> Turn | None:
    """A message as a turn; ``None`` (and counted) if it is broken or has nothing in it."""
    parts = parse(message["parts"]) if isinstance(message["parts"], str | bytes) else None
    if not isinstance(parts, list):
        coverage.bad += 1
        return None
    role = as_text(message["role"])
    begun, finished = milliseconds(message["created_at"]), milliseconds(message["finished_at"])
    turn = Turn(
        role=_ROLES.get(role, "system"),
        blocks=[],
        time=begun,
        model=as_text(message["model"]),
        uid=as_text(message["id"]),
        duration_ms=finished - begun if begun and finished and finished > begun else None,
    )
    if role not in _ROLES:
        coverage.unknown[f"role {role}"] = coverage.unknown.get(f"role {role}", 0) + 1
    if message["is_summary_message"] or message["id"] == session["summary_message_id"]:
        turn.role = "summary"
    for part in parts:
        kind = as_text(part.get("type")) if isinstance(part, dict) else ""
        data = part.get("data") if isinstance(part, dict) else None
        if not isinstance(data, dict):
            coverage.unknown["part"] = coverage.unknown.get("part", 0) + 1
            turn.blocks.append(Raw(kind or "part", part))
        elif kind == "finish":
            _finish(turn, data)
        else:
            turn.blocks.extend(_blocks(kind, data, part, coverage))
    if turn.blocks:
        return turn
    coverage.skipped += 1
    return None


def _blocks(
    kind: str, data: dict[str, Any], part: dict[str, Any], coverage: Coverage
) -> Iterator[Block]:
    """The blocks of one part; unknown kinds are kept as they are."""
    if kind == "text" or kind == "reasoning":
        text = as_text(data.get("text") if kind == "text" else data.get("thinking"))
        if text.strip():
            yield Text(text) if kind == "text" else Reasoning(text)
    elif kind == "tool_call":
        yield ToolUse(
            as_text(data.get("id")), as_text(data.get("name")), json_or_text(data.get("input"))
        )
    elif kind == "tool_result":
        content: list[Block] = []
        text = as_text(data.get("content"))
        if text:
            content.append(Text(text))
        if isinstance(data.get("data"), str) and data["data"]:
            content.append(_picture(data["data"], as_text(data.get("mime_type"))))
        error = data.get("is_error")
        yield ToolResult(
            as_text(data.get("tool_call_id")),
            content,
            is_error=error if isinstance(error, bool) else None,
        )
    elif kind == "binary":
        picture = _picture(as_text(data.get("Data")), as_text(data.get("MIMEType")))
        picture.url = as_text(data.get("Path"))
        yield picture
    elif kind == "image_url":
        yield data_url(as_text(data.get("url")))
    elif kind == "shell_command":
        text = as_text(data.get("command"))
        output = as_text(data.get("output"))
        yield Notice("command", f"{text}\n{output}".strip() or as_text(data))
    else:
        coverage.unknown[f"part {kind}"] = coverage.unknown.get(f"part {kind}", 0) + 1
        yield Raw(kind or "part", part)


def _picture(data: str, media_type: str) -> Image:
    return Image(media_type=media_type, data=data, size=len(data) * 3 // 4)


def _finish(turn: Turn, data: dict[str, Any]) -> None:
    """How a message ended: worth a mark only where it went wrong."""
    reason = as_text(data.get("reason"))
    words = "\n".join(filter(None, (as_text(data.get("message")), as_text(data.get("details")))))
    if reason == "error":
        turn.blocks.append(Notice("error", words or "The request failed."))
        turn.api_error = True
    elif reason in ("canceled", "permission_denied"):
        turn.blocks.append(Notice("interruption", words or reason.replace("_", " ")))
    elif reason == "max_tokens":
        turn.blocks.append(Notice("info", words or "The answer reached the token limit."))


def source_at(agent: str, path: Path) -> Source | None:
    """The database that a path or its write-ahead log's path stands for."""
    if path.name.endswith("-wal"):
        path = path.with_name(path.name.removesuffix("-wal"))
    if path.suffix != ".db":
        return None
    return database_source(agent, path)
