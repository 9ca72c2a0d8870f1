"""Where the reader left each session, kept from one run to the next."""

from __future__ import annotations

from pathlib import Path

from sparrow_tui.app.transcript_places import Left, Spot
from sparrow_tui.paths import state_dir
from sparrow_tui.settings import read_private, write_private

MOST = 2_000
"""Sessions whose places are kept: the last ones read."""


def _file() -> Path:
    return state_dir() / "places.json"


def load(path: Path | None = None) -> dict[str, Left]:
    """Places by session id, oldest first; none if there is no file or it cannot be read."""
    held = read_private(path or _file(), dict[str, tuple[tuple[int, int, int, int], int]])
    return {session: Left(Spot(*spot), seen) for session, (spot, seen) in (held or {}).items()}


def save(places: dict[str, Left], path: Path | None = None) -> bool:
    """Write the places down; whether that worked."""
    newest = dict(list(places.items())[-MOST:])
    return write_private(path or _file(), newest)
