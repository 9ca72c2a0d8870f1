"""What Claude Code puts into the talk beside the messages: its ``attachment`` records, in words.

Kinds as written by Claude Code 2.0 to 2.1; the text is the model's context, so it is shown folded.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from sparrow_tui.agents.common import as_text, json_or_text
from sparrow_tui.model import Block, Image, Notice, Text

_Body = dict[str, Any]

SKIPPED = frozenset(
    (
        # What is on offer, the same in every session: in searches it would drown what was said.
        "agent_listing_delta", "deferred_tools_delta", "dynamic_skill", "mcp_instructions_delta",
        "skill_discovery", "skill_listing",
        # States and counts.
        "auto_mode", "auto_mode_exit", "bagel_console", "budget_usd", "command_permissions",
        "companion_intro", "compaction_reminder", "context_efficiency", "date_change",
        "output_token_usage", "team_context", "teammate_shutdown_batch", "token_usage",
        "total_tokens_reminder", "ultra_effort_enter", "ultra_effort_exit", "ultrathink_effort",
        "verify_plan_reminder", "workflow_keyword",
    )
)  # fmt: skip
"""Kinds without a word for a reader."""

_DONE = {"completed": "[x]", "in_progress": "[~]"}
_FENCE = re.compile(r"`{3,}")


def context(body: _Body) -> list[Block] | None:
    """An attachment as a title and what it holds.

    Returns:
        Blocks of which the first is a `Notice`; empty if it says nothing; ``None`` for a kind
        nobody told us about.
    """
    kind = as_text(body.get("type"))
    if kind in SKIPPED:
        return []
    told = _KINDS.get(kind)
    return None if told is None else told(body)


def _titled(title: str, *texts: str, kind: str = "info") -> list[Block]:
    said = "\n\n".join(text.strip("\n") for text in texts if text.strip())
    head = Notice(kind, title)
    return [head, Text(said)] if said else [head]


def _only(title: str, *texts: str, kind: str = "info") -> list[Block]:
    """Nothing at all without a text."""
    return _titled(title, *texts, kind=kind) if any(text.strip() for text in texts) else []


def code(text: str, path: str = "") -> str:
    """A text as a block of code, by the language its file's name tells."""
    longest = max((len(found) for found in _FENCE.findall(text)), default=2)
    fence = "`" * (longest + 1)
    language = PurePath(path.replace("\\", "/")).suffix[1:]
    return f"{fence}{language if language.isalnum() else ''}\n{text}\n{fence}" if text else ""


def _path(body: _Body) -> str:
    for key in ("displayPath", "filename", "path", "uri", "planFilePath"):
        if isinstance(body.get(key), str) and body[key]:
            return str(body[key])
    return ""


def _file(body: _Body) -> list[Block]:
    title = f"Attached {_path(body)}".rstrip()
    content = body.get("content")
    held = content.get("file") if isinstance(content, dict) else None
    if not isinstance(held, dict):
        return _titled(title, code(as_text(content), _path(body)))
    if isinstance(held.get("base64"), str):
        data = held["base64"]
        media = as_text(held.get("type")) or "application/pdf"
        return [Notice("info", title), Image(media, data, size=len(data) * 3 // 4)]
    cells = held.get("cells")
    if isinstance(cells, list):
        sources = (as_text(cell.get("source")) for cell in cells if isinstance(cell, dict))
        return _titled(title, *(code(source, ".py") for source in sources))
    return _titled(title, code(as_text(held.get("content")), _path(body)))


def _edited(body: _Body) -> list[Block]:
    return _titled(f"Changed outside: {_path(body)}", code(as_text(body.get("snippet"))))


def _selected(body: _Body) -> list[Block]:
    lines = f" {body.get('lineStart')}–{body.get('lineEnd')}" if "lineStart" in body else ""
    return _titled(
        f"Selected {_path(body)}{lines}", code(as_text(body.get("content")), _path(body))
    )


def _memory(body: _Body) -> list[Block]:
    held = body.get("content")
    text = held.get("content") if isinstance(held, dict) else held
    return _titled(f"Instructions {_path(body)}".rstrip(), as_text(text))


def _memories(body: _Body) -> list[Block]:
    found = [item for item in body.get("memories") or () if isinstance(item, dict)]
    return _only("Memories", *(f"{_path(m)}\n\n{as_text(m.get('content'))}" for m in found))


def _tasks(body: _Body) -> list[Block]:
    """A reminder of the to-do list."""
    lines = []
    for item in body.get("content") or ():
        subject = as_text(item.get("subject")) or as_text(item.get("content"))
        about = as_text(item.get("description"))
        mark = _DONE.get(as_text(item.get("status")), "[ ]")
        lines.append(f"- {mark} {subject}{f': {about}' if about else ''}")
    return _only("Reminded of its tasks", "\n".join(lines))


def _hook(body: _Body) -> list[Block]:
    """What a hook said. Its commands as JSON come again, one by one, in records of their own."""
    kind, name = as_text(body.get("type")), as_text(body.get("hookName"))
    failed = kind not in _HOOKS_FINE
    said = [_words(body.get(key)) for key in ("content", "message", "blockingError", "stderr")]
    out = as_text(body.get("stdout"))
    if out.strip() not in said[0] and not isinstance(json_or_text(out.strip()), dict):
        said.append(out)
    if isinstance(response := body.get("response"), dict):
        own = response.get("hookSpecificOutput")
        more = own.get("additionalContext") if isinstance(own, dict) else None
        said += [_words(response.get("systemMessage")), _words(more)]
    state = _HOOK_STATES.get(kind, "")
    if decision := as_text(body.get("decision")):
        state = f" said {decision}"
    told = _titled if state else _only
    return told(f"Hook {name}{state}", *said, kind="error" if failed else "info")


_HOOK_STATES = {
    "hook_blocking_error": " blocked this", "hook_cancelled": " was cancelled",
    "hook_error_during_execution": " failed", "hook_non_blocking_error": " failed",
    "hook_stopped_continuation": " stopped this",
}  # fmt: skip
_HOOKS_FINE = frozenset(
    (
        "async_hook_response", "hook_additional_context", "hook_cancelled",
        "hook_permission_decision", "hook_success", "hook_system_message",
    )
)  # fmt: skip


def _words(value: Any) -> str:
    """The strings of a value, each on lines of its own."""
    if isinstance(value, dict):
        return "\n".join(_words(item) for item in value.values())
    if isinstance(value, list):
        return "\n".join(_words(item) for item in value)
    return value.strip() if isinstance(value, str) else ""


def _diagnostics(body: _Body) -> list[Block]:
    lines = []
    for file in body.get("files") or ():
        for found in file.get("diagnostics") or ():
            span = found.get("range")
            start = span.get("start") if isinstance(span, dict) else None
            line = start.get("line") if isinstance(start, dict) else None
            at = f":{line + 1}" if isinstance(line, int) else ""
            severity = as_text(found.get("severity"))
            lines.append(f"- {_path(file)}{at} {severity}: {as_text(found.get('message'))}")
    return _only("Diagnostics", "\n".join(lines))


def _skills(body: _Body) -> list[Block]:
    found = [item for item in body.get("skills") or () if isinstance(item, dict)]
    names = ", ".join(as_text(skill.get("name")) for skill in found)
    return _only(f"Skills in use: {names}", *(as_text(skill.get("content")) for skill in found))


def _task_status(body: _Body) -> list[Block]:
    about = " ".join(_words(body.get(key)) for key in ("description", "status"))
    return _titled(f"Background task {about}".rstrip(), _words(body.get("deltaSummary")))


def _mail(body: _Body) -> list[Block]:
    found = [item for item in body.get("messages") or () if isinstance(item, dict)]
    names = ", ".join(dict.fromkeys(as_text(item.get("from")) for item in found))
    return _only(f"Messages from {names}", *(as_text(item.get("text")) for item in found))


def _resource(body: _Body) -> list[Block]:
    title = f"Attached {as_text(body.get('server'))} {as_text(body.get('uri'))}"
    held = body.get("content")
    parts = held.get("contents") if isinstance(held, dict) else None
    found = [item for item in parts or () if isinstance(item, dict)]
    return _titled(title, *(as_text(item.get("text")) for item in found))


def _structured(body: _Body) -> list[Block]:
    return _titled("Structured output", code(as_text(body.get("data")), ".json"))


def _said(title: str, *keys: str) -> Callable[[_Body], list[Block]]:
    """A kind that has a title, the place it names, and texts under these keys."""

    def told(body: _Body) -> list[Block]:
        named = " ".join(part for part in (title, _path(body)) if part)
        return _titled(named, *(_words(body.get(key)) for key in keys))

    return told


def _reminder(*keys: str) -> Callable[[_Body], list[Block]]:
    return lambda body: _only("Reminder", *(_words(body.get(key)) for key in keys))


_KINDS: dict[str, Callable[[_Body], list[Block]]] = {
    "agent_mention": lambda body: _titled(f"Mentioned agent {as_text(body.get('agentType'))}"),
    "already_read_file": _file,
    "batching_reminder_sent": _reminder("text"),
    "compact_file_reference": _said("Kept in mind:"),
    "critical_system_reminder": _reminder("content"),
    "current_session_memory": _memory,
    "diagnostics": _diagnostics,
    "directory": _said("Attached", "content"),
    "edited_image_file": _edited,
    "edited_text_file": _edited,
    "file": _file,
    "invoked_skills": _skills,
    "max_turns_reached": lambda body: _titled(f"Stopped after {body.get('maxTurns')} turns"),
    "mcp_resource": _resource,
    "nested_memory": _memory,
    "opened_file_in_ide": _said("Open in the editor:"),
    "output_style": lambda body: _titled(f"Output style {as_text(body.get('style'))}"),
    "pdf_reference": _said("Attached"),
    "plan_file_reference": _said("Plan", "planContent"),
    "plan_mode": lambda body: _titled("Plan mode"),
    "plan_mode_exit": lambda body: _titled("Plan mode ended"),
    "plan_mode_reentry": lambda body: _titled("Plan mode again"),
    "read_truncation_notice": _reminder("banner"),
    "relevant_memories": _memories,
    "selected_lines_in_ide": _selected,
    "structured_output": _structured,
    "task_reminder": _tasks,
    "task_status": _task_status,
    "teammate_mailbox": _mail,
    "todo": _tasks,
    "todo_reminder": _tasks,
} | dict.fromkeys((*_HOOKS_FINE, *_HOOK_STATES), _hook)
