"""A sync costs what changed, and loses nothing whatever happens to the sources."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sparrow_tui.agents import lines
from sparrow_tui.agents.base import Place
from sparrow_tui.model import Text
from sparrow_tui.store import open_store
from sparrow_tui.store.sqlite import SqliteStore
from sparrow_tui.sync.discover import changed_sources
from sparrow_tui.sync.importing import import_all
from sparrow_tui.sync.progress import Progress, Report
from tests.on_disk import ClaudeFile, claude_file, codex_file, native


@pytest.fixture
def home(private_home: Path) -> Path:
    return private_home


class Parsed:
    """What readers read: bytes of lines taken, files opened."""

    def __init__(self) -> None:
        self.bytes = 0
        self.opened: list[str] = []

    def reset(self) -> None:
        self.bytes, self.opened = 0, []


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Parsed:
    counted = Parsed()
    every, opening = lines.lines, lines.open_source

    def count_lines(path: str | Path, offset: int = 0) -> Iterator[tuple[int, bytes]]:
        for start, line in every(path, offset):
            counted.bytes += len(line)
            yield start, line

    def count_opening(path: str | Path) -> Any:
        counted.opened.append(os.fspath(path))
        return opening(path)

    monkeypatch.setattr(lines, "lines", count_lines)
    monkeypatch.setattr(lines, "open_source", count_opening)
    return counted


def sync(store: SqliteStore, home: Path, paths: tuple[str, ...] = (), **more: Any) -> Report:
    return import_all(store, Place(home), lambda _: None, paths=paths, workers=1, **more)


def texts(store: SqliteStore, session: str) -> list[str]:
    return [
        block.text
        for turn in store.turns(session)
        for block in turn.blocks
        if isinstance(block, Text)
    ]


def test_a_second_sync_reads_nothing(store: SqliteStore, home: Path, parsed: Parsed) -> None:
    for number in range(20):
        claude_file(home, number, f"mend net {number}", "mended")
    codex_file(home, 77, "paint the boat", "painted")
    first = sync(store, home)
    assert (first.read, first.skipped, first.failed) == (21, 0, 0)
    assert (first.sessions, first.turns) == (21, 42)
    # A rollout's header is looked at before it is read.
    assert 0 < first.bytes <= parsed.bytes <= first.bytes + 300
    parsed.reset()
    second = sync(store, home)
    assert (second.read, second.skipped, second.sessions, second.turns) == (0, 21, 0, 0)
    assert (parsed.bytes, parsed.opened) == (0, [])
    assert store.count() == 21


def test_an_append_parses_only_what_was_appended(
    store: SqliteStore, home: Path, parsed: Parsed
) -> None:
    file = claude_file(home, 1, *(f"word number {n}" for n in range(200)))
    sync(store, home)
    parsed.reset()
    added = file.append("one more question", "one more answer")
    report = sync(store, home)
    assert parsed.bytes == added
    assert (report.read, report.turns) == (1, 2)
    assert texts(store, file.id)[-3:] == ["word number 199", "one more question", "one more answer"]
    assert len(texts(store, file.id)) == 202


def test_a_partial_line_waits_for_its_end(store: SqliteStore, home: Path) -> None:
    file = claude_file(home, 1, "first", "second")
    sync(store, home)
    whole = file.line("third").encode()
    with open(file.path, "ab") as handle:
        handle.write(whole[:40])
    assert sync(store, home).turns == 0
    with open(file.path, "ab") as handle:
        handle.write(whole[40:])
    sync(store, home)
    assert texts(store, file.id) == ["first", "second", "third"]
    session = store.load(file.id)
    assert session is not None
    assert session.coverage.bad == 0


def test_a_rewritten_file_is_read_again_as_the_same_session(store: SqliteStore, home: Path) -> None:
    file = claude_file(home, 1, "first", "second", "third")
    sync(store, home)
    file.path.unlink()
    again = claude_file(home, 1, "other first", "other second", "other third", "other fourth")
    sync(store, home)
    assert store.count() == 1
    assert texts(store, again.id) == ["other first", "other second", "other third", "other fourth"]
    assert [hit.session for hit in store.search("second").hits] == [again.id]


def test_a_file_changed_in_place_is_read_again_though_its_size_and_time_are_the_same(
    store: SqliteStore, private_home: Path
) -> None:
    file = claude_file(private_home, 1, "first", "second")
    file.touch(1_764_576_000)
    sync(store, private_home)
    with open(file.path, "r+b") as handle:
        whole = handle.read().replace(b"second", b"SECOND")
        handle.seek(0)
        handle.write(whole)
    file.touch(1_764_576_000)
    sync(store, private_home)
    assert texts(store, file.id) == ["first", "SECOND"]


def test_what_is_blotted_out_in_the_middle_of_a_file_goes(
    store: SqliteStore, private_home: Path
) -> None:
    said = [f"line {number} {'word ' * 200}" for number in range(40)]
    file = claude_file(private_home, 1, *said[:20], "the key is hunter2", *said[20:])
    file.touch(1_764_576_000)
    sync(store, private_home)
    assert store.search("hunter2").total == 1
    whole = file.path.read_bytes()
    file.path.write_bytes(whole.replace(b"hunter2", b"*******"))
    file.touch(1_764_576_000)
    sync(store, private_home)
    assert store.search("hunter2").total == 0
    assert len(texts(store, file.id)) == 41


def test_a_file_only_touched_is_not_parsed_again(
    store: SqliteStore, private_home: Path, parsed: Parsed
) -> None:
    file = claude_file(private_home, 1, "first", "second")
    sync(store, private_home)
    parsed.reset()
    file.touch(1_764_576_000)
    assert sync(store, private_home).read == 1
    assert parsed.bytes == 0


def test_a_shrunk_file_is_read_again(store: SqliteStore, home: Path) -> None:
    file = claude_file(home, 1, "first", "second", "third", "fourth")
    sync(store, home)
    kept = file.path.read_bytes().splitlines(keepends=True)[:2]
    file.path.write_bytes(b"".join(kept))
    sync(store, home)
    assert store.count() == 1
    assert texts(store, file.id) == ["first", "second"]
    assert store.search("fourth").hits == []


def test_cut_short_and_grown_again_is_not_taken_for_an_append(
    store: SqliteStore, home: Path
) -> None:
    file = claude_file(home, 1, "first", "second", "third", "fourth")
    sync(store, home)
    kept = file.path.read_bytes().splitlines(keepends=True)[:2]
    file.path.write_bytes(b"".join(kept))
    file.turns = 2
    file.append("a much longer third line than the one before", "and a fourth", "and a fifth")
    sync(store, home)
    assert texts(store, file.id) == [
        "first", "second", "a much longer third line than the one before", "and a fourth",
        "and a fifth",
    ]  # fmt: skip


def test_a_moved_file_is_the_same_session(store: SqliteStore, home: Path) -> None:
    path = codex_file(home, 5, "paint the boat", "painted")
    sync(store, home)
    archive = home / ".codex" / "archived_sessions"
    archive.mkdir()
    moved = path.rename(archive / path.name)
    report = sync(store, home)
    assert (store.count(), report.turns, report.gone) == (1, 0, 1)
    session = store.load(f"codex:{native(5)}")
    assert session is not None
    assert (session.source, session.source_gone, session.turns) == (str(moved), False, 2)


def test_a_session_stays_when_its_source_goes(store: SqliteStore, home: Path) -> None:
    file = claude_file(home, 1, "keep me", "kept")
    sync(store, home)
    file.path.unlink()
    report = sync(store, home)
    assert report.gone == 1
    session = store.load(file.id)
    assert session is not None
    assert (session.source_gone, session.turns) == (True, 2)
    assert [hit.session for hit in store.search("kept").hits] == [file.id]
    assert sync(store, home).gone == 0, "it was found gone before"
    again = claude_file(home, 1, "keep me", "kept")
    sync(store, home)
    back = store.load(again.id)
    assert back is not None
    assert (back.source_gone, back.turns) == (False, 2)


def test_a_whole_folder_that_goes_takes_no_session_along(store: SqliteStore, home: Path) -> None:
    for number in range(5):
        claude_file(home, number, "keep me", "kept")
    sync(store, home)
    shutil.rmtree(home / ".claude")
    assert sync(store, home).gone == 5
    assert [session.source_gone for session in store.list()] == [True] * 5


def test_a_name_given_elsewhere_does_not_touch_the_turns(store: SqliteStore, home: Path) -> None:
    path = codex_file(home, 5, "paint the boat", "painted")
    sync(store, home)
    index = home / ".codex" / "session_index.jsonl"
    index.write_text(json.dumps({"id": native(5), "thread_name": "Boat work"}) + "\n")
    sync(store, home)
    session = store.load(f"codex:{native(5)}")
    assert session is not None
    assert (session.title, session.turns) == ("Boat work", 2)
    assert texts(store, session.id) == ["paint the boat", "painted"]
    path.unlink()
    sync(store, home)
    index.write_text(json.dumps({"id": native(5), "thread_name": "All boat work"}) + "\n")
    sync(store, home)
    session = store.load(session.id)
    assert session is not None
    assert (session.title, session.turns, session.source_gone) == ("All boat work", 2, True)


@pytest.mark.parametrize("newer", ["sessions", "archived_sessions"])
@pytest.mark.parametrize("last", ["painted", "sunk"])
def test_a_shorter_copy_takes_nothing_away(
    store: SqliteStore, home: Path, newer: str, last: str
) -> None:
    original = codex_file(home, 77, "paint the boat", "painted", "and the oars", "done")
    shorter = codex_file(home, 77, "paint the boat", last)
    copy = home / ".codex" / "archived_sessions" / original.name
    copy.parent.mkdir()
    shorter.rename(copy)
    codex_file(home, 77, "paint the boat", "painted", "and the oars", "done")
    for path in (original, copy):
        moment = 1_764_576_000 + (path.parent.name == newer or newer in str(path.parent.parents[2]))
        os.utime(path, (moment, moment))
    sync(store, home)
    held = "\n".join(texts(store, f"codex:{native(77)}"))
    assert held == "paint the boat\npainted\nand the oars\ndone"
    assert sync(store, home).read == 0


def test_a_file_that_vanishes_mid_scan_is_normal(
    store: SqliteStore, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = claude_file(home, 1, "soon gone", "yes")
    stays = claude_file(home, 2, "still here", "yes")
    opening = lines.open_source

    def vanish(path: str | Path) -> Any:
        gone.path.unlink(missing_ok=True)
        return opening(path)

    monkeypatch.setattr(lines, "open_source", vanish)
    report = sync(store, home)
    assert report.read == 1
    assert texts(store, stays.id) == ["still here", "yes"]
    assert store.load(gone.id) is None
    monkeypatch.undo()
    after = sync(store, home)
    assert (after.read, after.failed) == (0, 0)


def test_newest_first(store: SqliteStore, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (3, 1, 4, 2):
        claude_file(home, number, "hello", "there").touch(1_764_576_000 + number)
    order: list[str] = []
    opening = lines.open_source

    def note(path: str | Path) -> Any:
        name = Path(path).stem
        if name not in order:
            order.append(name)
        return opening(path)

    monkeypatch.setattr(lines, "open_source", note)
    sync(store, home)
    assert order == [native(number) for number in (4, 3, 2, 1)]


def test_two_stores_at_once_each_hold_everything(home: Path, tmp_path: Path) -> None:
    for number in range(6):
        claude_file(home, number, f"mend net {number}", "mended")
    stores = [open_store(str(tmp_path / f"{name}.db")) for name in "ab"]
    try:
        for one in stores:
            assert sync(one, home).sessions == 6
        file = claude_file(home, 9, "a late one", "indeed")
        for one in stores:
            assert sync(one, home).read == 1
            assert texts(one, file.id) == ["a late one", "indeed"]
    finally:
        for one in stores:
            one.close()


def test_another_connection_sees_what_is_imported(
    store: SqliteStore, location: str, home: Path
) -> None:
    reading = open_store(location)
    try:
        before = reading.version()
        claude_file(home, 1, "hello", "there")
        sync(store, home)
        assert reading.count() == 1
        assert reading.version() != before
    finally:
        reading.close()


def test_bad_lines_are_counted_and_passed_over(store: SqliteStore, home: Path) -> None:
    file = claude_file(home, 1, "first")
    with open(file.path, "ab") as handle:
        handle.write(b'{"type": "user", "mess\n')
        handle.write(b"\xff\xfe\x00 not text at all\n")
        handle.write(b"[1, 2]\n")
    file.append("second")
    report = sync(store, home)
    assert report.failed == 0
    assert texts(store, file.id) == ["first", "second"]
    session = store.load(file.id)
    assert session is not None
    assert session.coverage.bad == 3
    assert session.coverage.records == 5


def test_worker_processes_and_one_process_give_the_same(home: Path, tmp_path: Path) -> None:
    for number in range(8):
        claude_file(home, number, *(f"{number} {n} " + "word " * 2000 for n in range(100)))
    held: list[list[tuple[str, int, list[str]]]] = []
    for workers in (1, 2):
        one = open_store(str(tmp_path / f"{workers}.db"))
        try:
            report = import_all(one, Place(home), lambda _: None, workers=workers)
            assert (report.read, report.failed, report.turns) == (8, 0, 800)
            held.append(sorted((item.id, item.turns, texts(one, item.id)) for item in one.list()))
        finally:
            one.close()
    assert held[0] == held[1]


def test_progress_goes_from_nothing_to_everything(store: SqliteStore, home: Path) -> None:
    for number in range(30):
        claude_file(home, number, *(f"{number} {n}" for n in range(20)))
    seen: list[tuple[str, int, int]] = []

    def hear(progress: Progress) -> None:
        seen.append((progress.phase, progress.bytes, progress.of_bytes))

    report = import_all(store, Place(home), hear, workers=1)
    assert seen[0][0] == "looking"
    done = [now for _, now, _ in seen]
    assert done == sorted(done)
    assert seen[-1][1] == seen[-1][2] == report.bytes


def test_stopped_early_nothing_is_half_written_and_the_next_goes_on(
    store: SqliteStore, home: Path
) -> None:
    files: list[ClaudeFile] = [
        claude_file(home, number, *(f"{number} {n}" for n in range(120))) for number in range(6)
    ]
    first = sync(store, home, stopped=lambda: True)
    assert first.read < 6
    for session in store.list():
        assert len(texts(store, session.id)) == session.turns
    sync(store, home)
    assert sorted(session.turns for session in store.list()) == [120] * 6
    assert texts(store, files[0].id) == [f"0 {n}" for n in range(120)]


def test_deleted_sessions_stay_deleted_unless_asked_for(store: SqliteStore, home: Path) -> None:
    file = claude_file(home, 1, "first", "second")
    sync(store, home)
    store.delete(file.id)
    file.append("third", "fourth")
    sync(store, home)
    assert store.load(file.id) is None
    sync(store, home, (str(file.path),))
    file.append("fifth")
    sync(store, home, (str(file.path),))
    assert texts(store, file.id) == ["first", "second", "third", "fourth", "fifth"]


def test_what_may_not_be_looked_at_is_not_gone(
    store: SqliteStore, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, gone = claude_file(home, 1, "mend the net"), claude_file(home, 2, "paint the boat")
    sync(store, home)
    gone.path.unlink()
    stat = os.stat

    def refused(path: Any, *args: Any, **more: Any) -> Any:
        if os.fspath(path) == os.fspath(there.path):
            raise PermissionError(13, "Permission denied", path)
        return stat(path, *args, **more)

    monkeypatch.setattr(os, "scandir", lambda path: iter(()))
    monkeypatch.setattr(os, "stat", refused)
    assert sync(store, home).gone == 1
    assert {s.id: s.source_gone for s in store.list()} == {there.id: False, gone.id: True}


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux alone")
def test_a_name_that_is_no_text_is_told_and_keeps_nothing_back(
    store: SqliteStore, home: Path
) -> None:
    there = claude_file(home, 1, "mend the net", "mended")
    odd = os.fsencode(there.path.parent) + b"/n\xe4t.jsonl"
    Path(os.fsdecode(odd)).write_bytes(there.path.read_bytes())
    report = sync(store, home)
    assert (report.read, report.failed) == (1, 1)
    assert [failure.problem for failure in report.failures] == ["its name is not UTF-8"]
    assert json.dumps(report.failures[0].path, ensure_ascii=False).encode()
    assert changed_sources([os.fsdecode(odd)], {"claude": [str(home / ".claude")]}) == []
