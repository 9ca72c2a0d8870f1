"""An outline's lines, any number of them in little memory: those one looks at are unpacked."""

from __future__ import annotations

import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import overload

from sparrow_tui.app.outline import Item

UNPACKED = 8
"""Batches that stay unpacked: more than a screen shows."""


class OutlineItems:
    """Lines as they were read, batch by batch."""

    def __init__(self) -> None:
        self.turns = array("q")
        """The turn of each line, in order."""
        self._starts = array("q")
        """Number of the first line of each batch."""
        self._batches: list[bytes] = []
        self._lines = lru_cache(maxsize=UNPACKED)(self._unpacked)

    def __len__(self) -> int:
        return len(self.turns)

    def add(self, items: Sequence[Item]) -> None:
        """Append a batch; no text of it has a line break."""
        if not items:
            return
        self._starts.append(len(self.turns))
        self.turns.extend(item.turn for item in items)
        text = "\n".join(f"{item.kind} {item.text}" for item in items)
        self._batches.append(zlib.compress(text.encode(), 1))

    def _unpacked(self, batch: int) -> list[str]:
        return zlib.decompress(self._batches[batch]).decode().split("\n")

    def item(self, number: int) -> Item:
        """A line by its number."""
        batch = bisect_right(self._starts, number) - 1
        kind, _, text = self._lines(batch)[number - self._starts[batch]].partition(" ")
        return Item(self.turns[number], kind, text)

    def fitting(self, words: Sequence[str], start: int = 0) -> Iterator[int]:
        """Numbers of lines, from that of a batch's first on, whose kind and text have all words.

        Args:
            words: in small letters.
            start: a number; the lines before it are left out.
        """
        if not words:
            yield from range(start, len(self))
            return
        for batch in range(max(bisect_right(self._starts, start) - 1, 0), len(self._batches)):
            lower = zlib.decompress(self._batches[batch]).decode().lower()
            if not all(word in lower for word in words):
                continue
            for number, line in enumerate(lower.split("\n"), self._starts[batch]):
                if number >= start and all(word in line for word in words):
                    yield number


class Picked(Sequence[Item]):
    """Some of an outline's lines, in order."""

    def __init__(self, items: OutlineItems, numbers: Iterable[int] = ()) -> None:
        """Args: the outline; numbers of the lines picked."""
        self._items = items
        self._numbers = array("q", numbers)

    def extend(self, numbers: Iterable[int]) -> None:
        """Pick more, all after those picked."""
        self._numbers.extend(numbers)

    def at_turn(self, turn: int) -> int:
        """The last row at or before a turn; 0 if all are after it."""
        turns = self._items.turns
        return max(bisect_right(self._numbers, turn, key=turns.__getitem__) - 1, 0)

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, row: int) -> Item: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[Item]: ...
    def __getitem__(self, row: int | slice) -> Item | Sequence[Item]:
        if isinstance(row, slice):
            return [self._items.item(number) for number in self._numbers[row]]
        return self._items.item(self._numbers[row])
