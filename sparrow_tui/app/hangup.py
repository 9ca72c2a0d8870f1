"""Whether the terminal is still there: where no signal tells, an app would go on for ever."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from threading import Thread

ENDED = 129
"""Exit code of a program whose terminal was closed: 128 and SIGHUP."""
LOOK = 2.0
"""Seconds between two looks."""
PATIENCE = 5.0
"""Seconds an app has to end by itself."""


def watch(leave: Callable[[], object]) -> None:
    """Have the app end when its terminal is closed.

    Args:
        leave: asks it to, from any thread. An app that waits for its last frame to be written,
            to a terminal that takes no more, cannot: then the process ends all the same.
    """

    def look() -> None:
        while not hung_up():
            time.sleep(LOOK)
        leave()
        time.sleep(PATIENCE)
        os._exit(ENDED)

    Thread(target=look, name="hangup", daemon=True).start()


def hung_up() -> bool:
    """Whether our terminal has been closed."""
    try:
        import termios
    except ImportError:  # Windows ends the programs of a closed console
        return False
    try:
        termios.tcgetattr(sys.__stdin__.fileno())  # type: ignore[union-attr]
    except termios.error:
        return True
    except (AttributeError, OSError, ValueError):
        return False  # never was a terminal
    return False
