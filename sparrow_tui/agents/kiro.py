"""Kiro CLI: a database of conversations, later a folder of line files, a folder per workspace.

Its forerunner, Amazon Q Developer CLI, had the same database; Kiro's editor, which shares the
folders now, a store of its own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from sparrow_tui.agents import kiro_conversation, kiro_editor, lines, sqlite_source
from sparrow_tui.agents.base import (
    Agent,
    Batch,
    Checkpoint,
    Place,
    Resume,
    Source,
    SourceError,
    database_source,
    file_source,
    walk,
)
from sparrow_tui.agents.by_session import Seen, cut
from sparrow_tui.agents.common import as_text, milliseconds
from sparrow_tui.agents.documents import digest, load, sealed
from sparrow_tui.agents.kiro_events import Events
from sparrow_tui.agents.kiro_lines import Messages
from sparrow_tui.agents.kiro_side import side_of
from sparrow_tui.agents.line_session import read_session, with_side
from sparrow_tui.model import Coverage, SessionInfo
from sparrow_tui.sanitize import storable
from sparrow_tui.scrub import scrubbed

_TABLES = ("conversations_v2", "conversations")
_COLUMNS = ("key", "conversation_id", "created_at", "updated_at")
_FORERUNNER = "amazon-q"
_KINDS = {"Prompt", "AssistantMessage", "ToolResults"}


class Kiro(Agent):
    """Reads ``~/.kiro/sessions``, ``kiro-cli/data.sqlite3`` and what the editor kept before 1.0.

    By hand, saved conversations too.
    """

    name = "kiro"
    label = "Kiro CLI"
    glyph = "◬"
    color = "#9046ff"
    no_restore = "its sessions are in a database that only it should write to"

    def roots(self, place: Place) -> list[Path]:
        """The folder of sessions, the database and its forerunner's, the editor's storage."""
        home = place.path("KIRO_HOME", place.home / ".kiro")
        return [home / "sessions", *_databases(place), *kiro_editor.stores(place)]

    def sources(self, place: Place) -> Iterator[Source]:
        """Every session's line file, the databases, and the editor's sessions."""
        for entry in walk(self.roots(place)[0], (".jsonl",), 2):
            source = self.source_at(Path(entry.path))
            if source is not None:
                yield source
        for database in _databases(place):
            source = self.source_at(database)
            if source is not None:
                yield source
        yield from kiro_editor.sources(self.name, place)

    def sniff(self, path: Path, head: bytes) -> bool:
        """Lines of either kind, a database with conversations, or one conversation."""
        if sqlite_source.is_sqlite(head):
            return _is_ours(path)
        if path.suffix == ".chat":
            return kiro_editor.is_chat(head)
        if path.parent.parent.name == kiro_editor.SESSIONS:
            return path.suffix == ".json" and b'"history"' in head
        if head.lstrip()[:1] != b"{":
            return False
        first = lines.parse(head.lstrip().partition(b"\n")[0])
        if isinstance(first, dict):
            return bool(_layout(first)) or _is_conversation(first)
        # A document over many lines, or longer than the head.
        start = head[:65536]
        return b'"conversation_id"' in start and b'"history"' in start and b'"Prompt"' in start

    def source_at(self, path: Path) -> Source | None:
        """The line file, also for the facts beside it; the database; a saved conversation."""
        if path.name.startswith("data.sqlite3") or path.suffix in (".db", ".sqlite", ".sqlite3"):
            return database_source(self.name, path.with_name(path.name.removesuffix("-wal")))
        if path.suffix == ".chat" or path.parent.parent.name == kiro_editor.SESSIONS:
            return kiro_editor.source_at(self.name, path)
        if path.suffix == ".json":
            messages = path.with_suffix(".jsonl")
            if path.name == "session.json":
                messages = path.with_name("messages.jsonl")
            if messages.is_file():
                path = messages
            elif "sessions" in path.parts:
                return None  # facts of a session that has no messages yet
            else:
                return file_source(self.name, path, "conversation")
        if path.suffix != ".jsonl":
            return None
        kind = "events" if path.name == "messages.jsonl" else ""
        return with_side(file_source(self.name, path, kind), side_of(path))

    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Batch]:
        """Lines from a checkpoint on; conversations that changed, each whole."""
        if source.kind in ("editor", "chat"):
            yield from map(_scrubbed, kiro_editor.read(source))
        elif source.kind == "conversation":
            yield from _document(source, since)
        elif not source.path.endswith(".jsonl"):
            yield from _database(source, since)
        else:
            events = source.kind == "events" or _first_layout(source) == "events"
            yield from read_session(source, since, Events if events else Messages)

    def resume(self, session: SessionInfo) -> Resume | None:
        """``kiro-cli chat --resume-id ID``; a workspace's session only in that workspace."""
        if session.extra.get("engine") == "v3":
            if not session.project or session.extra.get("createdReason") == "subagent":
                return None
            argv = ("kiro-cli", "--v3", "--resume-id", session.native_id)
            return Resume(argv, session.project)
        if session.parent or session.extra.get("editor"):
            return None
        if session.extra.get("program") == _FORERUNNER:
            # It keeps one conversation for each directory.
            return Resume(("q", "chat", "--resume"), session.project) if session.project else None
        argv = ("kiro-cli", "chat", "--resume-id", session.native_id)
        return Resume(argv, session.project or "")


def _databases(place: Place) -> list[Path]:
    return [place.data_home / name / "data.sqlite3" for name in ("kiro-cli", _FORERUNNER)]


def _scrubbed(batch: Batch) -> Batch:
    batch.session = scrubbed(batch.session)
    return batch


def _layout(record: dict[str, Any]) -> str:
    """Which of the two kinds of lines a record is; empty: neither."""
    if record.get("kind") in _KINDS and isinstance(record.get("data"), dict):
        return "messages"
    payload = record.get("payload")
    if isinstance(payload, dict) and "type" not in record and "timestamp" in record:
        return "events" if isinstance(payload.get("type"), str) else ""
    return ""


def _first_layout(source: Source) -> str:
    for _, record in lines.records(source.path):
        return _layout(record or {})
    return ""


def _is_ours(path: Path) -> bool:
    with suppress(SourceError), sqlite_source.opened(path) as connection:
        return any(_is_table(connection, table) for table in _TABLES)
    return False


def _is_table(connection: sqlite3.Connection, table: str) -> bool:
    """Whether a table with conversations in the form of Kiro CLI is there."""
    wanted = {"key", "value"}
    if table == _TABLES[0]:
        wanted |= {"conversation_id", "updated_at"}
    return sqlite_source.columns(connection, table) >= wanted


def _is_conversation(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("conversation_id"), str)
        and isinstance(value.get("history"), list)
    )


def _document(source: Source, since: Checkpoint | None) -> Iterator[Batch]:
    value, mark = load(source.path)
    if not _is_conversation(value):
        raise SourceError("it is not a conversation of Kiro CLI")
    seen = Seen(since)
    if not seen.same(as_text(value["conversation_id"]), [mark]):
        yield from _conversation(value, SessionInfo(id=""), seen, [mark])


def _database(source: Source, since: Checkpoint | None) -> Iterator[Batch]:
    """Conversations that are new or changed, newest first."""
    seen = Seen(since)
    done: set[str] = set()
    with sqlite_source.opened(source.path) as connection:
        # Before the first conversation the program's database has only its other tables.
        if not any(_is_table(connection, table) for table in (*_TABLES, "auth_kv")):
            raise SourceError("it has no conversations table")
        for table in _TABLES:
            if not _is_table(connection, table):
                continue
            newest, one = "", "WHERE key = ?"
            if table == _TABLES[0]:
                newest, one = "ORDER BY updated_at DESC", f"{one} AND conversation_id = ?"
            for row in sqlite_source.rows(connection, table, _COLUMNS, newest):
                native = as_text(row["conversation_id"])
                mark: list[Any] = [as_text(row["updated_at"]), as_text(row["key"])]
                if native in done or (native and seen.same(native, mark)):
                    done.add(native)
                    continue
                key = [row["key"], row["conversation_id"]][: one.count("?")]
                values = sqlite_source.rows(connection, table, ("value",), one, key)
                text = as_text(values[0]["value"]) if values else ""
                value = lines.parse(text)
                if not isinstance(value, dict):
                    continue
                native = native or as_text(value.get("conversation_id"))
                if table != _TABLES[0]:
                    # No times: only the text tells whether it changed.
                    mark = [digest(text.encode(errors="replace"))]
                if not native or native in done or seen.same(native, mark):
                    continue
                done.add(native)
                info = SessionInfo(id="", project=as_text(row["key"]) or None)
                info.created_at = milliseconds(row["created_at"])
                info.updated_at = milliseconds(row["updated_at"])
                if Path(source.path).parent.name == _FORERUNNER:
                    info.extra["program"] = _FORERUNNER
                yield from _conversation({**value, "conversation_id": native}, info, seen, mark)


def _conversation(
    value: dict[str, Any], info: SessionInfo, seen: Seen, mark: list[Any]
) -> Iterator[Batch]:
    """One conversation. After a compaction its history holds what came later only."""
    native, coverage = as_text(value["conversation_id"]), Coverage()
    info.id = f"kiro:{native}"
    kiro_conversation.facts(value, info)
    turns = kiro_conversation.turns(value, info, coverage)
    if not value.get("latest_summary"):
        yield from sealed(cut(info, turns, coverage), seen, native, mark)
        return
    kept = list(turns)
    seen.note(storable(native), mark)
    yield Batch(scrubbed(info), 0, kept, coverage, sliding=True, checkpoint=seen.checkpoint())


AGENT = Kiro()
