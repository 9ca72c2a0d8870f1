"""The package as people install it: wheel, anywhere, and editable."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STYLE = "print(__import__('sparrow_tui.paths').paths.stylesheet().read_text()[:200])"


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A directory with the wheel's content, as pip would lay it out."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    target = folder / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def run(arguments: list[str], path: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(path), "PYTHONSAFEPATH": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=env, capture_output=True, text=True, timeout=120
    )


def test_the_wheel_ships_what_the_app_needs(installed):
    assert (installed / "sparrow_tui" / "styles.tcss").is_file()
    assert not list(installed.glob("tests*"))
    names = {path.name for path in installed.iterdir()}
    assert {name for name in names if not name.startswith("sparrow_tui-")} == {"sparrow_tui"}


def test_the_app_runs_from_the_wheel_outside_the_checkout(installed, tmp_path):
    script = f"""
import asyncio, sparrow_tui
assert sparrow_tui.__file__.startswith({str(installed)!r}), sparrow_tui.__file__
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
    done = run(["-c", script], installed, tmp_path)
    assert done.stdout.strip().endswith("it ran"), done.stderr


def test_commands_run_from_the_wheel(installed, tmp_path):
    done = run(["-m", "sparrow_tui", "--version"], installed, tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("sparrow-tui ")
    done = run(["-m", "sparrow_tui", "list", "--json"], installed, tmp_path)
    assert done.returncode == 0, done.stderr


def test_the_checkout_finds_its_own_style(tmp_path):
    done = run(["-c", STYLE], ROOT, tmp_path)
    assert done.returncode == 0
    assert "Layout and colour" in done.stdout
