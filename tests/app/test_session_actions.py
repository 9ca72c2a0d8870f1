"""Organising from the app: what a key does to one session, and to several that are selected."""

from __future__ import annotations

import pytest

from sparrow_tui.app import clock
from sparrow_tui.app.screens.info import InfoScreen
from sparrow_tui.app.session_facts import facts
from sparrow_tui.store import open_store
from sparrow_tui.store.base import Session

NOW = 1_767_225_600_000
DAY = 86_400_000


def listed(location: str, number: int) -> list[str]:
    store = open_store(location, readonly=True)
    try:
        return [session.id for session in store.list() if not session.parent][:number]
    finally:
        store.close()


def tags(location: str, *idents: str) -> list[tuple[str, ...]]:
    store = open_store(location, readonly=True)
    try:
        return [store.load(ident).tags for ident in idents]
    finally:
        store.close()


def told(driver) -> str:
    return "\n".join(str(note.message) for note in driver.app._notifications)


async def dialog(driver) -> None:
    await driver.until(lambda: driver.app.screen is not driver.main)


async def test_tagging_several_leaves_each_its_own_tags(running, demo_store):
    first, second = listed(demo_store, 2)
    store = open_store(demo_store)
    with store.transaction():
        store.organiser.tag(first, ["shared", "old", "mine"])
        store.organiser.tag(second, ["shared", "old"])
    store.close()
    async with running(demo_store) as driver:
        await driver.press("escape", "space", "space", "t")
        await dialog(driver)
        field = driver.app.screen.query_one("Input")
        assert field.value == "old shared"
        await driver.press("ctrl+u", *"shared new", "enter")
        await driver.until(lambda: "new" in tags(demo_store, second)[0])
        assert tags(demo_store, first, second) == [("mine", "new", "shared"), ("new", "shared")]


async def test_what_is_done_to_one_session_is_done_to_the_one_under_the_cursor(running, demo_store):
    idents = listed(demo_store, 4)
    async with running(demo_store) as driver:
        await driver.press("escape", "space", "space", "down")
        assert len(driver.list.marked) == 2
        await driver.press("i")
        await driver.until(lambda: isinstance(driver.app.screen, InfoScreen))
        assert driver.app.screen._session.id == idents[3]
        await driver.press("escape")
        await driver.press("e")
        await dialog(driver)
        await driver.press("ctrl+u", *"mine", "enter")
        await driver.until(lambda: "renamed" in told(driver))
        store = open_store(demo_store, readonly=True)
        names = [store.load(ident).name for ident in idents]
        store.close()
        assert names == [None, None, None, "mine"]
        assert len(driver.list.marked) == 2


async def test_one_is_not_spoken_of_as_many(running, demo_store):
    async with running(demo_store) as driver:
        await driver.press("escape", "x")
        await driver.until(lambda: "is:hidden finds it" in told(driver))
        await driver.press("space", "space", "x")
        await driver.until(lambda: "2 sessions hidden: is:hidden finds them" in told(driver))


async def test_a_deleted_session_is_not_shown_any_more(running, demo_store):
    async with running(demo_store) as driver:
        await driver.type("idempotency")
        await driver.settled()
        await driver.press("escape", "tab")
        for _ in range(len(driver.list.sids)):
            await driver.press("space")
        await driver.press("delete")
        await dialog(driver)
        await driver.press("y")
        await driver.until(lambda: len(driver.list.sids) == 0)
        await driver.until(lambda: driver.main.session is None)
        assert not driver.text().strip()


def test_that_it_is_the_only_copy_is_said():
    session = Session(sid=1, id="claude:1", agent="claude", source="/a/b.jsonl", source_gone=True)
    rows = list(facts(session, "Claude", NOW))
    said = next(value for name, value in rows if name == "Source gone")
    assert "only copy" in said


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (3 * DAY + 5, "expires in 3d"),
        (5 * 3_600_000 + 5, "expires in 5h"),
        (8 * DAY, ""),
        (0, "expires now"),
        (-DAY, "expires now"),
    ],
)
def test_when_a_session_expires_is_said(left, said):
    assert clock.expiry(NOW + left, NOW) == said


async def test_sessions_found_by_id_are_not_counted_as_hits(running, demo_store):
    ident = listed(demo_store, 1)[0]
    async with running(demo_store) as driver:
        await driver.type(ident)
        await driver.settled()
        assert driver.titles()[0]
        assert driver.found() == "2 sessions"  # and its sub-agent's
        assert ident in "\n".join(
            "".join(segment.text for segment in line) for line in driver.list._seen
        )


async def test_what_can_be_done_with_selected_sessions_is_said(running, demo_store):
    async with running(demo_store, size=(80, 24)) as driver:
        said = lambda: str(driver.main.top.border_title)  # noqa: E731
        await driver.press("escape", "space", "space")
        await driver.until(lambda: said().startswith("2 selected · p pin · t tag"))
        await driver.press("a")
        await driver.until(lambda: said() == "")
        await driver.press("space", "p")
        await driver.until(lambda: "1 session pinned" in told(driver))
        await driver.until(lambda: said() == "")


async def test_help_tells_what_can_be_done_with_sessions_beside_them(running, demo_store):
    async with running(demo_store) as driver:
        await driver.press("escape", "?")
        await dialog(driver)
        text = str(driver.app.screen.query_one("#help-body").render())
        order = [
            "Sessions\n",
            "With a session",
            "Pin or unpin",
            "Delete",
            "Transcript",
            "Everywhere",
        ]
        places = [text.index(words) for words in order]
        assert places == sorted(places)
        assert text.count("Pin or unpin") == 1


@pytest.mark.parametrize(
    ("told_of", "said"),
    [
        ({"status": "unclean"}, "stopped in the middle"),
        ({"status": "waiting", "updated_at": NOW}, "waiting for you"),
        ({"status": "ended"}, "ended"),
        ({"status": "ended", "ghost": True}, "only its prompts are left"),
    ],
)
def test_a_status_is_said_in_words(told_of, said):
    session = Session(sid=1, id="claude:1", agent="claude", **told_of)
    assert dict(facts(session, "Claude", NOW))["Status"].startswith(said)
