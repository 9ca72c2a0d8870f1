"""The installed command in a real terminal: start, type, read, quit."""

from __future__ import annotations

import os
import signal
import sys
import sysconfig
import time
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("needs a pseudo-terminal", allow_module_level=True)

from driver import WAIT, Terminal

CONTROL_Q = "\x11"


def command() -> list[str]:
    """The installed ``sparrow-tui``; the module where it is not installed."""
    script = Path(sysconfig.get_path("scripts")) / "sparrow-tui"
    return [str(script)] if script.exists() else [sys.executable, "-m", "sparrow_tui"]


@pytest.fixture
def terminal(private_home):
    opened = []

    def start(*arguments: str, columns: int = 140, rows: int = 40) -> Terminal:
        env = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
        env |= {"HOME": str(private_home), "PYTHONPATH": str(Path(__file__).parents[2])}
        started = Terminal(
            [*command(), *arguments], columns=columns, rows=rows, env=env, cwd=str(private_home)
        )
        opened.append(started)
        return started

    yield start
    for one in opened:
        one.close()


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (140, 40)])
def test_start_type_read_quit(terminal, columns, rows):
    screen = terminal("--demo", columns=columns, rows=rows)
    screen.until(lambda text: "Retry with backoff" in text, "the list")
    screen.until(lambda text: "15 sessions" in text, "the number of sessions")
    screen.press("strasse")
    screen.until(lambda text: "in 1 session" in text, "the results")
    screen.until(lambda text: "Strasse oder Straße" in text, "the session")
    screen.press("\r")
    screen.until(lambda text: "match 1/" in text, "the transcript at the match")
    screen.press("\x1b")
    screen.until(lambda text: "Enter Read" in text, "the list's keys")
    screen.press(CONTROL_Q)
    assert screen.ended() == 0
    assert screen.left_clean() == []
    assert "Traceback" not in screen.raw.decode("utf-8", "replace")


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (140, 40)])
def test_an_empty_home_is_told_where_was_looked(terminal, columns, rows):
    screen = terminal(columns=columns, rows=rows)
    screen.until(lambda text: "No sessions found" in text, "the first page")
    for said in ("~/.claude/projects", "~/.codex/sessions", "demo library", "PATH…"):
        assert said in screen.text
    screen.press("d")
    screen.until(lambda text: "Retry with backoff" in text, "the demo library")
    screen.press(CONTROL_Q)
    assert screen.ended() == 0
    assert screen.left_clean() == []


def test_what_is_typed_on_the_first_page_is_not_lost(terminal):
    screen = terminal()
    screen.until(lambda text: "No sessions found" in text, "the first page")
    screen.press("/needle")
    screen.until(lambda text: "◆ needle" in text, "the text in the search box")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_the_terminal_clean(terminal, number):
    screen = terminal("--demo")
    screen.until(lambda text: "Retry with backoff" in text, "the list")
    screen.process.send_signal(number)
    assert screen.ended() == 128 + number
    assert screen.left_clean() == []


def test_it_ends_with_its_terminal_though_no_signal_tells(terminal):
    screen = terminal("--demo")
    screen.until(lambda text: "15 sessions" in text, "the number of sessions")
    screen.hang_up()
    screen.process.wait(WAIT)


def test_it_ends_with_a_terminal_that_takes_no_more(terminal):
    screen = terminal("--demo")
    screen.until(lambda text: "15 sessions" in text, "the number of sessions")
    screen.press("\t")
    for _ in range(300):  # nobody reads the frames these bring
        screen.press("jk")
        time.sleep(0.005)
    screen.hang_up()
    screen.process.wait(WAIT)


def test_a_fast_burst_of_keys_arrives_in_order(terminal):
    screen = terminal("--demo")
    screen.until(lambda text: "15 sessions" in text, "the list")
    typed = "the quick brown fox jumps over it"
    screen.press(typed)
    screen.until(lambda text: typed in text, "what was typed")
