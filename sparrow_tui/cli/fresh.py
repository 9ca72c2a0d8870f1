"""The store a command reads: opened, and brought up to date first where that is wanted."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sparrow_tui.cli.output import say
from sparrow_tui.store import open_store
from sparrow_tui.store.base import StoreUnwritable
from sparrow_tui.store.sqlite import SqliteStore


@contextmanager
def fresh_store(options: argparse.Namespace, paths: Sequence[str] = ()) -> Iterator[SqliteStore]:
    """The store, synced unless ``--no-sync`` was given, another program is at it or it is full.

    Raises:
        StoreError: it cannot be opened or read.
    """
    store = open_store(options.store)
    try:
        if not options.no_sync:
            try:
                _sync(store, paths)
            except StoreUnwritable as error:
                say(f"{error}; this is what it holds")
        yield store
    finally:
        store.close()


def _sync(store: SqliteStore, paths: Sequence[str]) -> None:
    from sparrow_tui.agents.base import Place
    from sparrow_tui.sync.importing import import_all
    from sparrow_tui.sync.lease import lease
    from sparrow_tui.sync.progress import Progress

    told = False

    def emit(progress: Progress) -> None:
        nonlocal told
        if progress.seconds > 1 and not told:
            told = True
            say("importing new sessions first (--no-sync leaves that out)…")

    with lease(store.path, stopped=lambda: True, waiting=lambda: None) as held:
        if held:
            import_all(store, Place.here(), emit, paths=paths)
