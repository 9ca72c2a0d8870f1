"""Claude Code's records → turns: messages put together, results paired, tokens counted once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from sparrow_tui.agents import lines
from sparrow_tui.agents.base import Source
from sparrow_tui.agents.common import (
    anthropic_blocks,
    as_text,
    micro_dollars,
    milliseconds,
    whole,
)
from sparrow_tui.agents.injected import split_injected
from sparrow_tui.agents.line_session import WRONG_SHAPE, LineSession, Rewritten
from sparrow_tui.model import Block, Notice, Text, ToolResult, ToolUse, Turn, Usage

IDS = 2_000
"""Requests whose usage is remembered: an id may come back after other records."""
PROMPTS = 2_000
"""Prompts whose place in the tree is remembered."""
SPILLED = 64_000_000
"""Bytes of a spilled tool result that are read."""

_SKIPPED = frozenset(
    (
        "progress", "file-history-snapshot", "last-prompt", "mode", "permission-mode",
        "queue-operation", "pr-link", "agent-name", "frame-link", "agent-color", "agent-setting",
        "worktree-state", "attribution-snapshot", "content-replacement", "started", "result",
    )
)  # fmt: skip
_SKIPPED_SYSTEM = frozenset(("turn_duration", "stop_hook_summary", "api_error"))
_SKIP_LINE = re.compile(rb'"type":"(?:progress|file-history-snapshot|queue-operation)"')
_INJECTED = ("<local-command-", "<system-reminder>", "<task-notification>", "Caveat:", "<bash-")
_COMMAND = re.compile(
    r"\s*(?:<command-(?:message|name|args)>.*?</command-(?:message|name|args)>\s*)+", re.DOTALL
)
_TAG = re.compile(r"<command-(name|args)>(.*?)</command-\1>", re.DOTALL)


class ClaudeSession(LineSession):
    """One transcript: a session, or a sub-agent's."""

    @classmethod
    def of(cls, source: Source) -> ClaudeSession:
        """The session a file holds; a sub-agent's names its parent in its path or first record."""
        path = Path(source.path)
        stem = path.name.removesuffix(".jsonl")
        if not stem.startswith("agent-"):
            return cls(source, f"claude:{stem}")
        parent = ""
        for folder in path.parents:
            if folder.name == "subagents":
                parent = folder.parent.name
                break
        if not parent:
            for _, record in lines.records(path):
                if record is not None and isinstance(record.get("sessionId"), str):
                    parent = record["sessionId"]
                    break
        session = cls(source, f"claude:{parent or 'unknown'}/{stem}")
        session.info.parent = f"claude:{parent}" if parent else None
        return session

    def begin(self) -> None:
        """Side files, and after a fork was met the prompts on dead branches."""
        self.state.setdefault("dead", [])
        meta = Path(self.source.path.removesuffix(".jsonl") + ".meta.json")
        if self.info.parent and meta.is_file():
            try:
                facts = msgspec.json.decode(meta.read_bytes())
                self.state["given"] = as_text(facts.get("description"))
                self.info.extra["agent type"] = as_text(facts.get("agentType"))
            except (OSError, msgspec.MsgspecError, AttributeError):
                pass
        if self.state.get("rewritten"):
            self.state["dead"] = _dead_prompts(self.source.path)

    def ignores(self, line: bytes) -> bool:
        """Records that are skipped whatever is in them need no parsing."""
        return _SKIP_LINE.search(line, 0, 2_000) is not None and b'"message":{' not in line[:400]

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
        kind = record.get("type")
        time = milliseconds(record.get("timestamp"))
        if kind == "assistant":
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
            self._title(str(kind), record)
        elif kind in _SKIPPED:
            self.skip()
        else:
            yield from self.close()
            yield self.unknown(str(kind or "record"), record, time)

    def _facts(self, record: dict[str, Any], time: int | None) -> None:
        self.seen(time)
        if not self.info.project and isinstance(record.get("cwd"), str):
            self.info.project = record["cwd"]
        branch = record.get("gitBranch")
        if isinstance(branch, str) and branch and branch != "HEAD":
            self.info.branch = branch
        if isinstance(record.get("version"), str):
            self.info.extra["version"] = record["version"]

    def _title(self, kind: str, record: dict[str, Any]) -> None:
        """The user's own title wins, then the model's, then the summary."""
        field = {"custom-title": "customTitle", "ai-title": "aiTitle", "summary": "summary"}[kind]
        text = as_text(record.get(field)).strip()
        if text:
            self.state[kind] = text

    def finish(self) -> None:
        """Title and state as the records say by now."""
        for kind in ("custom-title", "ai-title", "given", "summary"):
            if self.state.get(kind):
                self.info.title = self.state[kind]
                break
        self.info.status = self._status()

    def _status(self) -> str:
        if self.open:
            calls = any(isinstance(block, ToolUse) for block in self.open[-1].blocks)
            return "working" if calls else "waiting"
        return str(self.state.get("last") or "ended")

    # Messages

    def _assistant(self, record: dict[str, Any], time: int | None) -> Iterator[Turn]:
        message = record["message"]
        blocks = anthropic_blocks(message.get("content"))
        model = str(message.get("model") or "")
        self.keep()
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
            yield from self.close()
            self.open = [
                Turn(
                    role="assistant", blocks=[], time=time, model=model, usage_id=request,
                    uid=str(record.get("uuid") or ""), branch=self._on_branch,
                )
            ]  # fmt: skip
        turn = self.open[-1]
        turn.blocks.extend(blocks)
        if model:
            self.info.model = turn.model = model
        cost = micro_dollars(record.get("costUSD"))
        if cost is not None:
            turn.cost_micro = max(cost, turn.cost_micro or 0)
        self._count(turn, request, message.get("usage"))

    def _count(self, turn: Turn, request: str, usage: Any) -> None:
        """The field-wise maximum of a request's lines, spread over its turns without overlap."""
        if not isinstance(usage, dict):
            return
        held: dict[str, list[int]] = self.state.setdefault("usage", {})
        earlier = held.pop(request, None)
        before = Usage(*earlier) if earlier else Usage()
        total = before.largest(
            Usage(
                whole(usage.get("input_tokens")),
                whole(usage.get("output_tokens")),
                whole(usage.get("cache_read_input_tokens")),
                whole(usage.get("cache_creation_input_tokens")),
            )
        )
        held[request] = [total.input, total.output, total.cache_read, total.cache_write]
        if len(held) > IDS:
            del held[next(iter(held))]
        share = total.beyond(before)
        first = earlier is None or (turn.usage is not None and turn.usage_total is None)
        turn.usage = share if turn.usage is None else turn.usage + share
        if not first:
            turn.usage_total = total

    def _user(self, record: dict[str, Any], time: int | None) -> Iterator[Turn]:
        yield from self.close()
        self.keep()
        content = record["message"].get("content")
        blocks = anthropic_blocks(content)
        results: list[Block] = [block for block in blocks if isinstance(block, ToolResult)]
        said: list[Block] = [block for block in blocks if not isinstance(block, ToolResult)]
        own = str(record.get("uuid") or "")
        if results:
            self._complete(results, record)
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
        if _COMMAND.fullmatch(text):
            parts = dict(_TAG.findall(text))
            command = " ".join(x.strip() for x in (parts.get("name"), parts.get("args")) if x)
            notice = Notice("command", command or text)
            yield Turn(role="system", blocks=[notice], time=time, uid=own, branch=self._on_branch)
            return
        put_in, typed = split_injected(said)
        text = next((block.text for block in typed if isinstance(block, Text)), "")
        injected = bool(record.get("isMeta")) or text.lstrip().startswith(_INJECTED)
        if injected or not typed:
            yield Turn(role="user", blocks=said, time=time, uid=own, meta=True,
                       branch=self._on_branch)  # fmt: skip
            return
        self.state["last"] = "working"
        yield Turn(role="user", blocks=typed, time=time, uid=own, branch=self._on_branch)
        if put_in:
            yield Turn(role="user", blocks=put_in, time=time, uid=f"{own}/injected", meta=True,
                       branch=self._on_branch)  # fmt: skip

    def _complete(self, results: list[Block], record: dict[str, Any]) -> None:
        """What the copy beside a result knows more: duration, sub-agent, spilled output."""
        facts = record.get("toolUseResult")
        if not isinstance(facts, dict) or len(results) != 1:
            return
        result = results[0]
        assert isinstance(result, ToolResult)
        duration = facts.get("totalDurationMs") or facts.get("durationMs")
        if isinstance(duration, int | float):
            result.duration_ms = int(duration)
        agent = facts.get("agentId")
        if isinstance(agent, str) and agent:
            root = (self.info.parent or self.info.id).partition("/")[0]
            result.child = f"{root}/agent-{agent}"
        spilled = facts.get("persistedOutputPath")
        if isinstance(spilled, str):
            text = self._spilled(spilled)
            if text is not None:
                result.content = [Text(text)]

    def _spilled(self, named: str) -> str | None:
        """A long result kept in a file of its own: only from the session's own folder."""
        session = self.info.id.partition(":")[2].partition("/")[0]
        for folder in (Path(self.source.path).parent, *Path(self.source.path).parents[1:4]):
            own = folder / session / "tool-results"
            path = own / Path(named.replace("\\", "/")).name
            if path.is_file() and path.resolve().is_relative_to(own.resolve()):
                try:
                    with open(path, encoding="utf-8", errors="replace") as file:
                        return file.read(SPILLED)
                except OSError:
                    return None
        return None

    # The tree

    @property
    def _on_branch(self) -> bool:
        return bool(self.state.get("branch"))

    def _place(self, record: dict[str, Any], said: list[Block]) -> None:
        """A prompt with the same parent as an earlier one: the user went back and said it anew."""
        parent, own = record.get("parentUuid"), record.get("uuid")
        if record.get("isMeta") or (record.get("isSidechain") and not self.info.parent):
            return
        if not _is_prompt(said):
            return
        if self.state.get("rewritten"):
            if own in self.state["dead"]:
                self.state["branch"] = True
            elif self.state.get("branch") and not self._below(parent):
                self.state["branch"] = False
        if not isinstance(parent, str) or not isinstance(own, str):
            return
        prompts: dict[str, str] = self.state.setdefault("prompts", {})
        if parent in prompts and prompts[parent] != own and own not in self.state["dead"]:
            known = self.state.get("rewritten") and prompts[parent] in self.state["dead"]
            if not known:
                raise Rewritten
        prompts[parent] = own
        if len(prompts) > PROMPTS:
            del prompts[next(iter(prompts))]

    def _below(self, parent: Any) -> bool:
        """Whether a prompt goes on inside a dead branch: its parent is no earlier fork."""
        prompts: dict[str, str] = self.state.get("prompts", {})
        return parent not in prompts

    # Other records

    def _system(self, record: dict[str, Any], time: int | None) -> Iterator[Turn]:
        subtype = str(record.get("subtype") or "")
        if subtype in _SKIPPED_SYSTEM:
            self.skip()
            return
        yield from self.close()
        self.keep()
        text = as_text(record.get("content")).strip()
        own = str(record.get("uuid") or "")
        if subtype in ("compact_boundary", "microcompact_boundary"):
            facts = record.get("compactMetadata") or record.get("microcompactMetadata") or {}
            before = whole(facts.get("preTokens")) if isinstance(facts, dict) else 0
            more = f" (from {before:,} tokens)" if before else ""
            notice = Notice("compaction", f"{text or 'Conversation compacted'}{more}")
        elif subtype == "local_command" or _COMMAND.match(text):
            parts = dict(_TAG.findall(text))
            command = " ".join(x.strip() for x in (parts.get("name"), parts.get("args")) if x)
            notice = Notice("command", command or text)
        else:
            notice = Notice("summary" if subtype == "away_summary" else "info", text or subtype)
        yield Turn(role="system", blocks=[notice], time=time, uid=own, meta=True)

    def _attachment(self, record: dict[str, Any], time: int | None) -> Iterator[Turn]:
        """A prompt typed while the agent was busy is a prompt; other attachments are context."""
        body = record.get("attachment")
        if not isinstance(body, dict) or body.get("type") != "queued_command":
            self.skip()
            return
        blocks = anthropic_blocks(body.get("prompt"))
        if not blocks:
            self.skip()
            return
        yield from self.close()
        self.keep()
        self.seen(time)
        own = str(record.get("uuid") or "")
        put_in = blocks[0].text.lstrip().startswith(_INJECTED) if isinstance(blocks[0], Text) else 0
        yield Turn(role="user", blocks=blocks, time=time, uid=own, meta=bool(put_in))


def _is_prompt(blocks: list[Block]) -> bool:
    """Whether a user's record says something of the person's own."""
    text = next((block.text for block in blocks if isinstance(block, Text)), "").lstrip()
    return bool(text) and not text.startswith((*_INJECTED, "[Request interrupted", "<command-"))


def _dead_prompts(path: str) -> list[str]:
    """Ids of prompts that were taken back: another prompt with the same parent follows."""
    last: dict[str, str] = {}
    dead: list[str] = []
    for _, record in lines.records(path):
        if record is None or record.get("type") != "user" or record.get("isMeta"):
            continue
        message = record.get("message")
        content = message.get("content") if isinstance(message, dict) else None
        if isinstance(content, list) and any(
            isinstance(part, dict) and part.get("type") == "tool_result" for part in content
        ):
            continue
        if not _is_prompt(anthropic_blocks(content)):
            continue
        parent, own = record.get("parentUuid"), record.get("uuid")
        if isinstance(parent, str) and isinstance(own, str):
            if parent in last and last[parent] != own:
                dead.append(last[parent])
            last[parent] = own
    return dead
