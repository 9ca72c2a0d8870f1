"""The transcript viewer: every block shows, moving costs windows, folding keeps its place."""

from __future__ import annotations

import asyncio

import pytest

from sparrow_tui.app.screens.main import MainScreen
from sparrow_tui.model import (
    Image,
    Notice,
    Raw,
    Reasoning,
    SessionInfo,
    Text,
    ToolResult,
    ToolUse,
    Turn,
)
from sparrow_tui.store import open_store
from sparrow_tui.store.prepared import Prepared, rows
from sparrow_tui.text.spans import plain

SID = "demo:long"


def fill(location: str, turns: list[Turn], ident: str = SID) -> str:
    store = open_store(location)
    info = SessionInfo(id=ident, title="A long one", created_at=1_767_000_000_000)
    store.write([Prepared(session=info, start=0, rows=rows(turns))])
    store.close()
    return location


def talk(number: int) -> list[Turn]:
    turns = []
    for index in range(number):
        role = "user" if index % 4 == 0 else "assistant"
        turns.append(
            Turn(role=role, blocks=[Text(f"marker{index} words of turn {index}")], time=index)
        )
    return turns


async def read(driver) -> None:
    await driver.press("escape", "enter")
    await driver.until(lambda: driver.view.has_focus)
    await driver.settled()


async def test_every_block_kind_shows(running, location):
    turns = [
        Turn(role="user", blocks=[Text("# Heading\n\nplain **bold** `code`")]),
        Turn(
            role="assistant",
            model="m",
            blocks=[
                Reasoning("thinking aloud"),
                ToolUse("a", "Bash", {"command": "ls -la /srv"}),
                ToolUse("b", "Edit", {"file_path": "x.py", "old_string": "a", "new_string": "b"}),
            ],
        ),
        Turn(
            role="tool",
            blocks=[
                ToolResult("a", [Text("total 0\n\x1b[31mred words\x1b[0m")]),
                ToolResult("b", [Text("no such file")], is_error=True),
            ],
        ),
        Turn(role="system", blocks=[Notice("compaction", "Context compacted")]),
        Turn(role="assistant", blocks=[Image("image/png", size=2048)]),
        Turn(role="assistant", blocks=[Raw("novelty", {"strange": 1})]),
    ]
    async with running(fill(location, turns)) as driver:
        await read(driver)
        folded = driver.text()
        for words in (
            "Heading", "plain bold code", "thinking aloud", "ls -la /srv", "x.py", "+1 -1",
            "2 lines", "no such file", "Context compacted", "image/png", "2.0 kB", "novelty",
        ):  # fmt: skip
            assert words in folded, words
        await driver.press("T", "T")
        opened = driver.text()
        for words in ("red words", "- a", "+ b", '"strange": 1'):
            assert words in opened, words


async def test_the_whole_session_is_read_by_scrolling(running, location):
    async with running(fill(location, talk(700)), size=(100, 30)) as driver:
        await read(driver)
        view, seen = driver.view, set()

        def at_end() -> bool:
            return view._rows[-1].turn == 699 and view.model.at_end(view.page_height)

        for _ in range(200):
            seen.update(line.strip() for line in driver.lines() if "marker" in line)
            if at_end():
                break
            top = view.model.top
            await driver.press("pagedown")
            await driver.until(lambda top=top: view.model.top != top or at_end())
            await driver.until(lambda: not view._owed)
        text = "\n".join(seen)
        missing = [n for n in range(700) if f"marker{n} " not in text]
        assert not missing


async def test_a_page_costs_windows_not_sessions(running, location):
    async with running(fill(location, talk(20_000)), size=(100, 30)) as driver:
        await read(driver)
        loader = driver.view.loader
        driver.view.to_turn(9_000)
        await driver.until(lambda: driver.view.current_turn == 9_000)
        await driver.settled()
        before = loader.turns_read
        pages = 40
        for _ in range(pages):
            await driver.press("pagedown")
            await driver.until(lambda: not driver.view._owed)
        window = 2 * driver.view.page_height
        assert loader.turns_read - before <= pages * 3 * window
        assert len(driver.view.model.turns) < 2_000


async def test_going_anywhere(running, location):
    async with running(fill(location, talk(5_000)), size=(100, 30)) as driver:
        await read(driver)
        await driver.press("G")
        await driver.until(lambda: "marker4999 " in driver.text())
        await driver.press("g")
        await driver.until(lambda: "marker0 " in driver.text())
        await driver.press("colon")
        await driver.type("2500")
        await driver.press("enter")
        await driver.until(lambda: "marker2499 " in driver.text())
        await driver.press("right_square_bracket")
        await driver.until(lambda: driver.view.current_turn == 2_500)
        await driver.press("left_square_bracket")
        await driver.until(lambda: driver.view.current_turn == 2_496)
        await driver.press("m", "a", "G")
        await driver.until(lambda: driver.view.current_turn == 4_999)
        await driver.press("apostrophe", "a")
        await driver.until(lambda: driver.view.current_turn == 2_496)
        await driver.press("colon")
        await driver.type("nonsense")
        await driver.press("enter")
        assert "turn number" in str(driver.main.query_one("#find-note").render())


async def test_finding_inside_the_session(running, location):
    async with running(fill(location, talk(3_000)), size=(100, 30)) as driver:
        await read(driver)
        await driver.press("slash")
        await driver.type("marker123")
        await driver.until(lambda: [*driver.view.hits] == [123, *range(1_230, 1_240)])
        await driver.press("enter")
        await driver.until(lambda: driver.view.has_focus and driver.view.current_turn == 123)
        await driver.press("n")
        await driver.until(lambda: driver.view.current_turn == 1_230)
        await driver.until(lambda: "match 2/11" in driver.lines()[-1])
        await driver.press("N", "N")
        await driver.until(lambda: driver.view.current_turn == 1_239)
        await driver.press("slash", "ctrl+r")
        await driver.type("marker7$|marker8 ")
        await driver.until(lambda: [*driver.view.hits] == [8])


async def test_a_wrong_regular_expression_is_told(running, location):
    async with running(fill(location, talk(10))) as driver:
        await read(driver)
        await driver.press("slash", "ctrl+r", "left_parenthesis")
        await driver.until(
            lambda: "unterminated" in str(driver.main.query_one("#find-note").render())
        )


async def test_folding_keeps_its_place(running, location):
    output = "\n".join(f"output line {n}" for n in range(200))
    turns = [
        *talk(30),
        Turn(role="assistant", blocks=[ToolUse("c", "Bash", {"command": "make"})]),
        Turn(role="tool", blocks=[ToolResult("c", [Text(output)])]),
        *talk(30),
    ]
    async with running(fill(location, turns), size=(100, 30)) as driver:
        await read(driver)
        driver.view.to_turn(31)
        await driver.until(lambda: driver.view.current_turn == 31)
        row = driver.view._rows.index(driver.view.cursor)
        await driver.press("t")
        assert driver.view._rows.index(driver.view.cursor) == row
        assert "output line 5" in driver.text()
        assert "more lines" in driver.text()
        await driver.press("t")
        assert driver.view._rows.index(driver.view.cursor) == row
        assert "output line 15" in driver.text()
        await driver.press("t")
        assert driver.view._rows.index(driver.view.cursor) == row
        assert "output line 5" not in driver.text()


async def test_a_resize_keeps_the_line(running, location):
    long = " ".join(f"word{n}" for n in range(3_000))
    turns = [*talk(20), Turn(role="assistant", blocks=[Text(long)]), *talk(20)]
    async with running(fill(location, turns), size=(120, 30)) as driver:
        await read(driver)
        driver.view.to_turn(20)
        await driver.until(lambda: driver.view.current_turn == 20)
        await driver.press("pagedown", "pagedown")
        place = driver.view.cursor
        words = driver.view.model.line(place)[0].text.split()
        row = driver.view._rows.index(place)
        await driver.pilot.resize_terminal(100, 30)
        await driver.pilot.pause()
        line = driver.view.model.line(driver.view.cursor)[0].text
        assert words[0] in line or words[-1] in line
        assert driver.view._rows.index(driver.view.cursor) == row


async def test_hostile_text_is_harmless(running, location):
    bad = "\x1b]0;owned\x07\x1b[2J[bold]not markup[/bold]\u202eevil\u202c \x9b31m \x00"
    turns = [
        Turn(role="user", blocks=[Text(bad)]),
        Turn(role="assistant", blocks=[ToolUse("x", bad, {bad: bad}), Raw(bad, {"k": bad})]),
        Turn(role="tool", blocks=[ToolResult("x", [Text(bad + "\x1b[31mred\x1b[5n")])]),
    ]
    async with running(fill(location, turns)) as driver:
        await read(driver)
        await driver.press("T", "T")
        text = driver.text()
        assert "[bold]not markup[/bold]" in text
        for character in ("\x1b", "\x07", "\x9b", "\u202e", "\x00"):
            assert character not in text


@pytest.mark.parametrize("newlines", [True, False])
async def test_a_huge_turn_is_windowed(running, location, newlines):
    piece = "lorem ipsum dolor sit amet " + ("\n" if newlines else "")
    big = "BEGIN " + piece * 200_000 + " THEEND"
    turns = [*talk(3), Turn(role="assistant", blocks=[Text(big)])]
    async with running(fill(location, turns), size=(100, 30)) as driver:
        await read(driver)
        driver.view.to_turn(3)
        await driver.until(lambda: "BEGIN" in driver.text())
        laid_out = sum(1 for piece in driver.view.model.page(3) if piece._lines)
        assert laid_out <= 5
        before = driver.view.loader.turns_read
        await driver.pilot.pause(0.3)
        assert driver.view.loader.turns_read == before, "reads the same again and again"
        await driver.press("G")
        await driver.until(lambda: "THEEND" in driver.text())
        laid_out = sum(1 for piece in driver.view.model.page(3) if piece._lines)
        assert laid_out <= 12
        await driver.press("pageup", "pageup", "pagedown")
        assert "lorem ipsum" in driver.text()


async def test_following_and_unread(running, location):
    fill(location, talk(50))
    async with running(location, size=(100, 30)) as driver:
        await read(driver)
        store = open_store(location)
        store.append(SID, [Turn(role="assistant", blocks=[Text("fresh words one")])])
        await driver.until(lambda: "1 new turn (G)" in driver.lines()[-1])
        await driver.press("f")
        await driver.until(lambda: "fresh words one" in driver.text())
        assert "following" in driver.lines()[-1]
        store.append(SID, [Turn(role="assistant", blocks=[Text("fresh words two")])])
        await driver.until(lambda: "fresh words two" in driver.text())
        await driver.press("pageup")
        assert "following" not in driver.lines()[-1]
        store.close()


async def test_new_turns_are_news_though_a_page_brought_them(running, location, monkeypatch):
    told = MainScreen.on_store_changed
    kept = []
    monkeypatch.setattr(MainScreen, "on_store_changed", lambda screen, event: kept.append(event))
    async with running(fill(location, talk(60)), size=(100, 30)) as driver:
        await read(driver)
        view = driver.view
        store = open_store(location)
        store.append(SID, [Turn(role="assistant", blocks=[Text("fresh words")])])
        store.close()
        await driver.until(lambda: kept)
        view.reread()
        await driver.press("pagedown")
        await driver.until(lambda: view._goal is None and view.current_turn > 0)
        told(driver.main, kept[-1])
        await driver.until(lambda: "1 new turn (G)" in driver.lines()[-1])


async def test_who_sees_the_end_goes_on_seeing_it(running, location):
    fill(location, talk(4))
    async with running(location, size=(100, 30)) as driver:
        await read(driver)
        view = driver.view
        await driver.press("j", "j", "j")
        cursor = view.cursor
        store = open_store(location)
        store.append(SID, [Turn(role="assistant", blocks=[Text("fresh words one")])])
        await driver.until(lambda: "fresh words one" in driver.text())
        await driver.until(lambda: "1 new turn" in driver.lines()[-1])
        assert "new below" in driver.text()
        assert view.cursor == cursor, "the cursor stays where one reads"
        assert not view.following
        # More than fits: the end is shown.
        fresh = [Turn(role="user", blocks=[Text(f"fresh number {n}")]) for n in range(90)]
        store.append(SID, fresh)
        await driver.until(lambda: "fresh number 89" in driver.text())
        assert "90 new turns" in driver.lines()[-1]
        await driver.press("k")
        assert "new turns" not in driver.lines()[-1]
        # Who has gone back is left in peace.
        await driver.press("g")
        await driver.until(lambda: view.current_turn == 0 and view._goal is None)
        store.append(SID, [Turn(role="assistant", blocks=[Text("fresh words two")])])
        await driver.until(lambda: "1 new turn (G)" in driver.lines()[-1])
        assert view.current_turn == 0
        store.close()


async def test_many_turns_at_once_are_followed(running, location):
    fill(location, talk(50))
    async with running(location, size=(100, 30)) as driver:
        await read(driver)
        await driver.press("f")
        await driver.until(lambda: driver.view.current_turn == 49)
        store = open_store(location)
        fresh = [Turn(role="user", blocks=[Text(f"fresh number {n}")]) for n in range(400)]
        store.append(SID, fresh)
        store.close()
        await driver.until(lambda: "fresh number 399" in driver.text())
        assert driver.view.following


async def test_what_is_not_found_is_told_until_the_next_key(running, location):
    async with running(fill(location, talk(30)), size=(100, 30)) as driver:
        await read(driver)
        await driver.press("slash")
        await driver.type("zzzz")
        await driver.until(lambda: "not in this session" in driver.lines()[-1])
        await driver.press(*["backspace"] * 4)
        await driver.type("words")
        await driver.until(lambda: "match" in driver.lines()[-1])
        assert "not in this session" not in driver.lines()[-1]
        await driver.type("zzzz")
        await driver.until(lambda: "not in this session" in driver.lines()[-1])
        await driver.press("escape")
        await driver.until(lambda: driver.view.has_focus)
        await driver.press("j")
        assert "not in this session" not in driver.lines()[-1]


async def test_help_begins_with_the_keys_of_the_pane_one_is_in(running, location):
    async with running(fill(location, talk(5)), size=(100, 30)) as driver:
        await read(driver)
        await driver.press("question_mark")
        await driver.until(lambda: driver.app.screen is not driver.main)
        page = str(driver.app.screen.query_one("#help-body").render())
        assert page.index("Transcript\n") < page.index("Search box\n")
        assert "Fold or unfold all" in page


async def test_a_sub_agent_opens_and_escape_returns(running, demo_store):
    async with running(demo_store) as driver:
        await read(driver)
        parent = driver.view.session_id
        await driver.press("O")
        await driver.until(lambda: driver.app.screen is not driver.main)
        await driver.until(lambda: driver.app.screen._complete)
        await driver.type("sub-agent")
        await driver.press("enter")
        await driver.until(lambda: driver.app.screen is driver.main)
        for _ in range(12):
            if driver.view.model.block(driver.view.cursor) >= 0 and "Task" in "".join(
                span.text for span in driver.view.model.line(driver.view.cursor)
            ):
                break
            await driver.press("down")
        await driver.press("enter")
        await driver.until(lambda: driver.view.session_id != parent)
        await driver.press("escape")
        await driver.until(lambda: driver.view.session_id == parent)
        assert driver.view.has_focus


async def test_escape_returns_to_the_card_one_came_from(running, location):
    calls = [ToolUse(f"t{n}", "Task", {"description": f"look at quay {n}"}) for n in range(3)]
    results = [ToolResult(f"t{n}", [Text("seen")], child=f"demo:child{n}") for n in range(3)]
    turns = [
        Turn(role="assistant", blocks=[Text("Three of them.\n\n" * 9), *calls]),
        *[Turn(role="tool", blocks=[result]) for result in results],
    ]
    fill(location, talk(5), "demo:child1")
    fill(location, [*talk(60), *turns, *talk(60)])
    async with running(location, size=(100, 30)) as driver:
        await read(driver)
        if driver.view.session_id != SID:
            await driver.press("escape", "down", "enter")
        await driver.until(lambda: driver.view.model.total == 124)
        driver.view.to_turn(60)
        await driver.until(lambda: "look at quay 1" in driver.text())
        while "look at quay 1" not in plain(driver.view.model.line(driver.view.cursor)):
            await driver.press("j")
        card = driver.view.cursor
        await driver.press("enter")
        await driver.until(lambda: driver.view.session_id == "demo:child1")
        await driver.press("escape")
        await driver.until(lambda: driver.view.session_id == SID)
        assert driver.view.cursor == card


async def test_matches_go_with_the_search_that_found_them(running, location):
    async with running(fill(location, talk(30)), size=(140, 40)) as driver:
        await driver.type("marker7")
        await driver.settled()
        await driver.until(lambda: "match 1/1" in driver.lines()[-1])
        await driver.press("escape")
        await driver.until(lambda: not driver.main.box.value)
        await driver.until(lambda: "match" not in driver.lines()[-1])
        assert not driver.view.highlight


async def test_copying(running, demo_store):
    taken = []
    async with running(demo_store) as driver:
        driver.app.copy_to_clipboard = taken.append
        await read(driver)
        await driver.press("y")
        await driver.until(lambda: taken)
        assert taken[-1].startswith("Payments fail when the gateway answers 503.")
        await driver.press("v", "down", "y")
        await driver.until(lambda: len(taken) == 2)
        assert "Payments fail" in taken[-1]
        await asyncio.sleep(0)


async def test_the_place_is_remembered(running, location):
    fill(location, talk(400))
    fill(location, talk(5), "demo:other")
    async with running(location, size=(140, 40)) as driver:
        await driver.until(lambda: driver.list.selected is not None)
        start = driver.view.session_id
        await read(driver)
        if driver.view.model.total != 400:
            await driver.press("escape", "down", "enter")
            await driver.until(lambda: driver.view.model.total == 400)
            start = driver.view.session_id
        driver.view.to_turn(200)
        await driver.until(lambda: driver.view.current_turn == 200)
        await driver.press("escape", "down", "up", "up", "down")
        await driver.press("g")
        await driver.settled()
        await driver.press("G")
        await driver.settled()
        for key in ("g", "G"):
            await driver.press(key)
            await driver.settled()
            if driver.view.session_id == start:
                break
        assert driver.view.current_turn == 200
