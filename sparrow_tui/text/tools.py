"""A tool call in one line: the command, the file and lines, the pattern, the question."""

from __future__ import annotations

import os.path
from typing import Any

import msgspec

from sparrow_tui.sanitize import clean_line

_FIRST = (
    "command", "cmd", "script", "file_path", "filePath", "path", "target_file", "notebook_path",
    "pattern", "query", "description", "prompt", "url", "regex", "task", "question", "subject",
    "skill", "name", "code", "text", "input",
)  # fmt: skip
PATHS = ("file_path", "filePath", "path", "target_file", "notebook_path", "filename")
"""Keys under which tools are given a file."""
_SHELLS = frozenset(
    ("bash", "shell", "exec_command", "shell_command", "run_shell_command", "container.exec",
     "execute_command", "run_terminal_cmd", "local_shell", "exec", "terminal")
)  # fmt: skip
LIMIT = 300
_LOOKED = 200_000
"""Characters of a patch in which names of files are looked for."""


def gist(name: str, value: Any) -> str:
    """What a call is about, in one safe line; empty if its input says nothing short."""
    if isinstance(value, str):
        return clean_line(_patch_gist(value) or value, LIMIT)
    if not isinstance(value, dict):
        return "" if value is None else clean_line(_json(value), LIMIT)
    low = name.lower()
    if low in _SHELLS:
        command = value.get("command", value.get("cmd", value.get("action", "")))
        if isinstance(command, dict):
            command = command.get("command", "")
        if isinstance(command, list):
            words = [str(word) for word in command]
            command = (
                words[-1] if len(words) == 3 and words[1] in ("-c", "-lc") else " ".join(words)
            )
        return clean_line(str(command), LIMIT)
    if low in ("grep", "search", "search_files", "rg", "ripgrep"):
        where = value.get("path") or value.get("glob") or ""
        pattern = value.get("pattern") or value.get("query") or value.get("regex") or ""
        return clean_line(f"{pattern}" + (f"  in {where}" if where else ""), LIMIT)
    if low in ("task", "agent", "spawn_agent", "subagent", "new_task"):
        kind = value.get("subagent_type") or value.get("agent_type") or value.get("mode") or ""
        said = value.get("description") or value.get("message") or value.get("prompt") or ""
        return clean_line(f"{kind}: {said}" if kind else str(said), LIMIT)
    if low in ("todowrite", "update_plan", "todo_write"):
        return _todo_gist(value)
    for patch in (value.get("patch"), value.get("input")):
        if isinstance(patch, str) and (found := _patch_gist(patch)):
            return clean_line(found, LIMIT)
    for key in _FIRST:
        said = value.get(key)
        if isinstance(said, str) and said.strip():
            return clean_line(said + _range(value), LIMIT)
    for said in value.values():
        if isinstance(said, str) and said.strip():
            return clean_line(said, LIMIT)
    return clean_line(_json(value), LIMIT) if value else ""


def _range(value: dict[str, Any]) -> str:
    """``:10-59`` where the input names lines."""
    start = value.get("offset", value.get("start_line"))
    if not isinstance(start, int):
        return ""
    length, end = value.get("limit"), value.get("end_line")
    if isinstance(length, int):
        end = start + length - 1
    return f":{start}-{end}" if isinstance(end, int) else f":{start}"


def _patch_gist(text: str) -> str:
    """The files an ``apply_patch`` text touches."""
    if "*** Begin Patch" not in text[:_LOOKED]:
        return ""
    heads = ("*** Update File: ", "*** Add File: ", "*** Delete File: ")
    lines = text[:_LOOKED].splitlines()
    files = [line.partition(": ")[2] for line in lines if line.startswith(heads)]
    return ", ".join(os.path.basename(name.strip()) for name in files)


def _todo_gist(value: dict[str, Any]) -> str:
    items = value.get("todos", value.get("plan"))
    if not isinstance(items, list):
        return ""
    done = sum(1 for i in items if isinstance(i, dict) and i.get("status") == "completed")
    now = next(
        (i.get("content") or i.get("step") or i.get("activeForm") or ""
         for i in items if isinstance(i, dict) and i.get("status") == "in_progress"),
        "",
    )  # fmt: skip
    return clean_line(f"{done}/{len(items)} done" + (f" · {now}" if now else ""), LIMIT)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode("utf-8", "replace")


def pretty(value: Any) -> str:
    """A JSON value over several lines."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode("utf-8", "replace")


def duration(milliseconds: int | None) -> str:
    """``0.4 s``, ``12 s``, ``3 m 05 s``; empty if not known."""
    if milliseconds is None or milliseconds < 0:
        return ""
    seconds = milliseconds / 1000
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{int(seconds // 60)} m {int(seconds % 60):02} s"
