"""Copilot Chat's files in VS Code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hostile import torture_document
from session_reading import Reading, Session, read_all, same

from sparrow_tui.agents.base import Place, SourceError
from sparrow_tui.agents.copilot_vscode import AGENT
from sparrow_tui.agents.vscode_log import apply
from sparrow_tui.agents.vscode_places import path_of
from sparrow_tui.model import Image, Notice, Raw, Reasoning, Text, Usage

T0 = 1_772_359_200_000
SID = "2d9e6f10-3b1c-4f9e-8d11-9a8b7c6d5e4f"
TOOL = {
    "kind": "toolInvocationSerialized", "toolCallId": "c1__vscode-1", "toolId": "run_in_terminal", "isComplete": True,
    "invocationMessage": {"value": "Running ls"},
    "toolSpecificData": {"kind": "terminal", "commandLine": {"original": "ls"}, "terminalCommandState": {"exitCode": 0}},
}  # fmt: skip
SHOWN = {
    "kind": "toolInvocationSerialized", "toolCallId": "c2", "toolId": "read", "isComplete": True,
    "resultDetails": {"input": '{"path": "x"}', "isError": True, "output": [{"type": "embed", "value": "no such file"}, {"mimeType": "image/png", "base64Data": "AAAA"}]},
}  # fmt: skip
FIRST = {
    "requestId": "request_1", "responseId": "response_1", "timestamp": T0 + 1000, "modelId": "copilot/big-model",
    "message": {"text": "Count the ducks", "parts": []},
    "variableData": {"variables": [{"kind": "file", "name": "pond.txt"}]},
    "response": [
        {"kind": "mcpServersStarting"},
        {"kind": "thinking", "value": ["Look", "first."]},
        {"value": "In "},
        {"kind": "inlineReference", "inlineReference": {"path": "/w/pond/pond.txt", "scheme": "file"}},
        {"kind": "markdownContent", "content": {"value": " there are"}},
        TOOL,
        SHOWN,
        {"kind": "textEditGroup", "uri": {"fsPath": "/w/pond/a.py"}, "edits": []},
        {"value": "two."},
    ],
    "result": {
        "timings": {"totalElapsed": 4000},
        "metadata": {
            "promptTokens": 100, "outputTokens": 20, "resolvedModel": "big-model-2026",
            "toolCallRounds": [{"toolCalls": [{"id": "c1", "name": "run_in_terminal", "arguments": '{"command": "ls pond"}'}, {"id": "c3", "name": "think", "arguments": "{}"}]}],
            "toolCallResults": {"c1": {"content": [{"value": {"node": {"children": [{"text": "duck1 "}, {"children": [{"text": "duck2"}]}]}}}]}},
        },
    },
}  # fmt: skip
SECOND = {
    "requestId": "request_2",
    "timestamp": T0 + 9000,
    "message": {"parts": [{"text": "And "}, {"text": "geese?"}]},
    "modelId": "copilot/auto",
    "response": [{"value": "No"}],
    "isSystemInitiated": True,
}
STATE = {
    "version": 3,
    "sessionId": SID,
    "creationDate": T0,
    "customTitle": "Ducks of the pond",
    "responderUsername": "GitHub Copilot",
    "requests": [FIRST, SECOND],
}
LOG = [
    {"kind": 0, "v": {**STATE, "customTitle": None, "requests": []}},
    {"kind": 1, "k": ["inputState"], "v": {"text": "dra"}},
    {"kind": 2, "k": ["requests"], "v": [{**FIRST, "response": [], "result": None}]},
    {
        "kind": 2,
        "k": ["requests", 0, "response"],
        "v": [*FIRST["response"][:4], {"value": "to be dropped"}],
    },
    {"kind": 2, "k": ["requests", 0, "response"], "v": FIRST["response"][4:], "i": 4},
    {"kind": 1, "k": ["requests", 0, "result"], "v": FIRST["result"]},
    {"kind": 1, "k": ["customTitle"], "v": "Ducks of the pond"},
    {"kind": 2, "k": ["requests"], "v": [{**SECOND, "message": {"text": "A question taken back"}}]},
    {"kind": 2, "k": ["requests"], "v": [SECOND], "i": 1},
    {"kind": 3, "k": ["inputState"]},
]


def user_dir(home: Path) -> Path:
    return home / ".config" / "Code" / "User"


def chat(home: Path, suffix: str) -> Path:
    path = user_dir(home) / "workspaceStorage" / "abc123" / "chatSessions" / f"{SID}{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    (path.parent.parent / "workspace.json").write_text('{"folder": "file:///w/my%20pond"}')
    return path


def write_log(path: Path, *entries: Any, tail: str = "") -> Path:
    path.write_text(
        "".join(json.dumps(entry, separators=(",", ":")) + "\n" for entry in entries) + tail
    )
    return path


def check(session: Session) -> None:
    info = session.info
    assert info.id == f"copilot-vscode:{SID}"
    assert (info.title, info.project, info.model) == ("Ducks of the pond", "/w/my pond", "auto")
    assert (info.created_at, info.updated_at) == (T0, T0 + 9000)
    assert session.roles == ["user", "assistant", "tool", "user", "assistant"]
    assert session.turns[0].blocks == [
        Text("Count the ducks"),
        Notice("info", "Attached: pond.txt"),
    ]
    answer = session.turns[1]
    assert (answer.model, answer.duration_ms, answer.uid) == ("big-model-2026", 4000, "response_1")
    assert answer.blocks[:2] == [Reasoning("Look\nfirst."), Text("In `pond.txt` there are")]
    assert [(u.id, u.name, u.input) for u in session.uses()] == [
        ("c1", "run_in_terminal", {"command": "ls pond"}), ("c2", "read", {"path": "x"}), ("c3", "think", {}),
    ]  # fmt: skip
    assert answer.blocks[4:6] == [Notice("info", "Edited: /w/pond/a.py"), Text("two.")]
    first, second = session.results()
    assert (first.content, first.is_error, first.exit_code) == ([Text("duck1 duck2")], False, 0)
    assert (second.content, second.is_error) == (
        [Text("no such file"), Image("image/png", "AAAA", size=3)],
        True,
    )
    assert session.texts()[-2:] == ["And geese?", "No"]
    assert session.turns[3].meta
    assert session.usage == Usage(input=100, output=20)
    assert (session.coverage.records, session.coverage.kept, session.coverage.bad) == (2, 2, 0)


def test_a_document(tmp_path: Path) -> None:
    path = chat(tmp_path, ".json")
    path.write_text(json.dumps(STATE))
    (source,) = AGENT.sources(Place(tmp_path, {}, "linux"))
    assert AGENT.sniff(path, path.read_bytes())
    (session,) = read_all(AGENT, source).values()
    check(session)
    assert AGENT.resume(session.info) is None
    assert AGENT.no_resume


def test_a_log(tmp_path: Path) -> None:
    chat(tmp_path, ".json").write_text("{}")
    path = write_log(chat(tmp_path, ".jsonl"), *LOG)
    (source,) = AGENT.sources(Place(tmp_path, {}, "linux"))
    assert source.path == str(path)
    assert AGENT.sniff(path, path.read_bytes())
    (session,) = read_all(AGENT, source).values()
    check(session)


def test_reading_on_line_by_line(tmp_path: Path) -> None:
    path, reading, emitted = chat(tmp_path, ".jsonl"), Reading(), []
    for number in range(1, len(LOG) + 1):
        write_log(path, *LOG[:number], tail='{"kind":2,"k":[')
        emitted.append(reading.take(AGENT, AGENT.source_at(path)).emitted)
        same(reading.sessions, read_all(AGENT, AGENT.source_at(path)))
    check(reading.sessions[SID])
    assert emitted[6:] == [0, 2, 2, 0]  # a title; a new request; its replacement; nothing of ours
    assert reading.take(AGENT, AGENT.source_at(path)).emitted == 0
    # VS Code replaces a long log by one line with the whole state.
    write_log(path, {"kind": 0, "v": STATE})
    reading.take(AGENT, AGENT.source_at(path))
    check(reading.sessions[SID])
    with path.open("a") as file:
        file.write('{"kind":2,"k":["requests"],"i":1}\n')
    reading.take(AGENT, AGENT.source_at(path))
    assert len(reading.sessions[SID].turns) == 3
    same(reading.sessions, read_all(AGENT, AGENT.source_at(path)))


def test_failures_and_unknown_parts(tmp_path: Path) -> None:
    requests = [
        {"message": "plain", "response": "old string", "timestamp": T0},
        {"message": {"text": "x"}, "response": [{"kind": "hologram", "beam": 1}, 7, {"kind": "warning", "content": {"value": "hot"}}], "result": {"errorDetails": {"message": "overloaded"}}},
        {"message": {"text": "y"}, "response": None, "modelState": {"value": 2}},
        {"message": {"text": "\x1b[31m \ud83d"}, "response": [{"kind": "toolInvocationSerialized", "toolCallId": "t", "toolId": "x", "invocationMessage": "Doing"}]},
        "rubbish", {},
    ]  # fmt: skip
    path = chat(tmp_path, ".json")
    path.write_text(json.dumps({**STATE, "requests": requests}))
    (session,) = read_all(AGENT, AGENT.source_at(path)).values()
    assert session.turns[1].blocks == [Text("old string")]
    assert session.turns[3].blocks == [
        Raw("hologram", {"kind": "hologram", "beam": 1}),
        Raw("response", 7),
        Notice("info", "hot"),
        Notice("error", "overloaded"),
    ]
    assert session.turns[3].api_error
    assert session.turns[5].blocks == [Notice("interruption", "Cancelled.")]
    assert session.uses()[0].input == {"description": "Doing"}
    assert session.results() == []
    coverage = session.coverage
    assert (coverage.records, coverage.kept, coverage.skipped, coverage.bad) == (6, 4, 1, 1)
    assert coverage.unknown == {"part hologram": 1, "part response": 1}


def test_what_is_attached_and_what_older_versions_wrote(tmp_path: Path) -> None:
    attached = [
        {"kind": "image", "name": "duck.png", "mimeType": "image/jpeg", "value": {"0": 0, "1": 16, "2": 131}},
        {"kind": "image", "name": "pond.png", "value": {"$base64": "AAAA"}},
        {"kind": "image", "name": "lost.png", "value": {"0": "x"}},
        {"kind": "paste", "name": "Pasted Code"},
        {"kind": "implicit", "name": "file:open.py"},
        {"isFile": True, "name": "file:old.py"},
        {"kind": ["file"], "name": "odd"},
    ]  # fmt: skip
    sub = {
        "kind": "toolInvocationSerialized", "toolCallId": "s", "toolId": "runSubagent", "isComplete": True,
        "toolSpecificData": {"kind": "subagent", "agentName": "Plan", "prompt": "Think", "result": "Done."},
    }  # fmt: skip
    raw = {
        "kind": "toolInvocationSerialized", "toolCallId": "m", "toolId": "mcp", "isComplete": True,
        "toolSpecificData": {"kind": "input", "rawInput": {"q": 1}},
    }  # fmt: skip
    requests = [
        {"message": "hi", "response": ["old ", {"value": "string"}], "responseErrorDetails": {"message": "no network"}},
        {
            "message": {"text": "x"}, "variableData": {"variables": attached}, "response": [sub, raw],
            "timestamp": T0, "modelState": {"value": 1, "completedAt": T0 + 2500},
        },
        {"message": {"text": "taken back"}, "response": [{"value": "so"}], "shouldBeRemovedOnSend": {"requestId": "r"}},
    ]  # fmt: skip
    path = chat(tmp_path, ".json")
    path.write_text(json.dumps({**STATE, "requests": requests[:2]}))
    (session,) = read_all(AGENT, AGENT.source_at(path)).values()
    assert session.turns[1].blocks == [Text("old string"), Notice("error", "no network")]
    assert session.turns[2].blocks == [
        Text("x"),
        Image("image/jpeg", "ABCD", size=3),
        Image("image/png", "AAAA", size=3),
        Notice("info", "Attached: lost.png"),
        Notice("info", "Attached: Pasted Code"),
        Notice("info", "Attached: file:old.py"),
    ]
    assert [use.input for use in session.uses()] == [
        {"agentName": "Plan", "prompt": "Think"},
        {"q": 1},
    ]
    assert session.results()[0].content == [Text("Done.")]
    assert (session.turns[3].duration_ms, session.info.updated_at) == (2500, T0 + 2500)
    path.write_text(json.dumps({**STATE, "requests": requests}))
    (session,) = read_all(AGENT, AGENT.source_at(path)).values()
    assert [turn.branch for turn in session.turns[-2:]] == [True, True]
    assert torture_document(AGENT, path, {**STATE, "requests": requests}) > 300


def test_broken_files(tmp_path: Path) -> None:
    path = write_log(
        chat(tmp_path, ".jsonl"),
        LOG[0],
        "rubbish",
        {"kind": 9},
        {"kind": 2, "k": ["requests", 99, "response"], "v": []},
        {"kind": 1, "k": []},
        LOG[2],
    )
    reading = Reading().take(AGENT, AGENT.source_at(path))
    assert reading.sessions[SID].coverage.bad == 4
    same(reading.sessions, read_all(AGENT, AGENT.source_at(path)))
    for content in (b"", b"[]", b"\xff\n", b'{"kind":1,"k":["a"],"v":1}\n'):
        path.write_bytes(content)
        with pytest.raises(SourceError):
            read_all(AGENT, AGENT.source_at(path))


@pytest.mark.parametrize(
    "entry",
    [
        {"kind": 1, "k": ["a", "b"], "v": 1},
        {"kind": 2, "k": ["n"], "v": [1], "i": "x"},
        {"kind": 1, "k": ["l", 9], "v": 1},
        {"k": 1},
    ],
)
def test_changes_that_do_not_fit(entry: dict[str, Any]) -> None:
    state = {"a": 1, "l": [], "n": [2]}
    if entry.get("i") == "x":
        assert apply(state, entry)["n"] == [2, 1]
    else:
        with pytest.raises(ValueError, match="no such"):
            apply(state, entry)


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///w/my%20pond", "/w/my pond"),
        ("file:///c%3A/Users/duck", "c:\\Users\\duck"),
        ("vscode-remote://wsl%2Bubuntu/home/duck", "/home/duck"),
        ({"fsPath": "/w"}, "/w"),
        (None, ""),
        (7, ""),
        ("http://[broken", ""),
    ],
)
def test_addresses(uri: Any, path: str) -> None:
    assert path_of(uri) == path


@pytest.mark.parametrize(
    ("platform", "env", "folder"),
    [
        ("linux", {}, ".config/Code - Insiders/User"),
        ("darwin", {}, "Library/Application Support/VSCodium/User"),
        ("win32", {"APPDATA": "{home}/Roaming"}, "Roaming/Code/User"),
        ("linux", {}, ".vscode-server/data/User"),
        ("linux", {}, ".local/share/code-server/User"),
        ("linux", {"VSCODE_PORTABLE": "{home}/stick"}, "stick/user-data/User"),
        ("darwin", {"VSCODE_APPDATA": "{home}/data"}, "data/Code/User"),
    ],
)
def test_places(tmp_path: Path, platform: str, env: dict[str, str], folder: str) -> None:
    user = tmp_path / folder
    empty = user / "globalStorage" / "emptyWindowChatSessions" / "e.json"
    empty.parent.mkdir(parents=True)
    empty.write_text(json.dumps({**STATE, "workingDirectory": "file:///w/elsewhere"}))
    multi = user / "workspaceStorage" / "m" / "chatSessions" / "m.jsonl"
    multi.parent.mkdir(parents=True)
    write_log(multi, LOG[0], LOG[2])
    (multi.parent.parent / "workspace.json").write_text(
        '{"workspace": "file:///w/all/ponds.code-workspace"}'
    )
    (user / "workspaceStorage" / "m" / "state.json").write_text("{}")
    env = {key: value.format(home=tmp_path) for key, value in env.items()}
    found = {s.path: s for s in AGENT.sources(Place(tmp_path, env, platform))}
    assert set(found) == {str(empty), str(multi)}
    assert next(iter(read_all(AGENT, found[str(empty)]).values())).info.project == "/w/elsewhere"
    assert next(iter(read_all(AGENT, found[str(multi)]).values())).info.project == "/w/all"
    assert AGENT.source_at(user / "workspaceStorage" / "m" / "state.json") is None


def test_every_wrong_shape(tmp_path: Path) -> None:
    assert torture_document(AGENT, chat(tmp_path, ".json"), {**STATE, "requests": [FIRST]}) > 300


def test_calls_shown_under_ids_of_their_own_are_not_doubled(tmp_path: Path) -> None:
    shown = [("copilot_listDirectory", "s1"), ("copilot_searchCodebase", "s2"), ("my_tool", "c3")]
    calls = [("think", "c0"), ("list_dir", "c1"), ("semantic_search", "c2"), ("my_tool", "c3")]
    request = {
        "requestId": "r", "message": {"text": "Look"},
        "response": [
            {"kind": "toolInvocationSerialized", "toolCallId": own, "toolId": tool, "isComplete": True}
            for tool, own in shown
        ],
        "result": {"metadata": {
            "toolCallRounds": [{"toolCalls": [
                {"id": f"{own}__vscode-1", "name": name, "arguments": "{}"} for name, own in calls
            ]}],
            "toolCallResults": {"c1__vscode-1": {"content": [{"value": "duck.md"}]}},
        }},
    }  # fmt: skip
    path = tmp_path / "chatSessions" / f"{SID}.json"
    path.parent.mkdir()
    path.write_text(json.dumps({**STATE, "requests": [request]}))
    (session,) = read_all(AGENT, AGENT.source_at(path)).values()
    assert [(use.id, use.name) for use in session.uses()] == [
        ("c1", "list_dir"), ("c2", "semantic_search"), ("c3", "my_tool"), ("c0", "think"),
    ]  # fmt: skip
    assert session.results()[0].content == [Text("duck.md")]
