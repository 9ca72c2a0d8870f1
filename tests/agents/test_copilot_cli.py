"""Copilot CLI's events."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hostile import torture_lines
from real import found_real
from session_reading import Reading, read_all, same

from sparrow_tui.agents.base import Place, SourceError
from sparrow_tui.agents.copilot_cli import AGENT
from sparrow_tui.model import Image, Notice, Raw, Reasoning, Text, Usage

SID = "4f1f6f0a-6a1c-4a3e-9a55-1c2d3e4f5a6b"


def event(
    kind: str, second: int, _more: dict[str, Any] | None = None, **data: Any
) -> dict[str, Any]:
    return {
        "type": kind, "data": data, "id": f"e{second}-{kind}", "timestamp": f"2026-03-01T10:00:{second:02}.000Z",
        "parentId": None, **(_more or {}),
    }  # fmt: skip


def metrics(**models: tuple[int, int, int, int, int]) -> dict[str, Any]:
    keys = ("inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens", "reasoningTokens")
    return {
        name.replace("_", "-"): {
            "requests": {"count": 1, "cost": 1},
            "usage": dict(zip(keys, figures, strict=True)),
        }
        for name, figures in models.items()
    }


LOG = [
    event("session.start", 0, sessionId=SID, copilotVersion="1.0.70", startTime="2026-03-01T10:00:00.000Z", selectedModel="big-model", context={"cwd": "/w/pond", "branch": "reeds", "repository": "bird/pond"}),
    event("hook.start", 1, hookType="x"),
    event("system.message", 1, content="You are a long prompt"),
    event("user.message", 2, content="Count the ducks", transformedContent="<now/>Count the ducks", attachments=[{"type": "image", "data": "AAAA", "mimeType": "image/png"}, {"type": "file", "path": "/w/pond/map.txt"}]),
    event("assistant.turn_start", 3, turnId="0"),
    event("assistant.message", 4, messageId="m1", model="big-model", content="I look.", reasoningText="Look first.", outputTokens=40, toolRequests=[{"toolCallId": "c1", "name": "bash", "arguments": {"command": "ls"}}, {"toolCallId": "c2", "name": "view", "arguments": {"path": "x"}}]),
    event("tool.execution_start", 5, toolCallId="c1", toolName="bash", arguments={"command": "ls"}),
    event("tool.execution_complete", 8, toolCallId="c1", success=True, result={"content": "two\n<exited with exit code 0>", "detailedContent": "two, at length"}),
    event("tool.execution_start", 8, toolCallId="c2", toolName="view", arguments={"path": "x"}),
    event("tool.execution_complete", 9, toolCallId="c2", success=False, error={"message": "no such file"}),
    event("tool.execution_start", 10, toolCallId="c3", toolName="bash", arguments={"command": "pwd"}),
    event("tool.execution_complete", 11, toolCallId="c3", success=True, result={"content": "/w/pond"}),
    event("assistant.reasoning", 12, content="Sum up."),
    event("assistant.message", 13, messageId="m2", model="big-model", content="Two ducks.", outputTokens=10, toolRequests=[]),
    event("session.shutdown", 14, shutdownType="routine", totalPremiumRequests=1.5, totalNanoAiu=70, modelMetrics=metrics(big_model=(1000, 55, 700, 100, 20), small_model=(30, 5, 0, 0, 0))),
    event("session.resume", 20, context={"cwd": "/w/pond", "branch": "nest"}),
    event("session.model_change", 21, newModel="small-model"),
    event("user.message", 22, content="Also geese"),
    event("session.error", 23, errorType="query", message="Model is asleep", statusCode=500),
    event("assistant.message", 24, messageId="m3", content="None.", outputTokens=7, toolRequests=[]),
    event("abort", 25, reason="user initiated"),
]  # fmt: skip


def chat(home: Path) -> Path:
    return home / ".copilot" / "session-state" / SID / "events.jsonl"


def write(path: Path, *records: Any, tail: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(r) + "\n" for r in records) + tail)
    return path


@pytest.mark.parametrize("named", ["", "small-model", "other-model"])
def test_closing_totals_hold_what_messages_told_under_another_name(
    tmp_path: Path, named: str
) -> None:
    told = {"model": named} if named else {}
    path = write(
        chat(tmp_path),
        event("session.start", 0, sessionId=SID),
        event("user.message", 1, content="Count the ducks"),
        event("assistant.message", 2, messageId="m1", content="I ask.", outputTokens=40, **told),
        event("assistant.message", 3, messageId="m2", content="Two.", outputTokens=5, parentToolCallId="c1", **told),
        event("session.shutdown", 4, modelMetrics=metrics(big_model=(100, 40, 0, 0, 0), small_model=(10, 6, 0, 0, 0))),
        event("session.resume", 5),
        event("assistant.message", 6, messageId="m3", content="Again.", outputTokens=7, **told),
    )  # fmt: skip
    sessions = read_all(AGENT, AGENT.source_at(path))
    assert sessions[SID].usage == Usage(110, 40 + 1 + 7)
    assert sessions[f"{SID}/c1"].usage == Usage(output=5)


def test_a_session(tmp_path: Path) -> None:
    path = write(chat(tmp_path), *LOG)
    (session,) = read_all(AGENT, AGENT.source_at(path)).values()
    info = session.info
    assert info.id == f"copilot:{SID}"
    assert (info.title, info.project, info.branch, info.model) == (
        None,
        "/w/pond",
        "nest",
        "small-model",
    )
    assert (info.created_at, info.updated_at) == (1772359200000, 1772359225000)
    assert info.extra == {
        "version": "1.0.70",
        "repository": "bird/pond",
        "premium_requests": 1.5,
        "nano_aiu": 70,
    }
    assert info.status == "waiting"
    assert session.roles == [
        "user",
        "assistant",
        "tool",
        "tool",
        "assistant",
        "tool",
        "assistant",
        "system",
        "system",
        "system",
        "user",
        "system",
        "assistant",
        "system",
    ]
    assert session.turns[0].blocks == [
        Text("Count the ducks"),
        Image("image/png", "AAAA", size=3),
        Notice("info", "Attached: /w/pond/map.txt"),
    ]
    assert session.turns[1].blocks[:2] == [Reasoning("Look first."), Text("I look.")]
    assert session.turns[6].blocks == [Reasoning("Sum up."), Text("Two ducks.")]
    assert [(u.id, u.name) for u in session.uses()] == [
        ("c1", "bash"),
        ("c2", "view"),
        ("c3", "bash"),
    ]
    assert [(r.tool_use_id, r.is_error, r.duration_ms, r.exit_code) for r in session.results()] == [
        ("c1", False, 3000, 0), ("c2", True, 1000, None), ("c3", False, 1000, None),
    ]  # fmt: skip
    assert session.results()[1].content == [Text("no such file")]
    assert session.turns[9].blocks == [Notice("model", "small-model")]
    assert session.turns[11].blocks == [Notice("error", "Model is asleep")]
    assert session.turns[11].api_error
    assert session.turns[13].blocks == [Notice("interruption", "user initiated")]
    coverage = session.coverage
    assert (coverage.records, coverage.kept, coverage.skipped, coverage.bad) == (21, 16, 5, 0)


def test_tokens_are_the_closing_totals_and_what_came_after(tmp_path: Path) -> None:
    (session,) = read_all(AGENT, AGENT.source_at(write(chat(tmp_path), *LOG))).values()
    # 1000 in of which 800 cached; 55 out of which 50 were on the messages; 7 of the open run.
    assert session.usage == Usage(
        input=230, output=67, cache_read=700, cache_write=100, reasoning=20
    )
    closing = [t for t in session.turns if t.usage and t.role == "system"]
    assert [(t.model, t.usage) for t in closing] == [
        ("big-model", Usage(input=200, output=5, cache_read=700, cache_write=100, reasoning=20)),
        ("small-model", Usage(input=30, output=5)),
    ]


def test_reading_on_line_by_line(tmp_path: Path) -> None:
    path, reading, emitted = chat(tmp_path), Reading(), []
    for number in range(1, len(LOG) + 1):
        write(path, *LOG[:number], tail='{"type": "half')
        emitted.append(reading.take(AGENT, AGENT.source_at(path)).emitted)
        same(reading.sessions, read_all(AGENT, AGENT.source_at(path)))
    assert max(emitted) <= 2
    assert sum(emitted) == len(reading.sessions[SID].turns)
    assert reading.take(AGENT, AGENT.source_at(path)).emitted == 0
    write(path, {**LOG[0], "id": "other"}, LOG[3])
    assert reading.take(AGENT, AGENT.source_at(path)).emitted == 1
    same(reading.sessions, read_all(AGENT, AGENT.source_at(path)))


TASK = {"description": "Count geese", "prompt": "How many geese?", "agent_type": "explore"}
WITH_AGENTS = [
    *LOG[:5],
    event("assistant.message", 30, messageId="t1", model="big-model", content="I ask.", outputTokens=9, toolRequests=[{"toolCallId": "t", "name": "task", "arguments": TASK}]),
    event("subagent.started", 31, toolCallId="t", agentName="explore", agentDisplayName="Explore"),
    event("assistant.turn_start", 31, parentToolCallId="t"),
    event("assistant.message", 32, messageId="s1", model="small-model", content="Looking.", outputTokens=4, parentToolCallId="t", toolRequests=[{"toolCallId": "g", "name": "grep", "arguments": {"q": "goose"}}, {"toolCallId": "n", "name": "task", "arguments": {"prompt": "And swans?"}}]),
    event("tool.execution_start", 33, toolCallId="g", toolName="grep", parentToolCallId="t"),
    event("subagent.started", 33, {"agentId": "a-7"}, toolCallId="n", agentName="swans"),
    event("user.message", 34, {"agentId": "a-7"}, content="And swans?"),
    event("assistant.message", 35, {"agentId": "a-7"}, messageId="s2", model="small-model", content="No swans.", outputTokens=2),
    event("tool.execution_complete", 36, toolCallId="n", success=True, parentToolCallId="t", result={"content": "No swans."}),
    event("tool.execution_complete", 36, toolCallId="g", success=True, parentToolCallId="t", result={"content": "1 goose"}),
    event("subagent.completed", 37, toolCallId="t", agentName="explore"),
    event("tool.execution_complete", 38, toolCallId="t", success=True, result={"content": "One goose."}),
    event("assistant.message", 39, messageId="t2", model="big-model", content="One.", outputTokens=3),
    event("session.shutdown", 40, modelMetrics=metrics(big_model=(100, 12, 0, 0, 0), small_model=(50, 6, 0, 0, 0))),
]  # fmt: skip


def test_sub_agents_are_sessions_below_their_parent(tmp_path: Path) -> None:
    path, reading = chat(tmp_path), Reading()
    for number in range(1, len(WITH_AGENTS) + 1):
        write(path, *WITH_AGENTS[:number])
        assert reading.take(AGENT, AGENT.source_at(path)).emitted <= 2
        same(reading.sessions, read_all(AGENT, AGENT.source_at(path)))
    main, geese = reading.sessions[SID], reading.sessions[f"{SID}/t"]
    swans = reading.sessions[f"{SID}/n"]
    assert main.texts() == ["Count the ducks", "I ask.", "One."]
    assert main.info.model == "big-model"
    (result,) = main.results()
    assert (result.child, result.content) == (f"copilot:{SID}/t", [Text("One goose.")])
    assert geese.roles == ["assistant", "tool", "tool"]
    assert (geese.info.title, geese.info.project) == ("Count geese", "/w/pond")
    assert (geese.info.parent, geese.info.parent_tool_use) == (f"copilot:{SID}", "t")
    assert geese.info.created_at == 1772359231000
    assert [(r.tool_use_id, r.child) for r in geese.results()] == [
        ("n", f"copilot:{SID}/n"), ("g", ""),
    ]  # fmt: skip
    assert (swans.info.parent, swans.info.title) == (f"copilot:{SID}/t", "swans")
    assert swans.texts() == ["And swans?", "No swans."]
    assert not swans.turns[0].meta
    everything = main.usage + geese.usage + swans.usage
    assert (everything.input, everything.output) == (150, 18)
    counted = [session.coverage for session in reading.sessions.values()]
    assert sum(coverage.records for coverage in counted) == len(WITH_AGENTS)
    resume = AGENT.resume(swans.info)
    assert resume is not None
    assert resume.argv == ("copilot", "--resume", SID)


@pytest.mark.parametrize(
    ("yaml", "title"),
    [
        ("id: x\nname: Ducks of the pond\nsummary: other\n", "Ducks of the pond"),
        ('summary: "Ducks: \\"all\\""\n', 'Ducks: "all"'),
        ("summary: |-\n  Ducks\n  and geese\ncwd: /w\n", "Ducks and geese"),
        ("summary: 'it''s'\nname: null\n", "it's"),
        ("\x00\xff: [", "Named by event"),
    ],
)
def test_titles(tmp_path: Path, yaml: str, title: str) -> None:
    path = write(chat(tmp_path), *LOG, event("session.title_changed", 30, title="Named by event"))
    reading = Reading().take(AGENT, AGENT.source_at(path))
    assert reading.sessions[SID].info.title == "Named by event"
    before = AGENT.source_at(path)
    path.with_name("workspace.yaml").write_text(yaml)
    after = AGENT.source_at(path.with_name("workspace.yaml"))
    assert before is not None
    assert after is not None
    assert (after.path, after.stamp != before.stamp) == (before.path, True)
    reading.take(AGENT, after)
    assert reading.sessions[SID].info.title == title
    assert reading.emitted == 0


def test_ended_and_killed_sessions(tmp_path: Path) -> None:
    path = write(chat(tmp_path), *LOG[:15])
    assert read_all(AGENT, AGENT.source_at(path))[SID].info.status == "ended"
    write(path, *LOG[:7])
    assert read_all(AGENT, AGENT.source_at(path))[SID].info.status == "working"
    os.utime(path, (1, 1))
    assert read_all(AGENT, AGENT.source_at(path))[SID].info.status == "unclean"


def test_hostile_and_unknown_events(tmp_path: Path) -> None:
    path = write(chat(tmp_path), LOG[0])
    with path.open("ab") as file:
        file.write(b'{"broken\n[]\n\xff\n{"type":"user.message","data":7}\n{}\n')
        file.write(json.dumps(event("hologram.beam", 3, beam=1)).encode() + b"\n")
        file.write(
            json.dumps(
                event("user.message", 4, content="\x1b[31m \ud83d \x00", source="agent-x")
            ).encode()
            + b"\n"
        )
        file.write(
            json.dumps(
                event("session.shutdown", 5, modelMetrics={"m": {"requests": 2}, "n": 7})
            ).encode()
            + b"\n"
        )
    (session,) = read_all(AGENT, AGENT.source_at(path)).values()
    coverage = session.coverage
    assert (coverage.records, coverage.bad) == (9, 3)
    assert coverage.unknown == {"": 1, "hologram.beam": 1}
    assert isinstance(session.turns[1].blocks[0], Raw)
    assert session.turns[2].meta
    assert session.usage == Usage()


def test_older_places(tmp_path: Path) -> None:
    state = tmp_path / ".copilot" / "session-state"
    write(chat(tmp_path), *LOG)
    write(
        state / "loose.jsonl", {**LOG[0], "data": {**LOG[0]["data"], "sessionId": "loose"}}, LOG[3]
    )
    write(state / f"{SID}.jsonl", LOG[0])
    (state / SID / "checkpoints").mkdir()
    old = tmp_path / ".copilot" / "history-session-state" / "session_1.json"
    write(old, {
        "sessionId": "old", "startTime": "2025-10-08T21:10:16.000Z",
        "chatMessages": [
            {"role": "system", "content": "long"}, {"role": "user", "content": "hi"},
            {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "function": {"name": "ls", "arguments": '{"p": 1}'}}]},
            {"role": "tool", "tool_call_id": "c", "content": "x"}, 7,
        ],
    })  # fmt: skip
    found: dict[str, Any] = {}
    for source in AGENT.sources(Place(tmp_path, {}, "linux")):
        assert AGENT.sniff(Path(source.path), Path(source.path).read_bytes())
        found.update(read_all(AGENT, source))
    assert set(found) == {SID, "loose", "old"}
    assert found["old"].roles == ["user", "assistant", "tool"]
    assert found["old"].uses()[0].input == {"p": 1}
    assert (found["old"].coverage.bad, found["old"].coverage.skipped) == (1, 1)
    resume = AGENT.resume(found[SID].info)
    assert resume is not None
    assert (resume.argv, resume.directory) == (("copilot", "--resume", SID), "/w/pond")
    assert AGENT.roots(Place(tmp_path, {"COPILOT_HOME": "/x"}, "linux"))[0] == Path(
        "/x/session-state"
    )
    assert AGENT.source_at(tmp_path / ".copilot" / "config.json") is None
    old.write_text("[]")
    with pytest.raises(SourceError):
        read_all(AGENT, AGENT.source_at(old))


def test_the_older_forms_timeline(tmp_path: Path) -> None:
    def entry(kind: str, second: int, **more: Any) -> dict[str, Any]:
        return {
            "id": f"t{second}", "timestamp": f"2025-10-08T21:10:{second:02}.000Z", "type": kind, **more,
        }  # fmt: skip

    answered = {"callId": "c", "name": "ls", "arguments": {"p": 1}}
    path = write(tmp_path / ".copilot" / "history-session-state" / "session_1.json", {
        "sessionId": "old", "startTime": "2025-10-08T21:10:16.000Z", "selectedModel": "big-model",
        "chatMessages": [
            {"role": "user", "content": "hi\n\n<reminder>Be quick.</reminder>"},
            {"role": "tool", "tool_call_id": "c", "content": "no such pond"},
        ],
        "timeline": [
            entry("info", 1, text="Logged in as user: bird"), entry("user", 2, text="hi"),
            entry("error", 3, text="Model call failed: rate limit exceeded"),
            entry("tool_call_requested", 4, **answered),
            entry("tool_call_completed", 5, **answered, result={"type": "failure", "log": "no such pond"}),
            entry("copilot", 6, text="Nothing there."), entry("dance", 7), 7,
        ],
    })  # fmt: skip
    (session,) = read_all(AGENT, AGENT.source_at(path)).values()
    assert session.roles == ["system", "user", "system", "assistant", "tool", "assistant", "system"]
    assert session.texts() == ["hi", "Nothing there."]
    assert session.turns[1].time == 1759957802000
    assert session.turns[2].api_error
    assert [(r.tool_use_id, r.is_error) for r in session.results()] == [("c", True)]
    assert (session.info.model, session.info.updated_at) == ("big-model", 1759957807000)
    assert session.coverage.unknown == {"dance": 1}
    assert (session.coverage.bad, session.coverage.skipped) == (1, 2)


def test_real_sessions() -> None:
    for path in found_real("copilot-cli/*/*/events.jsonl"):
        events = [json.loads(line) for line in path.read_text().splitlines()]
        (session,) = read_all(AGENT, AGENT.source_at(path)).values()
        of = {
            kind: [e["data"] for e in events if e["type"] == kind]
            for kind in {e["type"] for e in events}
        }
        assert session.coverage.records == len(events)
        assert not session.coverage.unknown
        assert session.roles.count("user") == len(of["user.message"])
        calls = [r["toolCallId"] for m in of["assistant.message"] for r in m["toolRequests"]]
        assert [use.id for use in session.uses()] == calls
        done = of.get("tool.execution_complete", [])
        assert [(r.tool_use_id, r.is_error) for r in session.results()] == [
            (d["toolCallId"], not d["success"]) for d in done
        ]
        said = [
            m["content"]
            for e in events
            for m in [e["data"]]
            if e["type"] in ("user.message", "assistant.message") and m["content"].strip()
        ]
        assert session.texts() == said
        totals = [
            u["usage"] for d in of.get("session.shutdown", []) for u in d["modelMetrics"].values()
        ]
        on_messages = sum(m.get("outputTokens", 0) for m in of["assistant.message"])
        assert session.usage.output == max(on_messages, sum(u["outputTokens"] for u in totals))
        assert session.usage.input + session.usage.cache_read + session.usage.cache_write == sum(
            u["inputTokens"] for u in totals
        )


def test_a_copy_beside_the_original(tmp_path: Path) -> None:
    copy = write(chat(tmp_path).with_name("events.a1b2c3.jsonl"), *LOG)
    session = read_all(AGENT, AGENT.source_at(copy))[f"{SID}.a1b2c3"]
    resume = AGENT.resume(session.info)
    assert resume is not None
    assert resume.argv == ("copilot", "--resume", SID)


def test_every_wrong_shape(tmp_path: Path) -> None:
    assert torture_lines(AGENT, write(chat(tmp_path), *LOG)) > 500
    assert torture_lines(AGENT, write(chat(tmp_path), *WITH_AGENTS[5:])) > 500
