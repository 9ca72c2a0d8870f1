"""Tool output that was put off is indexed: parts are built side by side, one process writes."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sparrow_tui.paths import open_private
from sparrow_tui.store import built_parts, deferred, docid
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
        self._rows = self._chars = 0
        """Of pieces so far."""

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
            self._submit(every)
            if not self._under_way:
                return True
            piece, path, future = self._under_way[0]
            while not wait([future], PATIENCE).done:
                if stopped():
                    return False
            self._under_way.popleft()
            every -= piece.rows
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

    def _submit(self, left: int) -> None:
        """Keep every process busy, and one piece waiting; ``left``: turns that are put off."""
        assert self._pool is not None
        left -= sum(piece.rows for piece, _, _ in self._under_way)
        while len(self._under_way) <= self._processes:
            piece = self._store.next_piece(self._below, *self._share(left))
            if piece is None:
                return
            left -= piece.rows
            self._rows, self._chars = self._rows + piece.rows, self._chars + piece.chars
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

    def _share(self, left: int) -> tuple[int, int]:
        """Turns and characters of the next piece: all processes shall end together."""
        if not self._rows:
            return -(-left // self._processes), built_parts.CHARS
        chars = left * self._chars // self._rows
        pieces = max(1, -(-chars // built_parts.CHARS), -(-left // built_parts.ROWS))
        pieces += -(self._number + pieces) % self._processes
        # What is left at the end is the last piece's, as far as one takes it.
        return built_parts.ROWS, built_parts.CHARS if pieces == 1 else chars // pieces

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
