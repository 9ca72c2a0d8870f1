"""The one way into the archive's tables: turns, index, counters and session facts together."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import apsw
import msgspec

from sparrow_tui.agents.common import title_of
from sparrow_tui.model import Coverage, SessionInfo, Text, Usage
from sparrow_tui.store import codec, deferred, docid, side_tables, sources
from sparrow_tui.store.codec import Row
from sparrow_tui.store.counters import Counters
from sparrow_tui.store.flags import Flag
from sparrow_tui.store.index import Entry, Index
from sparrow_tui.store.organise import retitle
from sparrow_tui.store.prepared import Prepared
from sparrow_tui.store.sums import OpenSession

SLIDE_LOOKBACK = 500
"""How many stored turns are compared with a sliding source's content."""

_merge_coverage = msgspec.json.Decoder(Coverage).decode


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
        self._room: dict[int, int] = {}
        """Where a full step's chunks go on: step's first chunk number → a later step's."""
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
                self._close_fresh(key, done)
                records = self._records.pop(key)
                sources.record(self._db, item.source, item.checkpoint, item.problem, records)
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
        session = self._load(info, bool(item.rows) or not item.source or info.ghost)
        if session is None or (info.ghost and session.turns and not session.ghost):
            return
        rows, start = item.rows, item.start
        if item.sliding:
            rows, start = self._align(session, rows)
        elif self._is_copy(session, item):
            rows, start = self._beyond(session, rows, start)
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
        self._store_facts(session, info, item)
        if item.source is not None and item.coverage.unknown:
            sources.note_unknown(self._db, item.source, item.coverage)
        done.sessions.add(info.id)
        done.turns += added

    def _load(self, info: SessionInfo, create: bool) -> OpenSession | None:
        row = self._db.execute(
            "SELECT sid, id, agent, project, branch, model, turns, input, output, cache_read,"
            " cache_write, reasoning, requests, request_errors, tool_calls, tool_errors,"
            " cost_micro, unpriced, chars, lines, created_at, updated_at, title, prompt, source,"
            " ghost FROM session WHERE id = ?",
            (info.id,),
        ).fetchone()
        if row is not None:
            held = (*row[:7], Usage(*row[7:12]), *row[12:])
            session = OpenSession(*held)
            session.indexed = (session.title, session.prompt, session.project)
        elif create:
            sid = self._db.execute("SELECT coalesce(max(sid), 0) + 1 FROM session").get
            self._db.execute(
                "INSERT INTO session(sid, id, agent) VALUES (?, ?, ?)", (sid, info.id, info.agent)
            )
            session = OpenSession(sid, info.id, info.agent, None, None, None, new=True)
        else:
            return None
        session.project = info.project or session.project
        session.branch = info.branch or session.branch
        session.model = info.model or session.model
        session.own_cost = info.cost_micro
        return session

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
            stored = self._db.execute(
                "SELECT digest FROM turn WHERE sid = ? AND idx >= ? AND idx < ? ORDER BY idx",
                (session.sid, start, start + len(rows)),
            ).fetchall()
            for (digest,), row in zip(stored, rows, strict=False):
                if digest != row.digest:
                    break
                same += 1
        first = start + same
        if first < session.turns and not (keep_tail and same == len(rows)):
            done.replaced += self._cut(session, first)
        new = rows[same:]
        if not new:
            return 0
        put_off: list[int] = []
        placed = []
        for position, row in enumerate(new, first):
            row_id = self._place(session, row.time)
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
            session.apply(row, 1)
            if row.time is not None:
                session.created_at = min(session.created_at or row.time, row.time)
                session.updated_at = max(session.updated_at or row.time, row.time)
            if row.flags & Flag.PROMPT and row.role == "user" and _says_little(session.prompt):
                session.prompt = _prompt_of(row) or session.prompt
        self._db.executemany("INSERT INTO turn VALUES (?,?,?,?,?,?,?,?,?,?)", placed)
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

    def _place(self, session: OpenSession, moment: int | None) -> int:
        """A free row id at a turn's time; a turn without a time stands beside its neighbour."""
        if moment is None:
            moment = session.updated_at or session.created_at or int(time.time() * 1000)
        second = docid.second_of(moment)
        if session.last is None and session.turns:
            session.last, session.since = self._db.execute(
                "SELECT docid, second FROM turn JOIN chunk ON no = docid >> ?"
                " WHERE turn.sid = ? ORDER BY idx DESC LIMIT 1",
                (docid.PLACE_BITS, session.sid),
            ).fetchone()
        following = None if session.last is None else session.last + 1
        if (
            following is None
            or following % docid.PLACES == 0
            or abs(second - session.since) > docid.SPAN
        ):
            number = self._free_chunk(docid.first_chunk(second))
            self._db.execute("INSERT INTO chunk VALUES (?, ?, ?)", (number, session.sid, second))
            following, session.since = docid.first_of(number), second
        session.last = following
        return following

    def _free_chunk(self, first: int) -> int:
        """The first chunk number from ``first`` on that nobody has, step by step."""
        while True:
            # Steps found full lead to where there was room last time.
            start = self._room.get(first, first)
            top = self._db.execute(
                "SELECT max(no) FROM chunk WHERE no BETWEEN ? AND ?",
                (start, start | ((1 << docid.STEP_BITS) - 1)),
            ).get
            if top is None:
                return start
            if (top + 1) % (1 << docid.STEP_BITS):
                return int(top) + 1
            self._room[first] = start + (1 << docid.STEP_BITS)

    def _cut(self, session: OpenSession, first: int) -> int:
        """Take out the turns from ``first`` on, and what they counted for in the session."""
        rows = self._db.execute(
            "SELECT docid, body FROM turn WHERE sid = ? AND idx >= ?", (session.sid, first)
        ).fetchall()
        removed = [codec.encode(codec.decode(body), to_index=False) for _, body in rows]
        for row in removed:
            session.apply(row, -1)
        side_tables.forget(self._db, session.sid, removed)
        waiting = {row_id for row_id, _ in rows if self._entries.pop(row_id, None)}
        self._index.remove([row_id for row_id, _ in rows if row_id not in waiting])
        self._db.execute("DELETE FROM turn WHERE sid = ? AND idx >= ?", (session.sid, first))
        session.last = None
        kept = self._db.execute(
            "SELECT docid FROM turn WHERE sid = ? ORDER BY idx DESC LIMIT 1", (session.sid,)
        ).get
        chunks = {docid.chunk_of(row_id) for row_id, _ in rows}
        chunks.discard(-1 if kept is None else docid.chunk_of(kept))
        self._db.executemany("DELETE FROM chunk WHERE no = ?", [(no,) for no in chunks])
        if first == 0:
            session.prompt = session.created_at = None
        return len(rows)

    def _close_fresh(self, key: tuple[str, str], done: Written) -> None:
        """A session was read from its beginning to its end: what its source no longer has goes.

        Turns that came from another source (an older copy elsewhere) stay.
        """
        left = self._fresh.pop(key, None)
        if left is None:
            return
        session_id, end = left
        session = self._load(SessionInfo(id=session_id), create=False)
        if session is None or session.turns <= end or session.source != key[1]:
            return
        done.replaced += self._cut(session, end)
        self._store_sums(session)

    def _align(self, session: OpenSession, rows: list[Row]) -> tuple[list[Row], int]:
        """Where a sliding source's content goes on from what is stored.

        Finds the longest run of stored turns at the end that the source begins with; the
        turns after it are new.
        """
        first = max(0, session.turns - SLIDE_LOOKBACK)
        stored = [
            digest
            for (digest,) in self._db.execute(
                "SELECT digest FROM turn WHERE sid = ? AND idx >= ? ORDER BY idx",
                (session.sid, first),
            )
        ]
        offered = [row.digest for row in rows]
        for length in range(min(len(stored), len(offered)), 0, -1):
            if stored[-length:] == offered[:length]:
                return rows[length:], session.turns
        # The end of what is stored may have been dropped again at the source (an answer undone):
        # then the source is a run somewhere inside what is stored and brings nothing new.
        for at in range(len(stored) - len(offered) + 1):
            if stored[at : at + len(offered)] == offered:
                return [], session.turns
        return rows, session.turns

    def _is_copy(self, session: OpenSession, item: Prepared) -> bool:
        """Whether a part is of a session that another source holds and still has."""
        held = session.source
        if item.source is None or not (item.rows or item.fresh) or session.ghost or not held:
            return False
        return held != item.source.path and os.path.exists(held)

    def _beyond(self, session: OpenSession, rows: list[Row], start: int) -> tuple[list[Row], int]:
        """What a copy has more than is stored; one that tells another story adds nothing.

        The last turn stored may have been written before it was whole.
        """
        known = session.turns - start
        if not 0 <= known < len(rows):
            return [], start
        stored = self._db.execute(
            "SELECT digest FROM turn WHERE sid = ? AND idx >= ? ORDER BY idx", (session.sid, start)
        ).fetchall()
        if any(a != b.digest for (a,), b in zip(stored[:-1], rows, strict=False)):
            return [], start
        return rows, start

    def _store_facts(self, session: OpenSession, info: SessionInfo, item: Prepared) -> None:
        """Write down what the reader says about the session, and its sums."""
        if info.created_at is not None:
            session.created_at = info.created_at
        if info.updated_at is not None:
            session.updated_at = max(session.updated_at or 0, info.updated_at)
        if info.usage is not None:
            session.usage = info.usage
        if info.cost_micro is not None:
            session.unpriced = 0
        if info.usage is not None or info.cost_micro is not None:
            moment = session.updated_at or int(time.time() * 1000)
            session.cost_micro = self._counters.session_level(
                info, session.model or "", session.project or "", moment
            )
        coverage = item.coverage
        if not item.fresh:
            kept = self._db.execute(
                "SELECT coverage FROM session WHERE sid = ?", (session.sid,)
            ).get
            if kept:
                earlier = _merge_coverage(kept)
                earlier.add(coverage)
                coverage = earlier
        told = item.source is not None and (item.rows or item.fresh)
        source = item.source.path if item.source is not None and told else session.source
        held = session.source
        if held and held != source and not session.ghost and os.path.exists(held):
            source = session.source  # a copy elsewhere does not take the original's place
        title = session.title if info.title is None else info.title
        self._db.execute(
            "UPDATE session SET title = ?, project = ?, branch = ?, model = ?,"
            " status = coalesce(?, status), parent = coalesce(?, parent),"
            " parent_tool_use = coalesce(?, parent_tool_use), coverage = ?,"
            " source = ?, source_gone = source_gone AND NOT ?, ghost = ?,"
            " extra = json_patch(coalesce(extra, '{}'), ?) WHERE sid = ?",
            (
                title, session.project, session.branch, session.model, info.status, info.parent,
                info.parent_tool_use, msgspec.json.encode(coverage).decode(),
                source, bool(told) or (item.source is not None and item.source.path == held),
                info.ghost if told else session.ghost,
                msgspec.json.encode(info.extra).decode(), session.sid,
            ),
        )  # fmt: skip
        self._store_sums(session)
        if (title, session.prompt, session.project) != session.indexed:
            retitle(self._db, self._index, session.sid)

    def _store_sums(self, session: OpenSession) -> None:
        usage = session.usage
        self._db.execute(
            "UPDATE session SET turns = ?, input = ?, output = ?, cache_read = ?, cache_write = ?,"
            " reasoning = ?, requests = ?, request_errors = ?, tool_calls = ?, tool_errors = ?,"
            " cost_micro = ?, unpriced = ?, chars = ?, lines = ?, created_at = ?, updated_at = ?,"
            " prompt = ? WHERE sid = ?",
            (
                session.turns, usage.input, usage.output, usage.cache_read, usage.cache_write,
                usage.reasoning, session.requests, session.request_errors, session.tool_calls,
                session.tool_errors, session.cost_micro, session.unpriced, session.chars,
                session.lines, session.created_at, session.updated_at or session.created_at,
                session.prompt, session.sid,
            ),
        )  # fmt: skip


def _prompt_of(row: Row) -> str:
    """The title a prompt makes."""
    said = [block.text for block in codec.decode(row.body).blocks if isinstance(block, Text)]
    return title_of("\n".join(said))


def _says_little(prompt: str | None) -> bool:
    """Whether a session should rather be called by a later prompt: by none yet, or a command."""
    return not prompt or (prompt.startswith("/") and " " not in prompt and "." not in prompt)
