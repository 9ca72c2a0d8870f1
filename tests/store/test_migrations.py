"""The way from one version of the archive to the next."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from sparrow_tui.model import Text, Turn
from sparrow_tui.store import open_store, schema
from sparrow_tui.store.base import StoreError


@pytest.fixture
def old(location: str) -> str:
    """An archive of today's version with a session in it."""
    made = open_store(location)
    made.save("demo:1", [Turn(role="user", blocks=[Text("needle")])])
    made.close()
    return location


def test_an_older_archive_is_brought_up_to_date(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 2)
    first = schema.VERSION - 2
    monkeypatch.setitem(schema.MIGRATIONS, first, "ALTER TABLE session ADD COLUMN mood TEXT;")
    monkeypatch.setitem(
        schema.MIGRATIONS, first + 1, "UPDATE session SET mood = 'new'; CREATE TABLE extra(x)"
    )
    opened = open_store(old)
    try:
        assert opened.connection.pragma("user_version") == schema.VERSION
        assert opened.connection.execute("SELECT mood FROM session").get == "new"
        assert [hit.session for hit in opened.search("needle").hits] == ["demo:1"]
    finally:
        opened.close()


def test_a_step_that_fails_changes_nothing(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = schema.VERSION
    monkeypatch.setattr(schema, "VERSION", first + 2)
    monkeypatch.setitem(schema.MIGRATIONS, first, "ALTER TABLE session ADD COLUMN mood TEXT")
    monkeypatch.setitem(schema.MIGRATIONS, first + 1, "UPDATE nothing SET x = 1")
    with pytest.raises(StoreError):
        open_store(old)
    monkeypatch.undo()
    opened = open_store(old)
    try:
        columns = {row[1] for row in opened.connection.execute("PRAGMA table_info(session)")}
        assert "mood" not in columns
        assert opened.connection.pragma("user_version") == first
        assert opened.count() == 1
    finally:
        opened.close()


def test_tables_of_another_build_are_said_so(old: str) -> None:
    """The version did not grow while nothing was released; the tables did."""
    opened = open_store(old)
    opened.connection.execute("ALTER TABLE session DROP COLUMN unpriced")
    opened.connection.execute("UPDATE note SET value = 'other' WHERE key = 'tables'")
    opened.close()
    before = Path(old).read_bytes()
    for _ in range(2):
        with pytest.raises(StoreError, match=r"other tables.*move it away"):
            open_store(old)
        assert Path(old).read_bytes() == before
    with apsw.Connection(old) as early:
        early.execute("DELETE FROM note")
    early.close()
    with pytest.raises(StoreError, match="other tables"):
        open_store(old, readonly=True)


def test_every_version_has_its_step() -> None:
    assert sorted(schema.MIGRATIONS) == list(range(1, schema.VERSION))


def test_a_newer_archive_is_left_alone(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = open_store(old)
    opened.connection.pragma("user_version", schema.VERSION + 1)
    opened.close()
    before = Path(old).read_bytes()
    with pytest.raises(StoreError, match="newer"):
        open_store(old)
    assert Path(old).read_bytes() == before
