"""What may be wrong with a store: one sentence, exit code 1, nothing half-written, no traceback."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from sparrow_tui.cli import main
from sparrow_tui.store import connection, open_store
from sparrow_tui.store.base import StoreFull, StoreUnwritable
from sparrow_tui.sync.lease import lease
from tests.on_disk import claude_file, native

READING = (["list"], ["search", "mend"], ["recent"], ["show", native(1)])
WRITING = (["sync"], ["delete", native(1), "--yes"])
Said = pytest.CaptureFixture[str]


@pytest.fixture
def filled(private_home: Path, location: str, capsys: Said) -> str:
    """A store with one session in it."""
    claude_file(private_home, 1, "mend the net", "mended")
    assert main(["sync", "--store", location]) == 0
    capsys.readouterr()
    return location


def damage(location: str) -> None:
    data = bytearray(Path(location).read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    Path(location).write_bytes(bytes(data))


def age_ahead(location: str) -> None:
    with apsw.Connection(location) as database:
        database.pragma("user_version", 77)
    database.close()


def make_sparrows(location: str) -> None:
    Path(location).unlink()
    with sqlite3.connect(location) as database:
        database.execute("CREATE TABLE sessions(id TEXT PRIMARY KEY, messages_json TEXT)")


def make_foreign(location: str) -> None:
    Path(location).write_bytes(b"\x89PNG\r\n not a database, and longer than its name says" * 9)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [(damage, "damaged"), (age_ahead, "newer sparrow-tui"), (make_sparrows, "sparrow-tui sync"),
     (make_foreign, "not a store of ours")],
)  # fmt: skip
@pytest.mark.parametrize("command", [*READING, *WRITING], ids=lambda words: words[0])
def test_a_file_that_is_no_store_is_said_so(
    filled: str, capsys: Said, command: list[str], spoil: Callable[[str], None], says: str
) -> None:
    spoil(filled)
    before = Path(filled).read_bytes()
    assert main([*command, "--store", filled]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert says in said.err
    assert Path(filled).read_bytes() == before


@pytest.mark.parametrize("spoil", [damage, age_ahead, make_foreign])
def test_the_doctor_says_it_too(filled: str, capsys: Said, spoil: Callable[[str], None]) -> None:
    spoil(filled)
    assert main(["doctor", "--store", filled]) == 1
    said = capsys.readouterr()
    assert filled in said.out
    assert "Traceback" not in said.out + said.err


@pytest.mark.parametrize(
    "place",
    ["{0}/file/archive.db", "{0}", "/proc/nowhere/archive.db", "", "ftp://host/x", "a\x00b"],
)
def test_a_place_where_no_store_can_be(tmp_path: Path, capsys: Said, place: str) -> None:
    (tmp_path / "file").write_text("")
    for command in ("list", "sync", "paths"):
        if command == "paths" and place.startswith(("{", "/")):
            continue  # it says where, it need not be there
        assert main([command, "--store", place.format(tmp_path)]) == 1
        said = capsys.readouterr()
        assert (said.out, said.err.count("\n")) == ("", 1)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_store_another_program_writes_to(
    filled: str, private_home: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "BUSY_MS", 50)
    claude_file(private_home, 2, "paint the boat")
    other = apsw.Connection(filled)
    other.execute("BEGIN IMMEDIATE")
    try:
        for command in READING:
            assert main([*command, "--store", filled]) == 0
            said = capsys.readouterr()
            assert "mend" in said.out
            assert "busy" in said.err
        for command in WRITING:
            assert main([*command, "--store", filled]) == 1
            said = capsys.readouterr()
            assert (said.out, said.err.count("\n")) == ("", 1)
            assert "busy" in said.err
    finally:
        other.execute("ROLLBACK")
        other.close()
    assert main(["list", "--store", filled]) == 0
    assert "paint the boat" in capsys.readouterr().out


def test_a_store_that_can_only_be_read(
    filled: str, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK and access(path, mode))

    @contextmanager
    def refused(store: Path, **_: object) -> Iterator[bool]:
        raise StoreUnwritable(f"the store {store} cannot be written to: Read-only file system")
        yield False

    monkeypatch.setattr("sparrow_tui.sync.lease.lease", refused)
    for command in READING:
        assert main([*command, "--store", filled]) == 0
        said = capsys.readouterr()
        assert "mend" in said.out
        assert "cannot be written to" in said.err
    for command in WRITING:
        assert main([*command, "--store", filled]) == 1
        said = capsys.readouterr()
        assert (said.out, said.err.count("\n")) == ("", 1)
        assert "cannot be written to" in said.err


def test_a_lock_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "open", refuse)
    with (
        pytest.raises(StoreUnwritable, match="Read-only"),
        lease(tmp_path / "archive.db", lambda: True, lambda: None),
    ):
        pass


def test_a_full_disk_leaves_what_was_there(
    filled: str, private_home: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = connection._open

    def crowded(path: Path, readonly: bool) -> apsw.Connection:
        made = opened(path, readonly)
        made.pragma("max_page_count", made.pragma("page_count") + 2)
        return made

    for number in range(2, 30):
        claude_file(private_home, number, f"paint boat {number} " * 400, "painted " * 400)
    monkeypatch.setattr(connection, "_open", crowded)
    assert main(["sync", "--store", filled]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert "no space is left" in said.err
    assert main(["list", "--store", filled]) == 0
    assert "mend the net" in capsys.readouterr().out
    store = open_store(filled)
    try:
        with pytest.raises(StoreFull):
            store.save("demo:1", [*store.turns(f"claude:{native(1)}")] * 3000)
        assert store.load("demo:1") is None
        assert store.connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        store.close()
    monkeypatch.undo()
    monkeypatch.setenv("HOME", str(private_home))
    assert main(["sync", "--store", filled]) == 0
    store = open_store(filled)
    assert store.count() == 29
    store.close()


def test_a_disk_that_fails_is_said_so(private_home: Path, location: str) -> None:
    """A limit on the size of files stands for it."""
    for number in range(30):
        claude_file(private_home, number, f"paint boat {number} " * 900, "painted " * 900)
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000));"
        f"from sparrow_tui.cli import main; sys.exit(main(['sync', '--store', {location!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("sparrow-tui: the disk failed under the store")
    assert done.stderr.count("\n") == 1
    assert main(["sync", "--store", location]) == 0
    store = open_store(location)
    assert store.count() == 30
    assert store.connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    store.close()
