"""Crush: one database per project, found by Crush's registry and in projects we know of."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from sparrow_tui.agents import crush_schema, sqlite_source
from sparrow_tui.agents.base import (
    Agent,
    Batch,
    Checkpoint,
    Place,
    Resume,
    Source,
    database_source,
    walk,
)
from sparrow_tui.agents.common import as_text
from sparrow_tui.agents.projects import json_file, known
from sparrow_tui.model import SessionInfo


class Crush(Agent):
    """Reads ``<project>/.crush/crush.db``.

    `Source.kind` is the project's directory where the database is not in it
    (``options.data_directory``).
    """

    name = "crush"
    label = "Crush"
    glyph = "♥"
    color = "#ff60ff"
    no_restore = "its sessions are in a database that only it should write to"

    def roots(self, place: Place) -> list[Path]:
        """The registry's folder, every data directory named in it and those found in projects."""
        return [_registry(place).parent, *(data for _, data in _projects(place))]

    def sources(self, place: Place) -> Iterator[Source]:
        """The databases of projects, copies beside them included."""
        for project, data in _projects(place):
            kind = "" if data.name == ".crush" else str(project)
            for entry in walk(data, (".db",), 0):
                source = database_source(self.name, entry.path, kind)
                if entry.name.startswith("crush") and source is not None:
                    yield source

    def sniff(self, path: Path, head: bytes) -> bool:
        """A database with Crush's tables that is not the Go OpenCode's by its name."""
        return (
            sqlite_source.is_sqlite(head)
            and not path.name.startswith("opencode")
            and sqlite_source.has_tables(path, *crush_schema.TABLES, "goose_db_version")
        )

    def source_at(self, path: Path) -> Source | None:
        """``crush.db`` by its own name or its write-ahead log's, or a copy of one."""
        return crush_schema.source_at(self.name, path)

    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Batch]:
        """See `crush_schema.read`."""
        yield from crush_schema.read(self.name, source, since, _project_of(source))

    def resume(self, session: SessionInfo) -> Resume | None:
        """``crush --session ID`` in the project; a sub-agent's session cannot be opened."""
        if session.parent:
            return None
        return Resume(("crush", "--session", session.native_id), session.project or "")


def _registry(place: Place) -> Path:
    if place.env.get("CRUSH_GLOBAL_DATA"):
        return Path(place.env["CRUSH_GLOBAL_DATA"]) / "projects.json"
    if place.platform == "win32":
        return place.data_home / "crush" / "projects.json"
    # Crush follows XDG on macOS too.
    home = place.path("XDG_DATA_HOME", place.home / ".local" / "share")
    return home / "crush" / "projects.json"


def _projects(place: Place) -> Iterator[tuple[Path, Path]]:
    """Project and data directory of each project, each data directory once.

    Registered ones first. The registry is younger than Crush, and another machine's: a project
    that was used before, or copied here, is in it only once Crush is started there.
    """
    registry = json_file(_registry(place))
    entries = registry.get("projects") if isinstance(registry, dict) else None
    seen: set[Path] = set()
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
            continue
        project = Path(entry["path"])
        data = project / (as_text(entry.get("data_dir")) or ".crush")
        if data not in seen and data.is_absolute():
            seen.add(data)
            yield project, data
    for project in known(place):
        for name in dict.fromkeys((".crush", *_configured(project))):
            data = project / name
            if data not in seen and os.path.isdir(data):
                seen.add(data)
                yield project, data


def _configured(project: Path) -> Iterator[str]:
    """``options.data_directory`` of a project's settings."""
    for name in ("crush.json", ".crush.json"):
        settings = json_file(project / name)
        options = settings.get("options") if isinstance(settings, dict) else None
        named = options.get("data_directory") if isinstance(options, dict) else None
        if isinstance(named, str) and named:
            yield named


def _project_of(source: Source) -> str | None:
    if source.kind:
        return source.kind
    folder = Path(source.path).parent
    return str(folder.parent) if folder.name == ".crush" else None


AGENT = Crush()
