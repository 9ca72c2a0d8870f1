"""Factory Droid: a line file per session, token totals in a settings file beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sparrow_tui.agents import droid_restore, lines
from sparrow_tui.agents.base import (
    Agent,
    Batch,
    Checkpoint,
    Place,
    Resume,
    Source,
    SourceError,
    file_source,
    walk,
)
from sparrow_tui.agents.common import anthropic_blocks, as_text, json_or_text, milliseconds, whole
from sparrow_tui.agents.injected import user_turns
from sparrow_tui.agents.line_session import (
    LineSession,
    count_unknown,
    read_session,
    some,
    with_side,
)
from sparrow_tui.agents.openai_messages import usage_of
from sparrow_tui.agents.projects import json_file
from sparrow_tui.model import (
    Block,
    Notice,
    Raw,
    SessionInfo,
    Text,
    ToolResult,
    ToolUse,
    Turn,
    Usage,
)

_SKIPPED = {"todo_state", "session_end", "settings", "file_snapshot"}


class Droid(Agent):
    """Reads ``~/.factory/sessions/<folder>/<id>.jsonl`` and, by hand, ``droid exec`` streams."""

    name = "droid"
    label = "Factory Droid"
    glyph = "◈"
    color = "#ee6018"
    restorable = True

    def roots(self, place: Place) -> list[Path]:
        """The folder of all sessions."""
        return [place.home / ".factory" / "sessions"]

    def sources(self, place: Place) -> Iterator[Source]:
        """Every line file below it."""
        for root in self.roots(place):
            for entry in walk(root, (".jsonl",), 3):
                source = self.source_at(Path(entry.path))
                if source is not None:
                    yield source

    def sniff(self, path: Path, head: bytes) -> bool:
        """A ``session_start`` line first, or the lines of ``droid exec -o stream-json``."""
        for line in head.split(b"\n")[:4]:
            record = lines.parse(line) if line.strip() else None
            if not isinstance(record, dict):
                return False
            kind = record.get("type")
            if kind == "session_start":
                return "id" in record
            if kind in ("tool_call", "completion"):
                return bool(_stream_id(record))
            if kind != "message" and kind != "system":
                return False
            if "message" in record or not _stream_id(record):
                return False
            if kind == "message" and "text" in record and "role" in record:
                return True
        return False

    def source_at(self, path: Path) -> Source | None:
        """The line file, also for the settings beside it."""
        if path.name.endswith(".settings.json"):
            path = path.with_name(path.name.removesuffix(".settings.json") + ".jsonl")
        if path.suffix != ".jsonl":
            return None
        return with_side(file_source(self.name, path), _settings(path))

    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Batch]:
        """One record a line; the token totals are the session's."""
        yield from read_session(source, since, _Session)

    def resume(self, session: SessionInfo) -> Resume | None:
        """``droid --resume ID`` where the session began."""
        if session.parent:
            return None
        return Resume(("droid", "--resume", session.native_id), session.project or "")

    def restore(self, session: SessionInfo, turns: Iterable[Turn], place: Place) -> Path:
        """A new line file; token totals have no place in it."""
        if session.parent:
            raise SourceError("sub-agents' sessions cannot be written back")
        return droid_restore.write_back(self.roots(place)[0], session, turns)


def _settings(path: Path) -> Path:
    return path.with_name(f"{path.stem}.settings.json")


def _stream_id(record: dict[str, Any]) -> str:
    return as_text(record.get("session_id") or record.get("sessionId"))


class _Session(LineSession):
    """Both kinds of lines: the stored session's and the stream's."""

    def __init__(self, source: Source) -> None:
        super().__init__(source, f"droid:{Path(source.path).stem}")

    def take(self, record: dict[str, Any]) -> Iterator[Turn]:
        kind = as_text(record.get("type"))
        time = self.seen(milliseconds(record.get("timestamp")))
        if kind == "session_start":
            self._start(record)
        elif kind == "message" and isinstance(record.get("message"), dict):
            yield from self._message(record, record["message"], time)
        elif kind in ("compaction_state", "compaction"):
            self.keep()
            text = as_text(record.get("summaryText") or record.get("summary"))
            blocks: list[Block] = [Notice("compaction")]
            yield Turn(role="summary", blocks=[*blocks, Text(text)] if text else blocks, time=time)
        elif kind in _SKIPPED:
            self.skip()
        elif _stream_id(record) or kind in ("error", "completion"):
            yield from self._stream(kind, record, time)
        else:
            yield self.unknown(f"record {kind}", record, time)

    def finish(self) -> None:
        settings = json_file(_settings(Path(self.source.path)))
        if not isinstance(settings, dict):
            return
        self.info.model = as_text(settings.get("model")) or self.info.model
        used = settings.get("tokenUsage")
        if isinstance(used, dict):
            self.info.usage = some(
                Usage(
                    input=whole(used.get("inputTokens")),
                    output=whole(used.get("outputTokens")),
                    cache_read=whole(used.get("cacheReadTokens")),
                    cache_write=whole(used.get("cacheCreationTokens")),
                    reasoning=whole(used.get("thinkingTokens")),
                )
            )

    def _start(self, record: dict[str, Any]) -> None:
        self.keep()
        self.info.id = f"droid:{as_text(record.get('id')) or self.info.native_id}"
        title = as_text(record.get("sessionTitle") or record.get("title")).strip()
        self.info.title = title if title not in ("", "New Session") else None
        self.info.project = as_text(record.get("cwd")) or None
        parent = as_text(record.get("callingSessionId") or record.get("parentSessionId"))
        if parent:
            self.info.parent = f"droid:{parent}"
            self.info.parent_tool_use = as_text(record.get("callingToolUseId")) or None
        if record.get("version"):
            self.info.extra["version"] = as_text(record["version"])

    def _message(
        self, record: dict[str, Any], message: dict[str, Any], time: int | None
    ) -> Iterator[Turn]:
        blocks = anthropic_blocks(message.get("content"))
        for block in blocks:
            if isinstance(block, Raw):
                count_unknown(self.coverage, f"block {block.kind}")
        role = as_text(message.get("role"))
        uid = as_text(record.get("id"))
        if not blocks:
            self.skip()
            return
        self.keep()
        if role == "assistant":
            self.info.model = as_text(message.get("model")) or self.info.model
            yield Turn(
                role="assistant",
                blocks=blocks,
                time=time,
                uid=uid,
                model=as_text(message.get("model")),
            )
            return
        if role not in ("user", "system", "tool"):
            count_unknown(self.coverage, f"role {role}")
        said_by = "system" if role == "system" else "user"
        yield from user_turns(blocks, time=time, uid=uid, role=said_by)

    def _stream(self, kind: str, record: dict[str, Any], time: int | None) -> Iterator[Turn]:
        """A line of ``--output-format stream-json``."""
        uid = as_text(record.get("id"))
        if _stream_id(record):
            self.info.id = f"droid:{_stream_id(record)}"
        if kind == "system":
            self.keep()
            self.info.project = as_text(record.get("cwd")) or self.info.project
            self.info.model = as_text(record.get("model")) or self.info.model
        elif kind == "message":
            line = {"role": record.get("role"), "content": record.get("text")}
            self.state["said"] = record.get("text")
            yield from self._message(record, line, time)
        elif kind == "tool_call":
            self.keep()
            call = as_text(record.get("toolCallId")) or uid
            use = ToolUse(
                call, as_text(record.get("toolName")), json_or_text(record.get("parameters"))
            )
            yield Turn(role="assistant", blocks=[use], time=time, model=self.info.model or "")
        elif kind == "tool_result":
            self.keep()
            yield Turn(role="tool", blocks=[_stream_result(record, uid)], time=time)
        elif kind == "completion":
            self.keep()
            text = as_text(record.get("finalText"))
            usage = usage_of(record.get("usage"))
            repeated = text == self.state.get("said")
            if text or usage:
                yield Turn(
                    role="assistant",
                    blocks=[Notice("info", "Finished.")] if repeated or not text else [Text(text)],
                    time=time,
                    usage=usage,
                    model=self.info.model or "",
                )
        elif kind == "error":
            self.keep()
            words = Notice("error", as_text(record.get("message")))
            yield Turn(role="system", blocks=[words], time=time, api_error=True)
        else:
            yield self.unknown(f"record {kind}", record, time)


def _stream_result(record: dict[str, Any], uid: str) -> ToolResult:
    value = record.get("value")
    error = record.get("isError")
    result = ToolResult(
        as_text(record.get("toolCallId")) or uid,
        is_error=error if isinstance(error, bool) else None,
    )
    if isinstance(value, dict) and "stdout" in value:
        pieces = [as_text(value.get("stdout")), as_text(value.get("stderr"))]
        result.content = [Text(piece) for piece in pieces if piece]
        code = value.get("exitCode")
        result.exit_code = code if isinstance(code, int) else None
        if result.exit_code and result.is_error is None:
            result.is_error = True
    elif value is not None:
        result.content = [Text(as_text(value))]
    return result


AGENT = Droid()
