"""Moving through a transcript: scrollbar, minimap, times, matches, marks, what is new; by work done."""

from __future__ import annotations

from threading import Event

from msgspec.structs import replace
from textual import events

from sparrow_tui.app import search_answers, turn_window
from sparrow_tui.app.outline import outline
from sparrow_tui.app.screens.outline import OutlineScreen
from sparrow_tui.app.widgets import find_bar
from sparrow_tui.model import Notice, Reasoning, Text, ToolResult, ToolUse, Turn, Usage
from sparrow_tui.store import open_store
from sparrow_tui.store.base import Interrupted
from sparrow_tui.text import cards, frames
from sparrow_tui.text.spans import plain
from tests.app.test_transcript import SID, fill, read, talk

HOUR = 3_600_000


def at(view, x: int, y: int, kind: type[events.MouseEvent]) -> events.MouseEvent:
    """A mouse event at a cell of the viewer."""
    return kind(view, x, y, 0, 0, 1, False, False, False)


async def test_the_scrollbar_is_dragged_to_any_place(running, location):
    async with running(fill(location, talk(5_000)), size=(100, 30)) as driver:
        await read(driver)
        view = driver.view
        edge = view.size.width - 1
        view.following = True
        view.on_mouse_down(at(view, edge, view.page_height // 2, events.MouseDown))
        await driver.until(lambda: 2_300 < view.current_turn < 2_700)
        assert not view.following
        for y in range(view.page_height // 2, 3, -1):
            view.on_mouse_move(at(view, edge, y, events.MouseMove))
        await driver.until(lambda: view._goal is None and 600 < view.current_turn < 1_100)
        view.on_mouse_move(at(view, edge, view.page_height - 1, events.MouseMove))
        await driver.until(lambda: "marker4999 " in driver.text())
        view.on_mouse_up(at(view, edge, view.page_height - 1, events.MouseUp))
        view.on_mouse_move(at(view, edge, 2, events.MouseMove))
        assert "marker4999 " in driver.text()


async def test_the_scrollbar_reaches_into_a_large_turn(running, location):
    big = "\n".join(f"line {n} of many" for n in range(100_000))
    turns = [*talk(2), Turn(role="assistant", blocks=[Text(big)])]
    async with running(fill(location, turns), size=(100, 30)) as driver:
        await read(driver)
        view = driver.view
        edge = view.size.width - 1
        view.on_mouse_down(at(view, edge, view.page_height // 2, events.MouseDown))
        view.on_mouse_up(at(view, edge, view.page_height // 2, events.MouseUp))
        await driver.until(lambda: view.current_turn == 2 and view._goal is None)
        number = int(driver.lines()[2].split("line ")[1].split()[0])
        assert 35_000 < number < 65_000
        for _ in range(300):
            view.action_page(1)
        await driver.until(lambda: not view._owed)
        assert sum(1 for piece in view.model.page(2) if piece._lines) <= 60


async def test_the_minimap_tells_prompts_errors_and_matches(running, location):
    turns = []
    for index in range(400):
        failed = index == 200
        turns += [
            Turn(role="assistant", blocks=[ToolUse(f"c{index}", "Bash", {"command": "ls"})]),
            Turn(role="tool", blocks=[ToolResult(f"c{index}", [Text("x")], is_error=failed)]),
        ]
    turns[0] = Turn(role="user", blocks=[Text("begin")])
    async with running(fill(location, turns), size=(100, 30)) as driver:
        await read(driver)
        view = driver.view
        rows = view.page_height
        marks = view.map.marks(rows)
        assert marks[0] == "user"
        assert marks.count("error") == 1
        assert abs(marks.index("error") - rows // 2) <= 1
        await driver.press("right_curly_bracket")
        await driver.until(lambda: view.current_turn == 401)
        await driver.press("right_curly_bracket")
        await driver.until(lambda: "no more errors" in driver.lines()[-1])
        await driver.press("slash")
        await driver.type("begin")
        await driver.until(lambda: [*view.hits] == [0])
        assert view.map.marks(rows)[0] == "key"
        await driver.press("escape")
        await driver.until(lambda: not view.hits)
        assert view.map.marks(rows)[0] == "user"


async def test_going_to_a_time(running, location):
    turns = [Turn(role="user", blocks=[Text(f"said {n}")], time=n * HOUR) for n in range(200)]
    async with running(fill(location, turns), size=(100, 30)) as driver:
        await read(driver)
        await driver.press("colon")
        await driver.type("1970-01-04 05:00")
        await driver.press("enter")
        await driver.until(lambda: driver.view.current_turn == 77)
        await driver.press("colon")
        await driver.type("50%")
        await driver.press("enter")
        await driver.until(lambda: driver.view.current_turn == 99)


async def test_matches_in_one_turn_are_stepped_through(running, location):
    said = "\n".join("needle here" if n in (5, 60, 90) else f"hay {n}" for n in range(120))
    turns = [*talk(3), Turn(role="assistant", blocks=[Text(said)]), *talk(3)]
    turns.append(Turn(role="assistant", blocks=[Text("a last needle")]))
    async with running(fill(location, turns), size=(100, 30)) as driver:
        await read(driver)
        view = driver.view
        await driver.press("slash")
        await driver.type("needle")
        await driver.until(lambda: not view._finding and [*view.hits] == [3, 7])
        await driver.press("enter")
        await driver.until(lambda: view.has_focus)
        places = [view.cursor]
        for _ in range(3):
            await driver.press("n")
            await driver.until(lambda: view.cursor != places[-1])
            assert "needle" in "".join(span.text for span in view.model.line(view.cursor))
            places.append(view.cursor)
        assert [place.turn for place in places] == [3, 3, 3, 7]
        assert "match 2/2" in driver.lines()[-1]
        await driver.press("N")
        await driver.until(lambda: view.cursor == places[2])


async def test_a_match_in_a_folded_card_is_opened(running, location):
    output = "\n".join(f"row {n}" for n in range(300)) + "\nneedle"
    turns = [
        *talk(2),
        Turn(role="assistant", blocks=[ToolUse("c", "Bash", {"command": "make"})]),
        Turn(role="tool", blocks=[ToolResult("c", [Text(output)])]),
    ]
    async with running(fill(location, turns), size=(100, 30)) as driver:
        await read(driver)
        await driver.press("slash")
        await driver.type("needle")
        await driver.until(lambda: "│ needle" in driver.text())


async def test_what_is_new_is_marked_where_the_reader_left_off(running, location):
    fill(location, talk(60))
    fill(location, talk(3), "demo:other")
    async with running(location, size=(140, 40)) as driver:
        view = driver.view
        driver.app.engine.open(SID, focus=True)
        await driver.until(lambda: view.session_id == SID and view.has_focus)
        await driver.press("G")
        await driver.until(lambda: view.current_turn == 59)
        driver.app.engine.open("demo:other", focus=True)
        await driver.until(lambda: view.session_id == "demo:other")
        store = open_store(location)
        store.append(SID, [Turn(role="assistant", blocks=[Text(f"fresh {n}")]) for n in range(80)])
        store.close()
        await driver.until(
            lambda: view.session_id == SID or driver.app.engine.open(SID, focus=True)
        )
        await driver.until(lambda: view.session_id == SID and view.model.total == 140)
        await driver.until(lambda: "new below" in driver.text())
        assert "80 new turns (G)" in driver.lines()[-1]
        lines = driver.lines()
        mark = next(n for n, line in enumerate(lines) if "new below" in line)
        assert "fresh 0" in "\n".join(lines[mark:])
        assert "fresh 0" not in "\n".join(lines[:mark])
        await driver.press("G")
        await driver.until(lambda: "new turns" not in driver.lines()[-1])


async def test_details_reasoning_and_branches_are_toggled(running, location):
    turns = [
        Turn(role="user", blocks=[Text("old way")], branch=True),
        Turn(role="user", blocks=[Text("new way")]),
        Turn(
            role="assistant", model="m", usage=Usage(input=1_200, output=34), cost_micro=5_600,
            duration_ms=1_500, blocks=[Reasoning("first " * 99 + "\nsecond line"), Text("done")],
        ),
        Turn(role="system", blocks=[Notice("model", "now gpt-x")]),
    ]  # fmt: skip
    async with running(fill(location, turns), size=(100, 30)) as driver:
        await read(driver)
        text = driver.text()
        assert "old way" not in text
        assert "taken back here" in text
        assert "second line" not in text
        assert "now gpt-x" in text
        await driver.press("i", "r", "b")
        text = driver.text()
        for words in ("↑1,200 ↓34", "$0.0056", "1.5 s", "second line", "old way", "taken back"):
            assert words in text, words
        await driver.press("i", "r", "b")
        assert driver.text().count("1.5 s") == 0
        assert "old way" not in driver.text()


async def test_a_page_lays_out_and_draws_no_more_than_windows(running, location):
    async with running(fill(location, talk(20_000)), size=(100, 30)) as driver:
        await read(driver)
        view = driver.view
        drawn = []
        draw = view._draw
        view._draw = lambda *a: drawn.append(a) or draw(*a)
        for turn in (0, 10_000, 19_999):
            view.model._pages.clear()
            view._strips.clear()
            drawn.clear()
            view.to_turn(turn)
            await driver.until(lambda t=turn: view._goal is None and view.model.has(t))
            await driver.pilot.pause()
            assert len(view.model._pages) <= 3 * view.page_height
            assert len(drawn) <= 3 * view.page_height


async def test_the_next_page_is_laid_out_before_it_is_asked_for(running, location, monkeypatch):
    async with running(fill(location, talk(2_000)), size=(100, 30)) as driver:
        await read(driver)
        view = driver.view
        view.to_turn(1_000)
        await driver.until(lambda: view._goal is None and view._ahead is None)
        made = []
        pieces = turn_window.pieces
        monkeypatch.setattr(
            turn_window, "pieces", lambda turn, *a, **k: made.append(turn) or pieces(turn, *a, **k)
        )
        top = view.model.top
        view.action_page(1)
        assert view.model.top > top
        assert not made
        view.action_page(-1)
        assert not made


async def test_only_lines_that_changed_are_drawn(running, location):
    async with running(fill(location, talk(200)), size=(100, 30)) as driver:
        await read(driver)
        view = driver.view
        await driver.until(lambda: view._ahead is None)
        await driver.press("j", "j", "j")
        drawn = []
        draw = view._draw
        view._draw = lambda *a: drawn.append(a) or draw(*a)
        view.map.fit(view.text_width)
        view.redraw()
        await driver.pilot.pause()
        assert not drawn
        await driver.press("j")
        block = len({place for place in view._rows if place.turn == view.current_turn})
        assert 0 < len(drawn) <= 2 * (block + 2)


async def test_opening_reads_a_screenful_first(running, location):
    async with running(fill(location, talk(20_000)), size=(100, 30)) as driver:
        await read(driver)
        view = driver.view
        sizes = []
        want = view.loader.want
        view.loader.want = lambda *a: sizes.append(a[4] - a[3]) or want(*a)
        view.to_turn(12_000)
        await driver.until(lambda: view._goal is None and view.current_turn == 12_000)
        assert sizes[0] <= 2 * (view.page_height + 2)


async def test_the_outline_shows_any_number_of_lines(running, location, monkeypatch):
    async with running(fill(location, talk(8_000)), size=(100, 30)) as driver:
        await read(driver)
        driver.view.to_turn(4_000)
        await driver.until(lambda: driver.view.current_turn == 4_000)
        await driver.press("O")
        await driver.until(lambda: isinstance(driver.app.screen, OutlineScreen))
        screen = driver.app.screen
        await driver.until(lambda: screen._complete)
        assert len(screen.listing.items) == 2_000
        assert screen.listing.current.turn == 4_000
        row = screen.listing.cursor - screen.listing.scroll_offset.y
        assert abs(row - screen.listing.size.height // 2) <= 1
        assert not screen.listing.show_horizontal_scrollbar
        here, other = (screen.listing.render_line(y) for y in (row, row + 1))
        assert {s.style.bgcolor for s in here}.isdisjoint({s.style.bgcolor for s in other})
        await driver.press("ctrl+end")
        assert screen.listing.current.turn == 7_996
        shown = screen.listing.render_line(screen.listing.size.height - 1).text
        assert "marker7996" in shown
        await driver.type("marker44")
        await driver.until(lambda: len(screen.listing.items) == 29)
        await driver.press("down", "enter")
        await driver.until(lambda: driver.view.current_turn == 440)


def test_an_outline_that_is_cut_says_so(location):
    store = open_store(fill(location, talk(40)), readonly=True)
    whole = [item for items in outline(store, SID) for item in items]
    assert [item.turn for item in whole] == list(range(0, 40, 4))
    part = [item for items in outline(store, SID, most=3) for item in items]
    store.close()
    assert part[:3] == whole[:3]
    assert (part[3].turn, part[3].kind) == (12, "end")
    assert "ends here" in part[3].text
    assert len(part) == 4


async def test_the_cursor_and_what_is_selected_stand_out(running, location):
    async with running(fill(location, talk(30)), size=(100, 30)) as driver:
        await read(driver)
        view = driver.view

        def grounds(turn):
            rows = [y for y, p in enumerate(view._rows) if p.turn == turn and view.model.line(p)]
            return {s.style.bgcolor for y in rows for s in list(view.render_line(y))[2:-2]}

        plain = grounds(6)
        await driver.press("g", "v", "j", "j", "j", "j")
        assert grounds(0).isdisjoint(plain)
        assert grounds(0) == grounds(view.current_turn)
        await driver.press("escape")
        assert grounds(0) == plain
        assert not grounds(view.current_turn) <= plain


async def test_matches_asked_for_before_they_are_known(running, location, monkeypatch):
    found = Event()
    matches = search_answers.matches

    def slow(*asked):
        if not found.wait(0.005):
            raise Interrupted
        return matches(*asked)

    monkeypatch.setattr(search_answers, "matches", slow)
    turns = talk(30)
    for index in (2, 14, 27):
        turns[index] = Turn(role="assistant", blocks=[Text(f"a needle, number {index}")])
    async with running(fill(location, turns), size=(100, 30)) as driver:
        await driver.type("needle")
        await driver.press("enter")
        view = driver.view
        await driver.until(lambda: view.has_focus and view.current_turn == 27)
        await driver.press("N")
        assert view.matches_due
        assert view.current_turn == 27
        found.set()
        await driver.until(lambda: view.current_turn == 14)
        assert [*view.hits] == [2, 14, 27]


async def test_a_session_that_was_looked_over_is_not_looked_over_again(running, location):
    async with running(fill(location, talk(50)), size=(100, 30)) as driver:
        await read(driver)
        view = driver.view
        asked: list[str] = []
        survey = view.loader.survey
        view.loader.survey = lambda session, *more: (asked.append(session), survey(session, *more))
        view.open(view.session, at=40)
        await driver.until(lambda: view.current_turn == 40)
        assert view.map.is_complete
        view.open(replace(view.session, turns=49), at=3)
        await driver.until(lambda: asked == [SID])


async def test_a_match_in_a_large_turn_lays_out_little_of_it(running, location, monkeypatch):
    line = "the needle is on every line of this long answer\n"
    turns = [*talk(4), Turn(role="assistant", blocks=[Text(line * 40_000)]), *talk(4)]
    laid_out = []
    layout = cards._plainly

    def counted(width, style):
        made = layout(width, style)
        return lambda part: laid_out.append(1) or made(part)

    monkeypatch.setattr(cards, "_plainly", counted)
    async with running(fill(location, turns), size=(100, 30)) as driver:
        await read(driver)
        view = driver.view
        await driver.press("/")
        await driver.type("needle")
        await driver.until(lambda: [*view.hits] == [4] and view.current_turn == 4)
        assert "needle" in plain(view.model.line(view.cursor))
        assert 0 < len(laid_out) < 20


def test_a_text_is_searched_in_parts():
    for filling in ("some words\n", "one long line of words "):
        large = filling * (3 * find_bar.PART // len(filling))
        for at in (0, find_bar.PART - 3, 2 * find_bar.PART - 2_005, len(large) - 1):
            assert find_bar.pattern("needle", regex=False).fits(large[:at] + "Needle" + large[at:])
        assert find_bar.pattern(r"^last\W*$", regex=True).fits(large + "\nlast!")
        assert not find_bar.pattern("needle", regex=False).fits(large)


async def test_from_message_to_message(running, location):
    turns = [
        Turn(role="user", blocks=[Text("ask")]),
        Turn(role="system", blocks=[Notice("info", "Hook"), Text("wind")], meta=True),
        Turn(role="assistant", blocks=[ToolUse("t", "Read", {"file_path": "a"})]),
        Turn(role="tool", blocks=[ToolResult("t", [Text("x\n" * 60)])]),
        Turn(role="assistant", blocks=[Text("first")]),
        Turn(role="user", blocks=[Text("taken back")], branch=True),
        Turn(role="assistant", blocks=[Text("last\n\n" * 60)]),
    ]
    async with running(fill(location, turns), size=(100, 30)) as driver:
        await read(driver)
        view = driver.view
        await driver.press("g")
        for key, turn in (("J", 4), ("J", 6), ("K", 4), ("K", 0)):
            await driver.press(key)
            await driver.until(lambda turn=turn: view.current_turn == turn)
        await driver.press("K")
        await driver.until(lambda: view.said == "no more messages this way")


async def test_a_click_opens_folded_context(running, location):
    turns = [
        Turn(role="user", blocks=[Text("hidden\nwords")], meta=True),
        Turn(role="system", blocks=[Notice("info", "Hook"), Text("north\nwind")], meta=True),
        Turn(role="user", blocks=[Text("ask")]),
    ]
    async with running(fill(location, turns), size=(100, 30)) as driver:
        await read(driver)
        view = driver.view
        for turn in (1, 0):
            row = next(y for y, place in enumerate(view._rows) if place.turn == turn)
            view.on_click(at(view, 4, row, events.Click))
            assert view.model.view.levels[turn, 0] == frames.FULL
        view.on_click(at(view, 4, len(view._rows) - 1, events.Click))
        assert len(view.model.view.levels) == 2
