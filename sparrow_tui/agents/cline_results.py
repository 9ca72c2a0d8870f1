"""What tools answered, from the log of requests beside Cline's or Roo Code's display log."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterator
from typing import Any

from sparrow_tui.agents.common import anthropic_blocks, as_text
from sparrow_tui.model import Block, Text, ToolResult

_HEADER = re.compile(r"\[(\w+)(?: for '(.*?)')?[^\]\n]*\] Result:", re.DOTALL)
_INJECTED = ("<environment_details>", "<feedback>", "<user_message>")
_NAMES = {
    "readFile": ("read_file",),
    "listFilesTopLevel": ("list_files",),
    "listFilesRecursive": ("list_files",),
    "listCodeDefinitionNames": ("list_code_definition_names",),
    "searchFiles": ("search_files",),
    "newFileCreated": ("write_to_file", "apply_patch"),
    "editedExistingFile": (
        "replace_in_file",
        "write_to_file",
        "apply_diff",
        "insert_content",
        "search_and_replace",
        "apply_patch",
    ),
    "appliedDiff": ("apply_diff",),
    "webFetch": ("web_fetch",),
    "webSearch": ("web_search",),
    "useSkill": ("use_skill",),
    "codebaseSearch": ("codebase_search",),
    "execute_command": ("execute_command",),
}
"""Names of tools in the display log, and what the model calls them."""


class Results:
    """Results in order, taken once each by the tool's name and its path or command."""

    def __init__(self, messages: Any = None) -> None:
        """Collect the results of a log of requests; anything but a list has none."""
        self._waiting: defaultdict[tuple[str, str], deque[ToolResult]] = defaultdict(deque)
        calls: dict[str, tuple[str, str]] = {}
        for message in messages if isinstance(messages, list) else []:
            content = message.get("content") if isinstance(message, dict) else None
            if not isinstance(content, list):
                continue
            for part in content:
                if isinstance(part, dict) and part.get("type") == "tool_use":
                    given = part.get("input")
                    target = _target(given if isinstance(given, dict) else {})
                    calls[as_text(part.get("id"))] = (as_text(part.get("name")), target)
            if message.get("role") == "user":
                for key, result in _found(content, calls):
                    self._waiting[key].append(result)

    def take(self, name: str, given: dict[str, Any]) -> ToolResult | None:
        """The next result of a tool of the display log, called with these values."""
        target = _target(given)
        for known in _NAMES.get(name, (name,)):
            waiting = self._waiting.get((known, target))
            if waiting:
                return waiting.popleft()
        return None


def _target(given: dict[str, Any]) -> str:
    """What tells one call of a tool from another: its path, command, query or address."""
    for key in ("command", "path", "regex", "query", "url"):
        if given.get(key):
            return as_text(given[key]).strip()
    return ""


def _found(
    content: list[Any], calls: dict[str, tuple[str, str]]
) -> Iterator[tuple[tuple[str, str], ToolResult]]:
    for part in content:
        if isinstance(part, dict) and part.get("type") == "tool_result":
            blocks = anthropic_blocks([part])
            result = blocks[0] if blocks else None
            if isinstance(result, ToolResult) and result.tool_use_id in calls:
                yield calls[result.tool_use_id], result
    for block, name, target in headed(anthropic_blocks(content)):
        if isinstance(block, ToolResult) and name:
            yield (name, target), block


def headed(blocks: list[Block]) -> Iterator[tuple[Block, str, str]]:
    """Blocks of a user's message with results written as text put into tool results.

    Older versions of both agents answer the model with ``[name for 'target'] Result:`` and the
    result after it, in the same text or the next.

    Yields:
        Block, tool's name, target; names are empty but for such results.
    """
    result: ToolResult | None = None
    for block in blocks:
        text = block.text if isinstance(block, Text) else ""
        if match := _HEADER.match(text):
            rest = text[match.end() :].strip()
            result = ToolResult("", [Text(rest)] if rest else [])
            yield result, match[1], match[2] or ""
        elif result is not None and text and not text.lstrip().startswith(_INJECTED):
            result.content.append(block)
        else:
            result = None
            yield block, "", ""
