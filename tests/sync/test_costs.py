"""What an import costs, counted: rows written, statements, files read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from copy import copy
from pathlib import Path

import pytest

from sparrow_tui.agents.base import Place, Source
from sparrow_tui.store import sources
from sparrow_tui.store.sqlite import SqliteStore
from sparrow_tui.sync import workers
from sparrow_tui.sync.importing import import_all
from sparrow_tui.sync.progress import Progress
from sparrow_tui.sync.reading import Task
from tests.on_disk import claude_file, codex_file, native


def sync(store: SqliteStore, home: Path) -> None:
    import_all(store, Place(home), lambda _: None, workers=1)


class Statements:
    """Counts what a store's connection is asked to do."""

    def __init__(self, store: SqliteStore) -> None:
        self.number = 0
        store.connection.set_exec_trace(self._note)

    def _note(self, *_: object) -> bool:
        self.number += 1
        return True

    def taken(self) -> int:
        """How many since the last question."""
        number, self.number = self.number, 0
        return number


def test_a_sync_without_changes_writes_nothing_however_many_sources(
    store: SqliteStore, private_home: Path
) -> None:
    asked = []
    counted = Statements(store)
    for number in range(30):
        claude_file(private_home, number, "mend the net", "mended")
        if number in (2, 29):
            sync(store, private_home)
            before = store.connection.total_changes()
            counted.taken()
            sync(store, private_home)
            asked.append(counted.taken())
            assert store.connection.total_changes() == before
    assert asked[0] == asked[1]


def test_what_was_read_is_known_without_how_far(store: SqliteStore, private_home: Path) -> None:
    claude_file(private_home, 1, "mend the net")
    sync(store, private_home)
    asked: list[str] = []
    store.connection.set_exec_trace(lambda _, sql, __: asked.append(sql) is None)
    assert len(sources.known(store.connection)["claude"]) == 1
    store.connection.set_exec_trace(None)
    plans = [
        store.connection.execute(f"EXPLAIN QUERY PLAN {sql}", ("",)).fetchall() for sql in asked
    ]
    assert plans
    assert all("COVERING INDEX" in str(plan) for plan in plans)


def test_expiry_follows_the_agents_setting(store: SqliteStore, private_home: Path) -> None:
    first = claude_file(private_home, 1, "mend the net")
    sync(store, private_home)

    def expires(session: str) -> int:
        found = store.load(session)
        assert found is not None
        assert found.expires_at is not None
        return found.expires_at

    was = expires(first.id)
    second = claude_file(private_home, 2, "paint the boat")
    (private_home / ".claude" / "settings.json").write_text(json.dumps({"cleanupPeriodDays": 60}))
    sync(store, private_home)
    assert expires(first.id) - was == 30 * 86_400_000
    assert expires(second.id) == os.stat(second.path).st_mtime_ns // 1_000_000 + 60 * 86_400_000
    (private_home / ".claude" / "settings.json").unlink()
    sync(store, private_home)
    assert expires(first.id) == was


def test_an_append_costs_the_same_in_a_long_session(store: SqliteStore, private_home: Path) -> None:
    counted, asked, written = Statements(store), [], []
    for number, turns in ((1, 10), (2, 3000)):
        file = claude_file(private_home, number, *(f"word {turn}" for turn in range(turns)))
        file.append("one more")  # words that are known, in a chunk that has begun
        sync(store, private_home)
        file.append("one more")
        before = store.connection.total_changes()
        counted.taken()
        sync(store, private_home)
        asked.append(counted.taken())
        written.append(store.connection.total_changes() - before)
    assert asked[0] == asked[1]
    assert written[0] == written[1]


@pytest.fixture(params=["from a server", "anew"])
def beginning(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """How processes begin; anew where a server finds no place for its socket."""

    def refuse() -> None:
        raise OSError("AF_UNIX path too long")

    workers.beginning.cache_clear()
    if request.param == "anew":
        monkeypatch.setattr("multiprocessing.forkserver.ensure_running", refuse)
    yield
    workers.beginning.cache_clear()


@pytest.mark.usefixtures("beginning")
def test_every_source_comes_once_from_several_processes(private_home: Path) -> None:
    """Also of those read by the process itself while the others start."""
    tasks = []
    for number in range(12):
        path = os.fspath(codex_file(private_home, number, "mend the net", "mended"))
        tasks.append(Task(Source("codex", path, "1", workers.SMALL)))
    done = [item.source.path for item in workers.parts(tasks, 2) if item.done and item.source]
    assert sorted(done) == sorted(task.source.path for task in tasks)
    assert native(3) in " ".join(done)


def test_progress_says_how_far_it_is(store: SqliteStore, private_home: Path) -> None:
    for number in range(5):
        file = claude_file(private_home, number, "mend the net")
        call = {"type": "tool_use", "id": "c1", "name": "Bash", "input": {"command": "ls"}}
        answer = {"type": "tool_result", "tool_use_id": "c1", "content": "a b"}
        with open(file.path, "a") as handle:
            said = {"role": "assistant", "id": "m1", "content": [call]}
            handle.write(file.line("", "assistant", message=said))
            handle.write(file.line("", "user", message={"role": "user", "content": [answer]}))
    told: list[Progress] = []
    report = import_all(
        store, Place(private_home), lambda progress: told.append(copy(progress)), workers=1
    )
    reading = [progress for progress in told if progress.phase == "reading"]
    assert all(progress.bytes <= progress.of_bytes for progress in reading)
    last = told[-1]
    assert (last.bytes, last.sources, last.sessions) == (last.of_bytes, 5, 5)
    assert report.bytes == last.bytes
    assert last.phase == "indexing"
    assert (last.indexed, last.of_indexed) == (10, 10)
    assert last.indexing.endswith("100%")


def test_tool_output_waits_while_something_is_being_written(
    store: SqliteStore, private_home: Path
) -> None:
    file = claude_file(private_home, 1, "mend the net")
    call = {"type": "tool_use", "id": "c1", "name": "Bash", "input": {"command": "ls"}}
    answer = {"type": "tool_result", "tool_use_id": "c1", "content": "halyard"}
    with open(file.path, "a") as handle:
        said = {"role": "assistant", "id": "m1", "content": [call]}
        handle.write(file.line("", "assistant", message=said))
        handle.write(file.line("", "user", message={"role": "user", "content": [answer]}))
    import_all(store, Place(private_home), lambda _: None, workers=1, pressed=lambda: True)
    assert store.deferred_count() == 2
    assert store.search("halyard").total == 0
    sync(store, private_home)
    assert store.deferred_count() == 0
    assert store.search("halyard").total == 1
