"""Turns that are in the archive and not yet in its index: what tools were asked and answered.

What the index takes is made from the stored turn when its time comes, by `entry`, which needs no
archive and may run in another process.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import apsw

from sparrow_tui import tokens
from sparrow_tui.model import ToolUse, text_form
from sparrow_tui.store import codec
from sparrow_tui.store.index import Entry, Index


class Waiting(NamedTuple):
    """A turn that was put off."""

    docid: int
    sid: int
    role: str
    flags: int
    body: bytes


def put_off(connection: apsw.Connection, docids: Sequence[int]) -> None:
    """Leave turns for later. Its caller holds the transaction."""
    connection.executemany("INSERT OR IGNORE INTO deferred VALUES (?)", [(d,) for d in docids])


def count(connection: apsw.Connection) -> int:
    """How many turns are left."""
    return int(connection.execute("SELECT count(*) FROM deferred").get)


def newest(connection: apsw.Connection, limit: int, below: int) -> list[Waiting]:
    """Turns that were put off, newest first, their row ids less than ``below``."""
    rows = connection.execute(
        "SELECT docid, sid, role, flags, body FROM deferred JOIN turn USING (docid)"
        " WHERE docid < ? ORDER BY docid DESC LIMIT ?",
        (below, limit),
    )
    return [Waiting(*row) for row in rows]


def entry(turn: Waiting) -> Entry:
    """What the index takes for a turn."""
    blocks = codec.decode(turn.body).blocks
    used = [block for block in blocks if isinstance(block, ToolUse)]
    tools = [block.name for block in used]
    files = [path for block in used for path in codec.paths_of(block.input)]
    words = codec.fed(tokens.words(text_form(blocks)), turn.role, turn.flags, tools, files)
    return Entry(turn.docid, turn.sid, turn.role, words, said="", vocabulary="")


def add(connection: apsw.Connection, index: Index, entries: Sequence[Entry]) -> None:
    """Index turns, as far as nobody has taken them out meanwhile. In a transaction."""
    left = [
        entry
        for entry in entries
        if connection.execute("SELECT 1 FROM deferred WHERE docid = ?", (entry.docid,)).get
    ]
    index.add(left, put_off=True)
    connection.executemany("DELETE FROM deferred WHERE docid = ?", [(e.docid,) for e in left])
