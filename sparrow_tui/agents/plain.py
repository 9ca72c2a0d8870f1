"""Plain files and nothing else: a pipe in the place of one would be waited for without end."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def opener(path: str, flags: int) -> int:
    """For the built-in ``open``: refuses what is no plain file, without waiting for it.

    Raises:
        OSError: it cannot be opened, or is a pipe, a device or a directory.
    """
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # Windows has no such pipes
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is not a plain file", path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read_bytes(path: Path | str, limit: int = -1) -> bytes:
    """A file's bytes, at most ``limit`` of them.

    Raises:
        OSError: as `opener`.
    """
    with open(path, "rb", opener=opener) as file:
        return file.read(limit)


def read_text(path: Path | str) -> str:
    """A file's text, whatever bytes are in it.

    Raises:
        OSError: as `opener`.
    """
    with open(path, encoding="utf-8", errors="replace", opener=opener) as file:
        return file.read()
