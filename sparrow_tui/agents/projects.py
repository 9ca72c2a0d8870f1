"""Project directories of this machine, as far as they are known without walking the disk."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from sparrow_tui.agents import plain
from sparrow_tui.agents.base import Place
from sparrow_tui.agents.lines import parse

REGISTRY_LIMIT = 32_000_000
"""Bytes of a registry above which it is not read."""
FOLDER_LIMIT = 1000
"""Folders looked into below home."""
DEPTH = 3
"""Levels below home at which a project may stand: ``~/code/client/app``."""
_PASSED_OVER = {"node_modules", "Library", "AppData", "Applications", "snap", "venv", "vendor"}


def json_file(path: Path) -> Any:
    """The JSON value in a small file, or ``None`` if it is missing, too large or broken."""
    try:
        if os.stat(path).st_size > REGISTRY_LIMIT:
            return None
        return parse(plain.read_bytes(path))
    except (OSError, ValueError):
        return None


def registered(home: Path) -> Iterator[Path]:
    """Directories that agents' own registries name: Claude Code, Gemini, Crush, Codex."""
    claude = json_file(home / ".claude.json")
    gemini = json_file(home / ".gemini" / "projects.json")
    for registry in (claude, gemini):
        projects = registry.get("projects") if isinstance(registry, dict) else None
        if isinstance(projects, dict):
            yield from (Path(name) for name in projects if name)
    trusted = json_file(home / ".gemini" / "trustedFolders.json")
    if isinstance(trusted, dict):
        yield from (Path(name) for name in trusted)
    crush = json_file(home / ".local" / "share" / "crush" / "projects.json")
    entries = crush.get("projects") if isinstance(crush, dict) else None
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and isinstance(entry.get("path"), str):
            yield Path(entry["path"])
    yield from _codex(home / ".codex" / "config.toml")


def near_home(home: Path) -> Iterator[Path]:
    """Folders up to `DEPTH` levels below home, nearest first.

    Hidden folders and other people's code are passed over, a git checkout is not entered, links
    are not followed, and no more than `FOLDER_LIMIT` folders are looked into.
    """
    level = [str(home)]
    looked = 0
    for depth in range(1, DEPTH + 1):
        below: list[str] = []
        for folder in level:
            if looked >= FOLDER_LIMIT:
                return
            looked += 1
            try:
                entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
            except OSError:
                continue
            for entry in entries:
                if entry.name.startswith(".") or entry.name in _PASSED_OVER:
                    continue
                try:
                    if not entry.is_dir(follow_symlinks=False):
                        continue
                except OSError:
                    continue
                yield Path(entry.path)
                if depth < DEPTH and not os.path.exists(os.path.join(entry.path, ".git")):
                    below.append(entry.path)
        level = below


def known(place: Place) -> list[Path]:
    """`registered` and `near_home` together, each directory once."""
    found = dict.fromkeys(path for path in registered(place.home) if path.is_absolute())
    found.update(dict.fromkeys([place.home, *near_home(place.home)]))
    return list(found)


@lru_cache(maxsize=4)
def by_hash(home: Path, algorithm: str) -> dict[str, str]:
    """Known directories by the hash of their path, for agents that name folders that way.

    Args:
        home: whose directories.
        algorithm: a name `hashlib` knows (``sha256``, ``md5``).
    """
    import hashlib

    place = Place(home, {})
    return {
        hashlib.new(
            algorithm, str(path).encode(errors="replace"), usedforsecurity=False
        ).hexdigest(): str(path)
        for path in known(place)
    }


@lru_cache(maxsize=4)
def by_slug(home: Path) -> dict[str, str]:
    """Known directories by their path with every run of other characters turned into ``-``."""
    place = Place(home, {})
    return {re.sub(r"[^A-Za-z0-9]+", "-", str(path)).strip("-"): str(path) for path in known(place)}


def _codex(path: Path) -> Iterator[Path]:
    """Project tables of Codex's settings."""
    import tomllib

    try:
        settings = tomllib.loads(plain.read_text(path))
    except (OSError, ValueError):
        return
    projects = settings.get("projects")
    if isinstance(projects, dict):
        yield from (Path(name) for name in projects)
