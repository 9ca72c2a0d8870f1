"""GitHub Copilot CLI: a folder per session with its events, and the file forms before that."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from sparrow_tui.agents import copilot_old, lines, plain
from sparrow_tui.agents.base import (
    Agent,
    Batch,
    Checkpoint,
    Place,
    Resume,
    Source,
    file_source,
    walk,
)
from sparrow_tui.agents.by_session import cut
from sparrow_tui.agents.common import as_text, copy_mark
from sparrow_tui.agents.copilot_events import Events
from sparrow_tui.agents.copilot_sides import Sides
from sparrow_tui.model import Coverage, SessionInfo, Turn
from sparrow_tui.scrub import scrubbed

EVENTS = "events.jsonl"
WORKSPACE = "workspace.yaml"
QUIET_SECONDS = 600
"""A run that stopped in the middle of its work this long ago was killed."""
_YAML_LINE = re.compile(r"^(\w+):[ \t]*(.*)$")


class CopilotCli(Agent):
    """Reads ``~/.copilot/session-state/<id>/events.jsonl``.

    `Source.kind` is ``old`` for the JSON documents of ``history-session-state``.
    """

    name = "copilot"
    label = "Copilot CLI"
    glyph = "◈"
    color = "#8957e5"
    no_restore = "it checks a session's events against state that is not kept"

    def roots(self, place: Place) -> list[Path]:
        """``session-state`` and the older ``history-session-state``, in ``COPILOT_HOME``."""
        home = place.path("COPILOT_HOME", place.home / ".copilot")
        return [home / "session-state", home / "history-session-state"]

    def sources(self, place: Place) -> Iterator[Source]:
        """Sessions in folders, then single files not yet moved into one."""
        current, old = self.roots(place)
        for entry in walk(current, (".jsonl",), 1):
            source = self.source_at(Path(entry.path))
            if source is not None:
                yield source
        for entry in walk(old, (".json",), 0):
            source = self.source_at(Path(entry.path))
            if source is not None:
                yield source

    def sniff(self, path: Path, head: bytes) -> bool:
        """Events begin with ``session.start``; the old form names ``chatMessages``."""
        if path.suffix == ".jsonl":
            first = lines.parse(head.split(b"\n", 1)[0])
            kind = as_text(first.get("type")) if isinstance(first, dict) else ""
            return kind.startswith(("session.", "user.message")) and "data" in first
        return path.suffix == ".json" and b'"chatMessages"' in head and b'"sessionId"' in head

    def source_at(self, path: Path) -> Source | None:
        """The events a file belongs to: itself, or those beside a ``workspace.yaml``."""
        if path.name == WORKSPACE:
            path = path.with_name(EVENTS)
        if path.suffix == ".json":
            if ".copilot" in path.parts and path.parent.name != "history-session-state":
                return None
            return file_source(self.name, path, "old")
        if path.suffix != ".jsonl" or "checkpoints" in path.parts:
            return None
        if path.parent.name == "session-state" and path.with_suffix("").is_dir():
            return None  # it lives on in its folder
        source = file_source(self.name, path)
        beside = file_source(self.name, path.with_name(WORKSPACE))
        if source is None or beside is None or path.name != EVENTS:
            return source
        return msgspec.structs.replace(source, stamp=f"{source.stamp}+{beside.stamp}")

    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Batch]:
        """Appended events; facts from ``workspace.yaml`` each time."""
        if source.kind == "old":
            yield from copilot_old.read(Path(source.path))
            return
        path = Path(source.path)
        state = since.state if since is not None and isinstance(since.state, dict) else {}
        if not state or not lines.resumable(source.path, since, source.size):
            since, state = None, {}
        stem = path.parent.name if path.name == EVENTS else path.stem
        info = SessionInfo(id=as_text(state.get("id")) or f"copilot:{stem}")
        events, sides = Events(info, state), Sides(info, state.get("sides"))
        coverage = Coverage()
        end = since.offset if since is not None else 0
        start = number = since.turns if since is not None else 0

        def turns() -> Iterator[Turn]:
            nonlocal end, number
            for at, line in lines.lines(path, end):
                event = lines.parse(line)
                coverage.records += 1
                if not isinstance(event, dict):
                    coverage.bad += 1
                    end = at + len(line)
                    continue
                if event.get("type") == "session.start" and not state:
                    data = event.get("data")
                    session_id = data.get("sessionId") if isinstance(data, dict) else None
                    if session_id:
                        info.id = f"copilot:{session_id}{copy_mark(path)}"
                end = at + len(line)
                side = sides.key_of(event)
                if side:
                    coverage.records -= 1
                    sides.take(side, event, events)
                    continue
                found = events.turns(event, coverage)
                sides.meet(found)
                number += len(found)
                yield from found
            _workspace(path.with_name(WORKSPACE), info)
            info.status = _status(events, source)

        last: Batch | None = None
        for batch in cut(info, turns(), coverage, start=start, fresh=since is None):
            if last is not None:
                yield last
            last = batch
        if last is None:
            last = Batch(info, start)  # nothing but the facts beside may have changed
        for batch in sides.batches():
            yield last
            last = batch
        last.checkpoint = Checkpoint(
            end,
            lines.fingerprint(path, min(lines.HEAD, end)) if end else "",
            number,
            scrubbed({**events.state(), "id": info.id, "sides": sides.state()}),
        )
        yield last

    def resume(self, session: SessionInfo) -> Resume | None:
        """``copilot --resume ID``; a sub-agent is part of its parent."""
        native = session.native_id.partition("/")[0].partition(".")[0]
        return Resume(("copilot", "--resume", native), session.project or "")


def _status(events: Events, source: Source) -> str:
    """What the newest event says about the session's state."""
    if events.last == "session.shutdown":
        return "ended"
    if events.last in ("assistant.turn_end", "abort", "session.task_complete"):
        return "waiting"
    quiet = source.mtime < (time.time() - QUIET_SECONDS) * 1000
    return "unclean" if quiet else "working"


def _workspace(path: Path, info: SessionInfo) -> None:
    """Name, summary, directory and branch from the few top-level lines of ``workspace.yaml``."""
    try:
        text = plain.read_text(path)[:100_000]
    except OSError:
        return
    found: dict[str, str] = {}
    key = ""
    for line in text.splitlines():
        match = _YAML_LINE.match(line)
        if match:
            key, value = match[1], match[2].strip()
            block = value in ("|", "|-", "|+", ">", ">-", ">+")
            found[key] = "" if block else _scalar(value)
        elif key and line.startswith((" ", "\t")):
            found[key] = f"{found[key]} {line.strip()}".strip()
    info.title = found.get("name") or found.get("summary") or info.title
    if found.get("cwd") and not info.project:
        info.project = found["cwd"]
    info.branch = info.branch or found.get("branch") or None


def _scalar(value: str) -> str:
    """A plain or quoted YAML scalar."""
    if len(value) >= 2 and value[0] == value[-1] == '"':
        with suppress(msgspec.DecodeError, UnicodeDecodeError):
            return as_text(msgspec.json.decode(value))
        return value[1:-1]
    if len(value) >= 2 and value[0] == value[-1] == "'":
        return value[1:-1].replace("''", "'")
    return "" if value in ("null", "~", "{}", "[]") else value


AGENT = CopilotCli()
