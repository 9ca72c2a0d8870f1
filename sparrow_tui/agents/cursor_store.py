"""A chat of Cursor's CLI: a small database of content-addressed blobs under one root."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from sparrow_tui.agents import cursor_messages, sqlite_source
from sparrow_tui.agents.base import Batch, Checkpoint, Source, SourceError
from sparrow_tui.agents.by_session import Seen, cut
from sparrow_tui.agents.common import as_text, milliseconds
from sparrow_tui.agents.lines import parse
from sparrow_tui.agents.projects import by_hash, json_file
from sparrow_tui.model import Coverage, SessionInfo, Turn

ID_BYTES = 32
"""Length of a blob's id (SHA-256)."""
MESSAGES = 200_000
"""More than this many messages are not walked to: the tree is not a chat."""
DEPTH = 12
"""Levels of the tree that are followed."""
_UNNAMED = {"", "New Agent", "Untitled"}


def read(source: Source, since: Checkpoint | None) -> Iterator[Batch]:
    """The messages below ``latestRootBlobId``, in the order the root names them.

    Blobs that are not below it are of branches the user left. Where the root is missing, all
    messages are taken in the order they were stored.

    Raises:
        SourceError: the database cannot be read or has no ``blobs``.
    """
    path = Path(source.path)
    seen = Seen(since)
    with sqlite_source.opened(path) as connection:
        if not sqlite_source.tables(connection).issuperset(("blobs", "meta")):
            raise SourceError("it has no blobs and meta tables")
        meta = _meta(connection)
        beside = json_file(path.with_name("meta.json"))
        beside = beside if isinstance(beside, dict) else {}
        root = as_text(meta.get("latestRootBlobId"))
        session_id = as_text(meta.get("agentId")) or path.parent.name
        (count,) = sqlite_source.query(connection, "SELECT count(*) FROM blobs")
        mark = [root, count[0], meta.get("name"), beside.get("title"), beside.get("updatedAtMs")]
        if seen.same(session_id, mark):
            return
        info = _info(session_id, meta, beside, source)
        walk = _Walk(connection)
        top = walk.data(root)
        info.project = info.project or _project(path, top)
        found = walk.messages(root) if top is not None else []
        if not found:
            found = walk.all_messages()
        coverage = Coverage()
        last: Batch | None = None
        for batch in cut(info, _turns(found, info, coverage), coverage):
            if last is not None:
                yield last
            last = batch
        seen.note(session_id, mark)
        if last is not None:
            last.checkpoint = seen.checkpoint()
            yield last


def _turns(messages: list[dict[str, Any]], info: SessionInfo, coverage: Coverage) -> Iterator[Turn]:
    first = True
    for number, message in enumerate(messages):
        coverage.records += 1
        made = [] if message.get("role") == "system" else cursor_messages.turns(
            message, coverage, str(number)
        )  # fmt: skip
        if made:
            coverage.kept += 1
        else:
            coverage.skipped += 1
        for turn in made:
            if turn.role == "assistant":
                turn.model = turn.model or info.model or ""
                info.model = turn.model or info.model
            if first and turn.role == "user" and not turn.meta:
                # Older chats record no time but that of their beginning.
                turn.time, first = turn.time or info.created_at, False
            yield turn


class _Walk:
    """The way through a chat's blobs."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._found: list[dict[str, Any]] = []

    def data(self, blob_id: str) -> bytes | None:
        """A blob's bytes."""
        if not blob_id:
            return None
        rows = sqlite_source.query(self._db, "SELECT data FROM blobs WHERE id = ?", (blob_id,))
        data = rows[0][0] if rows else None
        if isinstance(data, str):
            return data.encode("utf-8", errors="replace")
        return data if isinstance(data, bytes) else None

    def messages(self, root: str) -> list[dict[str, Any]]:
        """Messages below a blob in order; the same one may be named several times."""
        self._found = []
        self._below(root, ())
        return self._found

    def all_messages(self) -> list[dict[str, Any]]:
        """Every blob that is a message, in the order they were stored."""
        found = []
        for (blob_id,) in sqlite_source.query(self._db, "SELECT id FROM blobs ORDER BY rowid"):
            message = _message(self.data(as_text(blob_id)) or b"")
            if message is not None:
                found.append(message)
        return found

    def _below(self, blob_id: str, above: tuple[str, ...]) -> None:
        if blob_id in above or len(above) > DEPTH or len(self._found) >= MESSAGES:
            return
        data = self.data(blob_id)
        if data is None:
            return
        message = _message(data)
        if message is not None:
            self._found.append(message)
            return
        for value in _fields(data):
            if len(value) == ID_BYTES:
                self._below(value.hex(), (*above, blob_id))
            elif value[:1] == b"{":
                message = _message(value)
                if message is not None:
                    self._found.append(message)


def _message(data: bytes) -> dict[str, Any] | None:
    """A blob as a message, if it is one."""
    if data[:1] != b"{":
        return None
    value = parse(data)
    return value if isinstance(value, dict) and isinstance(value.get("role"), str) else None


def _fields(data: bytes) -> Iterator[bytes]:
    """The length-delimited fields of a Protocol Buffers message; ends where it is none."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if at < 0 or tag == 0:
            return
        if kind == 0:
            _, at = _varint(data, at)
        elif kind == 1:
            at += 8
        elif kind == 5:
            at += 4
        elif kind == 2:
            size, at = _varint(data, at)
            if at < 0 or at + size > len(data):
                return
            yield data[at : at + size]
            at += size
        else:
            return
        if at < 0:
            return


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number and the place behind it; -1 as the place where there is none."""
    value = shift = 0
    while at < len(data) and shift < 64:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    return 0, -1


def _meta(connection: sqlite3.Connection) -> dict[str, Any]:
    """The ``meta`` table: one row of hex-encoded JSON, or a row per key."""
    rows = sqlite_source.query(connection, "SELECT key, value FROM meta")
    found: dict[str, Any] = {}
    for key, value in rows:
        text = value.decode("utf-8", errors="replace") if isinstance(value, bytes) else value
        decoded: Any = None
        if isinstance(text, str):
            with suppress(ValueError, msgspec.DecodeError):
                decoded = parse(bytes.fromhex(text))
            decoded = decoded if isinstance(decoded, dict) else parse(text)
        if isinstance(decoded, dict) and len(rows) == 1:
            return decoded
        found[as_text(key)] = text if decoded is None else decoded
    return found


def _info(
    session_id: str, meta: dict[str, Any], beside: dict[str, Any], source: Source
) -> SessionInfo:
    names = (as_text(meta.get("name")).strip(), as_text(beside.get("title")).strip())
    info = meta.get("subagentInfo")
    parent = as_text(info.get("parentAgentId")) if isinstance(info, dict) else ""
    return SessionInfo(
        id=f"cursor:{session_id}",
        title=next((name for name in names if name not in _UNNAMED), None),
        project=as_text(beside.get("cwd")).strip() or None,
        model=as_text(meta.get("lastUsedModel")) or None,
        created_at=milliseconds(meta.get("createdAt") or beside.get("createdAtMs")),
        updated_at=milliseconds(beside.get("updatedAtMs")) or source.mtime,
        parent=f"cursor:{parent}" if parent else None,
        extra={"mode": meta["mode"]} if isinstance(meta.get("mode"), str) else {},
    )


def _project(path: Path, root: bytes | None) -> str | None:
    """The directory: a path among the root's fields, or the known one with the folder's hash."""
    for value in _fields(root or b""):
        text = value.decode("utf-8", errors="replace")
        if text.startswith("file:///"):
            return text.removeprefix("file://")
        if text.startswith("/") and text.isprintable() and len(value) != ID_BYTES:
            return text
    parents = path.parents
    if len(parents) > 4 and parents[2].name == "chats":
        return by_hash(parents[4], "md5").get(parents[1].name)
    return None
