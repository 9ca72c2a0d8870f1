"""A home of real sessions, imported: nothing is lost, and every figure is what the files say."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from plain_count import Count, Usage, add, counted
from real import CORPUS, needs_corpus

from sparrow_tui.agents.base import Place
from sparrow_tui.model import ToolResult, ToolUse, Turn, block_texts
from sparrow_tui.sanitize import storable
from sparrow_tui.store import open_store
from sparrow_tui.store.base import Session
from sparrow_tui.store.sqlite import SqliteStore
from sparrow_tui.sync.importing import import_all


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus laid out as its agents would."""
    assert CORPUS is not None
    place = tmp_path_factory.mktemp("real")
    command = ["--corpus", str(CORPUS), "--home", str(place), "--copy"]
    subprocess.run([sys.executable, str(CORPUS / "build_home.py"), *command], check=True)
    return place


@pytest.fixture(scope="module")
def library(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    """All of it in a store."""
    store = open_store(str(tmp_path_factory.mktemp("store") / "archive.db"))
    report = import_all(store, Place(home), lambda _: None, workers=1)
    assert not report.failures
    yield store
    store.close()


@pytest.fixture(scope="module")
def plain(home: Path) -> dict[str, Count]:
    return counted(home)


def whole(library: SqliteStore) -> dict[str, list[Session]]:
    """Sessions with those made of the side chains in their files."""
    found: dict[str, list[Session]] = {}
    for session in library.list():
        found.setdefault(session.id.partition("/side-")[0], []).append(session)
    return found


def turns(library: SqliteStore, sessions: list[Session]) -> list[Turn]:
    return [turn for session in sessions for turn in library.turns(session.id)]


def figures(sessions: list[Session]) -> Usage:
    total: Usage = (0, 0, 0, 0)
    for u in (session.usage for session in sessions):
        total = add(total, (u.input, u.output, u.cache_read, u.cache_write))
    return total


@needs_corpus
def test_no_session_is_lost(library: SqliteStore, plain: dict[str, Count]) -> None:
    assert set(whole(library)) == set(plain)
    assert not sum(session.coverage.bad for session in library.list())
    assert not [s.id for s in library.list() if s.coverage.unknown]


@needs_corpus
def test_figures_are_those_of_the_files(library: SqliteStore, plain: dict[str, Count]) -> None:
    for ident, sessions in whole(library).items():
        expected, told = plain[ident], turns(library, sessions)
        assert sum(s.tool_calls for s in sessions) == len(expected.calls), ident
        assert sum(s.tool_errors for s in sessions) == len(expected.errors), ident
        assert figures(sessions) == expected.usage, ident
        blocks = [block for turn in told for block in turn.blocks]
        assert Counter(b.id for b in blocks if isinstance(b, ToolUse)) == Counter(expected.calls)
        failed = [b.tool_use_id for b in blocks if isinstance(b, ToolResult) and b.is_error]
        assert Counter(failed) == Counter(expected.errors), ident
        typed = [turn for turn in told if turn.role == "user" and not turn.meta]
        assert len(typed) == expected.prompts, ident


@needs_corpus
def test_every_answer_is_there(library: SqliteStore, plain: dict[str, Count]) -> None:
    for ident, sessions in whole(library).items():
        told = [turn for turn in turns(library, sessions) if turn.role == "assistant"]
        expected = plain[ident].answers
        if ident.startswith("claude:"):
            assert {turn.usage_id for turn in told} == expected, ident
        else:
            assert len(told) >= len(expected) - 1, ident


@needs_corpus
def test_shared_requests_count_once(library: SqliteStore, plain: dict[str, Count]) -> None:
    shares: dict[str, Usage] = {}
    for count in plain.values():
        for key, share in count.shares.items():
            a, b = share, shares.get(key, share)
            shares[key] = (max(a[0], b[0]), max(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))
    expected: Usage = (0, 0, 0, 0)
    for share in shares.values():
        expected = add(expected, share)
    found = library.connection.execute(
        "SELECT sum(input), sum(output), sum(cache_read), sum(cache_write) FROM bucket"
        " WHERE agent = 'claude'"
    ).fetchone()
    assert found == expected


@needs_corpus
def test_every_text_is_there(library: SqliteStore, plain: dict[str, Count]) -> None:
    for ident, sessions in whole(library).items():
        kept = "\0".join(
            piece
            for turn in turns(library, sessions)
            for block in turn.blocks
            for piece in block_texts(block)
        )
        lost = [text for text in plain[ident].texts if storable(text) not in kept]
        assert not lost, (ident, len(lost), lost[0][:200])


@needs_corpus
def test_a_second_sync_reads_nothing(library: SqliteStore, home: Path) -> None:
    report = import_all(library, Place(home), lambda _: None, workers=1)
    assert (report.read, report.failed, report.gone) == (0, 0, 0)


@needs_corpus
def test_every_session_has_a_name_a_place_and_a_time(library: SqliteStore) -> None:
    for session in library.list():
        assert session.created_at, session.id
        assert session.updated_at, session.id
        assert session.project or session.agent == "gemini", session.id
        assert not session.title.startswith(("<", "Caveat:", "[Request", "# AGENTS.md")), session.id
        spoken = [t for t in library.turns(session.id) if t.role == "user" and not t.meta]
        assert session.title or not spoken, session.id
