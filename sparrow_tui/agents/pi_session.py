"""Entries of Pi's line files as turns: a tree of which the last entry's branch is live."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sparrow_tui.agents import lines
from sparrow_tui.agents.base import (
    Source,
)
from sparrow_tui.agents.common import (
    anthropic_blocks,
    as_text,
    copy_mark,
    micro_dollars,
    milliseconds,
    whole,
)
from sparrow_tui.agents.line_session import (
    LineSession,
    Rewritten,
    count_unknown,
    some,
)
from sparrow_tui.model import (
    Block,
    Image,
    Notice,
    Raw,
    Text,
    ToolResult,
    ToolUse,
    Turn,
    Usage,
)

_SKIPPED = {"thinking_level_change", "label", "custom", "context_transform", "ephemeral"}
"""Entries that say nothing to a reader: settings, bookmarks, extensions' own data."""


def _id_in_name(path: Path) -> str:
    """The id in ``<time>_<id>.jsonl``; the whole stem where there is none."""
    return path.stem.rpartition("_")[2] or path.stem


class PiSession(LineSession):
    """Pi's entries. A line whose parent is not the line before starts a branch."""

    def __init__(self, source: Source) -> None:
        path = Path(source.path)
        super().__init__(source, f"pi:{_id_in_name(path)}")
        self._dead: set[str] | None = None
        if source.kind == "omp":
            self.info.extra["program"] = "omp"
            if (
                path.with_name(path.parent.name + ".jsonl").name
                and (path.parent.parent / f"{path.parent.name}.jsonl").exists()
            ):
                self.info.id = f"pi:{_id_in_name(path.parent)}/{path.stem}"
                self.info.parent = f"pi:{_id_in_name(path.parent)}"

    def begin(self) -> None:
        """Where the file is known to branch, find the entries that are not on the live branch."""
        if self.state.get("rewritten"):
            self._dead = _dead_entries(self.source.path)

    def take(self, record: dict[str, Any]) -> Iterator[Turn]:
        """The turn of an entry; a new branch has the file read from its start."""
        kind = as_text(record.get("type"))
        time = milliseconds(record.get("timestamp"))
        if kind == "session":
            self._header(record, time)
            return
        entry = as_text(record.get("id"))
        if entry:
            before = self.state.get("leaf", "")
            if self._dead is None and before and as_text(record.get("parentId")) != before:
                raise Rewritten
            self.state["leaf"] = entry
        turn = self._turn(kind, record, time)
        if turn is None:
            return
        self.seen(time)
        turn.uid = f"{entry}:{turn.time}" if entry else ""
        turn.branch = entry in (self._dead or ())
        yield turn

    def _header(self, record: dict[str, Any], time: int | None) -> None:
        self.keep()
        if record.get("id") and not self.info.parent:
            mark = copy_mark(Path(self.source.path))
            self.info.id = f"pi:{as_text(record['id'])}{mark}"
        self.info.project = as_text(record.get("cwd")) or None
        self.info.model = as_text(record.get("modelId")) or self.info.model
        self.info.created_at = time
        self.info.updated_at = self.info.updated_at or time
        for key, name in (
            ("version", "version"),
            ("parentSession", "forked from"),
            ("branchedFrom", "forked from"),
        ):
            if record.get(key):
                self.info.extra[name] = as_text(record[key])

    def _turn(self, kind: str, record: dict[str, Any], time: int | None) -> Turn | None:
        """The turn of an entry, counted; ``None`` if it has none."""
        if kind in _SKIPPED:
            self.skip()
            return None
        if kind in ("session_info", "title"):
            title = as_text(record.get("name") or record.get("title")).strip()
            self.info.title = title or self.info.title
            self.keep()
            return None
        if kind == "message" and isinstance(record.get("message"), dict):
            turn = self._message(record["message"], time)
        elif kind == "model_change":
            self.info.model = as_text(record.get("modelId")) or self.info.model
            words = "/".join(filter(None, map(as_text, (record.get("provider"), self.info.model))))
            turn = Turn(role="system", blocks=[Notice("model", words)], time=time, meta=True)
        elif kind == "compaction":
            tokens = whole(record.get("tokensBefore"))
            note = f"{tokens:,} tokens before" if tokens else ""
            turn = _summary("compaction", note, record.get("summary"), time)
        elif kind == "branch_summary":
            turn = _summary("rewind", "", record.get("summary"), time)
        elif kind in ("custom_message", "hook_message"):
            turn = Turn(role="user", blocks=_blocks(record.get("content"), self), time=time)
            turn.meta = True
        else:
            return self.unknown(f"entry {kind}", record, time)
        if not turn.blocks and not turn.usage:
            self.skip()
            return None
        self.keep()
        return turn

    def _message(self, message: dict[str, Any], time: int | None) -> Turn:
        role = as_text(message.get("role"))
        time = milliseconds(message.get("timestamp")) or time
        content = message.get("content")
        if role == "user":
            return Turn(role="user", blocks=_blocks(content, self), time=time)
        if role == "assistant":
            return self._assistant(message, time)
        if role == "toolResult":
            error = message.get("isError")
            details = message.get("details")
            result = ToolResult(
                as_text(message.get("toolCallId")),
                _blocks(content, self),
                is_error=error if isinstance(error, bool) else None,
            )
            if isinstance(details, dict) and isinstance(details.get("exitCode"), int):
                result.exit_code = details["exitCode"]
            return Turn(role="tool", blocks=[result], time=time)
        if role in ("bashExecution", "pythonExecution"):
            words = f"! {as_text(message.get('command') or message.get('code'))}"
            words = f"{words}\n{as_text(message.get('output'))}".rstrip()
            if message.get("cancelled") is True:
                words += "\n(cancelled)"
            elif whole(message.get("exitCode")):
                words += f"\n(exit code {whole(message['exitCode'])})"
            return Turn(role="user", blocks=[Notice("command", words)], time=time, meta=True)
        if role in ("branchSummary", "compactionSummary"):
            kind = "rewind" if role == "branchSummary" else "compaction"
            return _summary(kind, "", message.get("summary"), time)
        if role in ("custom", "hookMessage", "developer", "fileMention"):
            return Turn(role="user", blocks=_blocks(content, self), time=time, meta=True)
        count_unknown(self.coverage, f"role {role}")
        return Turn(role="system", blocks=[Raw(f"role {role}", message)], time=time, meta=True)

    def _assistant(self, message: dict[str, Any], time: int | None) -> Turn:
        turn = Turn(role="assistant", blocks=_blocks(message.get("content"), self), time=time)
        turn.model = as_text(message.get("model"))
        self.info.model = turn.model or self.info.model
        used = message.get("usage")
        if isinstance(used, dict):
            cost = used.get("cost")
            turn.usage = some(
                Usage(
                    input=whole(used.get("input")),
                    output=whole(used.get("output")),
                    cache_read=whole(used.get("cacheRead")),
                    cache_write=whole(used.get("cacheWrite")),
                )
            )
            if turn.usage is not None:
                # A fork copies its parent's messages with their times: the same request.
                numbers = (turn.usage.input, turn.usage.output, turn.usage.cache_read)
                same = f"pi:{time}:{':'.join(map(str, numbers))}" if time else ""
                turn.usage_id = as_text(message.get("responseId")) or same
                if isinstance(cost, dict):
                    turn.cost_micro = micro_dollars(cost.get("total"))
        reason = message.get("stopReason")
        words = as_text(message.get("errorMessage"))
        if reason == "error":
            turn.blocks.append(Notice("error", words or "The request failed."))
            turn.api_error = True
        elif reason == "aborted":
            turn.blocks.append(Notice("interruption", words or "Aborted."))
        return turn


def _summary(kind: str, note: str, summary: Any, time: int | None) -> Turn:
    blocks: list[Block] = [Notice(kind, note)]
    if as_text(summary).strip():
        blocks.append(Text(as_text(summary)))
    return Turn(role="summary", blocks=blocks, time=time)


def _blocks(content: Any, session: PiSession) -> list[Block]:
    """Pi's content: as Anthropic's, but for tool calls and pictures."""
    if not isinstance(content, list):
        return anthropic_blocks(content)
    blocks: list[Block] = []
    for part in content:
        kind = as_text(part.get("type")) if isinstance(part, dict) else ""
        if kind == "toolCall":
            blocks.append(
                ToolUse(as_text(part.get("id")), as_text(part.get("name")), part.get("arguments"))
            )
        elif kind == "image" and "source" not in part:
            data = as_text(part.get("data"))
            media = as_text(part.get("mimeType"))
            blocks.append(Image(media_type=media, data=data, size=len(data) * 3 // 4))
        else:
            for block in anthropic_blocks([part]):
                if isinstance(block, Raw):
                    count_unknown(session.coverage, f"block {block.kind}")
                blocks.append(block)
    return blocks


def _dead_entries(path: str) -> set[str]:
    """Ids of the entries that do not lead to the file's last entry."""
    parents: dict[str, str] = {}
    leaf = ""
    for _, record in lines.records(path):
        if record is not None and record.get("id") and record.get("type") != "session":
            before, leaf = leaf, as_text(record["id"])
            parent = as_text(record.get("parentId"))
            # A parent in a broken line: the entry before stands in for it.
            parents[leaf] = parent if not parent or parent in parents else before
    live: set[str] = set()
    while leaf and leaf not in live:
        live.add(leaf)
        leaf = parents.get(leaf, "")
    return parents.keys() - live
