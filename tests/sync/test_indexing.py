"""Tool output is indexed in parts built beside the archive; nothing is lost, nothing twice."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from sparrow_tui.agents.base import Place
from sparrow_tui.paths import open_private
from sparrow_tui.store import built_parts, docid, open_store
from sparrow_tui.store.built_parts import Built, build
from sparrow_tui.store.sqlite import SqliteStore
from sparrow_tui.sync import indexing
from sparrow_tui.sync.importing import import_all
from sparrow_tui.sync.indexing import Indexing
from sparrow_tui.sync.progress import Meter
from tests.on_disk import ClaudeFile, claude_file

SESSIONS, CALLS = 6, 5
QUERIES = ("halyard", "mizzen", "common", "knot3", "tool:bash", "file:deck.py", "role:tool")


def with_calls(file: ClaudeFile) -> ClaudeFile:
    """Add calls of tools with their answers."""
    with open(file.path, "a") as handle:
        for call in range(CALLS):
            use = {
                "type": "tool_use", "id": f"c{call}", "name": "Bash",
                "input": {"command": "ls halyard", "file_path": "src/deck.py"},
            }  # fmt: skip
            said = {"role": "assistant", "id": f"m{call}", "content": [use]}
            text = f"mizzen common knot{call} boat{file.number}"
            answer = {"type": "tool_result", "tool_use_id": f"c{call}", "content": text}
            handle.write(file.line("", "assistant", message=said))
            handle.write(file.line("", "user", message={"role": "user", "content": [answer]}))
    return file


@pytest.fixture
def waiting(store: SqliteStore, private_home: Path) -> SqliteStore:
    """A store in whose index tool output is missing."""
    for number in range(SESSIONS):
        with_calls(claude_file(private_home, number, "mend the net", "mended"))
    import_all(store, Place(private_home), lambda _: None, workers=1, pressed=lambda: True)
    assert store.deferred_count() == 2 * SESSIONS * CALLS
    return store


@pytest.fixture
def side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts are built for however few turns, and several of them."""
    monkeypatch.setattr(indexing, "FEW", 1)
    monkeypatch.setattr(built_parts, "ROWS", 13)


def found(store: SqliteStore) -> dict[str, list[tuple[str, int]]]:
    return {
        query: sorted((hit.session, hit.turn) for hit in store.search(query, limit=1000).hits)
        for query in QUERIES
    }


@pytest.fixture
def expected(waiting: SqliteStore, tmp_path: Path, private_home: Path) -> Iterator[object]:
    """What is found where everything was indexed in this process."""
    plain = open_store(str(tmp_path / "plain.db"))
    import_all(plain, Place(private_home), lambda _: None, workers=1)
    yield found(plain)
    plain.close()


def asked_more_than(number: int) -> Callable[[], bool]:
    """True from the second, third… time on it is asked."""
    asked = count(1)
    return lambda: next(asked) > number


def files_beside(store: SqliteStore) -> list[str]:
    return [path.name for path in store.path.parent.iterdir() if ".part-" in path.name]


@pytest.fixture
def one_built(waiting: SqliteStore) -> Built:
    """A part of everything, built and not taken in."""
    piece = waiting.next_piece(docid.END, 1000)
    assert piece is not None
    path = f"{waiting.path}.part-1"
    os.close(open_private(Path(path)))
    built = build(os.fspath(waiting.path), path, piece)
    assert built is not None
    assert built.rows == piece.rows == 2 * SESSIONS * CALLS
    return built


@pytest.mark.usefixtures("side_by_side")
def test_built_side_by_side_the_same_is_found(waiting: SqliteStore, expected: object) -> None:
    parts = Indexing(waiting, 2)
    Path(f"{waiting.path}.part-77-1").write_text("left by a killed import")
    parts.run(Meter(lambda _: None), lambda: False)
    parts.close()
    assert waiting.deferred_count() == 0
    assert found(waiting) == expected
    assert waiting.index.check() == []
    assert files_beside(waiting) == []
    sealed = waiting.connection.execute("SELECT count(*) FROM part WHERE family = 'output'").get
    pieces = -(-2 * SESSIONS * CALLS // 13)
    assert sealed == pieces + pieces % 2  # as many for each process


@pytest.mark.usefixtures("side_by_side")
def test_interrupted_it_goes_on(waiting: SqliteStore, expected: object) -> None:
    parts = Indexing(waiting, 2)
    left = [waiting.deferred_count()]
    while left[-1]:
        parts.run(Meter(lambda _: None), asked_more_than(3))
        left.append(waiting.deferred_count())
    parts.close()
    assert len(left) > 2
    assert found(waiting) == expected
    assert waiting.index.check() == []


@pytest.mark.usefixtures("side_by_side")
def test_ended_in_the_middle_nothing_is_left_beside(waiting: SqliteStore) -> None:
    parts = Indexing(waiting, 2)
    parts.run(Meter(lambda _: None), asked_more_than(1))
    parts.close()
    assert files_beside(waiting) == []
    assert waiting.deferred_count() > 0


@pytest.mark.usefixtures("side_by_side")
def test_a_builder_that_is_killed_loses_nothing(waiting: SqliteStore, expected: object) -> None:
    parts = Indexing(waiting, 2)
    parts.run(Meter(lambda _: None), asked_more_than(1))
    pool = parts._pool
    assert pool is not None
    for process in list(pool._processes):
        os.kill(process, signal.SIGKILL)
    parts.run(Meter(lambda _: None), lambda: False)
    parts.close()
    assert waiting.deferred_count() == 0
    assert found(waiting) == expected
    assert waiting.index.check() == []
    assert files_beside(waiting) == []


def test_what_changed_meanwhile_is_not_taken_in(
    waiting: SqliteStore, private_home: Path, one_built: Built
) -> None:
    """A session that is gone, and one whose turns were replaced by others with their row ids."""
    gone, changed = claude_file(private_home, 0), claude_file(private_home, 1)
    waiting.delete(gone.id)
    text = changed.path.read_text().replace("mizzen", "jib").replace("halyard", "sheet")
    changed.path.write_text(text)
    import_all(waiting, Place(private_home), lambda _: None, workers=1, pressed=lambda: True)
    waiting.take_in(one_built)
    assert waiting.deferred_count() == 2 * CALLS
    hits = found(waiting)
    assert {session for session, _ in hits["mizzen"]}.isdisjoint({gone.id, changed.id})
    assert len(hits["mizzen"]) == CALLS * (SESSIONS - 2)
    import_all(waiting, Place(private_home), lambda _: None, workers=1)
    assert waiting.search("jib").total == CALLS
    assert len(found(waiting)["common"]) == CALLS * (SESSIONS - 1)
    assert waiting.index.check() == []


def test_a_part_that_is_not_wanted_is_not_built(waiting: SqliteStore) -> None:
    piece = waiting.next_piece(docid.END, 1000)
    assert piece is not None
    path = f"{waiting.path}.part-1"
    assert build(os.fspath(waiting.path), path, piece) is None
    assert files_beside(waiting) == []
