"""What was said in some sessions, built as an archive in memory by any process, and taken in.

Making rows and words is most of what a glance costs, and one process at a time writes to an
archive. So others make the very tables the archive has, and the writer copies them. Numbers of
sessions and row ids of turns are given out beforehand; where one is in use by then, and where the
archive knows a session, that session is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import apsw
import msgspec

from sparrow_tui import tokens
from sparrow_tui.agents.base import Batch, Source
from sparrow_tui.faultlog import record
from sparrow_tui.model import SessionInfo, text_form
from sparrow_tui.scrub import scrubbed
from sparrow_tui.store import built_parts, codec, index, schema, session_row
from sparrow_tui.store.flags import Flag
from sparrow_tui.store.row_ids import RowIds
from sparrow_tui.store.sums import OpenSession
from sparrow_tui.store.turn_words import about, meta_word

FAMILY = "talk"
_PROMPT = int(Flag.PROMPT)
_NO_DIGEST = 0
"""These turns are replaced, not compared."""
_TABLES = """
CREATE TABLE titled(sid INTEGER PRIMARY KEY, title TEXT, prompt TEXT, place TEXT);
"""
"""What is made beside the archive's own tables: what the index of titles is fed."""


_OF_SESSIONS = ("session", "turn", "chunk", "titled")


class Taken(NamedTuple):
    """What taking a part in did."""

    sessions: set[str]
    """Ids of sessions that are new."""
    left: list[str]
    """Sources left out because another session has its number, or turns of it a row id."""


def build(
    glances: Iterable[tuple[Source, Batch]], sid: int, beside: apsw.Connection | None = None
) -> bytes:
    """What glances gave, as a part.

    Args:
        glances: sources with what was said in them, each in one session.
        sid: the first session's number.
        beside: the archive, if it is not written to before the part is taken in: row ids it
            has are not used.

    Returns:
        The part; empty if nothing was said.
    """
    connection = apsw.Connection(":memory:")
    try:
        connection.pragma("temp_store", "memory")
        with connection:
            connection.execute(schema.TABLES + _TABLES)
            connection.execute(index.creation(FAMILY, "fts", glances=True))
            connection.execute("INSERT INTO fts(fts, rank) VALUES ('hashsize', ?)", (1 << 28,))
        ids = RowIds(connection, beside)
        words: list[tuple[int, str]] = []
        seen: set[str] = set()
        with connection:
            for number, (source, batch) in enumerate(glances, sid):
                if batch.session.id in seen:
                    continue  # a copy: the newer source comes first
                before = len(words)
                try:
                    _write(connection, ids, number, source, batch, words)
                except (apsw.Error, ValueError, OverflowError) as error:
                    record(error)  # reading the source will say what is wrong
                    del words[before:]
                    for name in _OF_SESSIONS:
                        connection.execute(f"DELETE FROM {name} WHERE sid = ?", (number,))
                else:
                    seen.add(batch.session.id)
            words.sort()  # FTS5 writes a segment when a row id is smaller than the last
            connection.executemany("INSERT INTO fts(rowid, text) VALUES (?, ?)", words)
        return connection.serialize("main") if words else b""
    finally:
        connection.close()


def _write(
    connection: apsw.Connection,
    ids: RowIds,
    sid: int,
    source: Source,
    batch: Batch,
    words: list[tuple[int, str]],
) -> None:
    """Write a session's talk; ``words`` gets what the index is fed, by row id."""
    info = scrubbed(batch.session)
    session = OpenSession(sid, info.id, info.agent, info.project, info.branch, info.model)
    session.title = info.title
    whose = meta_word("s", sid)
    placed = []
    for turn in batch.turns:
        text = text_form(turn.blocks)
        row_id = ids.following(session, turn.time)
        flags = _PROMPT if turn.role == "user" else 0
        lines = text.count("\n") + 1
        placed.append(
            (row_id, sid, session.turns, turn.role, flags, len(text), lines, turn.time,
             _NO_DIGEST, codec.plain_body(turn))
        )  # fmt: skip
        said = tokens.index_text(text, joined=False)
        words.append((row_id, f"{said} {about(turn.role, flags)} {whose}"))
        session_row.note_time(session, turn.time)
        if flags:
            session_row.note_prompt(session, turn.blocks)
        session.turns += 1
        session.chars += len(text)
        session.lines += lines
    connection.executemany("INSERT INTO turn VALUES (?,?,?,?,?,?,?,?,?,?)", placed)
    session_row.note_facts(session, info)
    _note(connection, session, info, source)
    fed = index.title_words(session.title, session.prompt, session.project)
    connection.execute("INSERT INTO titled VALUES (?,?,?,?)", (sid, *fed))


def _note(
    connection: apsw.Connection, session: OpenSession, info: SessionInfo, source: Source
) -> None:
    """Write a session's row."""
    connection.execute(
        "INSERT INTO session(sid, id, agent, title, prompt, status, project, branch, model,"
        " created_at, updated_at, turns, parent, parent_tool_use, chars, lines, source, ghost,"
        " extra)"
        " VALUES (?,?,?,?,?,coalesce(?, 'active'),?,?,?,?,?,?,?,?,?,?,?,?,json_patch('{}', ?))",
        (
            session.sid, session.id, session.agent, session.title, session.prompt, info.status,
            session.project, session.branch, session.model, session.created_at,
            session.updated_at or session.created_at, session.turns, info.parent,
            info.parent_tool_use, session.chars, session.lines, source.path, info.ghost,
            msgspec.json.encode(info.extra).decode(),
        ),
    )  # fmt: skip


@contextmanager
def attached(connection: apsw.Connection, part: bytes) -> Iterator[None]:
    """A part, readable as the schema ``built``. Not in a transaction."""
    connection.execute("ATTACH ':memory:' AS built")
    try:
        connection.deserialize("built", part)
        yield
    finally:
        connection.execute("DETACH built")


def take_in(connection: apsw.Connection) -> Taken:
    """Take the attached part into the archive. In a transaction."""
    connection.execute(
        "DELETE FROM built.session WHERE id IN (SELECT id FROM main.session)"
        " OR id IN (SELECT id FROM main.deleted)"
    )
    left = connection.execute(
        "DELETE FROM built.session WHERE sid IN (SELECT sid FROM main.session) OR sid IN"
        " (SELECT b.sid FROM built.chunk AS b JOIN main.chunk USING (no)) RETURNING source"
    ).fetchall()
    stale = connection.execute(
        "SELECT docid FROM built.turn WHERE sid NOT IN (SELECT sid FROM built.session)"
    ).fetchall()
    if stale:
        for name in _OF_SESSIONS[1:]:
            connection.execute(
                f"DELETE FROM built.{name} WHERE sid NOT IN (SELECT sid FROM built.session)"
            )
    sessions = {i for (i,) in connection.execute("SELECT id FROM built.session")}
    if sessions:
        for name in ("session", "turn", "chunk"):
            connection.execute(f"INSERT INTO main.{name} SELECT * FROM built.{name}")
        connection.execute(
            "INSERT INTO main.fts_title(rowid, title, prompt, place) SELECT * FROM built.titled"
        )
        low, high, rows = connection.execute(
            "SELECT min(docid), max(docid), count(*) FROM built.turn"
        ).fetchone()
        part = built_parts.copied(connection, FAMILY, index.GLANCES, low, stale)
        connection.execute("UPDATE part SET rows = ?, high = ? WHERE id = ?", (rows, high, part))
    return Taken(sessions, [path for (path,) in left])
