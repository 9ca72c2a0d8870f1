"""Tool output that was put off is indexed: its words are made side by side, one process writes."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing

from sparrow_tui.store import deferred, docid
from sparrow_tui.store.deferred import Waiting
from sparrow_tui.store.index import Entry
from sparrow_tui.store.sqlite import SqliteStore
from sparrow_tui.sync import workers
from sparrow_tui.sync.progress import Meter

ROWS = 6_000
"""Turns of a transaction."""
PIECE = 500
"""Turns a worker process is given at once."""
AHEAD = 2 * ROWS // PIECE
"""Pieces on their way: the next transaction's are made while one is written."""
FEW = 2_000
"""Turns whose words are made faster without starting processes."""


def index_deferred(store: SqliteStore, meter: Meter, stopped: Callable[[], bool]) -> None:
    """Index what was put off, newest first.

    Args:
        store: opened for writing.
        meter: counts and reports.
        stopped: asked before each transaction; true leaves the rest for another time.
    """
    every = store.deferred_count()
    if not every or stopped():
        return
    meter.now.indexed, meter.now.of_indexed = 0, every
    meter.phase("indexing")
    ready: list[Entry] = []
    with closing(_entries(store, every)) as pieces:
        for piece in pieces:
            ready += piece
            if len(ready) < ROWS:
                continue
            _write(store, meter, ready)
            ready = []
            if stopped():
                return
    _write(store, meter, ready)


def _write(store: SqliteStore, meter: Meter, ready: Sequence[Entry]) -> None:
    store.index_deferred(ready)
    meter.now.indexed = min(meter.now.indexed + len(ready), meter.now.of_indexed)
    meter.tell()


def _pieces(store: SqliteStore) -> Iterator[Sequence[Waiting]]:
    below = docid.END
    while turns := store.deferred(PIECE, below):
        below = turns[-1].docid
        yield turns


def _made(turns: Sequence[Waiting]) -> list[Entry]:
    return [deferred.entry(turn) for turn in turns]


def _entries(store: SqliteStore, number: int) -> Generator[list[Entry]]:
    """What the index takes, piece by piece, in order."""
    if number < FEW or workers.processes() < 2:
        yield from map(_made, _pieces(store))
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers.processes(), context, initializer=workers.begin)
    under_way: deque[tuple[Sequence[Waiting], Future[list[Entry]]]] = deque()
    pieces = _pieces(store)
    try:
        while True:
            while len(under_way) < AHEAD and (piece := next(pieces, None)):
                under_way.append((piece, pool.submit(_made, piece)))
            if not under_way:
                return
            unmade, future = under_way.popleft()
            yield future.result()
    except BrokenProcessPool:  # a worker was killed: the rest is made right here
        yield from map(_made, [unmade, *(piece for piece, _ in under_way)])
        yield from map(_made, pieces)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
