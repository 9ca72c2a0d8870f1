"""What a reader's batches add up to, as the store would keep it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from sparrow_tui.agents.base import Agent, Checkpoint, Source
from sparrow_tui.model import Coverage, SessionInfo, Text, ToolResult, ToolUse, Turn, Usage


@dataclass
class Session:
    info: SessionInfo
    turns: list[Turn] = field(default_factory=list)
    coverage: Coverage = field(default_factory=Coverage)

    @property
    def roles(self) -> list[str]:
        return [turn.role for turn in self.turns]

    @property
    def usage(self) -> Usage:
        return sum((turn.usage for turn in self.turns if turn.usage), Usage())

    @property
    def cost(self) -> int:
        return sum(turn.cost_micro or 0 for turn in self.turns)

    def texts(self) -> list[str]:
        return [
            block.text for turn in self.turns for block in turn.blocks if isinstance(block, Text)
        ]

    def uses(self) -> list[ToolUse]:
        return [b for turn in self.turns for b in turn.blocks if isinstance(b, ToolUse)]

    def results(self) -> list[ToolResult]:
        return [b for turn in self.turns for b in turn.blocks if isinstance(b, ToolResult)]


@dataclass
class Reading:
    """Sessions by native id, and where the reading stopped."""

    sessions: dict[str, Session] = field(default_factory=dict)
    checkpoint: Checkpoint | None = None
    emitted: int = 0
    """Turns handed over in the last `take`."""

    def take(self, agent: Agent, source: Source | None) -> Reading:
        """Read on from the checkpoint and apply the batches."""
        assert source is not None
        self.emitted = 0
        for batch in agent.read(source, self.checkpoint):
            assert len(batch.turns) <= 520
            assert set(batch.coverage.examples) == set(batch.coverage.unknown)
            session = self.sessions.setdefault(batch.session.native_id, Session(batch.session))
            if batch.fresh:
                assert batch.start == 0
                session.turns, session.coverage = [], Coverage()
            assert batch.start <= len(session.turns), "a gap before the batch"
            session.turns[batch.start :] = batch.turns
            session.coverage.add(batch.coverage)
            for name in (
                "title",
                "project",
                "branch",
                "model",
                "created_at",
                "updated_at",
                "parent",
                "parent_tool_use",
                "cost_micro",
                "usage",
                "status",
            ):
                value = getattr(batch.session, name)
                if value is not None:
                    setattr(session.info, name, value)
            self.emitted += len(batch.turns)
            if batch.checkpoint is not None:
                self.checkpoint = batch.checkpoint
        return self


def read_all(agent: Agent, source: Source | None) -> dict[str, Session]:
    """Everything a source says, by native session id."""
    return Reading().take(agent, source).sessions


def paths(root: Path) -> list[str]:
    """All files below a folder: to see that reading left none behind."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def same(read_on: dict[str, Session], whole: dict[str, Session]) -> None:
    """An incremental reading must end where a whole one does."""
    assert read_on.keys() == whole.keys()
    for key, session in whole.items():
        assert read_on[key].turns == session.turns
        assert read_on[key].coverage == session.coverage
        assert read_on[key].info.title == session.info.title
