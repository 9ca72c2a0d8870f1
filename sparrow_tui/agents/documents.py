"""Whole JSON documents: read within bounds, arrays item by item, and what has changed."""

from __future__ import annotations

import codecs
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from sparrow_tui.agents import plain
from sparrow_tui.agents.base import Batch, SourceError
from sparrow_tui.agents.by_session import Seen
from sparrow_tui.agents.lines import parse
from sparrow_tui.sanitize import storable
from sparrow_tui.scrub import scrubbed

LIMIT = 512_000_000
"""Bytes of a document that is read in one piece."""
ITEM_LIMIT = 256_000_000
"""Characters of one item of an array."""
_CHUNK = 1 << 18
_SPACE = " \t\r\n\ufeff"


class Incomplete(SourceError):
    """An array ends or breaks off before its end; the items before were given."""


def load(path: str | Path) -> tuple[Any, str]:
    """A JSON file's value and a fingerprint of its bytes.

    Raises:
        SourceError: it cannot be opened, is too large or is not whole JSON.
    """
    data = read_bytes(path)
    value = parse(data)
    if value is None:
        raise SourceError("it is not whole JSON")
    return value, digest(data)


def read_bytes(path: str | Path, limit: int = LIMIT) -> bytes:
    """A file's bytes.

    Raises:
        SourceError: it cannot be opened or is larger than ``limit``.
    """
    try:
        data = plain.read_bytes(path, limit + 1)
    except OSError as error:
        raise SourceError(f"it cannot be opened: {error.strerror or error}") from error
    if len(data) > limit:
        raise SourceError(f"it is larger than {limit // 1_000_000} MB")
    return data


def digest(data: bytes) -> str:
    """A short fingerprint of bytes."""
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def array_items(file: IO[bytes]) -> Iterator[Any]:
    """The items of a JSON array, or the one value of a document that is none.

    Only one item is in memory at a time.

    Raises:
        Incomplete: the document breaks off or is not JSON from some point on.
    """
    window = _Window(file)
    first = window.peek()
    if not first:
        return
    if first != "[":
        yield window.value()
        return
    window.position += 1
    while True:
        mark = window.peek()
        if mark == "]":
            return
        if mark == ",":
            window.position += 1
            continue
        if not mark:
            raise Incomplete("it breaks off before its end")
        yield window.value()


class _Window:
    """The part of a document's text that is being looked at."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._text = ""
        self._ended = False
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        self._decoder = json.JSONDecoder(strict=False)
        self.position = 0
        """Where in the held text the next value or mark is."""

    def peek(self) -> str:
        """The next character that is not white space; empty at the end."""
        while True:
            while self.position < len(self._text):
                if self._text[self.position] not in _SPACE:
                    return self._text[self.position]
                self.position += 1
            if not self._more(_CHUNK):
                return ""

    def value(self) -> Any:
        """The next value. More is read, twice as much each time, until it is whole."""
        amount = _CHUNK
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self.position)
            except RecursionError as error:
                raise Incomplete("it is nested too deeply") from error
            except ValueError as error:
                held = len(self._text) - self.position
                if held > ITEM_LIMIT or not self._more(amount):
                    raise Incomplete(f"it is not JSON after item {self.position}") from error
                amount = max(amount, held)
                continue
            # A number may go on in what is not read yet.
            open_ended = end == len(self._text) and not isinstance(value, dict | list | str)
            if open_ended and self._more(amount):
                continue
            self.position = end
            return value

    def _more(self, amount: int) -> bool:
        if self._ended:
            return False
        try:
            data = self._file.read(amount)
        except Exception as error:  # zlib, zipfile and the system each have their own
            raise Incomplete(f"it cannot be read to its end: {error}") from error
        self._ended = not data
        self._text = self._text[self.position :] + self._decode(data, final=self._ended)
        self.position = 0
        return True


def sealed(batches: Iterator[Batch], seen: Seen, session_id: str, mark: Any) -> Iterator[Batch]:
    """Batches of one session; its mark is noted and the last batch gets the checkpoint."""
    last: Batch | None = None
    for batch in batches:
        batch.session = scrubbed(batch.session)
        if last is not None:
            yield last
        last = batch
    seen.note(storable(session_id), mark)
    if last is not None:
        last.checkpoint = seen.checkpoint()
        yield last
