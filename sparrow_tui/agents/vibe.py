"""Mistral Vibe: a folder per session with the messages in a line file and the rest in meta.json."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sparrow_tui.agents import plain
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
from sparrow_tui.agents.by_session import Seen, cut
from sparrow_tui.agents.common import as_text, micro_dollars, milliseconds, whole
from sparrow_tui.agents.documents import load, sealed
from sparrow_tui.agents.line_session import (
    WRONG_SHAPE,
    LineSession,
    count_unknown,
    read_session,
    some,
    with_side,
)
from sparrow_tui.agents.openai_messages import turn_of
from sparrow_tui.agents.projects import json_file
from sparrow_tui.agents.vibe_restore import MESSAGES, META, write_back
from sparrow_tui.model import Coverage, Image, SessionInfo, Text, ToolResult, Turn, Usage

_FAILED = ("<tool_error>", "<user_cancellation>")
"""How an answer begins that tells of a failure, or that the person said no."""


class Vibe(Agent):
    """Reads ``~/.vibe/logs/session/session_<time>_<id>/``, and the older single JSON files."""

    name = "vibe"
    label = "Mistral Vibe"
    glyph = "▲"
    color = "#ff8205"
    restorable = True

    def roots(self, place: Place) -> list[Path]:
        """The session folder, by default and as ``config.toml`` names it."""
        home = place.path("VIBE_HOME", place.home / ".vibe")
        found = [home / "logs" / "session"]
        named = _logging(home).get("save_dir")
        if isinstance(named, str) and named:
            found.append(Path(named.replace("~", str(place.home), 1)))
        return list(dict.fromkeys(path for path in found if path.is_absolute()))

    def sources(self, place: Place) -> Iterator[Source]:
        """One per session folder or older session file."""
        for root in self.roots(place):
            for entry in walk(root, (MESSAGES, ".json"), 1):
                if entry.name != META:
                    source = self.source_at(Path(entry.path))
                    if source is not None:
                        yield source

    def sniff(self, path: Path, head: bytes) -> bool:
        """``messages.jsonl`` beside a ``meta.json``, or an older file by its two keys."""
        if path.name in (MESSAGES, META):
            return _meta(path.parent) is not None and (path.parent / MESSAGES).is_file()
        start = head.lstrip()
        return start.startswith(b'{"metadata"') or (
            path.name.startswith("session_") and b'"metadata"' in start[:200]
        )

    def source_at(self, path: Path) -> Source | None:
        """The folder's messages, also for its ``meta.json``; an older file by itself."""
        if path.name in (MESSAGES, META):
            folder = path.parent
            return with_side(file_source(self.name, folder / MESSAGES), folder / META)
        if path.name.startswith("session_") and path.suffix == ".json":
            return file_source(self.name, path, "json")
        return None

    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Batch]:
        """Messages as they are appended; title, times, tokens and cost from ``meta.json``."""
        if source.kind == "json":
            yield from _read_old(source, since)
        else:
            yield from read_session(source, since, _Session)

    def resume(self, session: SessionInfo) -> Resume | None:
        """``vibe --resume ID`` where the session began."""
        return Resume(("vibe", "--resume", session.native_id), session.project or "")

    def restore(self, session: SessionInfo, turns: Iterable[Turn], place: Place) -> Path:
        """A new folder where Vibe keeps its sessions now."""
        prefix = _logging(place.path("VIBE_HOME", place.home / ".vibe")).get("session_prefix")
        prefix = prefix if isinstance(prefix, str) and prefix.isidentifier() else "session"
        return write_back(self.roots(place)[-1], prefix, session, turns)


def _logging(home: Path) -> dict[str, Any]:
    """``[session_logging]`` of the settings; empty if it cannot be read."""
    try:
        settings = tomllib.loads(plain.read_text(home / "config.toml"))
    except (OSError, ValueError):
        return {}
    found = settings.get("session_logging")
    return found if isinstance(found, dict) else {}


def _meta(folder: Path) -> dict[str, Any] | None:
    """A folder's ``meta.json``, if it is Vibe's."""
    meta = json_file(folder / META)
    return meta if isinstance(meta, dict) and "session_id" in meta else None


def _describe(info: SessionInfo, meta: dict[str, Any]) -> None:
    """Fill in what the metadata say. Stats are running totals of the session."""
    info.title = as_text(meta.get("title")).strip() or info.title
    place = meta.get("environment")
    if isinstance(place, dict):
        info.project = as_text(place.get("working_directory")) or info.project
    info.branch = as_text(meta.get("git_branch")) or info.branch
    info.created_at = milliseconds(meta.get("start_time")) or info.created_at
    info.updated_at = milliseconds(meta.get("end_time")) or info.updated_at or info.created_at
    if meta.get("git_commit"):
        info.extra["commit"] = as_text(meta["git_commit"])
    config = meta.get("config") or meta.get("agent_config")
    if isinstance(config, dict):
        info.model = as_text(config.get("active_model")) or info.model
    parent = as_text(meta.get("parent_session_id"))
    if parent:
        # The session this one continues or was cleared from: not a sub-agent's.
        info.extra["continues"] = parent
    stats = meta.get("stats")
    if isinstance(stats, dict):
        cached = whole(stats.get("session_cached_tokens"))
        prompt = whole(stats.get("session_prompt_tokens"))
        info.usage = some(
            Usage(
                input=max(0, prompt - cached),
                output=whole(stats.get("session_completion_tokens")),
                cache_read=min(cached, prompt),
            )
        )
        if stats.get("session_cost") is not None:
            info.cost_micro = micro_dollars(stats.get("session_cost"))


class _Session(LineSession):
    """Messages one a line; none has a time, a model or tokens of its own."""

    def __init__(self, source: Source) -> None:
        folder = Path(source.path).parent
        super().__init__(source, f"vibe:{folder.name}")
        self._folder = folder
        meta = _meta(folder)
        if meta is not None:
            self.info.id = f"vibe:{as_text(meta['session_id'])}"

    def take(self, record: dict[str, Any]) -> Iterator[Turn]:
        turn = _turn(record, self.coverage)
        if turn is None:
            self.skip()
            return
        self.keep()
        self.seen(turn.time)
        yield turn

    def finish(self) -> None:
        meta = _meta(self._folder)
        if meta is not None:
            _describe(self.info, meta)
        if self.info.updated_at is None:
            self.info.updated_at = self.source.mtime or None


def _turn(record: dict[str, Any], coverage: Coverage) -> Turn | None:
    turn = turn_of(record, lambda kind: count_unknown(coverage, kind))
    images = record.get("images")
    pictures = list(_pictures(images if isinstance(images, list) else []))
    if turn is None and pictures:
        turn = Turn(role="user", blocks=[], uid=as_text(record.get("message_id")))
    if turn is None:
        return None
    turn.blocks.extend(pictures)
    turn.meta = turn.meta or record.get("injected") is True
    for block in turn.blocks:
        if isinstance(block, ToolResult) and block.is_error is None:
            first = next((part.text for part in block.content if isinstance(part, Text)), "")
            block.is_error = first.lstrip().startswith(_FAILED) or None
    return turn


def _pictures(images: list[Any]) -> Iterator[Image]:
    """Pictures of a prompt: files by their path, or bytes (older ones without ``source``)."""
    for image in images:
        if not isinstance(image, dict):
            continue
        source = image.get("source")
        source = source if isinstance(source, dict) else image
        data, media_type = source.get("data"), as_text(image.get("mime_type"))
        if isinstance(data, str) and data:
            yield Image(media_type=media_type, data=data, size=len(data) * 3 // 4)
        elif as_text(source.get("path")):
            yield Image(media_type=media_type, url=as_text(source["path"]))


def _read_old(source: Source, since: Checkpoint | None) -> Iterator[Batch]:
    document, mark = load(source.path)
    meta = document.get("metadata") if isinstance(document, dict) else None
    messages = document.get("messages") if isinstance(document, dict) else None
    if not isinstance(meta, dict) or not isinstance(messages, list):
        raise SourceError("it is not a session of Mistral Vibe")
    native = as_text(meta.get("session_id")) or Path(source.path).stem
    seen = Seen(since)
    if seen.same(native, [mark]):
        return
    info = SessionInfo(id=f"vibe:{native}")
    _describe(info, meta)
    coverage = Coverage()

    def turns() -> Iterator[Turn]:
        for message in messages:
            coverage.records += 1
            try:
                turn = _turn(message, coverage)
            except WRONG_SHAPE:
                coverage.bad += 1
                continue
            if turn is None or turn.role == "system":
                coverage.skipped += 1
                continue
            coverage.kept += 1
            yield turn

    yield from sealed(cut(info, turns(), coverage), seen, native, [mark])


AGENT = Vibe()
