"""Amp: the threads it keeps on disk, one JSON file each, rewritten as a thread grows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sparrow_tui.agents.base import (
    Agent,
    Batch,
    Checkpoint,
    Place,
    Resume,
    Source,
    SourceError,
    entry_source,
    file_source,
    walk,
)
from sparrow_tui.agents.by_session import Seen, cut
from sparrow_tui.agents.common import anthropic_block, as_text, milliseconds, whole
from sparrow_tui.agents.documents import load, sealed
from sparrow_tui.agents.injected import user_turns
from sparrow_tui.agents.line_session import WRONG_SHAPE, count_unknown, some
from sparrow_tui.model import (
    Block,
    Coverage,
    Notice,
    Raw,
    SessionInfo,
    Text,
    ToolResult,
    ToolUse,
    Turn,
    Usage,
)

_SHOWN = ("output", "content", "diff")
"""Keys of a tool's result that hold what it said, best first."""


class Amp(Agent):
    """Reads ``~/.local/share/amp/threads/T-<id>.json``."""

    name = "amp"
    label = "Amp"
    glyph = "ψ"
    color = "#f34e3f"
    no_restore = "its threads live on its server; the file here is a copy of them"

    def roots(self, place: Place) -> list[Path]:
        """The folder of threads; the same below home on all systems."""
        share = place.path("XDG_DATA_HOME", place.home / ".local" / "share")
        return [place.path("AMP_DATA_HOME", share / "amp") / "threads"]

    def sources(self, place: Place) -> Iterator[Source]:
        """Every thread file."""
        for root in self.roots(place):
            for entry in walk(root, (".json",), 0):
                source = entry_source(self.name, entry)
                if source is not None and entry.name.startswith("T-"):
                    yield source

    def sniff(self, path: Path, head: bytes) -> bool:
        """A JSON object whose id begins with ``T-``."""
        start = head[:4000].replace(b" ", b"")
        return start.lstrip().startswith(b"{") and b'"id":"T-' in start

    def source_at(self, path: Path) -> Source | None:
        """The file itself, if it is a JSON file."""
        return file_source(self.name, path) if path.suffix == ".json" else None

    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Batch]:
        """One thread, whole, if its bytes changed."""
        thread, mark = load(source.path)
        messages = thread.get("messages") if isinstance(thread, dict) else None
        if not isinstance(messages, list):
            raise SourceError("it is not a thread of Amp")
        native = as_text(thread.get("id")) or Path(source.path).stem
        seen = Seen(since)
        if seen.same(native, [mark]):
            return
        info, coverage = _info(native, thread), Coverage()
        turns = _turns(messages, info, coverage)
        yield from sealed(cut(info, turns, coverage), seen, native, [mark])

    def resume(self, session: SessionInfo) -> Resume | None:
        """``amp threads continue ID`` where the thread began."""
        argv = ("amp", "threads", "continue", session.native_id)
        return Resume(argv, session.project or "")


def _info(native: str, thread: dict[str, Any]) -> SessionInfo:
    info = SessionInfo(id=f"amp:{native}", title=as_text(thread.get("title")).strip() or None)
    info.created_at = info.updated_at = milliseconds(thread.get("created"))
    first = _dict(_dict(thread.get("env")).get("initial"))
    trees = first.get("trees")
    tree = _dict(trees[0]) if isinstance(trees, list) and trees else {}
    info.project = as_text(first.get("cwd")) or _path(as_text(tree.get("uri"))) or None
    ref = as_text(_dict(tree.get("repository")).get("ref"))
    info.branch = ref.removeprefix("refs/heads/") or None
    traces = _dict(thread.get("meta")).get("traces")
    for trace in traces if isinstance(traces, list) else []:
        _alive(info, milliseconds(_dict(trace).get("endTime")))
    parent = as_text(_dict(thread.get("mainThread")).get("id") or thread.get("mainThreadID"))
    if parent:
        info.parent = f"amp:{parent}"
    return info


def _turns(messages: list[Any], info: SessionInfo, coverage: Coverage) -> Iterator[Turn]:
    for message in messages:
        coverage.records += 1
        try:
            turns = _message(message, coverage)
        except WRONG_SHAPE:
            coverage.bad += 1
            continue
        if not turns:
            coverage.skipped += 1
            continue
        coverage.kept += 1
        for turn in turns:
            _alive(info, turn.time)
            info.model = turn.model or info.model
            yield turn


def _message(message: dict[str, Any], coverage: Coverage) -> list[Turn]:
    content = message.get("content")
    blocks: list[Block] = []
    for part in content if isinstance(content, list) else [{"type": "text", "text": content}]:
        block = _block(part, coverage)
        if block is not None:
            blocks.append(block)
    usage = message.get("usage")
    used = usage if isinstance(usage, dict) else {}
    time = milliseconds(used.get("timestamp") or _dict(message.get("meta")).get("sentAt"))
    native = message.get("messageId")
    uid = as_text(message.get("dtwMessageID") or ("" if native is None else f"{native}"))
    role = as_text(message.get("role"))
    if role in ("user", "system", "info"):
        said_by = "user" if role == "user" else "system"
        return user_turns(blocks, time=time, uid=uid, role=said_by)
    if role != "assistant":
        count_unknown(coverage, f"role {role}")
        return [Turn(role="system", blocks=[Raw(f"role {role}", message)], time=time, meta=True)]
    state = _dict(message.get("state"))
    if state.get("type") == "cancelled":
        blocks.append(Notice("interruption"))
    elif state.get("type") == "error":
        error = state.get("error")
        blocks.append(Notice("error", as_text(_dict(error).get("message") or error)))
    turn = Turn(role="assistant", blocks=blocks, time=time, uid=uid)
    turn.model = as_text(used.get("model"))
    turn.usage = _usage(used, turn.model)
    turn.api_error = state.get("type") == "error"
    return [turn] if blocks or turn.usage else []


def _usage(used: dict[str, Any], model: str) -> Usage | None:
    """A message's tokens. For GPT models what is not cached stands under cache creation."""
    fresh, written = whole(used.get("inputTokens")), whole(used.get("cacheCreationInputTokens"))
    if model.startswith("gpt-"):
        fresh, written = fresh + written, 0
    read, output = whole(used.get("cacheReadInputTokens")), whole(used.get("outputTokens"))
    return some(Usage(fresh, output, read, written))


def _block(part: Any, coverage: Coverage) -> Block | None:
    if not isinstance(part, dict):
        count_unknown(coverage, "part")
        return Raw("part", part)
    kind = as_text(part.get("type"))
    if kind == "tool_result":
        return _result(part)
    if kind == "tool_use" and isinstance(part.get("inputIncomplete"), dict):
        return ToolUse(
            as_text(part.get("id")),
            as_text(part.get("name")),
            part.get("input") or part["inputIncomplete"],
        )
    block = anthropic_block(part)
    if isinstance(block, Raw):
        count_unknown(coverage, f"block {kind}")
    return block


def _result(part: dict[str, Any]) -> ToolResult:
    run = _dict(part.get("run"))
    status, value = as_text(run.get("status")), run.get("result")
    if not run:
        value = part.get("content")
    result = ToolResult(as_text(part.get("toolUseID") or part.get("tool_use_id")))
    if status in ("done", "error", "cancelled"):
        result.is_error = status != "done"
    code = _dict(value).get("exitCode")
    if isinstance(code, int) and not isinstance(code, bool):
        result.exit_code = code
    if _dict(value).get("success") is False:
        result.is_error = True
    text = _said(value)
    error = run.get("error")
    words = as_text(_dict(error).get("message") or error)
    result.content = [Text(piece) for piece in (text, words) if piece]
    if status == "cancelled" and not result.content:
        result.content = [Notice("interruption", "Cancelled.")]
    return result


def _said(value: Any) -> str:
    """The text of a result: the best known key, lines of a list, else the value itself."""
    if isinstance(value, dict):
        for key in _SHOWN:
            if value.get(key):
                return _said(value[key])
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return "\n".join(value)
    return as_text(value)


def _alive(info: SessionInfo, time: int | None) -> None:
    if time is not None:
        info.created_at = info.created_at or time
        info.updated_at = max(time, info.updated_at or time)


def _path(uri: str) -> str:
    """The path of a ``file:`` address."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return ""
    return unquote(parts.path) if parts.scheme == "file" else ""


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


AGENT = Amp()
