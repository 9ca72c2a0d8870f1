"""Numbers on the command line."""

from __future__ import annotations

import argparse

MOST = 1 << 53


def whole(text: str) -> int:
    """A whole number from 0 on.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    try:
        number = int(text)
    except ValueError:
        number = -1
    if not 0 <= number <= MOST:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 on")
    return number


def integer(text: str) -> int:
    """Any whole number.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    try:
        return max(-MOST, min(int(text), MOST))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
