"""Codex's header lines: whose session a rollout is, and whose history it begins with."""

from __future__ import annotations

from typing import Any

from sparrow_tui.agents.common import milliseconds
from sparrow_tui.model import SessionInfo

REPLAY_MS = 2_000
"""A fork writes its parent's items anew at once: within this time of its own beginning."""


def header_id(record: dict[str, Any]) -> str:
    """The session's id in a header line of either form; empty for other records."""
    body = record.get("payload") if record.get("type") == "session_meta" else record
    if not isinstance(body, dict) or (body is record and "type" in record):
        return ""
    return body["id"] if isinstance(body.get("id"), str) else ""


def take(info: SessionInfo, state: dict[str, Any], body: dict[str, Any], time: int | None) -> None:
    """Learn from a header.

    The first one is the session's own. Forks and sub-agents carry copies of their ancestors'
    after it; resuming writes the own one again.

    Args:
        info: the session's facts.
        state: of the session: ``own`` is its id, ``origin`` that of the thread it was
            forked from, ``root`` that of the one its history began in; ``began`` is when it
            began itself.
        body: the header.
        time: of its line.
    """
    ident = body.get("id") if isinstance(body.get("id"), str) else None
    if state.get("own"):
        if ident and ident != state["own"]:
            state.setdefault("origin", ident)
            state["root"] = ident
        return
    state["own"] = ident or info.native_id
    state["began"] = time or milliseconds(body.get("timestamp"))
    if isinstance(body.get("cwd"), str):
        info.project = body["cwd"]
    git = body.get("git")
    if isinstance(git, dict) and isinstance(git.get("branch"), str):
        info.branch = git["branch"]
    for name in ("originator", "cli_version", "model_provider"):
        if isinstance(body.get(name), str):
            info.extra[name.replace("_", " ")] = body[name]
    origin = body.get("forked_from_id")
    source = body.get("source")
    if isinstance(source, dict) and "subagent" in source:
        _sub_agent(info, body, source["subagent"], origin)
    if isinstance(origin, str):
        state["origin"] = origin
    state["root"] = origin if isinstance(origin, str) else state["own"]


def _sub_agent(info: SessionInfo, body: dict[str, Any], spawn: Any, origin: Any) -> None:
    """``spawn``: how the sub-agent came to be, a word or ``{"thread_spawn": {…}}``."""
    kind = spawn if isinstance(spawn, str) else None
    facts = spawn if isinstance(spawn, dict) else {}
    if isinstance(facts.get("thread_spawn"), dict):
        facts = facts["thread_spawn"]
    kind = facts.get("agent_role") or kind
    if isinstance(kind, str):
        info.extra["agent type"] = kind
    parent = facts.get("parent_thread_id") or body.get("parent_thread_id") or origin
    if isinstance(parent, str):
        info.parent = f"codex:{parent}"


def replaying(state: dict[str, Any], time: int | None) -> bool:
    """Whether a moment is that of the copies a fork begins with."""
    began = state.get("began")
    if not state.get("origin") or began is None or time is None:
        return False
    return bool(time <= began + REPLAY_MS)
