"""``sparrow-tui restore``: a kept session as its agent's own file, which says the same again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sparrow_tui.cli import main
from sparrow_tui.model import Notice, Reasoning, Text, ToolResult, ToolUse, Turn, Usage
from sparrow_tui.store import open_store
from tests.on_disk import claude_file, codex_file, native

Said = pytest.CaptureFixture[str]
AT = 1_764_576_000_000


def content(location: str, session: str) -> list[Any]:
    store = open_store(location)
    try:
        return [(turn.role, turn.blocks, turn.time) for turn in store.turns(session)]
    finally:
        store.close()


def facts(location: str, session: str) -> tuple[Any, ...]:
    store = open_store(location)
    try:
        found = store.load(session)
        assert found is not None
        return (
            found.title,
            found.project,
            found.branch,
            found.model,
            found.usage,
            found.source_gone,
        )
    finally:
        store.close()


@pytest.mark.parametrize("agent", ["claude", "codex"])
def test_what_was_deleted_comes_back_the_same(
    private_home: Path, location: str, tmp_path: Path, capsys: Said, agent: str
) -> None:
    said = ("mend the net", "mended", "and the other", "that too")
    made = (
        claude_file(private_home, 1, *said).path
        if agent == "claude"
        else codex_file(private_home, 1, *said)
    )
    session = f"{agent}:{native(1)}"
    assert main(["sync", "--store", location]) == 0
    before, known = content(location, session), facts(location, session)
    assert main(["restore", session, "--store", location]) == 1, "it is still there"
    assert "exists" in capsys.readouterr().err
    made.unlink()
    assert main(["sync", "--store", location]) == 0
    assert facts(location, session)[-1], "it is marked"
    capsys.readouterr()
    assert main(["restore", session, "--store", location]) == 0
    path = Path(capsys.readouterr().out.strip())
    assert path.is_relative_to(private_home / f".{agent}")
    assert path.stat().st_mode & 0o777 == 0o600
    other = str(tmp_path / "other.db")
    assert main(["sync", "--store", other]) == 0
    assert content(other, session) == before
    assert facts(other, session) == known
    assert main(["sync", "--store", location]) == 0
    assert content(location, session) == before
    assert not facts(location, session)[-1]


TURNS = [
    Turn(role="system", blocks=[Notice("command", "/review 12")], time=AT),
    Turn(role="user", blocks=[Text("mend the net")], time=AT + 1000),
    Turn(role="assistant", time=AT + 2000, model="claude-sonnet-4-5", usage=Usage(3, 4, 5, 6),
         blocks=[Reasoning("hm"), Text("I look"), ToolUse("c1", "Bash", {"command": "ls"})]),
    Turn(role="tool", time=AT + 3000,
         blocks=[ToolResult("c1", [Text("boat")], is_error=True, duration_ms=70)]),
    Turn(role="system", blocks=[Notice("interruption", "Request interrupted by user")], time=AT + 4000),
]  # fmt: skip


def test_every_kind_of_block_comes_back(private_home: Path, location: str, tmp_path: Path) -> None:
    session = f"claude:{native(7)}"
    store = open_store(location)
    store.save(session, TURNS)
    store.close()
    assert main(["restore", session, "--store", location]) == 0
    other = str(tmp_path / "other.db")
    assert main(["sync", "--store", other]) == 0
    assert content(other, session) == [(turn.role, turn.blocks, turn.time) for turn in TURNS]


def test_agents_whose_files_cannot_be_written_say_so(location: str, capsys: Said) -> None:
    store = open_store(location)
    store.save("goose:1", TURNS)
    store.close()
    assert main(["restore", "goose:1", "--store", location]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "sparrow-tui export" in said.err
