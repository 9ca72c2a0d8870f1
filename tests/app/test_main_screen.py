"""What people do on the main screen: type, move, read, go back, filter, organise."""

from __future__ import annotations

import re

import pytest
from textual.containers import VerticalScroll

from sparrow_tui.app.screens.help import HelpScreen
from sparrow_tui.app.screens.info import InfoScreen
from sparrow_tui.app.screens.outline import OutlineScreen
from sparrow_tui.settings import SavedSearch, Settings
from sparrow_tui.store import open_store


async def test_the_list_shows_newest_first(running, demo_store):
    async with running(demo_store) as driver:
        titles = driver.titles()
        assert titles[0] == "Retry with backoff for the payment client"
        assert "15 sessions" in str(driver.main.query_one("#found").render())


async def test_typing_filters_by_prefix_at_once(running, demo_store):
    async with running(demo_store) as driver:
        await driver.type("idemp")
        await driver.settled()
        assert driver.titles()
        assert all(
            hit.best is not None and hit.best.spans
            for sid in driver.list.sids
            if (hit := driver.list.detail(sid)) and hit.best and hit.best.turn >= 0
        )
        await driver.press("escape")
        await driver.settled()
        assert driver.main.box.value == ""
        assert len(driver.list.sids) == 15


async def test_letters_typed_in_the_box_are_text(running, demo_store):
    async with running(demo_store) as driver:
        await driver.type("qc?Dp")
        assert driver.main.box.value == "qc?Dp"


async def test_enter_opens_at_the_hit_and_n_steps(running, demo_store):
    async with running(demo_store) as driver:
        await driver.type("gateway")
        await driver.settled()
        await driver.press("enter")
        await driver.until(lambda: driver.view.has_focus)
        await driver.settled()
        assert driver.view.hits
        assert driver.view.current_turn in driver.view.hits
        first = driver.view.hit
        await driver.press("n")
        await driver.until(lambda: driver.view.hit != first)
        assert f"/{len(driver.view.hits)}" in driver.lines()[-1]
        await driver.press("escape")
        assert driver.list.has_focus
        await driver.press("escape")
        assert driver.main.box.has_focus


async def test_arrows_and_letters_move_the_cursor(running, demo_store):
    async with running(demo_store) as driver:
        await driver.press("down", "down")
        assert driver.list.cursor == 2
        await driver.press("escape", "j", "k", "k")
        assert driver.list.cursor == 1
        await driver.press("G")
        assert driver.list.cursor == 14
        await driver.press("g")
        assert driver.list.cursor == 0
        await driver.settled()
        assert driver.view.session.title == driver.titles()[0]


async def test_tab_goes_round_the_panes(running, demo_store):
    async with running(demo_store) as driver:
        await driver.press("tab")
        assert driver.list.has_focus
        await driver.press("tab")
        assert driver.view.has_focus
        await driver.press("slash")
        assert not driver.main.box.has_focus, "inside the transcript / finds in the session"
        await driver.press("escape", "escape", "slash")
        assert driver.main.box.has_focus


async def test_help_lists_the_keys_that_are_bound(running, demo_store):
    async with running(demo_store) as driver:
        await driver.press("f1")
        await driver.until(lambda: isinstance(driver.app.screen, HelpScreen))
        text = str(driver.app.screen.query_one("#help-body").render())
        for word in ("Next prompt", "Dashboard", "Pin or unpin", "sort:best"):
            assert word in text
        await driver.press("escape")
        assert driver.app.screen is driver.main


async def test_help_can_be_read_to_its_end(running, demo_store):
    async with running(demo_store, size=(80, 24)) as driver:
        await driver.press("f1")
        await driver.until(lambda: isinstance(driver.app.screen, HelpScreen))
        page = driver.app.screen.query_one(VerticalScroll)
        body = driver.app.screen.query_one("#help-body")
        assert body.region.bottom > page.region.bottom
        await driver.press("end")
        await driver.until(lambda: body.region.bottom == page.content_region.bottom)
        await driver.press("home")
        await driver.until(lambda: body.region.y == page.content_region.y)


async def test_filters_by_key(running, demo_store):
    async with running(demo_store) as driver:
        await driver.until(lambda: driver.app.agents_held)
        await driver.press("f2")
        await driver.settled()
        assert driver.main.box.value == f"agent:{driver.app.agents_held[0]} "
        agents = {driver.list.detail(sid).session.agent for sid in driver.list.sids}
        assert agents == {driver.app.agents_held[0]}
        await driver.press("f5", "f6", "f4")
        assert driver.main.box.value.split() == [
            f"agent:{driver.app.agents_held[0]}", "after:1d", "sort:new", "role:user",
        ]  # fmt: skip


async def test_a_wrong_facet_is_told_and_the_rest_searches(running, demo_store):
    async with running(demo_store) as driver:
        await driver.type("cost:much gateway")
        await driver.settled()
        assert driver.list.sids
        assert "cost: takes a number" in driver.hint()
        assert "hits in 1 session" in driver.found()


async def test_no_results_are_said_in_the_list(running, demo_store):
    async with running(demo_store) as driver:
        for text in ("zzqqxxjj", "agent:qwen after:1d"):
            await driver.type(text)
            await driver.settled()
            assert not driver.list.sids
            assert "Nothing matches" in driver.list.render_line(0).text
            await driver.press("enter", "escape")
            await driver.settled()
            assert len(driver.list.sids) == 15
            assert "Nothing matches" not in driver.list.render_line(0).text


async def test_up_in_an_empty_box_brings_back_searches(running, demo_store):
    settings = Settings(searches=["gateway", "strasse"])
    async with running(demo_store, settings=settings) as driver:
        await driver.press("up")
        assert driver.main.box.value == "gateway"
        await driver.press("up")
        assert driver.main.box.value == "strasse"
        await driver.press("down")
        assert driver.main.box.value == "gateway"


async def test_tab_completes_a_facet_from_the_store(running, demo_store):
    async with running(demo_store) as driver:
        await driver.type("agent:cod")
        await driver.until(lambda: driver.main.box._suggestion == "agent:codex")
        await driver.press("tab")
        assert driver.main.box.value == "agent:codex"


async def test_a_click_selects_and_a_second_one_reads(running, demo_store):
    async with running(demo_store) as driver:
        await driver.pilot.click("#sessions", offset=(8, 4))
        assert driver.list.cursor == 2
        await driver.pilot.click("#sessions", offset=(8, 4))
        await driver.until(lambda: driver.view.has_focus)


async def test_pin_rename_tag_hide_delete(running, demo_store):
    async with running(demo_store) as driver:
        await driver.press("down", "escape")
        await driver.settled()
        title = driver.view.session.title
        ident = driver.view.session.id
        await driver.press("p")
        await driver.until(lambda: _load(demo_store, ident).pinned)
        await driver.until(lambda: driver.titles()[0] == title)
        await driver.press("e")
        await driver.until(lambda: driver.app.screen is not driver.main)
        await driver.press("ctrl+u", *"mine", "enter")
        await driver.until(lambda: _load(demo_store, ident).name == "mine")
        await driver.press("t")
        await driver.until(lambda: driver.app.screen is not driver.main)
        await driver.press(*"good", "space", *"one", "enter")
        await driver.until(lambda: _load(demo_store, ident).tags == ("good", "one"))
        await driver.press("x")
        await driver.until(lambda: _load(demo_store, ident).hidden)
        await driver.until(lambda: len(driver.list.sids) == 14)


async def test_bulk_delete_asks_first(running, demo_store):
    async with running(demo_store) as driver:
        await driver.press("escape", "space", "space")
        assert len(driver.list.marked) == 2
        await driver.press("delete")
        await driver.until(lambda: driver.app.screen is not driver.main)
        await driver.press("n")
        await driver.until(lambda: driver.app.screen is driver.main)
        assert _count(demo_store) == 15 + _children(demo_store)
        await driver.press("delete")
        await driver.until(lambda: driver.app.screen is not driver.main)
        await driver.press("y")
        await driver.until(lambda: len(driver.list.sids) == 13)


async def test_info_and_outline(running, demo_store):
    async with running(demo_store) as driver:
        await driver.press("escape", "i")
        await driver.until(lambda: isinstance(driver.app.screen, InfoScreen))
        await driver.press("escape", "enter")
        await driver.until(lambda: driver.view.has_focus)
        await driver.press("O")
        await driver.until(lambda: isinstance(driver.app.screen, OutlineScreen))
        await driver.until(lambda: driver.app.screen._complete)
        await driver.type("error")
        await driver.press("enter")
        await driver.until(lambda: driver.app.screen is driver.main)
        await driver.until(lambda: driver.view.current_turn > 0)


async def test_saved_searches_count_in_the_footer(running, demo_store):
    settings = Settings(saved=[SavedSearch("gateways", "gateway", pinned=True)])
    async with running(demo_store, settings=settings) as driver:
        footer = driver.main.query_one("#metrics")
        await driver.until(lambda: footer.figures.pinned)
        name, hits, complete = footer.figures.pinned[0]
        assert name == "gateways"
        assert hits > 0
        assert complete


async def test_the_footer_counts_by_scope(running, demo_store):
    async with running(demo_store) as driver:
        footer = driver.main.query_one("#metrics")
        await driver.until(lambda: footer.figures.requests)
        everything = footer.figures
        await driver.press("escape", "c")
        await driver.until(lambda: footer.figures.scope == "list")
        await driver.press("c")
        await driver.until(lambda: footer.figures.scope == "session")
        assert 0 < footer.figures.requests < everything.requests


async def test_writing_beside_the_app_shows(running, demo_store):
    from sparrow_tui.model import Text, Turn

    async with running(demo_store) as driver:
        ident = driver.view.session.id
        before = driver.view.model.total
        other = open_store(demo_store)
        other.append(ident, [Turn(role="assistant", blocks=[Text("Brand new words.")])])
        other.close()
        await driver.until(lambda: driver.view.model.total == before + 1)
        await driver.press("escape", "enter")
        await driver.until(lambda: driver.view.has_focus)
        await driver.press("G")
        await driver.until(lambda: "Brand new words." in driver.text())


@pytest.mark.parametrize("size", [(80, 24), (140, 40)], ids=str)
async def test_an_empty_store_says_where_it_looked(running, location, size):
    open_store(location).close()
    async with running(location, size=size) as driver:
        await driver.until(lambda: driver.main.query_one("#panes").has_class("-empty"))
        await driver.until(lambda: driver.main.query_one("#empty").size.height)
        page = driver.main.query_one("#empty")
        lines = [
            "".join(segment.text for segment in page.render_line(y))
            for y in range(page.size.height)
        ]
        shown = "\n".join(lines)
        assert "No sessions found" in shown
        assert "demo library" in shown
        assert "~/.claude/projects" in shown
        looked = driver.app.places_looked()
        more = re.search(r"and (\d+) more: sparrow-tui doctor", shown)
        named = shown.count("· ") + shown.count("✓ ")
        assert named + (int(more[1]) if more else 0) == len(looked)
        assert named > 15


async def test_narrow_terminals_show_the_list_above_the_transcript(running, demo_store):
    async with running(demo_store, size=(80, 24)) as driver:
        assert driver.list.region.width == 80
        assert driver.list.compact
        await driver.press("enter")
        await driver.until(lambda: driver.view.has_focus)
        assert not driver.list.display
        await driver.press("escape")
        await driver.until(lambda: driver.list.display)


def _load(path: str, ident: str):
    store = open_store(path, readonly=True)
    try:
        return store.load(ident)
    finally:
        store.close()


def _count(path: str) -> int:
    store = open_store(path, readonly=True)
    try:
        return store.count()
    finally:
        store.close()


def _children(path: str) -> int:
    store = open_store(path, readonly=True)
    try:
        return sum(1 for session in store.list() if session.parent)
    finally:
        store.close()
