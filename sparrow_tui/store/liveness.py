"""What a session's status means by now: nobody works for days without writing a word."""

from __future__ import annotations

from collections.abc import Sequence

from sparrow_tui.model import Text, Turn
from sparrow_tui.store.base import Session

WORKING_FOR = 10 * 60_000
"""Milliseconds after its last turn for which a session that was working still is."""
WAITING_FOR = 24 * 3_600_000
"""Milliseconds for which a session waits for its user."""

STATES = ("working", "waiting", "ended", "unclean", "active")
"""What sources say of sessions; ``active``: nothing more than that it exists."""

STATE_AT = (
    "CASE WHEN status = 'working' AND updated_at <= ?1 - 600000 THEN 'unclean'"
    " WHEN status = 'waiting' AND updated_at <= ?1 - 86400000 THEN 'ended' ELSE status END"
)
"""SQL: as `status_now`, at a time in milliseconds given as the first value."""

LIVE_AT = (
    "status IN ('working', 'waiting')"
    " AND updated_at > ?1 - CASE status WHEN 'working' THEN 600000 ELSE 86400000 END"
)
"""SQL: whether a session is working or waiting at a time in milliseconds given as first value."""


def status_now(session: Session, now: int) -> str:
    """A session's status, aged.

    Args:
        session: as stored; its status is what the source said when it was read.
        now: the present in milliseconds since the epoch.

    Returns:
        ``working`` and ``waiting`` only while that is likely; a session that stopped in the
        middle of its work is ``unclean``, one nobody came back to is ``ended``.
    """
    age = now - (session.updated_at or 0)
    if session.status == "working":
        return "working" if age < WORKING_FOR else "unclean"
    if session.status == "waiting":
        return "waiting" if age < WAITING_FOR else "ended"
    return session.status


def guess(turns: Sequence[Turn]) -> str | None:
    """A session's state by its last words, where its source does not say it.

    Returns:
        ``waiting`` after an answer, ``working`` after a prompt or in the middle of tool calls;
        ``None`` if nothing was said.
    """
    for turn in reversed(turns):
        if turn.branch or turn.role not in ("user", "assistant", "tool") or not turn.blocks:
            continue
        if turn.role == "assistant" and isinstance(turn.blocks[-1], Text):
            return "waiting"
        return "working"
    return None
