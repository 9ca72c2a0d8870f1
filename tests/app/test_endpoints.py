"""The list of endpoints: what each says, and that the ones that fail are not passed over."""

from __future__ import annotations

import time

from sparrow_tui.app import messages
from sparrow_tui.app.app import SparrowApp
from sparrow_tui.app.screens.dashboard import DashboardScreen
from sparrow_tui.app.screens.endpoints import EndpointsScreen, span, told
from sparrow_tui.app.screens.help import HelpScreen
from sparrow_tui.metrics.ancestor import Sample
from sparrow_tui.metrics.remote import Reading, Remote
from sparrow_tui.settings import Settings
from tests.app.conftest import Driver

URLS = ("http://user:secret@127.0.0.1:9/metrics", "127.0.0.1:9/other", "127.0.0.1:9/third")
SAMPLE = Sample(12_345, 3, 1_200_000, 45_000, 77, 5, 0, 2)


def page(screen: EndpointsScreen) -> str:
    return str(screen.query_one("#endpoints").render())


def test_what_is_said_of_each() -> None:
    def said(**facts) -> str:
        return "\n".join(str(line) for line in told(Reading(name="host:1/metrics", **facts), 2.0))

    fine = said(sample=SAMPLE, series=42, age=1.0, again=4.0, cost_micro=5_280_000)
    assert "● host:1/metrics" in fine
    assert "figures of 3 s ago · 42 series · next try in 2 s" in fine
    assert "tokens ↑1.2M ↓45.0k  requests 12.3k ✗3  tools 77 ✗5  $5.28" in fine
    assert "is being asked" in said()
    assert "◐" in said(sample=SAMPLE, age=20.0, stale=True)
    never = said(problem="nobody answers there", failures=4, again=38.0)
    assert "✗ host:1" in never
    assert "fails" in never
    assert "no figures so far" in never
    assert "nobody answers there (4 tries in vain)" in never
    assert "next try in 36 s" in never
    gone = said(sample=SAMPLE, problem="it\x1b[31m broke", age=200.0, stale=True)
    assert "fails" in gone
    assert "figures of 3 min ago" in gone
    assert "↑1.2M" in gone
    assert "\x1b" not in gone
    assert [span(n) for n in (0.2, 99, 100, 6_000)] == ["0 s", "99 s", "2 min", "2 h"]


async def test_the_list_follows_what_is_heard(demo_store) -> None:
    app = SparrowApp(demo_store, sync=False, settings=Settings(), scrape=URLS)
    app.remotes.start = lambda: None  # nobody is really asked
    async with app.run_test(size=(100, 40)) as pilot:
        driver = Driver(app, pilot)
        await driver.until(lambda: len(driver.list.sids))
        driver.list.focus()
        await driver.press("S")
        await driver.until(lambda: isinstance(app.screen, EndpointsScreen))
        await driver.until(lambda: page(app.screen).count("is being asked") == 3)
        assert "secret" not in page(app.screen)
        places = [
            Reading(name="a:1/metrics", sample=SAMPLE, series=9, age=0.0),
            Reading(name="b:2/metrics", problem="the answer is HTTP 500", failures=2),
        ]
        heard = Remote(sample=SAMPLE, up=1, of=2, age=0.0, places=places, at=time.monotonic() - 60)
        app.main.post_message(messages.RemoteTold("scraped", heard))
        await driver.until(lambda: "HTTP 500" in page(app.screen))
        assert "figures of 60 s ago" in page(app.screen)
        await driver.press("escape")
        await driver.until(lambda: app.screen is driver.main)
        # From the dashboard too, and help tells of the key.
        await driver.press("D")
        await driver.until(lambda: isinstance(app.screen, DashboardScreen))
        await driver.press("S")
        await driver.until(lambda: isinstance(app.screen, EndpointsScreen))
        await driver.press("S")
        await driver.until(lambda: isinstance(app.screen, DashboardScreen))
        await driver.press("question_mark")
        await driver.until(lambda: isinstance(app.screen, HelpScreen))
        assert "Endpoints that are scraped" in str(app.screen.query_one("#help-body").render())


async def test_without_endpoints_it_says_how_to_name_some(running, demo_store) -> None:
    async with running(demo_store) as driver:
        driver.list.focus()
        await driver.press("S")
        await driver.until(lambda: isinstance(driver.app.screen, EndpointsScreen))
        assert "--scrape URL" in page(driver.app.screen)
