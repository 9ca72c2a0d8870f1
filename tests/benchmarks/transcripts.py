"""Sessions of any number of turns for the viewer's benchmarks, made once and kept in a cache."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import platformdirs

from sparrow_tui.model import SessionInfo, Text, ToolResult, ToolUse, Turn
from sparrow_tui.store import open_store
from sparrow_tui.store.base import StoreError
from sparrow_tui.store.prepared import Prepared, rows

WORDS = [
    "retry",
    "gateway",
    "timeout",
    "parser",
    "index",
    "window",
    "cursor",
    "anchor",
    "tokens",
    "schema",
    "branch",
]
SID = "bench:1"
PROJECT = "/home/dev/bench"
FILES = 3_000
"""Files that are edited, over and over."""
SECRET_EVERY = 40
"""Turns with a secret in them: one in so many."""


def turns(number: int, seed: int = 7) -> Iterator[Turn]:
    """A session's turns: prompts, answers with code, tool calls with results, edits, secrets."""
    chance = random.Random(seed)
    start = 1_700_000_000_000
    for index in range(number):
        kind = index % 8
        said = " ".join(chance.choice(WORDS) for _ in range(chance.randint(8, 60)))
        if index % SECRET_EVERY == 0:
            said += f"\nexport API_TOKEN=sk-ant-{chance.getrandbits(160):040x}"
        at = start + index * 1_000
        if kind == 0:
            yield Turn(role="user", blocks=[Text(said)], time=at)
        elif kind in (1, 7):
            code = f"\n```python\ndef f{index}(x):\n    return x + {index}\n```\n"
            yield Turn(role="assistant", blocks=[Text(said + code + said)], time=at, model="m-1")
        elif kind == 4:
            call = _edit(f"c{index}", index, chance)
            yield Turn(role="assistant", blocks=[call], time=at, model="m-1")
        elif kind % 2 == 0:
            call = ToolUse(f"c{index}", "Bash", {"command": f"grep -rn {said[:30]} src"})
            yield Turn(role="assistant", blocks=[call], time=at, model="m-1")
        else:
            output = "\n".join(f"src/a{n}.py:{n}: {said}" for n in range(chance.randint(1, 25)))
            result = ToolResult(f"c{index - 1}", [Text(output)], is_error=index % 97 == 0)
            yield Turn(role="tool", blocks=[result], time=at)


def _edit(call_id: str, index: int, chance: random.Random) -> ToolUse:
    """A file written, edited or patched, in one of three agents' spellings."""
    path = f"src/part{index % FILES}/module.py"
    lines = [f"{chance.choice(WORDS)}_{n} = {chance.choice(WORDS)}({n})" for n in range(30)]
    changed = [line.replace("retry", f"retry_{index}") for line in lines]
    value: dict[str, Any]
    name, value = "Write", {"file_path": path, "content": "\n".join(lines) + "\n"}
    if index // 8 % 3 == 1:
        name = "Edit"
        value = {
            "file_path": path,
            "old_string": "\n".join(lines[:12]),
            "new_string": "\n".join(changed[:12]),
        }
    elif index // 8 % 3 == 2:
        taken, put = ("\n".join(mark + line for line in part[:6])
                      for mark, part in (("-", lines), ("+", changed)))  # fmt: skip
        patch = f"*** Begin Patch\n*** Update File: {path}\n@@\n{taken}\n{put}\n*** End Patch"
        name, value = "apply_patch", {"input": patch}
    return ToolUse(call_id, name, value)


def library(number: int) -> Path:
    """A store with a session of ``number`` turns and an older short one, made on first use."""
    folder = Path(platformdirs.user_cache_dir("sparrow-tui-benchmarks"))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"transcript-edits-{number}.db"
    if path.exists():
        try:
            open_store(str(path), readonly=True).close()
            return path
        except StoreError:
            path.unlink()  # of another build
    unfinished = path.with_suffix(".part")
    unfinished.unlink(missing_ok=True)
    store = open_store(str(unfinished))
    short = SessionInfo(id="bench:2", title="short", created_at=1_600_000_000_000)
    said = Turn(role="user", blocks=[Text("a short session")], time=1_600_000_000_000)
    store.write([Prepared(session=short, start=0, rows=rows([said]))])
    chunk: list[Turn] = []
    written = 0

    def flush() -> None:
        nonlocal written
        info = SessionInfo(id=SID, title="benchmark", project=PROJECT, created_at=1_700_000_000_000)
        store.write([Prepared(session=info, start=written, rows=rows(chunk))])
        written += len(chunk)
        chunk.clear()

    for turn in turns(number):
        chunk.append(turn)
        if len(chunk) == 5_000:
            flush()
    if chunk:
        flush()
    store.close()
    unfinished.rename(path)
    return path
