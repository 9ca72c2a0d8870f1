"""The list: any number of rows, groups, marks, and a selection that stays where it is."""

from __future__ import annotations

from array import array
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events

from sparrow_tui.app.app import SparrowApp
from sparrow_tui.app.session_rows import SessionRows
from sparrow_tui.app.widgets import session_lines
from sparrow_tui.app.widgets.group_heading import group_name
from sparrow_tui.app.widgets.session_list import Stay
from sparrow_tui.app.widgets.session_row import Look
from sparrow_tui.model import SessionInfo, Text, Turn
from sparrow_tui.settings import Settings
from sparrow_tui.store import open_store
from sparrow_tui.store.base import SessionHit
from sparrow_tui.store.grouping import GROUPS, Group, grouped
from sparrow_tui.store.prepared import Prepared
from tests.app.conftest import Driver

NOW = 1_767_225_600_000


def lines(driver) -> list[str]:
    """What the list shows."""
    return [driver.list.render_line(y).text.rstrip() for y in range(driver.list.size.height)]


groups = st.lists(st.integers(1, 5), min_size=1, max_size=8).map(
    lambda sizes: [
        Group(str(at), range(sum(sizes[:at]), sum(sizes[: at + 1]))) for at in range(len(sizes))
    ]
)


@given(groups, st.integers(-5, 60), st.sampled_from([1, -1]))
def test_the_cursor_is_never_on_a_heading(them, row, step):
    rows = SessionRows(range(sum(len(g.sids) for g in them)), them, grouping="agent")
    place = rows.session_row(row, step)
    sid = rows.sid(place)
    assert sid is not None
    assert rows.row_of(sid, 0) == place
    assert [rows.sid(r) for r in range(len(rows)) if rows.sid(r) is not None] == [*rows.sids]
    assert sum(rows.group(r) is not None for r in range(len(rows))) == len(them)


@pytest.mark.parametrize("by", GROUPS)
def test_groups_keep_the_order_of_the_list(demo_store, by):
    store = open_store(demo_store, readonly=True)
    sessions = store.list()
    found = grouped(store.connection, [s.sid for s in sessions], by)
    store.close()
    value = {
        "project": lambda s: s.project or "",
        "agent": lambda s: s.agent,
        "day": lambda s: datetime.fromtimestamp(s.updated_at / 1000, UTC).strftime("%Y-%m-%d"),
    }[by]
    wanted: dict[str, list[int]] = {}
    for session in sessions:
        wanted.setdefault(value(session), []).append(session.sid)
    assert [(g.key, [*g.sids]) for g in found] == [*wanted.items()]


def test_groups_are_named_as_people_say():
    looks = {"codex": Look("Codex", "")}
    assert group_name("2026-01-01", "day", looks, NOW) == ("Today", "2026-01-01")
    assert group_name("2025-12-31", "day", looks, NOW) == ("Yesterday", "2025-12-31")
    assert group_name("2025-12-29", "day", looks, NOW) == ("Monday", "2025-12-29")
    assert group_name("2025-01-02", "day", looks, NOW) == ("2025-01-02", "Thursday")
    assert group_name("2026-02-01", "day", looks, NOW)[0] == "2026-02-01"
    assert group_name("/home/ada/code/harbor", "project", looks, NOW) == (
        "harbor",
        "/home/ada/code",
    )
    assert group_name("C:\\work\\pier\\", "project", looks, NOW)[0] == "pier"
    assert group_name("codex", "agent", looks, NOW)[0] == "Codex"
    assert group_name("", "project", looks, NOW)[0] == "no project"


@pytest.mark.parametrize("size", [(80, 24), (140, 40)], ids=str)
async def test_grouping_by_key(running, demo_store, size):
    settings = Settings()
    async with running(demo_store, size=size, settings=settings) as driver:
        for by in GROUPS:
            await driver.press("f8")
            await driver.until(lambda by=by: driver.list.rows.grouping == by)
            await driver.settled()
            assert f"by {by}" in driver.main.top.border_title
            assert settings.group == by
            assert len(driver.list.rows) == 15 + len(driver.list.rows.groups)
            driver.list.focus()
            seen = set()
            await driver.press("g")
            for _ in range(15):
                seen.add(driver.list.selected)
                await driver.press("j")
            assert seen == set(driver.list.sids), "every session is come by, and no heading"
            await driver.press("g")
            assert driver.list.scroll_offset.y == 0, "the first heading is seen too"
        assert any("Claude" in line and "─" in line for line in lines(driver))
        await driver.press("f8")
        await driver.until(lambda: not driver.list.rows.grouping)


def sessions_of(store_path: str, number: int) -> dict[int, SessionHit]:
    store = open_store(store_path, readonly=True)
    session = store.list(limit=1)[0]
    store.close()
    return {n: SessionHit(msgspec.structs.replace(session, sid=n), 0, None) for n in range(number)}


async def test_sessions_grow_older_though_nothing_changes(location, monkeypatch):
    store = open_store(location)
    session = SessionInfo(id="demo:old", title="Old nets", created_at=NOW, updated_at=NOW)
    store.write([Prepared(session=session, start=0, rows=[])])
    store.close()
    monkeypatch.setattr(session_lines, "AGING", 0.02)
    present = [NOW]
    app = SparrowApp(location, sync=False, settings=Settings(), present=lambda: present[0])
    async with app.run_test(size=(140, 40)) as pilot:
        driver = Driver(app, pilot)
        await driver.until(lambda: "now" in "".join(lines(driver)))
        await driver.settled()
        drawn: list[str] = []
        render = driver.list.render_lines

        def kept(crop):
            strips = render(crop)
            drawn.extend(strip.text for strip in strips)
            return strips

        monkeypatch.setattr(driver.list, "render_lines", kept)
        present[0] += 5 * 60_000
        await driver.until(lambda: "5m" in "".join(drawn))


async def test_a_hundred_thousand_rows_cost_what_a_screen_costs(running, demo_store):
    async with running(demo_store) as driver:
        listed = driver.list
        asked: list[int] = []
        driver.app.engine.rows = asked.extend
        details = sessions_of(demo_store, 60)
        rows = SessionRows(array("q", range(100_000)))
        rows.details.update(details)
        drawn = set()
        look_up = rows.sid

        def count(row: int):
            drawn.add(row)
            return look_up(row)

        rows.sid = count
        listed.show(rows, searching=False, stay=Stay.NO)
        await driver.pilot.pause()
        seen = listed.size.height // listed.row_height + 2
        assert len(drawn) <= seen
        drawn.clear()
        await driver.press("escape", "G")
        await driver.pilot.pause()
        assert listed.cursor == 99_999
        assert len(drawn) <= 2 * seen
        await driver.until(lambda: asked)
        assert min(asked) > 99_000
        assert len(asked) < 200
        drawn.clear()
        await driver.press("g", *["pagedown"] * 20)
        await driver.pilot.pause()
        assert len(drawn) <= 23 * seen


async def test_the_selection_stays_on_its_session_when_something_is_written(running, demo_store):
    async with running(demo_store) as driver:
        first = driver.list.selected
        title = driver.view.session.title
        other = open_store(demo_store)
        other.append("test:new", [Turn(role="user", blocks=[Text("Newest of all.")])])
        other.close()
        await driver.until(lambda: len(driver.list.sids) == 16)
        await driver.settled()
        assert driver.list.selected == first
        assert driver.view.session.title == title
        assert driver.list.scroll_offset.y == 0, "the new one is seen"
        assert "Newest of all." in lines(driver)[0]


async def test_what_is_read_stays_though_the_list_changes(running, demo_store):
    async with running(demo_store) as driver:
        await driver.type("gateway")
        await driver.settled()
        await driver.press("enter")
        await driver.until(lambda: driver.view.has_focus)
        await driver.settled()
        await driver.press("G")
        await driver.until(lambda: driver.view.current_turn > 10)
        place = driver.view.current_turn
        other = open_store(demo_store)
        other.append("test:new", [Turn(role="user", blocks=[Text("Another gateway.")])])
        other.close()
        await driver.until(lambda: len(driver.list.sids) == 2)
        await driver.settled()
        assert driver.view.session.title == "Retry with backoff for the payment client"
        assert driver.view.current_turn == place


async def test_better_results_do_not_move_a_selection_that_was_made(running, demo_store):
    async with running(demo_store) as driver:
        listed = driver.list
        sids = [*listed.sids]
        known = dict(listed.rows.details)

        def results(order: list[int]) -> SessionRows:
            rows = SessionRows(array("q", order))
            rows.details.update(known)
            return rows

        listed.show(results(sids), searching=True, stay=Stay.NO)
        listed.show(results(sids[::-1]), searching=True, stay=Stay.IF_CHOSEN)
        assert listed.cursor == 0, "nothing was chosen: the best one is"
        listed.show(results(sids), searching=True, stay=Stay.NO)
        await driver.press("down", "down")
        chosen = listed.selected
        top = listed.cursor * listed.row_height - listed.scroll_offset.y
        listed.show(results(sids[::-1]), searching=True, stay=Stay.IF_CHOSEN)
        assert listed.selected == chosen
        assert listed.cursor == 12
        listed.show(results(sids), searching=True, stay=Stay.IF_CHOSEN)
        assert listed.selected == chosen
        assert listed.cursor * listed.row_height - listed.scroll_offset.y >= top


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (140, 40)], ids=str)
async def test_states_tags_and_pins_are_readable(running, demo_store, size):
    store = open_store(demo_store)
    ids = [session.id for session in store.list() if not session.parent][:6]
    day = 86_400_000
    with store.transaction():
        store.organiser.pin(ids[0], True)
        store.organiser.tag(ids[0], ["keep"])
        store.connection.execute("UPDATE session SET updated_at = updated_at - ?", (30 * day,))
        set_ = "UPDATE session SET status = ?, updated_at = ?, source_gone = ?, expires_at = ?"
        for ident, values in zip(
            ids,
            [
                ("working", NOW - 60_000, 0, None),
                ("waiting", NOW - 120_000, 0, None),
                ("working", NOW - day, 0, None),
                ("ended", NOW - 2 * day, 0, NOW + 3 * day),
                ("ended", NOW - 3 * day, 1, None),
                ("ended", NOW - 4 * day, 0, None),
            ],
            strict=True,
        ):
            store.connection.execute(f"{set_} WHERE id = ?", (*values, ident))
    store.close()
    async with running(demo_store, size=size) as driver:
        shown = [line for line in lines(driver) if line.strip()]
        rows = ["\n".join(shown[n : n + driver.list.row_height])
                for n in range(0, len(shown), driver.list.row_height)]  # fmt: skip
        assert all(sign in rows[0] for sign in ("●", "★", "#keep"))
        assert "◆" in rows[1]
        assert "!" in rows[2]
        assert all(sign in rows[3] for sign in ("·", "expires in 3d"))
        assert "kept" in rows[4]


@pytest.mark.parametrize("size", [(40, 10), (20, 5), (10, 3), (200, 60)], ids=str)
async def test_odd_sizes_do_no_harm(running, demo_store, size):
    async with running(demo_store) as driver:
        await driver.type("gateway")
        await driver.settled()
        await driver.pilot.resize_terminal(*size)
        await driver.press("f8", "down", "enter", "escape", "escape", "escape", "f1", "escape")
        await driver.pilot.resize_terminal(80, 24)
        await driver.press("f8")
        await driver.until(lambda: driver.list.rows.grouping == "day")
        assert driver.app.is_running


async def test_the_wheel_scrolls_and_the_cursor_stays(running, demo_store):
    async with running(demo_store, size=(80, 24)) as driver:
        await driver.pilot._post_mouse_events([events.MouseScrollDown], "#sessions", offset=(5, 2))
        await driver.until(lambda: driver.list.scroll_offset.y > 0)
        assert driver.list.cursor == 0


async def test_very_low_terminals_show_sessions_and_then_what_is_read(running, demo_store):
    async with running(demo_store, size=(20, 5)) as driver:
        assert driver.list.size.height == 3
        assert not driver.view.region
        await driver.press("escape", "down", "enter")
        await driver.until(lambda: driver.view.has_focus)
        await driver.settled()
        assert driver.view.size.height == 2
        assert driver.text().strip()
        await driver.press("escape")
        await driver.until(lambda: driver.list.size.height == 3)
        await driver.press("?")
        await driver.until(lambda: driver.app.screen is not driver.main)
        assert driver.app.screen.query_one("#help-body").container_viewport.height >= 3
