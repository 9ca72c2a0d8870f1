"""The package as people install it: from a wheel, anywhere, and editable."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A directory into which pip has put the wheel; nothing is fetched."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    target = folder / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*pip, "--target", str(target), str(wheel)], check=True, capture_output=True)
    return target


@pytest.fixture
def editable(tmp_path) -> str:
    """Code that makes the checkout importable the way an editable install does."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "_sparrow_tui.pth").write_text(f"{ROOT}\n")
    return f"import site; site.addsitedir({str(site)!r})\n"


def environment(path: Path | None) -> dict[str, str]:
    """Variables of a process that sees the package in one place only."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    env.pop("PYTHONPATH", None)
    if path is not None:
        env["PYTHONPATH"] = str(path)
    return {**env, "PYTHONSAFEPATH": "1"}


def run(arguments: list[str], path: Path | None, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=environment(path),
        capture_output=True,
        text=True,
        timeout=120,
    )


SCRIPT = """
import asyncio, sparrow_tui
assert sparrow_tui.__file__.startswith({where!r}), sparrow_tui.__file__
from sparrow_tui.cli.app import fill_demo
from sparrow_tui.app.app import SparrowApp
from sparrow_tui.settings import Settings
fill_demo("demo.db")
async def main():
    app = SparrowApp("demo.db", sync=False, settings=Settings())
    async with app.run_test(size=(120, 30)) as pilot:
        for _ in range(500):
            await pilot.pause(0.02)
            if len(app.main.sessions.sids) == 15:
                break
        assert len(app.main.sessions.sids) == 15
        assert app.main.box.styles.border_top[0] == ""
        assert app.main.query_one("#top").styles.border_top[0] == "round"
asyncio.run(main())
print("it ran")
"""


def test_the_wheel_ships_what_the_app_needs_and_no_more(installed):
    assert (installed / "sparrow_tui" / "styles.tcss").is_file()
    names = {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")}
    assert names == {"sparrow_tui", "bin"}


def test_the_app_runs_from_the_wheel_outside_the_checkout(installed, tmp_path):
    done = run(["-c", SCRIPT.format(where=str(installed))], installed, tmp_path)
    assert done.stdout.strip().endswith("it ran"), done.stderr


def test_the_app_runs_from_an_editable_install(editable, tmp_path):
    done = run(["-c", editable + SCRIPT.format(where=str(ROOT))], None, tmp_path)
    assert done.stdout.strip().endswith("it ran"), done.stderr


def test_commands_run_from_the_wheel(installed, tmp_path):
    done = run(["-m", "sparrow_tui", "--version"], installed, tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("sparrow-tui ")
    done = run(["-m", "sparrow_tui", "list", "--json"], installed, tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_the_command_starts_and_paints_its_styles(installed, tmp_path):
    from sparrow_tui.app.themes import PALETTES
    from tests.terminal.driver import Terminal

    script = [sys.executable, str(installed / "bin" / "sparrow-tui"), "--demo"]
    cwd = tmp_path / "elsewhere"
    cwd.mkdir()
    screen = Terminal(script, columns=100, rows=30, env=environment(installed), cwd=str(cwd))
    try:
        screen.until(lambda text: "15 sessions" in text, "the list")
        assert screen.text.startswith("╭"), "the search line has a round border"
        prompt = next(cell for cell in screen.screen.buffer[1].values() if cell.data == "◆")
        wanted = PALETTES["captain"]["brand"].lstrip("#")
        pairs = zip(bytes.fromhex(prompt.fg), bytes.fromhex(wanted), strict=True)
        assert all(abs(shown - meant) <= 1 for shown, meant in pairs), (prompt.fg, wanted)
        screen.press("\x11")
        assert screen.ended() == 0
    finally:
        screen.close()
