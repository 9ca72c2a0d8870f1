"""Line files (JSONL) read incrementally: complete lines only, with their offsets."""

from __future__ import annotations

import codecs
import hashlib
import io
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import msgspec

from sparrow_tui.agents import plain
from sparrow_tui.agents.base import Checkpoint, SourceError, stamp

AT_ONCE = 8_000_000
"""Bytes of a file up to which it is looked at as a whole."""
BUFFER = 128 << 10
"""Bytes read at a time: lines with tool output are long."""
HEAD = 4096
"""Bytes at the start of a file that tell whether it is still the same file."""

GLUED = b'}{"'
"""Where a record follows another on the same line: within JSON it does not occur."""
PIECES = 50
"""Places in a line at which it is tried whether a record ends."""

Record = TypeVar("Record")

_decode = msgspec.json.Decoder().decode


def open_source(path: str | Path) -> BinaryIO:
    """Open a file read-only, seekable; ``.zst`` files are decompressed on the way.

    Raises:
        SourceError: it cannot be opened.
    """
    try:
        raw = open(path, "rb", BUFFER, opener=plain.opener)  # noqa: SIM115 - the caller closes it
    except OSError as error:
        raise SourceError(f"it cannot be opened: {error.strerror or error}") from error
    if str(path).endswith(".zst"):
        import zstandard

        # A compressed rollout is never appended to, so it is read whole, once, as a stream.
        reader = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True)
        return io.BufferedReader(reader)
    return raw


def beginning(path: str | Path, length: int) -> bytes:
    """A file's first ``length`` bytes, decompressed if need be.

    Raises:
        SourceError: the file cannot be read.
    """
    with open_source(path) as file, _told():
        return file.read(length)


def fingerprint(path: str | Path, length: int = HEAD) -> str:
    """Fingerprint of a file's first ``length`` bytes, with the number of bytes seen.

    Raises:
        SourceError: the file cannot be read.
    """
    head = beginning(path, length)
    return f"{len(head)}:{hashlib.blake2b(head, digest_size=8).hexdigest()}"


def resumable(path: str, since: Checkpoint | None, size: int) -> bool:
    """Whether reading may go on from a checkpoint: the file only grew since.

    Compressed files are always read from their beginning.
    """
    if since is None or since.offset == 0 or path.endswith(".zst") or size < since.offset:
        return False
    length = int(since.head.partition(":")[0] or 0)
    return length > 0 and fingerprint(path, length) == since.head


def lines(path: str | Path, offset: int = 0) -> Iterator[tuple[int, bytes]]:
    """Complete lines from ``offset`` on, each with the offset where it starts.

    A last line without a newline is given only if it is whole JSON, since a live writer may
    be in the middle of it. Blank lines are passed over. Where a line break is missing between
    records, each counts as a line.

    Raises:
        SourceError: the file cannot be opened or read.
    """
    with open_source(path) as file, _told():
        if offset:
            file.seek(offset)
        for line in chain.from_iterable(map(_unglued, file)):
            start, offset = offset, offset + len(line)
            if not line.endswith(b"\n") and parse(line) is None:
                return
            if not line.isspace():
                yield start, line


def _unglued(line: bytes) -> Sequence[bytes]:
    """The records of a line: a writer that was cut off left out the break between them."""
    if GLUED not in line or parse(line) is not None:
        return (line,)
    pieces = []
    begin = end = 0
    for _ in range(PIECES):
        end = line.find(GLUED, end) + 1
        if not end:
            break
        if parse(line[begin:end]) is not None:
            pieces.append(line[begin:end])
            begin = end
    return (*pieces, line[begin:])


def glance(path: str | Path, decoder: msgspec.json.Decoder[Record]) -> Iterator[tuple[int, Record]]:
    """What a decoder for a few fields makes of the lines it takes, with their numbers.

    Numbers are from 0, blank lines not counted.

    Raises:
        SourceError: the file cannot be opened or read.
    """
    with open_source(path) as file, _told():
        # Without a number just what there is is made room for.
        small = os.stat(path).st_size < AT_ONCE and not str(path).endswith(".zst")
        data = file.read() if small else file.read(AT_ONCE)
        whole = small or len(data) < AT_ONCE
        data = data.removeprefix(codecs.BOM_UTF8)
        if whole:
            with suppress(msgspec.MsgspecError, UnicodeError, RecursionError):
                yield from enumerate(decoder.decode_lines(data))
                return
        number = -1
        some = io.BytesIO(data + file.readline())
        for line in chain.from_iterable(map(_unglued, chain(some, file))):
            if line.isspace():
                continue
            number += 1
            try:
                record = decoder.decode(line)
            except (msgspec.MsgspecError, UnicodeError, RecursionError):
                continue
            yield number, record


def record(path: str | Path, number: int) -> dict[str, Any] | None:
    """The JSON object of a line, by its number among those that are not blank.

    Raises:
        SourceError: the file cannot be opened or read.
    """
    return next((found for _, found in islice(records(path), number, None)), None)


def newlines(path: str | Path, start: int, end: int) -> int:
    """Line breaks between two offsets of a file.

    Raises:
        SourceError: the file cannot be opened or read.
    """
    with open_source(path) as file, _told():
        file.seek(start)
        return file.read(end - start).count(b"\n")


def checksum(path: str | Path, start: int, end: int, before: int = 0) -> int:
    """CRC-32 of the bytes from an offset up to another; ``before``: of those that come first.

    Raises:
        SourceError: the file cannot be opened or read.
    """
    with open_source(path) as file, _told():
        file.seek(start)
        while start < end and (data := file.read(min(end - start, AT_ONCE))):
            before, start = zlib.crc32(data, before), start + len(data)
    return before


def intact(path: str | Path, was: str, end: int, checked: int) -> bool:
    """Whether the bytes up to an offset are those that were read.

    They are taken for that if the file has grown. One that has only changed is looked through:
    something in it may have been blotted out.

    Args:
        path: the file.
        was: its `stamp` once they were read.
        end: the offset.
        checked: their `checksum`.

    Raises:
        SourceError: the file cannot be opened or read.
    """
    with _told():
        now = stamp(os.stat(path))
    if now == was or now.partition(":")[0] != was.partition(":")[0]:
        return True
    return checksum(path, 0, end) == checked


@contextmanager
def _told() -> Iterator[None]:
    """What goes wrong while a file is read, as one sentence."""
    try:
        yield
    except (OSError, EOFError, ValueError) as error:
        raise SourceError(f"it cannot be read: {error}") from error
    except Exception as error:
        if type(error).__module__.startswith("zstandard"):
            raise SourceError(f"it is not whole zstd data: {error}") from error
        raise


def parse(line: bytes | str) -> Any:
    """The JSON value of a line, or ``None`` if it is broken.

    Falls back to the lenient stdlib parser for lone surrogates, invalid UTF-8 and a byte order
    mark, so that a line is lost only when it is not JSON at all.
    """
    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _decode(line)
    import json

    with suppress(ValueError, RecursionError):
        if isinstance(line, bytes):
            line = line.decode("utf-8-sig", errors="replace")
        return json.loads(line, strict=False)
    return None


def records(path: str | Path, offset: int = 0) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """As `lines`, parsed: ``None`` for a line that is not a JSON object."""
    for start, line in lines(path, offset):
        value = parse(line)
        yield start, value if isinstance(value, dict) else None
