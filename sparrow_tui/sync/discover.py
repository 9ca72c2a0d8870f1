"""Which sources there are, and which of them changed since they were last read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sparrow_tui.agents import plain
from sparrow_tui.agents.base import Agent, Place, Source, SourceError, is_there
from sparrow_tui.agents.registry import agents, one_by_one
from sparrow_tui.sanitize import storable
from sparrow_tui.store.sources import Key, Known
from sparrow_tui.sync.workers import SMALL

HEAD = 64 * 1024
"""Bytes of a file by which its format is told."""
SUFFIXES = (".jsonl", ".json", ".db", ".sqlite", ".vscdb", ".zst", ".md", ".zip", ".txt",
            ".sqlite3", ".ndjson")  # fmt: skip
"""Names of files looked at in directories given by hand."""
MOST_FILES = 200_000
"""Files looked at in directories given by hand."""

Roots = dict[str, list[str]]
"""For each agent the directories and files it writes to."""
GIVEN = ""
"""Stands in `Roots` for whatever agent wrote the files and directories given by hand."""


@dataclass(slots=True)
class Found:
    """The outcome of a look around."""

    changed: list[Source] = field(default_factory=list)
    """New or changed, newest first."""
    unchanged: int = 0
    gone: list[Key] = field(default_factory=list)
    """Read earlier, no longer there."""
    problems: list[tuple[str, str]] = field(default_factory=list)
    """Places given by hand that hold nothing we know, names the store cannot hold: path,
    sentence."""


def look(
    place: Place,
    held: Known,
    paths: Iterable[str] = (),
    much: Callable[[], None] = lambda: None,
) -> Found:
    """Compare what is there with what was read.

    Args:
        place: the machine.
        held: stamps of what was read (`store.sources.known`).
        paths: files and directories given by hand; none: every agent's own places.
        much: called once there are more than `SMALL` bytes to read, while looking goes on.
    """
    found = Found()
    size = 0
    every_seen: dict[str, set[str]] = {}
    agent, seen, stamps = "", set[str](), dict[str, str]()
    wanted = list(paths)
    sources = _given(wanted, found) if wanted else _everywhere(place)
    for source in sources:
        if source.agent != agent:
            agent = source.agent
            seen, stamps = every_seen.setdefault(agent, set()), held.get(agent, {})
        path = source.path
        if path in seen:
            continue
        seen.add(path)
        if stamps.get(path) == source.stamp:
            found.unchanged += 1
            continue
        if storable(path) != path:
            found.problems.append((storable(path), "its name is not UTF-8"))
            continue
        found.changed.append(source)
        if size <= SMALL < size + source.size:
            much()
        size += source.size
    found.changed.sort(key=lambda source: source.mtime, reverse=True)
    if not wanted:
        found.gone = [
            (agent, path)
            for agent, stamps in held.items()
            for path in stamps.keys() - every_seen.get(agent, set())
            if not is_there(path)
        ]
    return found


def _everywhere(place: Place) -> Iterator[Source]:
    for agent in one_by_one():
        try:
            yield from agent.sources(place)
        except OSError:
            continue  # a folder that vanished while it was read


def _given(paths: Iterable[str], found: Found) -> Iterator[Source]:
    for text in paths:
        path = Path(text).expanduser().absolute()
        if path.is_dir():
            number = 0
            for source in _inside(path):
                number += 1
                yield source
            if not number:
                found.problems.append((text, "no session of any known agent is in there"))
        else:
            try:
                source = recognise(path)
            except SourceError as error:
                found.problems.append((text, str(error)))
            else:
                yield source


def recognise(path: Path) -> Source:
    """The source a file given by hand is.

    Raises:
        SourceError: it cannot be read, or no agent knows it.
    """
    try:
        head = _head(path)
    except OSError as error:
        raise SourceError(f"it cannot be opened: {error.strerror}") from error
    if not head:
        raise SourceError("it is empty")
    for agent in agents().values():
        source = _as_source(agent, path, head)
        if source is not None:
            return source
    raise SourceError("it is not a session file of any known agent")


def _head(path: Path) -> bytes:
    """A file's first bytes."""
    return plain.read_bytes(path, HEAD)


def _as_source(agent: Agent, path: Path, head: bytes) -> Source | None:
    """The agent's view of a file; a reader that trips over it does not know it."""
    try:
        return agent.source_at(path) if agent.sniff(path, head) else None
    except Exception:
        return None


def _inside(folder: Path) -> Iterator[Source]:
    """Sources below a directory given by hand: agents' homes in it, then file by file."""
    looked = 0
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in (".git", "node_modules")]
        for name in files:
            looked += 1
            if looked > MOST_FILES:
                return
            if not name.endswith(SUFFIXES):
                continue
            try:
                yield recognise(Path(root, name))
            except SourceError:
                continue


def shared(roots: Roots) -> set[str]:
    """Places several agents' sessions may be in, such as the downloads: names tell nothing there.

    Only what is directly in them counts.
    """
    every = [path for paths in roots.values() for path in set(paths)]
    return {path for path in every if every.count(path) > 1}


def changed_sources(paths: Iterable[str], roots: Roots) -> list[Source]:
    """The sources that files named by a watcher belong to.

    Args:
        paths: files that were written, made or removed.
        roots: for each agent the directories and files it writes to.
    """
    both = shared(roots)
    found: dict[Key, Source] = {}
    for path in paths:
        plain = path.removesuffix("-wal").removesuffix("-shm").removesuffix("-journal")
        for name, places in roots.items():
            place = next((p for p in places if _in(plain, p)), None)
            if place is None:
                continue
            source = _told(Path(plain), name, place in both)
            if source is not None and storable(source.path) == source.path:
                found[source.agent, source.path] = source
    return sorted(found.values(), key=lambda source: source.mtime, reverse=True)


def _told(path: Path, name: str, shared: bool) -> Source | None:
    """The source a changed file belongs to, if it is one of that agent's."""
    try:
        if name == GIVEN:
            return recognise(path) if path.name.endswith(SUFFIXES) else None
        agent = agents()[name]
        return agent.source_at(path) if not shared or agent.sniff(path, _head(path)) else None
    except Exception:
        return None


def _in(path: str, place: str) -> bool:
    return path == place or path.startswith(place.rstrip(os.sep) + os.sep)
