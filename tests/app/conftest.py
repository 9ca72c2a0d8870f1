"""The app under Textual's pilot, on the demo library and a fixed present."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

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

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        names = {" ": "space", ":": "colon", '"': "quotation_mark", "-": "minus", "/": "slash"}
        await self.pilot.press(*(names.get(c, c) for c in text))

    async def until(self, condition: Callable[[], object], seconds: float = 10) -> None:
        """Wait for something to be so; fail if it does not come."""
        for _ in range(int(seconds / 0.01)):
            await self.pilot.pause()
            if condition():
                return
            await asyncio.sleep(0.01)
        pytest.fail("what was waited for did not come")

    async def settled(self) -> None:
        """The engine has answered and the transcript shows the session under the cursor."""
        engine = self.app.engine
        await self.until(lambda: engine._answered >= engine.generation)
        await self.until(self._transcript_fits)
        await self.pilot.pause()

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
        app = SparrowApp(store, sync=False, settings=settings, present=lambda: NOW, **options)
        async with app.run_test(size=size) as pilot:
            driver = Driver(app, pilot)
            await driver.until(lambda: len(driver.list.sids) or not driver.main._holds_any)
            await driver.settled()
            yield driver

    return run
