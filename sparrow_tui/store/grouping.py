"""Sessions of a list put together by project, day or agent."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import apsw
import msgspec

GROUPS = ("project", "day", "agent")
"""What a list can be grouped by."""

_KEYS = {
    "project": "coalesce(project, '')",
    "day": "coalesce(date(updated_at / 1000, 'unixepoch', 'localtime'), '')",
    "agent": "agent",
}
_integers = msgspec.json.Decoder(list[int]).decode


class Group(msgspec.Struct, frozen=True):
    """Sessions that stand together."""

    key: str
    """A directory, a local date (``2026-03-01``) or an agent; empty: not known."""
    sids: Sequence[int]
    """In the order of the list."""


def grouped(db: apsw.Connection, sids: Sequence[int], by: str) -> list[Group]:
    """A list in groups: that of the list's first session first, inside each the list's order.

    Args:
        db: the store's connection.
        sids: numbers of sessions.
        by: one of `GROUPS`.
    """
    # One text value a group instead of a row a session: stepping fights for the interpreter.
    rows = db.execute(
        f"SELECT {_KEYS[by]} AS key, json_group_array(sid) FROM session"
        " WHERE sid IN (SELECT value FROM json_each(?)) GROUP BY key",
        (msgspec.json.encode(list(sids)).decode(),),
    ).fetchall()
    place = {sid: at for at, sid in enumerate(sids)}
    groups = [(key, sorted(_integers(members), key=place.__getitem__)) for key, members in rows]
    groups.sort(key=lambda group: place[group[1][0]])
    return [Group(key, array("q", members)) for key, members in groups]
