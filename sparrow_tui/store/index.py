"""The full-text index: FTS5 tables in parts, each turn in exactly one.

Two families: ``talk`` (what people and models said) and ``output`` (tool results), so that an
import makes conversation searchable first. A family is a list of parts by arrival; new turns
go to its newest part, and a part that is full is sealed. Appending therefore never waits for
a merge of the whole index, and a search newest-first can stop before it has seen old parts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import apsw
import msgspec

from sparrow_tui import tokens
from sparrow_tui.store.codec import Flag, pack, unpack

PART_ROWS = 250_000
"""Turns in a part before it is sealed."""
HASH_BYTES = 64 << 20
"""Memory FTS5 may gather new entries in before it writes a segment."""
FAMILIES = ("talk", "output")

TABLES = """
CREATE TABLE part(
  id INTEGER PRIMARY KEY, family TEXT NOT NULL, rows INTEGER NOT NULL DEFAULT 0,
  low INTEGER NOT NULL, high INTEGER NOT NULL, sealed INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE deferred(               -- turns that are indexed later
  docid INTEGER PRIMARY KEY, entry BLOB NOT NULL  -- codec.pack(MessagePack of Entry)
);
CREATE VIRTUAL TABLE fts_title USING fts5(
  title, prompt, place, content='', contentless_delete=1, prefix='1 2 3',
  tokenize="unicode61 remove_diacritics 2"
);
"""

_PART = """CREATE VIRTUAL TABLE {name} USING fts5(
  text, files, meta, content='', contentless_delete=1, prefix='1 2 3',
  tokenize="unicode61 remove_diacritics 2"
)"""

_NOT_ALNUM = re.compile(r"[\W_]+")
FLAG_WORDS = {
    int(Flag.TOOL_ERROR): "xferror",
    int(Flag.API_ERROR): "xferror",
    int(Flag.IMAGE): "xfimage",
    int(Flag.EDIT): "xfedit",
    int(Flag.REASONING): "xfreasoning",
    int(Flag.NOTICE): "xfnotice",
    int(Flag.PROMPT): "xfprompt",
}
"""Words of the meta column for what a turn has in it."""


class Entry(msgspec.Struct):
    """A turn as the index takes it."""

    docid: int
    sid: int
    role: str
    flags: int
    tools: Sequence[str]
    files: Sequence[str]
    text: str
    """The text form."""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Entry).decode


def meta_word(kind: str, value: object) -> str:
    """A word of the meta column: ``r`` role, ``t`` tool, ``s`` session number."""
    return f"x{kind}{_NOT_ALNUM.sub('', tokens.fold(str(value)))}"


def family_of(role: str) -> str:
    """Which family a turn's role belongs to."""
    return "output" if role == "tool" else "talk"


class Index:
    """Upkeep of the index. Its caller holds the transaction."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._db = connection
        self._tuned: set[str] = set()

    def add(self, entries: Sequence[Entry]) -> None:
        """Index turns that are not in the index yet."""
        for family in FAMILIES:
            rows = [entry for entry in entries if family_of(entry.role) == family]
            rows.sort(key=lambda entry: entry.docid)  # FTS5 flushes on a smaller row id
            while rows:
                part, name, room = self._open_part(family, rows[0].docid)
                batch, rows = rows[:room], rows[room:]
                self._db.executemany(
                    f"INSERT INTO {name}(rowid, text, files, meta) VALUES (?,?,?,?)",
                    [(entry.docid, *_columns(entry)) for entry in batch],
                )
                self._db.execute(
                    "UPDATE part SET rows = rows + ?, low = min(low, ?), high = max(high, ?),"
                    " sealed = rows + ? >= ? WHERE id = ?",
                    (
                        len(batch), batch[0].docid, batch[-1].docid, len(batch), PART_ROWS, part,
                    ),
                )  # fmt: skip

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
            self._db.execute(_PART.format(name=table(family, part)))
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
                sid, tokens.index_text(title), tokens.index_text(prompt),
                tokens.index_text(f"{project}\n{tags}"),
            ),
        )  # fmt: skip

    def defer(self, entries: Sequence[Entry]) -> None:
        """Put turns off until `index_deferred`; what the index takes is kept ready."""
        self._db.executemany(
            "INSERT OR REPLACE INTO deferred VALUES (?,?)",
            [(entry.docid, pack(_encode(entry), quickly=True)) for entry in entries],
        )

    def deferred_count(self) -> int:
        """How many turns were put off."""
        return int(self._db.execute("SELECT count(*) FROM deferred").get)

    def index_deferred(self, limit: int) -> int:
        """Index turns that were put off, newest first; how many were done."""
        rows = self._db.execute(
            "SELECT docid, entry FROM deferred ORDER BY docid DESC LIMIT ?", (limit,)
        ).fetchall()
        self.add([_decode(unpack(entry)) for _, entry in rows])
        self._db.executemany("DELETE FROM deferred WHERE docid = ?", [(d,) for d, _ in rows])
        return len(rows)

    def maintain(self, pages: int = 500) -> None:
        """Merge a little of the newest sealed part that still needs it."""
        for part, family in self._db.execute(
            "SELECT id, family FROM part ORDER BY id DESC LIMIT 4"
        ).fetchall():
            name = table(family, part)
            self._db.execute(f"INSERT INTO {name}({name}, rank) VALUES ('merge', {pages})")

    def check(self) -> list[str]:
        """Sentences about what is wrong with the index; empty: nothing."""
        problems = []
        for name in [*tables(self._db), "fts_title"]:
            try:
                self._db.execute(f"INSERT INTO {name}({name}) VALUES ('integrity-check')")
            except apsw.Error as error:
                problems.append(f"index table {name} is damaged ({error})")
        return problems


def table(family: str, part: int) -> str:
    """The name of a part's FTS5 table."""
    return f"fts_{family}_{part}"


def tables(connection: apsw.Connection) -> list[str]:
    """Names of all parts' tables, those with the newest turns first."""
    rows = connection.execute("SELECT family, id FROM part ORDER BY high DESC").fetchall()
    return [table(family, part) for family, part in rows]


def _columns(entry: Entry) -> tuple[str, str, str]:
    words = [meta_word("s", entry.sid), meta_word("r", entry.role)]
    words.extend(meta_word("t", tool) for tool in dict.fromkeys(entry.tools))
    words.extend(dict.fromkeys(word for flag, word in FLAG_WORDS.items() if entry.flags & flag))
    files = "\n".join(dict.fromkeys(entry.files))
    return tokens.index_text(entry.text), tokens.index_text(files), " ".join(words)
