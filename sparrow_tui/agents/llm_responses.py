"""llm's first generation of tables: one row holds a prompt and its response."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Iterator
from typing import Any

from sparrow_tui.agents import sqlite_source
from sparrow_tui.agents.common import as_text, data_url, json_or_text, milliseconds, whole
from sparrow_tui.agents.line_session import some
from sparrow_tui.model import (
    Block,
    Coverage,
    Image,
    Reasoning,
    Text,
    ToolResult,
    ToolUse,
    Turn,
    Usage,
)

_RESPONSE = (
    "id", "model", "resolved_model", "prompt", "system", "response", "reasoning", "conversation_id",
    "duration_ms", "datetime_utc", "input_tokens", "output_tokens", "token_details",
)  # fmt: skip
ATTACHMENT = ("id", "type", "path", "url", "content")


def response_turns(
    connection: sqlite3.Connection, native: str, coverage: Coverage
) -> Iterator[Turn]:
    """A conversation's turns: results and prompt of each row, then what the model said."""
    if not sqlite_source.columns(connection, "responses"):
        return
    rows = sqlite_source.rows(
        connection,
        "responses",
        _RESPONSE,
        "WHERE coalesce(conversation_id, id) = ? ORDER BY datetime_utc, id",
        (native,),
    )
    system = ""
    for row in rows:
        coverage.records += 1
        coverage.kept += 1
        time = milliseconds(row["datetime_utc"])
        key = as_text(row["id"])
        told = "\n\n".join(
            filter(None, (as_text(row["system"]), *_fragments(connection, key, "system")))
        )
        if told and told != system:
            system = told
            yield Turn(role="system", blocks=[Text(told)], time=time, meta=True)
        results: list[Block] = list(_results(connection, key))
        if results:
            yield Turn(role="tool", blocks=results, time=time)
        fragments: list[Block] = [Text(text) for text in _fragments(connection, key, "prompt")]
        if fragments:
            yield Turn(role="user", blocks=fragments, time=time, meta=True)
        asked: list[Block] = []
        if as_text(row["prompt"]).strip():
            asked.append(Text(as_text(row["prompt"])))
        asked.extend(_attachments(connection, "prompt_attachments", "response_id", key))
        if asked:
            yield Turn(role="user", blocks=asked, time=time, uid=f"{key}:prompt")
        answer = _answer(connection, row, time)
        if answer.blocks or answer.usage:
            yield answer


def _answer(connection: sqlite3.Connection, row: dict[str, Any], time: int | None) -> Turn:
    key = as_text(row["id"])
    blocks: list[Block] = []
    if as_text(row["reasoning"]).strip():
        blocks.append(Reasoning(as_text(row["reasoning"])))
    if as_text(row["response"]).strip():
        blocks.append(Text(as_text(row["response"])))
    for call in sqlite_source.rows(
        connection,
        "tool_calls",
        ("name", "arguments", "tool_call_id", "id"),
        "WHERE response_id = ? ORDER BY id",
        (key,),
    ):
        pair = as_text(call["tool_call_id"]) or as_text(call["id"])
        blocks.append(ToolUse(pair, as_text(call["name"]), json_or_text(call["arguments"])))
    return Turn(
        role="assistant",
        blocks=blocks,
        time=time,
        uid=key,
        model=as_text(row["resolved_model"]) or as_text(row["model"]),
        usage=usage_of(row),
        usage_id=key,
        duration_ms=whole(row["duration_ms"]) or None,
    )


def usage_of(row: dict[str, Any]) -> Usage | None:
    """Tokens of a row. The details keep the names of OpenAI; input includes what was cached."""
    details = json_or_text(row["token_details"])
    details = details if isinstance(details, dict) else {}
    prompt = details.get("prompt_tokens_details") or details.get("input_tokens_details")
    output = details.get("completion_tokens_details") or details.get("output_tokens_details")
    read = whole(prompt.get("cached_tokens")) if isinstance(prompt, dict) else 0
    told = whole(row["input_tokens"])
    return some(
        Usage(
            input=max(0, told - read),
            output=whole(row["output_tokens"]),
            cache_read=min(read, told),
            reasoning=whole(output.get("reasoning_tokens")) if isinstance(output, dict) else 0,
        )
    )


def _results(connection: sqlite3.Connection, key: str) -> Iterator[Block]:
    """Results are noted with the row that sends them, the one after the calls'."""
    for row in sqlite_source.rows(
        connection,
        "tool_results",
        ("id", "name", "output", "tool_call_id", "exception"),
        "WHERE response_id = ? ORDER BY id",
        (key,),
    ):
        content: list[Block] = [Text(as_text(row["output"]))] if as_text(row["output"]) else []
        failed = as_text(row["exception"])
        if failed and failed not in as_text(row["output"]):
            content.append(Text(failed))
        content.extend(
            _attachments(connection, "tool_results_attachments", "tool_result_id", row["id"])
        )
        yield ToolResult(as_text(row["tool_call_id"]), content, is_error=bool(failed))


def _fragments(connection: sqlite3.Connection, key: str, kind: str) -> list[str]:
    """Long texts given with ``-f``, kept once for all prompts that use them."""
    table = f"{kind}_fragments"
    if not {"response_id", "fragment_id"} <= sqlite_source.columns(connection, table):
        return []
    found = sqlite_source.query(
        connection,
        f"SELECT f.content FROM {table} p JOIN fragments f ON f.id = p.fragment_id"
        ' WHERE p.response_id = ? ORDER BY p."order"',
        (key,),
    )
    return [as_text(row[0]) for row in found if as_text(row[0]).strip()]


def _attachments(
    connection: sqlite3.Connection, table: str, column: str, key: Any
) -> Iterator[Image]:
    if column not in sqlite_source.columns(connection, table):
        return
    ids = sqlite_source.query(
        connection,
        f'SELECT attachment_id FROM {table} WHERE {column} = ? ORDER BY "order"',
        (key,),
    )
    for row in ids:
        for found in sqlite_source.rows(
            connection, "attachments", ATTACHMENT, "WHERE id = ?", (row[0],)
        ):
            yield attachment(found)


def attachment(row: dict[str, Any]) -> Image:
    """A picture or other file: its bytes if they were kept, else where it was."""
    media, content = as_text(row["type"]), row["content"]
    if isinstance(content, bytes) and media.startswith("image/"):
        return Image(media_type=media, data=base64.b64encode(content).decode(), size=len(content))
    if row["url"]:
        picture = data_url(as_text(row["url"]))
        picture.media_type = picture.media_type or media
        return picture
    size = len(content) if isinstance(content, bytes) else 0
    return Image(media_type=media, url=as_text(row["path"]), size=size)
