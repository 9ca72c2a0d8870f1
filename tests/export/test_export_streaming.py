"""Exports hold a few turns at a time, whatever the session's size; files appear whole."""

from __future__ import annotations

import os
import stat
import tracemalloc
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
from excerpts import excerpt_of

from sparrow_tui.export import formats
from sparrow_tui.export.files import Refused, write_atomically
from sparrow_tui.export.source import excerpt
from sparrow_tui.model import Text, ToolResult, ToolUse, Turn
from sparrow_tui.store.sqlite import SqliteStore


class Watched(Turn, kw_only=True, weakref=True):
    """A turn whose end is noticed."""


class Source:
    """Makes turns on the fly and knows how many are held at once."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.alive = 0
        self.most = 0

    def __call__(self) -> Iterator[Turn]:
        for index in range(self.number):
            yield self.make(index)

    def make(self, index: int) -> Turn:
        name = f"/p/file{index % 7}.py"
        blocks = [
            Text(f"Turn {index}: " + "some *words* and `code`. " * 20),
            ToolUse(f"c{index}", "Write", {"file_path": name, "content": f"a = {index}\n" * 30}),
            ToolUse(f"d{index}", "Bash", {"command": "ls"}),
            ToolResult(f"c{index}", [Text(f"File created {index}\n" * 20)]),
        ]
        turn = Watched(role="assistant", blocks=blocks)
        self.alive += 1
        self.most = max(self.most, self.alive)
        weakref.finalize(turn, self.gone)
        return turn

    def gone(self) -> None:
        self.alive -= 1


@pytest.mark.parametrize("redact", [False, True], ids=["plain", "redacted"])
@pytest.mark.parametrize("form", list(formats.FORMATS))
def test_few_turns_are_held_at_once(form: str, redact: bool) -> None:
    source = Source(300)
    size = sum(map(len, formats.pieces(excerpt_of(source, project="/p"), form, redact=redact)))
    assert size > 100_000
    assert source.most <= 4


@pytest.mark.parametrize("form", list(formats.FORMATS))
def test_memory_does_not_grow_with_the_session(form: str) -> None:
    def peak(number: int) -> int:
        tracemalloc.start()
        for _ in formats.pieces(excerpt_of(Source(number), project="/p"), form):
            pass
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(100)  # what is loaded once
    assert peak(600) < 1.5 * peak(150) + 300_000


def test_a_range_of_a_stored_session(store: SqliteStore) -> None:
    store.save(
        "demo:1",
        [Turn(role="user", blocks=[Text("begin")])]
        + [Turn(role="user", blocks=[Text(f"number {n}!")]) for n in range(1, 200)],
    )
    session = store.load("demo:1")
    assert session is not None
    text = "".join(formats.pieces(excerpt(store, session, 90, 100), "md"))
    assert [n for n in range(200) if f"number {n}!" in text] == list(range(90, 100))
    assert "91 to 100 of 200" in text
    assert "turn 91" in text  # as the app counts them


def test_files_are_private_whole_and_never_overwritten_unasked(tmp_path: Path) -> None:
    path = tmp_path / "x.md"
    assert write_atomically(path, ["één\r\n", "two"]) == 10
    assert path.read_bytes() == "één\r\ntwo".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(Refused, match="there already"):
        write_atomically(path, ["new"])
    assert path.read_text().startswith("één")
    write_atomically(path, ["new"], force=True)
    assert path.read_text() == "new"

    def broken() -> Iterator[str]:
        yield "half"
        raise RuntimeError("source broke")

    for other in (path, tmp_path / "y.md"):
        with pytest.raises(RuntimeError):
            write_atomically(other, broken(), force=True)
    assert os.listdir(tmp_path) == ["x.md"]
    assert path.read_text() == "new"


def test_a_file_that_comes_up_meanwhile_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "x.md"

    def slow() -> Iterator[str]:
        yield "ours"
        path.write_text("theirs")

    with pytest.raises(Refused, match="there already"):
        write_atomically(path, slow())
    assert path.read_text() == "theirs"
    assert os.listdir(tmp_path) == ["x.md"]


def test_where_no_file_can_be(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="is a directory"):
        write_atomically(tmp_path, ["x"])
    with pytest.raises(Refused, match="cannot be written"):
        write_atomically(tmp_path / "no" / "x.md", ["x"])


def test_names_of_files() -> None:
    session = excerpt_of([], id="claude:7d1c2f0a-51f4", title="Fix: ../../the /bug\x1b[2J!").session
    assert formats.file_name(session, "md") == "fix-the-bug-2j-7d1c2f0a.md"
    assert formats.file_name(excerpt_of([], id=":").session, "html") == "session.html"
