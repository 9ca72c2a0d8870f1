"""A large import first lists and finds what was said everywhere, and ends as if it had not."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sparrow_tui.agents import lines
from sparrow_tui.agents.base import Agent, Batch, Place, Source
from sparrow_tui.agents.registry import agents
from sparrow_tui.app.session_facts import facts
from sparrow_tui.export.forms import session_form
from sparrow_tui.model import SessionInfo, Text, Turn
from sparrow_tui.store import glances, open_store
from sparrow_tui.store.sqlite import SqliteStore
from sparrow_tui.sync import discover, importing
from sparrow_tui.sync import workers as processes
from sparrow_tui.sync.importing import import_all
from sparrow_tui.sync.progress import Progress, Report
from tests.conftest import NOW
from tests.on_disk import ClaudeFile, claude_file, codex_file, native

SAID = (
    "mend", "net", "auth.rs", "auth.r", "src-auth.rs", "mended -auth.rs", "auth/rs OR cafe", "cafe",
    "role:user auth.rs", '"auth.rs is"', '"auth rs"',
)  # fmt: skip
"""Queries that what was said answers."""
TABLES = ("bucket", "tool_bucket", "counted", "duration", "ingest", "word", "call", "deferred")


@pytest.fixture(autouse=True, params=[importing.LOOK, 1], ids=["together", "one by one"])
def every_home_is_large(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sources are glanced at in one group, or each is a group whose row ids the last one has."""
    monkeypatch.setattr(importing, "SMALL", 0)
    monkeypatch.setattr(importing, "LOOK", request.param)


def sync(store: SqliteStore, home: Path, **more: Any) -> Report:
    return import_all(store, Place(home), lambda _: None, workers=1, **more)


def only_glance(store: SqliteStore, home: Path) -> None:
    """An import that ends when everything was glanced at."""
    phases: list[str] = []

    def hear(progress: Progress) -> None:
        phases.append(progress.phase)

    import_all(store, Place(home), hear, workers=1, stopped=lambda: phases[-1] == "reading")
    assert phases[-1] == "reading"
    assert "glancing" in phases


def with_tools(file: ClaudeFile) -> ClaudeFile:
    """Add a call of a tool and its answer."""
    call = {"type": "tool_use", "id": "c1", "name": "Bash", "input": {"command": "ls halyard"}}
    answer = {"type": "tool_result", "tool_use_id": "c1", "content": "mizzen"}
    with open(file.path, "a") as handle:
        said: dict[str, Any] = {"role": "assistant", "id": f"m{file.number}", "content": [call]}
        said |= {"model": "claude-sonnet-4-5", "usage": {"input_tokens": 70, "output_tokens": 7}}
        handle.write(file.line("", "assistant", message=said))
        handle.write(file.line("", "user", message={"role": "user", "content": [answer]}))
        handle.write(file.line("", "assistant", isSidechain=True))
        handle.write('{"type": "ai-title", "aiTitle": "Mended nets"}\n{broken\n')
    return file


def fill(home: Path) -> list[str]:
    """A home with sessions of both kinds; their ids."""
    ids = [with_tools(claude_file(home, number, "mend the net", "mended")).id for number in (1, 2)]
    claude_file(home, 3, "<command-name>/clear</command-name>", "idle", "say café", "said")
    ids.append(f"claude:{native(3)}")
    for number in (4, 5):
        codex_file(home, number, "auth.rs is broken", "mended it")
        ids.append(f"codex:{native(number)}")
    codex_file(home, 6, "auth, rs and sails", "src-auth.rs: mended")
    ids.append(f"codex:{native(6)}")
    index = home / ".codex" / "session_index.jsonl"
    index.write_text(json.dumps({"id": native(5), "thread_name": "Named by hand"}) + "\n")
    os.utime(home / ".claude", (1, 1))
    return ids


def content(store: SqliteStore) -> dict[str, Any]:
    """Everything a store holds, apart from its own numbers."""
    held: dict[str, Any] = {}
    cursor = store.connection.execute("SELECT * FROM session ORDER BY id")
    names = [column[0] for column in cursor.getdescription()]
    for row in cursor:
        session = dict(zip(names, row, strict=True))
        turns = store.connection.execute(
            "SELECT idx, role, flags, chars, lines, time, digest, body FROM turn WHERE sid = ?"
            " ORDER BY idx",
            (session.pop("sid"),),
        ).fetchall()
        held[session["id"]] = (session, turns)
    for table in TABLES:
        rows = store.connection.execute(f"SELECT * FROM {table}").fetchall()
        first = 1 if table == "call" else 0
        held[table] = sorted(tuple(map(str, row[first:])) for row in rows if table != "ingest")
    for query in (*SAID, "halyard", "mizzen", "agent:codex", "is:edit"):
        page = store.search(query, limit=100)
        held[query] = (
            page.total,
            sorted((hit.session, hit.turn, hit.snippet) for hit in page.hits),
        )
    return held


@pytest.fixture
def plain(tmp_path: Path, private_home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a store holds that never glanced."""
    fill(private_home)
    with monkeypatch.context() as patch:
        patch.setattr(importing, "SMALL", 1 << 60)
        store = open_store(str(tmp_path / "plain.db"))
        sync(store, private_home)
    held = content(store)
    store.close()
    return held


def test_it_ends_as_without(store: SqliteStore, private_home: Path, plain: dict[str, Any]) -> None:
    sync(store, private_home)
    assert content(store) == plain
    assert store.index.check() == []
    assert not glances.paths(store.connection)
    assert not glances.indexed(store.connection)


def test_by_several_processes_it_ends_the_same(
    store: SqliteStore,
    private_home: Path,
    plain: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(processes, "SMALL", 0)
    import_all(store, Place(private_home), lambda _: None, workers=2)
    assert content(store) == plain
    assert store.index.check() == []


def test_cut_short_it_goes_on(
    store: SqliteStore, private_home: Path, plain: dict[str, Any]
) -> None:
    only_glance(store, private_home)
    only_glance(store, private_home)  # the second finds nothing new to glance at
    sync(store, private_home)
    assert content(store) == plain
    assert store.index.check() == []
    chunks = store.connection.execute("SELECT count(*) FROM chunk").get
    used = store.connection.execute("SELECT count(DISTINCT docid >> 6) FROM turn").get
    assert chunks == used


def test_glanced_at_everything_is_listed_and_found(
    store: SqliteStore, private_home: Path, plain: dict[str, Any]
) -> None:
    only_glance(store, private_home)
    listed = content(store)
    for session in fill(private_home):
        mine, whole = listed[session][0], plain[session][0]
        for name in ("title", "prompt", "project", "branch", "model", "parent", "agent", "source"):
            if name != "title" or session != f"codex:{native(5)}":
                assert mine[name] == whole[name], (session, name)
        assert mine["coverage"] is None
        assert mine["input"] == 0
    for query in SAID:
        assert listed[query][0] == plain[query][0] > 0, query
        found, there = ([(hit[0], hit[2]) for hit in held[query][1]] for held in (listed, plain))
        assert found == there, query
    assert listed["mizzen"][0] == 0
    assert listed["bucket"] == []
    assert store.totals.overall().turns == 0


def test_what_the_user_did_meanwhile_stays(store: SqliteStore, private_home: Path) -> None:
    ids = fill(private_home)
    only_glance(store, private_home)
    with store.transaction():
        store.organiser.rename(ids[0], "My own name")
        store.organiser.pin(ids[0], True)
        store.organiser.delete(ids[1])
    sync(store, private_home)
    kept = store.load(ids[0])
    assert kept is not None
    assert (kept.title, kept.pinned, kept.tool_calls) == ("My own name", True, 1)
    assert store.load(ids[1]) is None
    assert store.index.check() == []


def test_a_deleted_session_is_not_glanced_at(store: SqliteStore, private_home: Path) -> None:
    ids = fill(private_home)
    sync(store, private_home)
    store.delete(ids[0])
    store.connection.execute("DELETE FROM source")
    only_glance(store, private_home)
    assert store.load(ids[0]) is None


def test_a_session_that_was_never_there_goes(
    store: SqliteStore, private_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A glance that takes something for a session which reading does not find."""
    file = claude_file(private_home, 1, "mend the net", "mended")

    def wrong(source: Source) -> Batch:
        turns = [Turn(role="user", blocks=[Text("mend the phantom")], time=1_764_576_000_000)]
        return Batch(SessionInfo(id="claude:phantom"), turns=turns)

    monkeypatch.setattr(type(agents()["claude"]), "glance", lambda _, source: wrong(source))
    only_glance(store, private_home)
    assert [session.id for session in store.list()] == ["claude:phantom"]
    assert store.search("phantom").total == 1
    sync(store, private_home)
    assert [session.id for session in store.list()] == [file.id]
    assert store.search("phantom").total == 0
    assert store.index.check() == []


def test_what_cannot_be_read_any_more_is_kept(
    store: SqliteStore, private_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = claude_file(private_home, 1, "mend the net", "mended")
    only_glance(store, private_home)
    file.path.unlink()
    sync(store, private_home)
    assert store.search("mend").total == 2
    kept = store.load(file.id)
    assert kept is not None
    assert kept.turns == 2
    assert kept.source_gone


def test_a_reader_that_trips_while_glancing_reads_all_the_same(
    store: SqliteStore, private_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = claude_file(private_home, 1, "mend the net", "mended")

    def trip(*_: object) -> Batch:
        raise KeyError("type")

    monkeypatch.setattr(type(agents()["claude"]), "glance", trip)
    report = sync(store, private_home)
    assert report.failed == 0
    assert [session.id for session in store.list()] == [file.id]


def test_copies_and_what_cannot_be_stored_hide_no_other_session(
    store: SqliteStore, private_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them in the same group, or one after the other."""
    file = claude_file(private_home, 1, "mend the net", "mended")
    copy = file.path.parent.parent / "-elsewhere" / file.path.name
    copy.parent.mkdir()
    copy.write_bytes(file.path.read_bytes())
    odd = claude_file(private_home, 2, "furl the sail", "furled")
    other = claude_file(private_home, 3, "mend the hull", "mended")
    plain = type(agents()["claude"]).glance

    def glance(self: Any, source: Source) -> Batch | None:
        batch = plain(self, source)
        if batch is not None and source.path == str(odd.path):
            batch.turns[-1].time = 1 << 70
        return batch

    monkeypatch.setattr(type(agents()["claude"]), "glance", glance)
    only_glance(store, private_home)
    assert {session.id for session in store.list()} == {file.id, other.id}
    assert (store.search("mend").total, store.search("furl").total) == (4, 0)
    assert store.index.check() == []
    sync(store, private_home)
    assert {file.id, odd.id, other.id} <= {session.id for session in store.list()}
    assert store.search("furl").total == 2
    assert store.index.check() == []


def test_nothing_is_glanced_at_twice(
    store: SqliteStore, private_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither what was read nor what was glanced at and not read yet."""
    fill(private_home)
    looked: list[str] = []
    claude = type(agents()["claude"])
    plain = claude.glance

    def note(self: Any, source: Source) -> Batch | None:
        looked.append(source.path)
        return plain(self, source)

    monkeypatch.setattr(claude, "glance", note)
    only_glance(store, private_home)
    assert len(looked) == 3
    sync(store, private_home)
    claude_file(private_home, 1).append("once more")
    sync(store, private_home)
    assert len(looked) == 3


def test_a_number_given_out_twice_hides_no_session(
    store: SqliteStore, private_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While sources are glanced at another one was read, and its session has their number."""
    claude_file(private_home, 1, "mend the net", "mended")
    sync(store, private_home)
    claude_file(private_home, 2, "splice the rope", "spliced")
    following = SqliteStore.following_sid
    given = iter([1])
    monkeypatch.setattr(
        SqliteStore, "following_sid", lambda self: next(given, 0) or following(self)
    )
    only_glance(store, private_home)
    assert {session.id for session in store.list()} == {
        f"claude:{native(number)}" for number in (1, 2)
    }
    assert (store.search("rope").total, store.search("net").total) == (1, 1)
    assert store.index.check() == []


def test_nothing_is_left_of_glances(store: SqliteStore, private_home: Path) -> None:
    """Not even empty tables, once no search can be asking them any more."""
    fill(private_home)
    sync(store, private_home)
    sync(store, private_home)
    parts = store.connection.execute("SELECT count(*) FROM part WHERE family = 'talk'").get
    names = store.connection.execute(
        "SELECT count(*) FROM sqlite_schema WHERE name GLOB 'fts_talk_[0-9]'"
    ).get
    assert parts == names == 1


def test_nothing_is_said_of_what_was_not_read(store: SqliteStore, private_home: Path) -> None:
    """No record, token or call counts until the source was read: that is not none of them."""
    file = with_tools(claude_file(private_home, 1, "mend the net", "mended"))
    only_glance(store, private_home)
    glanced = store.load(file.id)
    assert glanced is not None
    told = dict(facts(glanced, "Claude", NOW))
    assert told["Records"].startswith("not read in full yet")
    assert not {"Tool calls", "Tokens in", "Cost", "Kept"} & told.keys()
    assert session_form(glanced)["records"] is None
    sync(store, private_home)
    whole = store.load(file.id)
    assert whole is not None
    told = dict(facts(whole, "Claude", NOW))
    assert (told["Records"], told["Tool calls"]) == ("6 in the source", "1, 0 failed")
    assert session_form(whole)["records"]["in_source"] == 6


def test_however_a_file_is_looked_at_the_same_was_said(
    private_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small one as a whole, a large one or one with broken lines line by line."""
    fill(private_home)
    marked = claude_file(private_home, 7, "hoist the sail", "hoisted")
    marked.path.write_bytes(b"\xef\xbb\xbf" + marked.path.read_bytes())
    broken = codex_file(private_home, 8, "belay the line", "belayed")
    broken.write_text("{broken\n\n" + broken.read_text())
    found = discover.look(Place(private_home), {}).changed
    at_once = [agents()[source.agent].glance(source) for source in found]
    monkeypatch.setattr(lines, "AT_ONCE", 64)
    assert [agents()[source.agent].glance(source) for source in found] == at_once
    prompts = [batch.turns[0].blocks[0].text for batch in at_once if batch is not None]
    assert {"hoist the sail", "belay the line"} <= set(prompts)
    assert all(batch.session.project for batch in at_once if batch is not None)


def test_that_there_is_much_to_read_is_told_once(
    private_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it is still looked around: processes begin then."""
    fill(private_home)
    told: list[int] = []
    looked = discover.one_by_one
    taken: list[str] = []

    def noted() -> Iterator[Agent]:
        for agent in looked():
            taken.append(agent.name)
            yield agent

    monkeypatch.setattr(discover, "one_by_one", noted)
    monkeypatch.setattr(discover, "SMALL", 1_000)
    found = discover.look(Place(private_home), {}, much=lambda: told.append(len(taken)))
    assert sum(source.size for source in found.changed) > 1_000
    assert told == [1]
    assert len(taken) > 10
