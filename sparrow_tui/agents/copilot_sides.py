"""Copilot CLI's sub-agents: their events stand among their parent's, each becomes a session."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from sparrow_tui.agents.base import Batch
from sparrow_tui.agents.by_session import cut
from sparrow_tui.agents.common import as_text
from sparrow_tui.agents.copilot_events import Events
from sparrow_tui.agents.line_session import WRONG_SHAPE
from sparrow_tui.model import Coverage, SessionInfo, ToolResult, ToolUse, Turn
from sparrow_tui.sanitize import storable


class Side:
    """One sub-agent's session, as far as it is read."""

    def __init__(self, info: SessionInfo, begun: int | None = None, thought: str = "") -> None:
        self.info = info
        self.begun = begun or 0
        """Turns that earlier readings have handed over."""
        self.fresh = begun is None
        """Whether this reading met it first."""
        self.thought = thought
        self.turns: list[Turn] = []
        self.coverage = Coverage()


class Sides:
    """The sub-agents of one session.

    An event is a sub-agent's if it names the call that started it (``parentToolCallId``) or,
    in newer versions, the agent's instance (``agentId`` in the envelope), which
    ``subagent.started`` connects with the call.
    """

    def __init__(self, info: SessionInfo, kept: Any) -> None:
        """Begin with what an earlier reading's `state` kept; anything else is nothing."""
        self._info = info
        self._place: list[str | None] = [None, None]
        self._agents: dict[str, str] = {}
        self._tasks: dict[str, list[str]] = {}
        self._sides: dict[str, Side] = {}
        try:
            self._place = list(kept["place"])
            self._agents = dict(kept["agents"])
            self._tasks = dict(kept["tasks"])
            for key, (facts, begun, thought) in kept["sides"].items():
                self._sides[key] = Side(msgspec.convert(facts, SessionInfo), begun, thought)
        except (*WRONG_SHAPE, msgspec.ValidationError):
            self._agents, self._tasks, self._sides = {}, {}, {}

    def state(self) -> dict[str, Any]:
        """Everything the next reading needs."""
        return {
            "place": [self._info.project or self._place[0], self._info.branch or self._place[1]],
            "agents": self._agents,
            "tasks": self._tasks,
            "sides": {
                key: [msgspec.to_builtins(side.info), side.begun + len(side.turns), side.thought]
                for key, side in self._sides.items()
            },
        }

    def key_of(self, event: dict[str, Any]) -> str:
        """The call (or the instance) whose sub-agent an event is of; empty for the session's."""
        data = event.get("data")
        data = data if isinstance(data, dict) else {}
        kind, agent = as_text(event.get("type")), as_text(event.get("agentId"))
        if kind.startswith("subagent."):
            call = as_text(data.get("toolCallId"))
            if kind == "subagent.started" and call:
                self._agents.setdefault(agent or call, call)
                name = as_text(data.get("agentDisplayName") or data.get("agentName"))
                self._tasks.setdefault(call, ["", ""])
                self._tasks[call][0] = self._tasks[call][0] or name
            return ""
        call = as_text(data.get("parentToolCallId"))
        return storable(call or self._agents.get(agent, agent))

    def take(self, key: str, event: dict[str, Any], events: Events) -> None:
        """An event of a sub-agent's; tokens count with the session's, as its totals hold them."""
        side = self._sides.get(key)
        if side is None:
            side = self._sides[key] = Side(self._begin(key))
        side.coverage.records += 1
        last, thought = events.last, events.thought
        events.info, events.thought = side.info, side.thought
        try:
            made = events.turns(event, side.coverage)
        finally:
            side.thought = events.thought
            events.info, events.last, events.thought = self._info, last, thought
        if side.info.created_at is None:
            side.info.created_at = side.info.updated_at
        self.meet(made, key)
        side.turns.extend(made)

    def meet(self, turns: list[Turn], key: str = "") -> None:
        """Note tasks given in turns, and link a task's answer with the sub-agent's session."""
        for turn in turns:
            for block in turn.blocks:
                if isinstance(block, ToolUse) and isinstance(block.input, dict):
                    if "prompt" in block.input:
                        named = block.input.get("description") or block.input.get("agent_type")
                        self._tasks[block.id] = [as_text(named), key]
                elif isinstance(block, ToolResult) and block.tool_use_id in self._sides:
                    block.child = self._sides[block.tool_use_id].info.id

    def batches(self) -> Iterator[Batch]:
        """What this reading adds to each sub-agent's session."""
        for side in self._sides.values():
            if side.coverage.records:
                yield from cut(
                    side.info, side.turns, side.coverage, start=side.begun, fresh=side.fresh
                )

    def _begin(self, key: str) -> SessionInfo:
        title, owner = self._tasks.get(key, ["", ""])
        parent = self._sides[owner].info.id if owner in self._sides else self._info.id
        return SessionInfo(
            id=f"{self._info.id}/{key}",
            title=title or None,
            project=self._info.project or self._place[0],
            branch=self._info.branch or self._place[1],
            parent=parent,
            parent_tool_use=key if key in self._tasks else None,
        )
