"""Claude Code's records beside its messages, as turns: notices, attachments, what was queued."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sparrow_tui.agents import (
    claude_attachments,
    claude_notices,
    claude_queue,
    claude_side,
    claude_titles,
)
from sparrow_tui.agents.claude_tree import INJECTED
from sparrow_tui.agents.common import anthropic_blocks, as_text
from sparrow_tui.agents.line_session import LineSession
from sparrow_tui.model import Block, Text, ToolUse, Turn

RECENT = 100
"""Messages that are remembered, to know what is written anew."""


class ClaudeMarks(LineSession):
    """A transcript, as far as it is not messages."""

    @property
    def _on_branch(self) -> bool:
        return bool(self.state.get("branch"))

    def _facts(self, record: dict[str, Any], time: int | None) -> None:
        self.seen(time)
        claude_titles.met(self.state, record.get("uuid"))
        if not self.info.project and isinstance(record.get("cwd"), str):
            self.info.project = record["cwd"]
        branch = record.get("gitBranch")
        if isinstance(branch, str) and branch and branch != "HEAD":
            self.info.branch = branch
        if isinstance(record.get("version"), str):
            self.info.extra["version"] = record["version"]

    def _anew(self, own: Any) -> bool:
        """Whether a message stands in the file already.

        Claude Code cannot read a line with two records, and writes the first of them again.
        """
        met: dict[str, bool] = self.state.setdefault("met", {})
        if not isinstance(own, str) or own in met:
            return own in met
        met[own] = True
        if len(met) > RECENT:
            del met[next(iter(met))]
        return False

    def _status(self) -> str:
        if self.open:
            calls = any(isinstance(block, ToolUse) for block in self.open[-1].blocks)
            return "working" if calls else "waiting"
        return str(self.state.get("last") or "ended")

    def _system(self, record: dict[str, Any], time: int | None) -> Iterator[Turn]:
        subtype = str(record.get("subtype") or "")
        yield from self._noted(claude_notices.system(self.state, subtype, record), record, time)

    def _noted(
        self, notices: list[Block], record: dict[str, Any], time: int | None
    ) -> Iterator[Turn]:
        if not notices:
            self.skip()
            return
        yield from self._set_aside()
        self.keep()
        own = str(record.get("uuid") or "")
        yield Turn(role="system", blocks=notices, time=time, uid=own, meta=True)

    def _set_aside(self) -> Iterator[Turn]:
        """Close the answer at hand; what the session seems to be doing stays as it was."""
        self.state["last"] = self._status()
        yield from self.close()

    def _attachment(self, record: dict[str, Any], time: int | None) -> Iterator[Turn]:
        """A prompt typed while the agent was busy is a prompt; other attachments are context."""
        body = record.get("attachment")
        body = body if isinstance(body, dict) else {}
        kind = body.get("type")
        own = str(record.get("uuid") or "")
        if kind == "queued_command":
            yield from self._queued(anthropic_blocks(body.get("prompt")), record, time, own)
            return
        if kind == "goal_status":
            blocks: list[Block] | None = claude_side.goal(body)
            claude_titles.goal(self.state, as_text(body.get("condition")))
        else:
            blocks = claude_attachments.context(body)
        if blocks is None:
            yield from self._set_aside()
            yield self.unknown(f"attachment {as_text(kind)}", record, time)
        elif not blocks:
            self.skip()
        else:
            yield from self._set_aside()
            self.keep()
            self._facts(record, time)
            yield Turn(role="system", blocks=blocks, time=time, uid=own,
                       meta=kind != "goal_status", branch=self._on_branch)  # fmt: skip

    def _queued(
        self, blocks: list[Block], record: dict[str, Any], time: int | None, own: str
    ) -> Iterator[Turn]:
        words = "\n".join(block.text for block in blocks if isinstance(block, Text))
        if not blocks or claude_queue.told(self.state, words):
            self.skip()
            return
        yield from self.close()
        self.keep()
        self._facts(record, time)
        put_in = words.lstrip().startswith(INJECTED)
        if not put_in:
            claude_titles.prompt(self.state)
        yield Turn(role="user", blocks=blocks, time=time, uid=own, meta=put_in)

    def _handed(self, time: int | None) -> Iterator[Turn]:
        """What was typed meanwhile and given to the model comes before what it answers."""
        if claude_queue.due(self.state, time):
            yield from self.close()
            yield from claude_queue.flush(self.state, self._on_branch, time)

    def provisional(self) -> list[Turn]:
        """What was typed meanwhile and has no answer yet."""
        return claude_queue.turns(self.state, self._on_branch)
