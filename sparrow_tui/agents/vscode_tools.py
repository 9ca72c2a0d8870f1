"""Tools in a chat of VS Code: what they were given and what they answered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sparrow_tui.agents.common import as_text, json_or_text
from sparrow_tui.agents.vscode_places import path_of
from sparrow_tui.model import Block, Image, Text, ToolResult, ToolUse

INVOCATIONS = ("toolInvocationSerialized", "toolInvocation")
_OTHERWISE = {
    "searchcodebase": "semanticsearch", "findfiles": "filesearch",
    "findtextinfiles": "grepsearch", "insertedit": "inserteditintofile",
}  # fmt: skip
"""What VS Code calls a tool and what the model does, where one does not begin like the other."""


def paired(parts: list[Any], called: dict[str, dict[str, Any]]) -> dict[str, str]:
    """The calls' own ids by those their display has: most are the same, some made up for it.

    Args:
        parts: of a response.
        called: the model's calls by id, in order.
    """
    shown = [
        (invocation_id(part), as_text(part.get("toolId")))
        for part in parts
        if isinstance(part, dict) and part.get("kind") in INVOCATIONS
    ]
    known = {own for own, _ in shown if own in called}
    free = [call_id for call_id in called if call_id not in known]
    pairs: dict[str, str] = {}
    for own, tool_id in shown:
        if own in known or own in pairs:
            continue
        match = next((each for each in free if _same(tool_id, called[each].get("name"))), None)
        if match is not None:
            free.remove(match)
            pairs[own] = match
    return pairs


def _same(shown: str, name: Any) -> bool:
    """Whether VS Code's name of a tool and the model's are of the same."""
    shown = shown.removeprefix("copilot_").replace("_", "").lower()
    shown, name = _OTHERWISE.get(shown, shown), as_text(name).replace("_", "").lower()
    return bool(shown and name) and (shown.startswith(name) or name.startswith(shown))


def invocation_id(part: dict[str, Any]) -> str:
    """The id a tool's display has."""
    return as_text(part.get("toolCallId")).partition("__vscode")[0]


def tool(
    part: dict[str, Any], call_id: str, called: dict[str, dict[str, Any]], given: dict[str, Any]
) -> tuple[ToolUse, ToolResult | None]:
    """A tool's call and answer: the model's own words where kept, else what was shown."""
    details, specific = part.get("resultDetails"), table(part.get("toolSpecificData"))
    call = called.get(call_id)
    command = table(specific.get("commandLine"))
    if call is not None:
        arguments = json_or_text(call.get("arguments"))
    elif command:
        arguments = {"command": as_text(command.get("userEdited") or command.get("original"))}
    elif isinstance(details, dict) and details.get("input") is not None:
        arguments = json_or_text(details["input"])
    elif specific.get("rawInput", specific.get("input")) is not None:
        arguments = json_or_text(specific.get("rawInput", specific.get("input")))
    elif specific.get("kind") == "subagent":
        asked = {key: specific.get(key) for key in ("agentName", "description", "prompt")}
        arguments = {key: value for key, value in asked.items() if value}
    else:
        shown = markdown(part.get("pastTenseMessage") or part.get("invocationMessage"))
        arguments = {"description": shown} if shown else None
    name = as_text(call.get("name")) if call is not None else as_text(part.get("toolId"))
    use = ToolUse(call_id, name or as_text(part.get("toolName")), arguments)
    content = given_blocks(given[call_id]) if call_id in given else _shown(details)
    state = table(specific.get("terminalCommandState"))
    if not content and isinstance(table(specific.get("terminalCommandOutput")).get("text"), str):
        content = [Text(specific["terminalCommandOutput"]["text"])]
    for key in ("output", "result"):
        if not content and isinstance(specific.get(key), str) and specific[key].strip():
            content = [Text(specific[key])]
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


def given_blocks(result: Any) -> list[Block]:
    """A tool's answer as the model got it: texts, also inside rendered prompt trees."""
    pieces = [
        "".join(_texts(item.get("value"))) for item in listed(table(result).get("content"))
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


def markdown(value: Any) -> str:
    """The text of a Markdown string, which is an object or plain."""
    return as_text(value.get("value")) if isinstance(value, dict) else as_text(value)


def table(value: Any) -> dict[str, Any]:
    """A table as it is; anything else as an empty one."""
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> list[Any]:
    """A list as it is; anything else as an empty one."""
    return value if isinstance(value, list) else []
