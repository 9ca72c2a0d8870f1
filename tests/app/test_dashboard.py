"""The dashboard: every key, values equal to the store's, names that are not to be trusted."""

from __future__ import annotations

import time

import apsw
import pytest

from sparrow_tui.app import board_asking, messages
from sparrow_tui.app.behind import search_for
from sparrow_tui.app.board import board
from sparrow_tui.app.figures import METRICS
from sparrow_tui.app.plots import project_name
from sparrow_tui.app.screens.dashboard import DashboardScreen
from sparrow_tui.app.screens.help import HelpScreen
from sparrow_tui.app.widgets.charts_plot import OTHER
from sparrow_tui.model import SessionInfo, Text, ToolResult, ToolUse, Turn, Usage
from sparrow_tui.query import parse
from sparrow_tui.store import open_store
from sparrow_tui.store.prepared import Prepared, rows

NOW = 1_767_225_600_000
DAY = 86_400_000
HOSTILE = "[red]evil[/] \x1b]0;pwn\x07\x9b31m[/x \u202etxt"


@pytest.fixture(autouse=True)
def utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def board_of(driver) -> DashboardScreen:
    screen = driver.app.screen
    assert isinstance(screen, DashboardScreen)
    return screen


async def opened(driver) -> DashboardScreen:
    """The dashboard, from the list, with its answer."""
    driver.list.focus()
    await driver.press("D")
    await driver.until(lambda: isinstance(driver.app.screen, DashboardScreen))
    screen = board_of(driver)
    await answered(driver)
    return screen


async def answered(driver) -> None:
    screen = board_of(driver)
    await driver.until(
        lambda: (
            screen.tiles.values  # it stands and shows something
            and not screen.asking.busy
            and (screen.board.wanted.unit, screen.board.wanted.apart)
            == (screen.view.unit, screen.view.apart)
            and screen.view.shown_by(screen.board)
        )
    )
    await driver.pilot.pause()


def text_of(widget) -> str:
    return "\n".join(
        "".join(segment.text for segment in widget.render_line(y)).rstrip()
        for y in range(widget.size.height)
    )


async def test_figures_are_the_stores(running, demo_store):
    totals = open_store(demo_store, readonly=True).totals
    overall, agents = totals.overall(), dict(totals.by("agent"))
    async with running(demo_store) as driver:
        screen = await opened(driver)
        await driver.press("m")
        await answered(driver)
        assert screen.board.total.sums == overall
        chart = screen.query_one("#chart")
        wanted = {
            "tokens": lambda s: s.fresh,
            "cost": lambda s: s.cost_micro,
            "requests": lambda s: s.requests,
            "tools": lambda s: s.tool_calls,
            "errors": lambda s: s.tool_errors + s.request_errors,
        }
        for number, metric in enumerate(METRICS, 1):
            await driver.press(str(number))
            await answered(driver)
            assert screen.view.metric is metric
            plot = chart.plot
            assert metric.title in str(screen.query_one("#plot").border_title)
            if metric.name not in wanted:
                continue
            assert sum(plot.totals) == wanted[metric.name](overall)
            labels = [label for label in plot.labels if label != OTHER]
            for place, label in enumerate(labels):
                assert sum(part[place] for part in plot.parts) == wanted[metric.name](agents[label])
            assert sum(map(sum, plot.parts)) == sum(plot.totals)
        await driver.press("6")
        tried = overall.tool_calls + overall.requests + overall.request_errors
        failed = overall.tool_errors + overall.request_errors
        assert screen.view.metric.value(screen.board.total) == 100 * failed / tried
        days = [cell.sums.turns for cell in screen.board.by_day]
        assert sum(days) == overall.turns


async def test_rankings_are_the_stores(running, demo_store):
    totals = open_store(demo_store, readonly=True).totals
    async with running(demo_store) as driver:
        screen = await opened(driver)
        await driver.press("m")
        await answered(driver)
        models = {line.key: line.amount for line in screen.query_one("#models").lines}
        assert models == {name: s.fresh for name, s in totals.by("model") if s.fresh}
        projects = {line.key: line.amount for line in screen.query_one("#projects").lines}
        assert projects == {name: s.fresh for name, s in totals.by("project") if s.fresh}
        tools = {line.key: line.amount for line in screen.query_one("#tools").lines}
        assert tools == {name: s.tool_calls for name, s in totals.by("tool")}
        slow = [line.key for line in screen.query_one("#slowest").lines]
        assert slow == [name for name, took in totals.slowest() if took.number]


async def test_keys_of_the_chart(running, demo_store):
    async with running(demo_store) as driver:
        screen = await opened(driver)
        chart = screen.query_one("#chart")
        assert chart.has_focus
        last = len(chart.plot.starts) - 1
        assert chart.cursor == last
        await driver.press("left", "left")
        assert chart.cursor == last - 2
        assert screen.view.cursor == chart.plot.starts[last - 2]
        await driver.press("right")
        assert chart.cursor == last - 1
        for key, unit in (("h", "hour"), ("w", "week"), ("m", "month"), ("d", "day")):
            await driver.press(key)
            await answered(driver)
            assert chart.plot.unit == unit
            step = screen.board.steps[chart.cursor]
            assert step.start <= screen.view.cursor < step.end
        await driver.press("s")
        await answered(driver)
        assert "claude-sonnet-4-5" in chart.plot.labels
        assert "by model" in str(screen.query_one("#plot").border_title)
        await driver.press("s")
        await answered(driver)
        assert "claude" in chart.plot.labels
        await driver.press("up")
        assert chart.single == 0
        await driver.press("down", "down")
        assert chart.single == len(chart.plot.labels) - 1
        await driver.press("end")
        await answered(driver)
        assert screen.view.last is None


async def test_the_cursor_leads_to_other_times_and_back(running, tmp_path):
    path = str(tmp_path / "long.db")
    store = open_store(path)
    for age in (0, 40, 400):
        turn = Turn(role="assistant", blocks=[Text("x")], time=NOW - age * DAY, usage=Usage(9, 1))
        store.append(f"claude:{age}", [turn])
    store.close()
    async with running(path) as driver:
        screen = await opened(driver)
        chart = screen.query_one("#chart")
        number = len(chart.plot.starts)
        for _ in range(number):
            await driver.press("left")
        await answered(driver)
        await driver.until(lambda: chart.plot.starts[0] == NOW - number * DAY)
        assert chart.cursor == 0
        await driver.press("pageup")
        await driver.until(lambda: chart.plot.starts[0] == NOW - 2 * number * DAY)
        await driver.press("home")
        await driver.until(lambda: chart.plot.starts[0] == NOW - 400 * DAY)
        assert chart.cursor == 0
        assert chart.plot.totals[0] == 10
        await driver.press("left")  # nothing was counted before
        await answered(driver)
        assert chart.plot.starts[0] == NOW - 400 * DAY
        await driver.press("pagedown")
        await driver.until(lambda: chart.plot.starts[0] == NOW - (400 - number) * DAY)
        await driver.press("end")
        await driver.until(lambda: chart.plot.starts[-1] == NOW)
        assert chart.cursor == len(chart.plot.starts) - 1


async def test_a_point_opens_its_sessions(running, demo_store):
    store = open_store(demo_store, readonly=True)
    async with running(demo_store) as driver:
        screen = await opened(driver)
        await driver.press("w", "7")
        await answered(driver)
        chart = screen.query_one("#chart")
        await driver.press("left")
        place = chart.cursor
        going = screen.board.points[place]
        step = screen.board.steps[place]
        while chart.single is None or chart.plot.labels[chart.single] != "claude":
            await driver.press("up")
        await driver.press("enter")
        await driver.until(lambda: driver.app.screen is driver.main)
        assert driver.main.box.value == search_for(step.start, step.end, agent="claude")
        assert driver.list.has_focus
        await driver.settled()
        agents = [store.totals._db.execute("SELECT agent FROM session WHERE sid = ?", (s,)).get
                  for s in driver.list.sids]  # fmt: skip
        assert agents == ["claude"] * going["claude"].sessions
        # The dashboard is as it was left.
        screen = await opened(driver)
        assert screen.view.metric.name == "sessions"
        assert screen.view.unit == "week"


async def test_tab_goes_round_and_each_panel_opens(running, demo_store):
    async with running(demo_store) as driver:
        screen = await opened(driver)
        seen = []
        for _ in range(6):
            await driver.press("tab")
            seen.append(screen.focused.id)
        assert seen == ["calendar", "projects", "models", "tools", "slowest", "chart"]
        await driver.press("shift+tab")
        assert screen.focused.id == "slowest"
        start, end = screen.board.steps[0].start, screen.board.steps[-1].end
        for panel, facet in (("projects", "project"), ("models", "model"), ("tools", "tool")):
            screen = board_of(driver)
            ranking = screen.query_one(f"#{panel}")
            ranking.focus()
            await driver.press("down", "j", "k")
            assert ranking.cursor == 1
            key = ranking.lines[1].key
            await driver.press("enter")
            await driver.until(lambda: driver.app.screen is driver.main)
            assert driver.main.box.value == search_for(start, end, **{facet: key})
            await driver.settled()
            assert len(driver.list.sids)
            await opened(driver)
        calendar = board_of(driver).query_one("#calendar")
        calendar.focus()
        await driver.press("left", "up", "down", "right", "up")
        day = calendar.starts[calendar.cursor]
        assert day == NOW - DAY
        await driver.press("enter")
        await driver.until(lambda: driver.app.screen is driver.main)
        assert driver.main.box.value == "after:2025-12-31 before:2026-01-01"
        screen = await opened(driver)
        slow = screen.query_one("#slowest")
        slow.focus()
        await driver.press("enter")
        await driver.until(lambda: driver.app.screen is driver.main)
        assert driver.main.box.value == search_for(tool=slow.lines[0].key)


async def test_in_a_flat_terminal_panels_take_the_charts_place(running, demo_store):
    async with running(demo_store, (60, 16)) as driver:
        screen = await opened(driver)
        chart, calendar = screen.chart, screen.panels.calendar
        assert (chart.size.height > 3, calendar.size.height) == (True, 0)
        for panel in ("calendar", "projects", "models"):
            await driver.press("tab")
            await driver.until(lambda name=panel: screen.focused.id == name)
            assert screen.focused.size.height > 3
            assert screen.focused.region.width == 60
            assert chart.size.height == 0 or not chart.is_on_screen
        await driver.press("t")
        await driver.until(lambda: screen.focused is screen.table and screen.table.is_on_screen)
        await driver.press("t", "tab")
        await driver.until(lambda: screen.focused is calendar)
        await driver.press("shift+tab")
        await driver.until(lambda: screen.focused is chart)
        assert chart.is_on_screen
        assert not calendar.is_on_screen


async def test_errors_open_sessions_with_errors(running, demo_store):
    async with running(demo_store) as driver:
        await opened(driver)
        await driver.press("5", "enter")
        await driver.until(lambda: driver.app.screen is driver.main)
        assert driver.main.box.value.endswith("is:error")


async def test_the_table_has_the_charts_values(running, demo_store):
    async with running(demo_store) as driver:
        screen = await opened(driver)
        plot = screen.query_one("#chart").plot
        await driver.press("left", "t")
        table = screen.query_one("#table")
        await driver.until(lambda: table.plot.starts and table.size.height)
        assert table.has_focus
        assert table.plot == plot
        assert table.cursor == len(plot.starts) - 2
        shown = text_of(table)
        assert "Wed 31 Dec 2025" in shown
        assert plot.metric.text(plot.totals[-2]) in shown
        await driver.press("down", "up", "up")
        assert table.cursor == len(plot.starts) - 1
        await driver.press("down", "enter")
        await driver.until(lambda: driver.app.screen is driver.main)
        assert driver.main.box.value == "after:2025-12-31 before:2026-01-01"
        screen = await opened(driver)
        assert screen.query_one("#table").display
        await driver.press("t")
        assert screen.query_one("#chart").has_focus


async def test_help_counters_and_the_way_back(running, demo_store):
    async with running(demo_store) as driver:
        screen = await opened(driver)
        footer = screen.query_one("#metrics")
        await driver.until(lambda: footer.figures.requests)
        await driver.press("c")
        await driver.until(lambda: footer.figures.scope == "list")
        await driver.press("question_mark")
        await driver.until(lambda: isinstance(driver.app.screen, HelpScreen))
        await driver.press("escape")
        await driver.until(lambda: driver.app.screen is screen)
        for key in ("escape", "q", "D"):
            await driver.press(key)
            await driver.until(lambda: driver.app.screen is driver.main)
            await opened(driver)


async def test_news_before_it_stands_do_no_harm(running, demo_store):
    async with running(demo_store) as driver:
        driver.main.action_dashboard()
        driver.main.store_counted()
        await driver.until(lambda: isinstance(driver.app.screen, DashboardScreen))
        await answered(driver)


async def test_it_follows_what_is_written_with_few_draws(running, demo_store):
    async with running(demo_store) as driver:
        screen = await opened(driver)
        chart = screen.query_one("#chart")
        before, draws, asked = chart.plot.totals[-1], chart.draws, screen.asking.asked
        writer = open_store(demo_store)
        for number in range(200):
            turn = Turn(role="assistant", blocks=[Text("x")], time=NOW + number, usage=Usage(10, 0))
            writer.append("claude:live", [turn])
        await driver.until(lambda: chart.plot.totals[-1] == before + 2_000)
        assert chart.draws - draws < 40
        assert screen.asking.asked - asked < 40
        writer.close()


@pytest.mark.parametrize(
    ("filled", "size"),
    [
        ("empty", (80, 24)),
        ("one point", (60, 20)),
        ("hostile", (40, 12)),
        ("hostile", (140, 40)),
        ("one point", (200, 60)),
    ],
)
async def test_any_size_any_store(running, tmp_path, size, filled):
    path = str(tmp_path / "odd.db")
    store = open_store(path)
    if filled != "empty":
        name = HOSTILE if filled == "hostile" else "m"
        info = SessionInfo(id=f"claude:{name}", title=name, project=f"/p/{name}",
                           model=name, created_at=NOW - DAY, updated_at=NOW)  # fmt: skip
        turns = [
            Turn(role="assistant", blocks=[ToolUse("c", name, {})], time=NOW, model=name,
                 usage=Usage(10**12, 5), uid="1"),
            Turn(role="tool", blocks=[ToolResult("c", [Text("x")], duration_ms=500)], time=NOW,
                 uid="2"),
        ]  # fmt: skip
        store.write([Prepared(session=info, start=0, rows=rows(turns))])
    store.close()
    async with running(path, size) as driver:
        screen = await opened(driver) if filled != "empty" else await opened_from_nothing(driver)
        for key in ("2", "5", "6", "7", "s", "t", "t", "1", *["tab"] * 6, "h", "m", "left", "up"):
            await driver.press(key)
        await answered(driver)
        for widget in screen.query("Drawn"):
            assert "\x1b" not in text_of(widget)
            assert "\x9b" not in text_of(widget)
            assert all(len(line) <= size[0] for line in text_of(widget).splitlines())
        chart = screen.query_one("#chart")
        if filled == "empty" and chart.size.width > 30:
            assert "no tokens in this time" in text_of(chart)
        if filled == "hostile" and size == (140, 40):
            assert "[red]evil[/]" in text_of(screen.query_one("#tools"))
            await driver.press("escape")


async def opened_from_nothing(driver) -> DashboardScreen:
    driver.main.action_dashboard()
    await driver.until(lambda: isinstance(driver.app.screen, DashboardScreen))
    await answered(driver)
    return board_of(driver)


def test_searches_behind_points(monkeypatch):
    assert search_for(NOW, NOW + DAY, agent="codex") == (
        "after:2026-01-01 before:2026-01-02 agent:codex"
    )
    text = search_for(NOW + 3_600_000, NOW + 7_200_000, True, project='/a b/"c')
    assert text == 'after:2026-01-01T01:00 before:2026-01-01T02:00 project:"/a b/" is:error'
    query = parse(search_for(NOW, model=HOSTILE, tool="mcp__x"))
    assert {facet.name for facet in query.facets} == {"after", "model", "tool"}
    assert not query.terms
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    twice = 1_792_890_000_000  # 2026-10-25T01:00Z, the second 02:00 of that night
    (after,) = parse(search_for(twice)).facets
    assert after.number == twice


def test_names_of_projects():
    assert project_name("/home/me/work/") == "work"
    assert project_name("C:\\code\\app") == "app"
    assert project_name("") == "(no project)"


async def test_a_question_cut_short_is_not_taken_for_answered(running, demo_store, monkeypatch):
    cuts, busy = iter((True, False)), []

    def cut(store, wanted):
        if next(cuts, False):
            raise apsw.InterruptError("a new search came in between")
        driver.app.from_thread(messages.Call(lambda: busy.append(asking.busy)))
        return board(store, wanted)

    async with running(demo_store) as driver:
        asking = driver.main._boards
        monkeypatch.setattr(board_asking, "board", cut)
        screen = await opened(driver)
        assert busy, "a search may cut it short once more"
        assert all(busy)
        assert screen.board.total.sums.turns
        assert asking.asked <= len(busy), "more are asked when the store changes"
