"""Cursor's three stores."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hostile import torture_database, torture_lines
from session_reading import Reading, paths, read_all, same

from sparrow_tui.agents import projects
from sparrow_tui.agents.base import Place, SourceError
from sparrow_tui.agents.cursor import AGENT
from sparrow_tui.agents.cursor_panel import KEY as PANEL
from sparrow_tui.model import Image, Notice, Raw, Reasoning, Text, Usage

T0 = 1_772_359_200_000
CHAT = "0b1c2d3e-4f50-4a61-8b72-9c83ad94be05"
TALK: list[dict[str, Any]] = [
    {"role": "system", "content": "You are a long prompt"},
    {"role": "user", "content": "<user_info>\nOS: linux\n</user_info>"},
    {"role": "user", "content": [{"type": "text", "text": "<system_reminder>be nice</system_reminder>\n<user_query>\nCount the ducks\n</user_query>"}, {"type": "image", "image": "AAAA", "mimeType": "image/png"}]},
    {"role": "assistant", "content": [{"type": "reasoning", "text": "Look first."}, {"type": "text", "text": "I look."}, {"type": "tool-call", "toolCallId": "c1", "toolName": "Shell", "args": {"command": "ls"}}, {"type": "redacted-reasoning", "data": "x"}]},
    {"role": "tool", "content": [{"type": "tool-result", "toolCallId": "c1", "toolName": "Shell", "result": "two", "providerOptions": {"cursor": {"highLevelToolCallResult": {"isError": False}}}}]},
    {"role": "assistant", "content": [{"type": "tool-call", "toolCallId": "c2", "toolName": "Read", "args": {"path": "x"}}]},
    {"role": "tool", "content": [{"type": "tool-result", "toolCallId": "c2", "result": {"error": "gone"}, "isError": True}]},
    {"role": "user", "content": "<user_query>go on</user_query>"},
    {"role": "user", "content": "<user_query>go on</user_query>"},
    {"role": "assistant", "content": "Two ducks."},
]  # fmt: skip


def field(number: int, value: bytes) -> bytes:
    assert number < 16
    size, head = len(value), bytes([number << 3 | 2])
    while size > 0x7F:
        head += bytes([size & 0x7F | 0x80])
        size >>= 7
    return head + bytes([size]) + value


def put(db: sqlite3.Connection, data: bytes) -> bytes:
    key = hashlib.sha256(data).digest()
    db.execute("INSERT OR IGNORE INTO blobs VALUES (?, ?)", (key.hex(), data))
    return key


def set_root(db: sqlite3.Connection, messages: list[dict[str, Any]], **meta: Any) -> None:
    """Store messages under a new root; the last four lie one level deeper."""
    ids = [put(db, json.dumps(message).encode()) for message in messages]
    inner = put(db, b"".join(field(1, each) for each in ids[-4:]))
    root = b"".join(field(1, each) for each in ids[:-4]) + field(1, inner)
    root += bytes([5 << 3, 0x96, 0x01]) + field(9, b"/w/pond")
    value = {
        "agentId": CHAT,
        "latestRootBlobId": put(db, root).hex(),
        "name": "Ducks of the pond",
        "mode": "default",
        "createdAt": T0,
        "lastUsedModel": "big-model",
        **meta,
    }
    db.execute("INSERT OR REPLACE INTO meta VALUES ('0', ?)", (json.dumps(value).encode().hex(),))
    db.commit()


def make_store(home: Path, chat: str = CHAT) -> tuple[Path, sqlite3.Connection]:
    path = home / ".cursor" / "chats" / hashlib.md5(b"/w/pond").hexdigest() / chat / "store.db"
    path.parent.mkdir(parents=True)
    db = sqlite3.connect(path)
    db.executescript(
        "PRAGMA journal_mode=WAL; CREATE TABLE blobs(id TEXT PRIMARY KEY, data BLOB); CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT)"
    )
    put(db, json.dumps({"role": "assistant", "content": "A branch the user left"}).encode())
    set_root(db, TALK)
    return path, db


def test_a_chat_of_the_cli(tmp_path: Path) -> None:
    path, db = make_store(tmp_path)
    db.close()
    (source,) = AGENT.sources(Place(tmp_path, {}, "linux"))
    (session,) = read_all(AGENT, source).values()
    info = session.info
    assert (info.id, info.title, info.project, info.model) == (
        f"cursor:{CHAT}",
        "Ducks of the pond",
        "/w/pond",
        "big-model",
    )
    assert (info.created_at, info.updated_at) == (T0, source.mtime)
    assert session.roles == [
        "user",
        "user",
        "user",
        "assistant",
        "tool",
        "assistant",
        "tool",
        "user",
        "user",
        "assistant",
    ]
    assert [t.meta for t in session.turns[:3]] == [True, True, False]
    assert session.turns[2].blocks == [Text("Count the ducks"), Image("image/png", "AAAA", size=3)]
    assert session.turns[2].time == T0
    assert session.turns[3].blocks[:2] == [Reasoning("Look first."), Text("I look.")]
    assert session.turns[3].model == "big-model"
    assert [(u.id, u.name, u.input) for u in session.uses()] == [
        ("c1", "Shell", {"command": "ls"}),
        ("c2", "Read", {"path": "x"}),
    ]
    assert [(r.tool_use_id, r.is_error) for r in session.results()] == [("c1", False), ("c2", True)]
    assert session.results()[1].content == [Text('{"error":"gone"}')]
    assert session.texts()[-3:] == ["go on", "go on", "Two ducks."]
    assert (session.coverage.records, session.coverage.kept, session.coverage.skipped) == (10, 9, 1)
    assert paths(path.parent) == ["store.db"]
    resume = AGENT.resume(info)
    assert resume is not None
    assert (resume.argv, resume.directory) == (("cursor-agent", "--resume", CHAT), "/w/pond")


def test_a_chat_goes_on(tmp_path: Path) -> None:
    path, db = make_store(tmp_path)
    reading = Reading().take(AGENT, AGENT.source_at(path))
    assert reading.take(AGENT, AGENT.source_at(path)).emitted == 0
    set_root(
        db, [*TALK[:7], {"role": "user", "content": "Taken back, asked anew"}], name="New Agent"
    )
    source = AGENT.source_at(path.with_name("store.db-wal"))
    reading.take(AGENT, source)
    assert reading.sessions[CHAT].texts()[-1] == "Taken back, asked anew"
    assert reading.sessions[CHAT].turns == read_all(AGENT, source)[CHAT].turns
    (path.parent / "meta.json").write_text(
        json.dumps({"title": "Named later", "cwd": "/w/other", "updatedAtMs": T0 + 5})
    )
    beside = AGENT.source_at(path.parent / "meta.json")
    assert source is not None
    assert beside is not None
    assert (beside.path, beside.stamp != source.stamp) == (source.path, True)
    info = reading.take(AGENT, beside).sessions[CHAT].info
    assert (info.title, info.project, info.updated_at) == ("Named later", "/w/other", T0 + 5)


def test_a_store_without_its_root_and_a_sub_agent(tmp_path: Path) -> None:
    path, db = make_store(tmp_path)
    meta = {
        "agentId": "kid",
        "latestRootBlobId": "deadbeef",
        "name": "New Agent",
        "subagentInfo": {"parentAgentId": CHAT},
    }
    db.execute("UPDATE meta SET value = ?", (json.dumps(meta),))
    db.commit()
    (session,) = read_all(AGENT, AGENT.source_at(path)).values()
    assert session.texts()[0] == "A branch the user left"
    assert (session.info.parent, session.info.title) == (f"cursor:{CHAT}", None)
    assert AGENT.resume(session.info) is None


def test_a_root_that_is_no_tree(tmp_path: Path) -> None:
    path, db = make_store(tmp_path)
    loop = "ab" * 32
    for data in (
        field(1, bytes.fromhex(loop)) * 50,
        b"\xff" * 200,
        b"\x0a\xff\xff\xff\xff\x0f",
        b"",
        b"{not json",
    ):
        db.execute("INSERT OR REPLACE INTO blobs VALUES (?, ?)", (loop, data))
        meta = {"agentId": CHAT, "latestRootBlobId": loop, "name": data.hex()[:20]}
        db.execute("UPDATE meta SET value = ?", (json.dumps(meta).encode().hex(),))
        db.commit()
        (session,) = read_all(AGENT, AGENT.source_at(path)).values()
        assert len(session.texts()) == 7  # every message there is, the same one once
    db.execute("DROP TABLE blobs")
    db.commit()
    with pytest.raises(SourceError, match="no blobs"):
        read_all(AGENT, AGENT.source_at(path))


LINES = [
    {"role": "user", "message": {"content": [{"type": "text", "text": "<user_query>\nCount the ducks\n</user_query>"}]}},
    {"role": "assistant", "message": {"content": [{"type": "thinking", "thinking": "Look."}, {"type": "text", "text": "I look."}, {"type": "tool_use", "name": "Shell", "input": {"command": "ls"}}]}, "model": "auto"},
    {"type": "turn_ended", "status": "success"},
    {"role": "user", "message": {"content": [{"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "two"}]}]}},
    {"role": "assistant", "message": {"content": "Two."}},
]  # fmt: skip


def transcript(home: Path, name: str = f"{CHAT}/{CHAT}.jsonl", slug: str = "w-pond") -> Path:
    path = home / ".cursor" / "projects" / slug / "agent-transcripts" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def test_a_transcript(tmp_path: Path) -> None:
    projects.by_slug.cache_clear()
    work = tmp_path / "work" / "my_pond"
    work.mkdir(parents=True)
    slug = str(work).strip("/").replace("/", "-").replace("_", "-")
    path, reading, emitted = transcript(tmp_path, slug=slug), Reading(), []
    for number in range(1, len(LINES) + 1):
        path.write_text(
            "".join(json.dumps(line) + "\n" for line in LINES[:number]) + '{"role": "us'
        )
        emitted.append(reading.take(AGENT, AGENT.source_at(path)).emitted)
        same(reading.sessions, read_all(AGENT, AGENT.source_at(path)))
    assert emitted == [1, 1, 0, 1, 1]
    session = reading.sessions[CHAT]
    assert session.roles == ["user", "assistant", "tool", "assistant"]
    assert session.texts() == ["Count the ducks", "I look.", "Two."]
    assert session.uses()[0].name == "Shell"
    assert session.results()[0].content == [Text("two")]
    assert session.info.project == str(work)
    assert (session.coverage.records, session.coverage.kept, session.coverage.skipped) == (5, 4, 1)
    kid = transcript(tmp_path, f"{CHAT}/subagents/kid.jsonl", "elsewhere")
    kid.write_text(json.dumps(LINES[0]) + "\n")
    (child,) = read_all(AGENT, AGENT.source_at(kid)).values()
    assert (child.info.parent, child.info.project) == (f"cursor:{CHAT}", None)
    assert child.info.extra == {"project_slug": "elsewhere"}


def test_the_time_and_the_model_that_messages_tell(tmp_path: Path) -> None:
    path = transcript(tmp_path)
    asked = "<timestamp>{}</timestamp>\n<user_query>\nhi\n</user_query>"
    thought = {"type": "reasoning", "text": "?", "providerOptions": {"cursor": {"modelName": "m1"}}}
    times = (
        "Tuesday, Mar 3, 2026, 12:05 PM (UTC+1:30)",
        "Tuesday, Mar 3, 2026, 12:20 AM (UTC-8)",
        "Tuesday, Mar 33, 2026, 9:20 AM (UTC)",
    )
    lines = [{"role": "user", "message": {"content": asked.format(time)}} for time in times]
    lines.append({"role": "assistant", "message": {"content": [thought]}})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    session = read_all(AGENT, AGENT.source_at(path))[CHAT]
    said = [turn for turn in session.turns if not turn.meta]
    assert [turn.time for turn in said] == [1_772_534_100_000, 1_772_526_000_000, None, None]
    assert (session.info.created_at, said[-1].model) == (1_772_534_100_000, "m1")


def test_a_transcript_as_text(tmp_path: Path) -> None:
    path = transcript(tmp_path, f"{CHAT}.txt")
    path.write_text(
        "user:\n<user_query>\nCount the ducks\n</user_query>\n\nassistant:\n[Thinking] Look first.\n\nI look.\n"
        "[Tool call] Shell\n  command: ls\n\n[Tool result] Shell\ntwo\nassistant:\nTwo ducks.\n"
    )
    (source,) = AGENT.sources(Place(tmp_path, {}, "linux"))
    assert AGENT.sniff(path, path.read_bytes())
    (session,) = read_all(AGENT, source).values()
    assert session.roles == ["user", "assistant", "tool", "assistant"]
    assert session.texts() == ["Count the ducks", "I look.", "Two ducks."]
    assert session.turns[1].blocks[0] == Reasoning("Look first.")
    assert session.uses()[0].name == "Shell"
    assert session.results()[0].tool_use_id == session.uses()[0].id
    path.write_text("no speaker at all")
    assert read_all(AGENT, AGENT.source_at(path))[CHAT].coverage.bad == 1


def test_a_transcripts_calls_and_thoughts_of_many_lines(tmp_path: Path) -> None:
    path = transcript(tmp_path, f"{CHAT}.txt")
    path.write_text(
        "user:\n<user_query>\nWrite\n</user_query>\n\nassistant:\n"
        "[Thinking] **Where to**\n\nInto the pond.\n\nNo, beside.\n**How**\n\nSlowly.\nI write it.\n\nNow.\n"
        "[Tool call] Write\n  path: pond.md\n  contents: # Pond\n\nDucks live here.\n\n- two\n"
        "[Tool call] ApplyPatch*** Begin Patch\n*** End Patch\n[Tool result] ApplyPatch\n\n"
        "[Tool call] Read\n  path: pond.md\n\n[Tool result] Write\n\n[Tool result] Read\n\n"
        "assistant:\n[Thinking] \nWritten.\n"
    )
    (session,) = read_all(AGENT, AGENT.source_at(path)).values()
    assert session.texts() == ["Write", "I write it.\n\nNow.", "Written."]
    assert session.turns[1].blocks[0] == Reasoning(
        "**Where to**\n\nInto the pond.\n\nNo, beside.\n**How**\n\nSlowly."
    )
    assert [use.name for use in session.uses()] == ["Write", "ApplyPatch", "Read"]
    assert [use.input for use in session.uses()] == [
        "  path: pond.md\n  contents: # Pond\n\nDucks live here.\n\n- two",
        "*** Begin Patch\n*** End Patch",
        "  path: pond.md",
    ]


def test_the_form_of_a_transcript_that_tells_more(tmp_path: Path) -> None:
    path = transcript(tmp_path)
    said = {"role": "assistant", "message": {"content": [{"type": "text", "text": "I look."}]}}
    path.write_text(json.dumps(said) + "\n")
    beside = path.with_suffix(".txt")
    beside.write_text("assistant:\nI look.\n[Tool call] Shell\n  command: ls\n")
    (source,) = AGENT.sources(Place(tmp_path, {}, "linux"))
    assert [use.name for use in read_all(AGENT, source)[CHAT].uses()] == ["Shell"]
    said["message"]["content"].append({"type": "tool_use", "name": "Read", "input": {}})
    path.write_text(json.dumps(said) + "\n")
    assert [use.name for use in read_all(AGENT, source)[CHAT].uses()] == ["Read"]


def test_a_prompt_of_pictures_alone(tmp_path: Path) -> None:
    path = transcript(tmp_path, f"{CHAT}.txt")
    path.write_text(
        "user:\n[Image]\n<image_files>\nThe following were saved:\n1. /c/images/a duck.png\n\n"
        "These can be copied.\n</image_files>\n<user_query>\n\n</user_query>\n"
    )
    (session,) = read_all(AGENT, AGENT.source_at(path)).values()
    assert [turn.meta for turn in session.turns] == [True, False]
    assert session.turns[1].blocks == [Image("image", url="/c/images/a duck.png")]


def test_hostile_transcript_lines(tmp_path: Path) -> None:
    path = transcript(tmp_path)
    path.write_bytes(
        b'{"broken\n[]\n\xff\n{"type":"hologram"}\n'
        b'{"role":"assistant","message":{"content":[{"type":"custom","text":"seen"},{"type":"beam"},7]}}\n'
        b'{"role":"user","message":{"content":"\\u001b[31m \\ud83d"}}\n'
    )
    (session,) = read_all(AGENT, AGENT.source_at(path)).values()
    assert (session.coverage.records, session.coverage.bad) == (6, 3)
    assert session.coverage.unknown == {
        "hologram": 1,
        "part custom": 1,
        "part beam": 1,
        "part part": 1,
    }
    assert session.turns[1].blocks == [Text("seen"), Raw("beam", {"type": "beam"}), Raw("part", 7)]


def bubble(db: sqlite3.Connection, chat: str, name: str, **data: Any) -> None:
    db.execute(
        "INSERT INTO cursorDiskKV VALUES (?, ?)", (f"bubbleId:{chat}:{name}", json.dumps(data))
    )


def composer(db: sqlite3.Connection, chat: str, names: list[str], **more: Any) -> None:
    data = {
        "composerId": chat,
        "name": "Ducks of the pond",
        "createdAt": T0,
        "lastUpdatedAt": T0 + 9000,
        "fullConversationHeadersOnly": [{"bubbleId": n, "type": 2} for n in names],
        **more,
    }
    db.execute("INSERT INTO cursorDiskKV VALUES (?, ?)", (f"composerData:{chat}", json.dumps(data)))


def make_editor(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True)
    db = sqlite3.connect(path)
    db.executescript(
        "PRAGMA journal_mode=WAL; CREATE TABLE ItemTable(key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB);"
        "CREATE TABLE cursorDiskKV(key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB)"
    )
    composer(
        db,
        "main",
        ["b1", "b2", "b3", "b4", "gone", "b5"],
        modelConfig={"modelName": "session-model"},
        workspaceIdentifier={"uri": {"fsPath": "/w/pond"}},
    )
    bubble(
        db,
        "main",
        "b1",
        type=1,
        text="Count the ducks",
        createdAt="2026-03-01T10:00:01.000Z",
        modelInfo={"modelName": "big-model"},
        bubbleId="b1",
    )
    bubble(
        db,
        "main",
        "b2",
        type=2,
        text="",
        thinking={"text": "Look first."},
        createdAt="2026-03-01T10:00:02.000Z",
    )
    bubble(
        db,
        "main",
        "b3",
        type=2,
        text="I look.",
        tokenCount={"inputTokens": 100, "outputTokens": 20},
        toolFormerData={
            "toolCallId": "c1",
            "name": "run_terminal_command_v2",
            "status": "completed",
            "params": '{"command": "ls"}',
            "result": '{"output": "two", "exitCode": 0}',
        },
        bubbleId="b3",
    )
    bubble(
        db,
        "main",
        "b4",
        type=2,
        text="",
        toolFormerData={
            "toolCallId": "c2",
            "name": "read_file_v2",
            "status": "error",
            "rawArgs": '{"path": "x"}',
            "error": '{"clientVisibleErrorMessage": "no such file"}',
        },
    )
    bubble(
        db,
        "main",
        "b5",
        type=2,
        text="Two ducks.",
        tokenCount={"inputTokens": 0, "outputTokens": 0},
    )
    bubble(db, "main", "orphan", type=2, text="an old draft")
    composer(
        db,
        "kid",
        ["k1"],
        name="",
        subagentInfo={"parentComposerId": "main"},
        trackedGitRepos=[{"repoPath": "/w/repo"}],
    )
    bubble(db, "kid", "k1", type=7, text="odd")
    composer(db, "draft", [])
    composer(db, "old", [], conversation=[{"type": 1, "text": "inline", "bubbleId": "i1"}])
    db.execute("INSERT INTO cursorDiskKV VALUES ('composerData:broken', '{')")
    db.execute("INSERT INTO cursorDiskKV VALUES ('composerData:null', NULL)")
    db.execute("INSERT INTO cursorDiskKV VALUES ('composerDatabase', 'x')")
    db.commit()
    return db


def test_the_editor(tmp_path: Path) -> None:
    path = tmp_path / ".config/Cursor/User/globalStorage/state.vscdb"
    make_editor(path)
    (source,) = AGENT.sources(Place(tmp_path, {}, "linux"))
    sessions = read_all(AGENT, source)
    assert set(sessions) == {"main", "kid", "old"}
    main = sessions["main"]
    assert (main.info.title, main.info.project, main.info.model) == (
        "Ducks of the pond",
        "/w/pond",
        "big-model",
    )
    assert (main.info.created_at, main.info.updated_at) == (T0, T0 + 9000)
    assert main.roles == [
        "user",
        "assistant",
        "assistant",
        "tool",
        "assistant",
        "tool",
        "assistant",
    ]
    assert main.texts() == ["Count the ducks", "I look.", "Two ducks."]
    assert main.turns[1].blocks == [Reasoning("Look first.")]
    assert (main.turns[1].time, main.turns[1].model) == (1772359202000, "big-model")
    assert [(u.id, u.name, u.input) for u in main.uses()] == [
        ("c1", "run_terminal_command_v2", {"command": "ls"}),
        ("c2", "read_file_v2", {"path": "x"}),
    ]
    assert [(r.tool_use_id, r.is_error, r.exit_code, r.content) for r in main.results()] == [
        ("c1", False, 0, [Text("two")]), ("c2", True, None, [Text("no such file")]),
    ]  # fmt: skip
    assert main.usage == Usage(input=100, output=20)
    assert (main.coverage.records, main.coverage.kept, main.coverage.bad) == (6, 5, 1)
    assert AGENT.resume(main.info) is None
    assert (sessions["kid"].info.parent, sessions["kid"].info.project) == ("cursor:main", "/w/repo")
    assert sessions["kid"].coverage.unknown == {"bubble 7": 1}
    assert sessions["old"].texts() == ["inline"]


def test_what_older_and_newer_bubbles_hold_besides_text(tmp_path: Path) -> None:
    path = tmp_path / ".config/Cursor/User/globalStorage/state.vscdb"
    db = make_editor(path)
    sent = T0 + 60_000
    composer(
        db,
        "rich",
        ["r1", "r2", "r3", "r4"],
        unifiedMode="agent",
        activeBranch={"branchName": "pond"},
        usageData={"big-model": {"costInCents": 245, "amount": 3}, "odd": None},
        conversationMap={"r4": {"type": 2, "text": "Kept in the map."}},
    )
    words = {
        "root": {
            "children": [
                {"type": "paragraph", "children": [{"type": "text", "text": "Draw"}, {"type": "mention", "text": " @pond"}]},
                {"type": "paragraph", "children": [{"type": "text", "text": "now"}]},
            ]
        }
    }  # fmt: skip
    bubble(
        db,
        "rich",
        "r1",
        type=1,
        text="",
        richText=json.dumps(words),
        images=[{"data": "AAAA", "mimeType": "image/png"}, {"path": "/w/duck.png"}, 7],
        context={
            "fileSelections": [{"uri": {"fsPath": "/w/pond.py"}}, {"uri": None}],
            "folderSelections": [{"relativePath": "src"}],
            "selections": [{"uri": {"fsPath": "/w/pond.py"}}],
        },
    )
    bubble(
        db,
        "rich",
        "r2",
        type=2,
        text="",
        allThinkingBlocks=[{"thinking": "Look."}, {"text": "Draw."}],
        timingInfo={"clientStartTime": 4745281.3, "clientRpcSendTime": sent, "clientEndTime": sent + 1500},
    )  # fmt: skip
    bubble(
        db, "rich", "r3", type=2, text="", errorDetails={"title": "Busy", "message": "try again"}
    )
    db.commit()
    (source,) = AGENT.sources(Place(tmp_path, {}, "linux"))
    session = read_all(AGENT, source)["rich"]
    assert session.roles == ["user", "assistant", "assistant", "assistant"]
    assert session.turns[0].blocks == [
        Text("Draw @pond\nnow"),
        Image("image/png", "AAAA", size=3),
        Image("image", url="/w/duck.png"),
        Notice("info", "Attached: /w/pond.py"),
        Notice("info", "Attached: src"),
    ]
    assert session.turns[0].time == T0
    assert session.turns[1].blocks == [Reasoning("Look."), Reasoning("Draw.")]
    assert (session.turns[1].time, session.turns[1].duration_ms) == (sent, 1500)
    assert session.turns[2].blocks == [Notice("error", "Busy: try again")]
    assert session.turns[2].api_error
    assert session.texts()[-1] == "Kept in the map."
    assert (session.info.branch, session.info.cost_micro) == ("pond", 2_450_000)
    assert session.info.extra == {"editor": True, "mode": "agent"}
    db.execute("DELETE FROM cursorDiskKV WHERE key NOT LIKE '%rich%'")
    db.commit()
    db.execute("PRAGMA journal_mode=DELETE")
    db.close()
    assert torture_database(AGENT, path, rows=5, step=5) > 50


def test_the_folder_of_a_chat_is_told_by_the_workspaces(tmp_path: Path) -> None:
    user = tmp_path / ".config/Cursor/User"
    db = make_editor(user / "globalStorage" / "state.vscdb")
    headers = {
        "allComposers": [
            {"composerId": "old", "workspaceIdentifier": {"uri": {"fsPath": "/w/listed"}}},
            7,
        ]
    }
    composer(db, "elder", ["e1"])
    bubble(db, "elder", "e1", type=1, text="hi")
    db.commit()
    storage = user / "workspaceStorage" / "0a1b"
    storage.mkdir(parents=True)
    (storage / "workspace.json").write_text('{"folder": "file:///w/my%20pond"}')
    other = sqlite3.connect(storage / "state.vscdb")
    other.execute("CREATE TABLE ItemTable(key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB)")
    chats = {"allComposers": [{"composerId": "elder"}, {"composerId": "main"}, None]}
    other.execute("INSERT INTO ItemTable VALUES ('composer.composerData', ?)", (json.dumps(chats),))
    other.commit()
    source, beside = AGENT.sources(Place(tmp_path, {}, "linux"))
    assert (source.kind, beside.kind, read_all(AGENT, beside)) == ("ide", "panel", {})
    assert read_all(AGENT, source)["elder"].info.project == "/w/my pond"
    db.execute(
        "INSERT INTO ItemTable VALUES ('composer.composerHeaders', ?)", (json.dumps(headers),)
    )
    db.commit()
    sessions = read_all(AGENT, source)
    assert sessions["old"].info.project == "/w/listed"
    assert sessions["main"].info.project == "/w/pond"  # its own word comes first
    (storage / "state.vscdb").write_bytes(b"rubbish" * 99)
    assert read_all(AGENT, source)["elder"].info.project is None


def make_panel(tmp_path: Path) -> Path:
    tabs = [
        {
            "tabId": "tab-1", "chatTitle": "Old ducks", "lastSendTime": T0 + 7000,
            "bubbles": [
                {"type": "user", "id": "p1", "rawText": "", "initText": json.dumps({"root": {"children": [{"type": "text", "text": "Count"}]}}), "fileSelections": [{"uri": {"path": "/w/pond.py"}}]},
                {"type": "ai", "id": "p2", "rawText": "Two.", "modelType": "gpt-4"},
                {"type": "oracle", "text": "?"}, 7,
            ],
        },
        {"tabId": "empty", "bubbles": []}, 7,
    ]  # fmt: skip
    chats = [{"composerId": "c-old", "name": "Inline", "createdAt": T0, "conversation": [{"type": 1, "text": "hi", "bubbleId": "b"}]}]  # fmt: skip
    path = tmp_path / ".config/Cursor/User/workspaceStorage/0a/state.vscdb"
    path.parent.mkdir(parents=True)
    (path.parent / "workspace.json").write_text('{"folder": "file:///w/pond"}')
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE ItemTable(key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB)")
    for key, value in ((PANEL, {"tabs": tabs}), ("composer.composerData", {"allComposers": chats})):
        db.execute("INSERT INTO ItemTable VALUES (?, ?)", (key, json.dumps(value)))
    db.commit()
    db.close()
    return path


def test_chats_of_2024(tmp_path: Path) -> None:
    path = make_panel(tmp_path)
    (source,) = AGENT.sources(Place(tmp_path, {}, "linux"))
    reading = Reading().take(AGENT, source)
    assert set(reading.sessions) == {"tab-1", "c-old"}
    tab = reading.sessions["tab-1"]
    assert (tab.info.title, tab.info.project, tab.info.model) == ("Old ducks", "/w/pond", "gpt-4")
    assert tab.info.updated_at == T0 + 7000
    assert tab.turns[0].blocks == [Text("Count"), Notice("info", "Attached: /w/pond.py")]
    assert (tab.roles, tab.turns[1].uid) == (["user", "assistant", "system"], "p2")
    assert (tab.coverage.records, tab.coverage.bad) == (4, 1)
    assert tab.coverage.unknown == {"bubble oracle": 1}
    assert reading.sessions["c-old"].texts() == ["hi"]
    assert AGENT.resume(tab.info) is None
    assert reading.take(AGENT, AGENT.source_at(path)).emitted == 0
    assert torture_database(AGENT, path, rows=4, step=7) > 10


def test_only_changed_chats_of_the_editor_are_read_again(tmp_path: Path) -> None:
    db = make_editor(tmp_path / "User" / "state.vscdb")
    path = tmp_path / "User" / "state.vscdb"
    reading = Reading().take(AGENT, AGENT.source_at(path))
    assert reading.take(AGENT, AGENT.source_at(path)).emitted == 0
    bubble(db, "main", "b5", type=2, text="Three ducks.")
    db.commit()
    source = AGENT.source_at(path.with_name("state.vscdb-wal"))
    assert reading.take(AGENT, source).emitted == 7
    assert reading.sessions["main"].texts()[-1] == "Three ducks."
    same(reading.sessions, read_all(AGENT, source))


def test_a_chat_in_several_stores_is_read_from_the_richest(tmp_path: Path) -> None:
    store, db = make_store(tmp_path)
    transcript(tmp_path).write_text(json.dumps(LINES[0]) + "\n")
    other = transcript(tmp_path, "other.jsonl")
    other.write_text(json.dumps(LINES[0]) + "\n")
    other.with_suffix(".txt").write_text("user:\nhi\n")
    place = Place(tmp_path, {}, "linux")
    assert [s.path for s in AGENT.sources(place)] == [str(store), str(other)]
    editor = make_editor(tmp_path / ".config/Cursor/User/globalStorage/state.vscdb")
    composer(editor, CHAT, ["x"])
    editor.commit()
    assert [s.kind for s in AGENT.sources(place)] == ["ide", "transcript"]
    db.close()


def test_files_given_by_hand(tmp_path: Path) -> None:
    store, db = make_store(tmp_path)
    db.close()
    assert AGENT.sniff(store, store.read_bytes())
    make_editor(tmp_path / "x" / "state.vscdb").close()
    state = tmp_path / "x" / "state.vscdb"
    assert AGENT.sniff(state, state.read_bytes())
    assert AGENT.sniff(Path("x.jsonl"), json.dumps(LINES[0]).encode())
    assert not AGENT.sniff(Path("x.jsonl"), b'{"role":"user","content":"generic"}')
    assert not AGENT.sniff(
        Path("x.jsonl"), b'{"uuid":"claude","role":"user","message":{"content":""}}'
    )
    assert not AGENT.sniff(Path("x.txt"), b"user:\n")
    assert AGENT.source_at(tmp_path / ".cursor" / "mcp.json") is None
    assert AGENT.source_at(tmp_path / ".cursor" / "projects" / "x.jsonl") is None
    state.write_bytes(b"rubbish" * 100)
    with pytest.raises(SourceError):
        read_all(AGENT, AGENT.source_at(state))


def test_every_wrong_cell(tmp_path: Path) -> None:
    path = tmp_path / ".config" / "Cursor" / "User" / "globalStorage" / "state.vscdb"
    db = make_editor(path)
    db.execute("PRAGMA journal_mode=DELETE")
    db.close()
    assert torture_database(AGENT, path, rows=4, step=19) > 50


def test_every_wrong_shape(tmp_path: Path) -> None:
    path = transcript(tmp_path)
    path.write_text("".join(json.dumps(line) + "\n" for line in LINES))
    assert torture_lines(AGENT, path) > 100
