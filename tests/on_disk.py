"""Agents' files as their agents write them, invented, for tests of sync and of the commands."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

START = 1_764_576_000
"""Seconds: 2025-12-01T08:00:00Z, when the invented sessions begin."""


def native(number: int) -> str:
    """The agent's own id of the session with that number."""
    return f"{number:08d}-1111-4222-8333-444455556666"


@dataclass
class ClaudeFile:
    """A transcript that can be appended to line by line, as Claude Code does."""

    path: Path
    number: int
    turns: int = 0
    started: int = START
    cwd: str = "/home/ann/harbour"
    lines: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The session's id in our store."""
        return f"claude:{native(self.number)}"

    def line(self, text: str, role: str = "", **more: Any) -> str:
        """The next record, not yet written."""
        role = role or ("user" if self.turns % 2 == 0 else "assistant")
        moment = datetime.fromtimestamp(self.started + self.turns, UTC)
        message: dict[str, Any] = {"role": role, "content": text}
        if role == "assistant":
            message |= {
                "id": f"msg_{self.number}_{self.turns}",
                "type": "message",
                "model": "claude-sonnet-4-5",
                "content": [{"type": "text", "text": text}],
                "stop_reason": "end_turn",
                "usage": {"input_tokens": 10, "output_tokens": 5},
            }
        record = {
            "parentUuid": None if not self.turns else f"u-{self.number}-{self.turns - 1}",
            "isSidechain": False,
            "userType": "external",
            "cwd": self.cwd,
            "sessionId": native(self.number),
            "version": "2.0.1",
            "gitBranch": "main",
            "type": role,
            "message": message,
            "uuid": f"u-{self.number}-{self.turns}",
            "timestamp": moment.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            **more,
        }
        self.turns += 1
        return json.dumps(record, ensure_ascii=False) + "\n"

    def append(self, *texts: str) -> int:
        """Write records at the end of the file; bytes written."""
        data = "".join(self.line(text) for text in texts).encode()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "ab") as file:
            file.write(data)
        return len(data)

    def touch(self, seconds: int) -> None:
        """Give the file a time of its own, since the clock's steps may be coarse."""
        os.utime(self.path, (seconds, seconds))


def claude_file(
    home: Path, number: int, *texts: str, project: str = "-home-ann-harbour"
) -> ClaudeFile:
    """A transcript in a home's Claude folder."""
    path = home / ".claude" / "projects" / project / f"{native(number)}.jsonl"
    made = ClaudeFile(path, number, started=START + number * 3600)
    if texts:
        made.append(*texts)
    return made


def codex_file(home: Path, number: int, *texts: str) -> Path:
    """A rollout in a home's Codex folder."""
    folder = home / ".codex" / "sessions" / "2025" / "12" / "01"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"rollout-2025-12-01T08-00-00-{native(number)}.jsonl"
    stamp = "2025-12-01T08:00:00.000Z"
    meta = {
        "id": native(number),
        "timestamp": stamp,
        "cwd": "/home/ann/harbour",
        "originator": "codex_cli_rs",
        "cli_version": "0.60.0",
    }
    records: list[dict[str, Any]] = [{"timestamp": stamp, "type": "session_meta", "payload": meta}]
    for place, text in enumerate(texts):
        user = place % 2 == 0
        kind = "input_text" if user else "output_text"
        item = {
            "type": "message",
            "role": "user" if user else "assistant",
            "content": [{"type": kind, "text": text}],
        }
        records.append({"timestamp": stamp, "type": "response_item", "payload": item})
        if user:
            event = {"type": "user_message", "message": text}
            records.append({"timestamp": stamp, "type": "event_msg", "payload": event})
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path
