"""The full-text index: FTS5 tables in parts, each turn in exactly one of its family.

Families: ``talk`` (what people and models said) and ``output`` (tool results), so that an import
makes conversation searchable first; and ``prompt``, once more what people typed, with the
positions of words, for phrases. A family is a list of parts by arrival; new turns go to its
newest part, and a part that is full is sealed: appending never waits for a merge of the whole
index (8 s were measured in one of 1M rows), and a search newest-first stops before old parts.

``talk`` and ``output`` hold no positions (``detail=none``): with positions the index is 2.1 times
the text, without 0.9 times (one table; 1.4 in all). Neighbours in identifiers are words of their
own (see `sparrow_tui.tokens`); other phrases are looked for in the texts of the turns that have
all their words. What is not text (role, tools, session, files) are words of the same column that
begin with a private-use character, which no text's word does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import apsw
import msgspec

from sparrow_tui import tokens
from sparrow_tui.store.codec import Flag

PART_ROWS = 125_000
"""Turns in a part before it is sealed: the longest any part takes to answer is what a keystroke
may have to wait for, and every part costs a rare word a look."""
MOST_SEEN = 500_000
HASH_BYTES = 64 << 20
"""Memory FTS5 may gather new entries in before it writes a segment."""
FAMILIES = ("talk", "output", "prompt")

TABLES = """
CREATE TABLE part(
  id INTEGER PRIMARY KEY, family TEXT NOT NULL, rows INTEGER NOT NULL DEFAULT 0,
  low INTEGER NOT NULL, high INTEGER NOT NULL, sealed INTEGER NOT NULL DEFAULT 0
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
META = "\ue001"
"""Begins words about a turn."""
FILE = "\ue002"
"""Begins words of the paths a turn's tools were given."""

_PLAIN_WORD = re.compile(r"(?<![^\W_])[^\W\d_]{4,24}(?![^\W_])")
_NOT_ALNUM = re.compile(r"[\W_]+")
FLAG_WORDS = {
    int(Flag.TOOL_ERROR): f"{META}ferror",
    int(Flag.API_ERROR): f"{META}ferror",
    int(Flag.IMAGE): f"{META}fimage",
    int(Flag.EDIT): f"{META}fedit",
    int(Flag.REASONING): f"{META}freasoning",
    int(Flag.NOTICE): f"{META}fnotice",
    int(Flag.PROMPT): f"{META}fprompt",
}
"""Words for what a turn has in it."""


class Entry(msgspec.Struct):
    """A turn as the index takes it."""

    docid: int
    sid: int
    role: str
    flags: int
    tools: Sequence[str]
    files: Sequence[str]
    words: str
    """See `codec.Row`."""
    said: str


@lru_cache(maxsize=20_000)
def meta_word(kind: str, value: object) -> str:
    """A word about a turn: ``r`` role, ``t`` tool, ``s`` session number."""
    return f"{META}{kind}{_NOT_ALNUM.sub('', tokens.fold(str(value)))}"


def family_of(role: str) -> str:
    """Which family a turn's role belongs to."""
    return "output" if role == "tool" else "talk"


class Index:
    """Upkeep of the index. Its caller holds the transaction."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._db = connection
        self._tuned: set[str] = set()
        self._seen: set[str] = set()
        self._new_words: set[str] = set()

    def add(self, entries: Sequence[Entry]) -> None:
        """Index turns that are not in the index yet."""
        fed: dict[str, list[tuple[int, str]]] = {family: [] for family in FAMILIES}
        for entry in sorted(entries, key=lambda entry: entry.docid):
            # In order: FTS5 writes a segment when a row id is smaller than the last.
            family = family_of(entry.role)
            fed[family].append((entry.docid, f"{entry.words} {_about(entry)}"))
            if family == "talk":
                self._note_words(entry.words)
            if entry.said:
                fed["prompt"].append((entry.docid, entry.said))
        for family, rows in fed.items():
            while rows:
                part, name, room = self._open_part(family, rows[0][0])
                batch, rows = rows[:room], rows[room:]
                self._db.executemany(f"INSERT INTO {name}(rowid, text) VALUES (?,?)", batch)
                self._db.execute(
                    "UPDATE part SET rows = rows + ?, low = min(low, ?), high = max(high, ?),"
                    " sealed = rows + ? >= ? WHERE id = ?",
                    (len(batch), batch[0][0], batch[-1][0], len(batch), PART_ROWS, part),
                )
                if len(batch) == room:
                    # Nothing more comes to this part: one segment answers fastest.
                    self._db.execute(f"INSERT INTO {name}({name}) VALUES ('optimize')")
        if self._new_words:
            self._db.executemany(
                "INSERT OR IGNORE INTO word VALUES (?)", [(word,) for word in self._new_words]
            )
            self._new_words.clear()

    def _note_words(self, text: str) -> None:
        """Keep words for `Vocabulary`; those seen before cost a look into a set."""
        found = set(text.split()) - self._seen
        if found:
            self._new_words.update(_PLAIN_WORD.findall(" ".join(found).lower()))
            if len(self._seen) > MOST_SEEN:
                self._seen.clear()
            self._seen |= found

    def _open_part(self, family: str, first: int) -> tuple[int, str, int]:
        """The part new turns of a family go to: id, table, rows it still takes."""
        row = self._db.execute(
            "SELECT id, rows FROM part WHERE family = ? AND NOT sealed ORDER BY id DESC LIMIT 1",
            (family,),
        ).fetchone()
        if row is None:
            self._db.execute(
                "INSERT INTO part(family, low, high) VALUES (?, ?, ?)", (family, first, first)
            )
            part, rows = self._db.last_insert_rowid(), 0
            name = table(family, part)
            self._db.execute(_PART.format(name=name, options=_OPTIONS[family]))
        else:
            part, rows = row
        name = table(family, part)
        if name not in self._tuned:
            self._db.execute(f"INSERT INTO {name}({name}, rank) VALUES ('hashsize', {HASH_BYTES})")
            self._tuned.add(name)
        return part, name, max(1, PART_ROWS - rows)

    def remove(self, docids: Sequence[int]) -> None:
        """Take turns out of the index."""
        if not docids:
            return
        low, high = min(docids), max(docids)
        parts = self._db.execute(
            "SELECT id, family, low, high FROM part WHERE high >= ? AND low <= ?", (low, high)
        ).fetchall()
        for part, family, first, last in parts:
            inside = [(docid,) for docid in docids if first <= docid <= last]
            before = self._db.total_changes()
            self._db.executemany(f"DELETE FROM {table(family, part)} WHERE rowid = ?", inside)
            if self._db.total_changes() != before:
                self._db.execute(
                    "UPDATE part SET rows = max(0, rows - ?) WHERE id = ?", (len(inside), part)
                )
        self._db.executemany("DELETE FROM deferred WHERE docid = ?", [(d,) for d in docids])

    def remove_session(self, sid: int) -> None:
        """Take a session's turns and title out of the index; its turns must still be there."""
        rows = self._db.execute("SELECT docid FROM turn WHERE sid = ?", (sid,)).fetchall()
        self.remove([docid for (docid,) in rows])
        self._db.execute("DELETE FROM fts_title WHERE rowid = ?", (sid,))

    def set_title(
        self, sid: int, *, title: str = "", prompt: str = "", project: str = "", tags: str = ""
    ) -> None:
        """Index what a session is called and where it was."""
        self._db.execute("DELETE FROM fts_title WHERE rowid = ?", (sid,))
        self._db.execute(
            "INSERT INTO fts_title(rowid, title, prompt, place) VALUES (?,?,?,?)",
            (
                sid,
                tokens.index_text(title, in_order=True),
                tokens.index_text(prompt, in_order=True),
                tokens.index_text(f"{project}\n{tags}", in_order=True),
            ),
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


def table(family: str, part: int) -> str:
    """The name of a part's FTS5 table."""
    return f"fts_{family}_{part}"


def tables(connection: apsw.Connection) -> list[str]:
    """Names of the tables that have every turn once, those with the newest turns first."""
    rows = connection.execute(
        "SELECT family, id FROM part WHERE family <> 'prompt' ORDER BY high DESC"
    ).fetchall()
    return [table(family, part) for family, part in rows]


def _about(entry: Entry) -> str:
    """What is known of a turn beside its text, as words."""
    words = [meta_word("s", entry.sid), meta_word("r", entry.role)]
    words.extend(meta_word("t", tool) for tool in dict.fromkeys(entry.tools))
    words.extend(dict.fromkeys(word for flag, word in FLAG_WORDS.items() if entry.flags & flag))
    for path in dict.fromkeys(entry.files):
        words.extend(FILE + word for word in tokens.index_words(path))
    return " ".join(words)
