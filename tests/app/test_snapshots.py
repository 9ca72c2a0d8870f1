"""How the app looks, at two sizes and in three themes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from sparrow_tui.app.app import SparrowApp
from sparrow_tui.app.screens.dashboard import DashboardScreen
from sparrow_tui.app.screens.help import HelpScreen
from sparrow_tui.settings import Settings
from tests import busy_library

NOW = 1_767_268_800_000
SIZES = ((80, 24), (140, 40))


async def _settle(pilot) -> None:
    """Until the engine, the transcript and the counters have answered."""
    app = pilot.app
    for _ in range(1_000):
        await pilot.pause()
        view, engine = app.main.transcript, app.engine
        listed = app.main.sessions
        if (
            engine._answered >= engine.generation
            and not (engine._busy or engine._has_work())
            and len(listed.sids)
            and view.session is not None
            and view.session.sid == listed.selected
            and view._opening is None
            and view._goal is None
            and view.map.is_complete
            and not view.matches_due
            and app.main._follow is app.main._next is None
            and app.looks
            and app.main.query_one("#metrics").figures.requests
            and not app.main._counting
        ):
            break
        await asyncio.sleep(0.01)
    else:
        pytest.fail("the app did not come to rest")
    # The figures light up as they come; wait until they have cooled down.
    footer = app.main.query_one("#metrics")
    for _ in range(500):
        if not footer._glows:
            break
        await asyncio.sleep(0.01)
    await pilot.pause()


async def _until(condition: Callable[[], object]) -> None:
    for _ in range(1_000):
        if condition():
            return
        await asyncio.sleep(0.01)
    pytest.fail("what was waited for did not come")


def _app(store: str, theme: str = "captain") -> SparrowApp:
    return SparrowApp(store, sync=False, settings=Settings(theme=theme), present=lambda: NOW)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_list(snap_compare, demo_store, size):
    assert snap_compare(_app(demo_store), terminal_size=size, run_before=_settle)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_search(snap_compare, demo_store, size):
    async def search(pilot) -> None:
        await _settle(pilot)
        await pilot.press(*"idempotency")
        await _settle(pilot)

    assert snap_compare(_app(demo_store), terminal_size=size, run_before=search)


@pytest.mark.parametrize("theme", ["captain", "midnight", "paper"])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_transcript(snap_compare, demo_store, size, theme):
    async def read(pilot) -> None:
        await _settle(pilot)
        view = pilot.app.main.transcript
        await pilot.press("enter")
        await _until(lambda: view.has_focus)
        await _settle(pilot)
        await pilot.press("right_square_bracket")
        await _until(lambda: view.current_turn > 1)
        await _settle(pilot)

    assert snap_compare(_app(demo_store, theme), terminal_size=size, run_before=read)


@pytest.fixture(scope="module")
def busy_store(tmp_path_factory):
    """A year of invented work."""
    path = tmp_path_factory.mktemp("busy") / "busy.db"
    busy_library.fill(str(path), NOW)
    return path


@pytest.mark.parametrize(
    ("size", "theme", "keys"),
    [
        ((140, 40), "captain", "2"),
        ((80, 24), "captain", "2"),
        ((140, 40), "midnight", "sw"),
        ((80, 24), "paper", "6t"),
    ],
    ids=str,
)
def test_dashboard(snap_compare, busy_store, size, theme, keys, monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()

    async def look(pilot) -> None:
        await _settle(pilot)
        pilot.app.main.action_dashboard()
        await _until(lambda: isinstance(pilot.app.screen, DashboardScreen))
        screen = pilot.app.screen
        await _until(lambda: screen.tiles.values)
        await pilot.press(*keys)
        await _until(
            lambda: (
                not screen.asking.busy
                and screen.board.wanted.unit == screen.view.unit
                and screen.board.wanted.apart == screen.view.apart
            )
        )
        await pilot.pause()

    assert snap_compare(_app(str(busy_store), theme), terminal_size=size, run_before=look)


def test_help(snap_compare, demo_store):
    async def ask(pilot) -> None:
        await _settle(pilot)
        await pilot.press("f1")
        await _until(lambda: isinstance(pilot.app.screen, HelpScreen))
        await pilot.pause()

    assert snap_compare(_app(demo_store), terminal_size=(100, 50), run_before=ask)
