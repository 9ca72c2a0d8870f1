"""What the user decided about sessions survives whatever happens to their sources."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sparrow_tui import query
from sparrow_tui.agents.base import Place
from sparrow_tui.store.sqlite import SqliteStore
from sparrow_tui.sync.importing import import_all
from tests.on_disk import ClaudeFile, claude_file


def sync(store: SqliteStore, home: Path) -> None:
    import_all(store, Place(home), lambda _: None, workers=1)


def append(file: ClaudeFile) -> None:
    file.append("more", "and more")


def rewrite(file: ClaudeFile) -> None:
    file.turns = 0
    file.path.unlink()
    file.append("other words", "other answer")


def shorten(file: ClaudeFile) -> None:
    file.path.write_bytes(b"".join(file.path.read_bytes().splitlines(keepends=True)[:1]))


def remove(file: ClaudeFile) -> None:
    file.path.unlink()


def rename(file: ClaudeFile) -> None:
    with open(file.path, "a") as handle:
        handle.write('{"type": "custom-title", "customTitle": "Nets", "sessionId": "x"}\n')


@pytest.mark.parametrize("change", [append, rewrite, shorten, remove, rename])
def test_names_pins_tags_and_hiding_survive(
    store: SqliteStore, private_home: Path, change: Callable[[ClaudeFile], None]
) -> None:
    file = claude_file(private_home, 1, "mend the net", "mended")
    hidden = claude_file(private_home, 2, "paint the boat", "painted")
    sync(store, private_home)
    with store.transaction():
        store.organiser.rename(file.id, "Zebra crossing")
        store.organiser.pin(file.id, True)
        store.organiser.tag(file.id, ["sea", " work ", "sea", ""])
        store.organiser.hide(hidden.id, True)
    for each in (file, hidden):
        change(each)
    sync(store, private_home)
    sync(store, private_home)
    (session,) = store.list()
    assert (session.id, session.name, session.title) == (
        file.id,
        "Zebra crossing",
        "Zebra crossing",
    )
    assert (session.pinned, session.tags, session.hidden) == (True, ("sea", "work"), False)
    away = store.load(hidden.id)
    assert away is not None
    assert away.hidden
    *_, found = store.searcher.stages(query.parse("zebra"))
    assert session.sid in found.sids
    with store.transaction():
        store.organiser.rename(file.id, "  ")
        store.organiser.pin(file.id, False)
        store.organiser.tag(file.id, [])
        store.organiser.hide(hidden.id, False)
    plain = store.load(file.id)
    assert plain is not None
    assert (plain.name, plain.pinned, plain.tags) == (None, False, ())
    assert plain.title != "Zebra crossing"
    assert store.count() == 2


def test_many_at_once_are_one_change(store: SqliteStore, private_home: Path) -> None:
    files = [claude_file(private_home, number, f"session {number}") for number in range(40)]
    sync(store, private_home)

    def give_up_half_way() -> None:
        with store.transaction():
            for file in files[:20]:
                store.organiser.delete(file.id)
            raise KeyError

    with pytest.raises(KeyError):
        give_up_half_way()
    assert store.count() == 40, "all or nothing"
    with store.transaction():
        for file in files[:20]:
            store.organiser.delete(file.id)
            store.organiser.tag(file.id, ["nobody"])
        for file in files[20:]:
            store.organiser.tag(file.id, ["kept"])
    for file in files:
        append(file)
    sync(store, private_home)
    assert {session.id for session in store.list()} == {file.id for file in files[20:]}
    assert {session.tags for session in store.list()} == {("kept",)}
    assert store.search('"session 3"').hits == []
