"""Going on with a session in its agent: the command, what is refused, and that no shell runs."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sparrow_tui.agents.base import Batch
from sparrow_tui.agents.registry import agents
from sparrow_tui.cli import main
from sparrow_tui.model import SessionInfo, Text, Turn
from sparrow_tui.resume import CannotResume, Command, command, execute
from sparrow_tui.store.base import Session
from sparrow_tui.store.prepared import prepare
from sparrow_tui.store.sqlite import SqliteStore

ODD = "my project; touch owned $(touch owned) 'x'"


def session(ident: str = "claude:abc", project: str | None = "/p", **facts: Any) -> Session:
    return Session(sid=1, id=ident, agent=ident.partition(":")[0], project=project, **facts)


def made(found: Session, *, program: str | None = "/bin/it", there: bool = True) -> Command:
    return command(found, which=lambda name: program, is_directory=lambda path: there)


def test_the_command_and_how_it_is_shown() -> None:
    chosen = made(session(project=f"/home/a/{ODD}"))
    assert chosen.argv == ("claude", "--resume", "abc")
    assert chosen.display == "claude --resume abc"
    assert shlex.split(chosen.line) == ["cd", f"/home/a/{ODD}", "&&", "claude", "--resume", "abc"]
    assert (chosen.problem, chosen.warning, chosen.program) == ("", "", "/bin/it")


def test_every_agent_has_a_command_or_a_reason() -> None:
    reasons = {}
    for name, agent in agents().items():
        try:
            chosen = made(session(f"{name}:abc"))
        except CannotResume as error:
            reasons[name] = str(error)
        else:
            assert "abc" in " ".join(chosen.argv), agent.label
    assert len(reasons) < len(agents()) / 2
    assert all(len(reason) > 20 and "\n" not in reason for reason in reasons.values())


def test_a_subagent_is_resumed_with_its_parent_or_not_at_all() -> None:
    child = session("claude:abc/agent-1", parent="claude:abc")
    assert made(child).argv == ("claude", "--resume", "abc")
    with pytest.raises(CannotResume, match=r"sub-agent.*droid:abc"):
        made(session("droid:x", parent="droid:abc"))


@pytest.mark.parametrize(
    "found",
    [
        session("claude:--dangerously-skip-permissions"),
        session("claude:x/agent-1", parent="claude:-x"),
        session("claude:a\x1b[2Jb"),
        session("claude:a\nb"),
        session("claude:a\u202eb"),
        session("claude:"),
        session(project="/p\x00/x"),
        session(project="relative/path"),
        session(project="-p"),
        session("nobody:abc"),
        session(ghost=True),
    ],
)
def test_what_could_mean_something_else_is_refused(found: Session) -> None:
    with pytest.raises(CannotResume):
        made(found)


def test_what_is_missing_is_said() -> None:
    assert made(session(), program=None).problem == "claude is not installed, or not on the PATH"
    assert "/p, is not there" in made(session(), there=False).problem
    assert "restore" in made(session(source_gone=True)).warning
    with pytest.raises(CannotResume, match="not there"):
        execute(made(session(), there=False))


@pytest.fixture
def filled(store: SqliteStore, location: str, tmp_path: Path) -> str:
    project = tmp_path / ODD
    project.mkdir()
    for ident, where in (
        ("claude:abc", project),
        ("codex:gone", tmp_path / "no"),
        ("aider:x", project),
    ):
        info = SessionInfo(id=ident, project=str(where), title="t", updated_at=1)
        turns = [Turn(role="user", blocks=[Text("hi")])]
        store.write([prepare(Batch(session=info, turns=turns, fresh=True))])
    return location


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A directory with agents that tell how they were called."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("claude", "codex"):
        path = folder / name
        path.write_text(
            f"#!{sys.executable}\nimport json, os, sys\n"
            "print(json.dumps([sys.argv[1:], os.getcwd()]))\nsys.exit(7)\n"
        )
        path.chmod(0o755)
    return folder


def run(location: str, *arguments: str, path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sparrow_tui", "resume", "--store", location, "--no-sync", *arguments],
        env={**os.environ, "PATH": path, "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="programs are scripts here")
def test_the_agent_takes_over(filled: str, programs: Path, tmp_path: Path) -> None:
    done = run(filled, "abc", "--yes", path=str(programs))
    assert json.loads(done.stdout) == [["--resume", "abc"], str(tmp_path / ODD)]
    assert done.returncode == 7
    assert "claude --resume abc" in done.stderr
    assert list((tmp_path / ODD).iterdir()) == []
    assert not (tmp_path / "owned").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="programs are scripts here")
def test_no_program_of_the_project_is_run(filled: str, programs: Path, tmp_path: Path) -> None:
    trap = tmp_path / ODD / "claude"
    trap.write_text("#!/bin/sh\necho trapped\n")
    trap.chmod(0o755)
    done = run(filled, "abc", "--yes", path=f".:{programs}")
    assert "trapped" not in done.stdout
    assert json.loads(done.stdout)[0] == ["--resume", "abc"]


def test_it_asks_first(filled: str, programs: Path) -> None:
    done = run(filled, "abc", path=str(programs))
    assert done.returncode == 2
    assert done.stdout == ""
    assert "--yes" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["abc", "--yes"], "claude is not installed"),
        (["codex:gone", "--yes"], "codex is not installed"),
        (["aider:x", "--yes"], "aider keeps one history"),
        (["nothing", "--yes"], "there is no session"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    filled: str, arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("PATH", "")
    assert main(["resume", "--store", filled, "--no-sync", *arguments]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert sentence in said.err
    assert said.err.count("\n") == 1


def test_a_missing_directory_is_one_sentence(
    filled: str, programs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(programs))
    assert main(["resume", "--store", filled, "--no-sync", "codex:gone", "--yes"]) == 1
    assert "no, is not there" in capsys.readouterr().err


def test_printing_does_nothing_else(
    filled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    assert main(["resume", "--store", filled, "--no-sync", "abc", "--print"]) == 0
    said = capsys.readouterr()
    assert shlex.split(said.out)[:3] == ["cd", str(tmp_path / ODD), "&&"]
    assert "not installed" in said.err
