"""The requests of a chat in VS Code as turns."""

from __future__ import annotations

import base64
from typing import Any

from sparrow_tui.agents.common import as_text, json_or_text, milliseconds, whole
from sparrow_tui.agents.vscode_places import path_of
from sparrow_tui.agents.vscode_tools import (
    INVOCATIONS,
    given_blocks,
    invocation_id,
    listed,
    markdown,
    paired,
    table,
    tool,
)
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
_ATTACHED = {
    "file", "directory", "image", "symbol", "paste", "promptFile", "link", "element",
    "notebookOutput", "scmHistoryItem", "terminalCommand", "diagnostic", "command",
}  # fmt: skip
"""Kinds of context that a person gives; the others the editor adds by itself."""
_FLAGS = (("image", "isImage"), ("directory", "isDirectory"), ("file", "isFile"))
"""How versions before 1.99 told kinds apart."""
PICTURE_LIMIT = 20_000_000
"""Bytes of an attached picture; a larger one is only named."""


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
    result = table(request.get("result"))
    metadata = table(result.get("metadata"))
    answer = Turn(role="assistant", blocks=[], time=moment, uid=as_text(request.get("responseId")))
    answer.model = as_text(metadata.get("resolvedModel") or request.get("modelId")).rpartition("/")[
        2
    ]
    answer.usage = _usage(request, result, metadata)
    answer.usage_id = asked.uid if answer.usage is not None else ""
    answer.duration_ms = whole(table(result.get("timings")).get("totalElapsed")) or None
    outputs = _response(request, metadata, answer, coverage)
    failure = table(result.get("errorDetails") or request.get("responseErrorDetails"))
    state = table(request.get("modelState"))
    cancelled = state.get("value") == _CANCELLED
    ended = milliseconds(state.get("completedAt"))
    if answer.duration_ms is None and ended is not None and moment is not None and ended > moment:
        answer.duration_ms = ended - moment
    if cancelled or request.get("isCanceled") is True:
        answer.blocks.append(Notice("interruption", "Cancelled."))
    elif failure:
        answer.blocks.append(Notice("error", as_text(failure.get("message")) or "It failed."))
        answer.api_error = True
    found = [turn for turn in (asked, answer) if turn.blocks or turn.usage]
    if outputs:
        found.append(Turn(role="tool", blocks=outputs, time=moment))
    if request.get("shouldBeRemovedOnSend"):
        # The person went back to before it; it goes for good with the next prompt.
        for turn in found:
            turn.branch = True
    if found:
        coverage.kept += 1
    else:
        coverage.skipped += 1
    return found


def _prompt(request: dict[str, Any]) -> list[Block]:
    message = request.get("message")
    text = message if isinstance(message, str) else as_text(table(message).get("text"))
    if not text.strip():
        parts = table(message).get("parts")
        text = "".join(as_text(table(part).get("text")) for part in listed(parts))
    blocks: list[Block] = [Text(text)] if text.strip() else []
    for variable in listed(table(request.get("variableData")).get("variables")):
        attached = table(variable)
        name = as_text(attached.get("name"))
        kind = as_text(attached.get("kind"))
        kind = kind or next((k for k, flag in _FLAGS if attached.get(flag)), "")
        picture = _picture(attached) if kind == "image" else None
        if picture is not None:
            blocks.append(picture)
        elif name and kind in _ATTACHED:
            blocks.append(Notice("info", f"Attached: {name}"))
    return blocks


def _picture(attached: dict[str, Any]) -> Image | None:
    """An attached picture whose bytes were kept: as base64, or number by number."""
    value = attached.get("value")
    data = value.get("$base64") if isinstance(value, dict) else None
    if isinstance(value, dict) and data is None:
        value = list(value.values())
    if data is None and isinstance(value, list) and 0 < len(value) <= PICTURE_LIMIT:
        if not all(isinstance(byte, int) and 0 <= byte < 256 for byte in value):
            return None
        data = base64.b64encode(bytes(value)).decode("ascii")
    if not isinstance(data, str) or not data:
        return None
    media_type = as_text(attached.get("mimeType")) or "image/png"
    return Image(media_type=media_type, data=data, size=len(data) * 3 // 4)


def _usage(
    request: dict[str, Any], result: dict[str, Any], metadata: dict[str, Any]
) -> Usage | None:
    """Tokens of a request, wherever the version put them; a cached part is not told apart."""
    for place, names in (
        (request, ("promptTokens", "completionTokens")),
        (metadata, ("promptTokens", "outputTokens")),
        (table(result.get("usage")), ("promptTokens", "completionTokens")),
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
        for round_ in listed(metadata.get("toolCallRounds"))
        for call in listed(table(round_).get("toolCalls"))
        if isinstance(call, dict)
    }
    given = {
        key.partition("__vscode")[0]: value
        for key, value in table(metadata.get("toolCallResults")).items()
    }
    response = request.get("response")
    response = response if isinstance(response, list) else [response]
    pairs = paired(response, called)
    outputs: list[Block] = []
    prose: list[str] = []

    def flush() -> None:
        said = "".join(prose)
        prose.clear()
        if said.strip():
            answer.blocks.append(Text(said))

    for part in response:
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
            prose.append(markdown(part.get("value", part.get("content"))))
        elif kind in _SILENT:
            continue
        else:
            flush()
            if kind == "thinking":
                thought = part.get("value")
                said = "\n".join(map(as_text, thought)) if isinstance(thought, list) else thought
                if as_text(said).strip():
                    answer.blocks.append(Reasoning(as_text(said)))
            elif kind in INVOCATIONS:
                own = invocation_id(part)
                use, result = tool(part, pairs.get(own, own), called, given)
                answer.blocks.append(use)
                if result is not None:
                    outputs.append(result)
            elif kind in ("textEditGroup", "notebookEditGroup", "workspaceEdit"):
                edited = path_of(part.get("uri"))
                if edited:
                    answer.blocks.append(Notice("info", f"Edited: {edited}"))
            elif kind in ("warning", "info", "error"):
                answer.blocks.append(Notice("info", markdown(part.get("content"))))
            elif kind == "questionCarousel":
                asked = [markdown(table(q).get("message")) for q in listed(part.get("questions"))]
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
                outputs.append(ToolResult(call_id, given_blocks(given[call_id])))
    return outputs


def _reference(part: dict[str, Any]) -> str:
    """The name of a file or symbol inside prose."""
    target = table(part.get("inlineReference"))
    name = as_text(part.get("name") or target.get("name"))
    path = path_of(target.get("uri") or table(target.get("location")).get("uri") or target)
    return f"`{name or path.replace(chr(92), '/').rpartition('/')[2]}`" if name or path else ""


def _unknown(kind: str, part: Any, answer: Turn, coverage: Coverage) -> None:
    key = f"part {kind}"
    coverage.unknown[key] = coverage.unknown.get(key, 0) + 1
    answer.blocks.append(Raw(kind, part))
