"""Whether the terminal is still there: where no signal tells, an app would go on for ever."""

from __future__ import annotations

import sys

LOOK = 2.0
"""Seconds between two looks."""


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
