"""Files of ours: written whole or not at all, for their owner only."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path


class Refused(Exception):
    """A file was not written. The message is one sentence for the user."""


def write_atomically(path: Path, pieces: Iterable[str], *, force: bool = False) -> int:
    """Write text to a new file with mode 0600; it appears once it is complete.

    A device or a pipe is written to as it is: there is nothing to replace.

    Args:
        path: where to.
        pieces: the text, written as it comes.
        force: replace a file that is there.

    Returns:
        Bytes written.

    Raises:
        Refused: the file is there already, or cannot be written.
    """
    try:
        kind = path.stat().st_mode if path.exists() else 0
        if force and path.is_symlink():
            path = path.resolve()  # the file is replaced, not the link to it
    except (OSError, RuntimeError) as error:
        raise Refused(_sentence(path, error)) from None
    if stat.S_ISDIR(kind):
        raise Refused(f"{path} is a directory; name a file in it")
    if kind and not stat.S_ISREG(kind):
        return _write_through(path, pieces)
    if not force and os.path.lexists(path):
        raise Refused(f"{path} is there already; --force replaces it")
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
    except OSError as error:
        raise Refused(_sentence(path, error)) from None
    size = 0
    try:
        # mkstemp makes files only their owner can read.
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace", newline="") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
            size = os.fstat(file.fileno()).st_size
        if force:
            os.replace(temporary, path)
        else:
            _appear(temporary, path)
    except FileExistsError:
        raise Refused(f"{path} is there already; --force replaces it") from None
    except OSError as error:
        raise Refused(_sentence(path, error)) from None
    finally:
        if os.path.lexists(temporary):
            os.unlink(temporary)
    return size


def _write_through(path: Path, pieces: Iterable[str]) -> int:
    """Write text to a device or a pipe."""
    size = 0
    try:
        with open(path, "wb") as file:
            for piece in pieces:
                size += file.write(piece.encode("utf-8", "replace"))
    except OSError as error:
        raise Refused(_sentence(path, error)) from None
    return size


def _appear(temporary: str, path: Path) -> None:
    """Give the file its name, unless another has come to bear it meanwhile."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:
        # A file system without links.
        if os.path.lexists(path):
            raise FileExistsError(path) from None
        os.replace(temporary, path)


def _sentence(path: Path, error: Exception) -> str:
    reason = error.strerror if isinstance(error, OSError) else None
    return f"{path} cannot be written: {(reason or str(error)).lower()}"
