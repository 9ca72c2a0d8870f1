"""The sync process: holds the lease, imports, then follows, and reports lines of JSON."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from functools import partial
from threading import Event, Thread
from typing import TYPE_CHECKING

import msgspec

from sparrow_tui.agents.base import Place, is_there
from sparrow_tui.faultlog import record
from sparrow_tui.store import open_store, sources
from sparrow_tui.store.base import StoreBusy, StoreError, StoreFull
from sparrow_tui.store.sqlite import SqliteStore
from sparrow_tui.sync import importing, memory
from sparrow_tui.sync.discover import GIVEN, Roots, changed_sources
from sparrow_tui.sync.indexing import Indexing
from sparrow_tui.sync.lease import give_way, lease, wanted
from sparrow_tui.sync.progress import Meter, Progress

if TYPE_CHECKING:
    from sparrow_tui.sync import follow

RESCAN = 300.0
"""Seconds between full looks while following: a safety net under the watcher."""
AGAIN = 5.0
"""Seconds until sources are tried again that their programs kept from being read."""
NICE = 5
BUSY_SECONDS = 0.5
FULL_SECONDS = 5.0
"""Pauses before something is tried again."""


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
    memory.prepare()
    _give_way()
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


def _give_way() -> None:
    """The app comes first on a busy machine."""
    with suppress(OSError, AttributeError):  # Windows has none
        os.nice(NICE)
    if hasattr(os, "getsid") and os.getsid(0) == os.getpid():
        # Linux shares processors out among sessions before it looks at what is in them, and we
        # are one of our own (sched(7), autogroup).
        with suppress(OSError), open("/proc/self/autogroup", "w") as group:
            group.write(str(NICE))


def run(location: str, paths: Sequence[str], stop: Event, *, follow_on: bool) -> None:
    """Import and follow while holding the lease; give it to one who asks, and take it again."""
    place = Place.here()
    roots: Roots = {}
    watcher: follow.Watcher | None = None
    if follow_on:
        from sparrow_tui.sync import follow

        given = {GIVEN: [os.path.abspath(path) for path in paths]}
        roots = given if paths else follow.roots_of(place)
        watcher = follow.Watcher(roots, stop)
    while True:
        # Opened anew each time: another process has written meanwhile.
        store = open_store(location)
        try:
            with lease(store.path, stop.is_set, lambda: emit(Progress(phase="waiting"))) as held:
                if held:
                    _work(store, place, paths, stop, roots, watcher)
        finally:
            store.close()
        if watcher is None or stop.is_set():
            return
        give_way(store.path, stop.is_set)


def _work(
    store: SqliteStore,
    place: Place,
    paths: Sequence[str],
    stop: Event,
    roots: Roots,
    watcher: follow.Watcher | None,
) -> None:
    """Import everything, then what the watcher tells of, until it ends or another asks."""
    follow_on = watcher is not None

    def pressed() -> bool:
        # What changes meanwhile is known to the watcher: tool output can wait for it.
        return stop.is_set() or (watcher is not None and (watcher.pending or wanted(store.path)))

    def everything() -> None:
        importing.import_all(
            store, place, emit, paths=paths, stopped=stop.is_set, pressed=pressed,
            indexing=indexing,
        )  # fmt: skip

    with closing(Indexing(store)) as indexing:
        _patiently(stop, everything, follow_on)
        scanned = time.monotonic()
        while watcher is not None and not (stop.is_set() or wanted(store.path)):
            left = store.deferred_count() > 0
            if not left:
                emit(Progress(phase="watching"))
            busy = sources.busy(store.connection)
            pause = 0.0 if left else AGAIN if busy else RESCAN
            names, appeared = watcher.take(pause, unless=lambda: wanted(store.path))
            names.update(busy)
            if appeared or time.monotonic() - scanned > RESCAN:
                _patiently(stop, everything, follow_on)
                scanned = time.monotonic()
            if names:
                _patiently(stop, partial(_apply, store, names, roots, place), follow_on)
            elif left:
                _patiently(stop, partial(indexing.run, Meter(emit), pressed), follow_on)


def _apply(store: SqliteStore, names: set[str], roots: Roots, place: Place) -> None:
    """Read what a burst of changes touched."""
    vanished = [name for name in names if not is_there(name)]
    read = [key for name in vanished for key in sources.below(store.connection, name)]
    gone = [key for key in read if not is_there(key[1])]
    if gone:
        with store.transaction():
            sources.mark_gone(store.connection, gone)
    from sparrow_tui.sync import follow

    found = sources.changed(store.connection, changed_sources(follow.files_of(names), roots))
    if found:
        importing.import_sources(store, found, Meter(lambda _: None), workers=1, live=True)
        importing.expire(store, place, found)


def _patiently(stop: Event, job: Callable[[], None], follow_on: bool) -> None:
    """Do something again while another program keeps the store busy, or the disk is full.

    A full disk ends an import that nobody watches.
    """
    while not stop.is_set():
        try:
            job()
            return
        except StoreBusy:
            stop.wait(BUSY_SECONDS)
        except StoreFull as error:
            if not follow_on:
                raise
            emit(Progress(phase="failed", message=str(error)))
            stop.wait(FULL_SECONDS)


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
