"""One session in one line file: the loop that turns its records into batches and checkpoints."""

from __future__ import annotations

import hashlib
import os
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from sparrow_tui.agents import lines
from sparrow_tui.agents.base import (
    BATCH_BYTES,
    BATCH_TURNS,
    Batch,
    Checkpoint,
    Source,
    SourceError,
    file_source,
    stamp,
)
from sparrow_tui.model import (
    Block,
    Coverage,
    Raw,
    Reasoning,
    SessionInfo,
    Text,
    ToolResult,
    Turn,
    Usage,
)
from sparrow_tui.scrub import scrubbed

WRONG_SHAPE = (
    KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError, OverflowError,
)  # fmt: skip
"""What a record of an unexpected shape raises while it is taken apart: it counts as bad."""

_encode, _decode = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder().decode

REREADINGS = 5
"""How often a file is begun anew in one reading."""
TAIL = 256
"""Bytes before a checkpoint that must be the same for reading to go on."""


class Rewritten(Exception):
    """Raised by a session whose past changes with this record: it is read again from the start."""


class LineSession(ABC):
    """One agent's way to read a line file that holds one session.

    Everything in ``info``, ``state`` and ``open`` survives in the checkpoint, so that a later
    reading goes on with the next line only.
    """

    def __init__(self, source: Source, session_id: str) -> None:
        self.source = source
        """What is read."""
        self.info = SessionInfo(id=session_id)
        """The session's facts so far."""
        self.state: dict[str, Any] = {}
        """Plain values the agent's module needs from one reading to the next."""
        self.open: list[Turn] = []
        """Turns to which following records may add; they come after those already given."""
        self.lines = 0
        """Line breaks of the file that were passed."""
        self.checked = 0
        """Checksum of the bytes that were read."""
        self.coverage = Coverage()
        """Figures of the batch in the making; ``records`` and ``bad`` are counted outside."""

    @abstractmethod
    def take(self, record: dict[str, Any]) -> Iterator[Turn]:
        """The turns a record completes; raises `Rewritten` to start over."""

    def ignores(self, line: bytes) -> bool:
        """Whether a line is left out by rule without being parsed."""
        return False

    def begin(self) -> None:  # noqa: B027 - most agents have nothing to do here
        """Called before the first record of a reading from the start."""

    def finish(self) -> None:  # noqa: B027
        """Called after the last record of each reading: side files are looked at here."""

    def provisional(self) -> list[Turn]:
        """Turns to show after the open ones until the next reading makes them anew."""
        return []

    def close(self) -> Iterator[Turn]:
        """Give the open turns as finished; those with nothing in them go."""
        finished, self.open = self.open, []
        yield from (turn for turn in finished if turn.blocks or turn.usage)

    def seen(self, time: int | None) -> int | None:
        """Note a moment at which the session was alive; gives it back."""
        if time is not None:
            if self.info.created_at is None:
                self.info.created_at = time
            self.info.updated_at = max(time, self.info.updated_at or time)
        return time

    def skip(self) -> None:
        """Count the record at hand as left out by rule."""
        self.coverage.skipped += 1

    def keep(self) -> None:
        """Count the record at hand as kept."""
        self.coverage.kept += 1

    def unknown(self, kind: str, record: Any, time: int | None = None) -> Turn:
        """A record of a kind nobody told us about, as a turn of its own."""
        count_unknown(self.coverage, kind)
        self.keep()
        return Turn(role="system", blocks=[Raw(kind, record)], time=time, meta=True)


def append_text(blocks: list[Block], block: Block) -> None:
    """Add a block; a piece of streamed text or reasoning joins the piece before it."""
    last = blocks[-1] if blocks else None
    if isinstance(block, Text | Reasoning) and type(last) is type(block):
        last.text += block.text
    else:
        blocks.append(block)


def note_blocks(coverage: Coverage, blocks: Iterable[Block], known: Container[str] = ()) -> None:
    """Count blocks of kinds nobody told us about, nested ones too."""
    for block in blocks:
        if isinstance(block, Raw) and block.kind not in known:
            count_unknown(coverage, f"block {block.kind}")
        elif isinstance(block, ToolResult):
            note_blocks(coverage, block.content, known)


def count_unknown(coverage: Coverage, kind: str) -> None:
    """Count one occurrence of an unknown kind; its name is cut to a sensible length."""
    kind = kind[:80]
    coverage.unknown[kind] = coverage.unknown.get(kind, 0) + 1


def read_session(
    source: Source, since: Checkpoint | None, make: Callable[[Source], LineSession]
) -> Iterator[Batch]:
    """Read a line file from a checkpoint, or whole where the checkpoint no longer fits.

    Args:
        source: the file.
        since: where the last reading stopped.
        make: a new, empty session for the file.

    Raises:
        SourceError: the file cannot be read.
    """
    session = make(source)
    start, offset, fresh = 0, 0, True
    if (
        since is not None
        and lines.resumable(source.path, since, _size(source))
        and _restore(session, since.state, _tail(source.path, since.offset))
        and lines.intact(source.path, since.state["stamp"], since.offset, session.checked)
    ):
        start, offset, fresh = since.turns, since.offset, False
    elif since is not None:
        session = make(source)
    for _ in range(REREADINGS):
        try:
            yield from _batches(session, start, offset, fresh)
            return
        except Rewritten:
            # The session knows now what it could not know at first; it raises again only if
            # the file has grown meanwhile.
            session = make(source)
            session.state["rewritten"] = True
            start, offset, fresh = 0, 0, True
    raise SourceError("it changes too fast to be read")


def _batches(session: LineSession, start: int, offset: int, fresh: bool) -> Iterator[Batch]:
    path = session.source.path
    head = lines.fingerprint(path)
    held: list[Turn] = []
    size = 0
    if fresh:
        session.begin()
    for begin, line in lines.lines(path, offset):
        session.coverage.records += 1
        if begin > offset:  # blank lines
            session.lines += lines.newlines(path, offset, begin)
            session.checked = lines.checksum(path, offset, begin, session.checked)
        session.checked = zlib.crc32(line, session.checked)
        record = None if (passed := session.ignores(line)) else lines.parse(line)
        if passed:
            session.skip()
        elif isinstance(record, dict):
            try:
                held.extend(session.take(record))
            except WRONG_SHAPE:
                session.coverage.bad += 1
            session.coverage.locate(f"{session.lines + 1}")
        else:
            session.coverage.bad += 1
        offset = begin + len(line)
        session.lines += line.endswith(b"\n")
        size += len(line)
        if len(held) >= BATCH_TURNS or size >= BATCH_BYTES:
            yield from _batch(session, start, held, fresh, offset, head)
            start, held, size, fresh = start + len(held), [], 0, False
    session.finish()
    yield from _batch(session, start, held, fresh, offset, head, session.provisional())


def _batch(
    session: LineSession,
    start: int,
    held: list[Turn],
    fresh: bool,
    offset: int,
    head: str,
    last: Sequence[Turn] = (),
) -> Iterator[Batch]:
    """The turns at hand with the open ones, in batches; the checkpoint goes with the last."""
    coverage, session.coverage = session.coverage, Coverage()
    settled = start + len(held)
    turns = [*held, *(_copy(turn) for turn in session.open if turn.blocks or turn.usage), *last]
    while len(turns) > BATCH_TURNS:
        yield Batch(scrubbed(session.info), start, turns[:BATCH_TURNS], Coverage(), fresh=fresh)
        start, turns, fresh = start + BATCH_TURNS, turns[BATCH_TURNS:], False
    state = {
        "info": msgspec.to_builtins(session.info),
        "state": session.state,
        "open": msgspec.to_builtins(session.open),
        "lines": session.lines,
        "tail": _tail(session.source.path, offset),
        "checked": session.checked,
        "stamp": stamp(os.stat(session.source.path)),
    }
    # A copy: the session goes on changing what it holds.
    checkpoint = Checkpoint(offset, head, settled, _kept(state))
    info = scrubbed(session.info)
    yield Batch(info, start, turns, coverage, fresh=fresh, checkpoint=checkpoint)


def _kept(state: Any) -> Any:
    """A copy of plain values that can be stored."""
    try:
        return _decode(_encode(state))
    except (UnicodeEncodeError, OverflowError):
        return scrubbed(state)


def _restore(session: LineSession, kept: Any, tail: str) -> bool:
    """Put a checkpoint's state back; False if it is not of this making or not of this file."""
    try:
        if kept["tail"] != tail:
            return False
        session.info = msgspec.convert(kept["info"], SessionInfo)
        session.state = dict(kept["state"])
        session.open = msgspec.convert(kept["open"], list[Turn])
        session.lines, session.checked = int(kept["lines"]), int(kept["checked"])
    except (*WRONG_SHAPE, msgspec.ValidationError):
        return False
    return True


def _tail(path: str, offset: int) -> str:
    """Fingerprint of the bytes before an offset: a file cut short that grew again has others.

    A compressed file is never read on from an offset, so it has none.
    """
    if path.endswith(".zst"):
        return ""
    length = min(offset, TAIL)
    with lines.open_source(path) as file:
        file.seek(offset - length)
        return hashlib.blake2b(file.read(length), digest_size=8).hexdigest()


def _size(source: Source) -> int:
    """Bytes of the file now: it may have changed since it was found."""
    now = file_source(source.agent, source.path)
    return now.size if now is not None else 0


def _copy(turn: Turn) -> Turn:
    return msgspec.convert(msgspec.to_builtins(turn), Turn)


def with_side(source: Source | None, *side: Path | str) -> Source | None:
    """A source whose stamp also covers files beside it (titles, token sums)."""
    if source is None:
        return None
    stamps = [source.stamp]
    mtime = source.mtime
    for path in side:
        other = file_source(source.agent, path)
        if other is not None:
            stamps.append(other.stamp)
            mtime = max(mtime, other.mtime)
    return msgspec.structs.replace(source, stamp="+".join(stamps), mtime=mtime)


def some(usage: Usage) -> Usage | None:
    """The usage, or ``None`` if it counts nothing."""
    return usage if usage.total else None
