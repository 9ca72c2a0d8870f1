"""What every engine of the store must do: the ancestor's operations, without its bugs."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparrow_tui.model import Image, Notice, Raw, Reasoning, Text, ToolResult, ToolUse, Turn, Usage
from sparrow_tui.store import open_store
from sparrow_tui.store.base import StoreError
from sparrow_tui.store.sqlite import SqliteStore


def said(role: str, text: str, time: int | None = None) -> Turn:
    return Turn(role=role, blocks=[Text(text)], time=time)


def texts(turns: list[Turn]) -> list[str]:
    return [block.text for turn in turns for block in turn.blocks if isinstance(block, Text)]


def test_save_and_load_every_block(store: SqliteStore) -> None:
    turns = [
        said("user", "hello", 1_700_000_000_000),
        Turn(
            role="assistant",
            blocks=[
                Reasoning("hm"),
                Text("answer"),
                ToolUse("c1", "Bash", {"command": "cargo test", "n": None}),
            ],
            usage=Usage(1, 2, 3, 4, 1),
        ),
        Turn(
            role="tool",
            blocks=[ToolResult("c1", [Text("out"), Image(url="x.png")], is_error=False)],
        ),
        Turn(role="system", blocks=[Notice("compaction", "…"), Raw("odd", {"a": [1, None]})]),
    ]
    store.save("demo:1", turns)
    assert list(store.turns("demo:1")) == turns
    session = store.load("demo:1")
    assert session is not None
    assert (session.turns, session.agent) == (4, "demo")
    assert session.usage == Usage(1, 2, 3, 4, 1)
    assert session.tool_calls == 1


def test_pictures_survive_and_are_kept_once(store: SqliteStore) -> None:
    picture = Image("image/png", "iVBORw0KGgo=")
    store.save("demo:1", [Turn(role="user", blocks=[picture])])
    store.save("demo:2", [Turn(role="user", blocks=[picture])])
    (turn,) = store.turns("demo:1")
    (block,) = turn.blocks
    assert isinstance(block, Image)
    assert block.data == ""
    assert store.reader.attachment(block.ref) == ("image/png", b"\x89PNG\r\n\x1a\n")
    store.delete("demo:1")
    assert store.reader.attachment(block.ref) is not None
    store.delete("demo:2")
    assert store.reader.attachment(block.ref) is None


def test_created_at_status_and_name_survive_a_save(store: SqliteStore) -> None:
    store.save("demo:1", [said("user", "one", 1_600_000_000_000)], name="mine")
    store.connection.execute("UPDATE session SET status = 'archived'")
    before = store.load("demo:1")
    store.save("demo:1", [said("user", "one", 1_600_000_000_000), said("user", "two")])
    after = store.load("demo:1")
    assert before is not None
    assert after is not None
    assert (after.created_at, after.status, after.name, after.title) == (
        before.created_at,
        "archived",
        "mine",
        "mine",
    )
    assert after.sid == before.sid
    assert after.turns == 2


def test_list_is_not_cut(store: SqliteStore) -> None:
    for number in range(130):
        store.save(f"demo:{number}", [said("user", f"n{number}")])
    assert len(store.list()) == store.count() == 130
    assert len(store.list(limit=7, offset=3)) == 7
    assert [s.id for s in store.list(limit=7, offset=3)] == [s.id for s in store.list()][3:10]


FINDABLE = [
    ("see phoenix-context here", "phoenix-context"),
    ("the file main.rs is", "main.rs"),
    ("version 0.5.1 of it", "0.5.1"),
    ("we don't know", "don't"),
    ("written in C++ mostly", "C++"),
    ("this OR that", '"OR"'),
    ("100 % sure", "100 %"),
    ("a 🚀 flies", "🚀"),
    ('say "cheese" now', '"cheese"'),
    ("the getUserById call", "user"),
    ("a max_retry_count of 5", "max_re"),
    ("in src/auth/jwt.rs there", "auth/jwt"),
    ("café at the corner", "cafe"),
    ("die Straße entlang", "strasse"),
    ("今日は東京の天気です", "京の天"),
]


@pytest.mark.parametrize(("text", "query"), FINDABLE)
def test_what_a_person_means_is_found(store: SqliteStore, text: str, query: str) -> None:
    store.save("demo:1", [said("user", "nothing of it"), said("user", text)])
    store.save("demo:2", [said("user", "something else entirely")])
    page = store.search(query)
    assert [(hit.session, hit.turn) for hit in page.hits][:1] == [("demo:1", 1)]


@pytest.mark.parametrize(
    "query",
    ["", " ", '"', "'", "%", "_", "*", "(", ")", "OR", "AND", "NOT", "NEAR(a b)", "-", "--", "a OR",
     "OR a", "-phoenix", "!!!", "\x00", "a\x00b", "🚀", "agent:", "before:", 'agent:"', ":", "x:y",
     "^a", "{text}: a", "a + b", "\ud800", "a" * 5000],
)  # fmt: skip
def test_no_query_fails(store: SqliteStore, query: str) -> None:
    store.save("demo:1", [said("user", "phoenix text")])
    store.search(query)


def test_literal_signs_mean_themselves(store: SqliteStore) -> None:
    store.save("demo:1", [said("user", "plain words")])
    assert store.search("%%%").hits == []
    assert store.search("_").hits == []
    store.save("demo:2", [said("user", "it is 50%%% off")])
    assert [hit.session for hit in store.search("%%%").hits] == ["demo:2"]


def test_the_role_word_is_not_text(store: SqliteStore) -> None:
    store.save("demo:1", [said("user", "hello there"), said("assistant", "well met")])
    assert store.search("user").hits == []
    assert store.search("assistant").hits == []


def test_tool_inputs_are_searchable(store: SqliteStore) -> None:
    turn = Turn(role="assistant", blocks=[ToolUse("c", "Bash", {"command": "cargo build"})])
    store.save("demo:1", [turn])
    assert store.search("cargo").total == 1
    assert store.search("command").total == 0


def test_newest_first_whatever_the_order_of_import(store: SqliteStore) -> None:
    for day in (3, 1, 4, 2):
        store.save(f"demo:{day}", [said("user", "needle", 1_700_000_000_000 + day * 86_400_000)])
    assert [hit.session for hit in store.search("needle").hits] == [
        "demo:4",
        "demo:3",
        "demo:2",
        "demo:1",
    ]


def test_pages_join_without_gap_or_repeat(store: SqliteStore) -> None:
    turns = [said("user", f"needle {n}", 1_700_000_000_000) for n in range(2500)]
    store.save("demo:1", turns)
    seen: list[int] = []
    before = None
    while True:
        page = store.search("needle", limit=400, before=before)
        seen.extend(hit.turn for hit in page.hits)
        before = page.next_docid
        if before is None:
            break
    assert sorted(seen) == list(range(2500))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    total=st.integers(0, 12),
    around=st.integers(-(2**70), 2**70) | st.integers(-3, 15),
    before=st.integers(-(2**70), 2**70) | st.integers(-2, 15),
    after=st.integers(-(2**70), 2**70) | st.integers(-2, 15),
)
def test_scroll_never_fails_and_fills_its_window(
    tmp_path: Path, total: int, around: int, before: int, after: int
) -> None:
    store = open_store(str(tmp_path / "s.db"))
    try:
        store.save("demo:1", [said("user", str(n)) for n in range(total)])
        window = store.scroll("demo:1", around, before, after)
        assert window is not None
        assert window.total == total
        size = max(before, 0) + 1 + max(after, 0)
        assert len(window.turns) == min(size, total)
        assert texts(window.turns) == [
            str(n) for n in range(window.start, window.start + len(window.turns))
        ]
        if total:
            middle = min(max(around, 0), total - 1)
            assert window.start <= middle < window.start + len(window.turns)
        assert store.scroll("demo:none", 0, 1, 1) is None
    finally:
        store.close()


def test_scroll_reads_its_window_only(store: SqliteStore) -> None:
    store.save("demo:1", [said("user", f"turn {n}") for n in range(3000)])
    steps = [0]

    def step() -> bool:
        steps[0] += 1
        return False

    store.connection.set_progress_handler(step, 1)
    store.scroll("demo:1", 10, 5, 5)
    near, steps[0] = steps[0], 0
    store.scroll("demo:1", 2900, 5, 5)
    far = steps[0]
    store.connection.set_progress_handler(None)
    assert far <= near * 1.5 + 50


def test_recent_inputs_dedupe_before_they_limit(store: SqliteStore) -> None:
    for number in range(30):
        store.append("demo:1", [said("user", "again", 1_700_000_000_000 + number)])
    store.append("demo:2", [said("user", "first", 1_600_000_000_000)])
    store.append("demo:2", [said("user", "  \n "), said("assistant", "not an input")])
    store.append("demo:3", [Turn(role="user", blocks=[Text("injected")], meta=True)])
    assert [item.text for item in store.recent_inputs(2)] == ["again", "first"]
    assert store.recent_inputs(0) == []
    assert len(store.recent_inputs(10**9)) == 2


def test_append_costs_what_is_new(store: SqliteStore) -> None:
    store.save("demo:1", [said("user", f"turn {n}") for n in range(2000)])
    before = store.connection.total_changes()
    assert store.append("demo:1", [said("user", "one more")]) == 2001
    assert store.connection.total_changes() - before < 60


def test_save_again_replaces_only_what_changed(store: SqliteStore) -> None:
    turns = [said("user", f"turn {n}") for n in range(500)]
    store.save("demo:1", turns)
    before = store.connection.total_changes()
    store.save("demo:1", [*turns[:-1], said("user", "changed")])
    assert store.connection.total_changes() - before < 60
    assert store.search("changed").total == 1
    assert store.search('"turn 499"').total == 0


def test_a_shorter_save_forgets_the_rest(store: SqliteStore) -> None:
    store.save("demo:1", [said("user", "alpha"), said("user", "beta")])
    store.save("demo:1", [said("user", "alpha")])
    assert store.search("beta").total == 0
    session = store.load("demo:1")
    assert session is not None
    assert session.turns == 1


def test_delete_is_for_good(store: SqliteStore) -> None:
    store.save("demo:1", [said("user", "needle")])
    assert store.delete("demo:1")
    assert not store.delete("demo:1")
    assert store.load("demo:1") is None
    assert store.search("needle").total == 0
    assert store.scroll("demo:1", 0, 1, 1) is None


def test_another_connection_sees_what_is_written(store: SqliteStore, location: str) -> None:
    other = open_store(location, readonly=True)
    before = other.version()
    store.save("demo:1", [said("user", "needle")])
    assert other.version() != before
    assert other.search("needle").total == 1
    with pytest.raises(StoreError):
        other.save("demo:2", [said("user", "no")])
    other.close()


def test_the_file_is_the_owners_alone(store: SqliteStore, location: str) -> None:
    store.save("demo:1", [said("user", "secret")])
    for path in Path(location).parent.iterdir():
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600, path
    assert stat.S_IMODE(os.stat(Path(location).parent).st_mode) == 0o700


def test_other_programs_databases_are_refused(tmp_path: Path) -> None:
    sparrow = tmp_path / "sessions.db"
    with sqlite3.connect(sparrow) as database:
        database.execute("CREATE TABLE sessions(id TEXT PRIMARY KEY, messages_json TEXT)")
    before = sparrow.read_bytes()
    with pytest.raises(StoreError, match=r"Sparrow's own database.*sparrow-tui sync"):
        open_store(str(sparrow))
    assert sparrow.read_bytes() == before
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE t(x)")
    with pytest.raises(StoreError, match="another program"):
        open_store(str(other))
    text = tmp_path / "notes.txt"
    text.write_text("not a database at all\n" * 20)
    with pytest.raises(StoreError, match="not a store of ours"):
        open_store(str(text))
    with pytest.raises(StoreError, match="directory"):
        open_store(str(tmp_path))
    with pytest.raises(StoreError, match="postgres") as caught:
        open_store("postgres://user:hunter2@host/db")
    assert "hunter2" not in str(caught.value)


def test_a_damaged_store_is_said_so(location: str) -> None:
    made = open_store(location)
    made.save("demo:1", [said("user", "x" * 5000)])
    made.close()
    path = Path(location)
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(bytes(data))

    def use() -> None:
        opened = open_store(location)
        opened.list()
        list(opened.turns("demo:1"))

    with pytest.raises(StoreError, match="damaged"):
        use()


def test_a_newer_store_is_refused(location: str) -> None:
    made = open_store(location)
    made.connection.pragma("user_version", 999)
    made.close()
    with pytest.raises(StoreError, match="newer"):
        open_store(location)


def test_resolve_takes_what_people_type(store: SqliteStore) -> None:
    store.save("claude:abc-123", [said("user", "x")])
    store.save("codex:abd-456", [said("user", "x")])
    assert store.resolve("claude:abc-123") == "claude:abc-123"
    assert store.resolve("abc-123") == "claude:abc-123"
    assert store.resolve("abd") == "codex:abd-456"
    with pytest.raises(StoreError, match="several"):
        store.resolve("ab")
    with pytest.raises(StoreError, match="no session"):
        store.resolve("zzz")


def test_odd_text_is_kept_or_marked(store: SqliteStore) -> None:
    store.save("demo:1", [said("user", "a\x00b \ud83d c")])
    assert store.search("b").total == 1
    (turn,) = store.turns("demo:1")
    assert turn.role == "user"
