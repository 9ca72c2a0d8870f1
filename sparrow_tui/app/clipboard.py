"""Copying: through the terminal (OSC 52), and to the system's clipboard where there is one."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread

MOST = 1_000_000
"""Characters sent through the terminal; more makes terminals drop it all."""


def copy(text: str, terminal: Callable[[str], None]) -> None:
    """Copy a text both ways. Neither is sure to work; none fails loudly.

    Args:
        text: safe text.
        terminal: sends it through the terminal.
    """
    if len(text) <= MOST:
        terminal(text)
    Thread(target=_to_system, args=(text,), name="clipboard", daemon=True).start()


def _to_system(text: str) -> None:
    # Starts a program such as xclip; that may take a while, or hang.
    try:
        import pyperclip

        pyperclip.copy(text)
    except Exception:
        return  # no clipboard here: the terminal has it, or nothing can
