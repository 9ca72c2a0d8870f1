"""simonw's llm: its log database, with conversations in up to two generations of tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from sparrow_tui.agents import sqlite_source
from sparrow_tui.agents.base import (
    Agent,
    Batch,
    Checkpoint,
    Place,
    Resume,
    Source,
    SourceError,
    database_source,
    subfolders,
)
from sparrow_tui.agents.by_session import Seen, cut
from sparrow_tui.agents.common import as_text
from sparrow_tui.agents.documents import sealed
from sparrow_tui.agents.llm_responses import response_turns
from sparrow_tui.agents.llm_threads import thread_turns
from sparrow_tui.model import Coverage, SessionInfo, Turn


class Llm(Agent):
    """Reads ``logs.db``, and by hand any database written with ``llm -d``."""

    name = "llm"
    label = "llm"
    glyph = "§"
    color = "#8fb573"
    no_restore = "its sessions are in a database that only it should write to"

    def roots(self, place: Place) -> list[Path]:
        """The folder of llm's own files."""
        return [place.path("LLM_USER_PATH", place.config_home / "io.datasette.llm")]

    def sources(self, place: Place) -> Iterator[Source]:
        """``logs.db``, if logging was ever on, and those kept in folders beside it."""
        for root in self.roots(place):
            for path in (root / "logs.db", *(f / "logs.db" for f in subfolders(root))):
                source = database_source(self.name, path)
                if source is not None:
                    yield source

    def sniff(self, path: Path, head: bytes) -> bool:
        """A database with the tables of one of the generations."""
        if not sqlite_source.is_sqlite(head):
            return False
        with suppress(SourceError), sqlite_source.opened(path) as connection:
            return _old(connection) or _new(connection)
        return False

    def source_at(self, path: Path) -> Source | None:
        """The database by its own or its log's name."""
        if path.name.endswith("-wal"):
            path = path.with_name(path.name.removesuffix("-wal"))
        return database_source(self.name, path) if path.suffix == ".db" else None

    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Batch]:
        """Conversations with new rows since the checkpoint, each whole, newest first.

        A conversation begun before the second generation and continued in it has rows in both:
        the thread holds all its messages, the first generation's rows give times and tokens.
        """
        seen = Seen(since)
        with sqlite_source.opened(source.path) as connection:
            old, new = _old(connection), _new(connection)
            if not old and not new:
                raise SourceError("it has none of llm's tables")
            names = _names(connection, old, new)
            marks = _marks(connection, old, new)
            for native in sorted(marks, key=lambda key: as_text(marks[key][-1]), reverse=True):
                if seen.same(native, marks[native]):
                    continue
                info = SessionInfo(id=f"llm:{native}", title=names.get(native))
                coverage = Coverage()
                turns = _turns(connection, native, info, coverage, new)
                batches = cut(info, _dated(turns, info), coverage)
                yield from sealed(batches, seen, native, marks[native])

    def resume(self, session: SessionInfo) -> Resume | None:
        """``llm chat --cid ID``, from anywhere."""
        return Resume(("llm", "chat", "--cid", session.native_id))


def _old(connection: sqlite3.Connection) -> bool:
    return {"conversation_id", "prompt", "response"} <= sqlite_source.columns(
        connection, "responses"
    )


def _new(connection: sqlite3.Connection) -> bool:
    return sqlite_source.tables(connection).issuperset(("threads", "turns", "messages", "parts"))


def _names(connection: sqlite3.Connection, old: bool, new: bool) -> dict[str, str]:
    """Names of conversations. They are the first prompt, cut, unless somebody changed them."""
    names: dict[str, str] = {}
    for table in ("conversations",) * old + ("threads",) * new:
        for row in sqlite_source.rows(connection, table, ("id", "name")):
            if as_text(row["name"]).strip():
                names[as_text(row["id"])] = as_text(row["name"]).strip()
    return names


def _marks(connection: sqlite3.Connection, old: bool, new: bool) -> dict[str, list[Any]]:
    """Per conversation: what changes with every row added, its newest time last."""
    marks: dict[str, list[Any]] = {}
    if old:
        for row in sqlite_source.query(
            connection,
            "SELECT coalesce(conversation_id, id), count(*), max(rowid), max(datetime_utc)"
            " FROM responses GROUP BY 1",
        ):
            marks[as_text(row[0])] = list(row)[1:]
    if new:
        for row in sqlite_source.query(
            connection,
            "SELECT h.id, h.tip_message_hash, h.name, count(t.id),"
            " coalesce(max(t.datetime_utc), h.datetime_utc)"
            " FROM threads h LEFT JOIN turns t ON t.thread_id = h.id GROUP BY h.id",
        ):
            marks[as_text(row[0])] = [*marks.get(as_text(row[0]), []), *list(row)[1:]]
    return marks


def _turns(
    connection: sqlite3.Connection, native: str, info: SessionInfo, coverage: Coverage, new: bool
) -> Iterator[Turn]:
    responses = list(response_turns(connection, native, coverage))
    chain = thread_turns(connection, native, info, coverage) if new else []
    if not chain:
        yield from responses
        return
    said = {_words(turn): turn for turn in responses if turn.role == "assistant"}
    for turn in chain:
        known = said.get(_words(turn)) if turn.role == "assistant" else None
        if known is not None and turn.usage is None:
            turn.usage, turn.usage_id, turn.model = known.usage, known.usage_id, known.model
            turn.time, turn.duration_ms = turn.time or known.time, known.duration_ms
        yield turn
    # What the thread does not hold (another branch) stands after it.
    held = {_words(turn) for turn in chain}
    for turn in responses:
        if _words(turn) not in held:
            turn.branch = True
            yield turn


def _words(turn: Turn) -> tuple[str, str]:
    """Role and content, to find the same message in both generations."""
    return turn.role, repr(turn.blocks)


def _dated(turns: Iterator[Turn], info: SessionInfo) -> Iterator[Turn]:
    """The turns; times and model of the session are taken from them on the way."""
    for turn in turns:
        if turn.time is not None:
            info.created_at = min(turn.time, info.created_at or turn.time)
            info.updated_at = max(turn.time, info.updated_at or turn.time)
        if turn.model:
            info.model = turn.model
        yield turn


AGENT = Llm()
