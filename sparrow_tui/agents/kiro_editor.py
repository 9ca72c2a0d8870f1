"""Sessions of Kiro's editor before version 1.0, in its global storage.

``workspace-sessions/<path in base64>/<id>.json`` holds the prompts; an answer there is often a
stub (``On it.``) that names the execution which gave the real one (`kiro_executions`). The
earliest sessions are only ``.chat`` files.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from sparrow_tui.agents import kiro_executions
from sparrow_tui.agents.base import Batch, Place, Source, SourceError, file_source, walk
from sparrow_tui.agents.by_session import cut
from sparrow_tui.agents.common import as_text, data_url, milliseconds
from sparrow_tui.agents.documents import load
from sparrow_tui.agents.injected import user_turns
from sparrow_tui.agents.line_session import WRONG_SHAPE, with_side
from sparrow_tui.agents.projects import json_file
from sparrow_tui.model import Block, Coverage, Raw, SessionInfo, Text, Turn

SESSIONS = "workspace-sessions"
_INDEX = "sessions.json"
_EXECUTION = re.compile(rb'"executionId"\s*:\s*"([^"]{1,100})"')


def stores(place: Place) -> list[Path]:
    """The editor's storage here, and that of its part for other machines' windows."""
    users = (place.config_home / "Kiro" / "User", place.home / ".kiro-server" / "data" / "User")
    return [user / "globalStorage" / "kiro.kiroagent" for user in users]


def sources(agent: str, place: Place) -> Iterator[Source]:
    """Sessions of workspaces; chats."""
    for store in stores(place):
        for entry in walk(store / SESSIONS, (".json",), 1):
            source = source_at(agent, Path(entry.path))
            if source is not None:
                yield source
        for folder in kiro_executions.workspaces(store):
            for entry in walk(folder, (".chat",), 0):
                source = source_at(agent, Path(entry.path))
                if source is not None:
                    yield source


def source_at(agent: str, path: Path) -> Source | None:
    """A session's document, newer when one of its workspace's executions is; or a chat."""
    if path.suffix == ".chat":
        return file_source(agent, path, "chat")
    if path.name == _INDEX or path.parent.parent.name != SESSIONS:
        return None
    source = with_side(file_source(agent, path, "editor"), path.with_name(_INDEX))
    if source is None:
        return None
    name = hashlib.sha256(_workspace(path.parent.name).encode(errors="replace")).hexdigest()[:32]
    newest = number = 0
    for entry in walk(path.parent.parent.parent / name / kiro_executions.LOGS, ("",), 0):
        number += 1
        newest = max(newest, kiro_executions.modified(entry.path))
    return msgspec.structs.replace(source, stamp=f"{source.stamp}+{number}:{newest}")


def is_chat(head: bytes) -> bool:
    """Whether a file's beginning is a chat's."""
    return head.lstrip()[:1] == b"{" and b'"executionId"' in head and b'"chat"' in head


def read(source: Source) -> Iterator[Batch]:
    """A session whole, with the answers of its executions."""
    path = Path(source.path)
    document, _ = load(path)
    if source.kind == "chat":
        yield from _chat(path, document)
        return
    history = document.get("history") if isinstance(document, dict) else None
    if not isinstance(history, list):
        if isinstance(document, dict) and "v2SessionId" in document:
            return  # it went on in the new store
        raise SourceError("it is not a session of Kiro's editor")
    info = SessionInfo(
        id=f"kiro:{as_text(document.get('sessionId')) or path.stem}",
        title=as_text(document.get("title")).strip() or None,
        project=as_text(document.get("workspaceDirectory") or document.get("workspacePath"))
        or _workspace(path.parent.name)
        or None,
        model=as_text(document.get("selectedModel")) or None,
        extra={"editor": True},
    )
    _listed(info, path)
    coverage = Coverage()
    executions = kiro_executions.Executions(path.parent.parent.parent)
    yield from cut(info, _turns(history, executions, info, coverage), coverage)


def _turns(
    history: list[Any],
    executions: kiro_executions.Executions,
    info: SessionInfo,
    coverage: Coverage,
) -> Iterator[Turn]:
    for number, entry in enumerate(history):
        coverage.records += 1
        try:
            found = _entry(entry, history[number + 1 : number + 2], executions, coverage)
        except WRONG_SHAPE:
            coverage.bad += 1
            continue
        coverage.kept += bool(found)
        coverage.skipped += not found
        for turn in found:
            if turn.time:
                info.updated_at = max(info.updated_at or 0, turn.time)
            yield turn
    if executions.credits:
        info.extra["credits"] = round(executions.credits, 4)


def _entry(
    entry: dict[str, Any],
    following: list[Any],
    executions: kiro_executions.Executions,
    coverage: Coverage,
) -> list[Turn]:
    """A prompt, at the time its execution began; or an answer."""
    message = entry["message"]
    role, uid = as_text(message.get("role")), as_text(message.get("id"))
    content = message.get("content")
    parts = content if isinstance(content, list) else [content]
    blocks = [block for part in parts for block in _blocks(part, coverage)]
    if role == "user":
        after = (
            following[0].get("executionId") if following and isinstance(following[0], dict) else ""
        )
        begun = executions.log(as_text(after or entry.get("executionId"))).get("startTime")
        return user_turns(blocks, time=milliseconds(begun), uid=uid)
    answered = (
        executions.turns(as_text(entry.get("executionId"))) if entry.get("executionId") else []
    )
    if answered or not blocks:
        return answered
    return [Turn(role="assistant" if role == "assistant" else "system", blocks=blocks, uid=uid)]


def _blocks(part: Any, coverage: Coverage) -> Iterator[Block]:
    if isinstance(part, str):
        if part.strip():
            yield Text(part)
    elif isinstance(part, dict):
        kind = as_text(part.get("type"))
        picture = part.get("imageUrl", part.get("image_url"))
        if kind == "text":
            yield from _blocks(as_text(part.get("text")), coverage)
        elif picture:
            url = picture.get("url") if isinstance(picture, dict) else picture
            yield data_url(as_text(url))
        else:
            coverage.unknown[f"part {kind}"] = coverage.unknown.get(f"part {kind}", 0) + 1
            yield Raw(kind or "part", part)


def _listed(info: SessionInfo, path: Path) -> None:
    """What the workspace's list says of a session."""
    listed = json_file(path.with_name(_INDEX))
    for each in listed if isinstance(listed, list) else []:
        if isinstance(each, dict) and each.get("sessionId") == info.native_id:
            info.title = as_text(each.get("title")).strip() or info.title
            info.created_at = milliseconds(each.get("dateCreated"))
            info.project = as_text(each.get("workspaceDirectory")) or info.project


def _chat(path: Path, document: Any) -> Iterator[Batch]:
    """A chat that no workspace's session tells; one of its execution's snapshots."""
    if not isinstance(document, dict) or not isinstance(document.get("chat"), list):
        raise SourceError("it is not a chat of Kiro's editor")
    execution = as_text(document.get("executionId")) or path.stem
    store = path.parent.parent
    if execution in _told(store):
        return
    metadata = document.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    project = next(
        (
            workspace
            for workspace in map(_workspace, _names(store))
            if hashlib.sha256(workspace.encode(errors="replace")).hexdigest()[:32]
            == path.parent.name
        ),
        None,
    )
    info = SessionInfo(
        id=f"kiro:{execution}",
        project=project,
        model=as_text(metadata.get("modelId")) or None,
        created_at=milliseconds(metadata.get("startTime")),
        updated_at=milliseconds(metadata.get("endTime")),
        extra={"editor": True},
    )
    coverage = Coverage()
    yield from cut(info, kiro_executions.chat_turns(document, coverage), coverage)


def _names(store: Path) -> list[str]:
    try:
        return sorted(os.listdir(store / SESSIONS))
    except OSError:
        return []


def _told(store: Path) -> frozenset[str]:
    """The executions that sessions of workspaces name."""
    files = sorted(entry.path for entry in walk(store / SESSIONS, (".json",), 1))
    return _named(tuple((path, kiro_executions.modified(path)) for path in files))


@lru_cache(maxsize=2)
def _named(files: tuple[tuple[str, int], ...]) -> frozenset[str]:
    found: set[str] = set()
    for path, _ in files:
        try:
            data = Path(path).read_bytes()
        except OSError:
            continue
        found.update(name.decode(errors="replace") for name in _EXECUTION.findall(data))
    return frozenset(found)


def _workspace(name: str) -> str:
    """The path a workspace's folder is named by: base64 with ``-`` and ``_``, which also pads."""
    plain = name.rstrip("_").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
