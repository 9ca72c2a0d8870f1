"""Chat files that no program owns."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hostile import adds_up, grow, mutations, rewrite, torture_lines
from session_reading import Reading, Session, read_all, same

from sparrow_tui.agents.base import Place, SourceError
from sparrow_tui.agents.generic import AGENT
from sparrow_tui.agents.registry import agents
from sparrow_tui.model import Image, Notice, Raw, Reasoning, Text, Usage
from sparrow_tui.sync.discover import recognise

OPENAI: list[dict[str, Any]] = [
    {"role": "system", "content": "You count."},
    {"role": "user", "content": [{"type": "text", "text": "Count the ducks"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]},
    {"role": "assistant", "content": None, "reasoning_content": "Look.", "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"at": "pond"}'}}]},
    {"role": "tool", "tool_call_id": "c1", "content": "one duck"},
    {"role": "assistant", "content": "One."},
]  # fmt: skip
OLD: list[dict[str, Any]] = [
    {"role": "user", "content": "Count"},
    {"role": "assistant", "content": None, "function_call": {"name": "look", "arguments": "{}"}},
    {"role": "function", "name": "look", "content": "one"},
]
ANTHROPIC: dict[str, Any] = {
    "model": "claude-opus-4-6", "system": [{"type": "text", "text": "You count."}],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Count the ducks"}, {"type": "document", "title": "rules", "source": {"type": "text", "data": "Be kind."}},
                                     {"type": "document", "title": "map.pdf", "source": {"type": "base64", "data": "AAAA"}}]},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "Look.", "signature": "s"}, {"type": "redacted_thinking", "data": "x"},
                                          {"type": "tool_use", "id": "t1", "name": "look", "input": {"at": "pond"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "one duck", "is_error": False}, {"type": "text", "text": "go on"}]},
        {"role": "assistant", "content": "One."},
    ],
    "usage": {"input_tokens": 10, "output_tokens": 2, "cache_read_input_tokens": 5},
}  # fmt: skip
ITEMS: list[dict[str, Any]] = [
    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Count"}]},
    {"type": "reasoning", "id": "r1", "summary": [{"type": "summary_text", "text": "Look."}]},
    {"type": "function_call", "call_id": "c1", "name": "look", "arguments": '{"at": "pond"}'},
    {"type": "function_call_output", "call_id": "c1", "output": "one"},
    {"type": "web_search_call", "id": "w1", "action": {"query": "duck"}},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "One."}]},
    {"type": "hologram", "beam": 1},
]


def streamed(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "session_id": "s-1", **more}


def answered(key: str, output: int, *content: dict[str, Any]) -> dict[str, Any]:
    usage = {"input_tokens": 3, "cache_read_input_tokens": 100, "output_tokens": output}
    message = {"id": key, "role": "assistant", "model": "claude-opus-4-6", "usage": usage}
    return streamed("assistant", message={**message, "content": list(content)})


STREAM = [
    streamed("system", subtype="init", cwd="/w/pond", model="claude-opus-4-6", tools=["Bash"]),
    streamed("user", message={"role": "user", "content": "Count the ducks"}),
    answered("m1", 1, {"type": "text", "text": "I look."}),
    answered("m1", 9, {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls"}}),
    streamed("user", message={"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "duck"}]}),
    streamed("result", subtype="success", is_error=False, result="One.", total_cost_usd=0.25,
             usage={"input_tokens": 6, "cache_read_input_tokens": 200, "output_tokens": 20}),
    streamed("stream_event", event={}),
    answered("m2", 4, {"type": "text", "text": "More?"}),
    streamed("result", subtype="error_max_turns", is_error=True, total_cost_usd=0.5),
    streamed("hologram", beam=1),
]  # fmt: skip
BATCH = {
    "id": "b1", "custom_id": "duck-1", "error": None,
    "response": {"status_code": 200, "body": {"model": "gpt-5", "created": 1_770_000_000, "choices": [{"index": 0, "message": {"role": "assistant", "content": "One."}}],
                 "usage": {"prompt_tokens": 50, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 20}}}},
}  # fmt: skip


def put(path: Path, value: Any, indent: int | None = None) -> Path:
    path.write_text(json.dumps(value, indent=indent))
    return path


def put_lines(path: Path, *records: Any) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def found(path: Path) -> list[Session]:
    """As a file given by hand: the shape is told, no other agent claims it."""
    source = recognise(path)
    assert source.agent == "generic"
    assert AGENT.sniff(path, path.read_bytes()[:65536])
    return list(read_all(AGENT, source).values())


def only(path: Path) -> Session:
    (session,) = found(path)
    return session


def check_openai(session: Session) -> None:
    assert session.roles == ["system", "user", "assistant", "tool", "assistant"]
    assert session.turns[0].meta
    assert session.turns[1].blocks == [Text("Count the ducks"), Image("image/png", "AAAA", size=3)]
    assert session.turns[2].blocks[0] == Reasoning("Look.")
    (use,), (result,) = session.uses(), session.results()
    assert (use.id, use.name, use.input) == ("c1", "look", {"at": "pond"})
    assert (result.tool_use_id, result.content) == ("c1", [Text("one duck")])
    assert (session.info.title, session.info.project) == ("Count the ducks", None)
    assert session.info.updated_at
    assert (session.coverage.records, session.coverage.kept) == (5, 5)


@pytest.mark.parametrize("indent", [None, 2])
def test_openai_documents(tmp_path: Path, indent: int | None) -> None:
    path = tmp_path / "chat.json"
    check_openai(only(put(path, OPENAI, indent)))
    check_openai(only(put(path, {"model": "gpt-5", "messages": OPENAI}, indent)))
    check_openai(only(put(path, [{"messages": OPENAI}], indent)))
    check_openai(only(put(path, {"request": {"messages": OPENAI[:4]}, "response": {"choices": [{"message": OPENAI[4]}]}}, indent)))  # fmt: skip
    log = {
        "custom_id": "a",
        "method": "POST",
        "body": {"model": "gpt-5", "messages": OPENAI},
        "x": 1,
    }
    session = only(put(path, log, indent))
    check_openai(session)
    assert session.info.extra == {"custom_id": "a"}


def test_fine_tuning_lines(tmp_path: Path) -> None:
    path = put_lines(tmp_path / "train.jsonl", {"messages": OPENAI, "tools": []}, {"messages": OLD})
    first, second = found(path)
    check_openai(first)
    assert (second.roles, second.uses()[0].name) == (["user", "assistant", "tool"], "look")
    assert second.results()[0].tool_use_id == second.uses()[0].id == "look"
    assert first.info.id != second.info.id
    assert all(session.info.id.startswith("generic:") for session in (first, second))

    reading = Reading().take(AGENT, AGENT.source_at(path))
    with path.open("a") as file:
        file.write(json.dumps({"messages": OLD[:1]}) + '\n{"messages": [{"ro')
    assert reading.take(AGENT, AGENT.source_at(path)).emitted == 1
    assert len(reading.sessions) == 3
    assert reading.take(AGENT, AGENT.source_at(path)).emitted == 0
    same(reading.sessions, read_all(AGENT, AGENT.source_at(path)))
    said = {"conversations": [{"from": "human", "value": "Count"}, {"from": "gpt", "value": "One"}]}
    (session,) = found(put_lines(path, said))
    assert (session.roles, session.info.title) == (["user", "assistant"], "Count")


def test_a_message_a_line(tmp_path: Path) -> None:
    path = put_lines(tmp_path / "chat.jsonl", *OPENAI)
    check_openai(only(path))
    timed = [{**m, "timestamp": 1_770_000_000 + i} for i, m in enumerate(OPENAI)]
    session = only(put_lines(path, *timed))
    assert (session.info.created_at, session.info.updated_at) == (1_770_000_000_000, 1_770_000_004_000)  # fmt: skip
    grow(AGENT, path)
    rewrite(AGENT, path)
    assert torture_lines(AGENT, path) > 200


def test_batch_output(tmp_path: Path) -> None:
    failed = {"custom_id": "duck-2", "response": None, "error": {"code": "x"}}
    path = put_lines(tmp_path / "out.jsonl", BATCH, failed)
    session, broken = read_all(AGENT, AGENT.source_at(path)).values()
    assert (broken.info.title, broken.turns[0].blocks) == ("duck-2", [Notice("error", "x")])
    assert broken.turns[0].api_error
    assert (session.roles, session.texts()) == (["assistant"], ["One."])
    assert session.usage == Usage(input=30, output=7, cache_read=20)
    assert (session.info.title, session.info.model) == ("duck-1", "gpt-5")
    assert session.info.created_at == 1_770_000_000_000
    message = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "One."}], "model": "claude-opus-4-6", "usage": {"output_tokens": 2}}  # fmt: skip
    done = {"custom_id": "d", "result": {"type": "succeeded", "message": message}}
    session = only(put_lines(tmp_path / "out.jsonl", done))
    assert (session.texts(), session.usage.output) == (["One."], 2)
    assert session.info.model == "claude-opus-4-6"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"response": {"status_code": 400, "body": {"error": {"message": "too long"}}}}, "too long"),
        ({"result": {"type": "errored", "error": {"type": "error", "error": {"type": "invalid", "message": "bad"}}}}, "bad"),
        ({"result": {"type": "expired"}}, "expired"),
    ],
)  # fmt: skip
def test_failed_batches(tmp_path: Path, line: dict[str, Any], words: str) -> None:
    session = only(put_lines(tmp_path / "out.jsonl", {"custom_id": "duck", **line}))
    assert session.turns[0].blocks == [Notice("error", words)]


def test_a_whole_response(tmp_path: Path) -> None:
    usage = {"input_tokens": 9, "output_tokens": 4, "input_tokens_details": {"cached_tokens": 2}}
    response = {"object": "response", "model": "gpt-5", "created_at": 1_770_000_000, "output": ITEMS[1:6], "usage": usage}  # fmt: skip
    session = only(put(tmp_path / "answer.json", response))
    assert session.roles == ["assistant", "assistant", "tool", "assistant", "assistant"]
    assert session.usage == Usage(input=7, output=4, cache_read=2)
    assert (session.info.model, session.info.created_at) == ("gpt-5", 1_770_000_000_000)
    asked = {"instructions": "You count.", "input": "Count", "model": "gpt-5"}
    session = only(put(tmp_path / "log.json", {"request": asked, "response": response}))
    assert session.texts() == ["You count.", "Count", "One."]
    for changed in mutations({"request": asked, "response": response}):
        path = tmp_path / "log.json"
        path.write_text(json.dumps(changed))
        source = AGENT.source_at(path)
        if source is not None:
            adds_up(read_all(AGENT, source))
    session = only(put(tmp_path / "log.json", {"body": {**asked, "input": ITEMS[:1]}}))
    assert session.texts() == ["You count.", "Count"]


def test_reasoning_in_parts_and_spoken_answers(tmp_path: Path) -> None:
    details = [{"type": "reasoning.text", "text": "Look."}, {"type": "reasoning.encrypted", "data": "x"}, 7]  # fmt: skip
    answer = {"role": "assistant", "content": None, "audio": {"transcript": "One."}, "reasoning_details": details}  # fmt: skip
    session = only(put(tmp_path / "chat.json", {"messages": [OPENAI[1], answer]}))
    assert session.turns[1].blocks == [Reasoning("Look."), Text("One.")]


def test_anthropic(tmp_path: Path) -> None:
    session = only(put(tmp_path / "chat.json", ANTHROPIC, 1))
    assert session.roles == ["system", "user", "assistant", "tool", "user", "assistant"]
    assert session.turns[1].blocks == [
        Text("Count the ducks"),
        Text("Be kind."),
        Image(media_type="file", url="map.pdf"),
    ]
    assert session.turns[2].blocks[0] == Reasoning("Look.")
    assert (session.results()[0].tool_use_id, session.results()[0].is_error) == ("t1", False)
    assert session.turns[-1].usage == Usage(10, 2, 5)
    assert session.info.model == "claude-opus-4-6"
    assert session.coverage.unknown == {}


def test_responses_items(tmp_path: Path) -> None:
    for path in (put_lines(tmp_path / "i.jsonl", *ITEMS), put(tmp_path / "i.json", ITEMS)):
        session = only(path)
        assert session.roles == [
            *("user", "assistant", "assistant", "tool", "assistant", "assistant", "system")
        ]
        assert [use.name for use in session.uses()] == ["look", "web_search_call"]
        assert session.uses()[0].input == {"at": "pond"}
        assert session.results()[0].content == [Text("one")]
        assert session.turns[-1].blocks == [Raw("item hologram", ITEMS[-1])]
        assert session.coverage.unknown == {"item hologram": 1}


def test_stream(tmp_path: Path) -> None:
    path = put_lines(tmp_path / "run.jsonl", *STREAM)
    session = only(path)
    info = session.info
    assert (info.title, info.project, info.model) == ("Count the ducks", "/w/pond", "claude-opus-4-6")  # fmt: skip
    assert session.roles == ["user", "assistant", "assistant", "tool", "assistant", "system", "system"]  # fmt: skip
    assert info.usage == Usage(9, 24, 300)  # the first result's, and of the request after it
    assert info.cost_micro == 500_000
    assert session.turns[5].blocks == [Notice("error", "error_max_turns")]
    assert session.coverage.unknown == {"record hologram": 1}
    assert (session.coverage.records, session.coverage.skipped) == (10, 1)
    killed = only(put_lines(path, *STREAM[:4])).info
    assert killed.usage == Usage(3, 9, 100)  # one message on two lines
    put_lines(path, *STREAM)
    grow(AGENT, path)
    rewrite(AGENT, path)
    assert torture_lines(AGENT, path) > 300


def test_documents_are_read_again_only_if_changed(tmp_path: Path) -> None:
    path = put(tmp_path / "chat.json", [{"messages": OPENAI}, {"messages": OLD}])
    reading = Reading().take(AGENT, AGENT.source_at(path))
    assert reading.take(AGENT, AGENT.source_at(path)).emitted == 0
    put(path, [{"messages": OPENAI}, {"messages": OLD[:2]}])
    assert reading.take(AGENT, AGENT.source_at(path)).emitted == 7
    same(reading.sessions, read_all(AGENT, AGENT.source_at(path)))


def test_long_documents(tmp_path: Path) -> None:
    long = copy.deepcopy(OPENAI)
    long[0]["content"] = "You count. " * 20_000
    for name in ("a.json", "b.jsonl"):
        for value in (long, {"messages": long}):
            session = only(put(tmp_path / name, value))
            assert len(session.turns) == 5
    many = [{"role": "user", "content": f"duck {n}"} for n in range(3000)]
    assert len(only(put(tmp_path / "many.json", many)).turns) == 3000
    text = json.dumps(many)
    (tmp_path / "many.json").write_text(text[: len(text) // 2])
    assert 1000 < len(only(tmp_path / "many.json").turns) < 2000


@pytest.mark.parametrize("value", [OPENAI, ANTHROPIC, [{"messages": OLD}], ITEMS, BATCH])
def test_hostile_documents(tmp_path: Path, value: Any) -> None:
    path = put(tmp_path / "chat.json", value)
    source = AGENT.source_at(path)
    assert source is not None
    for odd in mutations(value):
        put(path, odd)
        AGENT.sniff(path, path.read_bytes())
        try:
            adds_up(read_all(AGENT, source))
        except SourceError:
            pass
    put(path, value)
    broken = path.read_text()
    for end in range(1, len(broken), 37):
        path.write_text(broken[:end])
        try:
            adds_up(read_all(AGENT, source))
        except SourceError:
            pass


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[", "[]", "{}", "null", "5", '"x"', "[1, 2]", '{"messages": []}', '{"messages": ["x"]}',
        '{"messages": {"hello": "Hello"}}', '{"role": "admin", "content": "x"}', '{"role": "user", "name": "x"}',
        '{"role": ["user"], "content": "x"}', '[{"role": "user", "policy": {}}]', '{"name": "x", "version": "1.0"}',
        '{"type": "assistant", "message": {}}', '{"type": "message", "id": "x", "message": {"role": "user"}}',
        '{"conversations": [{"id": 1}]}', '{"type": "session", "id": "x", "cwd": "/"}', "# role: user\n",
    ],
)  # fmt: skip
def test_other_files_are_left_alone(tmp_path: Path, text: str) -> None:
    for name in ("x.json", "x.jsonl"):
        path = tmp_path / name
        path.write_text(text)
        assert not AGENT.sniff(path, text.encode())
        assert AGENT.source_at(path) is None


def test_it_is_the_last_and_has_no_places(tmp_path: Path) -> None:
    ours = [name for name, agent in agents().items() if agent.__module__.startswith("sparrow_tui.")]
    assert ours[-1] == "generic"
    place = Place(tmp_path, {}, "linux")
    put(tmp_path / "chat.json", OPENAI)
    assert (AGENT.roots(place), list(AGENT.sources(place))) == ([], [])
    assert AGENT.source_at(put(tmp_path / "chat.md", OPENAI)) is None
    put_lines(tmp_path / "wire.jsonl", {})
    assert AGENT.source_at(put_lines(tmp_path / "context_1.jsonl", *OPENAI)) is None
    session = only(tmp_path / "chat.json")
    assert (AGENT.resume(session.info), bool(AGENT.no_resume)) == (None, True)
    gone = AGENT.source_at(tmp_path / "chat.json")
    assert gone is not None
    (tmp_path / "chat.json").unlink()
    with pytest.raises(SourceError, match="cannot be opened"):
        list(AGENT.read(gone, None))
