"""Taking a session away from the app: copying, exporting, other programs, its agent, pictures."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import stat
from pathlib import Path

import pytest

from sparrow_tui.model import Image, SessionInfo, Text, ToolResult, ToolUse, Turn
from sparrow_tui.store import open_store
from sparrow_tui.store.prepared import Prepared, rows

SID = "claude:11111111-2222-4333-8444-555555555555"
SECRET = "ghp_" + "a1B2c3D4" * 4 + "e5F6"


def png() -> str:
    """A small picture."""
    import PIL.Image

    file = io.BytesIO()
    PIL.Image.new("RGB", (8, 6), "orange").save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


@pytest.fixture
def filled(location: str, tmp_path: Path) -> str:
    turns = [
        Turn(role="user", blocks=[Text(f"Mend the net, token {SECRET}")]),
        Turn(
            role="assistant",
            model="m",
            blocks=[
                Text("Two ways:\n\n```python\nnet.mend()\n```\n\nor\n\n```sh\nmake net\n```"),
                ToolUse("c1", "Bash", {"command": "make net\nmake test"}),
            ],
        ),
        Turn(role="tool", blocks=[ToolResult("c1", [Text("ok\x1b[31m red\x1b[0m\n5 passed")])]),
        Turn(role="assistant", model="m", blocks=[Image("image/png", data=png(), size=70)]),
    ]
    store = open_store(location)
    info = SessionInfo(id=SID, title="Nets", created_at=1, project=str(tmp_path))
    store.write([Prepared(session=info, start=0, rows=rows(turns))])
    store.close()
    return location


async def read(driver) -> None:
    await driver.press("escape", "enter")
    await driver.until(lambda: driver.view.has_focus)
    await driver.settled()


def told(driver) -> str:
    """What the app has notified of."""
    return "\n".join(str(note.message) for note in driver.app._notifications)


def cursor_on(driver, words: str) -> None:
    """Put the cursor on the line that shows something."""
    view = driver.view
    for place in view._rows:
        if words in "".join(span.text for span in view.model.line(place)):
            view.cursor = place
            view.redraw()
            return
    raise AssertionError(f"{words} is not on screen:\n{driver.text()}")


async def test_copying_what_is_under_the_cursor(running, filled):
    taken: list[str] = []
    async with running(filled) as driver:
        driver.app.copy_to_clipboard = taken.append
        await read(driver)
        for words, key, wanted in (
            ("Mend the net", "y", f"Mend the net, token {SECRET}"),
            ("make net", "C", "make net"),
            ("net.mend()", "C", "net.mend()"),
            ("Bash", "y", "make net\nmake test"),
            ("2 lines", "y", "ok red\n5 passed"),
            ("2 lines", "Y", "ok red\n5 passed"),
        ):
            cursor_on(driver, words)
            await driver.press(key)
            await driver.until(lambda: taken)
            assert taken.pop() == wanted, words
            await driver.until(lambda: "copied" in driver.lines()[-1])
        await driver.press("U")
        await driver.until(lambda: taken)
        assert "claude --resume 11111111-2222-4333-8444-555555555555" in taken[-1]


async def test_exporting_to_a_file(running, filled, tmp_path):
    async with running(filled) as driver:
        await read(driver)
        for name, holds in (
            ("out.md", "Mend the net"),
            ("out.html", "<!DOCTYPE html>"),
            ("out.json", '"schema"'),
        ):
            path = tmp_path / name
            await driver.press("w")
            await driver.until(lambda: driver.app.screen is not driver.main)
            field = driver.app.screen.query_one("Input")
            field.value = f"{path} redact"
            await driver.press("enter")
            await driver.until(path.exists)
            await driver.until(lambda path=path: f"written to {path}" in told(driver))
            written = path.read_text()
            assert holds.lower() in written.lower()
            assert SECRET not in written
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert "redacted" in told(driver) or "hidden" in told(driver) or "1 " in told(driver)
        await driver.press("w")
        await driver.until(lambda: driver.app.screen is not driver.main)
        driver.app.screen.query_one("Input").value = str(tmp_path / "out.docx")
        await driver.press("enter")
        await driver.until(lambda: "must end in" in told(driver))
        assert not (tmp_path / "out.docx").exists()


@pytest.mark.parametrize(("key", "name"), [("P", "PAGER"), ("E", "EDITOR")])
async def test_reading_in_another_program(running, filled, tmp_path, monkeypatch, key, name):
    given = tmp_path / "given"
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\nshift\necho "$1" > {given}.path\ncp "$1" {given}\n')
    program.chmod(0o700)
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv(name, f"{program} --flag")
    async with running(filled) as driver:
        driver.app.suspend = contextlib.nullcontext
        await read(driver)
        await driver.press(key)
        await driver.until(given.exists)
        await driver.until(lambda: "Mend the net" in given.read_text())
        copy = Path((tmp_path / "given.path").read_text().strip())
        await driver.until(lambda: not copy.exists() and not copy.parent.exists())
        await driver.until(lambda: "Mend the net" in driver.text())


async def test_a_program_that_is_not_there_is_told(running, filled, monkeypatch):
    monkeypatch.setenv("PAGER", "no-such-pager-anywhere")
    async with running(filled) as driver:
        await read(driver)
        await driver.press("P")
        await driver.until(lambda: "no-such-pager-anywhere is not installed" in told(driver))


async def test_resuming_is_shown_and_confirmed(running, filled, tmp_path, monkeypatch):
    program = tmp_path / "bin" / "claude"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    left: list[object] = []
    async with running(filled) as driver:
        monkeypatch.setattr(driver.app, "leave_for", left.append)
        await read(driver)
        await driver.press("R")
        await driver.until(lambda: driver.app.screen is not driver.main)
        shown = "\n".join(str(w.render()) for w in driver.app.screen.query("Static"))
        assert "claude --resume 11111111-2222-4333-8444-555555555555" in shown
        assert str(tmp_path) in shown
        await driver.press("escape")
        await driver.until(lambda: driver.app.screen is driver.main)
        assert not left
        await driver.press("R")
        await driver.until(lambda: driver.app.screen is not driver.main)
        await driver.press("y")
        await driver.until(lambda: left)
        assert left[0].argv[-2:] == ("--resume", "11111111-2222-4333-8444-555555555555")
        assert left[0].directory == str(tmp_path)


async def test_a_picture_opens_and_closes(running, filled):
    async with running(filled) as driver:
        await read(driver)
        cursor_on(driver, "image/png")
        await driver.press("o")
        await driver.until(lambda: driver.app.screen is not driver.main)
        await driver.until(lambda: driver.app.screen.query("#picture"))
        assert "8×6" in "".join(str(w.render()) for w in driver.app.screen.query("Static"))
        await driver.press("escape")
        await driver.until(lambda: driver.app.screen is driver.main)
        cursor_on(driver, "Mend the net")
        await driver.press("o")
        await driver.until(lambda: "no picture" in driver.lines()[-1])


async def test_the_picture_under_the_cursor_opens(running, location):
    pictures = [Image(f"image/x-{n}", data=png(), size=70) for n in range(5)]
    turns = [
        Turn(role="user", blocks=[Text("Look"), *pictures[:3]]),
        Turn(role="tool", blocks=[ToolResult("c", [Text("seen"), *pictures[3:]])]),
    ]
    store = open_store(location)
    store.write([Prepared(session=SessionInfo(id=SID, created_at=1), start=0, rows=rows(turns))])
    store.close()
    async with running(location) as driver:
        await read(driver)
        wanted: list[Image] = []
        post = driver.view.post_message

        def take(message):
            if isinstance(message, driver.view.PictureWanted):
                wanted.append(message.image)
                return True
            return post(message)

        driver.view.post_message = take
        for name in ("Look", "x-0", "x-1", "x-2", "seen", "x-3", "x-4"):
            cursor_on(driver, name)
            driver.view.action_picture()
        assert [image.media_type[-1] for image in wanted] == list("0012334")


def test_json_of_an_export_is_json(filled, tmp_path, capsys):
    from sparrow_tui.cli import main

    path = tmp_path / "out.json"
    asked = ["export", SID, "--format", "json", "-o", str(path), "--store", filled, "--no-sync"]
    assert main(asked) == 0
    assert len(json.loads(path.read_text())["turns"]) == 4
