"""What may go wrong under a running app: it says so in one sentence and goes on."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from sparrow_tui.app.messages import SyncTold
from sparrow_tui.store import connection, open_store
from sparrow_tui.sync.progress import Progress


def said(driver) -> list[str]:
    return [note.message for note in driver.app._notifications]


def spoil(path: str, start: int = 4096) -> None:
    with open(path, "r+b") as file:
        file.seek(start)
        file.write(b"\xff" * (Path(path).stat().st_size - start))


async def still_alive(driver) -> None:
    await driver.press("escape")
    await driver.press("f1")
    await driver.until(lambda: len(driver.app.screen_stack) == 2)
    await driver.press("escape")
    await driver.until(lambda: len(driver.app.screen_stack) == 1)
    assert not driver.app.fault


async def test_a_store_that_breaks_is_said_once(running, demo_store):
    async with running(demo_store) as driver:
        spoil(demo_store)
        await driver.type("gateway")
        await driver.until(lambda: said(driver))
        await still_alive(driver)
        await driver.type("retry zebra")
        await driver.until(lambda: driver.main.box.value == "retry zebra")
        assert all("damaged" in sentence for sentence in said(driver))
        assert len(set(said(driver))) == 1
        assert len(said(driver)) == 1, said(driver)


async def test_a_store_in_use_keeps_its_sessions_and_says_so(running, demo_store, monkeypatch):
    monkeypatch.setattr(connection, "BUSY_MS", 50)
    async with running(demo_store) as driver:
        other = apsw.Connection(demo_store)
        other.execute("BEGIN IMMEDIATE")
        await driver.press("escape")
        driver.list.focus()
        await driver.press("p")
        await driver.until(lambda: said(driver))
        assert "busy" in said(driver)[0]
        other.execute("ROLLBACK")
        other.close()
        await driver.press("p")
        await driver.until(lambda: _pinned(demo_store))
        await still_alive(driver)


def _pinned(store: str) -> int:
    opened = open_store(store, readonly=True)
    try:
        return opened.connection.execute("SELECT count(*) FROM session WHERE pinned").get
    finally:
        opened.close()


@pytest.mark.parametrize(("pragma", "value", "says"), [
    ("query_only", True, "cannot be written"), ("max_page_count", 1, "no space"),
])  # fmt: skip
async def test_a_store_that_takes_nothing_can_be_read(
    running, demo_store, monkeypatch, pragma, value, says
):
    async with running(demo_store) as driver:
        opened = connection._open

        def limited(path: Path, readonly: bool) -> apsw.Connection:
            made = opened(path, readonly)
            made.pragma(pragma, value)
            return made

        monkeypatch.setattr(connection, "_open", limited)
        session = driver.list.detail(driver.list.sids[0]).session.id
        driver.app.writer.submit(lambda organiser: organiser.rename(session, "name" * 90_000))
        await driver.until(lambda: said(driver))
        assert says in said(driver)[0]
        await still_alive(driver)
        await driver.type("gateway")
        await driver.settled()
        assert driver.list.sids


async def test_a_store_that_is_taken_away_is_said(running, demo_store):
    async with running(demo_store) as driver:
        Path(demo_store).unlink()
        await driver.type("gateway")
        await driver.settled()
        await still_alive(driver)


async def test_what_the_import_says_is_shown(running, demo_store):
    async with running(demo_store) as driver:
        sentence = "no space is left for the store /x; what it holds is kept"
        driver.main.post_message(SyncTold(Progress(phase="failed", message=sentence)))
        await driver.until(lambda: "no space" in str(driver.main.top.border_title))
