"""Tool output that was put off is indexed: parts are built side by side, one process writes."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sparrow_tui.paths import open_private
from sparrow_tui.store import deferred, docid
from sparrow_tui.store.built_parts import Built, Piece, build
from sparrow_tui.store.sqlite import SqliteStore
from sparrow_tui.sync import workers
from sparrow_tui.sync.progress import Meter

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

ROWS = 500
"""Turns of a transaction where no part is built for them."""
FEW = 2_000
"""Turns that are indexed faster without starting processes."""
PATIENCE = 0.05
"""Seconds between two looks whether something else is to be done."""
Stopped = Callable[[], bool]


class Indexing:
    """Indexes what was put off, newest first. What it began goes on while it is interrupted."""

    def __init__(self, store: SqliteStore, processes: int | None = None) -> None:
        """Prepare.

        Args:
            store: opened for writing; its caller holds the lease until `close`.
            processes: that build parts; ``None``: `workers.processes`.
        """
        self._store = store
        self._processes = processes or workers.processes()
        self._pool: ProcessPoolExecutor | None = None
        self._under_way: deque[tuple[Piece, str, Future[Built | None]]] = deque()
        self._below = docid.END
        """Pieces below this are not under way."""
        self._number = 0

    def run(self, meter: Meter, stopped: Stopped) -> None:
        """Index until nothing is left.

        Args:
            meter: counts and reports.
            stopped: asked often; true leaves the rest for another time.
        """
        every = self._store.deferred_count()
        if not every or stopped():
            return
        from concurrent.futures.process import BrokenProcessPool

        meter.now.indexed, meter.now.of_indexed = 0, every
        meter.phase("indexing")
        try:
            while self._under_way or (every >= FEW and self._processes > 1):
                if not self._build(meter, every, stopped):
                    return
                left = self._store.deferred_count()
                if left >= every:
                    break
                every = left
        except BrokenProcessPool:  # a worker was killed: the rest is made right here
            self.close()
        self._here(meter, stopped)

    def close(self) -> None:
        """End what is under way. Idempotent."""
        for _, path, _ in self._under_way:
            _remove(path)  # whoever builds in it gives up
        self._under_way.clear()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def _build(self, meter: Meter, every: int, stopped: Stopped) -> bool:
        """Have parts built and take them in; false if it was stopped."""
        from concurrent.futures import wait

        if not self._under_way:
            self._below = docid.END
        if self._pool is None:
            self._begin()
        while True:
            self._submit(-(-every // self._processes))
            if not self._under_way:
                return True
            piece, path, future = self._under_way[0]
            while not wait([future], PATIENCE).done:
                if stopped():
                    return False
            self._under_way.popleft()
            try:
                built = future.result()
                if built is not None:
                    self._store.take_in(built)
            finally:
                _remove(path)
            self._tell(meter, piece.rows)
            if stopped():
                return False

    def _begin(self) -> None:
        from concurrent.futures import ProcessPoolExecutor

        for left in self._store.path.parent.glob(f"{self._store.path.name}.part-*"):
            _remove(left)  # of an import that was killed
        self._pool = ProcessPoolExecutor(
            self._processes, workers.beginning(), initializer=workers.begin
        )

    def _submit(self, rows: int) -> None:
        """Keep every process busy, and one piece waiting."""
        assert self._pool is not None
        while len(self._under_way) <= self._processes:
            piece = self._store.next_piece(self._below, rows)
            if piece is None:
                return
            self._below = piece.low
            self._number += 1
            path = f"{self._store.path}.part-{os.getpid()}-{self._number}"
            os.close(open_private(Path(path)))
            try:
                job = self._pool.submit(build, os.fspath(self._store.path), path, piece)
            except BaseException:  # a process was killed
                _remove(path)
                raise
            self._under_way.append((piece, path, job))

    def _here(self, meter: Meter, stopped: Stopped) -> None:
        """Index turns in this process."""
        below = docid.END
        while not stopped() and (turns := self._store.deferred(ROWS, below)):
            below = turns[-1].docid
            self._store.index_deferred([deferred.entry(turn) for turn in turns])
            self._tell(meter, len(turns))

    @staticmethod
    def _tell(meter: Meter, rows: int) -> None:
        meter.now.indexed = min(meter.now.indexed + rows, meter.now.of_indexed)
        meter.tell()


def _remove(path: str | Path) -> None:
    with suppress(OSError):  # where an open file cannot be removed, the next import does it
        os.unlink(path)
