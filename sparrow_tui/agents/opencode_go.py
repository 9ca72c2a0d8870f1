"""The Go OpenCode of 2025: a database in each project, with the schema Crush grew from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from sparrow_tui.agents import crush_schema, sqlite_source
from sparrow_tui.agents.base import Agent, Batch, Checkpoint, Place, Source, database_source, walk
from sparrow_tui.agents.projects import json_file, known


class OpenCodeGo(Agent):
    """Reads ``<project>/.opencode/opencode.db``, or where ``data.directory`` is set to.

    The program keeps no list of its projects. Looked into are the directories that other
    agents' registries name and the folders near home (`projects.known`): never all of home.
    `Source.kind` is the project where the database's folder does not tell it.
    """

    name = "opencode-go"
    label = "OpenCode (Go)"
    glyph = "○"
    color = "#fab283"
    no_restore = "its sessions are in a database that only it should write to"
    no_resume = "It opens a session from its own list only (Ctrl+A); it takes no session id."

    def roots(self, place: Place) -> list[Path]:
        """The ``.opencode`` folders found; the configured one first."""
        return [folder for folder, _ in _folders(place)]

    def sources(self, place: Place) -> Iterator[Source]:
        """The databases in them, copies beside them included."""
        for folder, project in _folders(place):
            for entry in walk(folder, (".db",), 0):
                source = database_source(self.name, entry.path, project)
                if entry.name.startswith("opencode") and source is not None:
                    yield source

    def sniff(self, path: Path, head: bytes) -> bool:
        """A database named ``opencode…`` with a ``sessions`` table (newer: ``session``)."""
        return (
            sqlite_source.is_sqlite(head)
            and path.name.startswith("opencode")
            and sqlite_source.has_tables(path, *crush_schema.TABLES)
        )

    def source_at(self, path: Path) -> Source | None:
        """The database by its own name or its write-ahead log's."""
        return crush_schema.source_at(self.name, path)

    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Batch]:
        """See `crush_schema.read`."""
        folder = Path(source.path).parent
        project = source.kind or (str(folder.parent) if folder.name == ".opencode" else None)
        yield from crush_schema.read(self.name, source, since, project)


def _folders(place: Place) -> Iterator[tuple[Path, str]]:
    """Data directories: where the settings say, relative to each project, else ``.opencode``.

    With the project, where that is not simply the folder above.
    """
    config = place.path("XDG_CONFIG_HOME", place.home / ".config")
    homes = (place.home, config / "opencode", place.home / ".config" / "opencode")
    named = next(filter(None, map(_directory, homes)), "")
    if named and Path(named).is_absolute():
        yield Path(named), ""
    for project in known(place):
        # A project's own settings go before the person's.
        for name in dict.fromkeys((".opencode", named, _directory(project))):
            folder = project / name
            if name and os.path.isdir(folder) and folder != Path(named):
                yield folder, "" if name == ".opencode" else str(project)


def _directory(folder: Path) -> str:
    """``data.directory`` of a folder's ``.opencode.json``; empty if there is none."""
    settings = json_file(folder / ".opencode.json")
    data = settings.get("data") if isinstance(settings, dict) else None
    named = data.get("directory") if isinstance(data, dict) else None
    return named if isinstance(named, str) else ""


AGENT = OpenCodeGo()
