"""What the app remembers between runs: theme, searches, positions."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TypeVar

import msgspec

from sparrow_tui.paths import config_file, open_private, private_dir

Shape = TypeVar("Shape")

HISTORY = 50
"""Searches kept."""


class SavedSearch(msgspec.Struct, omit_defaults=True):
    """A search with a name."""

    name: str
    query: str
    pinned: bool = False
    """Shown as a counter in the footer."""


class Settings(msgspec.Struct, omit_defaults=True):
    """The user's choices."""

    theme: str | None = None
    searches: list[str] = []
    """Last searches, newest first."""
    saved: list[SavedSearch] = []
    show_children: bool = False
    """Whether sub-agents' sessions are in the list."""
    group: str = ""
    """What the list is grouped by: see `sparrow_tui.store.grouping`; empty: nothing."""

    def remember_search(self, query: str) -> None:
        """Put a search at the head of the history."""
        query = query.strip()
        if query:
            self.searches = [query, *(s for s in self.searches if s != query)][:HISTORY]


def load(path: Path | None = None) -> Settings:
    """The settings on disk; fresh ones if there are none or they cannot be read."""
    return read_private(path or config_file(), Settings) or Settings()


def save(settings: Settings, path: Path | None = None) -> bool:
    """Write the settings, whole or not at all; whether that worked."""
    return write_private(path or config_file(), settings)


def read_private(path: Path, shape: type[Shape]) -> Shape | None:
    """A JSON file of ours; ``None`` if there is none or it cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=shape)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def write_private(path: Path, value: object) -> bool:
    """Write a JSON file only its owner can read, whole or not at all; whether that worked."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        private_dir(path.parent)
        with os.fdopen(open_private(beside), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(value), indent=1))
        os.replace(beside, path)
    except OSError:
        with contextlib.suppress(OSError):
            beside.unlink()
        return False
    return True
