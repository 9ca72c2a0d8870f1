"""What agents' files say, read without the app's readers; and whether a viewer shows it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sparrow_tui.text.frames import FULL

ESCAPE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?"
)
FRAME = re.compile(r"^[▎ ] (?:  │ |┊ |▏ |▎ )?")
"""What stands left of a line's own text: the cursor's bar, then a card's or quote's edge."""


SAME = re.compile(r"\[([^\]\n]+)\]\(\1\)")
"""A link that shows its own target: said once is enough."""
MARK = re.compile(r"^\s*[-*+] \[[ xX]\] |</?command-(?:name|args|message)>")
"""Shown as ☑ or ❯."""


def squeezed(text: str) -> str:
    """Letters and digits alone: layout and Markdown's marks do not count."""
    return "".join(c for c in ESCAPE.sub("", text) if c.isalnum())


def records(path: Path) -> Iterator[dict[str, Any]]:
    """The JSON objects of a file's lines, as far as they can be read."""
    for line in path.read_text("utf-8", "replace").split("\n"):
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            yield value


def strings(value: Any) -> Iterator[str]:
    """Strings inside a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def claude_texts(path: Path) -> Iterator[tuple[str, str]]:
    """(kind, text) of a Claude Code transcript's blocks, side chains left out."""
    for record in records(path):
        if record.get("isSidechain"):
            continue
        if record.get("type") == "attachment":
            yield from (("context", said) for said in _attached(record["attachment"]))
        if record.get("type") not in ("user", "assistant"):
            continue
        content = (record.get("message") or {}).get("content")
        for block in [{"type": "text", "text": content}] if isinstance(content, str) else content:
            kind = block.get("type") if isinstance(block, dict) else None
            if kind == "text":
                yield "text", block["text"]
            elif kind == "thinking":
                yield "thinking", block["thinking"]
            elif kind == "tool_use":
                yield from (("input", said) for said in strings(block.get("input")))
            elif kind == "tool_result":
                inner = block.get("content")
                parts = inner if isinstance(inner, list) else [{"type": "text", "text": inner}]
                for part in parts:
                    if isinstance(part, dict) and isinstance(part.get("text"), str):
                        yield "result", part["text"]


def _attached(body: dict[str, Any]) -> Iterator[str]:
    """What an attachment gives to the model, but for lists of what is on offer."""
    kind, content = body.get("type"), body.get("content")
    if kind == "file":
        yield from strings((content.get("file") or {}).get("content"))
    elif kind == "edited_text_file":
        yield from strings(body.get("snippet"))
    elif kind == "nested_memory":
        yield from strings(content.get("content"))
    elif kind in ("hook_success", "hook_additional_context", "hook_system_message"):
        yield from strings(content)
    elif kind in ("task_reminder", "todo_reminder"):
        yield from (said for item in content for said in strings([item.get("subject") or ""]))
    elif kind == "queued_command":
        yield from strings(body.get("prompt"))


def codex_texts(path: Path) -> Iterator[tuple[str, str]]:
    """(kind, text) of a Codex rollout's items."""
    for record in records(path):
        body = record.get("payload") if record.get("type") == "response_item" else None
        if record.get("type") in ("message", "reasoning", "function_call", "function_call_output"):
            body = record  # the oldest form has no envelope
        if not isinstance(body, dict):
            continue
        kind = body.get("type")
        if kind == "message":
            yield from (("text", said) for said in _texts(body.get("content")))
        elif kind == "reasoning":
            yield from (("thinking", said) for said in _texts(body.get("summary")))
        elif kind in ("function_call", "custom_tool_call"):
            said = body.get("arguments", body.get("input"))
            try:
                yield from (("input", part) for part in strings(json.loads(said)))
            except (ValueError, TypeError):
                yield from (("input", part) for part in strings(said))
        elif kind in ("function_call_output", "custom_tool_call_output"):
            output = body.get("output")
            if isinstance(output, str):
                try:
                    inner = json.loads(output)
                except ValueError:
                    inner = None
                if isinstance(inner, dict) and isinstance(inner.get("output"), str):
                    output = inner["output"]
            yield from (("result", part) for part in _texts(output))


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    for part in content if isinstance(content, list) else ():
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            yield part["text"]


def missing(texts: Iterator[tuple[str, str]], shown: str) -> list[tuple[str, str]]:
    """Lines that are not on display; of a table's lines, words that are not.

    Args:
        texts: (kind, text) pairs as the source has them.
        shown: all that was displayed, squeezed.
    """
    lost = []
    looked: set[tuple[str, str]] = set()
    for kind, text in texts:
        for line in re.split(r"[\n\r\u2028\u2029\x85\x0b\x0c]", text):
            if (kind, line) in looked:
                continue
            looked.add((kind, line))
            bare = SAME.sub(r"\1", MARK.sub("", line))
            if squeezed(line) in shown or squeezed(bare) in shown:
                continue
            if "|" in line and all(squeezed(word) in shown for word in line.split()):
                continue
            lost.append((kind, line))
    return lost


async def displayed(driver: Any) -> str:
    """All text of the session shown, squeezed, gathered by paging from its first line to its last.

    Everything is unfolded first.
    """
    view = driver.view
    if not view.model.view.reasoning:
        view.action_reasoning()
    if not view.model.view.branches:
        view.action_branches()
    while view.model.view.level != FULL:
        view.action_fold_all()
    view.action_start()
    found: list[str] = []
    last = None
    while True:
        await _until(lambda: view._goal is None and not view._owed)
        await _until(lambda: len(view._rows) >= view.page_height or view._edge(1))
        for y, place in enumerate(view._rows):
            if last is None or place > last:
                line = "".join(segment.text for segment in view.render_line(y))
                found.append(squeezed(FRAME.sub("", line[:-2])))
                last = place
        if view._edge(1) and view.model.at_end(view.page_height):
            return "".join(found)
        before = view._rows[-1]
        view.action_page(1)
        await _until(lambda b=before: view._rows[-1] != b or view.model.at_end(view.page_height))


async def _until(condition: Callable[[], object]) -> None:
    for _ in range(20_000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("a page did not come")
