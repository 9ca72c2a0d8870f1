"""The one way into the archive's tables: turns, index, counters and session facts together."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import apsw

from sparrow_tui.model import SessionInfo
from sparrow_tui.store import (
    codec,
    deferred,
    docid,
    glances,
    overlap,
    session_row,
    side_tables,
    sources,
)
from sparrow_tui.store.codec import Row
from sparrow_tui.store.counters import Counters
from sparrow_tui.store.index import Entry, Index
from sparrow_tui.store.organise import retitle
from sparrow_tui.store.prepared import Prepared
from sparrow_tui.store.row_ids import RowIds
from sparrow_tui.store.sums import OpenSession


@dataclass(slots=True)
class Written:
    """What a call of `Writer.write` did."""

    sessions: set[str] = field(default_factory=set)
    """Ids of sessions that are new or changed."""
    turns: int = 0
    """Turns added."""
    replaced: int = 0
    """Turns taken out to make place for newer ones."""


class Writer:
    """Writes prepared parts of sessions. Its caller holds the transaction."""

    def __init__(self, connection: apsw.Connection, index: Index, counters: Counters) -> None:
        self._db = connection
        self._index = index
        self._counters = counters
        self._fresh: dict[tuple[str, str], tuple[str, int]] = {}
        """Sessions being read from their beginning: source → (session id, next turn_index)."""
        self._records: Counter[tuple[str, str]] = Counter()
        """Records read of sources that are being read."""
        self._row_ids = RowIds(connection)
        self._entries: dict[int, Entry] = {}
        """What goes into the index at the end, by row id: FTS5 writes a segment whenever a row id
        is smaller than the last, and newer sessions come first."""

    def write(self, items: Sequence[Prepared], *, revive: bool = False) -> Written:
        """Write parts in order.

        Args:
            items: parts; those of one source in the order it was read.
            revive: bring back sessions the user deleted.
        """
        done = Written()
        self._entries.clear()
        for item in items:
            if item.session is not None:
                self._write_session(item, item.session, done, revive)
            if item.source is None:
                continue
            key = (item.source.agent, item.source.path)
            self._records[key] += item.coverage.records
            if item.done:
                if item.problem:
                    self._fresh.pop(key, None)  # what comes after where it broke off is not gone
                else:
                    self._close_fresh(key, done)
                    self._drop_glances(item.source.path)
                records = self._records.pop(key)
                sources.record(self._db, item.source, item.checkpoint, item.problem, records)
        self._counters.flush()
        self._index.add(list(self._entries.values()))
        return done

    def _write_session(
        self, item: Prepared, info: SessionInfo, done: Written, revive: bool
    ) -> None:
        if self._db.execute("SELECT 1 FROM deleted WHERE id = ?", (info.id,)).fetchone():
            if not revive:
                return
            self._db.execute("DELETE FROM deleted WHERE id = ?", (info.id,))
        key = (item.source.agent, item.source.path) if item.source else ("", "")
        if item.fresh or (key in self._fresh and self._fresh[key][0] != info.id):
            self._close_fresh(key, done)
        create = bool(item.rows) or not item.source or info.ghost
        session = session_row.load(self._db, info, create=create)
        if session is None or (info.ghost and session.turns and not session.ghost):
            return
        if session.glanced and item.rows:
            self._take_out_glance(session)
            glances.forget(session)
        rows, start = item.rows, item.start
        if item.sliding:
            rows, start = overlap.align(self._db, session, rows)
        elif overlap.is_copy(session, item):
            rows, start = overlap.beyond(self._db, session, rows, start)
            if not rows:
                return
        start = min(max(start, 0), session.turns)
        from_start = item.fresh and not item.sliding and item.source is not None
        from_start = from_start or self._fresh.get(key, ("", 0))[0] == info.id
        added = 0
        if rows or item.source is None:  # a source's part without turns is about facts alone
            added = self._put(session, start, rows, from_start, done)
        if from_start:
            self._fresh[key] = (info.id, start + len(rows))
        session_row.note_facts(session, info)
        self._count_session(session, info)
        self._store(session, item)
        if item.source is not None and item.coverage.unknown:
            sources.note_unknown(self._db, item.source, item.coverage)
        done.sessions.add(info.id)
        done.turns += added

    def _put(
        self,
        session: OpenSession,
        start: int,
        rows: Sequence[Row],
        keep_tail: bool,
        done: Written,
    ) -> int:
        """Make ``rows`` the turns from ``start`` on, keeping what is already the same.

        ``keep_tail``: more of the session is to come, so what follows equal turns stays for now.
        """
        same = 0
        if start < session.turns and rows:
            same = overlap.equal(self._db, session.sid, start, rows)
        first = start + same
        if first < session.turns and not (keep_tail and same == len(rows)):
            done.replaced += self._cut(session, first)
        new = rows[same:]
        if not new:
            return 0
        put_off = self._insert(session, first, new)
        for row in new:
            session.apply(row, 1)
        side_tables.record(self._db, session.sid, first, new)
        deferred.put_off(self._db, put_off)
        facts = SessionInfo(
            id=session.id, model=session.model, project=session.project,
            cost_micro=session.own_cost,
        )  # fmt: skip
        otherwise = session.updated_at or int(time.time() * 1000)
        answered = side_tables.answered(self._db, session.sid, new)
        self._counters.add(session.sid, facts, new, first, otherwise, answered)
        return len(new)

    def _insert(self, session: OpenSession, first: int, rows: Sequence[Row]) -> list[int]:
        """Write turns from ``first`` on; the row ids of those the index takes later."""
        put_off: list[int] = []
        placed = []
        for position, row in enumerate(rows, first):
            row_id = self._row_ids.following(session, row.time)
            placed.append(
                (row_id, session.sid, position, row.role, row.flags, row.chars, row.lines,
                 row.time, row.digest, row.body)
            )  # fmt: skip
            if row.words is None:
                put_off.append(row_id)
            else:
                self._entries[row_id] = Entry(
                    row_id, session.sid, row.role, row.words, row.said, row.vocabulary
                )
            session_row.note_turn(session, row)
        self._db.executemany("INSERT INTO turn VALUES (?,?,?,?,?,?,?,?,?,?)", placed)
        return put_off

    def _cut(self, session: OpenSession, first: int) -> int:
        """Take out the turns from ``first`` on, and what they counted for in the session."""
        removed = [
            codec.encode(codec.decode(body), to_index=False)
            for body in self._take_out(session, first)
        ]
        for row in removed:
            session.apply(row, -1)
        side_tables.forget(self._db, session.sid, removed)
        if first == 0:
            session.prompt = session.created_at = None
        return len(removed)

    def _take_out(self, session: OpenSession, first: int) -> list[bytes]:
        """Take out the turns from ``first`` on, with their place in the index; their bodies."""
        rows = self._db.execute(
            "SELECT docid, body FROM turn WHERE sid = ? AND idx >= ?", (session.sid, first)
        ).fetchall()
        waiting = {row_id for row_id, _ in rows if self._entries.pop(row_id, None)}
        self._index.remove([row_id for row_id, _ in rows if row_id not in waiting])
        self._free(session, first, [row_id for row_id, _ in rows])
        return [body for _, body in rows]

    def _take_out_glance(self, session: OpenSession) -> None:
        """Take out what a glance gave, with its place in the index."""
        rows = self._db.execute("SELECT docid FROM turn WHERE sid = ?", (session.sid,)).fetchall()
        ids = [row_id for (row_id,) in rows]
        self._index.remove_glances(ids)
        self._free(session, 0, ids)

    def _free(self, session: OpenSession, first: int, row_ids: Sequence[int]) -> None:
        """Delete the turns from ``first`` on, and the chunks of row ids they leave empty."""
        self._db.execute("DELETE FROM turn WHERE sid = ? AND idx >= ?", (session.sid, first))
        session.last = None
        kept = self._db.execute(
            "SELECT docid FROM turn WHERE sid = ? ORDER BY idx DESC LIMIT 1", (session.sid,)
        ).get
        chunks = {docid.chunk_of(row_id) for row_id in row_ids}
        chunks.discard(-1 if kept is None else docid.chunk_of(kept))
        self._db.executemany("DELETE FROM chunk WHERE no = ?", [(no,) for no in chunks])

    def _close_fresh(self, key: tuple[str, str], done: Written) -> None:
        """A session was read from its beginning to its end: what its source no longer has goes.

        Turns that came from another source (an older copy elsewhere) stay. So do all of them if
        nothing is left at the source: then it was emptied, or broke.
        """
        left = self._fresh.pop(key, None)
        if left is None:
            return
        session_id, end = left
        session = session_row.load(self._db, SessionInfo(id=session_id), create=False)
        if session is None or session.turns <= end or session.source != key[1]:
            return
        if not end:
            sources.mark_emptied(self._db, session_id)
            return
        done.replaced += self._cut(session, end)
        session_row.store_sums(self._db, session)

    def _drop_glances(self, path: str) -> None:
        """A source was read whole: sessions it was thought to hold are not in it."""
        for session_id in glances.left(self._db, path):
            session = session_row.load(self._db, SessionInfo(id=session_id), create=False)
            assert session is not None
            self._take_out_glance(session)
            self._index.remove_session(session.sid)
            self._db.execute("DELETE FROM session WHERE sid = ?", (session.sid,))

    def _count_session(self, session: OpenSession, info: SessionInfo) -> None:
        """Take in tokens and cost that an agent records for a whole session."""
        if info.usage is not None:
            session.usage = info.usage
        if info.cost_micro is not None:
            session.unpriced = 0
        if info.usage is not None or info.cost_micro is not None:
            moment = session.updated_at or int(time.time() * 1000)
            session.cost_micro = self._counters.session_level(
                info, session.model or "", session.project or "", moment
            )

    def _store(self, session: OpenSession, item: Prepared) -> None:
        """Write down a session's facts and sums, and index what it is called."""
        session_row.store_facts(self._db, session, item)
        session_row.store_sums(self._db, session)
        if (session.title, session.prompt, session.project) != session.indexed:
            retitle(self._db, self._index, session.sid)
