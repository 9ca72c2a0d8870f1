"""Every text of an agent's file is on display when its session is scrolled through, unfolded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sparrow_tui.agents.base import Place
from sparrow_tui.store import open_store
from sparrow_tui.sync.importing import import_all
from tests.agents.real import found_real, needs_corpus
from tests.app.whole_text import claude_texts, codex_texts, displayed, missing

LARGEST = 400_000
"""Bytes of a real session that is scrolled through here."""

SAID = """# Plan: what's next in C#

Use **both** `a_b` and [the notes](https://example.test/n "Notes"), see <b>not markup</b>.

1. first, *stressed* and ~~gone~~
   - nested [red]brackets[/red]
   - [x] done
> quoted words

| name | what it does, in more words than a narrow column has |
|------|------------------------------------------------------|
| a    | one | two | three |

```python
def f(x: int) -> str:  # a comment
    return f"{x}\\n"
```
Last line, a lone ` tick, 日本語のテキスト, e\u0301a\u0308, \U0001f469\u200d\U0001f4bb done."""
INPUTS = (
    ("Bash", {"command": "cat <<'EOF' > f\nline one\n\tline two\nEOF", "description": "Write f"}),
    ("Bash", {"command": "git commit -m \"it's done\" --no-verify"}),
    ("Edit", {
        "file_path": "/srv/harbour/quay.py", "replace_all": True,
        "old_string": "\n".join(f"kept line {n}" for n in range(30)) + "\nold ending",
        "new_string": "\n".join(f"kept line {n}" for n in range(30)) + "\nnew ending, longer",
    }),
    ("MultiEdit", {"file_path": "a.py", "edits": [
        {"old_string": "one", "new_string": "two", "replace_all": False},
        {"old_string": "three\nfour", "new_string": "five"},
    ]}),
    ("Write", {"file_path": "notes/tides.md", "content": "# Tides\n\nhigh at noon\n"}),
    ("Task", {"subagent_type": "general", "description": "Look", "prompt": "Look at\nthe quay"}),
    ("AskUserQuestion", {"questions": [{"question": "Which\nquay?", "options": ["A", {"b": 2}]}]}),
    ("mcp__x__odd", {"deep": [[{"k": "v\tw"}]], "flag": True, "none": None, "n": 1.50}),
)  # fmt: skip
RESULTS = (
    "plain output\n\x1b[31mred words\x1b[0m and more",
    '{"b": 1.50, "a": [1, {"c": "x\\u00e9y"}], "b": "again"}',
    "diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n same\n-old word here\n+new word here",
    "wrongly decoded \x9d words stay",
    "x" * 5_000 + " end of a long line",
    "\n".join(f"row {n} of many" for n in range(6_000)) + "\nthe last row",
    "",
    "ok",
)


@pytest.fixture
def home(private_home: Path) -> Path:
    return private_home


def claude_session(home: Path) -> Path:
    """A transcript with every kind of block."""
    folder = home / ".claude" / "projects" / "-srv-harbour"
    folder.mkdir(parents=True)
    path = folder / "11111111-2222-4333-8444-555555555555.jsonl"
    messages: list[tuple[str, object]] = [("user", SAID)]
    messages.append(
        ("assistant", [{"type": "thinking", "thinking": "First **this**,\nthen that."}])
    )
    messages.append(("assistant", [{"type": "text", "text": SAID}]))
    for number, ((name, value), output) in enumerate(zip(INPUTS, RESULTS, strict=True)):
        use = {"type": "tool_use", "id": f"t{number}", "name": name, "input": value}
        messages.append(("assistant", [use]))
        result = {"type": "tool_result", "tool_use_id": f"t{number}", "content": output}
        messages.append(("user", [result]))
    messages.append(("user", "<system-reminder>\nMind the tide.\n</system-reminder>"))
    with path.open("w") as file:
        for number, (role, content) in enumerate(messages):
            message: dict[str, object] = {"role": role, "content": content}
            if role == "assistant":
                message |= {"id": f"m{number}", "model": "claude-sonnet-4-5", "type": "message"}
            record = {
                "type": role, "uuid": f"u{number}", "parentUuid": f"u{number - 1}" if number else
                None, "isSidechain": False, "cwd": "/srv/harbour", "sessionId": path.stem,
                "timestamp": f"2026-01-01T10:00:{number:02}.000Z", "message": message,
            }  # fmt: skip
            file.write(json.dumps(record) + "\n")
    return path


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_every_text_of_a_session_is_shown(running, location, home, size):
    path = claude_session(home)
    store = open_store(location)
    import_all(store, Place(home), lambda _: None, workers=1)
    store.close()
    async with running(location, size) as driver:
        await driver.press("escape", "enter")
        await driver.until(lambda: driver.view.has_focus)
        lost = missing(claude_texts(path), await displayed(driver))
        assert not lost


@needs_corpus
async def test_every_text_of_real_sessions_is_shown(running, location):
    found = found_real("claude/**/*.jsonl", "codex/**/*.jsonl")
    paths = [path for path in found if path.stat().st_size < LARGEST]
    assert paths
    store = open_store(location)
    import_all(store, Place(Path("/nowhere")), lambda _: None, paths=[str(p) for p in paths])
    sessions = [s for s in store.list() if s.parent is None and s.source in map(str, paths)]
    store.close()
    assert sessions
    async with running(location, (160, 100)) as driver:
        for session in sessions:
            driver.app.engine.open(session.id, focus=True)
            await driver.until(
                lambda s=session: driver.view.session_id == s.id and driver.view.model.total
            )
            read = claude_texts if session.agent == "claude" else codex_texts
            lost = missing(read(Path(session.source)), await displayed(driver))
            assert not lost, session.id
