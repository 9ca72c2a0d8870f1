"""Gemini CLI's conversations, in both forms, and what is left of deleted ones."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hostile import torture_lines
from real import found_real
from session_reading import Reading, read_all, same

from sparrow_tui.agents import projects
from sparrow_tui.agents.base import Place, SourceError
from sparrow_tui.agents.gemini import AGENT
from sparrow_tui.model import Image, Notice, Raw, Reasoning, Text, Usage

SID = "5b1f0c52-7d0e-4a53-9a71-0f6f5a3c9d10"
FIXTURES = Path(__file__).parent.parent / "fixtures" / "gemini"


def stamp(second: int) -> str:
    return f"2026-03-01T10:00:{second:02}.000Z"


def uid(name: str) -> str:
    return f"{name}-0000-4000-8000-000000000000".rjust(36, "0")


def user(name: str, second: int, text: Any) -> dict[str, Any]:
    return {"id": uid(name), "timestamp": stamp(second), "type": "user", "content": text}


def gemini(name: str, second: int, text: Any, **more: Any) -> dict[str, Any]:
    return {
        "id": uid(name), "timestamp": stamp(second), "type": "gemini", "content": text,
        "model": "gemini-3-pro", **more,
    }  # fmt: skip


def call(id: str, name: str, output: str, status: str = "success", **more: Any) -> dict[str, Any]:
    response = {"functionResponse": {"id": id, "name": name, "response": {"output": output}}}
    return {
        "id": id, "name": name, "args": {"path": "pond"}, "result": [response], "status": status,
        "timestamp": stamp(30), "resultDisplay": output, **more,
    }  # fmt: skip


TOKENS = {"input": 100, "output": 10, "cached": 60, "thoughts": 5, "tool": 2, "total": 117}
HEADER = {
    "sessionId": SID,
    "projectHash": "pond",
    "startTime": stamp(0),
    "lastUpdated": stamp(0),
    "kind": "main",
}


def write(path: Path, *records: Any, tail: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records) + tail)
    return path


def chat(home: Path, suffix: str = ".jsonl", project: str = "pond") -> Path:
    return (
        home / ".gemini" / "tmp" / project / "chats" / f"session-2026-03-01T10-00-{SID[:8]}{suffix}"
    )


def test_the_json_fixture() -> None:
    (session,) = read_all(AGENT, AGENT.source_at(FIXTURES / "session.json")).values()
    assert session.info.id == f"gemini:{SID}"
    assert session.info.title == "Counting ducks on the pond"
    assert session.info.model == "gemini-3-pro"
    assert (session.info.created_at, session.info.updated_at) == (1772359200000, 1772359260000)
    assert session.roles == ["user", "assistant", "tool", "system", "assistant"]
    assert session.turns[0].blocks == [Text("How many ducks?"), Image("image/png", "AAAA", size=3)]
    assert session.turns[1].blocks[0] == Reasoning("Plan\n\nLook at the pond first.")
    assert [(use.id, use.name) for use in session.uses()] == [
        ("c1", "run_shell_command"),
        ("c2", "read_file"),
    ]
    first, second = session.results()
    assert (first.tool_use_id, first.is_error, first.exit_code) == ("c1", False, 0)
    assert (second.tool_use_id, second.is_error, second.content) == (
        "c2",
        True,
        [Text("File not found.")],
    )
    assert session.turns[3].blocks == [Notice("error", "[API Error: quota]")]
    assert session.turns[3].api_error
    assert session.usage == Usage(input=82, output=30, cache_read=120, reasoning=10)
    assert session.turns[1].usage == Usage(input=42, output=15, cache_read=60, reasoning=5)
    assert session.turns[1].uid == session.turns[1].usage_id != ""
    assert (session.coverage.records, session.coverage.kept) == (4, 4)


LOG = [
    HEADER,
    user("u1", 1, [{"text": "How many ducks?"}]),
    {"$set": {"lastUpdated": stamp(1)}},
    gemini("g1", 2, ""),
    gemini("g1", 2, "", tokens=TOKENS),
    gemini("g1", 2, "I look.", tokens=TOKENS, toolCalls=[{**call("c1", "ls", ""), "status": "executing", "result": None, "resultDisplay": None}]),
    gemini("g1", 2, "I look.", tokens=TOKENS, toolCalls=[call("c1", "ls", "two ducks")]),
    gemini("g2", 5, "Two.", tokens=TOKENS),
    user("u2", 6, "Wrong question"),
    gemini("g3", 7, "Wrong answer"),
    {"$rewindTo": uid("u2")},
    user("u3", 8, "And geese?"),
    gemini("g4", 9, "None."),
    {"$set": {"summary": "Birds of the pond", "lastUpdated": stamp(9)}},
]  # fmt: skip


def test_the_log_is_put_together(tmp_path: Path) -> None:
    path = write(chat(tmp_path), *LOG)
    (session,) = read_all(AGENT, AGENT.source_at(path)).values()
    assert session.roles == [
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
        "assistant",
        "user",
        "assistant",
    ]
    assert session.texts() == [
        "How many ducks?",
        "I look.",
        "Two.",
        "Wrong question",
        "Wrong answer",
        "And geese?",
        "None.",
    ]
    assert [turn.branch for turn in session.turns] == [False] * 4 + [True] * 2 + [False] * 2
    assert session.results()[0].content == [Text("two ducks")]
    assert session.usage == Usage(
        input=84, output=30, cache_read=120, reasoning=10
    )  # two requests, not five
    assert session.info.title == "Birds of the pond"
    assert session.info.updated_at == 1772359209000
    coverage = session.coverage
    assert (coverage.records, coverage.kept, coverage.skipped, coverage.bad) == (14, 11, 3, 0)


def test_reading_on_line_by_line_ends_where_reading_at_once_does(tmp_path: Path) -> None:
    path = chat(tmp_path)
    reading = Reading()
    emitted = []
    for number in range(1, len(LOG) + 1):
        write(path, *LOG[:number], tail='{"id": "half a li')
        emitted.append(reading.take(AGENT, AGENT.source_at(path)).emitted)
        same(reading.sessions, read_all(AGENT, AGENT.source_at(path)))
    assert max(emitted[1:9]) <= 3  # only what may still change is handed over again
    assert reading.take(AGENT, AGENT.source_at(path)).emitted == 0


def test_an_old_message_written_again_and_a_rewritten_file(tmp_path: Path) -> None:
    path = write(chat(tmp_path), *LOG)
    reading = Reading().take(AGENT, AGENT.source_at(path))
    with path.open("a") as file:
        file.write(json.dumps(gemini("g2", 5, "Two, maybe three.", tokens=TOKENS)) + "\n")
    reading.take(AGENT, AGENT.source_at(path))
    assert "Two, maybe three." in reading.sessions[SID].texts()
    same(reading.sessions, read_all(AGENT, AGENT.source_at(path)))
    write(path, {**HEADER, "startTime": stamp(3)}, user("u9", 20, "Anew"))
    reading.take(AGENT, AGENT.source_at(path))
    assert reading.sessions[SID].texts() == ["Anew"]


def test_a_compressed_context_loses_nothing(tmp_path: Path) -> None:
    masked = gemini("g1", 2, "I look.", toolCalls=[call("c1", "ls", "[masked]")])
    summary = user("s1", 10, [{"text": "<state_snapshot>Two ducks.</state_snapshot>"}])
    path = write(
        chat(tmp_path), *LOG[:8], {"$set": {"messages": [masked, summary, LOG[7]]}}, LOG[11]
    )
    (session,) = read_all(AGENT, AGENT.source_at(path)).values()
    assert session.roles == ["user", "assistant", "tool", "summary", "assistant", "user"]
    assert session.results()[0].content == [Text("two ducks")]
    reading = Reading()
    for number in (6, 8, 9, 10):
        records = [*LOG[:8], {"$set": {"messages": [masked, summary, LOG[7]]}}, LOG[11]][:number]
        write(path, *records)
        reading.take(AGENT, AGENT.source_at(path))
        same(reading.sessions, read_all(AGENT, AGENT.source_at(path)))


def test_calls_in_the_apis_own_form_are_not_doubled(tmp_path: Path) -> None:
    own = {"functionCall": {"id": "c1", "name": "ls", "args": {}}}
    answer = {"functionResponse": {"id": "c9", "response": {"error": "no"}}}
    path = write(
        chat(tmp_path), HEADER,
        gemini("g1", 2, [{"text": "I look."}, own], toolCalls=[call("c1", "ls", "x")]),
        user("u1", 3, [answer, {"text": "go on"}]),
    )  # fmt: skip
    (session,) = read_all(AGENT, AGENT.source_at(path)).values()
    assert [use.id for use in session.uses()] == ["c1"]
    assert session.roles == ["assistant", "tool", "tool", "user"]
    assert session.results()[1].is_error is True


def test_answers_told_again_in_the_next_message_count_once(tmp_path: Path) -> None:
    answered = call("c1", "ls", "x", status="error")
    again = {"functionResponse": {"id": "c1", "response": {"error": "x"}}}
    records = [
        HEADER,
        gemini("g1", 2, "I look.", toolCalls=[answered]),
        gemini("g0", 2, "Hm."),
        user("u1", 3, [again, {"text": "go on"}]),
        gemini("g2", 4, "Gone on."),
    ]
    (session,) = read_all(AGENT, AGENT.source_at(write(chat(tmp_path), *records))).values()
    assert session.roles == ["assistant", "tool", "assistant", "user", "assistant"]
    assert [result.is_error for result in session.results()] == [True]
    path, growing = chat(tmp_path, project="lake"), Reading()
    for number in range(1, len(records) + 1):
        growing.take(AGENT, AGENT.source_at(write(path, *records[:number])))
    same(growing.sessions, {SID: session})


def test_what_the_program_puts_before_a_prompt_is_not_the_persons(tmp_path: Path) -> None:
    note = "<system-reminder>Birds are about.</system-reminder>"
    path = write(chat(tmp_path), HEADER, user("u1", 1, f"{note}Feed the ducks"))
    (session,) = read_all(AGENT, AGENT.source_at(path)).values()
    assert [(turn.meta, turn.blocks) for turn in session.turns] == [
        (True, [Text(note)]),
        (False, [Text("Feed the ducks")]),
    ]


def test_files_of_sub_agents_under_their_callers_session_id(tmp_path: Path) -> None:
    folder = tmp_path / ".gemini/tmp/pond/chats"
    for minute, end, said in ((0, 20, "caller"), (5, 7, "sub-agent"), (30, 40, "cleared")):
        times = {
            "startTime": f"2026-03-01T10:{minute:02}:00.000Z",
            "lastUpdated": f"2026-03-01T10:{end:02}:00.000Z",
        }
        path = folder / f"session-2026-03-01T10-{minute:02}-{SID[:8]}.json"
        message = {"id": uid(said), "type": "user", "content": said}
        write(path, {"sessionId": SID, "projectHash": "pond", **times, "messages": [message]})
    found = {}
    for source in AGENT.sources(Place(tmp_path, {}, "linux")):
        found.update(read_all(AGENT, source))
    assert {name: (s.info.parent, s.texts()) for name, s in found.items()} == {
        SID: (None, ["caller"]),
        f"{SID}.2026-03-01T10-05": (f"gemini:{SID}", ["sub-agent"]),
        f"{SID}.2026-03-01T10-30": (None, ["cleared"]),
    }
    resumed = AGENT.resume(found[f"{SID}.2026-03-01T10-30"].info)
    assert resumed is not None
    assert resumed.argv == ("gemini", "--resume", SID)


def test_editors_sessions_all_have_one_id(tmp_path: Path) -> None:
    setup = {"id": "0" * 32, "type": "user", "content": "<session_context>Today is a day."}
    for project, minute in (("pond", 0), ("pond", 5), ("lake", 0)):
        folder = tmp_path / ".gemini/tmp" / project / "chats"
        header = {**HEADER, "sessionId": "a2a-server", "projectHash": f"{project}-hash"}
        said = {"$set": {"messages": [setup, user("u1", minute, f"{project} {minute}")]}}
        write(folder / f"session-2026-03-01T10-{minute:02}-a2a-serv.jsonl", header, said)
    found = {}
    for source in AGENT.sources(Place(tmp_path, {}, "linux")):
        found.update(read_all(AGENT, source))
    assert {name: session.texts()[1:] for name, session in found.items()} == {
        "a2a-server.pond-has.2026-03-01T10-00": ["pond 0"],
        "a2a-server.pond-has.2026-03-01T10-05": ["pond 5"],
        "a2a-server.lake-has.2026-03-01T10-00": ["lake 0"],
    }
    assert {session.info.parent for session in found.values()} == {None}
    assert {AGENT.resume(session.info) for session in found.values()} == {None}


def test_a_file_that_goes_on_from_a_copy_is_the_same_session(tmp_path: Path) -> None:
    folder = tmp_path / ".gemini/tmp/pond/chats"
    said = [{"id": uid(f"m{n}"), "type": "user", "content": str(n)} for n in range(3)]
    for minute, messages in ((0, said[:2]), (5, said)):
        path = folder / f"session-2026-03-01T10-{minute:02}-{SID[:8]}.json"
        write(path, {**HEADER, "messages": messages})
        assert set(read_all(AGENT, AGENT.source_at(path))) == {SID}


def test_hostile_and_unknown_lines(tmp_path: Path) -> None:
    path = write(chat(tmp_path), HEADER, user("u1", 1, "\x1b[2J \x00 \ud83d"))
    with path.open("ab") as file:
        file.write(b'{"broken": \n[1,2]\n\xff\xfe\n')
        file.write(b'{"id":"w1","type":"wizard","content":"abra"}\n{"telemetry":1}\n')
        file.write(b'{"id":"p1","type":"user","content":[{"hologram":1},7]}\n')
    (session,) = read_all(AGENT, AGENT.source_at(path)).values()
    assert (session.coverage.bad, session.coverage.records) == (3, 8)
    assert session.coverage.unknown == {
        "wizard": 1,
        "telemetry": 1,
        "part hologram": 1,
        "part part": 1,
    }
    assert session.turns[1].blocks == [
        Raw("wizard", {"id": "w1", "type": "wizard", "content": "abra"})
    ]
    assert session.turns[2].blocks == [Raw("telemetry", {"telemetry": 1})]


def test_projects_and_sub_agents(tmp_path: Path) -> None:
    projects.by_hash.cache_clear()
    root = tmp_path / "work" / "pond"
    root.mkdir(parents=True)
    hashed = hashlib.sha256(str(root).encode()).hexdigest()
    for name in (hashed, "listed", "noted", "unknown"):
        write(chat(tmp_path, project=name), {**HEADER, "projectHash": name}, user("u1", 1, "hi"))
    (tmp_path / ".gemini/projects.json").write_text(
        json.dumps({"projects": {"/w/listed": "listed"}})
    )
    (tmp_path / ".gemini/tmp/noted/.project_root").write_text("/w/noted\n")
    child = chat(tmp_path, project=hashed).parent / SID / "kid.jsonl"
    write(child, {**HEADER, "sessionId": "kid", "kind": "subagent"}, user("k1", 2, "count"))
    caller = gemini("g1", 3, "", toolCalls=[call("c1", "agent", "done", agentId="kid")])
    write(chat(tmp_path, project=hashed), {**HEADER, "projectHash": hashed}, caller)
    place = Place(tmp_path, {}, "linux")
    found = {}
    for source in AGENT.sources(place):
        for session in read_all(AGENT, source).values():
            found[
                Path(source.path).relative_to(tmp_path / ".gemini/tmp").parts[0],
                session.info.native_id,
            ] = session
    assert found[hashed, SID].info.project == str(root)
    assert found["listed", SID].info.project == "/w/listed"
    assert found["noted", SID].info.project == "/w/noted"
    assert found["unknown", SID].info.project is None
    assert found[hashed, "kid"].info.parent == f"gemini:{SID}"
    assert found[hashed, SID].results()[0].child == "gemini:kid"
    resume = AGENT.resume(found[hashed, SID].info)
    assert resume is not None
    assert (resume.argv, resume.directory) == (("gemini", "--resume", SID), str(root))
    assert AGENT.resume(found[hashed, "kid"].info) is None


def test_json_is_left_alone_once_the_log_took_over(tmp_path: Path) -> None:
    old = chat(tmp_path, ".json")
    write(old, {**HEADER, "messages": []})
    place = Place(tmp_path, {}, "linux")
    assert [s.path for s in AGENT.sources(place)] == [str(old)]
    new = write(chat(tmp_path), HEADER)
    assert [s.path for s in AGENT.sources(place)] == [str(new)]
    assert AGENT.source_at(old) is None


def test_prompts_of_deleted_sessions(tmp_path: Path) -> None:
    write(chat(tmp_path), HEADER, user("u1", 1, "hi"))
    entries = [
        {"sessionId": SID, "messageId": 0, "type": "user", "message": "hi", "timestamp": stamp(1)},
        {"sessionId": "deadbeef-1", "messageId": 0, "type": "user", "message": "/quit", "timestamp": stamp(2)},
        {"sessionId": "deadbeef-1", "messageId": 1, "type": "user", "message": "Feed the ducks\nplease", "timestamp": stamp(3)},
        "rubbish",
    ]  # fmt: skip
    (tmp_path / ".gemini/tmp/pond/logs.json").write_text(json.dumps(entries))
    (tmp_path / ".gemini/tmp/pond/checkpoint-tag.json").write_text("[]")
    logs = [s for s in AGENT.sources(Place(tmp_path, {}, "linux")) if s.kind == "logs"]
    (ghost,) = read_all(AGENT, logs[0]).values()
    assert ghost.info.ghost
    assert ghost.roles == ["system", "user"]
    assert ghost.texts() == ["Feed the ducks\nplease"]
    assert ghost.turns[1].time == 1772359203000
    assert AGENT.resume(ghost.info) is None


def test_saved_checkpoints_where_nothing_was_recorded(tmp_path: Path) -> None:
    folder = tmp_path / ".gemini/tmp/old"
    folder.mkdir(parents=True)
    history = [
        {"role": "user", "parts": [{"text": "Count"}]},
        {"role": "model", "parts": [{"functionCall": {"id": "c", "name": "ls", "args": {}}}]},
        {"role": "user", "parts": [{"functionResponse": {"id": "c", "response": {"output": "x"}}}]},
    ]
    (folder / "checkpoint-birds.json").write_text(json.dumps({"history": history}))
    (folder / "shell_history").write_text("ls")
    (source,) = AGENT.sources(Place(tmp_path, {}, "linux"))
    (session,) = read_all(AGENT, source).values()
    assert (session.info.title, session.roles) == ("birds", ["user", "assistant", "tool"])


@pytest.mark.parametrize(
    ("settings", "days"),
    [
        (None, 30),
        ("{}", 30),
        ("{broken", 30),
        ('{"general": {"sessionRetention": {"maxAge": "2w"}}}', 14),
        ('{"general": {"sessionRetention": {"maxAge": "12h"}}}', 1),
        ('{"general": {"sessionRetention": {"maxAge": "soon"}}}', 30),
        ('{"general": {"sessionRetention": {"enabled": false}}}', None),
    ],
)
def test_retention(tmp_path: Path, settings: str | None, days: int | None) -> None:
    (tmp_path / ".gemini").mkdir()
    if settings is not None:
        (tmp_path / ".gemini" / "settings.json").write_text(settings)
    assert AGENT.retention_days(Place(tmp_path, {}, "linux")) == days


def test_files_given_by_hand(tmp_path: Path) -> None:
    document = (FIXTURES / "session.json").read_bytes()
    assert AGENT.sniff(Path("anything.json"), document)
    log = write(tmp_path / "x.jsonl", HEADER).read_bytes()
    assert AGENT.sniff(Path("x.jsonl"), log)
    assert not AGENT.sniff(Path("x.jsonl"), b'{"sessionId":"x","uuid":"y","type":"user"}\n')
    assert not AGENT.sniff(Path("x.json"), b'{"messages":[]}')
    assert AGENT.source_at(tmp_path / "x.jsonl") is not None
    assert AGENT.source_at(tmp_path / ".gemini" / "settings.json") is None
    for content in (b"", b"[1]", b"\xff\xfe{"):
        (tmp_path / "bad.json").write_bytes(content)
        with pytest.raises(SourceError):
            read_all(AGENT, AGENT.source_at(tmp_path / "bad.json"))


def test_real_sessions() -> None:
    for path in found_real("gemini/*/*.json"):
        messages = json.loads(path.read_text())["messages"]
        (session,) = read_all(AGENT, AGENT.source_at(path)).values()
        assert session.coverage.records == len(messages)
        for role, kinds in (
            ("user", {"user"}),
            ("assistant", {"gemini"}),
            ("system", {"info", "error", "warning"}),
        ):
            assert session.roles.count(role) == sum(m["type"] in kinds for m in messages)
        calls = [c for m in messages for c in m.get("toolCalls") or []]
        assert [use.id for use in session.uses()] == [c["id"] for c in calls]
        assert sum(bool(r.is_error) for r in session.results()) == sum(
            c["status"] != "success" for c in calls
        )
        tokens = [m["tokens"] for m in messages if m.get("tokens")]
        assert session.usage.total == sum(t["total"] for t in tokens)
        assert session.usage.cache_read == sum(t["cached"] for t in tokens)
        texts = [
            m["content"]
            for m in messages
            if m["type"] in ("user", "gemini") and m["content"].strip()
        ]
        assert session.texts() == texts
        assert not session.coverage.unknown


def test_a_copy_beside_the_original(tmp_path: Path) -> None:
    original = chat(tmp_path)
    copy = write(original.with_name(f"{original.stem}.a1b2c3.jsonl"), *LOG)
    session = read_all(AGENT, AGENT.source_at(copy))[f"{SID}.a1b2c3"]
    resume = AGENT.resume(session.info)
    assert resume is not None
    assert resume.argv == ("gemini", "--resume", SID)


def test_every_wrong_shape(tmp_path: Path) -> None:
    path = write(chat(tmp_path), *LOG)
    assert torture_lines(AGENT, path) > 300
