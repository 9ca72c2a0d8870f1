"""What Kiro's editor kept before version 1.0."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hostile import adds_up, mutations, torture_document
from session_reading import Session, read_all

from sparrow_tui.agents.base import Place, SourceError
from sparrow_tui.agents.kiro import AGENT
from sparrow_tui.model import Image, Reasoning, Text

T = 1760000000000
SID = "7c1e2f30-4a5b-4c6d-8e7f-90a1b2c3d4e5"
WORKSPACE = "/home/ada/pond?>"
HISTORY: list[dict[str, Any]] = [
    {"message": {"role": "user", "id": "u1", "content": [
        {"type": "text", "text": "<EnvironmentContext>\nfiles\n</EnvironmentContext>Count the ducks"},
        {"type": "imageUrl", "imageUrl": {"url": "data:image/png;base64,AAAA"}},
    ]}},
    {"message": {"role": "assistant", "id": "a1", "content": "On it."}, "executionId": "e-1"},
    {"message": {"role": "user", "content": "And geese?"}},
    {"message": {"role": "assistant", "content": "On it."}, "executionId": "e-2"},
    {"message": {"role": "user", "content": "And swans?"}},
    {"message": {"role": "assistant", "content": "None."}, "executionId": "e-lost"},
]  # fmt: skip
LOG: dict[str, Any] = {
    "executionId": "e-1", "chatSessionId": SID, "status": "succeed", "startTime": T, "endTime": T + 9000,
    "completionOptions": {"modelId": "claude-sonnet-4.5"},
    "actions": [
        {"actionType": "intentClassification", "input": {}, "output": {"classification": "do"}},
        {"actionType": "model", "input": {}, "output": {}},
        {"actionType": "reasoning", "output": {"message": "Look first."}, "emittedAt": T + 1000},
        {"actionType": "say", "output": {"message": "I look."}, "emittedAt": T + 2000},
        {"actionType": "runCommand", "actionId": "c1", "actionState": "Success", "input": {"command": "wc"}, "output": {"output": "2", "exitCode": 0}},
        {"actionType": "mcp", "actionId": "c2", "actionState": "Error", "input": {"toolName": "birds", "toolArgs": {"n": 1}}, "output": {"response": "asleep"}},
        {"actionType": "readFiles", "actionId": "c3", "actionState": "Rejected", "input": {"files": [{"path": "x"}]}},
        {"actionType": "invokeSubAgent", "actionId": "c4", "input": {"prompt": "Recount"}, "output": {"executionId": "e-sub"}},
        {"actionType": "say", "output": "Two ducks.", "emittedAt": T + 8000},
    ],
    "usageSummary": [{"usage": 0.25, "unit": "credit"}, {"usage": 0.5, "unit": "credit"}, {"usedTools": ["x"]}],
}  # fmt: skip
BELOW = {"executionId": "e-sub", "actions": [{"actionType": "say", "output": {"message": "Two."}}]}
CHAT: dict[str, Any] = {
    "executionId": "e-2", "actionId": "act",
    "chat": [
        {"role": "human", "content": "<identity>\nYou are Kiro\n</identity>"},
        {"role": "bot", "content": "I will follow these instructions."},
        {"role": "tool", "content": "You are in a workspace"},
        {"role": "human", "content": "<kiro-ide-message>\nAnd geese?\n</kiro-ide-message>"},
        {"role": "bot", "content": "One goose."},
    ],
    "metadata": {"modelId": "claude-sonnet-4", "startTime": T + 20000, "endTime": T + 30000},
}  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / ".config" / "Kiro" / "User" / "globalStorage" / "kiro.kiroagent"


@pytest.fixture
def session(store: Path) -> Path:
    """A session whose workspace's name has every sign base64 is rewritten for."""
    name = base64.b64encode(WORKSPACE.encode()).decode()
    assert "/" in name
    assert name.endswith("=")
    folder = name.translate(str.maketrans("+/=", "-__"))
    path = put(store / "workspace-sessions" / folder / f"{SID}.json", {
        "sessionId": SID, "title": "New session", "selectedModel": "auto", "history": HISTORY,
    })  # fmt: skip
    put(path.with_name("sessions.json"), [
        {"sessionId": SID, "title": "Ducks", "dateCreated": str(T - 5000)}, 7,
    ])  # fmt: skip
    put(path.with_name("migrated.json"), {"migratedAt": T, "v2SessionId": "sess_1"})
    workspace = store / hashlib.sha256(WORKSPACE.encode()).hexdigest()[:32]
    logs = workspace / hashlib.sha256(b"KIRO::EXECUTION::SAVES").hexdigest()[:32]
    put(logs / "one", LOG)
    put(logs / "two.json", BELOW)
    put(workspace / "snapshot.chat", {**CHAT, "chat": CHAT["chat"][:4]})
    put(workspace / "whole.chat", CHAT)
    return path


def put(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return path


def only(path: Path) -> Session:
    (session,) = read_all(AGENT, AGENT.source_at(path)).values()
    return session


def test_a_session_with_its_executions(session: Path) -> None:
    read = only(session)
    info = read.info
    assert (info.id, info.title, info.project) == (f"kiro:{SID}", "Ducks", WORKSPACE)
    assert (info.created_at, info.updated_at) == (T - 5000, T + 20000)
    assert info.extra == {"editor": True, "credits": 0.75}
    assert read.roles == [
        *("user", "user", "assistant", "tool", "assistant", "tool", "assistant", "tool"),
        *("assistant", "tool", "assistant", "user", "assistant", "user", "assistant"),
    ]
    assert [turn.meta for turn in read.turns[:2]] == [True, False]
    assert read.turns[1].blocks == [Text("Count the ducks"), Image("image/png", "AAAA", size=3)]
    assert (read.turns[0].time, read.turns[2].time) == (T, T + 1000)
    assert read.turns[2].blocks[:2] == [Reasoning("Look first."), Text("I look.")]
    assert read.turns[2].model == "claude-sonnet-4.5"
    assert read.texts()[1:] == [
        *("Count the ducks", "I look.", "Two.", "Two ducks."),
        *("And geese?", "One goose.", "And swans?", "None."),
    ]
    assert [(use.id, use.name, use.input) for use in read.uses()] == [
        ("c1", "runCommand", {"command": "wc"}), ("c2", "birds", {"n": 1}),
        ("c3", "readFiles", {"files": [{"path": "x"}]}), ("c4", "invokeSubAgent", {"prompt": "Recount"}),
    ]  # fmt: skip
    results = [(r.tool_use_id, r.is_error, r.exit_code) for r in read.results()]
    assert results[:3] == [("c1", False, 0), ("c2", True, None), ("c3", True, None)]
    assert read.results()[0].content == [Text("2")]
    assert (read.coverage.records, read.coverage.kept, read.coverage.unknown) == (6, 6, {})
    assert AGENT.resume(info) is None


def test_sources(session: Path, store: Path, tmp_path: Path) -> None:
    found = list(AGENT.sources(Place(tmp_path, {}, "linux")))
    names = {Path(source.path).name for source in found}
    assert names == {f"{SID}.json", "migrated.json", "snapshot.chat", "whole.chat"}
    assert AGENT.source_at(session) in found
    assert AGENT.source_at(session.with_name("sessions.json")) is None
    read: dict[str, Session] = {}
    for source in found:
        read.update(read_all(AGENT, source))
    assert set(read) == {SID}  # the chats are of an execution it names
    for path in (session, *store.glob("*/*.chat")):
        assert AGENT.sniff(path, path.read_bytes())
    assert not AGENT.sniff(Path("x.chat"), b"hello")
    before = AGENT.source_at(session)
    (log,) = store.glob("*/*/one")
    os.utime(log, ns=(T * 10**6, 2 * T * 10**6))
    assert AGENT.source_at(session) != before


def test_a_chat_that_no_session_tells(session: Path, store: Path) -> None:
    (folder,) = {path.parent for path in store.glob("*/*.chat")}
    read = only(put(folder / "early.chat", {**CHAT, "executionId": "e-0"}))
    assert (read.info.id, read.info.project) == ("kiro:e-0", WORKSPACE)
    assert (read.info.model, read.info.created_at) == ("claude-sonnet-4", T + 20000)
    assert [(turn.role, turn.meta) for turn in read.turns] == [
        ("user", True), ("assistant", True), ("tool", False), ("user", False), ("assistant", False),
    ]  # fmt: skip
    assert read.texts()[2:] == ["And geese?", "One goose."]


def test_what_is_no_session(session: Path, store: Path) -> None:
    put(session, {"sessionId": SID})
    with pytest.raises(SourceError):
        only(session)
    with pytest.raises(SourceError):
        only(put(store / ("0" * 32) / "x.chat", {"executionId": "x"}))


def test_every_wrong_shape(session: Path, store: Path) -> None:
    whole = session.read_text()
    assert torture_document(AGENT, session, json.loads(whole)) > 100
    session.write_text(whole)
    (folder,) = {path.parent for path in store.glob("*/*.chat")}
    early = {**CHAT, "executionId": "e-0"}
    assert torture_document(AGENT, put(folder / "early.chat", early), early) > 50
    (log,) = store.glob("*/*/one")
    for changed in mutations(LOG):
        put(log, changed)
        adds_up(read_all(AGENT, AGENT.source_at(session)))
