"""Codex (CLI, desktop, VS Code): where its rollouts are, and the commands around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from sparrow_tui.agents import codex_glance, lines
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
from sparrow_tui.agents.codex_records import CodexSession
from sparrow_tui.agents.codex_restore import write_back
from sparrow_tui.agents.line_session import read_session
from sparrow_tui.model import (
    Coverage,
    SessionInfo,
    Turn,
)

UUID_LENGTH = 36


class Codex(Agent):
    """Reads ``~/.codex/sessions/**/rollout-*.jsonl``, compressed and archived ones too."""

    name = "codex"
    label = "Codex"
    glyph = "◎"
    color = "#7aa2f7"
    restorable = True

    def roots(self, place: Place) -> list[Path]:
        """Sessions, archived sessions and the index of names; ``CODEX_HOME`` moves them."""
        home = place.path("CODEX_HOME", place.home / ".codex")
        return [home / "sessions", home / "archived_sessions", home / "session_index.jsonl"]

    def sources(self, place: Place) -> Iterator[Source]:
        """Every rollout; a compressed one only where there is no plain one. The index last."""
        *folders, index = self.roots(place)
        for folder in folders:
            entries = {entry.path: entry for entry in walk(folder, (".jsonl", ".jsonl.zst"), 6)}
            for path, entry in entries.items():
                if path.endswith(".zst") and path.removesuffix(".zst") in entries:
                    continue
                source = entry_source(self.name, entry)
                if source is not None:
                    yield source
        names = self.source_at(index)
        if names is not None:
            yield names

    def sniff(self, path: Path, head: bytes) -> bool:
        """The envelope, or the header line of old rollouts."""
        if path.name.endswith(".jsonl.zst"):
            try:
                head = lines.beginning(path, 65_536)
            except SourceError:
                return False
        for line in head.split(b"\n")[:3]:
            record = lines.parse(line) if line.strip() else None
            if isinstance(record, dict):
                if record.get("type") == "session_meta" and "payload" in record:
                    return True
                if {"id", "timestamp", "instructions"} <= record.keys():
                    return True
                if {"id", "thread_name"} <= record.keys():
                    return True
        return head.startswith(b'{"timestamp":') and b'"payload":{' in head[:300]

    def source_at(self, path: Path) -> Source | None:
        """A rollout, or the index of names, which is read after the rollouts it names."""
        if path.name == "session_index.jsonl":
            source = file_source(self.name, path, "index")
            return msgspec.structs.replace(source, mtime=0) if source else None
        if path.name.endswith((".jsonl", ".jsonl.zst")) and path.name != "history.jsonl":
            return file_source(self.name, path)
        return None

    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Batch]:
        """The items of a rollout, or the names users gave."""
        if source.kind == "index":
            yield from _names(source)
        else:
            yield from read_session(source, since, CodexSession.of)

    def glance(self, source: Source) -> Batch | None:
        """What was said in a rollout; the index of names is short."""
        return None if source.kind == "index" else codex_glance.glance(source)

    def resume(self, session: SessionInfo) -> Resume | None:
        """``codex resume <id>``."""
        native = session.native_id[:UUID_LENGTH]  # without what the name of a copy adds
        return Resume(("codex", "resume", native), session.project or "")

    def restore(self, session: SessionInfo, turns: Iterable[Turn], place: Place) -> Path:
        """A new rollout in today's form."""
        return write_back(self.roots(place)[0], session, turns)


def _names(source: Source) -> Iterator[Batch]:
    """Titles of threads; the newest entry for an id wins."""
    names: dict[str, str] = {}
    coverage = Coverage()
    for _, record in lines.records(source.path):
        coverage.records += 1
        if record is None or not isinstance(record.get("id"), str):
            coverage.bad += 1
            continue
        coverage.skipped += 1
        names[record["id"]] = str(record.get("thread_name") or "").strip()
    for session, name in names.items():
        if name:
            yield Batch(SessionInfo(id=f"codex:{session}", title=name))


AGENT = Codex()
