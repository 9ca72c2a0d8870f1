"""Sub-agents of kimi-cli until early 2026: told event by event in the log of who called them.

An event is wrapped in a ``SubagentEvent`` with the id of the call (``task_tool_call_id``); later
versions name the sub-agent (``agent_id``) and keep a log of its own for it.
(MoonshotAI/kimi-cli: src/kimi_cli/wire/types.py.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sparrow_tui.agents import lines
from sparrow_tui.agents.base import Batch, Source
from sparrow_tui.agents.by_session import cut
from sparrow_tui.agents.line_session import WRONG_SHAPE, LineSession
from sparrow_tui.model import SessionInfo, Turn
from sparrow_tui.scrub import scrubbed


def unwrapped(payload: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """The call and the event inside a ``SubagentEvent``; ``None`` if other files tell it."""
    call, event = payload.get("task_tool_call_id"), payload.get("event")
    if payload.get("agent_id") or not isinstance(call, str) or not call:
        return None
    return (call, event) if isinstance(event, dict) else None


def note_side(state: dict[str, Any], call: str) -> None:
    """Remember that a call has a sub-agent."""
    sides: list[str] = state.setdefault("sides", [])
    if call not in sides:
        sides.append(call)


def side_of(state: dict[str, Any], session_id: str, call: str) -> str:
    """Id of the session made of a call's sub-agent; empty if it has none."""
    return side_id(session_id, call) if call in state.get("sides", ()) else ""


def side_id(session_id: str, call: str) -> str:
    """Id of the session made of the events of a call's sub-agent."""
    return f"{session_id.partition('/')[0]}/side-{call}"


def side_chains(
    source: Source, session_id: str, end: int, make: Callable[[SessionInfo], LineSession]
) -> Iterator[Batch]:
    """The sub-agents among a log's events, each whole, as a session below its caller.

    Args:
        source: the log.
        session_id: of the session it is named after.
        end: offset at which the session's own reading stopped.
        make: a session that takes events, for the facts known before.
    """
    chains: dict[str, tuple[LineSession, list[Turn]]] = {}
    for start, line in lines.lines(source.path):
        if start >= end:
            break
        record = lines.parse(line) if b'"SubagentEvent"' in line else None
        message = record.get("message") if isinstance(record, dict) else None
        caller, told = session_id, None
        while isinstance(message, dict) and message.get("type") == "SubagentEvent":
            payload = message.get("payload")
            told = unwrapped(payload) if isinstance(payload, dict) else None
            if told is None:
                break
            call, message = told
            if call not in chains:
                info = SessionInfo(
                    id=side_id(session_id, call), parent=caller, parent_tool_use=call
                )
                chains[call] = (make(info), [])
                if caller != session_id:
                    note_side(chains[caller.partition("/side-")[2]][0].state, call)
            caller = chains[call][0].info.id
        if told is None or not isinstance(record, dict):
            continue
        session, turns = chains[told[0]]
        session.coverage.records += 1
        try:
            turns.extend(session.take({**record, "message": message}))
        except WRONG_SHAPE:
            session.coverage.bad += 1
    for session, turns in chains.values():
        session.finish()
        turns.extend(session.close())
        yield from cut(scrubbed(session.info), turns, session.coverage)
