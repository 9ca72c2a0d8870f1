"""A conversation as Kiro CLI keeps it in its database and writes it with ``/chat save``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sparrow_tui.agents.common import COUNT_LIMIT, as_text, milliseconds, title_of
from sparrow_tui.agents.injected import user_turns
from sparrow_tui.agents.line_session import WRONG_SHAPE, count_unknown
from sparrow_tui.model import (
    Block,
    Coverage,
    Image,
    Notice,
    Raw,
    SessionInfo,
    Text,
    ToolResult,
    ToolUse,
    Turn,
)


def facts(conversation: dict[str, Any], info: SessionInfo) -> None:
    """Fill in what the conversation says about itself: model, credits used."""
    model = conversation.get("model_info")
    named = model.get("model_id") if isinstance(model, dict) else conversation.get("model")
    info.model = as_text(named) or None
    turn = conversation.get("user_turn_metadata")
    used = turn.get("usage_info") if isinstance(turn, dict) else None
    credits = sum_of(used)
    if credits:
        info.extra["credits"] = credits


def sum_of(entries: Any) -> float:
    """Credits in a list of ``{value, unit}``; anything else counts nothing."""
    return round(
        sum(
            float(entry["value"])
            for entry in (entries if isinstance(entries, list) else [])
            if isinstance(entry, dict)
            and isinstance(entry.get("value"), int | float)
            and 0 <= entry["value"] < COUNT_LIMIT
            and as_text(entry.get("unit")).startswith("credit")
        ),
        4,
    )


def turns(conversation: dict[str, Any], info: SessionInfo, coverage: Coverage) -> Iterator[Turn]:
    """The turns of a conversation: a prompt or tools' results and the model's answer to each.

    Args:
        conversation: ``{conversation_id, history, latest_summary, …}``.
        info: filled in with times, title and project on the way.
        coverage: one record an entry of the history, one for a summary.
    """
    summary = conversation.get("latest_summary")
    if isinstance(summary, list):
        # With its request's metadata in newer versions.
        summary = summary[0] if summary else None
    if isinstance(summary, str) and summary.strip():
        coverage.records += 1
        coverage.kept += 1
        yield Turn(role="summary", blocks=[Notice("compaction"), Text(summary)])
    history = conversation.get("history")
    for number, entry in enumerate(history if isinstance(history, list) else []):
        coverage.records += 1
        try:
            found = _entry(entry, info, coverage)
        except WRONG_SHAPE:
            coverage.bad += 1
            continue
        coverage.locate(f"{info.native_id}, entry {number}")
        coverage.kept += bool(found)
        coverage.skipped += not found
        yield from found


def _entry(entry: Any, info: SessionInfo, coverage: Coverage) -> list[Turn]:
    if isinstance(entry, list):
        # Older versions: a pair.
        entry = {"user": entry[0], "assistant": entry[1] if len(entry) > 1 else None}
    request = entry.get("request_metadata")
    request = request if isinstance(request, dict) else {}
    user = entry.get("user")
    user = user if isinstance(user, dict) else {}
    asked = milliseconds(user.get("timestamp") or request.get("request_start_timestamp_ms"))
    answered = milliseconds(request.get("stream_end_timestamp_ms"))
    for time in (asked, answered):
        if time is not None:
            info.created_at = info.created_at or time
            info.updated_at = max(time, info.updated_at or time)
    context = user.get("env_context")
    state = context.get("env_state") if isinstance(context, dict) else None
    if isinstance(state, dict) and info.project is None:
        info.project = as_text(state.get("current_working_directory")) or None
    found = user_turns(_asked(user, coverage), time=asked)
    for turn in found:
        for block in turn.blocks:
            if isinstance(block, Text) and turn.role == "user" and not turn.meta:
                info.title = info.title or title_of(block.text) or None
    answer = _answer(entry.get("assistant"), coverage)
    if answer is not None:
        answer.time = answered or asked
        sent = milliseconds(request.get("request_start_timestamp_ms"))
        if sent is not None and answered is not None and answered > sent:
            answer.duration_ms = answered - sent
        answer.model = as_text(request.get("model_id"))
        answer.uid = answer.uid or as_text(request.get("message_id"))
        info.model = answer.model or info.model
        found.append(answer)
    return found


def _asked(user: dict[str, Any], coverage: Coverage) -> list[Block]:
    content = user.get("content")
    blocks: list[Block] = []
    for kind, value in content.items() if isinstance(content, dict) else ():
        if kind not in ("Prompt", "ToolUseResults", "CancelledToolUses"):
            count_unknown(coverage, f"user {kind}")
            blocks.append(Raw(f"user {kind}", value))
            continue
        results = value.get("tool_use_results")
        for result in results if isinstance(results, list) else []:
            blocks.append(_result(result))
        if kind == "CancelledToolUses":
            blocks.append(Notice("interruption", "Tools were cancelled."))
        prompt = as_text(value.get("prompt"))
        if prompt.strip():
            blocks.append(Text(prompt))
    images = user.get("images")
    for image in images if isinstance(images, list) else []:
        blocks.append(picture(image))
    return blocks


def _result(value: dict[str, Any]) -> ToolResult:
    status = as_text(value.get("status")).lower()
    content = value.get("content")
    result = ToolResult(
        as_text(value.get("tool_use_id")), is_error=status == "error" if status else None
    )
    for part in content if isinstance(content, list) else [content]:
        inner = part.get("Text", part.get("Json")) if isinstance(part, dict) else part
        shell = inner if isinstance(inner, dict) else {}
        if "exit_status" in shell and ("stdout" in shell or "stderr" in shell):
            shell_output(result, shell)
        elif as_text(inner).strip():
            result.content.append(Text(as_text(inner)))
    return result


def shell_output(result: ToolResult, value: dict[str, Any]) -> None:
    """Put a shell command's output and exit code (``exit status: 1``, ``1``) into a result."""
    for name in ("stdout", "stderr"):
        if as_text(value.get(name)):
            result.content.append(Text(as_text(value[name])))
    code = as_text(value.get("exit_status")).rpartition(":")[2].strip()
    if code.lstrip("-").isdecimal() and len(code) < 10:
        result.exit_code = int(code)
        result.is_error = result.is_error or result.exit_code != 0


def _answer(assistant: Any, coverage: Coverage) -> Turn | None:
    if not isinstance(assistant, dict):
        return None
    turn = Turn(role="assistant", blocks=[])
    for kind, value in assistant.items():
        if kind not in ("Response", "ToolUse"):
            count_unknown(coverage, f"assistant {kind}")
            turn.blocks.append(Raw(f"assistant {kind}", value))
            continue
        text = as_text(value.get("content"))
        if text.strip():
            turn.blocks.append(Text(text))
        uses = value.get("tool_uses")
        for use in uses if isinstance(uses, list) else []:
            given = use.get("args", use.get("orig_args"))
            turn.blocks.append(ToolUse(as_text(use.get("id")), as_text(use.get("name")), given))
        turn.uid = as_text(value.get("message_id"))
    return turn if turn.blocks else None


def picture(value: Any) -> Image:
    """An image: ``{format, source: {Bytes: […]}}``, ``{mimeType, data}`` or an address."""
    if not isinstance(value, dict):
        return Image(url=as_text(value))
    media_type = as_text(value.get("mimeType"))
    media_type = media_type or f"image/{as_text(value.get('format')) or 'png'}"
    source = value.get("source")
    data = value.get("data")
    if isinstance(source, dict):
        data = source.get("Bytes", source.get("bytes", source.get("data")))
    if isinstance(data, list):
        # Bytes as numbers.
        import base64

        data = base64.b64encode(bytes(byte & 255 for byte in data)).decode("ascii")
    if not isinstance(data, str):
        return Image(media_type=media_type, url=as_text(value.get("id") or value.get("uri")))
    return Image(media_type=media_type, data=data, size=len(data) * 3 // 4)
