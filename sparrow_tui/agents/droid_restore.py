"""A session written as a new line file of Factory Droid."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sparrow_tui.agents.restoring import anthropic_part, stamp, write_new
from sparrow_tui.model import Notice, SessionInfo, Text, Turn


def write_back(root: Path, session: SessionInfo, turns: Iterable[Turn]) -> Path:
    """Write a session below the folder of all sessions (see `restoring.write_new`)."""
    slug = re.sub(r"[^A-Za-z0-9]", "-", session.project or "")
    return write_new(root / slug / f"{session.native_id}.jsonl", _lines(session, turns))


def _lines(session: SessionInfo, turns: Iterable[Turn]) -> Iterator[dict[str, Any]]:
    yield {
        "type": "session_start", "id": session.native_id, "title": session.title or "New Session",
        "sessionTitle": session.title or "New Session", "cwd": session.project or "", "version": 2,
    }  # fmt: skip
    for turn in turns:
        time = stamp(turn.time or session.updated_at)
        if turn.role == "summary":
            said = "\n".join(block.text for block in turn.blocks if isinstance(block, Text))
            yield {"type": "compaction_state", "timestamp": time, "summaryText": said}
            continue
        blocks = [block for block in turn.blocks if not isinstance(block, Notice)]
        content = [part for block in blocks if (part := anthropic_part(block)) is not None]
        if not content or turn.branch:
            continue
        role = turn.role if turn.role in ("assistant", "system") else "user"
        message = {"role": role, "content": content}
        if turn.model:
            message["model"] = turn.model
        own = turn.uid or str(uuid.uuid4())
        yield {"type": "message", "id": own, "timestamp": time, "message": message}
