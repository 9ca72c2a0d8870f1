"""``sparrow-tui restore``: a kept session as its agent's own file, which says the same again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from sparrow_tui.agents.base import Place
from sparrow_tui.agents.pi import AGENT as PI
from sparrow_tui.agents.registry import agents
from sparrow_tui.cli import main
from sparrow_tui.model import (
    Block,
    Image,
    Notice,
    Reasoning,
    SessionInfo,
    Text,
    ToolResult,
    ToolUse,
    Turn,
    Usage,
)
from sparrow_tui.store import open_store
from sparrow_tui.store.prepared import Prepared, rows
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


SAID = [
    Turn(role="user", blocks=[Text("mend the net"), Text("and the boat")], time=AT + 1000),
    Turn(role="assistant", time=AT + 2000, model="some-model", usage=Usage(3, 9, 5, 0, 4),
         blocks=[Reasoning("hm"), Text("I look"), ToolUse("c1", "bash", {"command": "ls"})]),
    Turn(role="tool", time=AT + 3000, blocks=[ToolResult("c1", [Text("boat")], is_error=True)]),
    Turn(role="assistant", time=AT + 4000, model="some-model", usage=Usage(7, 8),
         blocks=[ToolUse("c2", "bash", {"command": "pwd"})]),
    Turn(role="tool", time=AT + 5000, blocks=[ToolResult("c2", [Text("/")], is_error=False)]),
    Turn(role="assistant", time=AT + 6000, model="some-model", usage=Usage(1, 2),
         blocks=[Text("dōne 🚀 \u2028")]),
]  # fmt: skip


@pytest.mark.parametrize("agent", ["claude", "codex", "pi", "gemini", "qwen", "droid"])
def test_a_session_of_each_agent_comes_back(
    private_home: Path, location: str, tmp_path: Path, capsys: Said, agent: str
) -> None:
    session = f"{agent}:{native(8)}"
    store = open_store(location)
    info = SessionInfo(
        id=session, title="Nets", project="/home/ann/harbour", model="some-model",
        created_at=AT, updated_at=AT + 6000,
    )  # fmt: skip
    store.write([Prepared(session=info, rows=rows(SAID))])
    store.close()
    assert main(["restore", session, "--store", location]) == 0
    path = Path(capsys.readouterr().out.strip())
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()
    assert main(["restore", session, "--store", location]) == 1
    assert "exists" in capsys.readouterr().err
    assert path.read_bytes() == before
    other = str(tmp_path / "other.db")
    assert main(["sync", "--store", other]) == 0
    expected = [(turn.role, turn.blocks, turn.time) for turn in SAID]
    if agent == "codex":  # which does not write down that a tool went well
        expected[4] = ("tool", [ToolResult("c2", [Text("/")])], AT + 5000)
    assert content(other, session) == expected
    title, project, _, model, usage, _ = facts(other, session)
    assert (title, project, model) == ("Nets", "/home/ann/harbour", "some-model")
    if agent != "droid":  # its totals are kept elsewhere
        told = sum((turn.usage for turn in SAID if turn.usage), Usage())
        assert usage.total == told.total
    store = open_store(other)
    found = store.load(session)
    assert found is not None
    assert (found.coverage.bad, found.coverage.unknown) == (0, {})
    assert (found.tool_calls, found.tool_errors) == (2, 1)
    store.close()


def without_end(block: Block) -> Block:
    return replace(block, is_error=None) if isinstance(block, ToolResult) else block


def test_a_session_of_vibe_comes_back(
    private_home: Path, location: str, tmp_path: Path, capsys: Said
) -> None:
    """Its messages have no times, and its tokens and cost are the session's."""
    session = f"vibe:{native(8)}"
    # Nor does it write down how a tool ended.
    turns = [Turn(role=turn.role, blocks=[*map(without_end, turn.blocks)]) for turn in SAID]
    store = open_store(location)
    info = SessionInfo(
        id=session, title="Nets", project="/home/ann/harbour", model="some-model", branch="main",
        created_at=AT, updated_at=AT + 6000, usage=Usage(11, 19, 5), cost_micro=1_250,
    )  # fmt: skip
    store.write([Prepared(session=info, rows=rows(turns))])
    store.close()
    known = facts(location, session)
    assert main(["restore", session, "--store", location]) == 0
    path = Path(capsys.readouterr().out.strip())
    assert path.stat().st_mode & 0o777 == 0o600
    assert main(["restore", session, "--store", location]) == 1
    assert "exists" in capsys.readouterr().err
    other = str(tmp_path / "other.db")
    assert main(["sync", "--store", other]) == 0
    assert [blocks for _, blocks, _ in content(other, session)] == [turn.blocks for turn in turns]
    assert facts(other, session) == known
    store = open_store(other)
    found = store.load(session)
    assert found is not None
    assert (found.cost_micro, found.tool_calls) == (1_250, 2)
    store.close()


def test_each_that_can_be_restored_is_tested() -> None:
    can = {name for name, agent in agents().items() if agent.restorable}
    assert can == {"claude", "codex", "pi", "gemini", "qwen", "droid", "vibe"}


PI_TURNS = [
    Turn(role="system", blocks=[Notice("model", "acme/some-model")], time=AT, meta=True),
    Turn(role="user", blocks=[Notice("command", "! ls\nboat")], time=AT, meta=True),
    Turn(role="user", blocks=[Text("a note")], time=AT, meta=True),
    Turn(role="user", blocks=[Image("image/png", "AAAA", size=3), Text("look")], time=AT),
    Turn(role="summary", blocks=[Notice("compaction", "1,000 tokens before"), Text("so far")],
         time=AT),
    Turn(role="summary", blocks=[Notice("rewind", ""), Text("tried")], time=AT),
    Turn(role="assistant", blocks=[Notice("error", "busy")], time=AT, model="m", api_error=True),
    Turn(role="assistant", blocks=[Text("I"), Notice("interruption", "Aborted.")], time=AT,
         model="m", usage=Usage(1, 2), cost_micro=250_000),
]  # fmt: skip


def test_pi_keeps_marks_and_costs(private_home: Path, tmp_path: Path) -> None:
    info = SessionInfo(id=f"pi:{native(9)}", project="/home/ann", created_at=AT, updated_at=AT)
    path = PI.restore(info, PI_TURNS, Place(private_home))
    (batch,) = PI.read(PI.source_at(path), None)  # type: ignore[arg-type]
    assert [turn.blocks for turn in batch.turns] == [turn.blocks for turn in PI_TURNS]
    assert [turn.role for turn in batch.turns] == [turn.role for turn in PI_TURNS]
    assert (batch.turns[-1].cost_micro, batch.turns[-1].usage) == (250_000, Usage(1, 2))


def test_agents_whose_files_cannot_be_written_say_so(location: str, capsys: Said) -> None:
    store = open_store(location)
    store.save("goose:1", TURNS)
    store.close()
    assert main(["restore", "goose:1", "--store", location]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "sparrow-tui export" in said.err
    assert "in a database" in said.err


def test_every_agent_can_or_says_why_not() -> None:
    for agent in agents().values():
        assert agent.restorable != bool(agent.no_restore), agent.name
