"""Pi's line files: a tree of entries, of which the last one's branch is the live one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hostile import grow, rewrite, torture_lines
from real import found_real
from session_reading import Reading, Session, read_all, same

from sparrow_tui.agents.base import Place
from sparrow_tui.agents.pi import AGENT
from sparrow_tui.model import Image, Notice, Raw, Reasoning, Text, Usage

ID = "0c0ffee0-1111-4222-8333-444455556666"
FIXTURE = Path(__file__).parent.parent / "fixtures" / "pi" / f"2026-03-01T10-00-00-000Z_{ID}.jsonl"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / ".pi" / "agent" / "sessions" / "--home-ada-duckpond--"
    folder.mkdir(parents=True)
    return Path(shutil.copy(FIXTURE, folder / FIXTURE.name))


def only(path: Path) -> Session:
    (session,) = read_all(AGENT, AGENT.source_at(path)).values()
    return session


def add(path: Path, *entries: dict[str, object]) -> None:
    with path.open("a") as file:
        file.writelines(json.dumps(entry) + "\n" for entry in entries)


def entry(id: str, parent: str | None, text: str, at: int = 0) -> dict[str, object]:
    message = {"role": "user", "content": text, "timestamp": 1772359300000 + at}
    return {
        "type": "message",
        "id": id,
        "parentId": parent,
        "timestamp": "2026-03-01T10:02:00Z",
        "message": message,
    }


def test_facts_and_turns(path: Path) -> None:
    session = only(path)
    info = session.info
    assert info.id == f"pi:{ID}"
    assert (info.title, info.project, info.model) == (
        "Duck census",
        "/home/ada/duckpond",
        "claude-sonnet-4-5",
    )
    assert (info.created_at, info.updated_at) == (1772359200000, 1772359262000)
    assert session.roles == [
        "system", "user", "assistant", "tool", "assistant", "user", "assistant", "summary", "user", "user",
    ]  # fmt: skip
    assert session.turns[0].blocks == [Notice("model", "anthropic/claude-sonnet-4-5")]
    assert session.turns[1].blocks == [
        Text("Count the ducks in pond.txt"),
        Image("image/png", "iVBORw0K", size=6),
    ]
    assert session.turns[2].blocks[:2] == [
        Reasoning("Read the file first."),
        Text("I read the file."),
    ]
    assert session.turns[2].uid == "a0000004:1772359202000"
    assert session.turns[5].blocks == [Notice("command", "! ls pond\npond.txt")]
    assert session.turns[6].blocks == [Notice("error", "overloaded")]
    assert session.turns[6].api_error
    assert session.turns[7].blocks == [
        Notice("compaction", "1,168 tokens before"),
        Text("Two ducks were counted."),
    ]
    assert [turn.meta for turn in session.turns[5:]] == [True, False, False, True, False]
    assert not any(turn.branch for turn in session.turns)
    coverage = session.coverage
    assert (coverage.records, coverage.kept, coverage.skipped, coverage.bad) == (13, 12, 1, 0)


def test_tools_tokens_and_cost(path: Path) -> None:
    session = only(path)
    (use,), (result,) = session.uses(), session.results()
    assert (use.id, use.name, use.input) == ("call_1", "read", {"path": "pond.txt"})
    assert (result.tool_use_id, result.is_error, result.content) == (
        "call_1",
        False,
        [Text("duck\nduck\ngoose")],
    )
    assert session.usage == Usage(input=110, output=28, cache_read=2150, cache_write=50)
    assert session.cost == 1588
    assert session.turns[2].usage_id == "msg_01"


def test_a_branch_marks_what_was_left(path: Path) -> None:
    reading = Reading().take(AGENT, AGENT.source_at(path))
    add(path, entry("b0000001", "a0000012", "Go on"))
    assert reading.take(AGENT, AGENT.source_at(path)).emitted == 1
    add(path, entry("b0000002", "a0000006", "No, count again"))
    assert reading.take(AGENT, AGENT.source_at(path)).emitted == 12
    add(path, entry("b0000003", "b0000002", "Please"))
    assert reading.take(AGENT, AGENT.source_at(path)).emitted == 1
    session = reading.sessions[ID]
    assert [turn.branch for turn in session.turns] == [False] * 5 + [True] * 6 + [False] * 2
    same(reading.sessions, read_all(AGENT, AGENT.source_at(path)))
    assert session.usage.output == 28  # what was rewound was paid for all the same


def test_a_broken_line_does_not_hide_what_came_before_it(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:4], b'{"type":"mess\n', *lines[5:]]))
    session = only(path)
    assert session.coverage.bad == 1
    assert not any(turn.branch for turn in session.turns)


def test_first_version_without_ids(tmp_path: Path) -> None:
    path = tmp_path / "2025-11-20T10-00-00-000Z_old.jsonl"
    add(
        path,
        {
            "type": "session",
            "id": "old",
            "timestamp": "2025-11-20T10:00:00Z",
            "cwd": "/p",
            "modelId": "m",
        },
        {
            "type": "message",
            "timestamp": "2025-11-20T10:00:01Z",
            "message": {"role": "user", "content": "Hi"},
        },
        {
            "type": "compaction",
            "timestamp": "2025-11-20T10:00:02Z",
            "summary": "Said hi.",
            "tokensBefore": 0,
        },
        {"type": "hologram", "timestamp": "2025-11-20T10:00:03Z"},
    )
    session = only(path)
    assert session.roles == ["user", "summary", "system"]
    assert isinstance(session.turns[2].blocks[0], Raw)
    assert session.coverage.unknown == {"entry hologram": 1}
    assert session.info.model == "m"


def test_commands_the_user_ran_and_compactions(tmp_path: Path) -> None:
    entries: list[dict[str, object]] = [
        {"type": "session", "version": 3, "id": "s1", "timestamp": "2026-01-01T00:00:00Z", "cwd": "/w"},
    ]  # fmt: skip
    for number, more in enumerate(({"exitCode": 2}, {"exitCode": 0}, {"cancelled": True})):
        ran = {"role": "bashExecution", "command": "make", "output": "boat\n", **more}
        entries.append({"type": "message", "id": f"{number:08x}", "message": ran,
                        "parentId": f"{number - 1:08x}" if number else None})  # fmt: skip
    entries.append({"type": "compaction", "id": "00000003", "parentId": "00000002",
                    "summary": "so far", "tokensBefore": 120_000})  # fmt: skip
    path = tmp_path / "x_s1.jsonl"
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    (session,) = read_all(AGENT, AGENT.source_at(path)).values()
    notices = [b.text for turn in session.turns for b in turn.blocks if isinstance(b, Notice)]
    assert notices == [
        "! make\nboat\n(exit code 2)", "! make\nboat", "! make\nboat\n(cancelled)",
        "120,000 tokens before",
    ]  # fmt: skip


def test_forks_count_the_same_request_once(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "2026-03-02T10-00-00-000Z_fork.jsonl"
    copy.write_text(path.read_text().replace(ID, "fork"))
    assert {t.usage_id for t in only(copy).turns} == {t.usage_id for t in only(path).turns}


def test_oh_my_pi_and_its_sub_agents(tmp_path: Path) -> None:
    folder = tmp_path / ".omp" / "agent" / "sessions" / "--w--"
    main = folder / "2026-03-01T10-00-00-000Z_main.jsonl"
    child = folder / main.stem / "Scout.jsonl"
    child.parent.mkdir(parents=True)
    head = {"type": "session", "version": 3, "timestamp": "2026-03-01T10:00:00Z", "cwd": "/w"}
    add(
        main,
        {"type": "title", "title": "Named       "},
        {**head, "id": "main"},
        entry("1", None, "Go"),
    )
    add(child, {**head, "id": "c"}, entry("1", None, "Scout it"))
    found = {source.path: read_all(AGENT, source) for source in AGENT.sources(Place(tmp_path))}
    assert set(found) == {str(main), str(child)}
    session = found[str(main)]["main"]
    assert session.info.title == "Named"
    resume = AGENT.resume(session.info)
    assert resume is not None
    assert resume.argv == ("omp", "--resume", "main")
    scout = found[str(child)]["main/Scout"]
    assert scout.info.parent == "pi:main"
    assert AGENT.resume(scout.info) is None
    assert AGENT.sniff(main, main.read_bytes())


def test_where_it_looks(path: Path, tmp_path: Path) -> None:
    place = Place(tmp_path, {}, "linux")
    assert [source.path for source in AGENT.sources(place)] == [str(path)]
    assert AGENT.roots(Place(tmp_path, {"PI_CODING_AGENT_SESSION_DIR": "/s"}, "linux"))[0] == Path(
        "/s"
    )
    (tmp_path / ".pi" / "agent" / "settings.json").write_text('{"sessionDir": "~/kept"}')
    assert tmp_path / "kept" in AGENT.roots(place)
    assert AGENT.source_at(path.with_suffix(".lock")) is None
    assert AGENT.source_at(tmp_path / "gone.jsonl") is None
    assert AGENT.sniff(path, path.read_bytes()[:65536])
    assert not AGENT.sniff(path, b'{"type":"user"}\n')
    resume = AGENT.resume(only(path).info)
    assert resume is not None
    assert (resume.argv, resume.directory) == (("pi", "--session", ID), "/home/ada/duckpond")
    assert AGENT.retention_days(place) is None


def test_growing_rewritten_and_hostile_files(path: Path) -> None:
    grow(AGENT, path)
    rewrite(AGENT, path)
    assert torture_lines(AGENT, path) > 500


def test_many_turns_come_in_batches(path: Path) -> None:
    before = "a0000012"
    for number in range(1200):
        add(path, entry(f"c{number}", before, f"line {number}"))
        before = f"c{number}"
    source = AGENT.source_at(path)
    assert source is not None
    batches = list(AGENT.read(source, None))
    assert [len(batch.turns) for batch in batches] == [500, 500, 210]
    assert batches[0].checkpoint is not None
    reading = Reading(checkpoint=batches[0].checkpoint)
    rest = list(AGENT.read(source, reading.checkpoint))
    assert (rest[0].start, rest[0].fresh, sum(len(b.turns) for b in rest)) == (500, False, 710)


def test_real_sessions() -> None:
    for file in found_real("pi/**/*.jsonl"):
        records = [json.loads(line) for line in file.read_text().splitlines() if line.strip()]
        messages = [r["message"] for r in records if r["type"] == "message"]
        parts = [p for m in messages if isinstance(m.get("content"), list) for p in m["content"]]
        usages = [m["usage"] for m in messages if m["role"] == "assistant"]
        session = only(file)
        assert session.coverage.records == len(records)
        assert not session.coverage.bad
        assert not session.coverage.unknown
        assert len(session.uses()) == sum(p["type"] == "toolCall" for p in parts)
        assert len(session.results()) == sum(m["role"] == "toolResult" for m in messages)
        assert sum(r.is_error is True for r in session.results()) == sum(
            bool(m.get("isError")) for m in messages
        )
        assert session.usage == Usage(
            sum(u["input"] for u in usages), sum(u["output"] for u in usages),
            sum(u["cacheRead"] for u in usages), sum(u["cacheWrite"] for u in usages),
        )  # fmt: skip
        assert abs(session.cost - 1e6 * sum(u["cost"]["total"] for u in usages)) <= len(usages)
        empty = [m for m in messages if m["role"] == "assistant" and not m["content"]]
        spoken = sum(turn.role == "assistant" for turn in session.turns)
        assert sum(m["role"] == "assistant" for m in messages) - len(empty) <= spoken
        ids = [turn.usage_id for turn in session.turns if turn.usage_id]
        assert len(ids) == len(set(ids))
