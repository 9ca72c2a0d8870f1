"""Mistral Vibe: messages in one file, everything else in another."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hostile import grow, rewrite, torture_document, torture_lines
from real import found_real
from session_reading import Reading, Session, paths, read_all

from sparrow_tui.agents.base import Place, SourceError
from sparrow_tui.agents.vibe import AGENT
from sparrow_tui.model import (
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

MESSAGES: list[dict[str, Any]] = [
    {"role": "user", "content": "How deep is the pond?", "message_id": "u1"},
    {"role": "user", "content": "The date is today.", "message_id": "u2", "injected": True},
    {
        "role": "assistant", "content": "I measure.", "reasoning_content": "Use a stick.", "message_id": "a1",
        "tool_calls": [{"id": "t1", "index": 0, "type": "function", "function": {"name": "bash", "arguments": '{"command": "stick"}'}}],
    },
    {"role": "tool", "content": "3 m", "name": "bash", "tool_call_id": "t1"},
    {"role": "assistant", "content": "Three metres.", "message_id": "a2"},
]  # fmt: skip
META: dict[str, Any] = {
    "session_id": "5e55-10", "start_time": "2026-02-01T10:00:00+00:00", "end_time": "2026-02-01T10:05:00+00:00",
    "git_commit": "abc", "git_branch": "deep", "environment": {"working_directory": "/home/ada/pond"},
    "username": "ada", "title": "How deep", "total_messages": 5, "parent_session_id": "5e55-09",
    "config": {"active_model": "devstral-2"},
    "stats": {"session_prompt_tokens": 900, "session_completion_tokens": 40, "session_cached_tokens": 500, "session_cost": 0.0125},
}  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / ".vibe" / "logs" / "session" / "session_20260201_100000_5e55"
    folder.mkdir(parents=True)
    (folder / "meta.json").write_text(json.dumps(META))
    path = folder / "messages.jsonl"
    path.write_text("".join(json.dumps(message) + "\n" for message in MESSAGES))
    return path


def only(path: Path) -> Session:
    (session,) = read_all(AGENT, AGENT.source_at(path)).values()
    return session


def check(session: Session) -> None:
    info = session.info
    assert info.id == "vibe:5e55-10"
    assert (info.title, info.project, info.branch, info.model) == (
        "How deep",
        "/home/ada/pond",
        "deep",
        "devstral-2",
    )
    assert (info.created_at, info.updated_at) == (1769940000000, 1769940300000)
    assert (info.usage, info.cost_micro) == (Usage(input=400, output=40, cache_read=500), 12500)
    assert info.parent is None
    assert info.extra == {"continues": "5e55-09", "commit": "abc"}
    assert session.roles == ["user", "user", "assistant", "tool", "assistant"]
    assert [turn.meta for turn in session.turns] == [False, True, False, False, False]
    assert session.turns[2].blocks[:2] == [Reasoning("Use a stick."), Text("I measure.")]
    assert session.turns[2].uid == "a1"
    (use,), (result,) = session.uses(), session.results()
    assert (use.id, use.name, use.input) == ("t1", "bash", {"command": "stick"})
    assert (result.tool_use_id, result.content) == ("t1", [Text("3 m")])
    assert session.usage == Usage()  # the totals are the session's, so no turn has any


def test_session(path: Path) -> None:
    session = only(path)
    check(session)
    assert (session.coverage.records, session.coverage.kept) == (5, 5)


@pytest.mark.parametrize(
    ("said", "failed"),
    [
        ("<tool_error>bash failed: no stick</tool_error>", True),
        ("<user_cancellation>No.</user_cancellation>", True),
        ("a <tool_error> in the middle", None),
    ],
)
def test_failed_calls(path: Path, said: str, failed: bool | None) -> None:
    answer = {"role": "tool", "content": said, "name": "bash", "tool_call_id": "t1"}
    path.write_text("".join(json.dumps(message) + "\n" for message in [*MESSAGES[:3], answer]))
    (result,) = only(path).results()
    assert (result.is_error, result.content) == (failed, [Text(said)])


def test_older_single_file(tmp_path: Path) -> None:
    path = tmp_path / "session_20250901_100000_5e55.json"
    document = {"metadata": META, "messages": [{"role": "system", "content": "You are"}, *MESSAGES]}
    path.write_text(json.dumps(document))
    session = only(path)
    check(session)
    assert (session.coverage.records, session.coverage.kept, session.coverage.skipped) == (6, 5, 1)
    assert AGENT.sniff(path, path.read_bytes())
    reading = Reading().take(AGENT, AGENT.source_at(path))
    assert reading.take(AGENT, AGENT.source_at(path)).emitted == 0
    assert torture_document(AGENT, path, document) > 100
    path.write_text('{"metadata": 5}')
    with pytest.raises(SourceError):
        only(path)


def test_a_new_title_is_seen_without_new_messages(path: Path) -> None:
    reading = Reading().take(AGENT, AGENT.source_at(path))
    before = AGENT.source_at(path)
    meta = path.with_name("meta.json")
    meta.write_text(json.dumps({**META, "title": "Depth of ponds"}))
    after = AGENT.source_at(meta)
    assert before is not None
    assert after is not None
    assert (after.path, after.stamp == before.stamp) == (before.path, False)
    assert reading.take(AGENT, after).emitted == 0
    assert reading.sessions["5e55-10"].info.title == "Depth of ponds"
    assert len(reading.sessions["5e55-10"].turns) == 5


def test_unknown_and_bad_lines(path: Path) -> None:
    with path.open("a") as file:
        file.write(
            '{"role": "oracle", "content": "yes"}\n{broken\n{"role": "user", "content": " "}\n'
        )
    session = only(path)
    assert isinstance(session.turns[5].blocks[0], Raw)
    assert session.coverage.unknown == {"role oracle": 1}
    assert (session.coverage.bad, session.coverage.skipped) == (1, 1)


def test_growing_rewritten_and_hostile_files(path: Path) -> None:
    grow(AGENT, path)
    rewrite(AGENT, path)
    assert torture_lines(AGENT, path) > 200
    path.with_name("meta.json").write_text('{"session_id": ')
    assert only(path).info.native_id == path.parent.name


def test_hostile_metadata(path: Path) -> None:
    from hostile import adds_up, mutations

    for meta in mutations(META):
        path.with_name("meta.json").write_text(json.dumps(meta))
        adds_up(read_all(AGENT, AGENT.source_at(path)))


def test_pictures_come_and_go(path: Path, tmp_path: Path) -> None:
    images = [
        {"source": {"kind": "file", "path": "/w/duck.png"}, "alias": "duck.png", "mime_type": "image/png"},
        {"data": "AAAA", "mime_type": "image/jpeg"},
        {"source": 7},
        "x",
    ]  # fmt: skip
    told = {"role": "user", "content": "What is it?", "images": images}
    path.write_text("".join(json.dumps(m) + "\n" for m in (told, {**told, "content": ""})))
    before = only(path)
    pictures = [Image("image/png", url="/w/duck.png"), Image("image/jpeg", "AAAA", size=3)]
    assert [turn.blocks for turn in before.turns] == [[Text("What is it?"), *pictures], pictures]
    shutil.rmtree(path.parent)
    back = AGENT.restore(before.info, before.turns, Place(tmp_path, {}, "linux"))
    assert only(back).turns == before.turns


def test_what_was_deleted_comes_back_the_same(path: Path, tmp_path: Path) -> None:
    place, before = Place(tmp_path, {}, "linux"), only(path)
    with pytest.raises(SourceError, match="exists; nothing was written"):
        AGENT.restore(before.info, before.turns, place)
    shutil.rmtree(path.parent)
    back = AGENT.restore(before.info, before.turns, place)
    assert (back, back.parent.stat().st_mode & 0o777) == (path.parent.with_name("session_20260201_100000_5e55-10") / "messages.jsonl", 0o700)  # fmt: skip
    assert paths(path.parent.parent) == [
        back.parent.name, f"{back.parent.name}/messages.jsonl", f"{back.parent.name}/meta.json",
    ]  # fmt: skip
    assert back.stat().st_mode & 0o777 == 0o600
    after = only(back)
    assert after.turns == before.turns
    assert after.info == before.info
    meta = json.loads(back.with_name("meta.json").read_text())
    assert meta["total_messages"] == len(MESSAGES)  # Vibe appends what comes after so many
    required = {"session_id", "start_time", "end_time", "git_commit", "git_branch", "environment", "username"}  # fmt: skip
    assert required <= meta.keys()
    with pytest.raises(SourceError, match="exists"):
        AGENT.restore(before.info, before.turns, place)


def test_what_cannot_be_restored_leaves_nothing(path: Path, tmp_path: Path) -> None:
    place, session = Place(tmp_path, {}, "linux"), only(path)
    (tmp_path / ".vibe" / "config.toml").write_text(
        '[session_logging]\nsave_dir = "~/kept"\nsession_prefix = "talk"\n'
    )
    system = Turn(role="system", blocks=[Notice("info", "x")])
    with pytest.raises(SourceError, match="no messages"):
        AGENT.restore(session.info, [system], place)
    hostile = SessionInfo(id="vibe:../../x")
    with pytest.raises(SourceError, match="folder's name"):
        AGENT.restore(hostile, session.turns, place)
    assert paths(tmp_path / "kept") == []

    def broken() -> Iterator[Turn]:
        yield session.turns[0]
        raise SourceError("the store is gone")

    with pytest.raises(SourceError, match="gone"):
        AGENT.restore(session.info, broken(), place)
    assert paths(tmp_path / "kept") == []
    odd = [
        Turn(role="user", blocks=[Text("a"), Text("b"), Image("image/png", "AAAA")]),
        Turn(role="assistant", blocks=[ToolUse("t", "x", "raw"), ToolUse("u", "y", [1])]),
        Turn(role="tool", blocks=[ToolResult("t", [Text("1")]), ToolResult("u", [])]),
        Turn(role="assistant", blocks=[Text("dead")], branch=True),
    ]
    back = AGENT.restore(session.info, odd, place)
    assert back.parent.name == "talk_20260201_100000_5e55-10"
    again = only(back)
    assert again.roles == ["user", "assistant", "tool", "tool"]
    assert again.texts() == ["a", "b"]
    assert again.turns[0].blocks[2] == Image("image/png", "AAAA", size=3)
    assert [use.input for use in again.uses()] == ["raw", [1]]
    (tmp_path / "kept").chmod(0o500)
    if os.access(tmp_path / "kept", os.W_OK):
        return  # who may do everything cannot be kept out
    with pytest.raises(SourceError, match="cannot be written"):
        AGENT.restore(SessionInfo(id="vibe:other"), session.turns, place)


def test_where_it_looks(path: Path, tmp_path: Path) -> None:
    place = Place(tmp_path, {}, "linux")
    assert [source.path for source in AGENT.sources(place)] == [str(path)]
    (tmp_path / ".vibe" / "config.toml").write_text('[session_logging]\nsave_dir = "~/kept"\n')
    assert AGENT.roots(place)[1] == tmp_path / "kept"
    assert AGENT.roots(Place(tmp_path, {"VIBE_HOME": "/v"}, "linux")) == [Path("/v/logs/session")]
    assert AGENT.sniff(path, b"{}")
    assert not AGENT.sniff(tmp_path / "messages.jsonl", b'{"role": "user"}')
    assert AGENT.source_at(path.with_name("notes.txt")) is None
    resume = AGENT.resume(only(path).info)
    assert resume is not None
    assert (resume.argv, resume.directory) == (("vibe", "--resume", "5e55-10"), "/home/ada/pond")


def test_others_fixture() -> None:
    for file in found_real("fixtures/**/vibe/messages.jsonl"):
        records = [json.loads(line) for line in file.read_text().splitlines()]
        session = only(file)
        assert session.roles == [record["role"] for record in records]
        assert session.texts() == [record["content"] for record in records]
