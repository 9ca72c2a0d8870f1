"""How long searches took ends up in the histogram the metrics page shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from sparrow_tui.app import store_writer
from sparrow_tui.app.store_writer import StoreWriter
from sparrow_tui.store import open_store


def counted(location: str) -> int:
    store = open_store(location, readonly=True)
    try:
        return sum(part.number for part in store.totals.durations("search").values())
    finally:
        store.close()


async def test_searches_in_the_app_are_counted(
    running, demo_store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_writer, "QUIET", 0.05)
    async with running(demo_store) as driver:
        await driver.press("slash")
        await driver.type("test")
        await driver.until(lambda: counted(demo_store) >= 1)


def test_many_are_written_at_once_and_nothing_after_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_writer, "QUIET", 60.0)
    location = str(tmp_path / "a.db")
    open_store(location).close()
    said: list[object] = []
    writer = StoreWriter(location, said.append)
    for _ in range(store_writer.MANY + 1):
        writer.searched("first", 0.004)
    writer.searched("first", 0.004)
    writer.stop()
    writer.join(10)
    assert not writer.is_alive()
    assert counted(location) == store_writer.MANY + 1
    assert said == []


def test_a_store_that_cannot_be_written_to_is_no_trouble(tmp_path: Path) -> None:
    said: list[object] = []
    writer = StoreWriter(str(tmp_path), said.append)  # a directory
    for _ in range(store_writer.MANY + 2):
        writer.searched("first", 0.004)
    writer.stop()
    writer.join(10)
    assert said == []
