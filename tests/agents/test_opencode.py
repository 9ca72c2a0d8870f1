"""OpenCode's database, its older files, and exports."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hostile import torture_database, torture_document
from session_reading import Reading, Session, paths, read_all, same

from sparrow_tui.agents.base import Place, SourceError
from sparrow_tui.agents.opencode import AGENT
from sparrow_tui.agents.opencode_turns import session_info, usage_of
from sparrow_tui.model import Image, Notice, Raw, Reasoning, Text, Usage

T0 = 1_772_359_200_000
SCHEMA = """
PRAGMA journal_mode=WAL;
CREATE TABLE session(id TEXT PRIMARY KEY, project_id TEXT, parent_id TEXT, slug TEXT, directory TEXT,
  title TEXT, version TEXT, revert TEXT, cost REAL, tokens_input INTEGER, time_created INTEGER,
  time_updated INTEGER, time_archived INTEGER);
CREATE TABLE message(id TEXT PRIMARY KEY, session_id TEXT, time_created INTEGER, time_updated INTEGER, data TEXT);
CREATE TABLE part(id TEXT PRIMARY KEY, message_id TEXT, session_id TEXT, time_created INTEGER, time_updated INTEGER, data TEXT);
"""
NEWER = "CREATE TABLE session_message(id TEXT PRIMARY KEY, session_id TEXT, type TEXT, seq INTEGER, time_created INTEGER, time_updated INTEGER, data TEXT);"

TOKENS = {
    "total": 175,
    "input": 100,
    "output": 10,
    "reasoning": 5,
    "cache": {"read": 50, "write": 10},
}
USER = {
    "role": "user",
    "time": {"created": T0},
    "agent": "build",
    "model": {"providerID": "acme", "modelID": "big-model"},
}
ASSISTANT = {
    "role": "assistant", "parentID": "msg_1", "modelID": "big-model", "providerID": "acme", "mode": "build",
    "path": {"cwd": "/w/pond"}, "cost": 0.0125, "tokens": TOKENS, "time": {"created": T0 + 1000, "completed": T0 + 5000}, "finish": "stop",
}  # fmt: skip
TALK: list[tuple[str, dict[str, Any], list[dict[str, Any]]]] = [
    ("msg_1", USER, [
        {"type": "text", "text": "Count the ducks"},
        {"type": "text", "text": "Called the Read tool", "synthetic": True},
        {"type": "file", "mime": "image/png", "url": "data:image/png;base64,AAAA"},
        {"type": "file", "mime": "text/plain", "filename": "map.txt", "url": "file:///w/map.txt"},
    ]),
    ("msg_2", ASSISTANT, [
        {"type": "step-start", "snapshot": "x"},
        {"type": "reasoning", "text": "Look first."},
        {"type": "text", "text": "I look."},
        {"type": "tool", "tool": "bash", "callID": "c1", "state": {"status": "completed", "input": {"command": "ls"}, "output": "two", "title": "ls", "metadata": {"exit": 0}, "time": {"start": T0 + 2000, "end": T0 + 2500}}},
        {"type": "tool", "tool": "read", "callID": "c2", "state": {"status": "error", "input": {}, "error": "no such file", "time": {"start": T0 + 2000, "end": T0 + 2500}}},
        {"type": "tool", "tool": "task", "callID": "c3", "state": {"status": "completed", "input": {}, "output": "done", "metadata": {"sessionId": "ses_kid"}}},
        {"type": "tool", "tool": "bash", "callID": "c4", "state": {"status": "running", "input": {"command": "sleep"}}},
        {"type": "patch", "hash": "h", "files": []},
        {"type": "step-finish", "cost": 0.0125, "tokens": TOKENS},
    ]),
    ("msg_3", {**ASSISTANT, "error": {"name": "MessageAbortedError", "data": {"message": "Aborted"}}, "tokens": None, "cost": 0}, []),
    ("msg_4", {**ASSISTANT, "error": {"name": "APIError", "data": {"message": "Overloaded"}}, "tokens": {"input": 0}, "cost": 0}, [{"type": "retry", "error": {"data": {"message": "again"}}}]),
    ("msg_5", {**ASSISTANT, "summary": True, "tokens": {"input": 7, "output": 3, "reasoning": 0, "cache": {"read": 0, "write": 0}}}, [{"type": "text", "text": "So far: two."}]),
    ("msg_6", USER, [{"type": "compaction", "auto": True}, {"type": "hologram", "beam": 1}]),
]  # fmt: skip


def session_row(id: str, **more: Any) -> dict[str, Any]:
    return {
        "id": id, "project_id": "p", "directory": "/w/pond", "title": "Ducks of the pond", "version": "1.4.0",
        "time_created": T0, "time_updated": T0 + 9000, **more,
    }  # fmt: skip


def insert(db: sqlite3.Connection, table: str, **row: Any) -> None:
    row = {k: json.dumps(v) if isinstance(v, dict) else v for k, v in row.items()}
    db.execute(
        f"INSERT INTO {table}({','.join(row)}) VALUES ({','.join('?' * len(row))})",
        tuple(row.values()),
    )


def add_message(
    db: sqlite3.Connection,
    session: str,
    id: str,
    at: int,
    data: dict[str, Any],
    parts: list[dict[str, Any]],
) -> None:
    insert(db, "message", id=id, session_id=session, time_created=at, time_updated=at, data=data)
    for number, part in enumerate(parts):
        insert(
            db,
            "part",
            id=f"prt_{id}_{number:02}",
            message_id=id,
            session_id=session,
            time_created=at,
            time_updated=at,
            data=part,
        )


def make(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path)
    db.executescript(SCHEMA)
    insert(db, "session", **session_row("ses_main"))
    for number, (id, data, parts) in enumerate(TALK):
        add_message(db, "ses_main", id, T0 + number, data, parts)
    insert(
        db,
        "session",
        **session_row(
            "ses_kid",
            parent_id="ses_main",
            title="New session - 2026-03-01T10:00:00Z",
            time_updated=T0 + 20,
        ),
    )
    add_message(db, "ses_kid", "msg_k1", T0 + 10, USER, [{"type": "text", "text": "kid"}])
    db.commit()
    return db


def write_files(data: Path, old: bool = False) -> Path:
    """The same session as JSON files, in either layout."""
    storage = (data / "project" / "x" / "storage" / "session") if old else (data / "storage")
    home = storage / ("info" if old else "session/p")
    row = {
        "id": "ses_main",
        "projectID": "p",
        "directory": "/w/pond",
        "title": "Ducks of the pond",
        "version": "1.0",
        "time": {"created": T0, "updated": T0 + 9000},
    }
    for folder, name, value in [
        (home, "ses_main", row),
        *(
            (
                storage / "message" / "ses_main",
                id,
                {
                    "id": id,
                    "sessionID": "ses_main",
                    **data,
                    "time": {**data["time"], "created": T0 + n},
                },
            )
            for n, (id, data, _) in enumerate(TALK)
        ),
        *(
            (
                storage / "part" / "ses_main" / id if old else storage / "part" / id,
                f"prt_{n:02}",
                {"messageID": id, "sessionID": "ses_main", **part},
            )
            for id, _, parts in TALK
            for n, part in enumerate(parts)
        ),
    ]:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.json").write_text(json.dumps(value))
    return home / "ses_main.json"


def data_dir(home: Path) -> Path:
    return home / ".local" / "share" / "opencode"


def check(session: Session) -> None:
    info = session.info
    assert info.id == "opencode:ses_main"
    assert (info.title, info.project, info.model) == ("Ducks of the pond", "/w/pond", "big-model")
    assert (info.created_at, info.updated_at) == (T0, T0 + 9000)
    assert session.roles == [
        "user",
        "user",
        "assistant",
        "tool",
        "assistant",
        "assistant",
        "summary",
        "user",
    ]
    assert session.turns[0].blocks == [
        Text("Count the ducks"),
        Image("image/png", "AAAA", size=3),
        Notice("info", "Attached: map.txt"),
    ]
    assert [t.meta for t in session.turns[:3]] == [False, True, False]
    assert session.turns[2].blocks[:2] == [Reasoning("Look first."), Text("I look.")]
    assert session.turns[2].duration_ms == ASSISTANT["time"]["completed"] - (
        session.turns[2].time or 0
    )
    assert [u.id for u in session.uses()] == ["c1", "c2", "c3", "c4"]
    assert [(r.tool_use_id, r.is_error, r.exit_code, r.duration_ms, r.child) for r in session.results()] == [
        ("c1", False, 0, 500, ""), ("c2", True, None, 500, ""), ("c3", False, None, None, "opencode:ses_kid"),
    ]  # fmt: skip
    assert session.results()[1].content == [Text("no such file")]
    assert session.turns[4].blocks == [Notice("interruption", "Aborted")]
    assert session.turns[5].blocks == [Notice("error", "again"), Notice("error", "Overloaded")]
    assert (session.turns[4].api_error, session.turns[5].api_error) == (False, True)
    assert isinstance(session.turns[7].blocks[1], Raw)
    # The message's own figures; the step's are the same ones again.
    assert session.usage == Usage(input=107, output=18, cache_read=50, cache_write=10, reasoning=5)
    assert session.cost == 25_000
    assert session.turns[2].uid == session.turns[2].usage_id == "msg_2"
    assert (session.coverage.records, session.coverage.kept) == (6, 6)
    assert session.coverage.unknown == {"part hologram": 1}


def test_the_database(tmp_path: Path) -> None:
    path = data_dir(tmp_path) / "opencode.db"
    db = make(path)
    (source,) = AGENT.sources(Place(tmp_path, {}, "linux"))
    sessions = read_all(AGENT, source)
    check(sessions["ses_main"])
    kid = sessions["ses_kid"].info
    assert (kid.parent, kid.title) == ("opencode:ses_main", None)
    resume = AGENT.resume(sessions["ses_main"].info)
    assert resume is not None
    assert resume.argv == ("opencode", "/w/pond", "--session", "ses_main")
    db.close()
    assert paths(path.parent) == ["opencode.db"]


@pytest.mark.parametrize("old", [False, True])
def test_the_files(tmp_path: Path, old: bool) -> None:
    session_file = write_files(data_dir(tmp_path), old)
    (source,) = AGENT.sources(Place(tmp_path, {}, "linux"))
    assert source.path == str(session_file)
    check(read_all(AGENT, source)["ses_main"])
    part = sorted(data_dir(tmp_path).rglob("prt_00.json"))[0]
    message = sorted(data_dir(tmp_path).rglob("msg_1.json"))[0]
    for inner in (part, message, session_file):
        found = AGENT.source_at(inner)
        assert found is not None
        assert found.path == str(session_file)
    last = sorted(data_dir(tmp_path).rglob("msg_6.json"))[0]
    last.write_text(last.read_text() + " ")
    changed = AGENT.source_at(session_file)
    assert changed is not None
    assert changed.stamp != source.stamp


def test_an_export(tmp_path: Path) -> None:
    document = {
        "info": {"id": "ses_main", "directory": "/w/pond", "title": "Ducks of the pond", "time": {"created": T0, "updated": T0 + 9000}},
        "messages": [{"info": {"id": id, **data}, "parts": parts} for id, data, parts in TALK],
    }  # fmt: skip
    path = tmp_path / "talk.json"
    path.write_text(json.dumps(document))
    assert AGENT.sniff(path, path.read_bytes())
    check(read_all(AGENT, AGENT.source_at(path))["ses_main"])
    path.write_text('{"info": {}, "messages": [7, {"info": 1}]}')
    (session,) = read_all(AGENT, AGENT.source_at(path)).values()
    assert session.coverage.bad == 2
    path.write_text("[]")
    with pytest.raises(SourceError):
        read_all(AGENT, AGENT.source_at(path))


def test_a_session_in_both_stores_is_read_once(tmp_path: Path) -> None:
    make(data_dir(tmp_path) / "opencode.db").close()
    session_file = write_files(data_dir(tmp_path))
    only = session_file.with_name("ses_only.json")
    only.write_text(json.dumps({"id": "ses_only", "time": {"created": T0, "updated": T0}}))
    found = [s.path for s in AGENT.sources(Place(tmp_path, {}, "linux"))]
    assert found == [str(data_dir(tmp_path) / "opencode.db"), str(only)]
    assert AGENT.source_at(session_file) is None


def test_what_was_undone_is_marked(tmp_path: Path) -> None:
    db = make(data_dir(tmp_path) / "opencode.db")
    db.execute(
        "UPDATE session SET revert = ? WHERE id = 'ses_main'", (json.dumps({"messageID": "msg_5"}),)
    )
    db.commit()
    session = read_all(AGENT, AGENT.source_at(data_dir(tmp_path) / "opencode.db"))["ses_main"]
    assert [t.branch for t in session.turns] == [False] * 6 + [True] * 2


def test_only_changed_sessions_are_read_again(tmp_path: Path) -> None:
    path = data_dir(tmp_path) / "opencode.db"
    db = make(path)
    reading = Reading().take(AGENT, AGENT.source_at(path))
    assert reading.take(AGENT, AGENT.source_at(path)).emitted == 0
    add_message(db, "ses_kid", "msg_k2", T0 + 50, ASSISTANT, [{"type": "text", "text": "gro"}])
    db.commit()
    source = AGENT.source_at(path.with_name("opencode.db-wal"))
    assert source is not None
    assert source.path == str(path)
    assert reading.take(AGENT, source).emitted == 2
    # A part that grows in place changes neither counts nor the session's row.
    db.execute(
        "UPDATE part SET data = ?, time_updated = ? WHERE message_id = 'msg_k2'",
        (json.dumps({"type": "text", "text": "grown"}), T0 + 60),
    )
    db.commit()
    assert reading.take(AGENT, source).emitted == 2
    assert reading.sessions["ses_kid"].texts() == ["kid", "grown"]
    same(reading.sessions, read_all(AGENT, source))
    db.execute("DELETE FROM session WHERE id = 'ses_kid'")
    db.commit()
    assert reading.take(AGENT, source).emitted == 0
    assert "ses_kid" in reading.sessions


def test_the_newer_table_is_read_only_where_the_older_is_empty(tmp_path: Path) -> None:
    path = data_dir(tmp_path) / "opencode.db"
    db = make(path)
    db.executescript(NEWER)
    insert(db, "session", **session_row("ses_new"))
    tool = {
        "type": "tool",
        "id": "c1",
        "name": "bash",
        "state": {
            "status": "completed",
            "input": {"command": "ls"},
            "content": [{"type": "text", "text": "two"}],
        },
    }
    assistant = {
        "model": {"id": "new-model", "providerID": "acme"},
        "content": [{"type": "reasoning", "text": "hm"}, {"type": "text", "text": "Two."}, tool],
        "tokens": TOKENS,
        "cost": 0.5,
        "time": {"created": T0 + 2},
    }
    for seq, (kind, data) in enumerate([
        ("user", {"text": "Count", "files": []}), ("assistant", assistant), ("shell", {"command": "ls", "output": "x"}),
        ("compaction", {"summary": "Two ducks."}), ("idle", {"outcome": "succeeded"}), ("hologram", {"beam": 1}), ("synthetic", {"text": "note"}),
    ]):  # fmt: skip
        insert(
            db,
            "session_message",
            id=f"sm_{seq}",
            session_id="ses_new",
            type=kind,
            seq=seq,
            time_created=T0 + seq,
            time_updated=T0 + seq,
            data=data,
        )
    insert(
        db,
        "session_message",
        id="sm_dup",
        session_id="ses_main",
        type="user",
        seq=0,
        time_created=T0,
        time_updated=T0,
        data={"text": "twice"},
    )
    db.commit()
    sessions = read_all(AGENT, AGENT.source_at(path))
    check(sessions["ses_main"])
    new = sessions["ses_new"]
    assert new.roles == ["user", "assistant", "tool", "system", "summary", "system", "user"]
    assert new.info.model == "new-model"
    assert new.results()[0].content == [Text("two")]
    assert (new.usage.total, new.cost) == (175, 500_000)
    assert new.coverage.unknown == {"hologram": 1}


def test_broken_rows_and_files(tmp_path: Path) -> None:
    path = data_dir(tmp_path) / "opencode.db"
    db = make(path)
    db.execute("UPDATE message SET data = '{broken' WHERE id = 'msg_3'")
    db.execute("UPDATE part SET data = x'ff00' WHERE id = 'prt_msg_1_00'")
    insert(db, "session", **session_row("ses_void", directory=None, title=None))
    db.commit()
    sessions = read_all(AGENT, AGENT.source_at(path))
    assert sessions["ses_main"].coverage.bad == 2
    assert sessions["ses_void"].turns == []
    damaged = path.with_name("opencode-damaged.db")
    damaged.write_bytes(b"SQLite format 3\x00" + b"\x07" * 3000)
    with pytest.raises(SourceError):
        read_all(AGENT, AGENT.source_at(damaged))
    data = tmp_path / "other"
    session_file = write_files(data)
    (data / "storage/message/ses_main/msg_3.json").write_text('{"id": ')
    (data / "storage/part/msg_1/prt_00.json").write_bytes(b"\xff")
    found = AGENT.source_at(session_file)
    assert read_all(AGENT, found)["ses_main"].coverage.bad == 2
    session_file.write_text("")
    with pytest.raises(SourceError):
        read_all(AGENT, found)


@pytest.mark.parametrize(
    ("tokens", "usage"),
    [
        (None, None),
        ({"input": 0, "output": 0}, None),
        ({"input": 5, "output": 9, "reasoning": 4}, Usage(5, 9, reasoning=4)),
        ({"input": 5, "output": 2, "reasoning": 4}, Usage(5, 6, reasoning=4)),
        ({"total": 18, "input": 5, "output": 9, "reasoning": 4}, Usage(5, 13, reasoning=4)),
        ({"total": 14, "input": 5, "output": 9, "reasoning": 4}, Usage(5, 9, reasoning=4)),
    ],
)
def test_tokens(tokens: Any, usage: Usage | None) -> None:
    assert usage_of(tokens) == usage


def test_places(tmp_path: Path) -> None:
    make(tmp_path / "x" / "opencode" / "opencode-beta.db").close()
    make(tmp_path / "named.db").close()
    env = {"XDG_DATA_HOME": str(tmp_path / "x"), "OPENCODE_DB": str(tmp_path / "named.db")}
    found = [s.path for s in AGENT.sources(Place(tmp_path, env, "darwin"))]
    assert found == [str(tmp_path / "x/opencode/opencode-beta.db"), str(tmp_path / "named.db")]
    assert AGENT.sniff(tmp_path / "named.db", (tmp_path / "named.db").read_bytes())
    assert not AGENT.sniff(tmp_path / "named.db", b"{}")
    assert AGENT.source_at(tmp_path / "p" / ".opencode" / "opencode.db") is None


def test_every_wrong_cell(tmp_path: Path) -> None:
    path = data_dir(tmp_path) / "opencode.db"
    make(path).close()
    assert torture_database(AGENT, path, rows=1, step=31) > 100


def test_every_wrong_shape(tmp_path: Path) -> None:
    talk = [{"info": {"id": id, **data}, "parts": parts} for id, data, parts in TALK[:2]]
    document = {"info": {"id": "ses_main", "directory": "/w/pond"}, "messages": talk}
    assert torture_document(AGENT, tmp_path / "talk.json", document) > 100


def test_the_model_chosen_is_known_before_it_answers() -> None:
    for model in ('{"providerID": "p", "id": "big"}', {"providerID": "p", "modelID": "big"}, "big"):
        assert session_info({"id": "ses_new", "model": model}).model == "big"
    assert session_info({"id": "ses_new"}).model is None
