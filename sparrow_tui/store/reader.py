"""Reading the archive: sessions, windows of turns, inputs, pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import apsw
import msgspec

from sparrow_tui.model import Text, Turn
from sparrow_tui.sanitize import storable
from sparrow_tui.store import codec
from sparrow_tui.store.base import (
    RecentInput,
    Session,
    StoreError,
    ToolCall,
    TurnMark,
    Window,
)
from sparrow_tui.store.rows import select

STREAM = 64
"""Turns read at a time by `Reader.turns`."""

_LIST_ORDER = "ORDER BY updated_at DESC, sid DESC"
_integers = msgspec.json.Decoder(list[int]).decode


class Reader:
    """Questions to the tables. One thread at a time."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._db = connection

    def load(self, session_id: str) -> Session | None:
        """One session's facts."""
        found = select(self._db, "WHERE id = ?", (storable(session_id),))
        return found[0] if found else None

    def list(self, limit: int | None, offset: int) -> Sequence[Session]:
        """Sessions that are not hidden, last updated first."""
        return select(
            self._db,
            f"WHERE hidden = 0 {_LIST_ORDER} LIMIT ? OFFSET ?",
            (-1 if limit is None else max(limit, 0), max(offset, 0)),
        )

    def count(self) -> int:
        """How many sessions are not hidden."""
        return int(self._db.execute("SELECT count(*) FROM session WHERE hidden = 0").get)

    def agents(self) -> Sequence[str]:
        """Names of the agents that have sessions, most sessions first."""
        rows = self._db.execute(
            "SELECT agent FROM session WHERE hidden = 0 GROUP BY agent ORDER BY count(*) DESC"
        ).fetchall()
        return [agent for (agent,) in rows]

    def growth(self, since: int) -> tuple[int, int, int]:
        """How many turns there are, the newest's row id, and how many have one above ``since``."""
        turns = self._db.execute("SELECT coalesce(sum(turns), 0) FROM session").get
        newest = self._db.execute("SELECT coalesce(max(docid), 0) FROM turn").get
        above = self._db.execute("SELECT count(*) FROM turn WHERE docid > ?", (since,)).get
        return int(turns), int(newest), int(above)

    def sids(self, *, children: bool = True, hidden: bool = False) -> Sequence[int]:
        """Numbers of all sessions in list order: pinned first, then last updated.

        Args:
            children: with sub-agents' sessions.
            hidden: with sessions the user has hidden.
        """
        conditions = ["1"]
        if not children:
            conditions.append("parent IS NULL")
        if not hidden:
            conditions.append("hidden = 0")
        # One text value instead of a row each: stepping over rows fights for the interpreter lock.
        text = self._db.execute(
            "SELECT json_group_array(sid) FROM (SELECT sid FROM session WHERE "
            + " AND ".join(conditions)
            + " ORDER BY pinned DESC, updated_at DESC, sid DESC)"
        ).get
        return _integers(text)

    def children(self, session_id: str) -> Sequence[Session]:
        """Sub-agents' sessions of a session, oldest first."""
        return select(self._db, "WHERE parent = ? ORDER BY created_at, sid", (session_id,))

    def window(self, session_id: str, start: int, end: int) -> Sequence[Turn]:
        """Turns ``start`` .. ``end``, as far as there are."""
        rows = self._db.execute(
            "SELECT body FROM turn WHERE sid = (SELECT sid FROM session WHERE id = ?)"
            " AND idx >= ? AND idx < ? ORDER BY idx",
            (session_id, max(start, 0), min(end, 1 << 62)),
        ).fetchall()
        return [codec.decode(body) for (body,) in rows]

    def scroll(self, session_id: str, around: int, before: int, after: int) -> Window | None:
        """See `SessionStore.scroll`."""
        total = self._db.execute("SELECT turns FROM session WHERE id = ?", (session_id,)).get
        if total is None:
            return None
        around = min(max(around, 0), max(total - 1, 0))
        size = max(before, 0) + 1 + max(after, 0)
        start = max(0, min(around - max(before, 0), total - size))
        end = min(total, start + size)
        return Window(session_id, start, list(self.window(session_id, start, end)), total)

    def turns(self, session_id: str, start: int, end: int | None) -> Iterator[Turn]:
        """Turns ``start`` .. ``end`` as a stream."""
        at = max(start, 0)
        while end is None or at < end:
            stop = at + STREAM if end is None else min(end, at + STREAM)
            chunk = self.window(session_id, at, stop)
            yield from chunk
            if len(chunk) < stop - at:
                return
            at = stop

    def marks(self, session_id: str, start: int, end: int | None) -> Sequence[TurnMark]:
        """What is known of turns without their bodies."""
        rows = self._db.execute(
            "SELECT idx, role, flags, chars, lines, time FROM turn INDEXED BY turn_place"
            " WHERE sid = (SELECT sid FROM session WHERE id = ?) AND idx >= ? AND idx < ?"
            " ORDER BY idx",
            (session_id, max(start, 0), (1 << 62) if end is None else min(end, 1 << 62)),
        ).fetchall()
        return [TurnMark(*row) for row in rows]

    def calls(self, session_id: str, start: int = 0, end: int | None = None) -> dict[str, ToolCall]:
        """Tool calls that start or end in turns ``start`` .. ``end``, by call id."""
        span: tuple[Any, ...] = (start, (1 << 62) if end is None else end)
        rows = self._db.execute(
            "SELECT id, name, use_idx, result_idx, is_error, duration_ms, child FROM call"
            " WHERE sid = (SELECT sid FROM session WHERE id = ?)"
            " AND (use_idx >= ? AND use_idx < ? OR result_idx >= ? AND result_idx < ?)",
            (session_id, *span, *span),
        ).fetchall()
        return {
            row[0]: ToolCall(
                row[0], row[1] or "", -1 if row[2] is None else row[2], row[3],
                None if row[4] is None else bool(row[4]), row[5], row[6],
            )
            for row in rows
        }  # fmt: skip

    def attachment(self, ref: str) -> tuple[str, bytes] | None:
        """A picture's media type and bytes."""
        row = self._db.execute(
            "SELECT media_type, data FROM attachment WHERE ref = ?", (ref,)
        ).fetchone()
        return (row[0] or "", row[1]) if row else None

    def recent_inputs(self, limit: int) -> Sequence[RecentInput]:
        """See `SessionStore.recent_inputs`. What started a sub-agent was not typed by a person."""
        found: dict[str, RecentInput] = {}
        if limit <= 0:
            return []
        cursor = self._db.execute(
            "SELECT session.id, turn.idx, turn.time, turn.body FROM turn INDEXED BY turn_prompt"
            " JOIN session USING (sid) WHERE turn.flags & 4096 AND session.parent IS NULL"
            " ORDER BY turn.time DESC, turn.docid DESC"
        )
        for session_id, index, moment, body in cursor:
            said = [b.text for b in codec.decode(body).blocks if isinstance(b, Text)]
            text = "\n".join(said).strip()
            if text and text not in found:
                found[text] = RecentInput(text, session_id, index, moment)
                if len(found) >= limit:
                    break
        cursor.close()
        return list(found.values())

    def resolve(self, text: str) -> str:
        """The session id a person means: an id, an agent's own id, or a beginning of either.

        Raises:
            StoreError: none or several fit.
        """
        text = storable(text.strip())
        if self._db.execute("SELECT 1 FROM session WHERE id = ?", (text,)).get:
            return text
        exact = self._ids("substr(id, instr(id, ':') + 1) = ?", (text,))
        found = exact or self._ids(
            "substr(id, 1, length(?1)) = ?1 OR substr(id, instr(id, ':') + 1, length(?1)) = ?1",
            (text,),
        )
        if len(found) == 1 and text:
            return found[0]
        if not found or not text:
            raise StoreError(
                f"there is no session “{text}”; sparrow-tui list shows the ids there are"
            )
        names = ", ".join(found[:3]) + (", …" if len(found) > 3 else "")
        raise StoreError(f"“{text}” fits several sessions ({names}); type more of the id")

    def _ids(self, condition: str, values: Sequence[Any]) -> Sequence[str]:
        rows = self._db.execute(f"SELECT id FROM session WHERE {condition} LIMIT 4", tuple(values))
        return [row[0] for row in rows.fetchall()]
