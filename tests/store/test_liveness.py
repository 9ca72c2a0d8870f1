"""Working, waiting, ended, unclean: as the source says or its last words, and by age."""

from __future__ import annotations

import time

import pytest

from sparrow_tui.model import Block, Text, ToolResult, ToolUse, Turn
from sparrow_tui.store.base import Session
from sparrow_tui.store.liveness import guess, status_now
from sparrow_tui.store.sqlite import SqliteStore

MINUTE, DAY = 60_000, 86_400_000


@pytest.mark.parametrize(
    ("status", "age", "shown"),
    [("working", MINUTE, "working"), ("working", 20 * MINUTE, "unclean"),
     ("waiting", 20 * MINUTE, "waiting"), ("waiting", 2 * DAY, "ended"),
     ("ended", 0, "ended"), ("active", DAY, "active")],
)  # fmt: skip
def test_a_state_ages(status: str, age: int, shown: str) -> None:
    session = Session(sid=1, id="a:1", agent="a", status=status, updated_at=10 * DAY - age)
    assert status_now(session, 10 * DAY) == shown


def turn(role: str, *blocks: Block, branch: bool = False) -> Turn:
    return Turn(role=role, blocks=[*blocks], branch=branch)


@pytest.mark.parametrize(
    ("turns", "status"),
    [
        ([], None),
        ([turn("system", Text("x"))], None),
        ([turn("user", Text("do"))], "working"),
        ([turn("user", Text("do")), turn("assistant", Text("done"))], "waiting"),
        ([turn("assistant", Text("let me"), ToolUse("c", "Bash", {}))], "working"),
        ([turn("assistant", ToolUse("c", "Bash", {})), turn("tool", ToolResult("c", []))], "working"),
        ([turn("assistant", ToolUse("c", "Bash", {}), ToolResult("c", []), Text("done"))], "waiting"),
        ([turn("assistant", Text("done")), turn("user", Text("no"), branch=True)], "waiting"),
        ([turn("assistant", Text("done")), turn("system", Text("x"))], "waiting"),
    ],
)  # fmt: skip
def test_last_words_tell(turns: list[Turn], status: str | None) -> None:
    assert guess(turns) == status


def test_live_sessions_are_found(store: SqliteStore) -> None:
    now = int(time.time() * 1000)
    for name, status, age in (
        ("works", "working", MINUTE), ("stopped", "working", 20 * MINUTE),
        ("waits", "waiting", 20 * MINUTE), ("left", "waiting", 2 * DAY), ("over", "ended", MINUTE),
    ):  # fmt: skip
        store.save(f"demo:{name}", [Turn(role="user", blocks=[Text("hi")], time=now - age)])
        store.connection.execute(
            "UPDATE session SET status = ?, updated_at = ? WHERE id = ?",
            (status, now - age, f"demo:{name}"),
        )
    assert {hit.session for hit in store.search("hi is:live").hits} == {"demo:works", "demo:waits"}
    assert {hit.session for hit in store.search("hi -is:live").hits} == {
        "demo:stopped", "demo:left", "demo:over",
    }  # fmt: skip
