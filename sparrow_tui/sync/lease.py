"""One writer at a time: a lock beside the store that dies with its holder."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from sparrow_tui.store.base import StoreUnwritable

RETRY = 0.5
"""Seconds between two tries; the operating system frees the lock of a killed process at once."""


@contextmanager
def lease(store: Path, stopped: Callable[[], bool], waiting: Callable[[], None]) -> Iterator[bool]:
    """Hold the right to import into a store.

    Args:
        store: the store's file.
        stopped: true gives up waiting.
        waiting: called once if another process holds the lease.

    Yields:
        Whether the lease is held; false only after ``stopped``.

    Raises:
        StoreUnwritable: nothing can be made beside the store.
    """
    lock = FileLock(os.fspath(store.with_name(store.name + ".lock")), mode=0o600)
    told = False
    while True:
        try:
            lock.acquire(timeout=0)
            break
        except Timeout:
            if not told:
                waiting()
                told = True
            if stopped():
                yield False
                return
            time.sleep(RETRY)
        except OSError as error:
            raise StoreUnwritable(
                f"the store {store} cannot be written to: {error.strerror or error}"
            ) from error
    try:
        yield True
    finally:
        lock.release()
