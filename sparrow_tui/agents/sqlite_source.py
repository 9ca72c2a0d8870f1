"""Other programs' SQLite databases: opened without writing to them or holding up their writer."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from sparrow_tui.agents import plain
from sparrow_tui.agents.base import SourceBusy, SourceError, stamp
from sparrow_tui.sanitize import storable
from sparrow_tui.scratch import scratch_dir

MAGIC = b"SQLite format 3\x00"
BUSY_SECONDS = 2.0
"""How long a locked database is waited for before the reading is put off."""


def is_sqlite(head: bytes) -> bool:
    """Whether a file's first bytes are those of an SQLite database."""
    return head.startswith(MAGIC)


@contextmanager
def opened(path: str | Path) -> Iterator[sqlite3.Connection]:
    """A read-only connection that sees the write-ahead log and leaves no file behind.

    A database that is in use is opened ``mode=ro`` beside its writer. One at rest in WAL mode
    is opened ``immutable``, since SQLite would otherwise create its ``-wal`` and ``-shm`` next
    to it. A log without its ``-shm``, a rollback journal left by a crash, or a folder we may
    not write to: the files are copied to a private folder first and read there.

    Rows are `sqlite3.Row`; text that is not UTF-8 is read with replacement characters. Use
    `rows` or `query`, which fetch everything at once: an open cursor keeps the writer's log
    from being checkpointed.

    Raises:
        SourceBusy: it is locked, or was rewritten while it was read without locks.
        SourceError: it is not a database, or damaged.
    """
    name = os.fspath(path)
    with ExitStack() as stack:
        at_rest = ""
        try:
            head = plain.read_bytes(name, 100)
            if head and not is_sqlite(head):
                raise SourceError("it is not an SQLite database")
            log = _size(f"{name}-wal")
            if _size(f"{name}-journal") > 0 or (log > 0 and _size(f"{name}-shm") < 0):
                connection = stack.enter_context(closing(_copy(name, stack)))
            elif head[18:20] == b"\x02\x02" and log <= 0 and _size(f"{name}-shm") < 0:
                at_rest = _stamp(name)
                connection = stack.enter_context(closing(_connect(name, "mode=ro&immutable=1")))
            else:
                try:
                    connection = stack.enter_context(closing(_connect(name, "mode=ro")))
                except sqlite3.OperationalError as error:
                    if "locked" in str(error):
                        raise
                    connection = stack.enter_context(closing(_copy(name, stack)))
        except (OSError, sqlite3.Error) as error:
            raise _sentence(error) from error
        try:
            yield connection
        except sqlite3.Error as error:
            raise _sentence(error) from error
        if at_rest and at_rest != _stamp(name):
            raise SourceBusy("it was written to while it was read; the next sync reads it again")


def query(
    connection: sqlite3.Connection, sql: str, parameters: Sequence[Any] = ()
) -> list[sqlite3.Row]:
    """All rows of a query, the cursor closed.

    Raises:
        SourceBusy: the database is locked.
        SourceError: it is damaged, or the query does not fit it.
    """
    try:
        values = tuple(storable(v) if isinstance(v, str) else v for v in parameters)
        with closing(connection.execute(sql, values)) as cursor:
            return cursor.fetchall()
    except (sqlite3.Error, OverflowError) as error:
        raise _sentence(error) from error


def tables(connection: sqlite3.Connection) -> frozenset[str]:
    """Names of the real tables; views are left out, since a hostile one could run for ever."""
    return frozenset(
        str(row[0])
        for row in query(connection, "SELECT name FROM sqlite_master WHERE type='table'")
    )


def columns(connection: sqlite3.Connection, table: str) -> frozenset[str]:
    """Names of a table's columns; empty if there is no such table."""
    if table not in tables(connection):
        return frozenset()
    return frozenset(
        str(row[1]) for row in query(connection, f"PRAGMA table_info({_quoted(table)})")
    )


def rows(
    connection: sqlite3.Connection,
    table: str,
    wanted: Sequence[str],
    tail: str = "",
    parameters: Sequence[Any] = (),
) -> list[dict[str, Any]]:
    """Rows of a table as dicts with exactly the columns asked for.

    Args:
        connection: from `opened`.
        table: its name; a table that does not exist has no rows.
        wanted: column names. Columns vary between versions: a missing one reads ``None``.
        tail: what follows in the statement (``WHERE … ORDER BY …``), our own text only.
        parameters: values for the tail's ``?``.

    Raises:
        SourceError: as `query`.
    """
    there = columns(connection, table)
    if not there:
        return []
    picked = [name for name in wanted if name in there]
    sql = f"SELECT {', '.join(map(_quoted, picked)) or 'NULL'} FROM {_quoted(table)} {tail}"
    empty = dict.fromkeys(wanted)
    return [
        {**empty, **dict(zip(picked, row, strict=False))}
        for row in query(connection, sql, parameters)
    ]


def has_tables(path: str | Path, *names: str) -> bool:
    """Whether a file is a database with all these tables; ``False`` if it cannot be read."""
    with suppress(SourceError), opened(path) as connection:
        return tables(connection).issuperset(names)
    return False


def _connect(name: str, options: str) -> sqlite3.Connection:
    """Open and touch the schema, so that what is wrong shows here."""
    connection = sqlite3.connect(
        f"{Path(name).absolute().as_uri()}?{options}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.row_factory = sqlite3.Row
        connection.text_factory = _text
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def _copy(name: str, stack: ExitStack) -> sqlite3.Connection:
    """Open a private copy, with log and journal; it goes when the stack closes."""
    folder = stack.enter_context(
        tempfile.TemporaryDirectory(dir=scratch_dir(), ignore_cleanup_errors=True)
    )
    target = os.path.join(folder, "copy.db")
    before = _stamp(name), _stamp(f"{name}-journal")
    for suffix in ("-wal", "-journal", ""):
        if suffix == "" or _size(name + suffix) > 0:
            shutil.copyfile(name + suffix, target + suffix)
    if before != (_stamp(name), _stamp(f"{name}-journal")):  # a log may grow meanwhile
        raise SourceBusy("it was written to while it was copied; the next sync reads it again")
    return _connect(target, "mode=rw")


def _size(name: str) -> int:
    """Bytes of a file, -1 if there is none."""
    try:
        return os.stat(name).st_size
    except OSError:
        return -1


def _stamp(name: str) -> str:
    """Size and time of a file, to see that it was left alone."""
    with suppress(OSError):
        return stamp(os.stat(name))
    return "gone"


def _text(data: bytes) -> str:
    """Text of a column, whatever bytes are in it."""
    return data.decode("utf-8", errors="replace")


def _quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _sentence(error: Exception) -> SourceError:
    """What a person can do something with, from SQLite's or the system's words."""
    words = str(getattr(error, "strerror", None) or error)
    if "locked" in words:
        return SourceBusy("the database is locked by its program; the next sync reads it")
    if "malformed" in words or "not a database" in words:
        return SourceError("the database is damaged")
    return SourceError(f"the database cannot be read: {words}")
