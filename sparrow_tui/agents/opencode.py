"""OpenCode: its database, the JSON files it used before, and what ``opencode export`` prints."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from sparrow_tui.agents import opencode_files, sqlite_source
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
from sparrow_tui.agents.by_session import cut
from sparrow_tui.agents.common import as_text
from sparrow_tui.agents.opencode_database import object_of, read_database
from sparrow_tui.agents.opencode_turns import session_info, turns
from sparrow_tui.model import Coverage, SessionInfo, Turn


class OpenCode(Agent):
    """Reads ``~/.local/share/opencode``; `Source.kind` is ``db``, ``json`` or ``export``."""

    name = "opencode"
    label = "OpenCode"
    glyph = "□"
    color = "#fab283"
    no_restore = "its sessions are in a database that only it should write to"

    def roots(self, place: Place) -> list[Path]:
        """The data directory (XDG on every system), and the database ``OPENCODE_DB`` names."""
        data = place.path("XDG_DATA_HOME", place.home / ".local" / "share") / "opencode"
        named = place.env.get("OPENCODE_DB", "")
        return [data, data / named] if named and named != ":memory:" else [data]

    def sources(self, place: Place) -> Iterator[Source]:
        """Databases, then the JSON sessions that are in none of them."""
        data, *named = self.roots(place)
        moved: set[str] = set()
        found = [Path(entry.path) for entry in walk(data, (".db",), 0)]
        found = [path for path in found if path.name == "opencode.db" or "opencode-" in path.name]
        for path in dict.fromkeys([*found, *named]):
            source = database_source(self.name, path, "db")
            if source is not None:
                yield source
                moved |= _ids(path)
        for path in opencode_files.session_files(data):
            if path.stem not in moved:
                source = opencode_files.source(self.name, path)
                if source is not None:
                    yield source

    def sniff(self, path: Path, head: bytes) -> bool:
        """A database with ``session`` and ``message``, a session's file, or an export."""
        if sqlite_source.is_sqlite(head):
            return sqlite_source.has_tables(path, "session", "message", "part")
        if path.suffix != ".json" or not head.lstrip().startswith(b"{"):
            return False
        if "storage" in path.parts and "session" in path.parts:
            return b'"id"' in head and b'"time"' in head
        return b'"info"' in head[:200] and b'"messages"' in head and b'"parts"' in head

    def source_at(self, path: Path) -> Source | None:
        """The database behind a log, the session behind a message or part, or an export."""
        if path.name.endswith(".db-wal"):
            path = path.with_name(path.name.removesuffix("-wal"))
        if path.suffix == ".db":
            return (
                None if path.parent.name == ".opencode" else database_source("opencode", path, "db")
            )
        if path.suffix != ".json":
            return None
        if "storage" in path.parts:
            session = opencode_files.session_of(path)
            if session is None:
                return None
            data = session.parent.parent.parent.parent
            if session.parent.name != "info" and session.stem in _ids(data / "opencode.db"):
                return None
            return opencode_files.source(self.name, session)
        return file_source(self.name, path, "export")

    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Batch]:
        """Changed sessions of a database; a JSON session or an export whole."""
        if source.kind == "db":
            yield from read_database(source, since)
        elif source.kind == "json":
            yield from _read_files(Path(source.path))
        else:
            yield from _read_export(Path(source.path))

    def resume(self, session: SessionInfo) -> Resume | None:
        """``opencode DIRECTORY --session ID``."""
        directory = [session.project] if session.project else []
        argv = ("opencode", *directory, "--session", session.native_id)
        return Resume(argv, session.project or "")


def _ids(path: Path) -> set[str]:
    """Ids of the sessions in a database; none if it cannot be read now."""
    with suppress(SourceError), sqlite_source.opened(path) as connection:
        if "session" in sqlite_source.tables(connection):
            return {
                as_text(row[0]) for row in sqlite_source.query(connection, "SELECT id FROM session")
            }
    return set()


def _read_files(path: Path) -> Iterator[Batch]:
    row = opencode_files.load(path)
    if row is None:
        raise SourceError("it is not a session, or only half written")
    row.setdefault("id", path.stem)
    coverage = Coverage()
    yield from _whole(row, opencode_files.messages(path, coverage), coverage)


def _read_export(path: Path) -> Iterator[Batch]:
    document = opencode_files.load(path)
    info = document.get("info") if document else None
    messages = document.get("messages") if document else None
    if not isinstance(info, dict) or not isinstance(messages, list):
        raise SourceError("it is not an exported session")
    coverage = Coverage()

    def pairs() -> Iterator[tuple[dict[str, Any], list[Any]]]:
        for message in messages:
            told = message.get("info") if isinstance(message, dict) else None
            parts = message.get("parts") if isinstance(message, dict) else None
            if isinstance(told, dict):
                yield told, parts if isinstance(parts, list) else []
            else:
                coverage.records += 1
                coverage.bad += 1

    yield from _whole(info, pairs(), coverage)


def _whole(
    row: dict[str, Any], pairs: Iterator[tuple[dict[str, Any], list[Any]]], coverage: Coverage
) -> Iterator[Batch]:
    """A session from its messages with their parts."""
    info = session_info(row)
    cut_off = as_text(object_of(row.get("revert")).get("messageID"))

    def made() -> Iterator[Turn]:
        undone = False
        for message, parts in pairs:
            undone = undone or (bool(cut_off) and message.get("id") == cut_off)
            for turn in turns(message, parts, coverage, undone):
                info.model = turn.model or info.model
                yield turn

    yield from cut(info, made(), coverage)


AGENT = OpenCode()
