"""Pipes where files should be: nobody waits for what never comes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from sparrow_tui.agents import plain
from sparrow_tui.agents.sqlite_source import SourceError, opened
from sparrow_tui.cli import main
from sparrow_tui.store import open_store
from tests.on_disk import claude_file, codex_file
from tests.waiting import until

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")


def ends(job: Callable[[], object]) -> None:
    worker = Thread(target=job, daemon=True)
    worker.start()
    until(lambda: not worker.is_alive(), "it ends")


BESIDE = (
    ".claude/projects/-home-ann-harbour/sessions-index.json", ".claude/settings.json",
    ".claude/history.jsonl", ".codex/session_index.jsonl", ".codex/config.toml",
    ".gemini/projects.json", ".local/share/crush/projects.json", ".vibe/config.toml",
    "Downloads/conversations.json", ".local/share/opencode/opencode.db",
)  # fmt: skip


def test_beside_sessions(private_home: Path, location: str) -> None:
    claude_file(private_home, 1, "first", "second")
    codex_file(private_home, 2, "first", "second")
    for name in BESIDE:
        path = private_home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(path)
    ends(lambda: main(["sync", "--store", location]))
    store = open_store(location)
    assert sorted(session.turns for session in store.list()) == [2, 2]
    store.close()


def test_given_by_hand(tmp_path: Path, location: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "given"
    claude_file(folder, 1, "first", "second")
    pipe = folder / "pipe.jsonl"
    os.mkfifo(pipe)
    ends(lambda: main(["sync", "--store", location, str(folder)]))
    assert capsys.readouterr().err == ""
    ends(lambda: main(["sync", "--store", location, str(pipe)]))
    said = f"{pipe}: it cannot be opened: it is not a plain file"
    assert capsys.readouterr().err.splitlines() == [said]


@pytest.mark.parametrize("special", ["/dev/zero", "/"])
def test_what_else_is_no_file(tmp_path: Path, special: str) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(special)
    with pytest.raises(OSError, match=r"plain file|directory"):
        plain.read_bytes(link)
    with pytest.raises(SourceError), opened(link):
        pass
