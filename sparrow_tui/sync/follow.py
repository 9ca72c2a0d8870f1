"""Following the agents' files as they are written."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

from watchfiles import Change, watch

from sparrow_tui.agents.base import Place
from sparrow_tui.agents.registry import agents

DEBOUNCE_MS = 120
"""Longest time changes are gathered."""
STEP_MS = 20
"""Changes closer together than this are one burst."""
LOOK_SECONDS = 5.0
"""How often places that did not exist are looked for."""


def roots_of(place: Place) -> dict[str, list[str]]:
    """For each agent the directories and files it writes to."""
    found: dict[str, list[str]] = {}
    for name, agent in agents().items():
        try:
            found[name] = [os.fspath(path) for path in agent.roots(place)]
        except OSError:
            continue
    return found


def changes(roots: dict[str, list[str]], stop: Event) -> Iterator[set[str] | None]:
    """Bursts of paths that were written, made or removed.

    Args:
        roots: as `roots_of` gives them.
        stop: ends it.

    Yields:
        Paths; ``None`` when a place has appeared and everything should be looked at again.
    """
    while not stop.is_set():
        watched = _watchable(roots)
        if not watched:
            if stop.wait(LOOK_SECONDS):
                return
            if _watchable(roots):
                yield None
            continue
        looked = time.monotonic()
        try:
            for burst in watch(
                *watched,
                stop_event=stop,
                debounce=DEBOUNCE_MS,
                step=STEP_MS,
                rust_timeout=int(LOOK_SECONDS * 1000),
                yield_on_timeout=True,
                raise_interrupt=False,
                ignore_permission_denied=True,
                watch_filter=_wanted,
            ):
                if burst:
                    yield {path for _, path in burst}
                if time.monotonic() - looked > LOOK_SECONDS:
                    looked = time.monotonic()
                    if _watchable(roots) != watched:
                        yield None
                        break
        except (OSError, RuntimeError):
            # A watched place vanished, or the system has no watches left: look again now and then.
            if stop.wait(LOOK_SECONDS):
                return
            yield None


def _watchable(roots: dict[str, list[str]]) -> list[Path]:
    """Existing places, without those inside others; for a file its directory."""
    places: set[str] = set()
    for paths in roots.values():
        for path in paths:
            if os.path.isdir(path):
                places.add(path)
            elif os.path.exists(path):
                places.add(os.path.dirname(path))
    ordered = sorted(places)
    kept: list[str] = []
    for path in ordered:
        if not kept or not path.startswith(kept[-1].rstrip(os.sep) + os.sep):
            kept.append(path)
    return [Path(path) for path in kept]


def _wanted(change: Change, path: str) -> bool:
    """Lock files change without anything to read."""
    return not path.endswith((".lock", ".tmp", ".swp", "-shm", "~"))
