"""Sessions are followed while they are written: what a watcher tells of is in the store soon."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from sparrow_tui.agents.base import Place
from sparrow_tui.cli import main
from sparrow_tui.model import Text
from sparrow_tui.store import open_store, sources
from sparrow_tui.store.sqlite import SqliteStore
from sparrow_tui.sync import follow, importing, process
from sparrow_tui.sync.lease import wanted
from tests.on_disk import ClaudeFile, claude_file, codex_file, native
from tests.waiting import until


class Following:
    """A sync that follows, in a thread, and a connection that sees what it writes."""

    def __init__(self, location: str, paths: tuple[str, ...] = ()) -> None:
        self.told: list[str] = []
        self.store: SqliteStore = open_store(location)
        self._stop = Event()
        self._thread = Thread(
            target=process.run, args=(location, paths, self._stop), kwargs={"follow_on": True}
        )

    def start(self) -> None:
        self._thread.start()
        until(lambda: "watching" in self.told, "it follows")

    def end(self) -> None:
        self._stop.set()
        self._thread.join(30)
        assert not self._thread.is_alive(), "it does not end"
        self.store.close()

    def texts(self, session: str) -> list[str]:
        return [
            block.text
            for turn in self.store.turns(session)
            for block in turn.blocks
            if isinstance(block, Text)
        ]

    def shows(self, session: str, *texts: str) -> None:
        until(lambda: self.texts(session) == [*texts], f"{session} says {texts}")


Start = Callable[..., Following]


@pytest.fixture
def start(location: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Begins to follow, once everything that was there is read."""
    begun: list[Following] = []

    def begin(*paths: str) -> Following:
        following = Following(location, paths)
        monkeypatch.setattr(process, "emit", lambda item: following.told.append(item.phase))
        begun.append(following)
        following.start()
        return following

    yield begin
    for following in begun:
        following.end()


@pytest.fixture
def followed(private_home: Path, start: Start) -> tuple[Following, ClaudeFile]:
    """One session of two turns, imported and followed."""
    file = claude_file(private_home, 1, "first", "second")
    return start(), file


Followed = tuple[Following, ClaudeFile]


def test_an_appended_line_is_read(followed: Followed) -> None:
    sync, file = followed
    file.append("third")
    sync.shows(file.id, "first", "second", "third")
    file.append("fourth")
    sync.shows(file.id, "first", "second", "third", "fourth")


def test_half_a_line_waits_for_the_rest(followed: Followed) -> None:
    sync, file = followed
    whole = file.line("thïrd").encode()
    cut = whole.index("ï".encode()) + 1  # in the middle of a character
    with open(file.path, "ab") as handle:
        handle.write(whole[:cut])
        handle.flush()
        other = claude_file(file.path.parents[3], 2, "another session")
        sync.shows(other.id, "another session")
        assert sync.texts(file.id) == ["first", "second"]
        handle.write(whole[cut:])
    sync.shows(file.id, "first", "second", "thïrd")
    session = sync.store.load(file.id)
    assert session is not None
    assert session.coverage.bad == 0


def test_a_file_cut_short_is_read_again(followed: Followed) -> None:
    sync, file = followed
    os.truncate(file.path, len(file.path.read_bytes().splitlines(keepends=True)[0]))
    sync.shows(file.id, "first")
    assert sync.store.search("second").hits == []


@pytest.mark.parametrize(
    "left",
    [b"", b"\n \n", b"\0" * 5000, b"\xff\xfe no record\n[]\n"],
    ids=["nothing", "blanks", "zeros", "no record"],
)
def test_a_file_of_which_nothing_is_left_leaves_its_session(
    followed: Followed, left: bytes
) -> None:
    """Emptied, or what a crash of the system left of it."""
    sync, file = followed
    before = file.path.read_bytes()
    kept = sync.store.load(file.id)
    assert kept is not None
    file.path.write_bytes(left)
    until(lambda: [s.source_gone for s in sync.store.list()] == [True], "it is marked")
    assert sync.texts(file.id) == ["first", "second"]
    assert [hit.session for hit in sync.store.search("second").hits] == [file.id]
    (now,) = sync.store.list()
    assert (now.status, now.usage, now.title) == (kept.status, kept.usage, kept.title)
    file.path.write_bytes(before)
    until(lambda: [s.source_gone for s in sync.store.list()] == [False], "it is back")
    file.append("third")
    sync.shows(file.id, "first", "second", "third")


def test_a_file_written_anew_is_read_again(followed: Followed) -> None:
    sync, file = followed
    file.turns = 0
    file.path.write_text(file.line("other first") + file.line("other second"))
    sync.shows(file.id, "other first", "other second")


def test_a_file_replaced_by_another_is_read_again(followed: Followed) -> None:
    sync, file = followed
    file.turns = 0
    beside = file.path.with_suffix(".tmp")
    beside.write_text("".join(file.line(text) for text in ("new first", "new second", "new third")))
    beside.replace(file.path)
    sync.shows(file.id, "new first", "new second", "new third")
    assert sync.store.count() == 1


def test_bytes_that_are_no_text_cost_their_line_only(followed: Followed) -> None:
    sync, file = followed
    with open(file.path, "ab") as handle:
        handle.write(b"\xff\xfe\xfd not text\n")
    file.append("third")
    sync.shows(file.id, "first", "second", "third")
    session = sync.store.load(file.id)
    assert session is not None
    assert session.coverage.bad == 1


def test_a_deleted_file_leaves_its_session(followed: Followed) -> None:
    sync, file = followed
    file.path.unlink()
    until(lambda: [s.source_gone for s in sync.store.list()] == [True], "it is marked")
    assert sync.texts(file.id) == ["first", "second"]
    assert [hit.session for hit in sync.store.search("second").hits] == [file.id]


def test_a_directory_moved_away_leaves_its_sessions(followed: Followed, tmp_path: Path) -> None:
    sync, file = followed
    file.path.parent.rename(tmp_path / "elsewhere")
    until(lambda: [s.source_gone for s in sync.store.list()] == [True], "it is marked")
    (tmp_path / "elsewhere").rename(file.path.parent)
    until(lambda: [s.source_gone for s in sync.store.list()] == [False], "it is back")
    assert sync.texts(file.id) == ["first", "second"]


def test_a_new_project_is_read_at_once(followed: Followed, private_home: Path) -> None:
    sync, _ = followed
    for number in range(2, 8):
        file = claude_file(private_home, number, "hello", "there", project=f"-new-{number}")
        sync.shows(file.id, "hello", "there")


def test_an_agent_that_comes_later_is_read(followed: Followed, private_home: Path) -> None:
    sync, _ = followed
    codex_file(private_home, 5, "paint the boat", "painted")
    sync.shows(f"codex:{native(5)}", "paint the boat", "painted")
    path = codex_file(private_home, 6, "mend the net")
    sync.shows(f"codex:{native(6)}", "mend the net")
    path.unlink()
    until(lambda: sync.store.load(f"codex:{native(6)}").source_gone, "it is marked")  # type: ignore[union-attr]


def test_places_made_anew_are_watched_anew(followed: Followed, private_home: Path) -> None:
    sync, file = followed
    shutil.rmtree(private_home / ".claude")
    until(lambda: sync.store.load(file.id).source_gone, "it is marked")  # type: ignore[union-attr]
    again = claude_file(private_home, 2, "a new beginning")
    sync.shows(again.id, "a new beginning")
    again.append("goes on")
    sync.shows(again.id, "a new beginning", "goes on")


def test_bursts_are_read_together(
    followed: Followed, private_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync, file = followed
    passes: list[int] = []
    apply = process._apply

    def count(store: SqliteStore, names: set[str], *more: object) -> None:
        passes.append(len(names))
        apply(store, names, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(process, "_apply", count)
    for number in range(100, 300):
        claude_file(private_home, number, f"session {number}")
    for number in range(200):
        file.append(f"line {number}")
    until(lambda: sync.store.count() == 201, "all sessions are there")
    until(lambda: len(sync.texts(file.id)) == 202, "all lines are there")
    assert sum(passes) >= 201
    assert len(passes) < 100


def test_what_was_written_during_the_import_is_not_missed(
    private_home: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = claude_file(private_home, 1, "first", "second")
    every = importing.import_all

    def import_then_append(*given: object, **more: object) -> object:
        report = every(*given, **more)  # type: ignore[arg-type]
        if file.turns == 2:
            file.append("written between import and watching")
        return report

    monkeypatch.setattr(importing, "import_all", import_then_append)
    start().shows(file.id, "first", "second", "written between import and watching")


def test_histories_beside_projects_are_followed(private_home: Path, start: Start) -> None:
    history = private_home / "harbour" / ".aider.chat.history.md"
    (history.parent / "node_modules").mkdir(parents=True)
    history.write_text(
        "\n# aider chat started at 2025-12-01 08:00:00\n\n#### mend the net\n\nMended.\n"
    )
    sync = start()
    (session,) = sync.store.list()
    with open(history, "a") as handle:
        handle.write("\n#### paint the boat\n\nPainted.\n")
    until(lambda: "paint the boat" in sync.texts(session.id), "the new prompt is read")
    roots = follow.roots_of(Place.here())
    assert str(history.parent) in follow.watchable(roots, False)
    assert str(history.parent) not in follow.watchable(roots, True), "all of a project"


def test_a_download_of_no_agent_is_no_failure(private_home: Path, start: Start) -> None:
    downloads = private_home / "Downloads"
    downloads.mkdir()
    sync = start()
    (downloads / "prices.json").write_text('[{"price": 3}]')
    moment = "2025-12-01T08:00:00Z"
    said = {"uuid": "m1", "sender": "human", "text": "mend the net", "created_at": moment}
    talk = {"uuid": "c1", "name": "Nets", "created_at": moment, "chat_messages": [said]}
    (downloads / "conversations.json").write_text(json.dumps([talk]))
    until(lambda: sync.store.count() == 1, "the export is read")
    report = sources.report(sync.store.connection)
    assert {name: held["problems"] for name, held in report.items()} == {"claude-ai": []}


def test_directories_given_by_hand_are_followed(
    tmp_path: Path, private_home: Path, start: Start
) -> None:
    folder = tmp_path / "given"
    file = claude_file(folder, 1, "first")
    sync = start(str(folder))
    file.append("second")
    sync.shows(file.id, "first", "second")
    other = claude_file(folder, 2, "another", project="-other")
    sync.shows(other.id, "another")
    (folder / "notes.jsonl").write_text('{"nothing": "known"}\n')
    claude_file(private_home, 3, "not given by hand")
    file.append("third")
    sync.shows(file.id, "first", "second", "third")
    assert sorted(session.id for session in sync.store.list()) == [file.id, other.id]


def test_who_follows_gives_way_to_an_import(
    followed: Followed, private_home: Path, location: str, tmp_path: Path
) -> None:
    """And takes up again, missing nothing of what was written in the meantime."""
    sync, file = followed
    given = claude_file(tmp_path / "elsewhere", 7, "given by hand")
    done: list[int] = []
    importer = Thread(
        target=lambda: done.append(main(["sync", "--store", location, str(given.path)])),
        daemon=True,
    )
    sync.told.clear()
    importer.start()
    until(lambda: done, "the import ends though another follows")
    assert done == [0]
    assert sync.texts(given.id) == ["given by hand"]
    file.append("third")
    sync.shows(file.id, "first", "second", "third")
    until(lambda: "watching" in sync.told, "it follows again")
    assert not wanted(Path(location))


def test_who_waits_to_follow_asks_for_nothing(followed: Followed, location: str) -> None:
    stop = Event()
    other = Thread(target=process.run, args=(location, (), stop), kwargs={"follow_on": True})
    sync, file = followed
    other.start()
    until(lambda: "waiting" in sync.told, "the other waits")
    file.append("third")
    sync.shows(file.id, "first", "second", "third")
    assert not wanted(Path(location))
    stop.set()
    other.join(30)
    assert not other.is_alive()
