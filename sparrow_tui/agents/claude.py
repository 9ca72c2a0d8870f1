"""Claude Code: where its transcripts are, and the commands and settings around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from sparrow_tui.agents import claude_glance, claude_history, claude_side, lines, plain
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
from sparrow_tui.agents.claude_records import ClaudeSession
from sparrow_tui.agents.claude_restore import write_back
from sparrow_tui.agents.line_session import read_session
from sparrow_tui.agents.side_chains import with_chains
from sparrow_tui.model import SessionInfo, Turn

DEFAULT_RETENTION = 30
"""Days, unless ``cleanupPeriodDays`` says otherwise (Claude Code's settings page)."""


class Claude(Agent):
    """Reads ``~/.claude/projects/<slug>/<session>.jsonl``, its sub-agents and ``history.jsonl``."""

    name = "claude"
    label = "Claude"
    glyph = "✻"
    color = "#d97757"
    restorable = True

    def roots(self, place: Place) -> list[Path]:
        """The projects folder and the prompt history; ``CLAUDE_CONFIG_DIR`` moves both."""
        homes = [place.path("CLAUDE_CONFIG_DIR", place.home / ".claude")]
        if not place.env.get("CLAUDE_CONFIG_DIR"):
            homes.append(place.config_home / "claude")
        found = []
        for home in homes:
            found += [home / "projects", home / "history.jsonl"]
        return found

    def sources(self, place: Place) -> Iterator[Source]:
        """Every transcript, and the prompt history last."""
        for root in self.roots(place):
            if root.name == "history.jsonl":
                source = file_source(self.name, root, "history")
                if source is not None:
                    yield source
                continue
            for entry in walk(root, (".jsonl",), 6):
                source = entry_source(self.name, entry)
                if source is not None:
                    yield source

    def sniff(self, path: Path, head: bytes) -> bool:
        """Lines with Claude Code's own envelope."""
        for line in head.split(b"\n")[:40]:
            record = lines.parse(line) if line.strip() else None
            if not isinstance(record, dict):
                continue
            if "sessionId" in record and ("parentUuid" in record or "uuid" in record):
                # Qwen Code's envelope is the same, its own facts are in another place.
                return "payload" not in record and "systemPayload" not in record
            if record.get("type") == "file-history-snapshot" and "messageId" in record:
                return True
            if record.get("type") == "summary" and "leafUuid" in record:
                return True
        return False

    def source_at(self, path: Path) -> Source | None:
        """A line file; the description beside a sub-agent's belongs to it."""
        if path.name.endswith(".meta.json"):
            path = path.with_name(path.name.removesuffix(".meta.json") + ".jsonl")
        if path.suffix != ".jsonl":
            return None
        return file_source(self.name, path, "history" if path.name == "history.jsonl" else "")

    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Batch]:
        """The records of a transcript, or what is left of deleted ones."""
        if source.kind == "history":
            yield from claude_history.read(source)
            return

        def chains(ident: str, state: dict[str, Any], end: int) -> Iterator[Batch]:
            def make(info: SessionInfo) -> ClaudeSession:
                session = ClaudeSession(source, info.id)
                session.info, session.again = info, True
                return session

            return claude_side.side_chains(source, ident, state, end, make)

        yield from with_chains(read_session(source, since, ClaudeSession.of), since, chains)

    def glance(self, source: Source) -> Batch | None:
        """What was said in a transcript; the prompt history is short."""
        return None if source.kind == "history" else claude_glance.glance(source)

    def resume(self, session: SessionInfo) -> Resume | None:
        """``claude --resume``; a sub-agent is part of its parent."""
        native = (session.parent or session.id).partition(":")[2].partition("/")[0]
        native = native.partition(".")[0]  # without what the name of a copy adds
        return Resume(("claude", "--resume", native), session.project or "")

    def retention_days(self, place: Place) -> int | None:
        """``cleanupPeriodDays`` of the user's settings; local ones go before shared ones."""
        home = place.path("CLAUDE_CONFIG_DIR", place.home / ".claude")
        for name in ("settings.local.json", "settings.json"):
            with suppress(OSError, msgspec.MsgspecError, AttributeError, ValueError):
                days = msgspec.json.decode(plain.read_bytes(home / name)).get("cleanupPeriodDays")
                if isinstance(days, int | float) and days > 0:
                    return int(days)
        return DEFAULT_RETENTION

    def restore(self, session: SessionInfo, turns: Iterable[Turn], place: Place) -> Path:
        """A new transcript in the project's folder, as Claude Code writes them."""
        return self.restore_whole(session, turns, (), place)

    def is_inside(self, session: SessionInfo) -> bool:
        """Older versions wrote a sub-agent's messages among its parent's, as a side chain."""
        return claude_side.root_of(session.id) != ""

    def restore_whole(
        self,
        session: SessionInfo,
        turns: Iterable[Turn],
        inside: Iterable[tuple[SessionInfo, Iterable[Turn]]],
        place: Place,
    ) -> Path:
        """The same, with side chains after what was said."""
        if session.ghost:
            raise SourceError("only its prompts are known; there is no session to write back")
        if self.is_inside(session):
            raise SourceError("this sub-agent is part of its session's file; restore that one")
        return write_back(self.roots(place)[0], session, turns, inside)


AGENT = Claude()
