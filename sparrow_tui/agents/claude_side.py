"""What belongs to a Claude Code transcript beside its turns: long results, goals, side chains."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from sparrow_tui.agents import lines, plain
from sparrow_tui.agents.base import Batch, Source, SourceError
from sparrow_tui.agents.by_session import cut
from sparrow_tui.agents.common import as_text, whole
from sparrow_tui.agents.line_session import WRONG_SHAPE, LineSession
from sparrow_tui.agents.side_chains import count_line
from sparrow_tui.model import Block, Notice, SessionInfo, Text, ToolResult, ToolUse, Turn
from sparrow_tui.scrub import scrubbed

SPILLED = 64_000_000
"""Bytes of a spilled tool result that are read."""
TASKS = 200
"""Calls of sub-agents that are remembered until their side chain begins."""

_PERSISTED = re.compile(r"\s*<persisted-output>\s[^\n]*saved to: ([^\n]+)")


def persisted(content: list[Block]) -> str | None:
    """The place a result's own words name for its whole output."""
    if content and isinstance(content[0], Text):
        match = _PERSISTED.match(content[0].text[:2_000])
        return match[1].strip() if match else None
    return None


def spilled(transcript: str, session: str, named: str) -> str | None:
    """A long result kept in a file of its own: only from the session's own folder.

    Args:
        transcript: path of the session's or its sub-agent's line file.
        session: the session's native id.
        named: the path the record gives, maybe another machine's.
    """
    try:
        for folder in Path(transcript).parents[:6]:
            own = folder / session / "tool-results"
            path = own / Path(named.replace("\\", "/")).name
            if path.is_file() and path.resolve().is_relative_to(own.resolve()):
                with open(path, encoding="utf-8", errors="replace", opener=plain.opener) as file:
                    return file.read(SPILLED)
    except (OSError, ValueError):
        return None
    return None


def complete(
    results: list[Block],
    record: dict[str, Any],
    state: dict[str, Any],
    info: SessionInfo,
    transcript: str,
) -> None:
    """What is known more of a record's results: duration, sub-agent, spilled output.

    Args:
        results: filled in.
        record: theirs.
        state: of the session.
        info: of the session.
        transcript: path of its file.
    """
    root = (info.parent or info.id).partition("/")[0]
    session = root.partition(":")[2]
    for result in results:
        if isinstance(result, ToolResult):
            if (named := persisted(result.content)) is not None:
                _unspill(result, transcript, session, named)
            result.child = side_of(state, info.id, result.tool_use_id)
            if not result.child and not _told_agent(record):
                result.child = _beside(state, root, result.tool_use_id, transcript)
    result, facts = results[0], record.get("toolUseResult")
    if not (len(results) == 1 and isinstance(result, ToolResult) and isinstance(facts, dict)):
        return
    duration = facts.get("totalDurationMs") or facts.get("durationMs")
    if isinstance(duration, int | float):
        result.duration_ms = whole(duration)
    agent = facts.get("agentId")
    if isinstance(agent, str) and agent:
        result.child = f"{root}/agent-{agent}"
    named = facts.get("persistedOutputPath")
    if isinstance(named, str):
        _unspill(result, transcript, session, named)


def _told_agent(record: dict[str, Any]) -> bool:
    facts = record.get("toolUseResult")
    return isinstance(facts, dict) and bool(facts.get("agentId"))


def _beside(state: dict[str, Any], root: str, call: str, transcript: str) -> str:
    """Id of the sub-agent a call started where the result does not name it (late 2025).

    Its file lies beside the session's and begins with what the call asked.
    """
    prompt = state.get("tasks", {}).get(call, ("",))[0]
    linked: list[str] = state.setdefault("linked", [])
    if not prompt:
        return ""
    folder = Path(transcript).parent
    session = root.partition(":")[2]
    for path in sorted(folder.glob("agent-*.jsonl")):
        child = f"{root}/{path.stem}"
        with suppress(OSError):
            if child not in linked and _asked(str(path), path.stat().st_size) == (session, prompt):
                linked.append(child)
                return child
    return ""


@lru_cache(maxsize=TASKS)
def _asked(path: str, size: int) -> tuple[str, str]:
    """The session a sub-agent's file names, and the beginning of what it was asked.

    ``size`` tells versions of the file apart.
    """
    with suppress(SourceError):
        for _, record in lines.records(path):
            if record is None:
                break
            return as_text(record.get("sessionId")), _first_words(record)
    return "", ""


def _first_words(record: dict[str, Any]) -> str:
    message = record.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, list) and content and isinstance(content[0], dict):
        content = content[0].get("text")
    return as_text(content).strip()[:400]


def _unspill(result: ToolResult, transcript: str, session: str, named: str) -> None:
    text = spilled(transcript, session, named)
    if text is not None:
        result.content = [Text(text)]


def goal(body: dict[str, Any]) -> list[Block]:
    """How it stands with a goal the user set (``goal_status``)."""
    state = "Goal met" if body.get("met") is True else "Goal"
    told = [as_text(body.get(key)).strip() for key in ("condition", "reason")]
    return [Notice("info", f"{state}: " + "\n\n".join(x for x in told if x))] if any(told) else []


def agent_facts(transcript: str) -> dict[str, str]:
    """``agentType`` and ``description`` of a sub-agent, from the file beside its own."""
    meta = Path(transcript.removesuffix(".jsonl") + ".meta.json")
    with suppress(OSError, msgspec.MsgspecError, AttributeError):
        facts = msgspec.json.decode(plain.read_bytes(meta))
        return {name: as_text(facts.get(name)) for name in ("agentType", "description")}
    return {}


# Side chains: before they had files of their own, sub-agents' records stood among the session's


def note_tasks(state: dict[str, Any], blocks: list[Block]) -> None:
    """Remember calls that start a sub-agent, by what they ask it."""
    for block in blocks:
        if isinstance(block, ToolUse) and block.name in ("Task", "Agent"):
            asked = block.input if isinstance(block.input, dict) else {}
            tasks: dict[str, list[str]] = state.setdefault("tasks", {})
            tasks[block.id] = [
                as_text(asked.get("prompt")).strip()[:400],
                as_text(asked.get("description")).strip(),
            ]
            if len(tasks) > TASKS:
                del tasks[next(iter(tasks))]


def note_side(state: dict[str, Any], record: dict[str, Any]) -> None:
    """Count a side chain's record; its first one is matched with the call that asked for it."""
    count_line(state)
    own = record.get("uuid")
    if not _begins(record) or not isinstance(own, str):
        return
    begun = _first_words(record)
    tasks: dict[str, list[str]] = state.get("tasks", {})
    for call, (prompt, description) in tasks.items():
        if prompt and prompt == begun:
            state.setdefault("sides", {})[own] = [call, description]
            del tasks[call]
            return


def side_id(session_id: str, root: str) -> str:
    """Id of the session made of the side chain that begins with a record."""
    return f"{session_id}/side-{root}"


def root_of(session_id: str) -> str:
    """The record a session made of a side chain begins with; empty: it is another's."""
    return session_id.rpartition("/side-")[2] if "/side-" in session_id else ""


def side_of(state: dict[str, Any], session_id: str, call: str) -> str:
    """Id of the side chain a tool call started; empty if none."""
    sides: dict[str, list[str]] = state.get("sides", {})
    return next((side_id(session_id, root) for root, (by, _) in sides.items() if by == call), "")


def side_chains(
    source: Source,
    session_id: str,
    state: dict[str, Any],
    end: int,
    make: Callable[[SessionInfo], LineSession],
) -> Iterator[Batch]:
    """The side chains among a file's lines, each whole, as a session below its parent.

    Args:
        source: the transcript.
        session_id: of the session the file is named after.
        state: of that session, after reading up to ``end``.
        end: offset at which the session's own reading stopped.
        make: a session that takes records, for the facts known before.
    """
    chains: dict[str, tuple[LineSession, list[Turn]]] = {}
    root_of: dict[str, str] = {}
    root = ""
    for start, line in lines.lines(source.path):
        if start >= end:
            break
        record = lines.parse(line) if b'"isSidechain"' in line else None
        if not isinstance(record, dict) or record.get("isSidechain") is not True:
            continue
        own, parent = as_text(record.get("uuid")), record.get("parentUuid")
        if _begins(record) or not root:
            root = own
        elif isinstance(parent, str):
            root = root_of.get(parent, root)
        root_of[own] = root
        if root not in chains:
            call, description = state.get("sides", {}).get(root, ("", ""))
            info = SessionInfo(
                id=side_id(session_id, root), parent=session_id, parent_tool_use=call or None
            )
            chains[root] = (make(info), [])
            chains[root][0].state["given"] = description
        session, turns = chains[root]
        if session.ignores(line):
            continue
        session.coverage.records += 1
        try:
            turns.extend(session.take(record))
        except WRONG_SHAPE:
            session.coverage.bad += 1
    for session, turns in chains.values():
        session.finish()
        turns.extend(session.close())
        yield from cut(scrubbed(session.info), turns, session.coverage)


def _begins(record: dict[str, Any]) -> bool:
    """Whether a record is the first of a side chain."""
    return record.get("type") == "user" and record.get("parentUuid") is None
