"""The sync process: holds the lease, imports, then follows, and reports lines of JSON."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from threading import Event, Thread

import msgspec

from sparrow_tui.agents.base import Place
from sparrow_tui.faultlog import record
from sparrow_tui.store import open_store
from sparrow_tui.store.base import StoreBusy, StoreError
from sparrow_tui.store.sqlite import SqliteStore
from sparrow_tui.sync import follow, importing
from sparrow_tui.sync.discover import changed_sources
from sparrow_tui.sync.lease import lease
from sparrow_tui.sync.progress import Meter, Progress

RESCAN = 300.0
"""Seconds between full looks while following: a safety net under the watcher."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run until the parent closes our input or a signal comes."""
    parser = argparse.ArgumentParser(prog="python -m sparrow_tui.sync")
    parser.add_argument("--store", required=True)
    parser.add_argument("--once", action="store_true", help="import, then end")
    parser.add_argument("paths", nargs="*")
    options = parser.parse_args(argv)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    Thread(target=_watch_parent, args=(stop,), daemon=True).start()
    try:
        os.nice(5)  # the app comes first on a busy machine
    except OSError:
        pass
    try:
        run(options.store, options.paths, stop, follow_on=not options.once)
    except StoreError as error:
        emit(Progress(phase="failed", message=str(error)))
        return 1
    except Exception as error:
        record(error)
        emit(Progress(phase="failed", message=f"the import failed ({type(error).__name__})"))
        return 1
    return 0


def run(location: str, paths: Sequence[str], stop: Event, *, follow_on: bool) -> None:
    """Import and follow while holding the lease."""
    store = open_store(location)
    try:
        with lease(store.path, stop.is_set, lambda: emit(Progress(phase="waiting"))) as held:
            if held:
                _work(store, paths, stop, follow_on)
    finally:
        store.close()


def _work(store: SqliteStore, paths: Sequence[str], stop: Event, follow_on: bool) -> None:
    place = Place.here()
    _patiently(stop, lambda: importing.import_all(
        store, place, emit, paths=paths, stopped=stop.is_set))  # fmt: skip
    if not follow_on or stop.is_set():
        return
    roots = {"": [os.path.abspath(p) for p in paths]} if paths else follow.roots_of(place)
    if paths:
        roots = dict.fromkeys(follow.roots_of(place), roots[""])
    emit(Progress(phase="watching"))
    scanned = time.monotonic()
    for burst in follow.changes(roots, stop):
        if burst is None or time.monotonic() - scanned > RESCAN:
            _patiently(stop, lambda: importing.import_all(
                store, place, emit, paths=paths, stopped=stop.is_set))  # fmt: skip
            scanned = time.monotonic()
            emit(Progress(phase="watching"))
        else:
            _patiently(stop, lambda names=burst: _apply(store, names, roots, place))


def _apply(store: SqliteStore, names: set[str], roots: dict[str, list[str]], place: Place) -> None:
    """Read what a burst of changes touched."""
    from sparrow_tui.store import sources

    gone = [
        row
        for name in names
        if not os.path.exists(name)
        for row in store.connection.execute(
            "SELECT agent, path FROM source WHERE path = ? AND NOT gone", (name,)
        ).fetchall()
    ]
    if gone:
        with store.transaction():
            sources.mark_gone(store.connection, gone)
    found = changed_sources(names, roots)
    if found:
        importing.import_sources(store, found, Meter(emit, found), workers=1, live=True)
        importing.expire(store, place)
        emit(Progress(phase="watching"))


def _patiently(stop: Event, job) -> None:  # type: ignore[no-untyped-def]
    """Do something again while another program keeps the store busy."""
    while not stop.is_set():
        try:
            job()
            return
        except StoreBusy:
            stop.wait(0.5)


def emit(progress: Progress) -> None:
    """One line of JSON for the parent; if nobody listens any more the process ends by itself."""
    try:
        sys.stdout.buffer.write(msgspec.json.encode(progress) + b"\n")
        sys.stdout.buffer.flush()
    except (BrokenPipeError, ValueError):
        pass


def _watch_parent(stop: Event) -> None:
    """Our input ends when the parent does, however it ended."""
    # Not through sys.stdin: its lock, held by a waiting thread, would break our own end.
    while os.read(0, 4096):
        pass
    stop.set()
    time.sleep(10)
    os._exit(0)  # stuck in a long read: a killed import loses nothing
