"""Where unexpected errors are written down: places in the code, never data."""

from __future__ import annotations

import os
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

from sparrow_tui import __version__
from sparrow_tui.paths import log_file, private_dir

LIMIT = 1_000_000
"""Bytes; a larger log starts anew."""


def record(error: BaseException) -> Path | None:
    """Append an error's kind and trace to the log; its path, or ``None`` if that fails.

    The message of the error and the values of variables may quote a transcript: they stay out.
    """
    path = log_file()
    places = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
    entry = (
        f"{datetime.now(UTC).isoformat(timespec='seconds')} sparrow-tui {__version__} "
        f"Python {sys.version.split()[0]}\n{places}{type(error).__qualname__}\n\n"
    )
    try:
        private_dir(path.parent)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        if path.exists() and path.stat().st_size > LIMIT:
            flags |= os.O_TRUNC
        with os.fdopen(os.open(path, flags, 0o600), "a", encoding="utf-8") as file:
            file.write(entry)
    except OSError:
        return None
    return path
