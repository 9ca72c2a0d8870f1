"""One writer at a time: a lock beside the store that dies with its holder.

Who follows holds it for hours, and gives it away for a while to one who asks: an import that ends.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from sparrow_tui.store.base import StoreUnwritable

RETRY = 0.5
"""Seconds between two tries; the operating system frees the lock of a killed process at once."""

WISH = ".wish"
"""Ending of the lock that one holds who asks for the lease."""


@contextmanager
def lease(
    store: Path,
    stopped: Callable[[], bool],
    waiting: Callable[[], None],
    *,
    asks: bool = False,
) -> Iterator[bool]:
    """Hold the right to import into a store.

    Args:
        store: the store's file.
        stopped: true gives up waiting.
        waiting: called once if another process holds the lease.
        asks: whether a holder that only follows should give way.

    Yields:
        Whether the lease is held; false only after ``stopped``.

    Raises:
        StoreUnwritable: nothing can be made beside the store.
    """
    lock, wish = _lock(store, ".lock"), _lock(store, WISH)
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
                wish.release()
                yield False
                return
            if asks:
                with suppress(Timeout, OSError):
                    wish.acquire(timeout=0)
            time.sleep(RETRY)
        except OSError as error:
            raise StoreUnwritable(
                f"the store {store} cannot be written to: {error.strerror or error}"
            ) from error
    wish.release()
    try:
        yield True
    finally:
        lock.release()


def wanted(store: Path) -> bool:
    """Whether another process asks for the lease that is held here."""
    if not store.with_name(store.name + WISH).exists():
        return False
    wish = _lock(store, WISH)
    try:
        wish.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        return False
    wish.release()
    return False


def give_way(store: Path, stopped: Callable[[], bool]) -> None:
    """Wait until who asks for the lease, which was just let go, has it."""
    while wanted(store) and not stopped():
        time.sleep(RETRY / 5)


def _lock(store: Path, ending: str) -> FileLock:
    return FileLock(os.fspath(store.with_name(store.name + ending)), mode=0o600)
