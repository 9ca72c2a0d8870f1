"""What was said in a Codex rollout, without building what its tools did."""

from __future__ import annotations

from typing import Any

import msgspec

from sparrow_tui.agents import codex_header, lines
from sparrow_tui.agents.base import GLANCE_TURNS, Batch, Source
from sparrow_tui.agents.codex_kinds import injected
from sparrow_tui.agents.codex_records import CodexSession
from sparrow_tui.agents.common import milliseconds
from sparrow_tui.model import Text, Turn

_EVENTS = {"user_message": "user", "agent_message": "assistant"}


class _Part(msgspec.Struct, gc=False):
    text: str | None = None


class _Payload(msgspec.Struct, gc=False):
    type: str = ""
    role: str | None = None
    content: str | list[_Part] | None = None
    message: str | None = None
    cwd: str | None = None
    model: str | None = None


class _Line(msgspec.Struct, gc=False):
    """The few fields that are looked at; the decoder passes over all others."""

    type: str = ""
    timestamp: Any = None
    payload: _Payload | None = None
    role: str | None = None
    content: str | list[_Part] | None = None


_decoder = msgspec.json.Decoder(_Line)


def glance(source: Source) -> Batch | None:
    """Prompts and answers of a rollout.

    Raises:
        SourceError: the file cannot be read.
    """
    session = _Talk.of(source)
    turns: list[Turn] = []
    for number, line in lines.glance(source.path, _decoder):
        body = line.payload
        if body is None:
            if line.type == "message" or (not line.type and line.role):
                session.add(turns, "item", line.role, _text(line.content), line.timestamp)
            elif not line.type:
                session.head(lines.record(source.path, number), line.timestamp)
        elif line.type == "session_meta":
            record = lines.record(source.path, number)
            session.head(record and record.get("payload"), line.timestamp)
        elif line.type == "turn_context":
            session.info.project = session.info.project or body.cwd
            session.info.model = body.model or session.info.model
        elif line.type == "response_item" and (body.type == "message" or not body.type):
            session.add(turns, "item", body.role, _text(body.content), line.timestamp)
        elif line.type == "event_msg" and body.type in _EVENTS:
            role = _EVENTS[body.type]
            session.add(turns, "event", role, body.message or "", line.timestamp)
        if len(turns) >= GLANCE_TURNS:
            break
    return Batch(session.info, turns=turns, fresh=True) if turns else None


class _Talk(CodexSession):
    """A rollout of which only what was said is looked at."""

    def head(self, body: Any, timestamp: Any) -> None:
        """Take a header."""
        if isinstance(body, dict):
            codex_header.take(self.info, self.state, body, self.seen(milliseconds(timestamp)))

    def add(self, turns: list[Turn], way: str, role: str | None, text: str, timestamp: Any) -> None:
        """Add a message, unless it is the double of one, or nobody's."""
        if role not in ("user", "assistant") or not text.strip():
            return
        if role == "user" and injected(text, surely=way == "event"):
            return
        if not self._doubled(role, text, way):
            time = self.seen(milliseconds(timestamp))
            turns.append(Turn(role=role, blocks=[Text(text)], time=time))


def _text(content: str | list[_Part] | None) -> str:
    """What the parts of a message say."""
    if isinstance(content, str):
        return content
    return "\n".join(part.text for part in content or () if part.text and part.text.strip())
