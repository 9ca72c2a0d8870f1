"""Opening other programs' databases."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from sparrow_tui.agents import sqlite_source
from sparrow_tui.agents.base import SourceBusy, SourceError
from sparrow_tui.agents.sqlite_source import opened, query, rows


def make(path: Path, wal: bool = True) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    if wal:
        connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE t(a, b)")
    connection.execute("INSERT INTO t VALUES (1, 'x')")
    connection.commit()
    return connection


def test_a_database_at_rest_gets_no_files_beside_it(tmp_path: Path) -> None:
    make(tmp_path / "a b#?.db").close()
    with opened(tmp_path / "a b#?.db") as connection:
        assert rows(connection, "t", ("a", "missing")) == [{"a": 1, "missing": None}]
    assert os.listdir(tmp_path) == ["a b#?.db"]


def test_what_is_only_in_the_log_is_seen_and_the_writer_goes_on(tmp_path: Path) -> None:
    writer = make(tmp_path / "x.db")
    with opened(tmp_path / "x.db") as connection:
        assert len(rows(connection, "t", ("a",))) == 1
        writer.execute("INSERT INTO t VALUES (2, 'y')")
        writer.commit()
        assert len(rows(connection, "t", ("a",))) == 2
        busy, _, _ = writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert busy == 0
    writer.close()


def test_a_log_without_shared_memory_is_read_from_a_copy(tmp_path: Path) -> None:
    writer = make(tmp_path / "x.db")
    away = tmp_path / "away"
    away.mkdir()
    shutil.copy(tmp_path / "x.db", away / "x.db")
    shutil.copy(tmp_path / "x.db-wal", away / "x.db-wal")
    writer.close()
    with opened(away / "x.db") as connection:
        assert rows(connection, "t", ("b",)) == [{"b": "x"}]
    assert sorted(os.listdir(away)) == ["x.db", "x.db-wal"]


def test_nothing_can_be_written(tmp_path: Path) -> None:
    make(tmp_path / "x.db", wal=False).close()
    with (
        pytest.raises(SourceError, match="cannot be read"),
        opened(tmp_path / "x.db") as connection,
    ):
        query(connection, "DELETE FROM t")


def test_text_that_is_not_utf8(tmp_path: Path) -> None:
    writer = make(tmp_path / "x.db")
    writer.execute("INSERT INTO t VALUES (3, CAST(x'61ff62' AS TEXT))")
    writer.commit()
    writer.close()
    with opened(tmp_path / "x.db") as connection:
        assert rows(connection, "t", ("b",), "WHERE a = ?", (3,)) == [{"b": "a\ufffdb"}]


def test_views_do_not_count_as_tables(tmp_path: Path) -> None:
    writer = make(tmp_path / "x.db")
    writer.execute(
        "CREATE VIEW endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
        " SELECT i FROM n"
    )
    writer.close()
    with opened(tmp_path / "x.db") as connection:
        assert sqlite_source.tables(connection) == {"t"}
        assert rows(connection, "endless", ("i",)) == []


@pytest.mark.parametrize(
    "content", [b"not a database, at all" * 50, sqlite_source.MAGIC + b"\xff" * 4000]
)
def test_broken_files_are_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.db").write_bytes(content)
    with pytest.raises(SourceError) as caught, opened(tmp_path / "x.db"):
        pass
    assert "\n" not in str(caught.value)
    assert not sqlite_source.has_tables(tmp_path / "x.db", "t")


def test_a_database_written_to_while_it_is_copied_is_put_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "x.db", wal=False).close()
    (tmp_path / "x.db-journal").write_bytes(b"not empty: a change that is not committed")
    copied = shutil.copyfile

    def slowly(source: str, target: str) -> None:
        copied(source, target)
        with open(tmp_path / "x.db", "ab") as file:
            file.write(b"more")

    monkeypatch.setattr(shutil, "copyfile", slowly)
    with pytest.raises(SourceBusy, match="while it was copied"), opened(tmp_path / "x.db"):
        pass
    monkeypatch.setattr(shutil, "copyfile", copied)
    (tmp_path / "x.db-journal").unlink()
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.db"]


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError), opened(tmp_path / "x.db"):
        pass
    assert os.listdir(tmp_path) == []


def test_a_locked_database_is_put_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_source, "BUSY_SECONDS", 0.01)
    writer = make(tmp_path / "x.db", wal=False)
    writer.execute("BEGIN EXCLUSIVE")
    with pytest.raises(SourceError, match="locked"), opened(tmp_path / "x.db") as connection:
        query(connection, "SELECT * FROM t")
    writer.close()


def test_a_rewrite_under_a_reader_without_locks_is_noticed(tmp_path: Path) -> None:
    make(tmp_path / "x.db").close()
    read = opened(tmp_path / "x.db")
    query(read.__enter__(), "SELECT * FROM t")
    with open(tmp_path / "x.db", "ab") as file:
        file.write(b"more")
    with pytest.raises(SourceError, match="written to"):
        read.__exit__(None, None, None)
