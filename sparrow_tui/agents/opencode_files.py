"""OpenCode's older store: one small JSON file per session, message and part."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from sparrow_tui.agents import plain
from sparrow_tui.agents.base import Source, file_source, stamp, walk
from sparrow_tui.agents.lines import parse
from sparrow_tui.model import Coverage

_NOT_PROJECTS = {"info", "message", "part"}


def session_files(data: Path) -> Iterator[Path]:
    """Session files of both layouts below OpenCode's data directory."""
    for entry in walk(data / "storage" / "session", (".json",), 1):
        if Path(entry.path).parent.name not in _NOT_PROJECTS:
            yield Path(entry.path)
    old = [data / "storage" / "session" / "info"]
    try:
        old += [Path(each.path) / "storage/session/info" for each in os.scandir(data / "project")]
    except OSError:
        pass
    for folder in old:
        for entry in walk(folder, (".json",), 0):
            yield Path(entry.path)


def source(agent: str, path: Path) -> Source | None:
    """A session's file with a stamp that also sees its newest message and part."""
    main = file_source(agent, path, "json")
    if main is None:
        return None
    stamps, newest = [main.stamp], main.mtime
    folder = _messages(path)
    last = _last(folder)
    watched = [folder]
    if last is not None:
        parts = _parts(path, last.stem)
        part = _last(parts)
        watched += [last, parts, *([part] if part is not None else [])]
    for each in watched:
        try:
            status = os.stat(each)
        except OSError:
            continue
        stamps.append(stamp(status))
        newest = max(newest, status.st_mtime_ns // 1_000_000)
    return Source(agent, main.path, "+".join(stamps), main.size, newest, "json")


def session_of(path: Path) -> Path | None:
    """The session file that a message's or part's file belongs to; a session's file itself."""
    for up in path.parents:
        if up.name not in ("message", "part", "session") or up.parent.name not in (
            "storage", "session",
        ):  # fmt: skip
            continue
        if up.name == "session":
            return path if up.parent.name == "storage" else None
        old = up.parent.name == "session"
        names = path.relative_to(up).parts
        session_id = names[0] if up.name == "message" or old else ""
        if not session_id or session_id.endswith(".json") or up.name == "part":
            part = load(path)
            session_id = str(part.get("sessionID") or session_id) if part else session_id
        if old:
            found = up.parent / "info" / f"{session_id}.json"
            return found if found.is_file() else None
        return next(iter((up.parent / "session").glob(f"*/{session_id}.json")), None)
    return None


def load(path: Path) -> dict[str, Any] | None:
    """A small file's object; ``None`` if it is gone, half-written or something else."""
    try:
        value = parse(plain.read_bytes(path))
    except OSError:
        return None
    return value if isinstance(value, dict) else None


def messages(path: Path, coverage: Coverage) -> Iterator[tuple[dict[str, Any], list[Any]]]:
    """A session's messages in order, each with its parts; broken files are counted."""
    found: list[dict[str, Any]] = []
    for file in _files(_messages(path)):
        message = load(file)
        if message is None:
            coverage.records += 1
            coverage.bad += 1
            continue
        message.setdefault("id", file.stem)
        found.append(message)
    found.sort(key=lambda message: (_created(message), str(message.get("id"))))
    flat = _flat_parts(str(path.parent.parent.parent / "part"))
    for message in found:
        message_id = str(message["id"])
        parts: list[Any] = []
        for file in _files(_parts(path, message_id)):
            part = load(file)
            if part is None:
                coverage.records += 1
                coverage.bad += 1
            else:
                parts.append(part)
        yield message, parts or list(flat.get(message_id, []))


def _created(message: dict[str, Any]) -> float:
    times = message.get("time")
    created = times.get("created") if isinstance(times, dict) else None
    return float(created) if isinstance(created, int | float) else 0.0


def _messages(session: Path) -> Path:
    """``storage/session/P/S.json`` → ``storage/message/S``; older beside ``info``."""
    beside = session.parent.parent
    if session.parent.name == "info":
        return beside / "message" / session.stem
    folder = beside.parent / "message" / session.stem
    bare = folder.with_name(session.stem.removeprefix("ses_"))
    return bare if bare != folder and not folder.is_dir() and bare.is_dir() else folder


def _parts(session: Path, message_id: str) -> Path:
    beside = session.parent.parent
    if session.parent.name == "info":
        return beside / "part" / session.stem / message_id
    return beside.parent / "part" / message_id


def _files(folder: Path) -> list[Path]:
    """JSON files of a folder by name, which is by time."""
    return sorted(Path(entry.path) for entry in walk(folder, (".json",), 0))


def _last(folder: Path) -> Path | None:
    return max((Path(entry.path) for entry in walk(folder, (".json",), 0)), default=None)


@lru_cache(maxsize=2)
def _flat_parts_at(folder: str, changed: int) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for file in _files(Path(folder)):
        part = load(file)
        if part is not None:
            found.setdefault(str(part.get("messageID")), []).append(part)
    return found


def _flat_parts(folder: str) -> dict[str, list[dict[str, Any]]]:
    """Parts that lie loose in one folder (an early version), by their message."""
    try:
        return _flat_parts_at(folder, os.stat(folder).st_mtime_ns)
    except OSError:
        return {}
