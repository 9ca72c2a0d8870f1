"""Chat files that no program owns: OpenAI's and Anthropic's messages as JSON or in lines."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from sparrow_tui.agents import lines, plain
from sparrow_tui.agents.base import (
    Agent,
    Batch,
    Checkpoint,
    Place,
    Source,
    SourceError,
    file_source,
)
from sparrow_tui.agents.by_session import cut
from sparrow_tui.agents.common import as_text, milliseconds
from sparrow_tui.agents.documents import Incomplete, array_items
from sparrow_tui.agents.generic_lines import MessageLines, StreamLines, note, session_id
from sparrow_tui.agents.generic_shapes import (
    answers_of,
    looks_cut,
    messages_of,
    shape,
    turns_of,
)
from sparrow_tui.agents.line_session import WRONG_SHAPE, count_unknown, read_session
from sparrow_tui.agents.openai_messages import usage_of
from sparrow_tui.model import Coverage, SessionInfo, Turn
from sparrow_tui.scrub import scrubbed

_SUFFIXES = (".json", ".jsonl", ".ndjson", ".txt")
_HEAD = 65_536
_BLANK = b"\xef\xbb\xbf \t\r\n"


class Generic(Agent):
    """Reads files given by hand that have one of the usual shapes; it has no places of its own."""

    name = "generic"
    label = "Chat file"
    glyph = "≡"
    color = "#8f9aa8"
    no_restore = "a chat file belongs to no program"
    no_resume = "a chat file belongs to no program that could go on with it"

    def roots(self, place: Place) -> list[Path]:
        """None."""
        return []

    def sources(self, place: Place) -> Iterator[Source]:
        """None."""
        yield from ()

    def sniff(self, path: Path, head: bytes) -> bool:
        """Whether the file begins with a message, a conversation, an item or a stream."""
        return bool(_kind(path, head))

    def source_at(self, path: Path) -> Source | None:
        """The file, if it has one of the shapes."""
        try:
            kind = _kind(path, plain.read_bytes(path, _HEAD))
        except (OSError, ValueError):
            return None
        return file_source(self.name, path, kind) if kind else None

    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Batch]:
        """Lines from a checkpoint on; a document whole, if its bytes changed."""
        kind = source.kind or _kind_of(source.path)
        if kind == "stream":
            yield from read_session(source, since, StreamLines)
        elif kind in ("message", "item"):
            yield from read_session(source, since, MessageLines)
        elif kind == "conversation":
            yield from _conversations(source, since)
        elif kind == "document":
            yield from _document(source, since)
        else:
            raise SourceError("it is not a chat file of a known shape")


def _kind(path: Path, head: bytes) -> str:
    """``document``, what each line is, or nothing."""
    if path.suffix.lower() not in _SUFFIXES:
        return ""
    if path.name.startswith("context") and (path.parent / "wire.jsonl").exists():
        return ""  # an earlier part of a session of Kimi's
    start = head.lstrip(_BLANK)
    if start[:1] == b"[":
        try:
            first = next(array_items(io.BytesIO(start)), None)
        except Incomplete:
            return "document" if looks_cut(start) else ""
        return "document" if shape(first) else ""
    if start[:1] != b"{":
        return ""
    line, newline, rest = start.partition(b"\n")
    first = lines.parse(line)
    if isinstance(first, dict):
        single = path.suffix.lower() == ".json" and not rest.strip()
        found = shape(first)
        return "document" if found == "conversation" and single else found
    if newline and not rest and len(head) < _HEAD:
        return ""
    whole = lines.parse(start)
    if isinstance(whole, dict):
        return "document" if shape(whole) == "conversation" else ""
    if len(head) < _HEAD or not looks_cut(start):
        return ""
    # One long line may be the first of many.
    return "document" if newline or path.suffix.lower() == ".json" else "conversation"


def _kind_of(path: str) -> str:
    source = AGENT.source_at(Path(path))
    return source.kind if source is not None else ""


def _conversations(source: Source, since: Checkpoint | None) -> Iterator[Batch]:
    """A conversation a line: each is a session."""
    path = source.path
    now = file_source(source.agent, path)
    start = number = 0
    if since is not None and lines.resumable(path, since, now.size if now else 0):
        start, number = since.offset, since.turns
    head = lines.fingerprint(path)
    for begin, line in lines.lines(path, start):
        number += 1
        record = lines.parse(line)
        for batch in _session(record, session_id(path, number), source, number):
            batch.checkpoint = Checkpoint(begin + len(line), head, number)
            yield batch


def _document(source: Source, since: Checkpoint | None) -> Iterator[Batch]:
    """A document: one conversation, the messages of one, or an array of conversations."""
    mark = _digest(source.path)
    if since is not None and since.head == mark:
        return
    last: Batch | None = None
    for batch in _batches(source):
        if last is not None:
            yield last
        last = batch
    if last is not None:
        last.checkpoint = Checkpoint(head=mark)
        yield last


def _digest(path: str) -> str:
    """A fingerprint of all bytes of a file of any size."""
    found = hashlib.sha256()
    with lines.open_source(path) as file:
        while chunk := file.read(1 << 20):
            found.update(chunk)
    return found.hexdigest()


def _batches(source: Source) -> Iterator[Batch]:
    found = 0
    with lines.open_source(source.path) as file:
        items = array_items(file)
        try:
            first = next(items, None)
            kind = shape(first)
            if kind in ("message", "item"):
                found = 1
                info = SessionInfo(id=session_id(source.path))
                yield from _one(_whole(first, items), info, source)
                return
            for number, value in enumerate(chain([] if first is None else [first], items), 1):
                found += shape(value) == "conversation"
                yield from _session(value, session_id(source.path, number), source, number)
        except Incomplete:
            # What stands before the break is kept.
            if not found:
                raise
    if not found:
        raise SourceError("it holds no conversation")


def _whole(first: Any, items: Iterator[Any]) -> Iterator[Any]:
    """Messages of an array, as far as it is whole."""
    yield first
    try:
        yield from items
    except Incomplete:
        return


def _session(value: Any, native: str, source: Source, number: int) -> Iterator[Batch]:
    """One conversation; a value that is none is passed over."""
    info = SessionInfo(id=native)
    messages = messages_of(value) if isinstance(value, dict) else None
    if messages is None and isinstance(value, dict):
        messages = answers_of(value) or None
    if messages is None:
        return
    for key in ("title", "name"):
        if isinstance(value.get(key), str) and value[key].strip():
            info.title = value[key].strip()[:200]
    info.model = as_text(value.get("model")) or None
    info.created_at = info.updated_at = milliseconds(
        value.get("created_at") or value.get("created") or value.get("timestamp")
    )
    for key in ("custom_id", "id"):
        if isinstance(value.get(key), str):
            info.extra[key] = value[key]
    yield from _one(messages, info, source, value.get("usage"))


def _one(
    messages: Iterable[Any], info: SessionInfo, source: Source, usage: Any = None
) -> Iterator[Batch]:
    coverage = Coverage()
    for batch in cut(info, _turns(messages, info, coverage, usage), coverage):
        if info.updated_at is None:
            info.updated_at = source.mtime or None
        if info.title is None:
            info.title = as_text(info.extra.get("custom_id")) or Path(source.path).name
        batch.session = scrubbed(batch.session)
        yield batch


def _turns(
    messages: Iterable[Any], info: SessionInfo, coverage: Coverage, usage: Any
) -> Iterator[Turn]:
    """Turns; a usage of the whole conversation is the last answer's if that has none."""
    held: Turn | None = None
    for message in messages:
        coverage.records += 1
        try:
            turns = turns_of(message, partial(count_unknown, coverage))
        except WRONG_SHAPE:
            coverage.bad += 1
            continue
        coverage.kept += bool(turns)
        coverage.skipped += not turns
        for turn in turns:
            note(info, turn)
            if held is not None:
                yield held
            held = turn
    if held is not None:
        if held.role == "assistant" and held.usage is None:
            held.usage = usage_of(usage)
        yield held


AGENT = Generic()
