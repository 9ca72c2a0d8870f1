"""The Go OpenCode of 2025: a database in each project, with the schema Crush grew from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sparrow_tui.agents import crush_schema, sqlite_source
from sparrow_tui.agents.base import Agent, Batch, Checkpoint, Place, Source, database_source, walk
from sparrow_tui.agents.projects import json_file, known


class OpenCodeGo(Agent):
    """Reads ``<project>/.opencode/opencode.db``.

    The program keeps no list of its projects. Looked into are the directories that other
    agents' registries name and the folders near home (`projects.known`): never all of home.
    """

    name = "opencode-go"
    label = "OpenCode (Go)"
    glyph = "○"
    color = "#fab283"
    no_restore = "its sessions are in a database that only it should write to"
    no_resume = "It opens a session from its own list only (Ctrl+A); it takes no session id."

    def roots(self, place: Place) -> list[Path]:
        """The ``.opencode`` folders found; the configured one first."""
        return list(_folders(place))

    def sources(self, place: Place) -> Iterator[Source]:
        """The databases in them, copies beside them included."""
        for folder in _folders(place):
            for entry in walk(folder, (".db",), 0):
                source = database_source(self.name, entry.path)
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
        project = str(folder.parent) if folder.name == ".opencode" else None
        yield from crush_schema.read(self.name, source, since, project)


def _folders(place: Place) -> Iterator[Path]:
    settings = json_file(place.home / ".opencode.json")
    data = settings.get("data") if isinstance(settings, dict) else None
    named = data.get("directory") if isinstance(data, dict) else None
    if isinstance(named, str) and Path(named).is_absolute():
        yield Path(named)
    for project in known(place):
        folder = project / ".opencode"
        if folder.is_dir():
            yield folder


AGENT = OpenCodeGo()
