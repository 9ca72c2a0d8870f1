"""Parts of the index built beside the archive, by processes that read it, and then taken in.

Making a part's words and its FTS5 table is most of an import's work, and one process at a time
writes to an archive. So others each build a table in a file of its own, and the writer copies the
tables FTS5 keeps it in, which hold nothing but the index (https://sqlite.org/fts5.html, section
"FTS5 Data Structures"). What was changed meanwhile is left out of the part and stays put off.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import apsw

from sparrow_tui.store import deferred, index
from sparrow_tui.store.connection import connect, translated
from sparrow_tui.store.deferred import Waiting
from sparrow_tui.store.turn_words import meta_word

FAMILY = "output"
"""What is put off is tool output."""
ROWS, CHARS = index.PART_ROWS, 2 * index.PART_CHARS // 3
"""Turns of a part, and characters of their texts: the index is fed half as much again."""
LOOK = 200
"""Turns after which it is looked whether the part is still wanted."""
_KEPT_IN = ("data", "idx", "docsize", "config")
"""Ends of the names of the tables that FTS5 keeps one in which keeps no content."""


class Piece(NamedTuple):
    """Turns for one part: those put off with row ids ``low`` and above, less than ``below``."""

    low: int
    below: int
    rows: int
    chars: int
    """Of their texts."""


class Built(NamedTuple):
    """A part that was built."""

    path: str
    rows: int
    chars: int
    """Of what the index was fed."""


def next_piece(
    connection: apsw.Connection, below: int, rows: int, most: int = CHARS
) -> Piece | None:
    """The newest turns put off below a row id; ``None`` if there are none.

    Args:
        connection: the archive.
        below: row ids are less than this.
        rows: turns at most.
        most: characters of their texts, which the last turn may go beyond.
    """
    low, number, chars = below, 0, 0
    for row_id, size in connection.execute(
        "SELECT docid, chars FROM deferred JOIN turn USING (docid) WHERE docid < ?"
        " ORDER BY docid DESC LIMIT ?",
        (below, min(rows, ROWS)),
    ):
        low, number, chars = row_id, number + 1, chars + size
        if chars >= min(most, CHARS):
            break
    return Piece(low, below, number, chars) if number else None


def build(archive: str, into: str, piece: Piece) -> Built | None:
    """Build a part in a file that exists already; ``None`` once the file is there no more.

    Raises:
        StoreError: of the archive, or of the file.
    """
    try:
        opened = apsw.Connection(into, flags=apsw.SQLITE_OPEN_READWRITE)
    except apsw.CantOpenError:
        return None
    with (
        closing(opened) as part,
        translated(archive),
        closing(connect(Path(archive), readonly=True)) as source,
    ):
        part.pragma("journal_mode", "off")
        part.pragma("synchronous", "off")
        part.execute("CREATE TABLE turn(docid INTEGER PRIMARY KEY, sid INTEGER, digest INTEGER)")
        part.execute(index.creation(FAMILY, "fts"))
        part.execute("INSERT INTO fts(fts, rank) VALUES ('hashsize', ?)", (index.HASH_BYTES,))
        part.execute("BEGIN")
        rows = chars = 0
        for turn, digest in _turns(source, piece):
            if rows % LOOK == 0 and not os.path.exists(into):
                return None
            made = deferred.entry(turn)
            words = f"{made.words} {meta_word('s', turn.sid)}"
            part.execute("INSERT INTO fts(rowid, text) VALUES (?, ?)", (turn.docid, words))
            part.execute("INSERT INTO turn VALUES (?, ?, ?)", (turn.docid, turn.sid, digest))
            rows, chars = rows + 1, chars + len(words)
        part.execute("INSERT INTO fts(fts) VALUES ('optimize')")
        part.execute("COMMIT")
    return Built(into, rows, chars)


def _turns(source: apsw.Connection, piece: Piece) -> Iterator[tuple[Waiting, int]]:
    """In order: FTS5 writes a segment when a row id is smaller than the last."""
    for *turn, digest in source.execute(
        "SELECT docid, sid, role, flags, body, digest FROM deferred JOIN turn USING (docid)"
        " WHERE docid >= ? AND docid < ? ORDER BY docid",
        (piece.low, piece.below),
    ):
        yield Waiting(*turn), digest


def copied(
    connection: apsw.Connection, family: str, state: int, low: int, stale: Sequence[tuple[int]]
) -> int:
    """Copy the index of the attached part into a new part of a family; its number.

    Args:
        connection: the archive, in a transaction; the part is attached as ``built``.
        family: see `index`.
        state: `index.SEALED` or `index.GLANCES`.
        low: the part's lowest row id.
        stale: row ids of turns that are left out.
    """
    part = index.new_part(connection, family, low, state)
    name = index.table(family, part)
    for end in _KEPT_IN:
        connection.execute(f"DELETE FROM main.{name}_{end}")
        connection.execute(f"INSERT INTO main.{name}_{end} SELECT * FROM built.fts_{end}")
    connection.executemany(f"DELETE FROM {name} WHERE rowid = ?", stale)
    return part


def take_in(connection: apsw.Connection, built: Built) -> None:
    """Take a part into the archive's index. In a transaction; the part is attached as ``built``."""
    stale = connection.execute(
        "SELECT b.docid FROM built.turn AS b LEFT JOIN main.turn AS t USING (docid)"
        " LEFT JOIN main.deferred AS d USING (docid)"
        " WHERE d.docid IS NULL OR t.sid IS NOT b.sid OR t.digest IS NOT b.digest"
    ).fetchall()
    low, high = connection.execute("SELECT min(docid), max(docid) FROM built.turn").fetchone()
    if low is None or len(stale) == built.rows:
        return
    part = copied(connection, FAMILY, index.SEALED, low, stale)
    connection.execute(
        "UPDATE part SET rows = ?, chars = ?, high = ? WHERE id = ?",
        (built.rows - len(stale), built.chars, high, part),
    )
    connection.executemany("DELETE FROM built.turn WHERE docid = ?", stale)
    connection.execute("DELETE FROM deferred WHERE docid IN (SELECT docid FROM built.turn)")
