"""Values made storable: whatever JSON allows, in what UTF-8, SQLite and MessagePack can hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from sparrow_tui.sanitize import storable

Value = TypeVar("Value")
LEAST, MOST = -(1 << 63), (1 << 63) - 1
"""Integers a column can hold."""


def scrubbed(value: Value) -> Value:
    """A deep copy of plain values or a struct in which everything can be stored.

    Halves of surrogate pairs and NULs become U+FFFD, integers of more than 64 bits text; in a
    struct's own fields, which must stay integers, they become 0.
    """
    if not isinstance(value, msgspec.Struct):
        return _plain(value, str)  # type: ignore[no-any-return]
    built = msgspec.to_builtins(value)
    try:
        return msgspec.convert(_plain(built, str), type(value))
    except msgspec.ValidationError:
        return msgspec.convert(_plain(built, lambda _: 0), type(value))


def _plain(value: Any, huge: Callable[[int], Any]) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(str(key)): _plain(item, huge) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, huge) for item in value]
    if isinstance(value, int) and not LEAST <= value <= MOST:
        return huge(value)
    return value
