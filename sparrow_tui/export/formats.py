"""The formats a session can be written in, and the one way to do it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from sparrow_tui.export.files import write_atomically
from sparrow_tui.export.source import Excerpt, excerpt
from sparrow_tui.store.base import Session
from sparrow_tui.store.sqlite import SqliteStore

FORMATS = {"md": "markdown", "html": "html", "json": "json", "patch": "patch"}
"""Names of the formats, which are their files' endings too, and the modules that write them."""


def pieces(selected: Excerpt, form: str, *, redact: bool = False) -> Iterator[str]:
    """A session's text in a format, a turn at a time.

    Args:
        selected: what to write; its ``notes`` are complete once the text is read to its end.
        form: one of `FORMATS`.
        redact: put a marker in the place of every secret that is found.
    """
    writer = import_module(f"sparrow_tui.export.{FORMATS[form]}")
    if redact:
        # Loading the detectors takes a while.
        from sparrow_tui.export.redact import redacted

        selected = redacted(selected)
    yield from writer.pieces(selected)


def write(
    store: SqliteStore,
    session: Session,
    form: str,
    path: Path,
    *,
    start: int = 0,
    end: int | None = None,
    redact: bool = False,
    force: bool = False,
) -> list[str]:
    """Write a session, or turns ``start`` .. ``end`` of it, to a file of mode 0600.

    Args:
        store: where it is; used from this thread until it is written.
        session: as the store gave it.
        form: one of `FORMATS`.
        path: the file; it appears once it is complete.
        start: ``turn_index`` of the first turn.
        end: one more than that of the last.
        redact: put a marker in the place of every secret that is found.
        force: replace a file that is there.

    Returns:
        Sentences for the user.

    Raises:
        sparrow_tui.export.files.Refused: the file is there already or cannot be written.
        StoreError: the store cannot be read.
    """
    selected = excerpt(store, session, start, end)
    write_atomically(path, pieces(selected, form, redact=redact), force=force)
    return selected.notes


def file_name(session: Session, form: str) -> str:
    """A good name for a session's file: its title's words and the beginning of its id."""
    words = re.findall(r"\w+", session.title.lower())
    native = re.sub(r"[^\w-]", "", session.id.partition(":")[2])[:8]
    name = "-".join([*words[:8], native])[:80].strip("-_")
    return f"{name or 'session'}.{form}"
