"""Keys that come faster than people type: in one piece, in bursts, while answers are on the way."""

from __future__ import annotations

import apsw
import pytest
from textual import events

from sparrow_tui.app.screens.help import HelpScreen


def send(driver, text: str) -> None:
    """Keys that all wait at the door before the first is acted on."""
    driver.send(*("escape" if character == "\x1b" else character for character in text))


async def test_slash_and_a_word_in_one_piece_is_a_search(running, demo_store):
    async with running(demo_store) as driver:
        await driver.press("escape")
        await driver.until(lambda: driver.list.has_focus)
        send(driver, "/quick")
        await driver.until(lambda: driver.main.box.value == "quick")
        assert driver.app.is_running


async def test_letters_after_escape_in_one_piece_are_commands(running, demo_store):
    async with running(demo_store) as driver:
        send(driver, "\x1bjjj?")
        await driver.until(lambda: isinstance(driver.app.screen, HelpScreen))
        assert driver.list.cursor == 3
        assert driver.main.box.value == ""
        send(driver, "q/gateway")
        await driver.until(lambda: driver.main.box.value == "gateway")


async def test_a_paste_between_keys_keeps_its_place(running, demo_store):
    async with running(demo_store) as driver:
        await driver.press("escape")
        send(driver, "/a")
        driver.app.post_message(events.Paste("-b-"))
        send(driver, "c")
        await driver.until(lambda: driver.main.box.value == "a-b-c")


async def test_keys_are_handed_out_though_a_widget_has_gone(running, demo_store):
    async with running(demo_store) as driver:
        await driver.press("f1")
        await driver.until(lambda: isinstance(driver.app.screen, HelpScreen))
        send(driver, "\x1b\x1b/word")
        await driver.until(lambda: driver.main.box.value == "word")


async def test_bursts_of_searches_always_end_in_the_last_one(running, demo_store):
    async with running(demo_store) as driver:
        for _ in range(4):
            send(driver, "retry with backoff")
            await driver.until(lambda: driver.main.box.value == "retry with backoff")
            await driver.settled()
            assert driver.titles()[0] == "Retry with backoff for the payment client"
            driver.main.box.value = ""
            await driver.settled()
            assert len(driver.list.sids) == 15
        assert driver.app.engine.is_alive()


@pytest.mark.parametrize("fault", [apsw.InterruptError, apsw.BusyError, ValueError])
async def test_a_fault_in_one_search_does_not_end_searching(running, demo_store, fault):
    async with running(demo_store) as driver:
        searcher = driver.app.engine._store.searcher
        stages = searcher.stages
        failed = []

        def fail(*arguments, **options):
            failed.append(arguments)
            raise fault("on purpose")

        searcher.stages = fail
        await driver.type("g")
        await driver.until(lambda: failed)
        searcher.stages = stages
        await driver.type("ateway")
        await driver.settled()
        assert driver.main.box.value == "gateway"
        assert 0 < len(driver.list.sids) < 15


async def test_what_a_search_cuts_short_is_done_after_it(running, demo_store):
    async with running(demo_store) as driver:
        engine = driver.app.engine
        calls = []

        def job(store) -> None:
            calls.append(len(calls))
            if len(calls) == 1:
                raise apsw.InterruptError("a new search")

        told = []
        engine.run_job(job, told.append)
        await driver.until(lambda: told)
        assert calls == [0, 1]
        assert told == [None], "told once, when it is done"
        engine.run_job(lambda store: calls.append("next"))
        await driver.until(lambda: "next" in calls)
        assert calls == [0, 1, "next"]
