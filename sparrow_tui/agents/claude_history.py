"""Claude Code's prompt history: what is left of sessions whose transcripts were deleted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sparrow_tui.agents import lines
from sparrow_tui.agents.base import Batch, Checkpoint, Source
from sparrow_tui.agents.common import as_text, milliseconds
from sparrow_tui.model import Coverage, SessionInfo, Text, Turn


def read(source: Source) -> Iterator[Batch]:
    """Sessions that only have prompts left, each from its beginning.

    Only lines that name their session can be told apart; the others are skipped.
    """
    here = {path.stem for path in Path(source.path).parent.glob("projects/*/*.jsonl")}
    gone: dict[str, list[Turn]] = {}
    projects: dict[str, str] = {}
    coverage = Coverage()
    for _, record in lines.records(source.path):
        coverage.records += 1
        if record is None:
            coverage.bad += 1
            continue
        session, text = record.get("sessionId"), as_text(record.get("display")).strip()
        if not isinstance(session, str) or not session or session in here or not text:
            coverage.skipped += 1
            continue
        coverage.kept += 1
        turn = Turn(role="user", blocks=[Text(text)], time=milliseconds(record.get("timestamp")))
        gone.setdefault(session, []).append(turn)
        projects.setdefault(session, as_text(record.get("project")))
    for session, turns in gone.items():
        info = SessionInfo(
            id=f"claude:{session}", project=projects[session] or None, ghost=True, status="ended"
        )
        yield Batch(info, 0, turns, Coverage(len(turns), len(turns)), fresh=True,
                    checkpoint=Checkpoint())  # fmt: skip
