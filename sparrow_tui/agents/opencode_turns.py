"""OpenCode's messages and their parts as turns, the same from files, database and export."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sparrow_tui.agents.common import as_text, data_url, micro_dollars, milliseconds, whole
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

_SILENT = {"step-start", "step-finish", "snapshot", "patch", "agent"}
_DEFAULT_TITLES = ("New session - ", "Child session - ")


def session_info(row: dict[str, Any], agent: str = "opencode") -> SessionInfo:
    """A session's facts from its JSON form (``time``, ``parentID``) or its database row."""
    times = row.get("time")
    times = times if isinstance(times, dict) else {}
    parent = as_text(row.get("parentID") or row.get("parent_id"))
    title = as_text(row.get("title")).strip()
    extra: dict[str, Any] = {}
    if row.get("version"):
        extra["version"] = as_text(row["version"])
    if times.get("archived") or row.get("time_archived"):
        extra["archived"] = True
    model = row.get("model")
    if isinstance(model, str) and model.startswith("{"):
        model = parse(model)
    return SessionInfo(
        id=f"{agent}:{as_text(row.get('id'))}",
        title=None if not title or title.startswith(_DEFAULT_TITLES) else title,
        project=as_text(row.get("directory") or row.get("path")) or None,
        model=model_of({"model": model}) or None,
        created_at=milliseconds(times.get("created") or row.get("time_created")),
        updated_at=milliseconds(times.get("updated") or row.get("time_updated")),
        parent=f"{agent}:{parent}" if parent else None,
        extra=extra,
    )


def turns(
    message: dict[str, Any], parts: Iterable[Any], coverage: Coverage, undone: bool = False
) -> Iterator[Turn]:
    """The turns of one message: what was said, then what its tools answered.

    Tokens and cost are the message's own; ``step-finish`` parts repeat them.

    Args:
        message: its JSON, with ``id``.
        parts: its parts in order.
        coverage: counts unknown kinds, and the message itself.
        undone: whether it lies behind the session's revert mark.
    """
    coverage.records += 1
    role = as_text(message.get("role"))
    times = message.get("time")
    times = times if isinstance(times, dict) else {}
    begun = milliseconds(times.get("created") or message.get("time_created"))
    ended = milliseconds(times.get("completed"))
    message_id = as_text(message.get("id"))
    turn = Turn(
        role=role if role in ("user", "assistant") else "system",
        blocks=[],
        time=begun,
        model=model_of(message) if role == "assistant" else "",
        uid=message_id if message_id.startswith("msg_") else "",
        branch=undone,
    )
    injected = Turn(role="user", blocks=[], time=begun, meta=True, branch=undone)
    answers: list[Block] = []
    for part in parts:
        if not isinstance(part, dict):
            coverage.unknown["part"] = coverage.unknown.get("part", 0) + 1
            turn.blocks.append(Raw("part", part))
            continue
        into = (
            injected if role == "user" and (part.get("synthetic") or part.get("ignored")) else turn
        )
        for block in _blocks(part, coverage):
            if isinstance(block, ToolResult):
                answers.append(block)
            else:
                into.blocks.append(block)
    if role == "assistant":
        if message.get("summary") is True:
            turn.role = "summary"
        turn.usage = usage_of(message.get("tokens"))
        turn.usage_id = turn.uid if turn.usage is not None else ""
        turn.cost_micro = _cost(message.get("cost"))
        turn.duration_ms = ended - begun if begun and ended and ended > begun else None
        _failure(turn, message.get("error"))
    elif role != "user":
        key = f"role {role}"
        coverage.unknown[key] = coverage.unknown.get(key, 0) + 1
    found = [turn] if turn.blocks or turn.usage else []
    if injected.blocks:
        found.append(injected)
    if answers:
        found.append(Turn(role="tool", blocks=answers, time=ended or begun, branch=undone))
    if found:
        coverage.kept += 1
    else:
        coverage.skipped += 1
    yield from found


def entry_turns(
    kind: str, data: dict[str, Any], entry_id: str, time: int | None, coverage: Coverage
) -> Iterator[Turn]:
    """The turns of one row of the newer ``session_message`` table.

    Args:
        kind: its ``type``.
        data: its JSON.
        entry_id: its id.
        time: its creation.
        coverage: as `turns`.
    """
    if kind == "assistant":
        content = data.get("content")
        message = {**data, "id": entry_id, "role": "assistant"}
        message.setdefault("time_created", time)
        yield from turns(message, content if isinstance(content, list) else [], coverage)
        return
    coverage.records += 1
    turn = Turn(role="system", blocks=[], time=time, uid=entry_id)
    text = as_text(data.get("text"))
    if kind in ("user", "synthetic"):
        turn.role, turn.meta = "user", kind == "synthetic"
        turn.blocks = [Text(text)] if text.strip() else []
        files = data.get("files")
        for file in files if isinstance(files, list) else []:
            if isinstance(file, dict):
                turn.blocks.append(_file(file))
    elif kind == "shell":
        said = f"{as_text(data.get('command'))}\n{as_text(data.get('output'))}"
        turn.blocks = [Notice("command", said.strip())]
    elif kind == "compaction":
        turn.role = "summary"
        turn.blocks = [Notice("compaction", as_text(data.get("summary")))]
    elif kind == "model-switched":
        turn.blocks = [Notice("model", model_of(data))]
    elif kind not in ("system", "agent-switched", "location-switched", "idle"):
        coverage.unknown[kind] = coverage.unknown.get(kind, 0) + 1
        turn.blocks = [Raw(kind or "entry", data)]
    if turn.blocks:
        coverage.kept += 1
        yield turn
    else:
        coverage.skipped += 1


def model_of(message: dict[str, Any]) -> str:
    """The model of a message, without its provider."""
    model = message.get("model")
    if isinstance(model, dict):
        return as_text(model.get("modelID") or model.get("id"))
    return as_text(message.get("modelID") or model)


def usage_of(tokens: Any) -> Usage | None:
    """A message's tokens; ``None`` if there are none.

    ``input`` leaves out the cache. Whether ``output`` contains the reasoning has changed: the
    ``total`` tells where there is one; without it, only more reasoning than output does.
    """
    if not isinstance(tokens, dict):
        return None
    cache = tokens.get("cache")
    cache = cache if isinstance(cache, dict) else {}
    fresh, output = whole(tokens.get("input")), whole(tokens.get("output"))
    thought = whole(tokens.get("reasoning"))
    read, written = whole(cache.get("read")), whole(cache.get("write"))
    total = whole(tokens.get("total"))
    apart = total >= fresh + output + read + written + thought if total else thought > output
    usage = Usage(fresh, output + (thought if apart else 0), read, written, thought)
    return usage if usage.total else None


def _cost(value: Any) -> int | None:
    return micro_dollars(value) if isinstance(value, int | float) else None


def _failure(turn: Turn, error: Any) -> None:
    """An error that ended an answer: the user's own interruption, or a failed request."""
    if not isinstance(error, dict):
        return
    data = error.get("data")
    name = as_text(error.get("name") or error.get("type"))
    words = as_text((data if isinstance(data, dict) else error).get("message")) or name
    if name == "MessageAbortedError":
        turn.blocks.append(Notice("interruption", words))
    else:
        turn.blocks.append(Notice("error", words))
        turn.api_error = True


def _blocks(part: dict[str, Any], coverage: Coverage) -> Iterator[Block]:
    """The blocks of one part: a tool part gives the call and, once it is there, the answer."""
    kind = as_text(part.get("type"))
    if kind in ("text", "reasoning"):
        text = as_text(part.get("text"))
        if text.strip():
            yield Text(text) if kind == "text" else Reasoning(text)
    elif kind == "tool":
        yield from _tool(part)
    elif kind == "file":
        yield _file(part)
    elif kind == "compaction":
        yield Notice("compaction", "automatic" if part.get("auto") else "")
    elif kind == "subtask":
        words = (as_text(part.get("description")), as_text(part.get("prompt")))
        yield Notice("command", "\n\n".join(filter(None, words)))
    elif kind == "retry":
        error = part.get("error")
        data = error.get("data") if isinstance(error, dict) else None
        words_of = data if isinstance(data, dict) else error if isinstance(error, dict) else {}
        yield Notice("error", as_text(words_of.get("message")) or "The request was tried again.")
    elif kind not in _SILENT:
        key = f"part {kind}"
        coverage.unknown[key] = coverage.unknown.get(key, 0) + 1
        yield Raw(kind or "part", part)


def _tool(part: dict[str, Any]) -> Iterator[Block]:
    state = part.get("state")
    state = state if isinstance(state, dict) else {}
    call = as_text(part.get("callID") or part.get("id"))
    yield ToolUse(call, as_text(part.get("tool") or part.get("name")), state.get("input"))
    status = as_text(state.get("status"))
    if status not in ("completed", "success", "error"):
        return
    content: list[Block] = []
    output = state.get("output")
    if output is None and not isinstance(state.get("content"), list):
        output = state.get("content")
    error = state.get("error")
    if status == "error" and error:
        output = error.get("message") if isinstance(error, dict) else error
    if as_text(output):
        content.append(Text(as_text(output)))
    for piece in state["content"] if isinstance(state.get("content"), list) else []:
        if isinstance(piece, dict) and isinstance(piece.get("text"), str):
            content.append(Text(piece["text"]))
        elif isinstance(piece, dict):
            content.append(_file(piece))
    attachments = state.get("attachments")
    for attachment in attachments if isinstance(attachments, list) else []:
        if isinstance(attachment, dict):
            content.append(_file(attachment))
    metadata, times = state.get("metadata"), state.get("time")
    metadata = metadata if isinstance(metadata, dict) else {}
    times = times if isinstance(times, dict) else {}
    begun, ended = milliseconds(times.get("start")), milliseconds(times.get("end"))
    code, child = metadata.get("exit"), as_text(metadata.get("sessionId"))
    yield ToolResult(
        call,
        content,
        is_error=status == "error",
        duration_ms=ended - begun if begun and ended and ended >= begun else None,
        exit_code=code if isinstance(code, int) and not isinstance(code, bool) else None,
        child=f"opencode:{child}" if child else "",
    )


def _file(part: dict[str, Any]) -> Block:
    """A picture, or the name of another file."""
    url = as_text(part.get("url") or part.get("uri"))
    media_type = as_text(part.get("mime"))
    if media_type.startswith("image/") or url.startswith("data:image/"):
        if url.startswith("data:"):
            return data_url(url)
        return Image(media_type=media_type, url=url)
    name = as_text(part.get("filename") or part.get("name"))
    return Notice("info", f"Attached: {name or url[:200]}")
