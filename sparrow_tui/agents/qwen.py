"""Qwen Code: an append-only tree of records per session, with the Gemini API's content parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from sparrow_tui.agents import gemini_log, gemini_restore, lines, qwen_tree
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
        """Sessions and their sub-agents'."""
        for root in self.roots(place):
            for entry in walk(root, (".jsonl", ".json"), 4):
                if _kind(Path(entry.path)):
                    source = entry_source(self.name, entry, _kind(Path(entry.path)))
                    if source is not None:
                        yield source

    def sniff(self, path: Path, head: bytes) -> bool:
        """A record with Claude Code's envelope and Gemini's parts; JSON by its place only."""
        if path.suffix == ".json":
            return ".qwen" in path.parts and bool(_kind(path)) and b'"sessionId"' in head[:4096]
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
        if source.kind == "old":
            yield from _old(Path(source.path))
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
        if session.parent:
            return None
        return Resume(("qwen", "--resume", session.native_id), session.project or "")

    def restore(self, session: SessionInfo, turns: Iterable[Turn], place: Place) -> Path:
        """A new session in today's form."""
        if session.parent:
            raise SourceError("sub-agents' sessions cannot be written back")
        return gemini_restore.write_qwen(self.roots(place)[0], session, turns)


def _kind(path: Path) -> str:
    """``chat``, ``subagent`` or ``old`` by place; empty for anything else."""
    if path.suffix == ".json":
        return "old" if path.parent.name == "chats" else ""
    if "subagents" in path.parts:
        return "subagent"
    return "chat" if path.parent.name == "chats" else ""


def _old(path: Path) -> Iterator[Batch]:
    """A JSON conversation from when Qwen Code still recorded as Gemini CLI does."""
    try:
        document = lines.parse(path.read_bytes())
    except OSError as error:
        raise SourceError(f"it cannot be opened: {error.strerror or error}") from error
    if not isinstance(document, dict):
        raise SourceError("it is not a conversation")
    log = gemini_log.Log()
    log.document(document)
    info = SessionInfo(
        id=f"qwen:{as_text(document.get('sessionId')) or path.stem}",
        title=as_text(document.get("summary")).strip() or None,
        created_at=milliseconds(document.get("startTime")),
        updated_at=milliseconds(document.get("lastUpdated")),
    )

    def turns() -> Iterator[Turn]:
        for record in log.records:
            for turn in gemini_log.turns(record, log.coverage):
                info.model = turn.model or info.model
                yield turn

    yield from cut(info, turns(), log.coverage)


AGENT = Qwen()
