"""Sparrow, the ancestor: its ``sessions.db`` in every form it ever had, and its recorded runs.

Facts: the ``SessionStore`` of ``sparrow-cli`` 0.1 to 0.9 (``runtime/session.rs``). It keeps the
newest 40 to 60 messages of a session and rewrites them all at every save, with one time for all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sparrow_tui.agents import lines, sqlite_source
from sparrow_tui.agents.base import (
    Agent,
    Batch,
    Checkpoint,
    Place,
    Source,
    SourceError,
    database_source,
    file_source,
    subfolders,
)
from sparrow_tui.agents.by_session import Seen
from sparrow_tui.agents.common import anthropic_blocks, as_text, milliseconds
from sparrow_tui.agents.line_session import count_unknown, read_session
from sparrow_tui.agents.sparrow_runs import RunSession
from sparrow_tui.model import Coverage, Raw, SessionInfo, ToolResult, Turn

REQUIRED = frozenset(("id", "messages_json", "updated_at"))
"""Columns that tell Sparrow's ``sessions`` table from other programs' tables of that name."""

_SURFACE = re.compile(r"(cli|tui):(.+)", re.DOTALL)
_ROLES = {"user": "user", "assistant": "assistant", "system": "system", "tool": "tool"}


class Sparrow(Agent):
    """Reads ``<state>/sparrow/sessions.db``, the profiles' databases and ``transcripts/``."""

    name = "sparrow"
    label = "Sparrow"
    glyph = "◆"
    color = "#f2a93c"
    no_restore = "its sessions are in a database that only it should write to"

    def roots(self, place: Place) -> list[Path]:
        """The state folder (``dirs::state_dir``, else the local data folder)."""
        if place.platform in ("darwin", "win32"):
            return [place.data_home / "sparrow"]
        return [place.path("XDG_STATE_HOME", place.home / ".local" / "state") / "sparrow"]

    def sources(self, place: Place) -> Iterator[Source]:
        """The databases of the default and of every profile, and the runs beside them."""
        for root in self.roots(place):
            for home in (root, *subfolders(root / "profiles")):
                database = database_source(self.name, home / "sessions.db")
                if database is not None:
                    yield database
                for run in subfolders(home / "transcripts"):
                    source = file_source(self.name, run / "events.jsonl", "run")
                    if source is not None:
                        yield source

    def sniff(self, path: Path, head: bytes) -> bool:
        """A database with Sparrow's columns, or a run's events."""
        if sqlite_source.is_sqlite(head):
            try:
                with sqlite_source.opened(path) as connection:
                    return sqlite_source.columns(connection, "sessions") >= REQUIRED
            except SourceError:
                return False
        if path.name != "events.jsonl":
            return False
        record = lines.parse(head.split(b"\n", 1)[0])
        return isinstance(record, dict) and "run" in record and "type" in record

    def source_at(self, path: Path) -> Source | None:
        """A database, or a run for any file in its folder."""
        if path.name in ("inputs.json", "meta.json"):
            path = path.with_name("events.jsonl")
        if path.name == "events.jsonl":
            return file_source(self.name, path, "run")
        if path.suffix == ".db" and path.name not in ("sparrow.db", "sessions_fts.db"):
            return database_source(self.name, path)
        return None

    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Batch]:
        """Sessions saved anew since last time, or a run's events."""
        if source.kind == "run":
            yield from read_session(source, since, RunSession.of)
        else:
            yield from _sessions(source, since)

    no_resume = "Sparrow continues a directory's session by itself; it takes no session id"


def _sessions(source: Source, since: Checkpoint | None) -> Iterator[Batch]:
    """Each session that was saved since, whole: the writer aligns it with what is kept."""
    seen = Seen(since)
    profile = _profile(Path(source.path))
    with sqlite_source.opened(source.path) as connection:
        columns = sqlite_source.columns(connection, "sessions")
        if not columns >= REQUIRED:
            raise SourceError("it is an SQLite database, but not one of Sparrow's")
        marks = sqlite_source.query(
            connection, "SELECT rowid, id, updated_at FROM sessions ORDER BY updated_at, rowid"
        )
        for row_id, native, updated in marks:
            mark = [row_id, updated]
            if native is None or seen.same(str(native), mark):
                continue
            rows = sqlite_source.rows(
                connection, "sessions", ("name", "status", "messages_json", "created_at"),
                "WHERE rowid = ?", (row_id,),
            )  # fmt: skip
            if not rows:
                continue
            seen.note(str(native), mark)
            yield _batch(f"sparrow:{profile}{native}", rows[0], updated, seen)


def _profile(path: Path) -> str:
    """Profiles use the same ids side by side: theirs carry the profile's name."""
    return f"{path.parent.name}@" if path.parent.parent.name == "profiles" else ""


def _batch(session_id: str, row: dict[str, Any], updated: Any, seen: Seen) -> Batch:
    native = session_id.partition(":")[2]
    surface = _SURFACE.fullmatch(native.rpartition("@")[2] if "@" in native else native)
    coverage = Coverage()
    turns = _turns(native, as_text(row["messages_json"]), coverage)
    info = SessionInfo(
        id=session_id,
        title=as_text(row["name"]).strip() or None,
        project=surface[2] if surface else None,
        # Every save resets created_at: only a difference tells something.
        created_at=milliseconds(row["created_at"]) if row["created_at"] != updated else None,
        updated_at=milliseconds(updated),
        status=as_text(row["status"]) or "active",
    )
    return Batch(info, 0, turns, coverage, sliding=True, checkpoint=seen.checkpoint())


def _turns(native: str, text: str, coverage: Coverage) -> list[Turn]:
    """The messages of a session; what cannot be understood is kept raw."""
    messages = lines.parse(text or "[]")
    if not isinstance(messages, list):
        coverage.records += 1
        coverage.bad += 1
        return [Turn(role="system", blocks=[Raw("messages_json", messages or text)], meta=True)]
    turns = []
    for message in messages:
        coverage.records += 1
        if not isinstance(message, dict):
            coverage.bad += 1
            turns.append(Turn(role="system", blocks=[Raw("message", message)], meta=True))
            continue
        coverage.kept += 1
        blocks = anthropic_blocks(message.get("content"))
        for block in blocks:
            if isinstance(block, Raw):
                count_unknown(coverage, block.kind)
        coverage.locate(f"{native}, message {len(turns)}")
        role = _ROLES.get(as_text(message.get("role")), "system")
        if blocks and all(isinstance(block, ToolResult) for block in blocks):
            role = "tool"
        turns.append(Turn(role=role, blocks=blocks, meta=role == "system"))
    return turns


AGENT = Sparrow()
