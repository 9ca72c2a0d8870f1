"""A library that fills while the app is open: nobody has chosen what happened to come first."""

from __future__ import annotations

import pytest

from sparrow_tui.agents.base import Place
from sparrow_tui.app import syncing
from sparrow_tui.app.messages import SyncTold
from sparrow_tui.store import open_store
from sparrow_tui.sync import importing
from sparrow_tui.sync.importing import import_all
from sparrow_tui.sync.progress import Progress
from tests.on_disk import claude_file

EARLIER, LATER = 1, 2


class Told:
    """A sync process that only says what a test lets it say."""

    def __init__(self, *given, **named):
        """Whatever it is given."""

    def start(self):
        """Nothing begins."""

    def stop(self):
        """Nothing ends."""


@pytest.fixture(autouse=True)
def no_process(monkeypatch):
    monkeypatch.setattr(syncing, "SyncProcess", Told)


def add(store, home, number, *texts):
    """A session more in the library."""
    claude_file(home, number, *texts)
    import_all(store, Place(home), lambda _: None, workers=1)


def import_is(driver, phase):
    driver.main.post_message(SyncTold(Progress(phase=phase)))


def top(driver):
    return driver.list.sids[0]


@pytest.mark.parametrize("touched", [False, True], ids=["untouched", "after a key"])
async def test_while_the_first_import_runs_the_newest_is_selected_until_a_key(
    running, location, private_home, touched
):
    store = open_store(location)
    add(store, private_home, EARLIER, "haul the nets")
    async with running(location, sync=True) as driver:
        import_is(driver, "reading")
        first = driver.list.selected
        if touched:
            await driver.press("F1", "escape")
        add(store, private_home, LATER, "mend the nets")
        await driver.until(lambda: len(driver.list.sids) == 2)
        await driver.settled()
        assert top(driver) != first
        assert driver.list.selected == (first if touched else top(driver))
    store.close()


async def test_after_the_first_import_the_selection_stays(running, location, private_home):
    store = open_store(location)
    add(store, private_home, 1, "haul the nets")
    async with running(location, sync=True) as driver:
        import_is(driver, "watching")
        add(store, private_home, 2, "mend the nets")
        await driver.until(lambda: len(driver.list.sids) == 2)
        await driver.settled()
        second = driver.list.selected
        assert second == top(driver)  # the last of what was imported
        add(store, private_home, 3, "paint the hull")
        await driver.until(lambda: len(driver.list.sids) == 3)
        await driver.settled()
        assert driver.list.selected == second
        assert top(driver) != second
    store.close()


def called(file, ident):
    """A call of a tool and its answer, which a glance passes over."""
    call = {"type": "tool_use", "id": ident, "name": "Bash", "input": {"command": "ls"}}
    answer = {"type": "tool_result", "tool_use_id": ident, "content": "mizzen"}
    said = {
        "role": "assistant",
        "id": f"m-{ident}",
        "content": [call],
        "model": "claude-sonnet-4-5",
    }
    return file.line("", "assistant", message=said) + file.line(
        "", "user", message={"role": "user", "content": [answer]}
    )


def spoken(driver):
    """What is said in the turn the cursor is in."""
    turn = driver.view.model.turns.get(driver.view.current_turn)
    return getattr(turn.blocks[0], "text", None) if turn is not None else None


@pytest.mark.parametrize("reading", [False, True], ids=["preview", "reading"])
async def test_a_session_that_is_read_after_a_glance_is_no_news(
    running, location, private_home, monkeypatch, reading
):
    monkeypatch.setattr(importing, "SMALL", 0)
    store = open_store(location)
    file = claude_file(private_home, 1, "haul the nets", "hauling")
    for number in range(3):
        with open(file.path, "a") as handle:
            handle.write(called(file, f"c{number}"))
    file.append("mend the nets", "mending")
    phases = []
    import_all(
        store, Place(private_home), lambda told: phases.append(told.phase), workers=1,
        stopped=lambda: phases[-1] == "reading",
    )  # fmt: skip
    assert store.load(file.id).coverage is None
    async with running(location) as driver:
        if reading:
            await driver.press("enter")
            await driver.until(lambda: driver.view.has_focus)
            await driver.press("G")
            await driver.settled()
        said = spoken(driver)
        import_all(store, Place(private_home), lambda _: None, workers=1)
        await driver.until(lambda: driver.main.session.coverage is not None)
        await driver.settled()
        assert driver.view.unread_from is None
        assert "new turn" not in "".join(
            span.text for part in driver.view.status() for span in part
        )
        if reading:
            assert said == "mending"
            await driver.until(lambda: spoken(driver) == said)
        else:
            assert driver.view.current_turn == 0
    store.close()
