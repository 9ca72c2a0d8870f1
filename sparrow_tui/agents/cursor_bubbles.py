"""The bubbles of a chat in Cursor's editor as turns: prompts, and pieces of answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sparrow_tui.agents import cursor_messages
from sparrow_tui.agents.common import as_text, data_url, json_or_text, milliseconds, whole
from sparrow_tui.model import (
    Block,
    Coverage,
    Image,
    Notice,
    Raw,
    Reasoning,
    Text,
    ToolResult,
    ToolUse,
    Turn,
    Usage,
)

_CLOCK = 1_000_000_000_000
"""Timings below this are counted from the editor's start, not from the epoch."""


def turns(
    bubble: dict[str, Any], header: dict[str, Any], model: str, coverage: Coverage
) -> list[Turn]:
    """The turns of a bubble: a prompt, or a piece of an answer with at most one tool call.

    Args:
        bubble: its row.
        header: its entry in the chat's order.
        model: what answers, unless the bubble says otherwise.
        coverage: counts unknown kinds.
    """
    kind = bubble.get("type", header.get("type"))
    begun, duration = _timing(bubble.get("timingInfo"))
    moment = (
        milliseconds(bubble.get("createdAt") or bubble.get("timestamp") or header.get("createdAt"))
        or begun
    )
    uid = as_text(bubble.get("bubbleId") or header.get("bubbleId"))
    text = as_text(bubble.get("text"))
    if not text.strip():
        text = rich_text(bubble.get("richText"))
    if kind == 1:
        content: list[Any] = [text, *_attached(bubble)]
        made = cursor_messages.turns({"role": "user", "content": content[:1]}, coverage)
        if content[1:]:
            if not made or made[-1].meta:
                made.append(Turn(role="user", blocks=[]))
            made[-1].blocks.extend(content[1:])
        for turn in made:
            turn.time = moment or turn.time
        if made:
            made[-1].uid = uid
        return made
    turn = Turn(role="assistant", blocks=[], time=moment, model=model, uid=uid)
    if kind != 2:
        turn.role = "system"
        coverage.unknown[f"bubble {kind}"] = coverage.unknown.get(f"bubble {kind}", 0) + 1
        turn.blocks = [Raw(f"bubble {kind}", bubble)]
        return [turn]
    turn.duration_ms = whole(bubble.get("turnDurationMs")) or duration
    turn.blocks.extend(_thoughts(bubble))
    if text.strip():
        turn.blocks.append(Text(text))
    answers: list[Block] = []
    tool = bubble.get("toolFormerData")
    if isinstance(tool, dict) and (tool.get("name") or tool.get("tool")):
        use, result = _tool(tool, uid)
        turn.blocks.append(use)
        answers = [result] if result is not None else []
    failure = _failure(bubble.get("errorDetails"))
    if failure:
        turn.blocks.append(Notice("error", failure))
        turn.api_error = True
    count = bubble.get("tokenCount")
    if isinstance(count, dict):
        usage = Usage(whole(count.get("inputTokens")), whole(count.get("outputTokens")))
        turn.usage = usage if usage.total else None
        turn.usage_id = uid if turn.usage is not None else ""
    found = [turn] if turn.blocks or turn.usage else []
    return [*found, Turn(role="tool", blocks=answers, time=moment)] if answers else found


def rich_text(value: Any) -> str:
    """The words of a prompt in the editor's own form (Lexical JSON); empty for anything else."""
    value = json_or_text(value)
    root = value.get("root") if isinstance(value, dict) else None
    return "".join(_words(root)).strip("\n")


def _words(node: Any, depth: int = 50) -> Iterator[str]:
    if not isinstance(node, dict) or depth == 0:
        return
    if isinstance(node.get("text"), str):
        yield node["text"]
    elif node.get("type") == "linebreak":
        yield "\n"
    children = node.get("children")
    for child in children if isinstance(children, list) else []:
        yield from _words(child, depth - 1)
    if node.get("type") in ("paragraph", "heading", "listitem", "code"):
        yield "\n"


def _timing(value: Any) -> tuple[int | None, int | None]:
    """When a request was sent, and how many milliseconds its answer took."""
    if not isinstance(value, dict):
        return None, None
    clock = {
        key: moment
        for key in ("clientRpcSendTime", "clientStartTime", "clientEndTime", "clientSettleTime")
        if (moment := whole(value.get(key))) >= _CLOCK
    }
    begun = milliseconds(clock.get("clientRpcSendTime") or clock.get("clientStartTime"))
    ended = milliseconds(clock.get("clientEndTime") or clock.get("clientSettleTime"))
    if begun is None:
        return ended, None
    return begun, ended - begun if ended is not None and ended > begun else None


def _thoughts(bubble: dict[str, Any]) -> list[Block]:
    """What was thought: in one piece, in older versions in several."""
    several = bubble.get("allThinkingBlocks")
    found: list[Block] = []
    for piece in (bubble.get("thinking"), *(several if isinstance(several, list) else ())):
        if isinstance(piece, dict):
            piece = piece.get("text") or piece.get("thinking")
        if as_text(piece).strip() and Reasoning(as_text(piece)) not in found:
            found.append(Reasoning(as_text(piece)))
    return found


def _attached(bubble: dict[str, Any]) -> Iterator[Block]:
    """Pictures of a prompt, and names of the files and folders given with it."""
    context = bubble.get("context")
    context = context if isinstance(context, dict) else {}
    images = bubble.get("images") or context.get("selectedImages")
    for image in images if isinstance(images, list) else []:
        if picture := _picture(image):
            yield picture
    names: dict[str, None] = {}
    for key in ("fileSelections", "folderSelections", "selections", "externalLinks"):
        chosen = context.get(key)
        for entry in chosen if isinstance(chosen, list) else []:
            if isinstance(entry, dict):
                uri = entry.get("uri") or entry.get("url") or entry.get("relativePath")
                if isinstance(uri, dict):
                    uri = uri.get("fsPath") or uri.get("path")
                names[as_text(uri)] = None
    yield from (Notice("info", f"Attached: {name}") for name in names if name)


def _picture(value: Any) -> Image | None:
    """An image with its bytes (base64, or a ``data:`` URL), or the path it was taken from."""
    if isinstance(value, str):
        return data_url(value) if value else None
    if not isinstance(value, dict):
        return None
    data, path = value.get("data"), as_text(value.get("path") or value.get("uri"))
    media_type = as_text(value.get("mimeType") or value.get("mediaType"))
    if isinstance(data, str) and data:
        if data.startswith("data:"):
            return data_url(data)
        return Image(media_type=media_type, data=data, size=len(data) * 3 // 4)
    return Image(media_type=media_type or "image", url=path) if path else None


def _failure(details: Any) -> str:
    """Why a request failed, in the editor's words; empty if it did not."""
    details = json_or_text(details)
    if not isinstance(details, dict):
        return as_text(details).strip()
    words = [as_text(details.get(key)).strip() for key in ("title", "message")]
    return ": ".join(filter(None, words)) or as_text(details.get("error")).strip()


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
