"""Exports of ChatGPT and claude.ai: zips, JSON files, and what pretends to be one."""

from __future__ import annotations

import base64
import contextlib
import copy
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hostile import torture_document
from real import found_real
from session_reading import Reading, Session, read_all, same

from sparrow_tui.agents.base import Agent, Place, SourceError
from sparrow_tui.agents.chatgpt import AGENT as CHATGPT
from sparrow_tui.agents.claude_ai import AGENT as CLAUDE_AI
from sparrow_tui.agents.documents import array_items
from sparrow_tui.model import Image, Notice, Raw, Reasoning, Text, Usage

T = 1_760_000_000.5


def node(
    id: str,
    parent: str | None,
    role: str = "",
    content: Any = None,
    at: float | None = 0,
    **message: Any,
) -> dict[str, Any]:
    body = None
    if role:
        if isinstance(content, str):
            content = {"content_type": "text", "parts": [content]}
        body = {"id": id, "author": {"role": role, "name": message.pop("name", None)}, "content": content, "status": "finished_successfully",
                "create_time": None if at is None else T + at, "recipient": "all", "metadata": {}, **message}  # fmt: skip
    return {"id": id, "parent": parent, "children": [], "message": body}


MAPPING = [
    node("root", None),
    node("sys", "root", "system", "", None, metadata={"is_visually_hidden_from_conversation": True}),
    node("u1", "sys", "user", {"content_type": "multimodal_text", "parts": [
        {"content_type": "image_asset_pointer", "asset_pointer": "file-service://file-1", "size_bytes": 9}, "What bird?"]}, 1),
    node("dead", "u1", "assistant", "A pigeon.", 2, metadata={"model_slug": "gpt-4o"}),
    node("dead2", "dead", "user", "Really?", 3),
    node("th", "u1", "assistant", {"content_type": "thoughts", "thoughts": [{"summary": "Colour", "content": "Green head."}]}, 4,
         metadata={"model_slug": "o3"}),
    node("call", "th", "assistant", {"content_type": "code", "language": "python", "text": "find('duck')"}, 5, recipient="python",
         metadata={"model_slug": "o3"}),
    node("out", "call", "tool", {"content_type": "execution_output", "text": "duck"}, 6, name="python"),
    node("a1", "out", "assistant", "A duck.", None, metadata={"model_slug": "o3"}),
    node("odd", "a1", "assistant", {"content_type": "hologram", "beam": 1}, 7),
]  # fmt: skip
GPT: dict[str, Any] = {
    "title": "Birds", "create_time": T, "update_time": T + 9, "conversation_id": "g-1", "current_node": "odd",
    "default_model_slug": "auto", "mapping": {entry["id"]: entry for entry in MAPPING},
}  # fmt: skip
CLAUDE: dict[str, Any] = {
    "uuid": "c-1", "name": "Ponds", "created_at": "2026-01-01T10:00:00.000000Z", "updated_at": "2026-01-01T10:09:00.000000Z",
    "account": {"uuid": "x"}, "chat_messages": [
        {"uuid": "m1", "sender": "human", "text": "How deep?", "created_at": "2026-01-01T10:00:01Z",
         "content": [{"type": "text", "text": "How deep?"}],
         "attachments": [{"file_name": "pond.txt", "file_type": "txt", "extracted_content": "3 m"}], "files": [{"file_name": "p.png"}]},
        {"uuid": "m2", "sender": "assistant", "text": "", "created_at": "2026-01-01T10:00:05Z", "content": [
            {"type": "thinking", "thinking": "Read."}, {"type": "text", "text": "I read."},
            {"type": "tool_use", "name": "repl", "input": {"code": "1"}},
            {"type": "tool_result", "name": "repl", "content": [{"type": "text", "text": "3"}], "is_error": False},
            {"type": "text", "text": "Three."}, {"type": "token_budget"}, {"type": "scent"}], "attachments": [], "files": []},
        {"uuid": "m3", "sender": "human", "text": "Old form", "created_at": "2026-01-01T10:00:09Z", "attachments": [], "files": []},
    ],
}  # fmt: skip
BOTH = [(CHATGPT, GPT), (CLAUDE_AI, CLAUDE)]


def put(path: Path, *conversations: Any) -> Path:
    """The conversations in a zip or a JSON file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(conversations)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("export/conversations.json", text)
            archive.writestr("user.json", "{}")
    else:
        path.write_text(text)
    return path


def only(agent: Agent, path: Path) -> Session:
    (session,) = read_all(agent, agent.source_at(path)).values()
    return session


@pytest.mark.parametrize("name", ["conversations.json", "export.zip"])
def test_chatgpt(tmp_path: Path, name: str) -> None:
    session = only(CHATGPT, put(tmp_path / name, GPT))
    info = session.info
    assert (info.id, info.title, info.model, info.project) == ("chatgpt:g-1", "Birds", "o3", None)
    assert (info.created_at, info.updated_at) == (1760000000500, 1760000009500)
    assert [turn.uid for turn in session.turns] == [
        "u1",
        "dead",
        "dead2",
        "th",
        "call",
        "out",
        "a1",
        "odd",
    ]
    assert session.roles == [
        "user",
        "assistant",
        "user",
        "assistant",
        "assistant",
        "tool",
        "assistant",
        "assistant",
    ]
    assert [turn.branch for turn in session.turns] == [False, True, True, *[False] * 5]
    assert session.turns[0].blocks == [
        Image("image", url="file-service://file-1", size=9),
        Text("What bird?"),
    ]
    assert session.turns[3].blocks == [Reasoning("Colour\nGreen head.")]
    (use,), (result,) = session.uses(), session.results()
    assert (use.id, use.name, use.input) == ("call", "python", "find('duck')")
    assert (result.tool_use_id, result.content) == ("call", [Text("duck")])
    assert session.turns[6].time is None
    assert isinstance(session.turns[7].blocks[0], Raw)
    coverage = session.coverage
    assert (coverage.records, coverage.kept, coverage.skipped, coverage.bad) == (9, 8, 1, 0)
    assert coverage.unknown == {"content hologram": 1}
    assert (session.usage, session.cost, info.usage) == (Usage(), 0, None)


def test_chatgpt_odd_messages(tmp_path: Path) -> None:
    extra = [
        node(
            "e1",
            "odd",
            "user",
            {
                "content_type": "user_editable_context",
                "user_profile": "I am Ada",
                "user_instructions": "Be brief",
            },
        ),
        node(
            "e2",
            "e1",
            "assistant",
            {"content_type": "reasoning_recap", "content": "Thought for 3s"},
        ),
        node(
            "e3",
            "e2",
            "tool",
            {"content_type": "tether_quote", "title": "Ducks", "text": "They quack", "url": "u"},
            name="browser",
        ),
        node("e4", "e3", "assistant", "Cut sho", status="finished_partial_completion"),
        node(
            "e5", "e4", "tool", {"content_type": "system_error", "text": "timeout"}, name="browser"
        ),
        node("e6", "e5", "critic", "No"),
    ]
    mapping = {**GPT["mapping"], **{entry["id"]: entry for entry in extra}}
    session = only(
        CHATGPT,
        put(
            tmp_path / "conversations.json",
            {**GPT, "mapping": mapping, "current_node": "e6", "title": "New chat"},
        ),
    )
    turns = session.turns[-6:]
    assert (turns[0].meta, turns[0].blocks) == (True, [Text("I am Ada\n\nBe brief")])
    assert turns[1].blocks == [Notice("info", "Thought for 3s")]
    assert turns[3].blocks == [Text("Cut sho"), Notice("interruption")]
    assert [(r.tool_use_id, r.is_error) for r in session.results()[1:]] == [
        ("browser", None),
        ("browser", True),
    ]
    assert session.info.title is None
    assert session.coverage.unknown["role critic"] == 1


def test_chatgpt_references_and_attachments(tmp_path: Path) -> None:
    cited = "Ducks quack \ue200cite\ue202turn0search0\ue201. See \ue200url\ue202x\ue201"
    references = [
        {"matched_text": "\ue200url\ue202x\ue201", "alt": "[Ducks](https://ducks.example)"},
        {"matched_text": " ", "alt": "no"},
        {"matched_text": 7},
        7,
    ]
    files = [
        {"id": "file-1", "name": "duck.png", "mime_type": "image/png"},
        {"id": "file-2", "name": "pond.pdf", "mime_type": "application/pdf", "size": 7},
        {"name": None},
        "x",
    ]
    picture = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://file-1"}
    mapping = [
        node("u", None, "user", {"content_type": "multimodal_text", "parts": [picture]},
             metadata={"attachments": files}),
        node("v", "u", "user", "", metadata={"attachments": files[1:2]}),
        node("a", "v", "assistant", cited, metadata={"content_references": references}),
        node("b", "a", "assistant", "\ue200image_group\ue202{}\ue201"),
    ]  # fmt: skip
    export = {**GPT, "mapping": {entry["id"]: entry for entry in mapping}, "current_node": "b"}
    session = only(CHATGPT, put(tmp_path / "conversations.json", {**export, "is_archived": True}))
    pdf = Image("application/pdf", url="pond.pdf", size=7)
    assert session.turns[0].blocks == [Image("image", url="file-service://file-1"), pdf]
    assert session.turns[1].blocks == [pdf]
    assert session.texts() == ["Ducks quack. See [Ducks](https://ducks.example)"]
    assert session.coverage.skipped == 1  # nothing but a reference
    assert session.info.extra == {"archived": True}
    assert torture_document(CHATGPT, tmp_path / "conversations.json", [export]) > 300


@pytest.mark.parametrize("name", ["conversations.json", "export.zip"])
def test_chatgpt_pictures(tmp_path: Path, name: str) -> None:
    png, webp = b"\x89PNG\r\n\x1a\n duck", b"RIFF....WEBP"
    files = {
        "file-1-duck.png": png,
        "dalle-generations/file-2-0a1b.webp": webp,
        "file_3-sanitized.dat": b"no picture",
    }
    pointers = (
        "file-service://file-1",
        "sediment://file-2#x",
        "sediment://file_3",
        "file-service://file-4",
    )
    parts = [{"content_type": "image_asset_pointer", "asset_pointer": p} for p in pointers]
    mapping = {
        "u": node("u", None, "user", {"content_type": "multimodal_text", "parts": parts[:1]}),
        "t": node("t", "u", "tool", {"content_type": "multimodal_text", "parts": parts[1:]}, name="dalle"),
    }  # fmt: skip
    path = put(tmp_path / name, {**GPT, "mapping": mapping, "current_node": "t"})
    for file, data in files.items():
        if name.endswith(".zip"):
            with zipfile.ZipFile(path, "a") as archive:
                archive.writestr(file, data)
        else:
            (tmp_path / file).parent.mkdir(exist_ok=True)
            (tmp_path / file).write_bytes(data)
    session = only(CHATGPT, path)

    def kept(media_type: str, pointer: str, data: bytes) -> Image:
        return Image(media_type, base64.b64encode(data).decode(), pointer, size=len(data))

    assert session.turns[0].blocks == [kept("image/png", pointers[0], png)]
    (result,) = session.results()
    assert result.content == [
        kept("image/webp", pointers[1], webp),
        *(Image("image", url=pointer) for pointer in pointers[2:]),
    ]


def test_claude_ai_durations_and_newer_files(tmp_path: Path) -> None:
    said = {"type": "text", "text": "Deep.", "start_timestamp": "2026-01-01T10:00:05Z", "stop_timestamp": "2026-01-01T10:00:07.5Z"}  # fmt: skip
    messages = [
        {"uuid": "m1", "sender": "human", "text": "", "files": [], "files_v2": [{"file_name": "p.png", "file_kind": "image"}]},
        {"uuid": "m2", "sender": "assistant", "content": [{**said, "text": "It is", "start_timestamp": "2026-01-01T10:00:03Z"}, said, 7]},
    ]  # fmt: skip
    session = only(CLAUDE_AI, put(tmp_path / "conversations.json", {**CLAUDE, "chat_messages": messages}))  # fmt: skip
    assert session.turns[0].blocks == [Image("image", url="p.png")]
    assert session.turns[1].duration_ms == 4500
    whole = [{**CLAUDE, "chat_messages": messages}]
    assert torture_document(CLAUDE_AI, tmp_path / "conversations.json", whole) > 100


@pytest.mark.parametrize("name", ["conversations.json", "export.zip"])
def test_claude_ai(tmp_path: Path, name: str) -> None:
    session = only(CLAUDE_AI, put(tmp_path / name, CLAUDE))
    info = session.info
    assert (info.id, info.title) == ("claude-ai:c-1", "Ponds")
    assert (info.created_at, info.updated_at) == (1767261600000, 1767262140000)
    assert session.roles == ["user", "assistant", "tool", "assistant", "user"]
    assert session.turns[0].blocks == [
        Text("How deep?"),
        Text("[pond.txt]\n3 m"),
        Image("file", url="p.png"),
    ]
    assert session.turns[1].blocks[:2] == [Reasoning("Read."), Text("I read.")]
    (use,), (result,) = session.uses(), session.results()
    assert use.id == result.tool_use_id == "m2:2"
    assert (use.name, use.input, result.is_error) == ("repl", {"code": "1"}, False)
    assert session.turns[3].blocks == [Text("Three."), Raw("scent", {"type": "scent"})]
    assert session.texts()[-1] == "Old form"
    assert session.coverage.unknown == {"block scent": 1}
    assert session.coverage.records == session.coverage.kept == 3


def test_claude_ai_branches(tmp_path: Path) -> None:
    links = [("m1", "root"), ("m2", "m1"), ("m3", "m1")]
    messages = [
        {**m, "uuid": u, "parent_message_uuid": p}
        for m, (u, p) in zip(CLAUDE["chat_messages"], links, strict=True)
    ]
    session = only(
        CLAUDE_AI, put(tmp_path / "conversations.json", {**CLAUDE, "chat_messages": messages})
    )
    assert [turn.branch for turn in session.turns] == [False, True, True, True, False]


@pytest.mark.parametrize(("agent", "conversation"), BOTH)
def test_only_changed_conversations_are_read_again(
    tmp_path: Path, agent: Agent, conversation: dict[str, Any]
) -> None:
    other = copy.deepcopy(conversation)
    other.update({"conversation_id": "g-2", "uuid": "c-2"})
    path = put(tmp_path / "conversations.json", conversation, other)
    reading = Reading().take(agent, agent.source_at(path))
    assert len(reading.sessions) == 2
    assert reading.take(agent, agent.source_at(path)).emitted == 0
    renamed = {**other, "title": "Geese", "name": "Geese"}
    put(path, conversation, renamed)
    assert reading.take(agent, agent.source_at(path)).emitted == len(
        read_all(agent, agent.source_at(path)).popitem()[1].turns
    )
    same(reading.sessions, read_all(agent, agent.source_at(path)))


def test_where_they_look(tmp_path: Path) -> None:
    put(tmp_path / "Downloads" / "abc.zip", GPT)
    put(tmp_path / "Downloads" / "data.zip", CLAUDE)
    put(tmp_path / "Downloads" / "conversations.json", CLAUDE)
    put(tmp_path / "Downloads" / "other.json", GPT)
    put(tmp_path / "Downloads" / "deeper" / "conversations.json", GPT)
    (tmp_path / "Downloads" / "broken.zip").write_bytes(b"PK\x03\x04 no")
    place = Place(tmp_path)
    assert [Path(s.path).name for s in CHATGPT.sources(place)] == ["abc.zip"]
    assert sorted(Path(s.path).name for s in CLAUDE_AI.sources(place)) == [
        "conversations.json",
        "data.zip",
    ]
    for name, agent in (
        ("abc.zip", CHATGPT),
        ("data.zip", CLAUDE_AI),
        ("conversations.json", CLAUDE_AI),
    ):
        path = tmp_path / "Downloads" / name
        assert agent.sniff(path, path.read_bytes()[:65536])
        other = CLAUDE_AI if agent is CHATGPT else CHATGPT
        assert not other.sniff(path, path.read_bytes()[:65536])
        assert agent.source_at(path.with_suffix(".txt")) is None
        assert agent.no_resume
        assert agent.resume(read_all(agent, agent.source_at(path)).popitem()[1].info) is None


def test_zips_that_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("conversations.json", b"[" + b" " * 5_000_000 + b"]")
    with pytest.raises(SourceError, match="two hundred times"):
        read_all(CHATGPT, CHATGPT.source_at(path))
    assert not CHATGPT.sniff(path, path.read_bytes())
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(SourceError, match=r"no conversations\.json"):
        read_all(CHATGPT, CHATGPT.source_at(path))
    path.write_bytes(b"PK\x03\x04" + b"x" * 100)
    with pytest.raises(SourceError, match="not a zip"):
        read_all(CHATGPT, CHATGPT.source_at(path))
    whole = put(path, GPT).read_bytes()
    for at in range(0, len(whole), 37):
        path.write_bytes(whole[:at] + b"\xff" + whole[at + 1 :])
        with contextlib.suppress(SourceError):
            read_all(CHATGPT, CHATGPT.source_at(path))


@pytest.mark.parametrize(("agent", "conversation"), BOTH)
def test_hostile_exports(tmp_path: Path, agent: Agent, conversation: dict[str, Any]) -> None:
    assert (
        torture_document(
            agent, tmp_path / "conversations.json", [conversation], (None, 5, "x\ud83d", [])
        )
        > 300
    )
    cut = tmp_path / "cut.json"
    cut.write_text(json.dumps([conversation, conversation])[:-20])
    assert only(agent, cut).turns  # what came before the break is there
    cut.write_text("[]")
    with pytest.raises(SourceError, match="no conversations of"):
        read_all(agent, agent.source_at(cut))


def test_chatgpt_ring_of_nodes(tmp_path: Path) -> None:
    ring = {
        "a": node("a", "b", "user", "A"),
        "b": node("b", "a", "user", "B"),
        "c": node("c", "c", "user", "C"),
    }
    session = only(
        CHATGPT, put(tmp_path / "conversations.json", {**GPT, "mapping": ring, "current_node": "a"})
    )
    assert sorted(session.texts()) == ["A", "B", "C"]


def test_array_items_in_small_pieces() -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(3)

    items = [{"a": "]},[{ü"}, 12345, "x", [1, [2]], None, {"long": "y" * 100}]
    assert list(array_items(Slow(json.dumps(items, ensure_ascii=False).encode()))) == items
    assert list(array_items(Slow(b' {"one": 1} '))) == [{"one": 1}]
    assert list(array_items(Slow(b""))) == []
    for broken in (b"[1, 2", b"[1, }", b'["', b"[" * 100_000):
        with pytest.raises(SourceError):
            list(array_items(io.BytesIO(broken)))


def test_real_export() -> None:
    for file in found_real("chatgpt/*/conversations.json", "**/fixtures/chatgpt/*.json"):
        listed = json.loads(file.read_text())
        listed = listed if isinstance(listed, list) else [listed]
        sessions = read_all(CHATGPT, CHATGPT.source_at(file))
        assert set(sessions) == {c.get("conversation_id") or c["id"] for c in listed}
        for conversation in listed:
            read = sessions[conversation.get("conversation_id") or conversation["id"]]
            messages = [n["message"] for n in conversation["mapping"].values() if n["message"]]
            said = [
                m
                for m in messages
                if any(map(str.strip, filter(None, m["content"].get("parts") or [])))
            ]
            assert read.coverage.records == len(messages)
            assert sorted(turn.uid for turn in read.turns) == sorted(m["id"] for m in said)
            assert not read.coverage.bad
            assert not read.coverage.unknown
            live, key = set(), conversation.get("current_node")
            while key:
                live.add(key)
                key = conversation["mapping"][key]["parent"]
            if live:
                assert {t.uid for t in read.turns if not t.branch} == live & {m["id"] for m in said}
