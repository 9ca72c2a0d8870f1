"""Qwen Code: an append-only tree of records per session, with the Gemini API's content parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from sparrow_tui.agents import gemini_log, gemini_restore, gemini_traces, qwen_tree
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
from sparrow_tui.agents.by_session import cut
from sparrow_tui.agents.common import as_text, milliseconds
from sparrow_tui.agents.documents import load
from sparrow_tui.agents.gemini_files import identity, project
from sparrow_tui.agents.qwen_session import Reading
from sparrow_tui.model import SessionInfo, Turn


class Qwen(Agent):
    """Reads ``~/.qwen/projects/<slug>/chats/*.jsonl``; ``~/.qwen/tmp`` of the earlier fork."""

    name = "qwen"
    label = "Qwen Code"
    glyph = "◇"
    color = "#6f5bf5"
    restorable = True

    def roots(self, place: Place) -> list[Path]:
        """``projects`` and ``tmp`` in ``QWEN_RUNTIME_DIR``, ``QWEN_HOME`` or ``~/.qwen``."""
        home = place.path("QWEN_HOME", place.home / ".qwen")
        base = place.path("QWEN_RUNTIME_DIR", home)
        return [base / "projects", base / "tmp"]

    def sources(self, place: Place) -> Iterator[Source]:
        """Sessions and their sub-agents'; prompts and saved checkpoints where none is recorded."""
        for root in self.roots(place):
            for entry in walk(root, (".jsonl", ".json"), 4):
                path = Path(entry.path)
                kind = _kind(path)
                if kind == "checkpoint" and any(walk(path.parent / "chats", (".json",), 0)):
                    continue
                if kind:
                    source = entry_source(self.name, entry, kind)
                    if source is not None:
                        yield source

    def sniff(self, path: Path, head: bytes) -> bool:
        """A record with Claude Code's envelope and Gemini's parts; JSON by its place only."""
        if path.suffix == ".json":
            kind = _kind(path) if ".qwen" in path.parts else ""
            return kind == "checkpoint" or (bool(kind) and b'"sessionId"' in head[:4096])
        for line in head.split(b"\n")[:20]:
            for value in qwen_tree.objects(line):
                message = value.get("message")
                if "uuid" in value and "sessionId" in value and "systemPayload" in value:
                    return True
                if "uuid" in value and "sessionId" in value and isinstance(message, dict):
                    return isinstance(message.get("parts"), list)
        return False

    def source_at(self, path: Path) -> Source | None:
        """A session's file; inside ``.qwen`` only where sessions are."""
        if path.suffix not in (".jsonl", ".json"):
            return None
        kind = _kind(path)
        if not kind and ".qwen" in path.parts:
            return None
        return file_source(self.name, path, kind or ("old" if path.suffix == ".json" else "chat"))

    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Batch]:
        """Appended lines only; a fork of the tree, or an old JSON file, is read whole."""
        path = Path(source.path)
        if source.kind == "old":
            yield from _old(path)
            return
        if source.kind == "logs":
            recorded = walk(path.parents[2] / "projects", (".jsonl",), 2)
            yield from gemini_traces.prompts(self.name, path, (file.name for file in recorded))
            return
        if source.kind == "checkpoint":
            yield from gemini_traces.checkpoint(self.name, path)
            return
        reading = Reading(source, since)
        if reading.going_on:
            news, linear = reading.ahead()
            if not news:
                return
            if not linear:
                reading = Reading(source, None)
        yield from reading.batches()

    def resume(self, session: SessionInfo) -> Resume | None:
        """``qwen --resume ID`` in the project; a sub-agent cannot be opened."""
        if session.parent or session.ghost or session.native_id.startswith("checkpoint-"):
            return None
        native = session.native_id.partition(".")[0]
        return Resume(("qwen", "--resume", native), session.project or "")

    def restore(self, session: SessionInfo, turns: Iterable[Turn], place: Place) -> Path:
        """A new session in today's form."""
        if session.parent or session.ghost or session.native_id.startswith("checkpoint-"):
            raise SourceError("sub-agents' sessions and saved checkpoints cannot be written back")
        return gemini_restore.write_qwen(self.roots(place)[0], session, turns)


def _kind(path: Path) -> str:
    """What a file is by its place; empty for nothing of ours.

    ``chat`` and ``subagent``; of the earlier fork ``old`` (a session), ``logs`` (prompts) and
    ``checkpoint``.
    """
    if path.suffix == ".json":
        if path.parent.name == "chats":
            return "old"
        if path.name == "logs.json":
            return "logs"
        return "checkpoint" if path.name.startswith("checkpoint-") else ""
    if "subagents" in path.parts:
        return "subagent"
    return "chat" if path.parent.name == "chats" else ""


def _old(path: Path) -> Iterator[Batch]:
    """A JSON conversation from when Qwen Code still recorded as Gemini CLI does."""
    document, _ = load(path)
    if not isinstance(document, dict):
        raise SourceError("it is not a conversation")
    log = gemini_log.Log()
    log.document(document)
    session_id, parent = identity("qwen", path, log.header)
    info = SessionInfo(
        id=session_id,
        parent=parent,
        project=project(path, log.header),
        title=as_text(document.get("summary")).strip() or None,
        created_at=milliseconds(document.get("startTime")),
        updated_at=milliseconds(document.get("lastUpdated")),
    )
    yield from cut(info, gemini_log.all_turns(log, info), log.coverage)


AGENT = Qwen()
