"""Temporary folders of ours: what a killed process left is removed by the next import."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import gettempdir

from filelock import FileLock, Timeout

from sparrow_tui.paths import private_dir, state_dir

_LOCK = ".lock"


def scratch_dir() -> Path:
    """This process's temporary folder, readable by its owner only; gone when the process is.

    It stands in our own state folder, beside a lock that the system frees when its holder dies,
    so that others know which folders nobody needs any more. Where nothing can be made there it
    is the system's folder for temporary files.
    """
    try:
        return private_dir(_folder_in(private_dir(_base())))
    except (OSError, Timeout):
        return Path(gettempdir())


@cache
def _folder_in(base: Path) -> Path:
    """A name, locked until this process ends."""
    from multiprocessing.util import Finalize

    folder = base / f"{os.getpid()}-{os.urandom(3).hex()}"
    lock = FileLock(f"{folder}{_LOCK}", mode=0o600)
    lock.acquire(timeout=0)
    # After multiprocessing's own, which it removes at -100; and where only it ends a process.
    Finalize(None, _remove, (folder, lock), exitpriority=-200)
    return folder


def sweep() -> None:
    """Remove what processes left that are gone."""
    with suppress(OSError):
        for name in os.listdir(_base()):
            if name.endswith(_LOCK):
                lock = FileLock(_base() / name, mode=0o600)
                with suppress(OSError, Timeout):
                    lock.acquire(timeout=0)
                    _remove(_base() / name.removesuffix(_LOCK), lock)


def _base() -> Path:
    return state_dir() / "tmp"


def _remove(folder: Path, lock: FileLock) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        os.unlink(lock.lock_file)
    lock.release()
