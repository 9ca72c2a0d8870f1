"""The counters under the panes: what they say, in what room, and how often they are drawn."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from textual.app import App, ComposeResult

from sparrow_tui.app.counting import remote_figures
from sparrow_tui.app.tally import CHANGING_EVERY, WHOLE_EVERY, Tally
from sparrow_tui.app.themes import THEMES, chart_colours
from sparrow_tui.app.widgets.footer_cells import Figures, Pinned
from sparrow_tui.app.widgets.metrics_footer import MetricsFooter
from sparrow_tui.metrics.ancestor import Sample
from sparrow_tui.metrics.remote import Remote
from sparrow_tui.model import Text, Turn, Usage
from sparrow_tui.paths import stylesheet
from sparrow_tui.settings import SavedSearch, Settings
from sparrow_tui.store import open_store

NOW = 1_767_225_600_000
FIGURES = Figures(
    requests=12_345, request_errors=3, input=1_234_567, output=45_678, cache=9_876_543,
    tool_calls=999, tool_errors=12, cost_micro=41_200_000, unpriced=5, active=2,
    today_tokens=18_000, today_cost=150_000, rate=185, history=(1, 5, 2),
)  # fmt: skip


class Alone(App[None]):
    """The footer and nothing else."""

    CSS_PATH = stylesheet()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return chart_colours("captain")

    def compose(self) -> ComposeResult:
        yield MetricsFooter(id="metrics")

    def on_mount(self) -> None:
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "captain"

    @property
    def footer(self) -> MetricsFooter:
        return self.query_one(MetricsFooter)

    def line(self, y: int = 0) -> str:
        return "".join(segment.text for segment in self.footer.render_line(y)).rstrip()


@pytest.mark.parametrize(
    ("width", "shown", "left_out"),
    [
        (140, ["ALL", "requests", "today 18.0k $0.15", "185/min", "↻9.9M", "█"], []),
        (80, ["ALL", "12.3k", "✗3", "↑1.2M", "↓45.7k", "$41.20+", "today"], ["↻", "/min"]),
        (60, ["ALL", "12.3k ✗3", "↑1.2M", "tools 999 ✗12", "$41.20+"], ["today", "/min"]),
        (40, ["ALL", "↑1.2M", "↓45.7k", "$41.20+"], ["✗", "req", "today"]),
    ],
)
async def test_narrow_terminals_leave_detail_out(width, shown, left_out):
    app = Alone()
    async with app.run_test(size=(width, 10)) as pilot:
        app.footer.show(FIGURES)
        await pilot.pause()
        line = app.line()
        assert len(line) <= width
        assert all(part in line for part in shown), line
        assert not any(part in line for part in left_out), line


async def test_what_changes_lights_up_and_fades_without_moving_the_rest():
    app = Alone()
    async with app.run_test(size=(140, 10)) as pilot:
        footer = app.footer
        footer.show(FIGURES)
        await pilot.pause()
        before = app.line()
        assert not footer._glows  # the first figures are no news
        footer.show(replace(FIGURES, requests=12_399, tool_errors=9))
        await pilot.pause()
        assert {"req", "toolx"} <= set(footer._glows)
        lit = footer.get_component_rich_style("metrics-footer--lit").bgcolor
        assert any(s.text == "12.4k" and s.style.bgcolor == lit for s in footer.render_line(0))
        after = app.line()
        assert after.index("tokens") == before.index("tokens")
        assert after.index("cost") == before.index("cost")
        for _ in range(3):
            footer._fade()
        assert not footer._glows
        assert footer._timer is None


@pytest.mark.parametrize("width", [80, 140, 200])
async def test_figures_grow_and_nothing_moves(width):
    small = Figures(
        requests=9, input=990, output=98, tool_calls=7, tool_errors=1, cost_micro=990_000,
        active=9, today_tokens=980, today_cost=90_000, rate=9, history=(1, 2, 3),
    )  # fmt: skip
    steps = [
        small,
        replace(small, requests=10, input=1_010, tool_calls=10, rate=85),
        replace(small, requests=999, input=10_100, output=120, tool_errors=12, rate=134),
        replace(small, requests=1_234, input=99_000, cost_micro=12_340_000, today_cost=1_000_000),
    ]
    app = Alone()
    async with app.run_test(size=(width, 10)) as pilot:
        places = set()
        for figures in steps:
            app.footer.show(figures)
            await pilot.pause()
            line = app.line()
            places.add(tuple(line.index(word) for word in ("↑", "↓", "tools", "$", "today")))
            if width >= 140:
                assert line.index("█") == width - 2  # the bars end where the line does
        assert len(places) == 1


async def test_room_to_grow_is_given_back_before_a_figure_goes():
    app = Alone()
    async with app.run_test(size=(72, 10)) as pilot:
        few = Figures(requests=9, input=9, output=9, tool_calls=9, cost_micro=10_000, active=1)
        app.footer.show(few)
        await pilot.pause()
        shown = app.line().split()
        app.footer.show(replace(few, tool_errors=3, request_errors=2, today_tokens=4))
        await pilot.pause()
        assert {"ALL", "req", "✗2", "✗3", "live", "today"} <= set(app.line().split()), shown


async def test_errors_that_come_are_red_while_they_are_lit():
    app = Alone()
    async with app.run_test(size=(140, 10)) as pilot:
        footer = app.footer
        footer.show(FIGURES)
        footer.show(replace(FIGURES, tool_errors=13))
        await pilot.pause()
        red = footer.get_component_rich_style("metrics-footer--error").color
        (lit,) = [s.style for s in footer.render_line(0) if s.text == "✗13"]
        assert lit.color == red
        assert lit.bgcolor == footer.get_component_rich_style("metrics-footer--lit").bgcolor
        footer._fade()
        (fading,) = [s.style for s in footer.render_line(0) if s.text == "✗13"]
        assert (fading.color, fading.bgcolor) == (red, footer.rich_style.bgcolor)


async def test_another_scope_is_no_news():
    app = Alone()
    async with app.run_test(size=(140, 10)) as pilot:
        app.footer.show(FIGURES)
        app.footer.show(replace(FIGURES, scope="list", requests=3))
        await pilot.pause()
        assert not app.footer._glows
        assert "LIST" in app.line()
        assert "all today" in app.line()


async def test_no_answer_is_not_nought():
    app = Alone()
    async with app.run_test(size=(140, 10)) as pilot:
        app.footer.show(remote_figures("fleet", Remote(problem="it does not answer", of=1)))
        await pilot.pause()
        assert app.line().split() == ["FLEET", "it", "does", "not", "answer"]
        told = Remote(sample=Sample(5, 1, 1_000, 10), up=1, of=1, age=0.0)
        app.footer.show(remote_figures("fleet", told))
        await pilot.pause()
        assert "requests 5     ✗1" in app.line()
        assert not app.footer._glows  # the first figures are no news


async def test_a_burst_is_drawn_once():
    app = Alone()
    async with app.run_test(size=(140, 10)) as pilot:
        await pilot.pause()
        before = app.footer.draws
        for number in range(1_000):
            app.footer.show(replace(FIGURES, requests=number))
        app.footer.show(replace(FIGURES, requests=999))  # the same again: nothing to do
        await pilot.pause()
        assert app.footer.draws - before <= 2


async def test_pinned_searches_have_the_second_line():
    app = Alone()
    async with app.run_test(size=(60, 10)) as pilot:
        pins = [Pinned("[red]todo[/]\x1b[31m", 3), *(Pinned(f"search {n}", n) for n in range(9))]
        app.footer.show(replace(FIGURES, pinned=pins))
        await pilot.pause()
        assert app.footer.size.height == 2
        line = app.line(1)
        assert "[red]todo[/] 3" in line
        assert "\x1b" not in line
        assert line.endswith("+6")
        assert len(line) <= 60
        more = [Pinned(pins[0].name, 10_000, False), *pins[1:]]
        app.footer.show(replace(FIGURES, pinned=more))
        await pilot.pause()
        assert "10,000+" in app.line(1)
        assert list(app.footer._glows) == [f"pin {pins[0].name}"]


def say(text: str, at: int) -> Turn:
    return Turn(role="user", blocks=[Text(text)], time=at)


@pytest.fixture
def store(tmp_path):
    opened = open_store(str(tmp_path / "store.db"))
    yield opened
    opened.close()


def test_only_new_turns_are_asked_for(store):
    saved = [SavedSearch("e", "error", pinned=True), SavedSearch("not pinned", "fine")]
    clock = [0.0]
    tally = Tally(lambda: clock[0])
    assert tally.count(store, saved) == [Pinned("e", 0)]
    for number in range(5):
        store.append("claude:a", [say("an error", NOW + number * 1_000), say("fine", NOW)])
        assert tally.count(store, saved) == [Pinned("e", number + 1)]
    whole = tally.whole
    store.append("claude:b", [say("error again", NOW + 60_000)])
    assert tally.count(store, saved) == [Pinned("e", 6)]
    assert tally.whole == whole  # only what was new was asked for
    store.append("claude:old", [say("an old error", NOW - 10**9)])
    assert tally.count(store, saved) == [Pinned("e", 7)]
    store.delete("claude:a")
    assert tally.count(store, saved) == [Pinned("e", 2)]
    clock[0] = WHOLE_EVERY
    whole = tally.whole
    assert tally.count(store, saved) == [Pinned("e", 2)]
    assert tally.whole == whole + 1


def test_searches_whose_matches_change_are_counted_whole(store):
    clock = [0.0]
    tally = Tally(lambda: clock[0])
    saved = [
        SavedSearch("tagged", "tag:x error", pinned=True),
        SavedSearch("s", "agent:claude", True),
    ]
    store.append("claude:a", [say("error", NOW)])
    assert tally.count(store, saved) == [Pinned("tagged", 0), Pinned("s", 1)]
    with store.transaction():
        store.organiser.tag("claude:a", ["x"])
    clock[0] = CHANGING_EVERY
    assert tally.count(store, saved) == [Pinned("tagged", 1), Pinned("s", 1)]


async def test_c_cycles_the_scope_and_counts_what_the_list_shows(running, demo_store):
    async with running(demo_store) as driver:
        main, totals = driver.main, open_store(demo_store, readonly=True).totals
        await driver.until(lambda: main.figures.requests)
        overall = totals.overall()
        assert (main.figures.scope, main.figures.requests) == ("all", overall.requests)
        await driver.press("tab", "c")
        await driver.until(lambda: main.figures.scope == "list")
        await driver.press("slash")
        await driver.type("agent:codex")
        await driver.settled()
        listed = totals.of_sessions(driver.list.sids)
        await driver.until(lambda: main.figures.input == listed.input)
        assert 0 < listed.requests == main.figures.requests < overall.requests
        await driver.press("down", "escape", "tab")
        driver.list.focus()
        await driver.press("c")
        await driver.until(lambda: main.figures.scope == "session")
        await driver.settled()

        def counted() -> bool:
            one = totals.of_sessions([main.session.sid])
            return 0 < main.figures.cost_micro == one.cost_micro

        await driver.until(counted)
        await driver.press("c")
        await driver.until(lambda: main.figures.scope == "all")


async def test_pinned_counters_tick_as_turns_arrive(running, demo_store):
    settings = Settings(saved=[SavedSearch("todo", "zebracrossing", pinned=True)])
    async with running(demo_store, settings=settings) as driver:
        await driver.until(lambda: driver.main.figures.pinned)
        assert driver.main.figures.pinned == (Pinned("todo", 0),)
        writer = open_store(demo_store)
        usage = Usage(100, 10)
        before = driver.main.figures.input
        turn = Turn(role="assistant", blocks=[Text("zebracrossing")], time=NOW, usage=usage)
        writer.append("claude:new", [turn])
        await driver.until(lambda: driver.main.figures.pinned == (Pinned("todo", 1),))
        await driver.until(lambda: driver.main.figures.input == before + 100)
        writer.close()


async def test_many_writes_cost_few_draws(running, demo_store):
    async with running(demo_store) as driver:
        footer = driver.main.metrics
        await driver.until(lambda: driver.main.figures.requests)
        before, wanted = footer.draws, driver.main.figures.requests + 300
        writer = open_store(demo_store)
        for number in range(300):
            turn = Turn(role="assistant", blocks=[Text("x")], time=NOW + number, usage=Usage(1, 1))
            writer.append("claude:burst", [turn])
            if number % 30 == 0:
                await asyncio.sleep(0)
        await driver.until(lambda: driver.main.figures.requests == wanted)
        assert footer.draws - before < 60
        writer.close()


def test_tools_called_elsewhere_are_all_of_them_as_here():
    told = Remote(sample=Sample(tool_calls_total=90, tool_calls_errors=10), age=0.0, up=1, of=1)
    figures = remote_figures("scraped", told)
    assert (figures.tool_calls, figures.tool_errors) == (100, 10)
