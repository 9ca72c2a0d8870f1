"""The app under Textual's pilot, on the demo library and a fixed present."""

from __future__ import annotations

import asyncio
import time
import unicodedata
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual import events
from textual.keys import _character_to_key, _get_unicode_name_from_key
from textual.pilot import WaitForScreenTimeout

from sparrow_tui.app.app import SparrowApp
from sparrow_tui.cli.app import fill_demo
from sparrow_tui.settings import Settings

NOW = 1_767_225_600_000


@pytest.fixture(scope="session")
def demo_library(tmp_path_factory) -> Path:
    """The demo library, written once."""
    path = tmp_path_factory.mktemp("demo") / "demo.db"
    fill_demo(str(path), NOW)
    return path


@pytest.fixture
def demo_store(demo_library: Path, tmp_path: Path) -> str:
    """A copy of the demo library that a test may change."""
    copy = tmp_path / "demo.db"
    copy.write_bytes(demo_library.read_bytes())
    return str(copy)


class Driver:
    """An app that runs, its pilot, and patience."""

    def __init__(self, app: SparrowApp, pilot) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def main(self):
        return self.app.main

    @property
    def list(self):
        return self.app.main.sessions

    @property
    def view(self):
        return self.app.main.transcript

    def send(self, *keys: str) -> None:
        """Keys that all wait at the door before the first is acted on."""
        for key in keys:
            name = _character_to_key(key) if len(key) == 1 else key
            try:
                character = unicodedata.lookup(_get_unicode_name_from_key(name))
            except KeyError:
                character = key if len(key) == 1 else None
            self.app.post_message(events.Key(name, character))

    async def press(self, *keys: str) -> None:
        """Keys, until each has had its effect; what it asked of threads may be on its way."""
        for key in keys:
            self.send(key)
            await self.handled()

    async def type(self, text: str) -> None:
        await self.press(*text)

    async def handled(self) -> None:
        """All messages that wait now are dealt with, and what they changed is drawn."""
        deadline = time.monotonic() + 30
        while True:
            screen = self.app.screen
            try:
                await self.pilot._wait_for_screen(3)
            except WaitForScreenTimeout:
                # A screen that has left took messages with it that are waited for in vain.
                if self.app.screen is screen and time.monotonic() > deadline:
                    raise
                continue
            under_way = self.app.keys.busy or not self.app.screen.is_mounted
            if not (under_way and self.app.is_running):
                break
            if time.monotonic() > deadline:
                pytest.fail(f"a key or a screen is under way for ever; {self._state()}")
            await asyncio.sleep(0)
        self.app.screen._on_timer_update()

    async def until(self, condition: Callable[[], object], seconds: float = 30) -> None:
        """Wait for something to be so; fail if it does not come."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            await self.handled()
            if condition():
                return
            await asyncio.sleep(0.005)
        pytest.fail(f"what was waited for did not come; {self._state()}")

    def _state(self) -> str:
        """What there is to say about an app that does not come to rest."""
        keys, engine, main = self.app.keys, self.app.engine, self.main
        return (
            f"keys {keys._number} {len(keys._waiting)} at {keys._at!r}, box {main.box.value!r}, "
            f"focus {self.app.focused!r}, searches {engine.generation} answered "
            f"{engine._answered} shown {main._shown}, at rest {engine.at_rest}, "
            f"selected {self.list.selected}, read {self.view.session and self.view.session.sid}, "
            f"opening {self.view._opening}, goal {self.view._goal}, next {main._next}, "
            f"cursor {self.view.cursor} of {self.view.model.total}"
        )

    async def settled(self) -> None:
        """The engine has answered and the transcript shows the session under the cursor."""
        await self.until(lambda: self._answered() and self._transcript_fits())

    def _answered(self) -> bool:
        engine, main = self.app.engine, self.main
        return (
            main._shown == engine.generation
            and engine.at_rest
            and main._follow is main._next is None
        )

    def _transcript_fits(self) -> bool:
        if self.list.selected is None:
            return True
        view = self.view
        return (
            view.session is not None
            and view.session.sid == self.list.selected
            and view._opening is None
            and view._goal is None
            and view.map.is_complete
            and not view.matches_due
        )

    def titles(self) -> list[str]:
        """Titles of the rows that are known."""
        details = [self.list.detail(sid) for sid in self.list.sids]
        return [hit.session.title for hit in details if hit is not None]

    def found(self) -> str:
        """What the search line says about the results."""
        return str(self.main.found.render())

    def hint(self) -> str:
        """What stands under the search line."""
        return self.main.top.border_subtitle or ""

    def lines(self) -> list[str]:
        """What the transcript shows, line by line."""
        height = self.view.size.height
        return [
            "".join(segment.text for segment in self.view.render_line(y)).rstrip()
            for y in range(height)
        ]

    def text(self) -> str:
        return "\n".join(self.lines())


@pytest.fixture
def running():
    """``async with running(store, size) as driver``."""

    @asynccontextmanager
    async def run(store: str, size: tuple[int, int] = (140, 40), **options):
        settings = options.pop("settings", None) or Settings()
        options.setdefault("sync", False)
        app = SparrowApp(store, settings=settings, present=lambda: NOW, **options)
        async with app.run_test(size=size) as pilot:
            driver = Driver(app, pilot)
            await driver.until(lambda: len(driver.list.sids) or not driver.main.holds_any)
            await driver.settled()
            yield driver

    return run
