"""Goose: one database for all sessions, before that a line file each."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from sparrow_tui.agents import lines, sqlite_source
from sparrow_tui.agents.base import (
    Agent,
    Batch,
    Checkpoint,
    Place,
    Resume,
    Source,
    SourceError,
    database_source,
    entry_source,
    file_source,
    walk,
)
from sparrow_tui.agents.by_session import Seen, cut
from sparrow_tui.agents.common import as_text, micro_dollars, milliseconds, whole
from sparrow_tui.agents.documents import sealed
from sparrow_tui.agents.goose_content import message_turns
from sparrow_tui.agents.line_session import WRONG_SHAPE, LineSession, read_session, some
from sparrow_tui.model import Coverage, SessionInfo, Turn, Usage

DATABASE = "sessions.db"
TABLES = ("sessions", "messages")
CHUNK = 200
"""Messages that are in memory at a time."""
_SESSION = (
    "id", "name", "description", "session_type", "working_dir", "created_at", "updated_at",
    "input_tokens", "output_tokens", "accumulated_input_tokens", "accumulated_output_tokens",
    "accumulated_cache_read_tokens", "accumulated_cache_write_tokens", "accumulated_cost",
    "provider_name", "model_config_json", "parent_session_id",
)  # fmt: skip
_MESSAGE = ("id", "message_id", "role", "content_json", "created_timestamp", "metadata_json")
_PLACEHOLDERS = {"", "CLI Session", "New Chat", "New session", "New Session"}
"""Names a session has before it has one."""


class Goose(Agent):
    """Reads ``sessions.db`` and the line files it replaced."""

    name = "goose"
    label = "Goose"
    glyph = "∿"
    color = "#c8c8c8"
    no_restore = "its sessions are in a database that only it should write to"

    def roots(self, place: Place) -> list[Path]:
        """The session folder (the same below home on Linux and macOS)."""
        if place.env.get("GOOSE_PATH_ROOT"):
            return [Path(place.env["GOOSE_PATH_ROOT"]) / "data" / "sessions"]
        if place.platform == "win32":
            return [place.config_home / "Block" / "goose" / "data" / "sessions"]
        home = place.path("XDG_DATA_HOME", place.home / ".local" / "share")
        return [home / "goose" / "sessions"]

    def sources(self, place: Place) -> Iterator[Source]:
        """The database, and those line files that were not taken over into it."""
        for root in self.roots(place):
            database = database_source(self.name, root / DATABASE)
            if database is not None:
                yield database
            old = list(walk(root, (".jsonl",), 0))
            imported = _ids(root / DATABASE) if old and database is not None else frozenset()
            for entry in old:
                source = entry_source(self.name, entry, "jsonl")
                if source is not None and entry.name.removesuffix(".jsonl") not in imported:
                    yield source

    def sniff(self, path: Path, head: bytes) -> bool:
        """A database with Goose's columns, or a line file with its header."""
        if sqlite_source.is_sqlite(head):
            with suppress(SourceError), sqlite_source.opened(path) as connection:
                there = sqlite_source.columns(connection, "messages")
                return {"content_json", "created_timestamp"} <= there
            return False
        record = lines.parse(head.partition(b"\n")[0])
        return isinstance(record, dict) and "working_dir" in record and "message_count" in record

    def source_at(self, path: Path) -> Source | None:
        """The database by its own or its log's name; an old line file."""
        if path.name.endswith("-wal"):
            path = path.with_name(path.name.removesuffix("-wal"))
        if path.suffix == ".db":
            return database_source(self.name, path)
        return file_source(self.name, path, "jsonl") if path.suffix == ".jsonl" else None

    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Batch]:
        """Changed sessions of the database, newest first; or a line file from where it ended."""
        if source.kind == "jsonl":
            yield from read_session(source, since, _OldSession)
        else:
            yield from _read_database(source, since)

    def resume(self, session: SessionInfo) -> Resume | None:
        """``goose session --resume --session-id ID`` where the session began."""
        if session.parent:
            return None
        argv = ("goose", "session", "--resume", "--session-id", session.native_id)
        return Resume(argv, session.project or "")


def _ids(path: Path) -> frozenset[str]:
    """Ids of the sessions in a database; empty if it cannot be read."""
    with suppress(SourceError), sqlite_source.opened(path) as connection:
        return frozenset(
            as_text(r["id"]) for r in sqlite_source.rows(connection, "sessions", ("id",))
        )
    return frozenset()


def _read_database(source: Source, since: Checkpoint | None) -> Iterator[Batch]:
    seen = Seen(since)
    with sqlite_source.opened(source.path) as connection:
        if not sqlite_source.tables(connection).issuperset(TABLES):
            raise SourceError("it has no sessions and messages tables")
        marks = {
            as_text(row[0]): list(row)[1:]
            for row in sqlite_source.query(
                connection,
                "SELECT session_id, count(*), max(id), sum(length(coalesce(metadata_json, '')))"
                " FROM messages GROUP BY session_id"
                if "metadata_json" in sqlite_source.columns(connection, "messages")
                else "SELECT session_id, count(*), max(rowid) FROM messages GROUP BY session_id",
            )
        }
        for row in sqlite_source.rows(connection, "sessions", _SESSION, "ORDER BY updated_at DESC"):
            native = as_text(row["id"])
            mark = [row["updated_at"], as_text(row["name"]), *marks.get(native, [0])]
            if not native or seen.same(native, mark):
                continue
            info = _info(row)
            if info.usage is None:
                info.usage = _ledger(connection, native)
            coverage = Coverage()
            # Times are whole seconds: more may still be written with the same one.
            settled = (milliseconds(row["updated_at"]) or 0) < (time.time() - 2) * 1000
            batches = cut(info, _turns(connection, native, coverage), coverage)
            yield from sealed(batches, seen, native, mark if settled else None)


def _info(row: dict[str, Any]) -> SessionInfo:
    native = as_text(row["id"])
    names = [as_text(row["name"]).strip(), as_text(row["description"]).strip()]
    title = next((name for name in names if name not in _PLACEHOLDERS and name != native), None)
    config = lines.parse(as_text(row["model_config_json"]) or "null")
    parent = as_text(row["parent_session_id"])
    kind = as_text(row["session_type"])
    cached, written = (
        whole(row["accumulated_cache_read_tokens"]),
        whole(row["accumulated_cache_write_tokens"]),
    )
    info = SessionInfo(
        id=f"goose:{native}",
        title=title,
        project=as_text(row["working_dir"]) or None,
        model=as_text(config.get("model_name")) or None if isinstance(config, dict) else None,
        created_at=milliseconds(row["created_at"]),
        updated_at=milliseconds(row["updated_at"]),
        parent=f"goose:{parent}" if parent else None,
        cost_micro=micro_dollars(row["accumulated_cost"]),
        # The input counts what came from a cache too.
        usage=some(
            Usage(
                input=max(0, whole(row["accumulated_input_tokens"]) - cached - written),
                output=whole(row["accumulated_output_tokens"]),
                cache_read=cached,
                cache_write=written,
            )
        ),
    )
    if kind not in ("", "user"):
        info.extra["kind"] = kind
    if row["provider_name"]:
        info.extra["provider"] = as_text(row["provider_name"])
    return info


def _ledger(connection: sqlite3.Connection, native: str) -> Usage | None:
    """The sum of the calls noted for a session, where it has no totals of its own."""
    columns = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
    total = Usage()
    for row in sqlite_source.rows(
        connection, "usage_ledger", columns, "WHERE session_id = ?", (native,)
    ):
        cached, written = whole(row["cache_read_tokens"]), whole(row["cache_write_tokens"])
        fresh = max(0, whole(row["input_tokens"]) - cached - written)
        total += Usage(fresh, whole(row["output_tokens"]), cached, written)
    return some(total)


def _turns(connection: sqlite3.Connection, native: str, coverage: Coverage) -> Iterator[Turn]:
    order = "created_timestamp, id"
    found = sqlite_source.query(
        connection, f"SELECT id FROM messages WHERE session_id = ? ORDER BY {order}", (native,)
    )
    for first in range(0, len(found), CHUNK):
        wanted = [row[0] for row in found[first : first + CHUNK]]
        tail = f"WHERE id IN ({','.join('?' * len(wanted))}) ORDER BY {order}"
        for row in sqlite_source.rows(connection, "messages", _MESSAGE, tail, wanted):
            message = {
                "id": row["message_id"],
                "role": row["role"],
                "created": row["created_timestamp"],
                "content": lines.parse(as_text(row["content_json"])),
                "metadata": lines.parse(as_text(row["metadata_json"]) or "null"),
            }
            yield from _counted(message, coverage)


def _counted(message: dict[str, Any], coverage: Coverage) -> Iterator[Turn]:
    """A message's turns, the message counted as kept, skipped or bad."""
    coverage.records += 1
    try:
        if not isinstance(message["content"], list):
            raise TypeError("content is no list")
        turns = message_turns(message, coverage)
    except WRONG_SHAPE:
        coverage.bad += 1
        return
    if turns:
        coverage.kept += 1
    else:
        coverage.skipped += 1
    yield from turns


class _OldSession(LineSession):
    """A line file: a header with the session's facts, then one message a line."""

    def __init__(self, source: Source) -> None:
        super().__init__(source, f"goose:{Path(source.path).stem}")

    def take(self, record: dict[str, Any]) -> Iterator[Turn]:
        if "role" not in record and "working_dir" in record:
            self.keep()
            self._header(record)
            return
        if not isinstance(record.get("content"), list):
            raise TypeError("content is no list")
        turns = message_turns(record, self.coverage)
        if not turns:
            self.skip()
            return
        self.keep()
        for turn in turns:
            self.seen(turn.time)
            yield turn

    def _header(self, record: dict[str, Any]) -> None:
        row: dict[str, Any] = {**dict.fromkeys(_SESSION), **record}
        row["id"], row["name"] = self.info.native_id, None
        facts = _info(row)
        self.info.title, self.info.project = facts.title, facts.project
        self.info.usage, self.info.cost_micro = facts.usage, facts.cost_micro


AGENT = Goose()
