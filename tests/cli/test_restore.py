"""``sparrow-tui restore``: a kept session as its agent's own file, which says the same again."""

from __future__ import annotations

import json
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
    Raw,
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


def noted(title: str, text: str = "", kind: str = "info") -> list[Block]:
    return [Notice(kind, title), Text(text)] if text else [Notice(kind, title)]


CLAUDE_MARKS = [
    Turn(role="user", blocks=[Text("mend the net")], uid="a", time=AT),
    Turn(role="assistant", blocks=[Text("so be it")], uid="b", time=AT, model="m",
         usage=Usage(1, 2), usage_id="r1"),
    Turn(role="user", blocks=[Text("no, burn it")], uid="c", time=AT, branch=True),
    Turn(role="assistant", blocks=[Text("burning")], uid="d", time=AT, model="m", branch=True,
         usage=Usage(3, 4), usage_id="r2"),
    Turn(role="user", blocks=[Text("wash it")], uid="e", time=AT),
    Turn(role="assistant", blocks=[], uid="f", time=AT, model="m", usage=Usage(5, 6), usage_id="r3"),
    *(
        Turn(role="system", blocks=blocks, uid=f"s{number}", time=AT, meta=True)
        for number, blocks in enumerate(
            [
                noted("Hook SessionStart:startup", "the tide is low"),
                noted("Hook Stop:lint failed", "a knot", kind="error"),
                noted("Hook Stop:lint was cancelled", "too slow"),
                noted("Attached nets/one.py", "```py\nknot = 1\n```"),
                noted("Attached nets", "one.py\ntwo.py"),
                noted("Changed outside: nets/one.py", "````\n1 ```\n````"),
                noted("Instructions CLAUDE.md", "tie well"),
                noted("Reminded of its tasks", "- [x] wash\n- [~] dry: in the\nsun\n- [ ] fold"),
                noted("Reminder", "be brief"),
                noted("Plan mode"),
                noted("away for an hour", kind="summary"),
                noted("Stop hook: a knot", kind="error"),
                noted("Conversation compacted (from 1,200 tokens)", kind="compaction"),
            ]
        )
    ),
    Turn(role="system", blocks=[Notice("command", "/review 12"), Notice("info", "review looks…")],
         uid="x", time=AT),
]  # fmt: skip
CODEX_MARKS = [
    Turn(role="user", blocks=[Text("mend the net")], uid="#0", time=AT),
    Turn(role="assistant", blocks=[ToolUse("", "web_search", {"query": "knots"})], uid="#1",
         time=AT, usage=Usage(10, 2, 5, 0, 1)),
    Turn(role="user", blocks=[Text("no, burn it")], uid="#2", time=AT, branch=True),
    Turn(role="assistant", blocks=[Text("burning")], uid="#3", time=AT, branch=True,
         usage=Usage(7, 7)),
    Turn(role="system", blocks=[Notice("rewind", "1 turns taken back")], uid="#4", time=AT),
    Turn(role="user", blocks=[Text("look"), Image("image/png", "AAAA", size=3)], uid="#5", time=AT),
    Turn(role="assistant", blocks=[ToolUse("c1", "search", {"for": "tools"})], uid="#6", time=AT),
    Turn(role="tool", uid="#7", time=AT,
         blocks=[ToolResult("c1", [Raw("namespace", {"type": "namespace", "name": "boats"})])]),
    Turn(role="system", blocks=[Notice("interruption", "Turn aborted (interrupted)")], uid="#8",
         time=AT),
    Turn(role="system", blocks=[Notice("error", "stream lost")], uid="#9", time=AT),
    Turn(role="system", blocks=[Notice("error", "no quota")], uid="#10", time=AT, api_error=True),
    Turn(role="system", blocks=[Notice("info", "Goal: dry nets")], time=AT, meta=True),
    Turn(role="summary", blocks=[Notice("compaction", "Context compacted"), Text("so far")],
         time=AT, meta=True),
    Turn(role="assistant", blocks=[Text("dried")], uid="#11", time=AT, usage=Usage(1, 1)),
]  # fmt: skip


@pytest.mark.parametrize("agent", ["claude", "codex"])
def test_marks_context_and_what_was_taken_back_come_back(
    private_home: Path, location: str, tmp_path: Path, agent: str
) -> None:
    native_id = native(5)
    session = f"{agent}:{native_id}"
    turns = CLAUDE_MARKS if agent == "claude" else [
        replace(turn, uid=f"{native_id}{turn.uid}" if turn.uid else "") for turn in CODEX_MARKS
    ]  # fmt: skip
    store = open_store(location)
    info = SessionInfo(id=session, title="Nets", project="/home/ann", created_at=AT, updated_at=AT)
    store.write([Prepared(session=info, rows=rows(turns))])
    before = [*store.turns(session)]
    store.close()
    assert main(["restore", session, "--store", location]) == 0
    other = str(tmp_path / "other.db")
    assert main(["sync", "--store", other]) == 0
    store = open_store(other)
    after = [*store.turns(session)]
    found = store.load(session)
    store.close()
    assert [(turn.role, turn.blocks, turn.uid) for turn in after] == [
        (turn.role, turn.blocks, turn.uid) for turn in before
    ]
    for name in ("time", "meta", "branch", "api_error", "usage"):
        assert [getattr(turn, name) for turn in after] == [getattr(turn, name) for turn in before]
    assert found is not None
    assert (found.coverage.bad, found.coverage.unknown) == (0, {})


@pytest.mark.parametrize("agent", ["claude", "codex"])
def test_what_comes_back_is_not_counted_again(
    private_home: Path, location: str, capsys: Said, agent: str
) -> None:
    """The counters of a store say the same after a session was restored and read again."""
    source = home_with_tokens(private_home, agent)
    assert main(["sync", "--store", location]) == 0
    before = counted(location, capsys)
    assert any("tokens" in line and not line.endswith(" 0.0") for line in before)
    source.unlink()
    assert main(["sync", "--store", location]) == 0
    assert main(["restore", f"{agent}:{native(1)}", "--store", location]) == 0
    assert main(["sync", "--store", location]) == 0
    assert counted(location, capsys) == before


def home_with_tokens(home: Path, agent: str) -> Path:
    """A home with one session of two answers that used tokens; its file."""
    said = ("mend the net", "mended", "and the boat", "that too")
    if agent == "codex":
        path = codex_file(home, 1, *said)
        lines = path.read_text().splitlines()
        told: list[str] = []
        for line in lines:
            told.append(line)
            record = json.loads(line)
            body = record.get("payload", {})
            if body.get("role") == "assistant":
                total = {"input_tokens": 100 * len(told), "output_tokens": len(told)}
                info = {"total_token_usage": total}
                event = {"type": "token_count", "info": info}
                told.append(json.dumps({**record, "type": "event_msg", "payload": event}))
        path.write_text("\n".join(told) + "\n")
        return path
    path = claude_file(home, 1, *said).path
    records = [json.loads(line) for line in path.read_text().splitlines()]
    for number, record in enumerate(records):
        if record.get("type") == "assistant":
            usage = {"input_tokens": 10 + number, "output_tokens": 3}
            record["message"] |= {"id": f"msg_{number}", "usage": usage}
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def counted(location: str, capsys: Said) -> list[str]:
    """What the counters of a store say."""
    capsys.readouterr()
    assert main(["metrics", "--store", location]) == 0
    lines = capsys.readouterr().out.splitlines()
    totals = [line for line in lines if line.partition("{")[0].partition(" ")[0].endswith("_total")]
    return [line for line in totals if "_ingest_" not in line]


def test_pictures_come_back(private_home: Path, location: str, tmp_path: Path) -> None:
    """The store keeps their bytes beside the turns."""
    picture = Image("image/png", "iVBORw0KGgo=", size=8)
    turns = [
        Turn(role="user", blocks=[Text("look"), picture], time=AT),
        Turn(role="assistant", blocks=[ToolUse("c1", "Read", {})], time=AT),
        Turn(role="tool", blocks=[ToolResult("c1", [picture])], time=AT),
    ]
    session = f"claude:{native(6)}"
    store = open_store(location)
    store.save(session, turns)
    before = [turn.blocks for turn in store.turns(session)]
    store.close()
    assert main(["restore", session, "--store", location]) == 0
    other = str(tmp_path / "other.db")
    assert main(["sync", "--store", other]) == 0
    store = open_store(other)
    assert [turn.blocks for turn in store.turns(session)] == before
    ref = before[0][1].ref
    assert store.reader.attachment(ref) == ("image/png", b"\x89PNG\r\n\x1a\n")
    store.close()


def test_sub_agents_come_back_with_their_session(
    private_home: Path, location: str, tmp_path: Path, capsys: Said
) -> None:
    """In files of their own or, as older versions wrote them, in the session's."""
    parent, project = f"claude:{native(3)}", "/home/ann/harbour"
    store = open_store(location)
    names: list[tuple[str, dict[str, Any]]] = [
        ("", {}), ("/agent-a1b2", {"title": "tie knots", "extra": {"agent type": "sailor"}}),
        ("/side-u2", {}), ("/side-u3", {}),
    ]  # fmt: skip
    for number, (name, more) in enumerate(names):
        info = SessionInfo(
            id=parent + name, project=project, created_at=AT + number, updated_at=AT + number,
            parent=parent if number else None, **more,
        )  # fmt: skip
        turns = [
            Turn(role="user", blocks=[Text(f"do {number}")], uid=f"u{number}", time=AT),
            Turn(role="assistant", blocks=[Text("done")], uid=f"v{number}", time=AT, model="m"),
        ]
        store.write([Prepared(session=info, rows=rows(turns))])
    store.close()
    assert main(["restore", f"{parent}/side-u2", "--store", location]) == 1
    assert "restore that one" in capsys.readouterr().err
    assert main(["restore", parent, "--store", location]) == 0
    said = capsys.readouterr()
    assert [Path(path).name for path in said.out.split()] == [
        f"{native(3)}.jsonl", "agent-a1b2.jsonl",
    ]  # fmt: skip
    assert said.err == ""
    other = str(tmp_path / "other.db")
    assert main(["sync", "--store", other]) == 0
    store = open_store(other)
    child = store.load(f"{parent}/agent-a1b2")
    assert child is not None
    assert (child.title, child.extra["agent type"]) == ("tie knots", "sailor")
    found = {session.id: session.parent for session in store.list()}
    store.close()
    assert found == {parent + name: parent if name else None for name, _ in names}
    for number, (name, _) in enumerate(names):
        assert content(other, parent + name) == content(location, parent + name), number


def test_a_sub_agent_of_codex_knows_its_parent_again(
    private_home: Path, location: str, tmp_path: Path, capsys: Said
) -> None:
    ids = [f"codex:{native(number)}" for number in (1, 2)]
    store = open_store(location)
    for ident, parent in zip(ids, (None, ids[0]), strict=True):
        info = SessionInfo(
            id=ident, project="/home/ann", created_at=AT, updated_at=AT, parent=parent,
            extra={"agent type": "sailor"} if parent else {},
        )  # fmt: skip
        store.write([Prepared(session=info, rows=rows(SAID))])
    store.close()
    assert main(["restore", ids[0], "--store", location]) == 0
    assert len(capsys.readouterr().out.split()) == 2
    other = str(tmp_path / "other.db")
    assert main(["sync", "--store", other]) == 0
    store = open_store(other)
    child = store.load(ids[1])
    assert child is not None
    assert (child.parent, child.extra["agent type"]) == (ids[0], "sailor")
    store.close()


def test_traces_of_a_deleted_session_are_not_written_back(
    private_home: Path, location: str, capsys: Said
) -> None:
    history = private_home / ".claude" / "history.jsonl"
    history.parent.mkdir()
    record = {"display": "mend the net", "timestamp": AT, "project": "/home/ann",
              "sessionId": native(4)}  # fmt: skip
    history.write_text(json.dumps(record) + "\n")
    assert main(["sync", "--store", location]) == 0
    assert main(["restore", f"claude:{native(4)}", "--store", location]) == 1
    assert "only its prompts are known" in capsys.readouterr().err


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
