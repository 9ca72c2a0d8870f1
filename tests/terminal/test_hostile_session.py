"""A session that tries to act on the terminal, in a real one: the bytes written are looked at."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("needs a pseudo-terminal", allow_module_level=True)

from driver import Terminal

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

BAD = (
    "\x1b]0;PWNEDTITLE\x07\x1b]52;c;UFdORUQ=\x07\x1b[5n\x1b[6n\x1b[?1049l\x1b[2J\x1b[31mtinted"
    "\x1bP+q544e\x1b\\\x9b31mc1\x9d0;c1title\x9c\u202eevil\u2066\x7f\x00\x08\u200b"
    "[bold]not markup[/bold] [link=https://x.test]l[/link] [/] [@click=app.quit]q[/] "
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 e\u0301 a" + "\u0300" * 40 + " שלום 日本語"
)
FORBIDDEN = (
    b"\x1b]0;", b"\x1b]52;", b"\x1b[5n", b"\x1b[6n", b"\x1bP+q",
    "\x9b".encode(), "\x9d".encode(), "\u202e".encode(), "\u2066".encode(), "\u200b".encode(),
    b"\x00", b"\x7f",
)  # fmt: skip


def hostile_store(location: str) -> None:
    blocks = [
        Text(BAD), Reasoning(BAD), Text(f"```{BAD}\n{BAD}\n```\n| {BAD} | b |\n|---|---|\n| 1 | 2 |"),
        ToolUse("u", BAD, {BAD: [BAD, {BAD: BAD}], "command": BAD}),
        ToolUse("e", "Edit", {"file_path": BAD, "old_string": BAD, "new_string": BAD + "x"}),
        Raw(BAD, {"k": BAD}), Image(BAD, url=BAD), Notice("info", BAD), Notice(BAD, BAD + "\n" + BAD),
    ]  # fmt: skip
    turns = [
        Turn(role="user", blocks=[Text(BAD)]),
        Turn(role="assistant", blocks=blocks, model=BAD),
        Turn(role="tool", blocks=[ToolResult("u", [Text(BAD), Raw(BAD, BAD)], is_error=True)]),
        Turn(role="tool", blocks=[ToolResult("e", [Text('{"k": "' + "y" * 1_000_000 + '"}')])]),
        Turn(role=BAD, blocks=[Text("z" * 1_000_000 + " LASTWORD")]),
    ]
    store = open_store(location)
    info = SessionInfo(id="claude:bad", title=BAD, project=BAD, branch=BAD, model=BAD, created_at=1)
    store.write([Prepared(session=info, start=0, rows=rows(turns))])
    store.close()


def opened(location: str, home: Path, columns: int, rows: int) -> Terminal:
    """The app on a store, in a terminal of a size."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    env |= {"HOME": str(home), "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "sparrow_tui", "--store", location, "--no-sync"]
    return Terminal(command, columns=columns, rows=rows, env=env, cwd=str(home))


def test_columns_stay_where_they_are_however_wide_emoji_are(private_home, location):
    # To this terminal joined emoji are as wide as all of them, a flag as two letters.
    odd = "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea 1\ufe0f\u20e3 \u260e\ufe0f \u1112\u1161\u11ab"
    turns = [Turn(role="user", blocks=[Text(f"{odd} said {n}")]) for n in range(60)]
    store = open_store(location)
    info = SessionInfo(id="claude:odd", title=f"{odd} title", project="/srv/x", created_at=1)
    store.write([Prepared(session=info, start=0, rows=rows(turns))])
    store.close()
    screen = opened(location, private_home, 140, 40)

    def columns_of(sign: str) -> set[int]:
        rows = [screen.screen.buffer[y] for y in range(5, 37)]
        return {x for row in rows for x in range(70, 140) if row[x].data == sign}

    try:
        screen.until(lambda text: "1 session" in text, "the list")
        screen.press("\r")
        screen.until(lambda text: "turn 1 of 60" in text, "the transcript")
        for _ in range(4):
            screen.press(" ")
            screen.read(0.2)
            screen.until(lambda _: columns_of("▐") == {138, 139}, "minimap and scrollbar")
        screen.press("\x1b")
        screen.read(0.5)
        screen.press("i")
        screen.until(lambda text: "Turns" in text, "about the session")
        screen.until(lambda _: len(columns_of("│")) == 1, "a straight edge")
        screen.until(lambda _: columns_of("▐") <= {138, 139}, "minimap and scrollbar")
        screen.press("\x1bq")
    finally:
        screen.close()


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (140, 40)])
def test_no_escape_of_a_transcript_reaches_the_terminal(private_home, location, columns, rows):
    hostile_store(location)
    screen = opened(location, private_home, columns, rows)
    try:
        screen.until(lambda text: "1 session" in text, "the list")
        screen.press("\r")
        screen.until(lambda text: "turn 1 of 5" in text, "the transcript")
        started = len(screen.raw)
        screen.press("r")
        screen.press("T")
        screen.until(lambda text: "all previewed" in text, "previews")
        screen.press("T")
        screen.until(lambda text: "all open" in text, "everything")
        for _ in range(12):
            screen.press(" ")
            screen.read(0.1)
        screen.press("G")
        screen.until(lambda text: "LASTWORD" in text, "the end")
        written = bytes(screen.raw[started:])
        assert [bad for bad in FORBIDDEN if bad in written] == []
        assert b"[bold]not markup[/bold]" in bytes(screen.raw)
        screen.press("q")
        assert screen.ended() == 0
        assert screen.left_clean() == []
    finally:
        screen.close()
