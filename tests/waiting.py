"""Waiting for a condition, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 60.0
"""Seconds after which something that was waited for is given up."""


def until(condition: Callable[[], object], what: str) -> None:
    """Wait until something holds.

    Raises:
        AssertionError: it does not come about.
    """
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError(f"it never came about: {what}")
