"""What the user decides about sessions: names, pins, tags, hiding, deleting. Sync keeps it."""

from __future__ import annotations

import time
from collections.abc import Iterable

import apsw
import msgspec

from sparrow_tui.sanitize import storable
from sparrow_tui.store import side_tables
from sparrow_tui.store.index import Index


class Organiser:
    """Changes to sessions that are not in any source. Its caller holds the transaction."""

    def __init__(self, connection: apsw.Connection, index: Index) -> None:
        self._db = connection
        self._index = index

    def rename(self, session_id: str, name: str | None) -> None:
        """Give a session a name of the user's own; ``None`` or blank takes it away."""
        self._set(session_id, "name", storable(name or "").strip() or None)
        self._retitle(session_id)

    def pin(self, session_id: str, pinned: bool) -> None:
        """Keep a session at the top of the list, or not."""
        self._set(session_id, "pinned", pinned)

    def hide(self, session_id: str, hidden: bool) -> None:
        """Leave a session out of the list, or not."""
        self._set(session_id, "hidden", hidden)

    def tag(self, session_id: str, tags: Iterable[str]) -> None:
        """Replace a session's tags."""
        words = sorted({storable(tag.strip()) for tag in tags if tag.strip()})
        self._set(session_id, "tags", msgspec.json.encode(words).decode() if words else None)
        self._retitle(session_id)

    def delete(self, session_id: str) -> bool:
        """Remove a session for good and remember that; its counters stay counted."""
        row = self._db.execute(
            "SELECT sid, agent, source FROM session WHERE id = ?", (session_id,)
        ).fetchone()
        if row is None:
            return False
        sid, agent, source = row
        self._index.remove_session(sid)
        self._db.execute("DELETE FROM turn WHERE sid = ?", (sid,))
        self._db.execute("DELETE FROM chunk WHERE sid = ?", (sid,))
        side_tables.forget_session(self._db, sid)
        self._db.execute("DELETE FROM session WHERE sid = ?", (sid,))
        self._db.execute(
            "INSERT OR REPLACE INTO deleted VALUES (?,?,?,?)",
            (session_id, int(time.time() * 1000), agent, source),
        )
        return True

    def _set(self, session_id: str, column: str, value: str | bool | None) -> None:
        self._db.execute(f"UPDATE session SET {column} = ? WHERE id = ?", (value, session_id))

    def _retitle(self, session_id: str) -> None:
        sid = self._db.execute("SELECT sid FROM session WHERE id = ?", (session_id,)).get
        if sid is not None:
            retitle(self._db, self._index, sid)


def retitle(db: apsw.Connection, index: Index, sid: int) -> None:
    """Index anew what a session is called: by its agent, by its first prompt, by the user."""
    name, title, prompt, project, tags = db.execute(
        "SELECT name, title, prompt, project, tags FROM session WHERE sid = ?", (sid,)
    ).fetchone()
    index.set_title(
        sid,
        title="\n".join(x for x in (name, title) if x),
        prompt=prompt or "",
        project=project or "",
        tags=" ".join(msgspec.json.decode(tags)) if tags else "",
    )
