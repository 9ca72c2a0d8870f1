"""Claude Code's records → turns: messages put together, results paired, tokens counted once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sparrow_tui.agents import (
    claude_notices,
    claude_queue,
    claude_side,
    claude_titles,
    claude_tree,
    claude_usage,
    lines,
)
from sparrow_tui.agents.base import Source
from sparrow_tui.agents.claude_marks import ClaudeMarks
from sparrow_tui.agents.claude_tree import INJECTED
from sparrow_tui.agents.common import anthropic_blocks, micro_dollars, milliseconds
from sparrow_tui.agents.injected import split_injected
from sparrow_tui.agents.line_session import WRONG_SHAPE, Rewritten, note_blocks
from sparrow_tui.model import Block, Notice, Text, ToolResult, Turn

_SKIPPED = frozenset(
    (
        # Copies: of output as it came and of sub-agents' messages; of files; of the last prompt.
        "progress", "file-history-snapshot", "attribution-snapshot", "content-replacement",
        "last-prompt", "started", "result",
        # States.
        "mode", "permission-mode", "agent-name", "agent-color", "agent-setting", "worktree-state",
        "relocated", "bridge-session", "atis-latch",
    )
)  # fmt: skip
_KNOWN_BLOCKS = frozenset(("fallback", "container_upload"))
"""Kinds of block shown as they are."""
# Up to the first brace inside there are only the record's own keys.
_SKIP_LINE = re.compile(rb'\{[^{]*"type":"(?:progress|file-history-snapshot)"')


class ClaudeSession(ClaudeMarks):
    """One transcript: a session, or a sub-agent's."""

    @classmethod
    def of(cls, source: Source) -> ClaudeSession:
        """The session a file holds; a sub-agent's names its parent in its path or first record."""
        path = Path(source.path)
        stem = path.name.removesuffix(".jsonl")
        parent = ""
        for folder in path.parents:
            if folder.name == "subagents":
                parent = folder.parent.name
                if not stem.startswith("agent-"):  # a workflow's own log
                    stem = path.relative_to(folder).as_posix().removesuffix(".jsonl")
                break
        if not parent and not stem.startswith("agent-"):
            return cls(source, f"claude:{stem}")
        if not parent:
            for _, record in lines.records(path):
                if record is not None and isinstance(record.get("sessionId"), str):
                    parent = record["sessionId"]
                    break
        session = cls(source, f"claude:{parent or 'unknown'}/{stem}")
        session.info.parent = f"claude:{parent}" if parent else None
        return session

    again = False
    """Whether this reading began anew because of a fork."""

    def begin(self) -> None:
        """Side files, and after a fork was met the prompts on dead branches."""
        self.state.setdefault("dead", [])
        if self.info.parent:
            facts = claude_side.agent_facts(self.source.path)
            self.state["given"] = facts.get("description", "")
            if facts.get("agentType"):
                self.info.extra["agent type"] = facts["agentType"]
        if self.state.get("rewritten"):
            self.again = True
            self.state["dead"] = claude_tree.dead_prompts(self.source.path)

    def ignores(self, line: bytes) -> bool:
        """Records that are skipped whatever is in them need no parsing."""
        return _SKIP_LINE.match(line, 0, 2_000) is not None

    def take(self, record: dict[str, Any]) -> Iterator[Turn]:
        """The turns a record completes."""
        kept, skipped = self.coverage.kept, self.coverage.skipped
        try:
            yield from self._take(record)
        except WRONG_SHAPE:
            # It counts as bad, and only so.
            self.coverage.kept, self.coverage.skipped = kept, skipped
            raise

    def _take(self, record: dict[str, Any]) -> Iterator[Turn]:
        if self.state.get("stale") and not self.again:
            raise Rewritten
        kind = record.get("type")
        time = milliseconds(record.get("timestamp"))
        if record.get("isSidechain") is True and not self.info.parent:
            # It is a record of another session: see `claude_side.side_chains`.
            self.coverage.records -= 1
            self.seen(time)
            claude_side.note_side(self.state, record)
        elif kind in ("assistant", "user") and self._anew(record.get("uuid")):
            self.skip()
        elif kind == "assistant":
            self._facts(record, time)
            yield from self._assistant(record, time)
        elif kind == "user":
            self._facts(record, time)
            yield from self._user(record, time)
        elif kind == "system":
            yield from self._system(record, time)
        elif kind == "attachment":
            yield from self._attachment(record, time)
        elif kind in ("custom-title", "ai-title", "summary"):
            self.skip()
            claude_titles.note(self.state, str(kind), record)
        elif kind == "queue-operation":
            (self.keep if claude_queue.note(self.state, record) else self.skip)()
        elif kind in ("pr-link", "frame-link"):
            yield from self._noted(claude_notices.link(self.state, record), record, time)
        elif kind in _SKIPPED:
            self.skip()
        else:
            yield from self.close()
            yield self.unknown(str(kind or "record"), record, time)

    def finish(self) -> None:
        """Title and state as the records say by now."""
        child = bool(self.info.parent)
        name = claude_titles.title(self.state, self.source.path, child=child)
        if name is not None:
            self.info.title = name
        self.info.status = self._status()

    # Messages

    def _assistant(self, record: dict[str, Any], time: int | None) -> Iterator[Turn]:
        message = record["message"]
        blocks = anthropic_blocks(message.get("content"))
        model = str(message.get("model") or "")
        self.keep()
        note_blocks(self.coverage, blocks, _KNOWN_BLOCKS)
        if model == "<synthetic>" or record.get("isApiErrorMessage"):
            yield from self.close()
            failed = bool(record.get("isApiErrorMessage"))
            text = "\n".join(block.text for block in blocks if isinstance(block, Text))
            self.state["last"] = "waiting"
            yield Turn(
                role="system", blocks=[Notice("error" if failed else "info", text)], time=time,
                uid=str(record.get("uuid") or ""), api_error=failed, branch=self._on_branch,
            )  # fmt: skip
            return
        request = str(message.get("id") or record.get("requestId") or record.get("uuid") or "")
        if not (self.open and self.open[-1].usage_id == request):
            yield from self._handed(time)
            yield from self.close()
            self.open = [
                Turn(
                    role="assistant", blocks=[], time=time, model=model, usage_id=request,
                    uid=str(record.get("uuid") or ""), branch=self._on_branch,
                )
            ]  # fmt: skip
        turn = self.open[-1]
        turn.blocks.extend(blocks)
        claude_side.note_tasks(self.state, blocks)
        if model:
            self.info.model = turn.model = model
        cost = micro_dollars(record.get("costUSD"))
        if cost is not None:
            turn.cost_micro = max(cost, turn.cost_micro or 0)
        claude_usage.count(self.state, turn, request, message.get("usage"))

    def _user(self, record: dict[str, Any], time: int | None) -> Iterator[Turn]:
        yield from self.close()
        self.keep()
        content = record["message"].get("content")
        blocks = anthropic_blocks(content)
        note_blocks(self.coverage, blocks, _KNOWN_BLOCKS)
        results: list[Block] = [block for block in blocks if isinstance(block, ToolResult)]
        said: list[Block] = [block for block in blocks if not isinstance(block, ToolResult)]
        own = str(record.get("uuid") or "")
        if results:
            claude_side.complete(results, record, self.state, self.info, self.source.path)
            self.state["last"] = "working"
            yield Turn(role="tool", blocks=results, time=time, uid=own, branch=self._on_branch)
        if said:
            if not results:
                self._place(record, said)
            yield from self._said(record, said, time, own + ("+" if results else ""))

    def _said(
        self, record: dict[str, Any], said: list[Block], time: int | None, own: str
    ) -> Iterator[Turn]:
        """What stands in a user's record beside tool results."""
        text = next((block.text for block in said if isinstance(block, Text)), "")
        if record.get("isCompactSummary"):
            yield Turn(role="summary", blocks=said, time=time, uid=own, meta=True,
                       branch=self._on_branch)  # fmt: skip
            return
        if text.startswith("[Request interrupted"):
            self.state["last"] = "waiting"
            notice = Notice("interruption", text.strip("[]"))
            yield Turn(role="system", blocks=[notice], time=time, uid=own, branch=self._on_branch)
            return
        if claude_titles.COMMAND.fullmatch(text):
            called = claude_titles.command(self.state, text)
            yield Turn(role="system", blocks=called, time=time, uid=own, branch=self._on_branch)
            return
        yield from self._handed(time)
        put_in, typed = split_injected(said)
        text = next((block.text for block in typed if isinstance(block, Text)), "")
        injected = bool(record.get("isMeta")) or text.lstrip().startswith(INJECTED)
        if injected or not typed:
            claude_titles.mail(self.state, text)
            yield Turn(role="user", blocks=said, time=time, uid=own, meta=True,
                       branch=self._on_branch)  # fmt: skip
            return
        self.state["last"] = "working"
        claude_titles.prompt(self.state)
        yield Turn(role="user", blocks=typed, time=time, uid=own, branch=self._on_branch)
        if put_in:
            yield Turn(role="user", blocks=put_in, time=time, uid=f"{own}/injected", meta=True,
                       branch=self._on_branch)  # fmt: skip

    # The tree

    def _place(self, record: dict[str, Any], said: list[Block]) -> None:
        """A prompt with the same parent as an earlier one: the user went back and said it anew."""
        if record.get("isMeta") or not claude_tree.is_prompt(said):
            return
        if claude_tree.place(self.state, record):
            if not self.again:
                raise Rewritten
            # Written after the dead prompts were looked for: the next record starts it over.
            self.state["stale"] = True
