"""Opening the embedded archive: whose file it is, its version, its settings."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import apsw

from sparrow_tui.paths import private_dir
from sparrow_tui.store import schema
from sparrow_tui.store.base import (
    Interrupted,
    StoreBusy,
    StoreError,
    StoreFull,
    StoreUnwritable,
)

BUSY_MS = 5_000
LOG_PAGES = 4_000
"""Pages of the write-ahead log before it is moved into the file: an import writes many twice."""
STATEMENTS = 512
"""Places for statements kept ready: `executemany` takes a new one for every row."""
SCARCE = 256 * 1024
"""Bytes free below which a failure of the disk is taken for a full one."""


def connect(path: Path, *, readonly: bool = False) -> apsw.Connection:
    """Open an archive, making or migrating it if need be.

    Args:
        path: the archive's file.
        readonly: refuse to change anything through this connection.

    Raises:
        StoreError: it is another program's file, damaged, newer than we know or not writable.
    """
    new = not path.exists() or path.stat().st_size == 0
    if path.is_dir():
        raise StoreError(f"{path} is a directory; name a file for the store")
    with translated(path):
        if new:
            _create_file(path)
        elif not _is_ours(path):
            raise StoreError(_foreign(path))
        connection = _open(path, readonly)
        try:
            if _integer(connection, "user_version") != schema.VERSION:
                _migrate(connection, path)
            elif _noted(connection) != tables_fingerprint():
                raise StoreError(
                    f"the store {path} has other tables than this build of sparrow-tui; move it "
                    "away and run sparrow-tui sync to build a new one (nothing in it was changed: "
                    "the build that made it still opens it)"
                )
            if readonly:
                connection.pragma("query_only", True)
        except BaseException:
            connection.close()
            raise
    return connection


def _open(path: Path, readonly: bool) -> apsw.Connection:
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        connection = apsw.Connection(
            os.fspath(path), flags=apsw.SQLITE_OPEN_READWRITE, statementcachesize=STATEMENTS
        )
        connection.set_busy_timeout(BUSY_MS)
        connection.pragma("journal_mode", "wal")
    else:
        # Nothing can be made beside it. Without a log it is whole, and nobody's at the moment.
        log = Path(f"{path}-wal")
        whole = "" if log.exists() and log.stat().st_size else "&immutable=1"
        connection = apsw.Connection(
            f"file:{quote(os.fspath(path))}?mode=ro{whole}",
            flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI,
        )
        connection.set_busy_timeout(BUSY_MS)
    connection.pragma("synchronous", "normal")
    connection.pragma("temp_store", "memory")
    connection.pragma("cache_size", -32_000 if readonly else -16_000)
    if readonly:  # what is written is read through the cache; mapped, it would be in memory twice
        connection.pragma("mmap_size", 256 << 20)
    connection.pragma("journal_size_limit", 64 << 20)
    connection.wal_autocheckpoint(LOG_PAGES)
    return connection


def _create_file(path: Path) -> None:
    try:
        private_dir(path.parent)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except FileExistsError as error:
        raise StoreError(f"{path.parent} is not a directory; name another store") from error
    except OSError as error:
        raise StoreError(
            f"the store {path} cannot be created: {error.strerror}; name another with --store"
        ) from error


def _is_ours(path: Path) -> bool:
    """Whether the file's header carries our application id (offset 68, SQLite file format)."""
    with open(path, "rb") as file:
        head = file.read(100)
    if not head.startswith(b"SQLite format 3\x00") or len(head) < 72:
        return False
    if int.from_bytes(head[68:72], "big") == schema.APPLICATION_ID:
        return True
    # A first creation that was cut short may have left everything in the write-ahead log.
    return _empty_database(path)


def _empty_database(path: Path) -> bool:
    """Whether a database holds nothing at all, or ours after its log is taken into account."""
    try:
        with apsw.Connection(os.fspath(path), flags=apsw.SQLITE_OPEN_READONLY) as connection:
            if _integer(connection, "application_id") == schema.APPLICATION_ID:
                return True
            return bool(connection.execute("SELECT count(*) FROM sqlite_schema").get == 0)
    except apsw.Error:
        return False


def _foreign(path: Path) -> str:
    """The sentence for a file that is not ours."""
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            columns = {row[1] for row in database.execute("PRAGMA table_info(sessions)")}
        if {"id", "messages_json"} <= columns:
            return (
                f"{path} is Sparrow's own database, not a store of ours; "
                f"import it with: sparrow-tui sync {path}"
            )
    except sqlite3.Error:
        return f"{path} is not a store of ours (not an SQLite database); name another file"
    return (
        f"{path} belongs to another program; name another file with --store "
        f"(to import sessions from it: sparrow-tui sync {path})"
    )


def _migrate(connection: apsw.Connection, path: Path) -> None:
    """Bring the tables to the current version, in one transaction."""
    with immediate(connection):
        version = _integer(connection, "user_version")
        if version > schema.VERSION:
            raise StoreError(
                f"{path} was written by a newer sparrow-tui (store version {version}, "
                f"this program knows {schema.VERSION}); update sparrow-tui"
            )
        if version == 0:
            connection.execute(_tables())
            connection.pragma("application_id", schema.APPLICATION_ID)
        else:
            for step in range(version, schema.VERSION):
                connection.execute(schema.MIGRATIONS[step])
        connection.execute(
            "INSERT OR REPLACE INTO note VALUES ('tables', ?)", (tables_fingerprint(),)
        )
        connection.pragma("user_version", schema.VERSION)


def _tables() -> str:
    """The statements that make an empty archive."""
    from sparrow_tui.store import buckets, counters, durations, index

    return "\n".join(module.TABLES for module in (schema, index, buckets, counters, durations))


def tables_fingerprint() -> str:
    """What the tables of this build look like; comments and spaces do not count."""
    statements = " ".join(re.sub(r"--.*", "", _tables()).split())
    return hashlib.blake2b(statements.encode(), digest_size=8).hexdigest()


def _noted(connection: apsw.Connection) -> str:
    """The fingerprint of the build that made or migrated an archive; empty: an early one."""
    try:
        return connection.execute("SELECT value FROM note WHERE key = 'tables'").get or ""
    except apsw.SQLError:
        return ""


def _integer(connection: apsw.Connection, name: str) -> int:
    return int(connection.pragma(name) or 0)


@contextmanager
def immediate(connection: apsw.Connection) -> Iterator[None]:
    """A write transaction that takes its lock at once: all of it happens, or none."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    try:
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _full(path: Path | str) -> bool:
    try:
        return shutil.disk_usage(Path(path).parent).free < SCARCE
    except OSError:
        return False


def _no_space(path: Path | str) -> str:
    return f"no space is left for the store {path}; what it holds is kept, nothing is half-written"


@contextmanager
def translated(path: Path | str) -> Iterator[None]:
    """Turn the engine's errors into the store's."""
    try:
        yield
    except apsw.InterruptError as error:
        raise Interrupted from error
    except (apsw.BusyError, apsw.LockedError) as error:
        raise StoreBusy(f"the store {path} is busy: another program writes to it") from error
    except (apsw.NotADBError, apsw.CorruptError) as error:
        raise StoreError(
            f"the store {path} is damaged ({error}); move it away and run sparrow-tui sync "
            "to build it again from what the agents still have"
        ) from error
    except apsw.FullError as error:
        raise StoreFull(_no_space(path)) from error
    except apsw.ReadOnlyError as error:
        raise StoreUnwritable(f"the store {path} cannot be written to: {error}") from error
    except apsw.CantOpenError as error:
        raise StoreError(f"the store {path} cannot be opened: {error}") from error
    except apsw.IOError as error:
        if _full(path):
            raise StoreFull(_no_space(path)) from error
        raise StoreError(f"the disk failed under the store {path}: {error}") from error
    except apsw.Error as error:
        raise StoreError(f"the store {path} failed: {error}") from error
    except PermissionError as error:
        raise StoreError(f"the store {path} cannot be read: {error.strerror}") from error
