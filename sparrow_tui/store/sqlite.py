"""The embedded engine: the store's contract on one SQLite file with FTS5."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import apsw

from sparrow_tui.model import SessionInfo, Turn
from sparrow_tui.store import built_parts, deferred, docid, glance_parts, glances, prepared
from sparrow_tui.store.base import (
    RecentInputs,
    SearchPage,
    Session,
    SessionStore,
    TurnMarks,
    Window,
)
from sparrow_tui.store.built_parts import Built, Piece
from sparrow_tui.store.connection import BUSY_MS, connect, immediate, translated
from sparrow_tui.store.counters import Counters
from sparrow_tui.store.deferred import Waiting
from sparrow_tui.store.glance_parts import Taken
from sparrow_tui.store.index import Entry, Index
from sparrow_tui.store.organise import Organiser
from sparrow_tui.store.prepared import Prepared
from sparrow_tui.store.reader import Reader
from sparrow_tui.store.writer import Writer, Written

if TYPE_CHECKING:  # a sync does not ask, a search does not count
    from sparrow_tui.store.places import Places
    from sparrow_tui.store.search import Searcher
    from sparrow_tui.store.totals import Totals


class SqliteStore(SessionStore):
    """An archive in one file. Several may be open on it; SQLite lets one write at a time."""

    def __init__(self, path: Path, *, readonly: bool = False) -> None:
        """Open an archive, creating or migrating it if need be.

        Raises:
            StoreError: the file is not an archive of ours, is damaged or cannot be opened.
        """
        self.path = path
        self.connection: apsw.Connection = connect(path, readonly=readonly)
        self.reader = Reader(self.connection)

    @cached_property
    def index(self) -> Index:
        """The full-text index."""
        return Index(self.connection)

    @cached_property
    def searcher(self) -> Searcher:
        """Queries against the index."""
        from sparrow_tui.store.search import Searcher

        return Searcher(self.connection)

    @cached_property
    def places(self) -> Places:
        """Where things are in a session."""
        from sparrow_tui.store.places import Places

        return Places(self.connection)

    @cached_property
    def totals(self) -> Totals:
        """What the counters say."""
        from sparrow_tui.store.totals import Totals

        return Totals(self.connection)

    @cached_property
    def counters(self) -> Counters:
        """The metrics' tables."""
        return Counters(self.connection)

    @cached_property
    def _writer(self) -> Writer:
        return Writer(self.connection, self.index, self.counters)

    @cached_property
    def organiser(self) -> Organiser:
        """Names, pins, tags: call inside `transaction`."""
        return Organiser(self.connection, self.index)

    def close(self) -> None:
        """Release the file. Idempotent."""
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is written, or nothing is. Raises the store's own errors."""
        with translated(self.path), immediate(self.connection):
            yield

    def write(self, items: Sequence[Prepared], *, revive: bool = False) -> Written:
        """Write parts of sessions as a reader gave them, in one transaction."""
        try:
            with self.transaction():
                return self._writer.write(items, revive=revive)
        except BaseException:
            # What the writer and index remember may be of the transaction that was undone.
            self.__dict__.pop("_writer", None)
            self.__dict__.pop("index", None)
            self.__dict__.pop("counters", None)
            raise

    def checkpoint(self) -> None:
        """Move what is in the write-ahead log into the file, as far as no reader needs it there."""
        self.connection.set_busy_timeout(0)
        try:
            with translated(self.path), suppress(apsw.BusyError):
                self.connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        finally:
            self.connection.set_busy_timeout(BUSY_MS)

    def end_glances(self) -> None:
        """Every source was read: what glances gave to the index is cleared, if none is left."""
        if not glances.indexed(self.connection):
            if glances.emptied(self.connection):
                with self.transaction():
                    self.index.drop_emptied()
        elif not glances.paths(self.connection):
            with self.transaction():
                self.index.clear_glances()
        elif gone := glances.vanished(self.connection):
            with self.transaction():
                glances.mark_gone(self.connection, gone)

    def take_in_glances(self, part: bytes) -> Taken:
        """Take in what was said in sessions that are not known yet."""
        db = self.connection
        with translated(self.path), glance_parts.attached(db, part), self.transaction():
            return glance_parts.take_in(db)

    def following_sid(self) -> int:
        """A number from which on no session has one."""
        return int(self.connection.execute("SELECT coalesce(max(sid), 0) + 1 FROM session").get)

    def deferred_count(self) -> int:
        """How many turns are not in the index yet."""
        return deferred.count(self.connection)

    def deferred(self, limit: int, below: int = docid.END) -> Sequence[Waiting]:
        """Turns that are not in the index yet, newest first, their row ids less than ``below``."""
        return deferred.newest(self.connection, limit, below)

    def index_deferred(self, entries: Sequence[Entry]) -> None:
        """Index turns that were put off."""
        with self.transaction():
            deferred.add(self.connection, self.index, entries)

    def next_piece(self, below: int, rows: int, most: int = built_parts.CHARS) -> Piece | None:
        """See `built_parts.next_piece`."""
        with translated(self.path):
            return built_parts.next_piece(self.connection, below, rows, most)

    def take_in(self, built: Built) -> None:
        """Take a part of the index that was built beside the archive into it."""
        with translated(self.path):
            self.connection.execute("ATTACH ? AS built", (built.path,))
        try:
            with self.transaction():
                built_parts.take_in(self.connection, built)
        finally:
            self.connection.execute("DETACH built")

    def save(self, session_id: str, turns: Sequence[Turn], name: str | None = None) -> None:
        """See `SessionStore.save`."""
        with self.transaction():
            self._write_through(session_id, 0, turns)
            if name is not None:
                self.organiser.rename(session_id, name)

    def append(self, session_id: str, turns: Sequence[Turn]) -> int:
        """See `SessionStore.append`."""
        with self.transaction():
            held = self.reader.load(session_id)
            self._write_through(session_id, held.turns if held else 0, turns)
            return (held.turns if held else 0) + len(turns)

    def _write_through(self, session_id: str, start: int, turns: Sequence[Turn]) -> None:
        now = int(time.time() * 1000)
        known = self.reader.load(session_id)
        info = SessionInfo(
            id=session_id, updated_at=now, created_at=None if known else _first_time(turns, now)
        )
        rows = prepared.rows(list(turns))
        item = Prepared(session=info, start=start, rows=rows)
        self._writer.write([item], revive=True)

    def load(self, session_id: str) -> Session | None:
        """See `SessionStore.load`."""
        with translated(self.path):
            return self.reader.load(session_id)

    def list(self, *, limit: int | None = None, offset: int = 0) -> list[Session]:
        """See `SessionStore.list`."""
        with translated(self.path):
            return [*self.reader.list(limit, offset)]

    def count(self) -> int:
        """See `SessionStore.count`."""
        with translated(self.path):
            return self.reader.count()

    def delete(self, session_id: str) -> bool:
        """See `SessionStore.delete`."""
        with self.transaction():
            return self.organiser.delete(session_id)

    def search(self, text: str, *, limit: int = 50, before: int | None = None) -> SearchPage:
        """See `SessionStore.search`."""
        from sparrow_tui import query

        with translated(self.path):
            return self.searcher.page(query.parse(text), limit=limit, before=before)

    def scroll(self, session_id: str, around: int, before: int, after: int) -> Window | None:
        """See `SessionStore.scroll`."""
        with translated(self.path):
            return self.reader.scroll(session_id, around, before, after)

    def window(self, session_id: str, start: int, end: int) -> Sequence[Turn]:
        """Turns ``start`` .. ``end``, as far as there are."""
        with translated(self.path):
            return self.reader.window(session_id, start, end)

    def recent_inputs(self, limit: int = 50) -> RecentInputs:
        """See `SessionStore.recent_inputs`."""
        with translated(self.path):
            return [*self.reader.recent_inputs(limit)]

    def turns(self, session_id: str, start: int = 0, end: int | None = None) -> Iterator[Turn]:
        """See `SessionStore.turns`."""
        with translated(self.path):
            yield from self.reader.turns(session_id, start, end)

    def marks(self, session_id: str, start: int = 0, end: int | None = None) -> TurnMarks:
        """See `SessionStore.marks`."""
        with translated(self.path):
            return [*self.reader.marks(session_id, start, end)]

    def resolve(self, text: str) -> str:
        """See `Reader.resolve`."""
        with translated(self.path):
            return self.reader.resolve(text)

    def version(self) -> int:
        """See `SessionStore.version`."""
        with translated(self.path):
            return int(self.connection.pragma("data_version"))

    def interrupt(self) -> None:
        """See `SessionStore.interrupt`."""
        self.connection.interrupt()


def _first_time(turns: Sequence[Turn], otherwise: int) -> int:
    """When a session given through the API began."""
    return next((turn.time for turn in turns if turn.time is not None), otherwise)
