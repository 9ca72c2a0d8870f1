"""Gemini CLI: recorded conversations (JSON and JSONL), and traces of those it deleted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sparrow_tui.agents import gemini_log, gemini_restore, gemini_traces, lines
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
from sparrow_tui.agents.by_session import cut
from sparrow_tui.agents.common import as_text, milliseconds
from sparrow_tui.agents.documents import load
from sparrow_tui.agents.gemini_files import identity, is_unique, project
from sparrow_tui.agents.gemini_log import Log, OldRecord
from sparrow_tui.agents.projects import json_file
from sparrow_tui.model import Coverage, SessionInfo, Turn

DEFAULT_DAYS = 30
_AGE = re.compile(r"(\d+)([hdwm])")
_DAYS = {"h": 1 / 24, "d": 1, "w": 7, "m": 30}


class Gemini(Agent):
    """Reads ``~/.gemini/tmp/<project>/``; `Source.kind` is ``chat``, ``logs`` or ``checkpoint``."""

    name = "gemini"
    label = "Gemini CLI"
    glyph = "✦"
    color = "#4796e4"
    restorable = True

    def roots(self, place: Place) -> list[Path]:
        """``~/.gemini/tmp``."""
        return [place.path("GEMINI_CLI_HOME", place.home) / ".gemini" / "tmp"]

    def sources(self, place: Place) -> Iterator[Source]:
        """Conversations; prompts and saved checkpoints of projects that have none recorded."""
        for entry in walk(self.roots(place)[0], (".json", ".jsonl"), 4):
            path = Path(entry.path)
            kind = _kind(path)
            if kind == "checkpoint" and any(walk(path.parent / "chats", (".json", ".jsonl"), 0)):
                continue
            if kind and not (entry.name.endswith(".json") and path.with_suffix(".jsonl").exists()):
                source = entry_source(self.name, entry, kind)
                if source is not None:
                    yield source

    def sniff(self, path: Path, head: bytes) -> bool:
        """A conversation's header, wherever the file lies; logs and checkpoints by their place."""
        if path.suffix == ".jsonl":
            first = lines.parse(head.split(b"\n", 1)[0])
            return isinstance(first, dict) and "sessionId" in first and "projectHash" in first
        if path.suffix != ".json":
            return False
        if _kind(path) in ("logs", "checkpoint") and ".gemini" in path.parts:
            return True
        start = head[:4096]
        return (
            b'"sessionId"' in start
            and (b'"projectHash"' in start or b'"startTime"' in start)
            and b'"messages"' in head
        )

    def source_at(self, path: Path) -> Source | None:
        """A conversation, log or checkpoint; inside ``.gemini`` nothing else."""
        if path.suffix not in (".json", ".jsonl"):
            return None
        kind = _kind(path)
        if not kind and ".gemini" in path.parts:
            return None
        if path.suffix == ".json" and path.with_suffix(".jsonl").exists():
            return None
        return file_source(self.name, path, kind or "chat")

    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Batch]:
        """JSONL from the last message on; JSON documents are always read whole."""
        path = Path(source.path)
        if source.kind == "logs":
            yield from gemini_traces.prompts(self.name, path)
        elif source.kind == "checkpoint":
            yield from gemini_traces.checkpoint(self.name, path)
        elif path.suffix == ".jsonl":
            try:
                yield from _read_log(source, since)
            except OldRecord:
                yield from _read_log(source, None)
        else:
            document, _ = load(path)
            if not isinstance(document, dict):
                raise SourceError("it is not a conversation")
            log = Log()
            log.document(document)
            info = _info(log.header, path)
            folder = path.parent / as_text(log.header.get("sessionId"))
            yield from cut(info, gemini_log.all_turns(log, info, folder), log.coverage)

    def resume(self, session: SessionInfo) -> Resume | None:
        """``gemini --resume ID`` in the project.

        Not for sub-agents, saved checkpoints and editors' sessions, which all have one id.
        """
        if session.parent or session.ghost or session.native_id.startswith("checkpoint-"):
            return None
        native = session.native_id.partition(".")[0]
        if not is_unique(native):
            return None
        return Resume(("gemini", "--resume", native), session.project or "")

    def restore(self, session: SessionInfo, turns: Iterable[Turn], place: Place) -> Path:
        """A new conversation in today's form."""
        if session.parent or session.ghost or session.native_id.startswith("checkpoint-"):
            raise SourceError("sub-agents' sessions and saved checkpoints cannot be written back")
        return gemini_restore.write_gemini(self.roots(place)[0], session, turns)

    def retention_days(self, place: Place) -> int | None:
        """``general.sessionRetention.maxAge`` of the settings; 30 days unless turned off."""
        settings = json_file(self.roots(place)[0].parent / "settings.json")
        general = settings.get("general") if isinstance(settings, dict) else None
        kept = general.get("sessionRetention") if isinstance(general, dict) else None
        if not isinstance(kept, dict):
            return DEFAULT_DAYS
        if kept.get("enabled") is False:
            return None
        age = _AGE.fullmatch(as_text(kept.get("maxAge")))
        return max(1, int(int(age[1]) * _DAYS[age[2]])) if age else DEFAULT_DAYS


def _kind(path: Path) -> str:
    """What a file is by its place: a chat lies in ``chats`` or in its parent's folder there."""
    if path.parent.name == "chats" or path.parent.parent.name == "chats":
        return "chat"
    if path.name == "logs.json":
        return "logs"
    return "checkpoint" if path.name.startswith("checkpoint-") and path.suffix == ".json" else ""


def _read_log(source: Source, since: Checkpoint | None) -> Iterator[Batch]:
    """Lines from the last message read before; what they leave in order.

    Raises:
        OldRecord: an earlier message changed, so that the file must be read from its beginning.
    """
    path = Path(source.path)
    state: dict[str, Any] = {}
    if lines.resumable(source.path, since, source.size) and since is not None:
        state = since.state if isinstance(since.state, dict) else {}
    going_on = bool(state)
    offset = since.offset if since is not None and going_on else 0
    start = since.turns if since is not None and going_on else 0
    read_to = int(state.get("end") or 0)
    log = Log(partial=going_on, before=state.get("before"))
    log.header.update(state.get("header") or {})
    log.answered = answered = set(state.get("answered") or ())
    end = offset
    for at, line in lines.lines(path, offset):
        value = lines.parse(line)
        log.line(value if isinstance(value, dict) else None, at, counted=at < read_to)
        end = at + len(line)
    if going_on and end <= read_to:
        return
    info = _info(log.header, path)
    # The newest message may still be written again: the next reading begins with it. A message
    # put in by `$set` has no line of its own to begin with, an undone tail may be undone again.
    last = log.records[-1] if log.records else None
    ahead: list[Turn] = []
    before: int | None = state.get("before")
    total = start
    unknown = Coverage()
    folder = path.parent / as_text(log.header.get("sessionId"))
    for record in log.records:
        answered = log.answered
        counted = record.offset < read_to
        found = list(gemini_log.turns(log, record, Coverage() if counted else unknown, folder))
        if record is not last:
            total += len(found)
            moment = milliseconds(record.message.get("timestamp"))
            before = max(before or 0, moment or 0) or None
        ahead.extend(found)
    log.coverage.add(unknown)
    info.model = next((turn.model for turn in reversed(ahead) if turn.model), None)
    at = last.offset if last is not None else end
    checkpoint = Checkpoint(
        at,
        lines.fingerprint(path, min(lines.HEAD, end)) if end else "",
        total,
        {"end": end, "before": before, "header": log.header, "answered": sorted(answered)},
    )
    batches = list(cut(info, ahead, log.coverage, start=start, fresh=not going_on))
    if batches:
        batches[-1].checkpoint = checkpoint
    yield from batches


def _info(header: dict[str, Any], path: Path) -> SessionInfo:
    session_id, parent = identity("gemini", path, header)
    if path.parent.parent.name == "chats":
        parent = f"gemini:{path.parent.name}"
    directories = header.get("directories")
    first = directories[0] if isinstance(directories, list) and directories else None
    extra: dict[str, Any] = {}
    if header.get("kind"):
        extra["kind"] = as_text(header["kind"])
    return SessionInfo(
        id=session_id,
        title=as_text(header.get("summary")).strip() or None,
        project=project(path, header) or (first if isinstance(first, str) else None),
        created_at=milliseconds(header.get("startTime", header.get("start_time"))),
        updated_at=milliseconds(header.get("lastUpdated")),
        parent=parent,
        extra=extra,
    )


AGENT = Gemini()
