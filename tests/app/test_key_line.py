"""The key line: whole keys only, Help always, drawn when the keys change and not otherwise."""

from __future__ import annotations

from sparrow_tui.app.screens.dashboard import DashboardScreen
from sparrow_tui.app.screens.help import HelpScreen
from sparrow_tui.app.widgets.key_line import GAP, KeyLine

WIDTHS = (40, 60, 79, 80, 81, 100, 140, 200)


def shown(line: KeyLine) -> str:
    return "".join(segment.text for segment in line.render_line(0))


def check(driver, help_key: str, useful: str) -> None:
    """At all widths: nothing cut, Help at the end, the most useful keys before."""
    line = driver.app.screen.query_one(KeyLine)
    whole = {f"{key.display} {key.description}" for key in line._keys}
    for width in WIDTHS:
        (strip,) = line.draw(width, 1)
        assert strip.cell_length == width
        assert strip.text.rstrip().endswith(f" {help_key} Help")
        found = {piece.strip() for piece in strip.text.split(" " * GAP) if piece.strip()}
        assert found <= whole
        assert useful in strip.text


async def test_whole_keys_at_every_width_in_every_pane(running, demo_store):
    async with running(demo_store) as driver:
        check(driver, "F1", "Enter Read")
        await driver.press("escape")
        await driver.until(lambda: driver.list.has_focus)
        await driver.until(lambda: "/ Search" in shown(driver.app.screen.query_one(KeyLine)))
        check(driver, "?", "/ Search")
        await driver.press("enter")
        await driver.until(lambda: "Open" in shown(driver.app.screen.query_one(KeyLine)))
        check(driver, "?", "Enter Open")
        assert "Esc Back" in driver.app.screen.query_one(KeyLine).draw(80, 1)[0].text
        await driver.press("escape", "D")
        await driver.until(lambda: isinstance(driver.app.screen, DashboardScreen))
        await driver.until(lambda: "Point" in shown(driver.app.screen.query_one(KeyLine)))
        check(driver, "?", "Enter Sessions")


async def test_it_is_drawn_when_keys_change_only(running, demo_store):
    async with running(demo_store) as driver:
        line = driver.app.screen.query_one(KeyLine)
        before = line.draws
        await driver.type("gateway")
        await driver.settled()
        await driver.press("down")
        await driver.settled()
        assert line.draws == before
        await driver.press("escape", "escape")
        await driver.until(lambda: driver.list.has_focus)
        await driver.until(lambda: "/ Search" in shown(line))
        assert line.draws <= before + 2


async def test_a_click_presses_the_key(running, demo_store):
    async with running(demo_store) as driver:
        line = driver.app.screen.query_one(KeyLine)
        end = line.size.width - 2
        await driver.pilot.click(KeyLine, offset=(end, 0))
        await driver.until(lambda: isinstance(driver.app.screen, HelpScreen))


async def test_a_place_to_go_to_has_its_own_keys(running, demo_store):
    async with running(demo_store) as driver:
        line = driver.app.screen.query_one(KeyLine)
        await driver.press("escape", "enter")
        await driver.until(lambda: driver.view.has_focus)
        for key, own in ((":", ()), ("/", ("Regular expression", "Next match"))):
            await driver.press(key)
            await driver.until(lambda: "Go" in shown(line))
            for words in ("Enter Go", "Esc Close", "F1 Help", *own):
                assert words in shown(line)
            for filtering in ("Agent", "Here", "Date", "Group", "Save"):
                assert filtering not in shown(line)
            await driver.press("f2")
            assert driver.main.box.value == ""
            await driver.press("escape")
            await driver.until(lambda: "O Outline" in shown(line))
