"""The counters' sums: each turn and request once, ever; growth counted as it comes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sparrow_tui.agents.base import Batch, Source
from sparrow_tui.model import SessionInfo, Text, ToolResult, ToolUse, Turn, Usage
from sparrow_tui.store import open_store
from sparrow_tui.store.prepared import prepare
from sparrow_tui.store.sqlite import SqliteStore

NOON = 1_764_590_400_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = open_store(str(tmp_path / "archive.db"))
    yield opened
    opened.close()


def answer(uid: str, *calls: str, usage: Usage | None = None, **more: object) -> Turn:
    uses = [ToolUse(f"{uid}-{n}", name, {}) for n, name in enumerate(calls)]
    return Turn(role="assistant", blocks=[Text("so"), *uses], uid=uid, time=NOON,
                model="claude-sonnet-4-5", usage=usage, **more)  # type: ignore[arg-type] # fmt: skip


def put(
    store: SqliteStore, session: str, *turns: Turn, start: int = 0, fresh: bool = False
) -> None:
    source = Source("claude", f"/x/{session}.jsonl", "1", 100, NOON)
    batch = Batch(SessionInfo(id=f"claude:{session}"), start, list(turns), fresh=fresh)
    item = prepare(batch, source)
    item.done = True
    store.write([item])


def test_a_turn_that_grows_counts_what_it_grew_by(store: SqliteStore) -> None:
    put(store, "a", answer("m1", "Bash"), fresh=True)
    put(store, "a", answer("m1", "Bash", "Read", usage=Usage(100, 20)))
    put(store, "a", answer("m1", "Bash", "Read", usage=Usage(100, 50)))
    sums = store.totals.overall()
    assert (sums.turns, sums.requests, sums.tool_calls) == (1, 1, 2)
    assert (sums.input, sums.output) == (100, 50)
    assert sums.cost_micro == 100 * 3 + 50 * 15
    assert dict(store.totals.by("tool"))["Read"].tool_calls == 1


def test_copies_and_rereading_count_once(store: SqliteStore) -> None:
    turns = [
        answer("m1", "Bash", usage=Usage(10, 5), usage_id="r1"),
        answer("m2", usage=Usage(7, 0), usage_id="r1", usage_total=Usage(17, 9)),
    ]
    put(store, "a", *turns, fresh=True)
    before = store.totals.overall()
    assert (before.input, before.output, before.requests) == (17, 9, 1)
    put(store, "copy", *turns, answer("m3", usage=Usage(1, 1)), fresh=True)
    put(store, "a", *turns, fresh=True)
    put(store, "a", turns[0], fresh=True)  # cut short at its source
    after = store.totals.overall()
    assert (after.turns, after.input, after.output) == (3, 18, 10)
    assert after.tool_calls == 1


def test_an_agents_own_cost_wins_and_counts_its_growth(store: SqliteStore) -> None:
    put(store, "a", answer("m1", usage=Usage(1_000_000, 0), cost_micro=70), fresh=True)
    put(store, "a", answer("m1", usage=Usage(1_000_000, 0), cost_micro=90))
    assert store.totals.overall().cost_micro == 90


def test_unknown_models_are_said_to_be_unpriced(store: SqliteStore) -> None:
    turn = answer("m1", usage=Usage(10, 5))
    turn.model = "nobody-knows-1"
    put(store, "a", turn, fresh=True)
    sums = store.totals.overall()
    assert (sums.cost_micro, sums.unpriced) == (0, 15)


def test_errors_and_durations_by_tool(store: SqliteStore) -> None:
    results = [
        ToolResult("m1-0", [], is_error=True, duration_ms=1500),
        ToolResult("m1-1", [], is_error=False),
        ToolResult("nobody", [], is_error=True, duration_ms=9),
    ]
    put(
        store, "a", answer("m1", "Bash", "Read"),
        Turn(role="tool", blocks=list(results), uid="t1", time=NOON + 400), fresh=True,
    )  # fmt: skip
    tools = dict(store.totals.by("tool"))
    assert (tools["Bash"].tool_calls, tools["Bash"].tool_errors) == (1, 1)
    assert (tools["Read"].tool_calls, tools["Read"].tool_errors) == (1, 0)
    assert store.totals.overall().tool_errors == 2
    times = store.totals.durations("tool")
    assert times["claude", "Bash"].total == pytest.approx(1.5)
    assert times["claude", "Read"].total == pytest.approx(0.4)
    assert [name for name, _ in store.totals.slowest()] == ["Bash", "Read"]
    put(store, "a", Turn(role="tool", blocks=list(results), uid="t1", time=NOON + 400), start=1)
    assert store.totals.durations("tool")["claude", "Bash"].number == 1


def test_what_was_read_is_counted(store: SqliteStore) -> None:
    put(store, "a", answer("m1"), fresh=True)
    (read,) = store.totals.ingest()
    assert (read.agent, read.bytes) == ("claude", 100)
    assert read.lag_ms > 0


def test_a_long_request_that_grows_is_priced_whole(store: SqliteStore) -> None:
    """Its growth alone is short; the request is beyond 200,000 tokens and costs more."""
    put(store, "a", answer("m1", usage=Usage(250_000, 1)), fresh=True)
    put(store, "a", answer("m1", usage=Usage(250_000, 1000)))
    assert store.totals.overall().cost_micro == 250_000 * 6 + 1000 * 22.5


def test_a_sessions_own_cost_leaves_its_turns_without_list_prices(store: SqliteStore) -> None:
    source = Source("claude", "/x/a.jsonl", "1", 100, NOON)
    for cost in (500, 700, 600):
        info = SessionInfo(id="claude:a", cost_micro=cost)
        item = prepare(
            Batch(info, 0, [answer("m1", usage=Usage(1_000_000, 0))], fresh=True), source
        )
        item.done = True
        store.write([item])
    assert (store.totals.overall().cost_micro, store.totals.overall().unpriced) == (700, 0)
    session = store.load("claude:a")
    assert session is not None
    assert session.cost_micro == 600


def test_a_session_is_not_priced_as_one_long_request(store: SqliteStore) -> None:
    info = SessionInfo(id="claude:a", usage=Usage(1_000_000, 0), model="claude-sonnet-4-5")
    source = Source("claude", "/x/a.jsonl", "1", 100, NOON)
    item = prepare(Batch(info, 0, [answer("m1")], fresh=True), source)
    item.done = True
    store.write([item])
    assert store.totals.overall().cost_micro == 3_000_000


def test_a_call_answered_in_its_own_turn_tells_no_duration(store: SqliteStore) -> None:
    """Both have the turn's one time; what the agent itself tells counts."""
    turn = answer("m1", "Bash", "Read")
    turn.blocks += [ToolResult("m1-0", []), ToolResult("m1-1", [], duration_ms=2000)]
    put(store, "a", turn, fresh=True)
    assert [name for _, name in store.totals.durations("tool")] == ["Read"]


def test_a_turns_duration_counts_once_it_is_told(store: SqliteStore) -> None:
    put(store, "a", answer("m1"), fresh=True)
    for _ in range(2):
        put(store, "a", answer("m1", usage=Usage(1, 1), duration_ms=4000))
    put(store, "a", answer("m1", usage=Usage(1, 2), duration_ms=4500))
    (times,) = store.totals.durations("turn").values()
    assert (times.number, times.total) == (1, 4.0)
