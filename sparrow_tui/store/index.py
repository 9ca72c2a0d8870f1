"""The full-text index: FTS5 tables in parts, each turn in exactly one of its family.

Families: ``talk`` (what people and models said) and ``output`` (tool results), so that an import
makes conversation searchable first; and ``prompt``, once more what people typed, with the
positions of words, for phrases. A family is a list of parts by arrival; new turns go to its
newest part, and a part that is full is sealed: appending never waits for a merge of the whole
index (8 s were measured in one of 1M rows), and a search newest-first stops before old parts.

``talk`` and ``output`` hold no positions (``detail=none``): with positions the index is 2.1 times
the text, without 0.9 times (one table; 1.4 in all). Neighbours in identifiers are words of their
own (see `sparrow_tui.tokens`); other phrases are looked for in the texts of the turns that have
all their words. What is not text are words of the same column (see `turn_words`).
"""

from __future__ import annotations

from collections.abc import Sequence

import apsw
import msgspec

from sparrow_tui import tokens
from sparrow_tui.store import docid
from sparrow_tui.store.turn_words import meta_word

PART_ROWS, PART_CHARS = 60_000, 12_000_000
"""Turns and characters in a part before it is sealed: the longest any part takes to answer is what
a keystroke may have to wait for (a word's beginning of four letters and more is put together from
all words that begin so), and every part costs a rare word a look, 0.1 ms."""
MOST_SEEN = 150_000
HASH_BYTES = 64 << 20
"""Memory FTS5 may gather new entries in before it writes a segment."""
FAMILIES = ("talk", "output", "prompt")

TABLES = """
CREATE TABLE part(
  id INTEGER PRIMARY KEY, family TEXT NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL,
  rows INTEGER NOT NULL DEFAULT 0, chars INTEGER NOT NULL DEFAULT 0,
  sealed INTEGER NOT NULL DEFAULT 0  -- 2: glances
);
CREATE TABLE deferred(docid INTEGER PRIMARY KEY);  -- turns that are indexed later
CREATE VIRTUAL TABLE fts_title USING fts5(
  title, prompt, place, content='', contentless_delete=1, prefix='1 2 3',
  tokenize='ascii'
);
CREATE TABLE word(word TEXT PRIMARY KEY) WITHOUT ROWID;  -- said so far, for nearest words
"""

_PART = """CREATE VIRTUAL TABLE {name} USING fts5(
  text, content='', contentless_delete=1, tokenize='ascii', {options}
)"""
_OPTIONS = {
    "talk": "detail=none, prefix='1 2 3'",
    "output": "detail=none, prefix='1 2 3'",
    "prompt": "detail=full",
}
_GLANCE_OPTIONS = "detail=none"
"""Half the work: prefixes are looked up word by word until the sources are read. Nor are there
joined words (see `tokens.index_text`)."""
OPEN, SEALED, GLANCES = 0, 1, 2
"""Of a part: it takes new turns, it takes none, it holds what glances gave (see `glances`)."""
EMPTY = -1
"""Highest row id of a part that was emptied."""


class Entry(msgspec.Struct):
    """A turn as the index takes it."""

    docid: int
    sid: int
    role: str
    words: str
    said: str
    vocabulary: str
    """These three: see `codec.Row`."""


def family_of(role: str) -> str:
    """Which family a turn's role belongs to."""
    return "output" if role == "tool" else "talk"


class Index:
    """Upkeep of the index. Its caller holds the transaction."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._db = connection
        self._tuned: set[str] = set()
        self._unmerged: set[str] = set()
        self._seen: set[str] = set()
        self._new_words: set[str] = set()

    def add(self, entries: Sequence[Entry], *, put_off: bool = False) -> None:
        """Index turns that are not in the index yet; ``put_off``: they come after talk."""
        fed: dict[str, list[tuple[int, str]]] = {family: [] for family in FAMILIES}
        for entry in sorted(entries, key=lambda entry: entry.docid):
            # In order: FTS5 writes a segment when a row id is smaller than the last.
            family = "output" if put_off else family_of(entry.role)
            fed[family].append((entry.docid, f"{entry.words} {meta_word('s', entry.sid)}"))
            if entry.vocabulary:
                self._new_words.update(entry.vocabulary.split())
            if entry.said:
                fed["prompt"].append((entry.docid, entry.said))
        for family, rows in fed.items():
            at = 0
            while at < len(rows):
                part, name, room, space = self._open_part(family, rows[at][0])
                end = at
                while end < len(rows) and room > 0 and space > 0:
                    room, space, end = room - 1, space - len(rows[end][1]), end + 1
                batch, at = rows[at:end], end
                full = room <= 0 or space <= 0
                self._feed(part, name, batch)
                if full:
                    # Nothing more comes to this part: one segment answers fastest.
                    self._db.execute("UPDATE part SET sealed = ? WHERE id = ?", (SEALED, part))
                    self._db.execute(f"INSERT INTO {name}({name}) VALUES ('optimize')")
        new = self._new_words - self._seen
        if new:
            added = [(word,) for word in sorted(new)]  # in the table's order: fewer pages touched
            self._db.executemany("INSERT OR IGNORE INTO word VALUES (?)", added)
            if len(self._seen) > MOST_SEEN:
                self._seen.clear()
            self._seen |= new
        self._new_words.clear()

    def remove_glances(self, docids: Sequence[int]) -> None:
        """Take turns that glances gave out of the index."""
        self._remove(docids, "sealed = 2", merge=False)

    def clear_glances(self) -> None:
        """Empty what glances gave to the index.

        The parts stay: a search that has begun may still ask them, and finds nothing.
        """
        rows = self._db.execute("SELECT id FROM part WHERE sealed = 2").fetchall()
        for (part,) in rows:
            name = table("talk", part)
            self._db.execute(f"INSERT INTO {name}({name}) VALUES ('delete-all')")
            self._db.execute(
                "UPDATE part SET rows = 0, low = ?, high = ? WHERE id = ?",
                (docid.END, EMPTY, part),
            )

    def drop_emptied(self) -> None:
        """Take out the parts that were emptied: nobody asks them any more."""
        rows = self._db.execute("SELECT id FROM part WHERE high = ?", (EMPTY,)).fetchall()
        for (part,) in rows:
            self._db.execute(f"DROP TABLE {table('talk', part)}")
        self._db.execute("DELETE FROM part WHERE high = ?", (EMPTY,))

    def _feed(self, part: int, name: str, rows: Sequence[tuple[int, str]]) -> None:
        """Put rows, sorted by row id, into a part."""
        self._db.executemany(f"INSERT INTO {name}(rowid, text) VALUES (?,?)", rows)
        self._db.execute(
            "UPDATE part SET rows = rows + ?, chars = chars + ?, low = min(low, ?),"
            " high = max(high, ?) WHERE id = ?",
            (len(rows), sum(len(text) for _, text in rows), rows[0][0], rows[-1][0], part),
        )

    def _open_part(self, family: str, first: int, state: int = OPEN) -> tuple[int, str, int, int]:
        """The part new turns of a family go to: id, table, rows and characters it still takes."""
        row = self._db.execute(
            "SELECT id, rows, chars FROM part WHERE family = ? AND sealed = ?"
            " ORDER BY id DESC LIMIT 1",
            (family, state),
        ).fetchone()
        part, rows, chars = row or (new_part(self._db, family, first, state), 0, 0)
        name = table(family, part)
        if name not in self._tuned:
            self._db.execute(f"INSERT INTO {name}({name}, rank) VALUES ('hashsize', {HASH_BYTES})")
            self._tuned.add(name)
        return part, name, max(1, PART_ROWS - rows), max(1, PART_CHARS - chars)

    def remove(self, docids: Sequence[int]) -> None:
        """Take turns out of the index."""
        self._remove(docids, "sealed <> 2")
        self._db.executemany("DELETE FROM deferred WHERE docid = ?", [(d,) for d in docids])

    def _remove(self, docids: Sequence[int], which: str, *, merge: bool = True) -> None:
        """Take turns out of those parts that fulfil a condition.

        ``merge``: let FTS5 write what is left anew from time to time; of a part that will soon be
        emptied that is work for nothing.
        """
        if not docids:
            return
        low, high = min(docids), max(docids)
        parts = self._db.execute(
            f"SELECT id, family, low, high FROM part WHERE high >= ? AND low <= ? AND {which}",
            (low, high),
        ).fetchall()
        for part, family, first, last in parts:
            inside = [(row_id,) for row_id in docids if first <= row_id <= last]
            if not merge and (name := table(family, part)) not in self._unmerged:
                self._db.execute(f"INSERT INTO {name}({name}, rank) VALUES ('deletemerge', 0)")
                self._unmerged.add(name)
            before = self._db.total_changes()
            self._db.executemany(f"DELETE FROM {table(family, part)} WHERE rowid = ?", inside)
            if self._db.total_changes() != before:
                self._db.execute(
                    "UPDATE part SET rows = max(0, rows - ?) WHERE id = ?", (len(inside), part)
                )

    def remove_session(self, sid: int) -> None:
        """Take a session's turns and title out of the index; its turns must still be there."""
        rows = self._db.execute("SELECT docid FROM turn WHERE sid = ?", (sid,)).fetchall()
        docids = [row_id for (row_id,) in rows]
        self.remove(docids)
        self.remove_glances(docids)
        self._db.execute("DELETE FROM fts_title WHERE rowid = ?", (sid,))

    def set_title(
        self, sid: int, *, title: str = "", prompt: str = "", project: str = "", tags: str = ""
    ) -> None:
        """Index what a session is called and where it was."""
        self._db.execute("DELETE FROM fts_title WHERE rowid = ?", (sid,))
        self._db.execute(
            "INSERT INTO fts_title(rowid, title, prompt, place) VALUES (?,?,?,?)",
            (sid, *title_words(title, prompt, project, tags)),
        )

    def check(self) -> list[str]:
        """Sentences about what is wrong with the index; empty: nothing."""
        problems = []
        parts = self._db.execute("SELECT family, id FROM part").fetchall()
        for name in [*(table(*part) for part in parts), "fts_title"]:
            try:
                self._db.execute(f"INSERT INTO {name}({name}) VALUES ('integrity-check')")
            except apsw.Error as error:
                problems.append(f"index table {name} is damaged ({error})")
        return problems


def title_words(
    title: str | None, prompt: str | None, project: str | None, tags: str = ""
) -> tuple[str, str, str]:
    """What the index of titles is fed: title, first prompt, and where the session was."""
    return (
        tokens.index_text(title or "", in_order=True),
        tokens.index_text(prompt or "", in_order=True),
        tokens.index_text(f"{project or ''}\n{tags}", in_order=True),
    )


def creation(family: str, name: str, *, glances: bool = False) -> str:
    """The statement that makes an FTS5 table for a part of a family."""
    return _PART.format(name=name, options=_GLANCE_OPTIONS if glances else _OPTIONS[family])


def new_part(connection: apsw.Connection, family: str, first: int, state: int) -> int:
    """Make an empty part whose lowest row id will be ``first``; its number."""
    connection.execute(
        "INSERT INTO part(family, low, high, sealed) VALUES (?, ?, ?, ?)",
        (family, first, first, state),
    )
    part = int(connection.last_insert_rowid())
    connection.execute(creation(family, table(family, part), glances=state == GLANCES))
    return part


def table(family: str, part: int) -> str:
    """The name of a part's FTS5 table."""
    return f"fts_{family}_{part}"


def tables(connection: apsw.Connection) -> list[str]:
    """Names of the tables that have every turn once, those with the newest turns first."""
    rows = connection.execute(
        "SELECT family, id FROM part WHERE family <> 'prompt' AND high <> ? ORDER BY high DESC",
        (EMPTY,),
    ).fetchall()
    return [table(family, part) for family, part in rows]
