"""Exports of chat services: ``conversations.json`` by itself or in a zip, read item by item."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from sparrow_tui.agents import plain
from sparrow_tui.agents.base import Place, Source, SourceError, entry_source, file_source, walk
from sparrow_tui.agents.documents import Incomplete, array_items

_MEMBER = re.compile(r"(?:^|/)conversations(?:-\d+)?\.json$")
ARCHIVE = re.compile(r"\.zip$", re.IGNORECASE)
"""Names of zips."""
MEMBER_LIMIT = 4_000_000_000
"""Unpacked bytes of conversations in an export; more is refused."""
RATIO_LIMIT = 200
"""Times a member may be larger than its packed form: text packs some tenfold."""
ENTRY_LIMIT = 100_000
"""Files in an export."""
DOWNLOAD_LIMIT = 500
"""Files in the download folder that are looked at."""


def downloads(agent: str, place: Place, key: str) -> Iterator[Source]:
    """Exports in the download folder: ``conversations.json`` and zips that have one.

    Only the folder itself is looked at, not what is below it; of a zip only its directory and
    the first bytes of one member.

    Args:
        agent: the name for the sources.
        place: whose downloads.
        key: a key only this service's conversations have.
    """
    for number, entry in enumerate(walk(place.home / "Downloads", (".json", ".zip", ".ZIP"), 0)):
        if number >= DOWNLOAD_LIMIT:
            return
        if entry.name.endswith(".json") and not _MEMBER.search(entry.name):
            continue
        source = entry_source(agent, entry)
        if source is not None and key in head_of(Path(entry.path)):
            yield source


def source_of(agent: str, path: Path) -> Source | None:
    """A JSON file or a zip as a source."""
    return file_source(agent, path) if path.suffix.lower() in (".json", ".zip") else None


def is_export(path: Path, head: bytes, key: str) -> bool:
    """Whether a file holds conversations that have a certain key."""
    if head.startswith(b"PK\x03\x04"):
        return key in head_of(path)
    return head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"[", b"{") and key in text_keys(head)


def head_of(path: Path) -> frozenset[str]:
    """The keys in the first 64 KiB of an export's conversations; none if it cannot be read."""
    with suppress(SourceError, OSError, EOFError, zlib.error), opened(path) as files:
        for file in files:
            return text_keys(file.read(65536))
    return frozenset()


def text_keys(head: bytes) -> frozenset[str]:
    """Names in quotes before a colon."""
    return frozenset(
        name.decode("ascii") for name in re.findall(rb'"([A-Za-z_]{1,40})"\s*:', head[:65536])
    )


def conversations(path: str | Path) -> Iterator[Any]:
    """Every conversation of an export, one at a time.

    Raises:
        SourceError: it cannot be opened, is not an export, or breaks off.
    """
    with opened(Path(path)) as files:
        for file in files:
            for item in array_items(file):
                # Some exports wrap the list.
                inner = item.get("conversations") if isinstance(item, dict) else None
                yield from inner if isinstance(inner, list) else [item]


@contextmanager
def opened(path: Path) -> Iterator[Iterator[IO[bytes]]]:
    """The files of conversations in an export, each open while it is its turn.

    Raises:
        SourceError: it cannot be opened, has no conversations, or unpacks to far more than it
            should.
    """
    try:
        if not ARCHIVE.search(path.name):
            with open(path, "rb", opener=plain.opener) as file:
                yield iter((file,))
            return
        with open(path, "rb", opener=plain.opener) as file, zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if len(members) > ENTRY_LIMIT:
                raise SourceError(f"it holds more than {ENTRY_LIMIT} files")
            wanted = sorted(
                (member for member in members if _MEMBER.search(member.filename)),
                key=lambda member: member.filename,
            )
            if not wanted:
                raise SourceError("it holds no conversations.json")
            _check(wanted)
            yield _members(archive, wanted)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError) as error:
        raise SourceError(f"it is not a zip file that can be read: {error}") from error
    except OSError as error:
        raise SourceError(f"it cannot be opened: {error.strerror or error}") from error


def _check(members: list[zipfile.ZipInfo]) -> None:
    """Refuse what would unpack to more than an export can be."""
    total = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if total > MEMBER_LIMIT:
        raise SourceError(f"it would unpack to more than {MEMBER_LIMIT // 1_000_000_000} GB")
    if total > 1_000_000 and total > packed * RATIO_LIMIT:
        raise SourceError("it would unpack to more than two hundred times its size")


def _members(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> Iterator[IO[bytes]]:
    for member in members:
        try:
            file = archive.open(member)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
            raise Incomplete(f"{member.filename[:80]} cannot be read: {error}") from error
        with file:
            yield file
