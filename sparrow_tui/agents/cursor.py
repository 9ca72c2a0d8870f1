"""Cursor: chats of its CLI, of its editor, and the transcripts both write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from sparrow_tui.agents import (
    cursor_ide,
    cursor_panel,
    cursor_store,
    cursor_transcript,
    lines,
    sqlite_source,
)
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
from sparrow_tui.model import SessionInfo

STORE = "store.db"
STATE = "state.vscdb"
WORKSPACES = "workspaceStorage"


class Cursor(Agent):
    """`Source.kind` is ``ide`` (editor), ``panel`` (earlier), ``store`` (CLI) or ``transcript``.

    A chat found in several of them is read from the first: the editor's rows and the CLI's
    store hold tool answers, the transcripts do not.
    """

    name = "cursor"
    label = "Cursor"
    glyph = "◐"
    color = "#e0ddd5"
    no_restore = "its sessions are in a database that only it should write to"

    def roots(self, place: Place) -> list[Path]:
        """The editor's storage, global and by workspace, the CLI's chats, the transcripts."""
        home = place.path("CURSOR_CONFIG_DIR", place.home / ".cursor")
        user = place.config_home / "Cursor" / "User"
        return [
            user / "globalStorage",
            user / WORKSPACES,
            home / "chats",
            home / "projects",
        ]

    def sources(self, place: Place) -> Iterator[Source]:
        """Editor, CLI, then transcripts of chats that are in neither."""
        editor, workspaces, chats, projects = self.roots(place)
        known: set[str] = set()
        state = database_source(self.name, editor / STATE, "ide")
        if state is not None:
            yield state
            with suppress(SourceError), sqlite_source.opened(state.path) as connection:
                if cursor_ide.TABLE in sqlite_source.tables(connection):
                    known.update(cursor_ide.composers(connection))
        for entry in walk(workspaces, (STATE,), 1):
            source = self.source_at(Path(entry.path))
            if source is not None:
                yield source
        for entry in walk(chats, (STORE,), 2):
            path = Path(entry.path)
            if path.name == STORE and path.parent.name not in known:
                source = self.source_at(path)
                if source is not None:
                    known.add(path.parent.name)
                    yield source
        for entry in walk(projects, (".jsonl", ".txt"), 4):
            path = Path(entry.path)
            if cursor_transcript.FOLDER in path.parts and path.stem not in known:
                if path.suffix == ".txt" and path.with_suffix(".jsonl").exists():
                    continue
                source = entry_source(self.name, entry, "transcript")
                if source is not None:
                    yield source

    def sniff(self, path: Path, head: bytes) -> bool:
        """Its two databases by their tables, a transcript's lines by their role and message."""
        if sqlite_source.is_sqlite(head):
            return sqlite_source.has_tables(path, "blobs", "meta") or sqlite_source.has_tables(
                path, cursor_ide.TABLE
            )
        if path.suffix == ".txt":
            return cursor_transcript.FOLDER in path.parts
        first = lines.parse(head.split(b"\n", 1)[0]) if path.suffix == ".jsonl" else None
        if not isinstance(first, dict) or first.get("role") not in ("user", "assistant"):
            return False
        message = first.get("message")
        return isinstance(message, dict) and "content" in message and "uuid" not in first

    def source_at(self, path: Path) -> Source | None:
        """A database by its own or its log's name, or a transcript."""
        if path.name == "meta.json" and path.with_name(STORE).exists():
            path = path.with_name(STORE)
        path = path.with_name(path.name.removesuffix("-wal"))
        if path.suffix == ".vscdb":
            earlier = path.parent.parent.name == WORKSPACES
            return database_source(self.name, path, "panel" if earlier else "ide")
        if path.suffix == ".db":
            source = database_source(self.name, path, "store")
            beside = file_source(self.name, path.with_name("meta.json"))
            if source is None or beside is None:
                return source
            return msgspec.structs.replace(source, stamp=f"{source.stamp}+{beside.stamp}")
        if path.suffix == ".jsonl" or (
            path.suffix == ".txt" and cursor_transcript.FOLDER in path.parts
        ):
            if ".cursor" in path.parts and cursor_transcript.FOLDER not in path.parts:
                return None
            return file_source(self.name, path, "transcript")
        return None

    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Batch]:
        """As the module for the kind of source reads it."""
        if source.kind == "ide":
            yield from cursor_ide.read(source, since)
        elif source.kind == "panel":
            yield from cursor_panel.read(source, since)
        elif source.kind == "store":
            yield from cursor_store.read(source, since)
        else:
            yield from cursor_transcript.read(source, since)

    def resume(self, session: SessionInfo) -> Resume | None:
        """``cursor-agent --resume ID``; the editor's chats and sub-agents only open inside it."""
        if session.parent or session.extra.get("editor"):
            return None
        return Resume(("cursor-agent", "--resume", session.native_id), session.project or "")


AGENT = Cursor()
