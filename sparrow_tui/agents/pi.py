"""Pi (pi-mono's coding agent) and its fork oh-my-pi: a line file per session, a tree of entries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from sparrow_tui.agents import lines, pi_restore
from sparrow_tui.agents.base import (
    Agent,
    Batch,
    Checkpoint,
    Place,
    Resume,
    Source,
    SourceError,
    entry_source,
    file_source,
    walk,
)
from sparrow_tui.agents.common import (
    as_text,
)
from sparrow_tui.agents.line_session import (
    read_session,
)
from sparrow_tui.agents.pi_session import PiSession
from sparrow_tui.agents.projects import json_file
from sparrow_tui.model import (
    SessionInfo,
    Turn,
)


class Pi(Agent):
    """Reads ``~/.pi/agent/sessions/--<folder>--/<time>_<id>.jsonl`` (and oh-my-pi's ``~/.omp``)."""

    name = "pi"
    label = "Pi"
    glyph = "π"
    color = "#d0a8ff"
    restorable = True

    def roots(self, place: Place) -> list[Path]:
        """Session folders of both programs; both may be moved by environment or settings."""
        agent = place.path("PI_CODING_AGENT_DIR", place.home / ".pi" / "agent")
        found = [place.path("PI_CODING_AGENT_SESSION_DIR", agent / "sessions")]
        settings = json_file(agent / "settings.json")
        named = settings.get("sessionDir") if isinstance(settings, dict) else None
        if isinstance(named, str) and named:
            folder = Path(named.replace("~", str(place.home), 1) if named[0] == "~" else named)
            if folder.is_absolute():
                found.append(folder)
        found.append(place.home / ".omp" / "agent" / "sessions")
        return list(dict.fromkeys(found))

    def sources(self, place: Place) -> Iterator[Source]:
        """Every line file below the roots."""
        for root in self.roots(place):
            for entry in walk(root, (".jsonl",), 4):
                source = entry_source(self.name, entry, _kind(entry.path))
                if source is not None:
                    yield source

    def sniff(self, path: Path, head: bytes) -> bool:
        """The first line is Pi's session header, or oh-my-pi's title before it."""
        for line in head.split(b"\n")[:2]:
            record = lines.parse(line) if line.strip() else None
            if not isinstance(record, dict):
                return False
            if record.get("type") == "session":
                return "id" in record and "cwd" in record
            if record.get("type") != "title":
                return False
        return False

    def source_at(self, path: Path) -> Source | None:
        """The file itself, if it is a line file."""
        if path.suffix != ".jsonl":
            return None
        return file_source(self.name, path, _kind(str(path)))

    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Batch]:
        """One session, one entry a line; a new branch has the file read from its start."""
        yield from read_session(source, since, PiSession)

    def resume(self, session: SessionInfo) -> Resume | None:
        """``pi --session ID`` where the session began; a sub-agent's cannot be opened."""
        if session.parent:
            return None
        program = as_text(session.extra.get("program")) or "pi"
        option = "--resume" if program == "omp" else "--session"
        native = session.native_id.partition(".")[0]
        return Resume((program, option, native), session.project or "")

    def restore(self, session: SessionInfo, turns: Iterable[Turn], place: Place) -> Path:
        """A new line file in today's form; not for oh-my-pi's, whose form has gone its own way."""
        if session.parent or session.extra.get("program") == "omp":
            raise SourceError("sessions of oh-my-pi and of sub-agents cannot be written back")
        return pi_restore.write_back(self.roots(place)[0], session, turns)


def _kind(path: str) -> str:
    return "omp" if "/.omp/" in path.replace("\\", "/") else ""


AGENT = Pi()
