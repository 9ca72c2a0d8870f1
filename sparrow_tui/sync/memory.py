"""How an import's processes hold memory: they make and drop much, and hardly any of it stays."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress

GARBAGE = 200_000
"""New objects before a look for garbage: turns are trees, which free themselves."""
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Of mallopt(3), glibc's."""
_LARGE = 64 << 10
"""Bytes. What is larger goes back to the system when it is freed; glibc raises its own bound with
use, to 32 MB, and what is freed below that stays between smaller pieces: half as much again."""


def prepare() -> None:
    """Settle it for this process."""
    gc.set_threshold(GARBAGE)
    with suppress(OSError, AttributeError, TypeError):  # another C library
        library = ctypes.CDLL(None)
        library.mallopt(_TRIM_THRESHOLD, 2 * _LARGE)
        library.mallopt(_MMAP_THRESHOLD, _LARGE)
