"""The requests of a chat in VS Code as turns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sparrow_tui.agents.common import as_text, json_or_text, milliseconds, whole
from sparrow_tui.agents.vscode_places import path_of
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

_SILENT = {
    "codeblockUri", "undoStop", "prepareToolInvocation", "mcpServersStarting", "progressMessage",
    "progressTask", "progressTaskSerialized", "confirmation", "command", "codeCitation",
    "elicitation", "elicitationSerialized", "todoList", "extensions", "pullRequest", "treeData",
    "multiDiffData", "reference", "contentReference", "usedContext", "move", "agentDetection",
    "clearToPreviousToolInvocation", "externalEdit", "hook",
}  # fmt: skip
_CANCELLED = 2


def turns(request: Any, coverage: Coverage) -> list[Turn]:
    """What was asked, what was answered, what the answer's tools gave."""
    coverage.records += 1
    if not isinstance(request, dict):
        coverage.bad += 1
        return []
    moment = milliseconds(request.get("timestamp"))
    asked = Turn(
        role="user",
        blocks=_prompt(request),
        time=moment,
        uid=as_text(request.get("requestId")),
        meta=request.get("isSystemInitiated") is True,
    )
    result = _dict(request.get("result"))
    metadata = _dict(result.get("metadata"))
    answer = Turn(role="assistant", blocks=[], time=moment, uid=as_text(request.get("responseId")))
    answer.model = as_text(metadata.get("resolvedModel") or request.get("modelId")).rpartition("/")[
        2
    ]
    answer.usage = _usage(request, result, metadata)
    answer.usage_id = asked.uid if answer.usage is not None else ""
    answer.duration_ms = whole(_dict(result.get("timings")).get("totalElapsed")) or None
    outputs = _response(request, metadata, answer, coverage)
    failure = _dict(result.get("errorDetails"))
    cancelled = _dict(request.get("modelState")).get("value") == _CANCELLED
    if cancelled or request.get("isCanceled") is True:
        answer.blocks.append(Notice("interruption", "Cancelled."))
    elif failure:
        answer.blocks.append(Notice("error", as_text(failure.get("message")) or "It failed."))
        answer.api_error = True
    found = [turn for turn in (asked, answer) if turn.blocks or turn.usage]
    if outputs:
        found.append(Turn(role="tool", blocks=outputs, time=moment))
    if found:
        coverage.kept += 1
    else:
        coverage.skipped += 1
    return found


def _prompt(request: dict[str, Any]) -> list[Block]:
    message = request.get("message")
    text = message if isinstance(message, str) else as_text(_dict(message).get("text"))
    if not text.strip():
        parts = _dict(message).get("parts")
        text = "".join(as_text(_dict(part).get("text")) for part in _list(parts))
    blocks: list[Block] = [Text(text)] if text.strip() else []
    for variable in _list(_dict(request.get("variableData")).get("variables")):
        name = as_text(_dict(variable).get("name"))
        if name and _dict(variable).get("kind") in ("file", "directory", "image", "symbol"):
            blocks.append(Notice("info", f"Attached: {name}"))
    return blocks


def _usage(
    request: dict[str, Any], result: dict[str, Any], metadata: dict[str, Any]
) -> Usage | None:
    """Tokens of a request, wherever the version put them; a cached part is not told apart."""
    for place, names in (
        (request, ("promptTokens", "completionTokens")),
        (metadata, ("promptTokens", "outputTokens")),
        (_dict(result.get("usage")), ("promptTokens", "completionTokens")),
    ):
        usage = Usage(input=whole(place.get(names[0])), output=whole(place.get(names[1])))
        if usage.total:
            return usage
    return None


def _response(
    request: dict[str, Any], metadata: dict[str, Any], answer: Turn, coverage: Coverage
) -> list[Block]:
    """Fill an answer with the parts of the response; returns what its tools gave."""
    called = {
        as_text(call.get("id")).partition("__vscode")[0]: call
        for round_ in _list(metadata.get("toolCallRounds"))
        for call in _list(_dict(round_).get("toolCalls"))
        if isinstance(call, dict)
    }
    given = {
        key.partition("__vscode")[0]: value
        for key, value in _dict(metadata.get("toolCallResults")).items()
    }
    response = request.get("response")
    outputs: list[Block] = []
    prose: list[str] = []

    def flush() -> None:
        said = "".join(prose)
        prose.clear()
        if said.strip():
            answer.blocks.append(Text(said))

    for part in response if isinstance(response, list) else [response]:
        kind = as_text(part.get("kind")) if isinstance(part, dict) else ""
        if part is None:
            continue
        if isinstance(part, str):
            prose.append(part)
        elif not isinstance(part, dict):
            _unknown("response", part, answer, coverage)
        elif kind == "inlineReference":
            prose.append(_reference(part))
        elif kind in ("", "markdownContent", "markdownVuln"):
            prose.append(_markdown(part.get("value", part.get("content"))))
        elif kind in _SILENT:
            continue
        else:
            flush()
            if kind == "thinking":
                thought = part.get("value")
                said = "\n".join(map(as_text, thought)) if isinstance(thought, list) else thought
                if as_text(said).strip():
                    answer.blocks.append(Reasoning(as_text(said)))
            elif kind in ("toolInvocationSerialized", "toolInvocation"):
                use, result = _tool(part, called, given)
                answer.blocks.append(use)
                if result is not None:
                    outputs.append(result)
            elif kind in ("textEditGroup", "notebookEditGroup", "workspaceEdit"):
                edited = path_of(part.get("uri"))
                if edited:
                    answer.blocks.append(Notice("info", f"Edited: {edited}"))
            elif kind in ("warning", "info", "error"):
                answer.blocks.append(Notice("info", _markdown(part.get("content"))))
            elif kind == "questionCarousel":
                asked = [_markdown(_dict(q).get("message")) for q in _list(part.get("questions"))]
                answer.blocks.append(Notice("info", "\n".join(filter(None, asked))))
            else:
                _unknown(kind, part, answer, coverage)
    flush()
    shown = {block.id for block in answer.blocks if isinstance(block, ToolUse)}
    for call_id, call in called.items():
        if call_id not in shown:
            name = as_text(call.get("name"))
            answer.blocks.append(ToolUse(call_id, name, json_or_text(call.get("arguments"))))
            if call_id in given:
                outputs.append(ToolResult(call_id, _given(given[call_id])))
    return outputs


def _tool(
    part: dict[str, Any], called: dict[str, dict[str, Any]], given: dict[str, Any]
) -> tuple[ToolUse, ToolResult | None]:
    """A tool's call and answer: the model's own words where kept, else what was shown."""
    call_id = as_text(part.get("toolCallId")).partition("__vscode")[0]
    details, specific = part.get("resultDetails"), _dict(part.get("toolSpecificData"))
    call = called.get(call_id)
    command = _dict(specific.get("commandLine"))
    if call is not None:
        arguments = json_or_text(call.get("arguments"))
    elif command:
        arguments = {"command": as_text(command.get("userEdited") or command.get("original"))}
    elif isinstance(details, dict) and details.get("input") is not None:
        arguments = json_or_text(details["input"])
    else:
        shown = _markdown(part.get("pastTenseMessage") or part.get("invocationMessage"))
        arguments = {"description": shown} if shown else None
    name = as_text(call.get("name")) if call is not None else as_text(part.get("toolId"))
    use = ToolUse(call_id, name or as_text(part.get("toolName")), arguments)
    content = _given(given[call_id]) if call_id in given else _shown(details)
    state = _dict(specific.get("terminalCommandState"))
    if not content and isinstance(_dict(specific.get("terminalCommandOutput")).get("text"), str):
        content = [Text(specific["terminalCommandOutput"]["text"])]
    code = state.get("exitCode")
    failed = isinstance(details, dict) and details.get("isError") is True
    if not content and part.get("isComplete") is not True:
        return use, None
    return use, ToolResult(
        call_id,
        content,
        is_error=failed,
        exit_code=code if isinstance(code, int) and not isinstance(code, bool) else None,
    )


def _shown(details: Any) -> list[Block]:
    """A tool's answer as VS Code shows it."""
    output = details.get("output") if isinstance(details, dict) else details
    blocks: list[Block] = []
    for item in output if isinstance(output, list) else [output]:
        if isinstance(item, str):
            blocks.append(Text(item))
        elif isinstance(item, dict):
            data = as_text(item.get("base64Data"))
            if data:
                media_type = as_text(item.get("mimeType"))
                blocks.append(Image(media_type=media_type, data=data, size=len(data) * 3 // 4))
            elif isinstance(item.get("value"), str):
                blocks.append(Text(item["value"]))
            else:
                blocks.append(Text(path_of(item.get("uri", item))))
    return [block for block in blocks if not isinstance(block, Text) or block.text.strip()]


def _given(result: Any) -> list[Block]:
    """A tool's answer as the model got it: texts, also inside rendered prompt trees."""
    pieces = [
        "".join(_texts(item.get("value"))) for item in _list(_dict(result).get("content"))
        if isinstance(item, dict)
    ]  # fmt: skip
    said = "\n".join(piece for piece in pieces if piece.strip())
    return [Text(said)] if said else []


def _texts(value: Any, depth: int = 100) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict) and depth:
        if isinstance(value.get("text"), str):
            yield value["text"]
        for key in ("node", "children"):
            yield from _texts(value.get(key), depth - 1)
    elif isinstance(value, list) and depth:
        for item in value:
            if not isinstance(item, str):
                yield from _texts(item, depth - 1)


def _reference(part: dict[str, Any]) -> str:
    """The name of a file or symbol inside prose."""
    target = _dict(part.get("inlineReference"))
    name = as_text(part.get("name") or target.get("name"))
    path = path_of(target.get("uri") or _dict(target.get("location")).get("uri") or target)
    return f"`{name or path.replace(chr(92), '/').rpartition('/')[2]}`" if name or path else ""


def _markdown(value: Any) -> str:
    return as_text(value.get("value")) if isinstance(value, dict) else as_text(value)


def _unknown(kind: str, part: Any, answer: Turn, coverage: Coverage) -> None:
    key = f"part {kind}"
    coverage.unknown[key] = coverage.unknown.get(key, 0) + 1
    answer.blocks.append(Raw(kind, part))


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
