"""Two programs at once, and programs that are killed: nothing lost, nothing twice, nobody left."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sparrow_tui.agents.base import Place
from sparrow_tui.model import Text
from sparrow_tui.store import open_store
from sparrow_tui.store.sqlite import SqliteStore
from sparrow_tui.sync import client
from sparrow_tui.sync.importing import import_all
from sparrow_tui.sync.progress import Progress
from tests.on_disk import claude_file, codex_file
from tests.waiting import until

Begin = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def begin(location: str) -> Iterator[Begin]:
    """Starts sync processes as the app does; ends them with the test."""
    begun: list[subprocess.Popen[bytes]] = []

    def start(*options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "sparrow_tui.sync", "--store", location, *options]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        begun.append(process)
        return process

    yield start
    for process in begun:
        kill(process)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):
        process.kill()
    process.wait()


def hears(process: subprocess.Popen[bytes], phase: str) -> None:
    """Wait until a sync process says what it does."""
    assert process.stdout is not None
    for line in process.stdout:
        if f'"phase":"{phase}"'.encode() in line:
            return
    raise AssertionError(f"it ended before it was {phase}")


def turns(store: SqliteStore) -> int:
    return int(store.connection.execute("SELECT count(*) FROM turn").get)


def content(store: SqliteStore) -> list[tuple[str, int, list[str]]]:
    """Every session with its texts."""
    return sorted(
        (
            session.id,
            session.turns,
            [
                b.text
                for turn in store.turns(session.id)
                for b in turn.blocks
                if isinstance(b, Text)
            ],
        )
        for session in store.list()
    )


def sums(store: SqliteStore) -> list[tuple[object, ...]]:
    """What is counted, session by session and in all, and how much is indexed."""
    rows: list[tuple[object, ...]] = store.connection.execute(
        "SELECT id, turns, input, output, requests, tool_calls, cost_micro FROM session ORDER BY id"
    ).fetchall()
    return [*rows, ("found", store.search("word", limit=1).total), ("all", store.totals.overall())]


def test_one_at_a_time_and_the_other_takes_over(
    private_home: Path, location: str, begin: Begin
) -> None:
    file = claude_file(private_home, 1, "first", "second")
    holder = begin()
    hears(holder, "watching")
    other = begin()
    hears(other, "waiting")
    store = open_store(location)
    try:
        file.append("third")
        until(lambda: store.list()[0].turns == 3, "the holder reads it")
        kill(holder)
        file.append("fourth")
        hears(other, "watching")
        until(lambda: store.list()[0].turns == 4, "the other reads what came meanwhile")
        file.append("fifth")
        until(lambda: store.list()[0].turns == 5, "the other follows")
        assert [texts for _, _, texts in content(store)] == [
            ["first", "second", "third", "fourth", "fifth"]
        ]
    finally:
        store.close()


def test_an_import_that_is_killed_begins_again(
    private_home: Path, location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "PAUSE", 0.1)
    file = claude_file(private_home, 1, "first", "second")
    told: list[Progress] = []
    beside = client.SyncProcess(location, told.append)
    beside.start()
    store = open_store(location)
    try:
        until(lambda: told and told[-1].phase == "watching", "it follows")
        assert beside._process is not None
        beside._process.kill()
        until(lambda: "the import ended unexpectedly" in [t.message for t in told], "it is told")
        until(lambda: told[-1].phase == "watching", "it follows again")
        file.append("third")
        until(lambda: store.list()[0].turns == 3, "the new one reads what comes")
    finally:
        store.close()
        beside.stop()
        assert beside.wait(30) == 0


def test_an_import_the_system_does_not_start_is_told_and_tried_again(
    private_home: Path, location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too many processes, or no memory for one more."""
    monkeypatch.setattr(client, "PAUSE", 0.1)
    file = claude_file(private_home, 1, "first", "second")
    told: list[Progress] = []
    start = subprocess.Popen
    refusals = [BlockingIOError(11, "Resource temporarily unavailable")] * 2

    def refuse(*given: object, **more: object) -> subprocess.Popen[bytes]:
        if refusals:
            raise refusals.pop()
        return start(*given, **more)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(client.subprocess, "Popen", refuse)
    beside = client.SyncProcess(location, told.append)
    beside.start()
    try:
        until(lambda: told and told[-1].phase == "watching", "it follows in the end")
        said = "the import cannot be started: Resource temporarily unavailable"
        assert [progress.message for progress in told[:2]] == [said, said]
        store = open_store(location)
        assert store.load(file.id) is not None
        store.close()
    finally:
        beside.stop()
        assert beside.wait(30) == 0


def test_why_an_import_fails_is_the_last_that_is_heard(tmp_path: Path) -> None:
    told: list[Progress] = []
    place = tmp_path / "a.db"
    place.write_bytes(b"not a database at all" * 1000)
    beside = client.SyncProcess(str(place), told.append, once=True)
    beside.start()
    assert beside.wait(30) == 1
    until(lambda: "sync" not in [thread.name for thread in threading.enumerate()], "all is heard")
    assert told[-1].phase == "failed"
    assert "a.db" in told[-1].message


def test_it_ends_with_its_parent(private_home: Path, begin: Begin) -> None:
    claude_file(private_home, 1, "first", "second")
    process = begin()
    hears(process, "watching")
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(30) == 0


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs signals")
def test_killed_in_mid_import_it_leaves_nothing_and_says_nothing(
    private_home: Path, location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    large_home(private_home)
    with tempfile.TemporaryDirectory(dir="/tmp") as short:  # a socket's name has little room
        ours = Path(short, "state/sparrow-tui/tmp")
        system = Path(short, "system")
        system.mkdir()
        monkeypatch.setenv("XDG_STATE_HOME", str(Path(short, "state")))
        monkeypatch.setenv("TMPDIR", str(system))
        command = [sys.executable, "-m", "sparrow_tui.sync", "--store", location, "--once"]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        hears(process, "reading")
        kill(process)
        assert process.communicate()[1] == b""  # to its end: all that it began are gone
        assert os.listdir(ours), "it was killed while it had something there"
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        assert process.wait(60) == 0
        process.communicate()
        assert os.listdir(ours) == []
        assert os.listdir(system) == []


WEIGHED = Path("/proc/sys/kernel/sched_autogroup_enabled")


@pytest.mark.skipif(
    not WEIGHED.exists() or WEIGHED.read_text().strip() != "1",
    reason="needs Linux that shares processors out among sessions",
)
def test_the_app_comes_before_an_import(private_home: Path, begin: Begin) -> None:
    """Being nice in a session of its own is not enough: sessions are weighed first."""
    process = begin()
    hears(process, "watching")
    weighed = Path(f"/proc/{process.pid}/autogroup").read_text().rsplit(maxsplit=1)[1]
    assert int(weighed) == os.getpriority(os.PRIO_PROCESS, process.pid) > 0


def large_home(home: Path) -> None:
    for number in range(24):
        claude_file(home, number, *(f"{number} {n} " + "word " * 1000 for n in range(40)))
    for number in range(100, 110):
        codex_file(home, number, *(f"{number} {n} " + "word " * 1000 for n in range(50)))


def workers_of(pid: int) -> set[int]:
    """Processes of a session (its leader left out), dead ones nobody waited for aside."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, _, session = entry.read_text().rpartition(")")[2].split()[:4]
            if int(session) == pid and state not in "ZX" and entry.parent.name != str(pid):
                found.add(int(entry.parent.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_killed_in_mid_import_nothing_is_lost_or_twice(
    private_home: Path, location: str, tmp_path: Path, begin: Begin
) -> None:
    large_home(private_home)
    undisturbed = open_store(str(tmp_path / "undisturbed.db"))
    store = open_store(location)
    chance = random.Random(5)
    try:
        import_all(undisturbed, Place(private_home), lambda _: None, workers=1)
        kills = 0
        for _ in range(3):
            process = begin("--once")
            wanted = turns(store) + chance.randrange(1, 400)
            until(
                lambda process=process, wanted=wanted: (
                    process.poll() is not None or turns(store) >= wanted
                ),
                "some turns are written",
            )
            process.kill()  # nothing to a process that is done
            kills += process.wait() == -signal.SIGKILL
            until(lambda process=process: not workers_of(process.pid), "no worker is left")
            for session in store.list():
                assert len(list(store.turns(session.id))) == session.turns
        assert kills, "it was always done before"
        assert begin("--once").wait(60) == 0
        assert content(store) == content(undisturbed)
        assert sums(store) == sums(undisturbed)
        assert store.connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        store.close()
        undisturbed.close()
