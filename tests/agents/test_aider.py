"""aider's Markdown histories."""

from __future__ import annotations

import random
from datetime import datetime
from pathlib import Path

import pytest
from hostile import adds_up
from real import found_real
from session_reading import Reading, Session, read_all, same

from sparrow_tui.agents.aider import AGENT, HISTORY
from sparrow_tui.agents.base import Place
from sparrow_tui.model import Notice, Reasoning, Text, Usage

TEXT = """
# aider chat started at 2025-03-01 10:00:00

> aider v0.75.1
> Main model: anthropic/claude-3-7-sonnet with diff edit format, infinite output
> Git repo: .git with 3 files

#### count the ducks  
#### in pond.txt  

--------------
► **THINKING**

Look first.

--------------
► **ANSWER**

There are two.

# Heading of the answer

```python
print("duck")
```

> Tokens: 4.2k sent, 1k cache write, 3k cache hit, 180 received. Cost: $0.0043 message, $0.0210 session.
> Applied edit to pond.txt

#### /undo  

> Undone.

# aider chat started at 2025-03-01 11:00:00

> aider v0.75.1

# aider chat started at 2025-03-01 12:00:00

> Model: gpt-4o with whole edit format

#### thanks  

You are welcome.

> Tokens: 850 sent, 12 received.
"""  # noqa: W291


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "work" / "pond" / HISTORY
    path.parent.mkdir(parents=True)
    path.write_text(TEXT)
    return path


def ordered(path: Path) -> list[Session]:
    sessions = read_all(AGENT, AGENT.source_at(path)).values()
    return sorted(sessions, key=lambda session: session.info.created_at or 0)


def local(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def test_runs(path: Path) -> None:
    first, last = ordered(path)  # the run between them has no prompt
    info = first.info
    assert (info.title, info.project, info.model) == (
        None,
        str(path.parent),
        "anthropic/claude-3-7-sonnet",
    )
    assert info.created_at == info.updated_at == local("2025-03-01 10:00:00")
    assert first.roles == ["system", "user", "assistant", "system", "user", "system"]
    assert first.turns[1].blocks == [Text("count the ducks\nin pond.txt")]
    answer = first.turns[2]
    assert answer.blocks == [
        Reasoning("Look first."), Text('There are two.\n\n# Heading of the answer\n\n```python\nprint("duck")\n```'),
    ]  # fmt: skip
    assert (answer.usage, answer.cost_micro) == (Usage(200, 180, 3000, 1000), 4300)
    assert first.turns[5].blocks == [Notice("info", "Undone.")]
    assert first.turns[5].meta
    assert last.info.model == "gpt-4o"
    assert last.texts() == ["thanks", "You are welcome."]
    assert (last.usage, last.cost) == (Usage(850, 12), 0)
    assert last.info.updated_at == path.stat().st_mtime_ns // 1_000_000
    assert not first.uses()
    assert not first.results()
    assert first.coverage.records == first.coverage.kept == 6
    assert AGENT.resume(info) is None
    assert AGENT.no_resume


def test_growing_file(path: Path) -> None:
    data = TEXT.encode()
    reading = Reading()
    for cut in range(1, len(data) + 1, 7):
        path.write_bytes(data[:cut])
        reading.take(AGENT, AGENT.source_at(path))
    path.write_bytes(data)
    reading.take(AGENT, AGENT.source_at(path))
    same(reading.sessions, read_all(AGENT, AGENT.source_at(path)))
    assert reading.take(AGENT, AGENT.source_at(path)).emitted == 4  # the last run only
    path.write_bytes(data[:400])
    assert len(reading.take(AGENT, AGENT.source_at(path)).sessions) == 2


def test_runs_of_the_same_second_are_two_sessions(path: Path) -> None:
    run = "# aider chat started at 2025-03-01 10:00:00\n\n#### hi  \n\nho\n\n"
    path.write_text(run * 3)
    reading = Reading().take(AGENT, AGENT.source_at(path))
    assert len(reading.sessions) == 3
    path.write_text(run * 4)
    reading.take(AGENT, AGENT.source_at(path))
    assert len(reading.sessions) == 4
    same(reading.sessions, read_all(AGENT, AGENT.source_at(path)))


def test_where_it_looks(path: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.md"
    elsewhere.write_text(TEXT)
    deep = tmp_path / "a" / "b" / "c" / "d" / HISTORY
    deep.parent.mkdir(parents=True)
    deep.write_text(TEXT)
    found = [
        s.path for s in AGENT.sources(Place(tmp_path, {"AIDER_CHAT_HISTORY_FILE": str(elsewhere)}))
    ]
    assert found == [str(elsewhere), str(path)]
    (tmp_path / ".claude.json").write_text(f'{{"projects": {{"{deep.parent}": {{}}}}}}')
    assert str(deep) in [s.path for s in AGENT.sources(Place(tmp_path))]
    assert AGENT.sniff(path, path.read_bytes())
    assert not AGENT.sniff(path, b"# Notes\n\n> quote\n")
    assert AGENT.source_at(path.with_suffix(".txt")) is None


def test_another_name_for_the_history(path: Path, tmp_path: Path) -> None:
    chats = path.with_name("chats.md")
    chats.write_text(TEXT)
    assert [s.path for s in AGENT.sources(Place(tmp_path))] == [str(path)]
    env = {"AIDER_CHAT_HISTORY_FILE": "chats.md"}
    assert [s.path for s in AGENT.sources(Place(tmp_path, env))] == [str(path), str(chats)]
    settings = path.with_name(".aider.conf.yml")
    settings.write_text("# mine\nmodel: sonnet\nchat-history-file: 'chats.md'  # here\n")
    assert [s.path for s in AGENT.sources(Place(tmp_path))] == [str(path), str(chats)]
    settings.write_bytes(b"\xff\nchat-history-file:\n")
    assert [s.path for s in AGENT.sources(Place(tmp_path))] == [str(path)]
    (tmp_path / ".aider.conf.yml").write_text(f"chat-history-file: {chats}\n")
    assert [s.path for s in AGENT.sources(Place(tmp_path))] == [str(chats), str(path)]


def test_failed_requests_and_another_model(path: Path) -> None:
    path.write_text(
        "# aider chat started at 2024-05-01 10:00:00\n\n> Aider v0.35.0  \n"
        "> Models: gpt-4-1106-preview with udiff edit format, weak model gpt-3.5-turbo  \n\n"
        "#### hi  \n\n> litellm.RateLimitError: too many tokens  \n> Retrying in 0.2 seconds...  \n"
        "> litellm.RateLimitError: too many tokens  \n\nhello\n\n#### /model big  \n\n"
        "> Main model: big with diff edit format  \n\n#### again  \n\nso\n"
    )
    (session,) = ordered(path)
    assert session.info.model == "big"
    assert session.info.extra == {"version": "v0.35.0"}
    models = [turn.model for turn in session.turns if turn.role == "assistant"]
    assert models == ["gpt-4-1106-preview", "big"]
    failed = [turn for turn in session.turns if turn.api_error]
    assert [turn.blocks for turn in failed] == [
        [Notice("error", "litellm.RateLimitError: too many tokens")]
    ] * 2


def test_hostile_histories(path: Path) -> None:
    chooser = random.Random(5)
    data = TEXT.encode()
    for _ in range(200):
        broken = bytearray(data)
        for _ in range(20):
            broken[chooser.randrange(len(broken))] = chooser.randrange(256)
        path.write_bytes(broken)
        adds_up(read_all(AGENT, AGENT.source_at(path)))
    path.write_text(
        "# aider chat started at 2025-99-01 10:00:00\n#### hi\n> Tokens: 1.2.3k sent, . received. Cost: $1.2.3 message\n"
    )
    (session,) = ordered(path)
    assert (session.info.created_at, session.cost) == (None, 0)
    path.write_text("no heading\n#### hi\n")
    assert ordered(path) == []


def test_others_histories() -> None:
    for file in found_real("**/aider_simple.md", f"**/{HISTORY}"):
        text = file.read_text()
        sessions = ordered(file)
        prompts = [line for line in text.splitlines() if line.startswith("#### ")]
        said = "\n".join(t.blocks[0].text for s in sessions for t in s.turns if t.role == "user")  # type: ignore[union-attr]
        assert said.split("\n") == [line[5:].rstrip() for line in prompts]
