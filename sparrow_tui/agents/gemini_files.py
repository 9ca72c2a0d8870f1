"""The folder Gemini CLI and its fork Qwen Code keep of a project: whose, and which sessions."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from sparrow_tui.agents import plain
from sparrow_tui.agents.common import as_text, copy_mark, milliseconds
from sparrow_tui.agents.projects import by_hash, json_file

HEAD = 4096
"""Bytes a conversation's header and the first message's id are within."""
_UUID = re.compile(r"\w{8}(-\w{4}){3}-\w{12}")
_HASH = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"session-(\d{4}-\d\d-\d\dT\d\d-\d\d)-([\w-]{8})\.jsonl?")
_FACT = re.compile(rb'"(startTime|lastUpdated|id)"\s*:\s*"([^"]{1,100})"')


def project(path: Path, header: dict[str, Any]) -> str | None:
    """The project's directory: a note beside, Gemini's list, or the known one with this hash."""
    folder = next((up for up in path.parents if up.parent.name == "tmp"), None)
    names = [as_text(header.get("projectHash"))]
    if folder is not None:
        names.append(folder.name)
        note = folder / ".project_root"
        try:
            root = plain.read_text(note)[:4096].strip()
        except OSError:
            root = ""
        if root:
            return root
        listed = json_file(folder.parent.parent / "projects.json")
        projects = listed.get("projects") if isinstance(listed, dict) else None
        for directory, name in projects.items() if isinstance(projects, dict) else ():
            if name == folder.name:
                return str(directory)
        if any(_HASH.fullmatch(name) for name in names):
            known = by_hash(folder.parent.parent.parent, "sha256")
            return next((known[name] for name in names if name in known), None)
    return None


def identity(agent: str, path: Path, header: dict[str, Any]) -> tuple[str, str | None]:
    """A conversation's session id, and that of the session it is a sub-agent of.

    In 2025 a sub-agent was recorded under its caller's session id in a file of its own, and so
    was what followed ``/clear``. The file begun first is the session; each later one is named
    by its time too, and is a sub-agent's if it was begun before the first one's newest entry.
    Where editors run Gemini as a server, every session of every project has the same id.
    """
    session_id = as_text(header.get("sessionId"))
    if not session_id:
        return f"{agent}:{path.stem}", None
    named = f"{agent}:{session_id}"
    first, begun = _first(path)
    if begun and not is_unique(session_id):
        return f"{named}.{as_text(header.get('projectHash'))[:8]}.{begun}", None
    if first is None:
        return named + copy_mark(path), None
    of_first, own = _facts(first), _facts(path)
    if own.get("id") == of_first.get("id") and is_unique(own.get("id", "")):
        return named, None  # it goes on from a copy of what was said
    started, ended = milliseconds(own.get("startTime")), milliseconds(of_first.get("lastUpdated"))
    inside = bool(started and ended and started <= ended)
    return f"{named}.{begun}", named if inside else None


def is_unique(given: str) -> bool:
    """Whether an id is a UUID: others are the same for many sessions or messages."""
    return _UUID.fullmatch(given) is not None


def _first(path: Path) -> tuple[Path | None, str]:
    """The earliest other file of the same session, if it is earlier; and this file's time."""
    own = _NAME.fullmatch(path.name)
    if own is None:
        return None, ""
    try:
        names = [name for name in os.listdir(path.parent) if f"-{own[2]}.json" in name]
    except OSError:
        return None, own[1]
    begun = sorted((match[1], match[0]) for match in map(_NAME.fullmatch, names) if match)
    if not begun or begun[0][0] >= own[1]:
        return None, own[1]
    return path.with_name(begun[0][1]), own[1]


def _facts(path: Path) -> dict[str, str]:
    """Times in a conversation's header, and its first message's id."""
    try:
        head = plain.read_bytes(path, HEAD)
    except OSError:
        return {}
    found: dict[str, str] = {}
    for match in _FACT.finditer(head):
        found.setdefault(match[1].decode(), match[2].decode(errors="replace"))
    return found
