"""llm's second generation of tables: messages shared between threads, each naming its parent."""

from __future__ import annotations

import sqlite3
from typing import Any

from sparrow_tui.agents import sqlite_source
from sparrow_tui.agents.common import as_text, json_or_text, milliseconds, whole
from sparrow_tui.agents.line_session import count_unknown
from sparrow_tui.agents.llm_responses import ATTACHMENT, attachment, usage_of
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
)

LIMIT = 200_000
"""Messages followed from a thread's tip; more are a damaged chain."""
_TURN = (
    "id", "thread_id", "parent_message_hash", "tip_message_hash", "model", "resolved_model",
    "input_tokens", "output_tokens", "token_details", "duration_ms", "datetime_utc",
)  # fmt: skip
_ROLES = {"user": "user", "assistant": "assistant", "tool": "tool", "system": "system"}


def thread_turns(
    connection: sqlite3.Connection, native: str, info: SessionInfo, coverage: Coverage
) -> list[Turn]:
    """A thread's turns, from its first message to its tip; empty if there is no such thread.

    Times, model and tokens are noted per call of the model: a call's own messages are those
    from its parent to its tip. A fork shares calls with the thread it came from; their ids
    keep them from being counted twice.
    """
    found = sqlite_source.rows(
        connection,
        "threads",
        ("tip_message_hash", "forked_from", "datetime_utc"),
        "WHERE id = ?",
        (native,),
    )
    if not found:
        return []
    if found[0]["forked_from"]:
        info.extra["forked from"] = as_text(found[0]["forked_from"])
    info.created_at = milliseconds(found[0]["datetime_utc"])
    info.updated_at = info.created_at
    turns: list[Turn] = []
    time: int | None = None
    for message in reversed(_chain(connection, as_text(found[0]["tip_message_hash"]))):
        coverage.records += 1
        turn = _turn(connection, message, coverage)
        calls = sqlite_source.rows(
            connection,
            "turns",
            _TURN,
            "WHERE tip_message_hash = ? ORDER BY thread_id <> ?, datetime_utc LIMIT 1",
            (message["hash"], native),
        )
        if calls:
            call = calls[0]
            time = milliseconds(call["datetime_utc"])
            turn.usage, turn.usage_id = usage_of(call), as_text(call["id"])
            turn.model = as_text(call["resolved_model"]) or as_text(call["model"])
            turn.duration_ms = whole(call["duration_ms"]) or None
            # Messages since the call before belong to this one.
            for earlier in reversed(turns):
                if earlier.time is not None:
                    break
                earlier.time = time
            turn.time = time
        if turn.blocks or turn.usage:
            coverage.kept += 1
            turns.append(turn)
        else:
            coverage.skipped += 1
    return turns


def _chain(connection: sqlite3.Connection, tip: str) -> list[dict[str, Any]]:
    """Messages from the tip back to the first."""
    chain: list[dict[str, Any]] = []
    seen: set[str] = set()
    while tip and tip not in seen and len(chain) < LIMIT:
        seen.add(tip)
        found = sqlite_source.rows(
            connection, "messages", ("hash", "parent_hash", "role"), "WHERE hash = ?", (tip,)
        )
        if not found:
            break
        chain.append(found[0])
        tip = as_text(found[0]["parent_hash"])
    return chain


def _turn(connection: sqlite3.Connection, message: dict[str, Any], coverage: Coverage) -> Turn:
    blocks: list[Block] = []
    for part in sqlite_source.rows(
        connection,
        "parts",
        ("id", "type", "tool_name", "text", "payload"),
        "WHERE message_hash = ? ORDER BY position",
        (message["hash"],),
    ):
        blocks.extend(_part(connection, part, coverage))
    role = as_text(message["role"])
    if role not in _ROLES:
        count_unknown(coverage, f"role {role}")
    if blocks and all(isinstance(block, ToolResult) for block in blocks):
        role = "tool"
    turn = Turn(role=_ROLES.get(role, "system"), blocks=blocks, uid=as_text(message["hash"]))
    turn.meta = turn.role == "system"
    return turn


def _part(connection: sqlite3.Connection, part: dict[str, Any], coverage: Coverage) -> list[Block]:
    kind = as_text(part["type"])
    payload = json_or_text(part["payload"])
    payload = payload if isinstance(payload, dict) else {}
    if kind in ("text", "reasoning"):
        text = as_text(part["text"]) or _pieces(connection, payload)
        if not text.strip():
            return []
        return [Text(text) if kind == "text" else Reasoning(text)]
    if kind == "tool_call":
        name = as_text(part["tool_name"] or payload.get("name"))
        arguments = json_or_text(payload.get("arguments"))
        return [ToolUse(as_text(payload.get("tool_call_id")), name, arguments)]
    if kind == "tool_result":
        failed = as_text(payload.get("exception"))
        content: list[Block] = [
            Text(text) for text in (as_text(payload.get("output")), failed) if text
        ]
        content.extend(_attachments(connection, part["id"]))
        return [ToolResult(as_text(payload.get("tool_call_id")), content, is_error=bool(failed))]
    if kind == "attachment":
        return _attachments(connection, part["id"])
    count_unknown(coverage, f"part {kind}")
    return [Raw(f"part {kind}", {**payload, "text": part["text"]})]


def _pieces(connection: sqlite3.Connection, payload: dict[str, Any]) -> str:
    """Text in pieces: literals, and fragments kept elsewhere."""
    pieces = payload.get("text_ref")
    if not isinstance(pieces, list):
        return as_text(payload.get("text"))
    text = ""
    for piece in pieces:
        if not isinstance(piece, dict):
            continue
        if "literal" in piece:
            text += as_text(piece["literal"])
        elif isinstance(piece.get("fragment"), int):
            found = sqlite_source.rows(
                connection, "fragments", ("content",), "WHERE id = ?", (piece["fragment"],)
            )
            text += as_text(found[0]["content"]) if found else ""
    return text


def _attachments(connection: sqlite3.Connection, part: Any) -> list[Block]:
    if "part_id" not in sqlite_source.columns(connection, "part_attachments"):
        return []
    found = sqlite_source.query(
        connection,
        'SELECT attachment_id FROM part_attachments WHERE part_id = ? ORDER BY "order"',
        (part,),
    )
    return [
        attachment(row)
        for key in found
        for row in sqlite_source.rows(
            connection, "attachments", ATTACHMENT, "WHERE id = ?", (key[0],)
        )
    ]
