"""A session written as a new Claude Code transcript."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from sparrow_tui.agents.base import subfolders
from sparrow_tui.agents.claude_restore_marks import command_of, record_of
from sparrow_tui.agents.claude_side import root_of
from sparrow_tui.agents.restoring import anthropic_part, stamp, without_loose_ends, write_new
from sparrow_tui.model import (
    Notice,
    SessionInfo,
    Text,
    ToolResult,
    Turn,
)

SYNTHETIC = "<synthetic>"
"""The model of notes the agent made itself."""


_Sides = Iterable[tuple[SessionInfo, Iterable[Turn]]]


def write_back(
    projects: Path, session: SessionInfo, turns: Iterable[Turn], sides: _Sides = ()
) -> Path:
    """Write a session as a transcript (see `write_new`), a sub-agent's beside its parent's.

    Args:
        projects: the folder of all projects' folders.
        session: facts of the session.
        turns: all of it, pictures with their data.
        sides: its side chains, in the same way.
    """
    native, _, agent = session.native_id.partition("/")
    slug = "".join(c if c.isascii() and c.isalnum() else "-" for c in session.project or "")
    folder = next(
        (home for home in subfolders(projects) if agent and (home / f"{native}.jsonl").exists()),
        projects / (slug or "unknown"),
    )
    if not agent:
        records = chain(_records(session, turns), *(_records(*side) for side in sides))
        return write_new(folder / f"{native}.jsonl", records)
    path = folder / native / "subagents" / f"{agent}.jsonl"
    written = write_new(path, _records(session, turns))
    told = {"agentType": session.extra.get("agent type"), "description": session.title}
    facts = {name: value for name, value in told.items() if value}
    if facts and not (beside := path.with_suffix(".meta.json")).exists():
        write_new(beside, [facts])
    return written


def _records(session: SessionInfo, turns: Iterable[Turn]) -> Iterator[dict[str, Any]]:
    native, _, agent = session.native_id.partition("/")
    envelope: dict[str, Any] = {
        "isSidechain": bool(agent), "userType": "external", "cwd": session.project or "",
        "sessionId": native, "gitBranch": session.branch or "", "version": "restored",
    }  # fmt: skip
    root = root_of(session.id)
    if agent and not root:  # a side chain is named by its first record alone
        envelope["agentId"] = agent.rpartition("/")[2].removeprefix("agent-")
    if session.title and not agent:
        yield {"type": "custom-title", "customTitle": session.title, "sessionId": native}
    parent: str | None = None
    fork: str | None = None
    on_branch = False
    for turn in without_loose_ends(turns, _is_prompt):
        if turn.branch and parent is None:
            continue  # a fork is told by the message before it
        if turn.branch != on_branch:
            # What was taken back and what was said instead go on from the same message.
            fork, parent, on_branch = (parent, parent, True) if turn.branch else (None, fork, False)
        body = record_of(turn) or _message(session, turn)
        if body is None:
            continue
        own = root or turn.uid or str(uuid.uuid4())
        root = ""
        yield {
            "parentUuid": parent, **body, "uuid": own,
            "timestamp": stamp(turn.time or session.updated_at), **envelope,
        }  # fmt: skip
        parent = own


def _is_prompt(turn: Turn) -> bool:
    return turn.role == "user" and not turn.meta


def _message(session: SessionInfo, turn: Turn) -> dict[str, Any] | None:
    """A message's record without its envelope; ``None``: there is nothing in it."""
    command = command_of(turn)
    content = (
        [{"type": "text", "text": command}]
        if command
        else [part for block in turn.blocks if (part := anthropic_part(block)) is not None]
    )
    if not content and turn.usage is None:
        return None
    local = any(isinstance(b, Notice) and b.kind in ("info", "error") for b in turn.blocks)
    local = local and not command and not any(isinstance(b, Text) for b in turn.blocks)
    role = "assistant" if turn.role == "assistant" or local else "user"
    message: dict[str, Any] = {"role": role, "content": content}
    if role == "assistant":
        message |= {
            "id": turn.usage_id or f"msg_{turn.uid or uuid.uuid4()}",
            "type": "message",
            "model": SYNTHETIC if local else turn.model or session.model or "",
        }
        if (usage := turn.usage_total or turn.usage) is not None:
            message["usage"] = {
                "input_tokens": usage.input, "output_tokens": usage.output,
                "cache_read_input_tokens": usage.cache_read,
                "cache_creation_input_tokens": usage.cache_write,
            }  # fmt: skip
    record: dict[str, Any] = {"type": role, "message": message}
    if turn.api_error:
        record["isApiErrorMessage"] = True
    if turn.role == "summary":
        record["isCompactSummary"] = True
    elif turn.meta:
        record["isMeta"] = True
    for block in turn.blocks:
        if isinstance(block, ToolResult):
            child = block.child.rpartition("/")[2]
            agent = child.removeprefix("agent-") if child.startswith("agent-") else ""
            known = (("durationMs", block.duration_ms), ("agentId", agent))
            if facts := {key: fact for key, fact in known if fact}:
                record["toolUseResult"] = facts
    return record
