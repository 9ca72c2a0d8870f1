"""Marks and context of a session as the records Claude Code writes for them.

The opposite of `claude_notices` and `claude_attachments`, as far as their words tell what they
were; what they do not tell becomes a message of context.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sparrow_tui.model import Notice, Raw, Text, Turn

_FENCED = re.compile(r"(`{3,})\w*\n(.*)\n\1", re.DOTALL)
_TASK = re.compile(r"- \[([x~ ])\] (.*)")
_STATUS = {"x": "completed", "~": "in_progress", " ": "pending"}
_HOOKS = {
    " blocked this": "hook_blocking_error",
    " failed": "hook_non_blocking_error",
    " stopped this": "hook_stopped_continuation",
    " was cancelled": "hook_cancelled",
}
"""How titles of what hooks said end, and which kind of attachment they come from."""


def record_of(turn: Turn) -> dict[str, Any] | None:
    """What a record has beside its envelope for a turn; ``None`` if that is a message."""
    head, *rest = turn.blocks or [Raw("")]
    if turn.role != "system" or not isinstance(head, Notice):
        return None
    if head.kind == "compaction":
        return {"type": "system", "subtype": "compact_boundary", "content": head.text}
    if not turn.meta:
        return None
    if not rest:
        if head.kind == "error":
            return {"type": "system", "subtype": "informational", "error": head.text}
        subtype = "away_summary" if head.kind == "summary" else "informational"
        return {"type": "system", "subtype": subtype, "content": head.text}
    if len(rest) == 1 and isinstance(rest[0], Text):
        for title, made in _ATTACHED.items():
            if head.text.startswith(title):
                body = made(head.text.removeprefix(title), rest[0].text)
                return None if body is None else {"type": "attachment", "attachment": body}
    return None


def command_of(turn: Turn) -> str:
    """A command and what its message says, as the text of a message; empty if it is none."""
    first, *more = turn.blocks or [Raw("")]
    if not (isinstance(first, Notice) and first.kind == "command"):
        return ""
    name, _, words = first.text.partition(" ")
    said = "".join(
        f"<command-message>{block.text}</command-message>\n"
        for block in more
        if isinstance(block, Notice)
    )
    args = f"\n<command-args>{words}</command-args>" if words else ""
    return f"{said}<command-name>{name}</command-name>{args}"


def _hook(title: str, text: str) -> dict[str, Any]:
    name, kind = title, "hook_additional_context"
    for end, found in _HOOKS.items():
        if title.endswith(end):
            name, kind = title.removesuffix(end), found
    event = name.partition(":")[0]
    return {"type": kind, "hookName": name, "hookEvent": event, "toolUseID": "", "content": [text]}


def _attached(path: str, text: str) -> dict[str, Any]:
    told = {"filename": path, "displayPath": path}
    if fenced := _FENCED.fullmatch(text):
        file = {"filePath": path, "content": fenced[2]}
        return {"type": "file", **told, "content": {"type": "text", "file": file}}
    return {"type": "directory", "path": path, "displayPath": path, "content": text}


def _changed(path: str, text: str) -> dict[str, Any] | None:
    fenced = _FENCED.fullmatch(text)
    return {"type": "edited_text_file", "filename": path, "snippet": fenced[2]} if fenced else None


def _instructions(path: str, text: str) -> dict[str, Any]:
    held = {"path": path, "type": "Project", "content": text}
    return {"type": "nested_memory", "path": path, "displayPath": path, "content": held}


def _tasks(_: str, text: str) -> dict[str, Any]:
    tasks: list[dict[str, str]] = []
    for line in text.split("\n"):
        if task := _TASK.fullmatch(line):
            tasks.append({"status": _STATUS[task[1]], "subject": task[2]})
        elif tasks:
            tasks[-1]["subject"] += f"\n{line}"
    return {"type": "task_reminder", "content": tasks, "itemCount": len(tasks)}


def _reminder(_: str, text: str) -> dict[str, Any]:
    return {"type": "critical_system_reminder", "content": text}


_ATTACHED: dict[str, Callable[[str, str], dict[str, Any] | None]] = {
    "Attached ": _attached,
    "Changed outside: ": _changed,
    "Hook ": _hook,
    "Instructions ": _instructions,
    "Reminded of its tasks": _tasks,
    "Reminder": _reminder,
}
"""How titles begin, and what made them."""
