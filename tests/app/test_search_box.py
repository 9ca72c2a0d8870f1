"""What the search line says and completes, and what becomes of searches."""

from __future__ import annotations

import asyncio

from sparrow_tui.app.completion import offer
from sparrow_tui.app.screens.searches import SearchesScreen
from sparrow_tui.settings import SavedSearch, Settings

VALUES = {"agent": ["codex", "copilot", "claude"], "project": ["my house", "harbor"]}


def offered(text: str) -> list[str]:
    async def complete(facet: str, typed: str) -> list[str]:
        return [v for v in VALUES.get(facet, []) if v.startswith(typed.lower())]

    found = asyncio.run(offer(text, complete))
    return [] if found is None else [found.applied(text, n) for n in range(len(found.choices))]


def test_names_and_values_of_facets_are_offered():
    assert offered("ag") == ["agent:"]
    assert offered("retry -ag") == ["retry -agent:"]
    assert offered("retry agent:co") == ["retry agent:codex", "retry agent:copilot"]
    assert offered("-agent:") == ["-agent:codex", "-agent:copilot", "-agent:claude"]


def test_values_with_spaces_are_quoted():
    assert offered("project:m") == ['project:"my house"']
    assert offered('project:"my h') == ['project:"my house"']


def test_words_and_whole_values_offer_nothing():
    for text in ("", "a", "word", "word ", "agent:codex", "agent:zzz", "http://x", "foo:bar"):
        assert offered(text) == []


async def test_the_line_says_what_tab_puts_in_and_tab_goes_through_it(running, demo_store):
    async with running(demo_store) as driver:
        await driver.type("agent:c")
        await driver.until(lambda: "codex" in driver.hint())
        assert "Tab" in driver.hint()
        await driver.press("tab")
        first = driver.main.box.value
        await driver.settled()
        await driver.press("tab")
        second = driver.main.box.value
        assert {first, second} <= {"agent:claude", "agent:codex", "agent:copilot"}
        assert first != second
        assert driver.main.box.has_focus
        await driver.type(" ")
        await driver.until(lambda: not driver.hint())
        await driver.press("tab")
        assert driver.list.has_focus, "with nothing to complete Tab goes to the next pane"


async def test_a_correction_is_told(running, demo_store):
    async with running(demo_store) as driver:
        await driver.type("gatewey")
        await driver.settled()
        await driver.until(lambda: "gateway" in driver.hint())
        assert "gatewey" in driver.hint()
        assert len(driver.list.sids)
        await driver.press("escape")
        await driver.settled()
        await driver.until(lambda: not driver.hint())


async def test_a_wrong_value_is_marked_where_it_stands(running, demo_store):
    async with running(demo_store) as driver:
        await driver.type("gateway cost:much")
        await driver.settled()
        box = driver.main.box
        wrong = box.part_style("problem")
        text = box.highlighter("gateway cost:much")
        marked = [str(text)[span.start : span.end] for span in text.spans if span.style == wrong]
        assert marked == ["cost:much"]


async def test_a_value_the_store_does_not_know_is_marked_too(running, demo_store):
    async with running(demo_store) as driver:
        await driver.type("gateway agent:clade")
        await driver.settled()
        assert "claude" in driver.hint()
        box = driver.main.box
        text = box.highlighter("gateway agent:clade")
        faulty = text.plain[text.spans[-1].start : text.spans[-1].end]
        assert (faulty, text.spans[-1].style) == ("agent:clade", box.part_style("problem"))
        assert len(driver.list.sids), "the rest is still searched for"
        await driver.press("backspace", "backspace", "backspace")
        await driver.until(lambda: "no agent" not in driver.hint())


async def test_a_wrong_value_beside_a_mistyped_word_is_marked_where_it_stands(running, demo_store):
    async with running(demo_store) as driver:
        await driver.type("gatewey agent:clade")
        await driver.settled()
        box = driver.main.box
        text = box.highlighter("gatewey agent:clade")
        faulty = text.plain[text.spans[-1].start : text.spans[-1].end]
        assert (faulty, text.spans[-1].style) == ("agent:clade", box.part_style("problem"))
        assert len(driver.list.sids), "the nearest word is searched for"


async def test_enter_before_the_results_opens_one_of_them(running, demo_store):
    async with running(demo_store) as driver:
        engine = driver.app.engine
        searcher = engine._store.searcher
        stages = searcher.stages
        go_on = asyncio.Event()
        loop = asyncio.get_running_loop()

        def slow(*arguments, **options):
            asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result(10)
            yield from stages(*arguments, **options)

        searcher.stages = slow
        await driver.type("gateway")
        await driver.press("enter")
        assert not driver.view.has_focus
        go_on.set()
        await driver.until(lambda: driver.view.has_focus)
        await driver.settled()
        assert driver.view.session.title == "Retry with backoff for the payment client"
        assert driver.view.hits


async def test_searches_are_saved_recalled_pinned_and_forgotten(running, demo_store):
    settings = Settings(searches=["strasse"])
    async with running(demo_store, settings=settings) as driver:
        await driver.type("gateway")
        await driver.press("ctrl+s")
        await driver.until(lambda: driver.app.screen is not driver.main)
        await driver.type("doors")
        await driver.press("enter")
        await driver.until(lambda: driver.app.screen is driver.main)
        assert settings.saved == [SavedSearch("doors", "gateway")]
        await driver.press("escape")
        await driver.until(lambda: not driver.main.box.value)
        await driver.press("f9")
        await driver.until(lambda: isinstance(driver.app.screen, SearchesScreen))
        await driver.press("p")
        await driver.until(lambda: settings.saved[0].pinned)
        await driver.press("enter")
        await driver.until(lambda: driver.app.screen is driver.main)
        await driver.settled()
        assert driver.main.box.value == "gateway"
        await driver.until(lambda: driver.main.metrics.figures.pinned)
        await driver.press("f9")
        await driver.until(lambda: isinstance(driver.app.screen, SearchesScreen))
        await driver.press("delete", "delete")
        await driver.until(lambda: not settings.saved and not settings.searches)
        await driver.press("escape")
        await driver.until(lambda: driver.app.screen is driver.main)


async def test_echo_and_results_share_a_frame(running, demo_store):
    """The screen is not drawn between a key and the results it brings."""
    async with running(demo_store) as driver:
        drawn = []
        display = driver.app._display
        rows = driver.list.rows

        def watch(*arguments) -> None:
            drawn.append((driver.main.box.value, driver.list.rows is rows))
            display(*arguments)

        together = 0
        for _ in range(20):  # a busy machine may take longer than a frame now and then
            drawn.clear()
            rows = driver.list.rows
            driver.app._display = watch
            await driver.press("g")
            await driver.settled()
            driver.app._display = display
            first = next(old for value, old in drawn if value == "g")
            together += not first
            await driver.press("escape")
            await driver.settled()
        assert together
