"""What was said in a Claude Code transcript, without building what its tools did."""

from __future__ import annotations

from typing import Any

import msgspec

from sparrow_tui.agents import claude_titles, lines
from sparrow_tui.agents.base import GLANCE_TURNS, Batch, Source
from sparrow_tui.agents.claude_records import ClaudeSession
from sparrow_tui.agents.claude_tree import INJECTED
from sparrow_tui.agents.common import milliseconds
from sparrow_tui.agents.injected import split_injected
from sparrow_tui.model import Text, Turn

_NOT_SAID = (*INJECTED, "[Request interrupted")


class _Part(msgspec.Struct, gc=False):
    type: str = ""
    text: str | None = None


class _Message(msgspec.Struct, gc=False):
    model: str | None = None
    content: str | list[_Part] = ""


class _Record(msgspec.Struct, rename="camel", gc=False):
    """The few fields that are looked at; the decoder passes over all others."""

    type: str = ""
    timestamp: Any = None
    uuid: str | None = None
    cwd: str | None = None
    git_branch: str | None = None
    is_sidechain: bool | None = False
    is_meta: bool | None = False
    is_compact_summary: bool | None = False
    is_api_error_message: bool | None = False
    message: _Message | None = None
    custom_title: str | None = None
    ai_title: str | None = None
    summary: str | None = None
    leaf_uuid: str | None = None


_decoder = msgspec.json.Decoder(_Record)


def glance(source: Source) -> Batch | None:
    """Prompts and answers of a transcript's own session.

    Raises:
        SourceError: the file cannot be read.
    """
    session = ClaudeSession.of(source)
    session.begin()
    child = bool(session.info.parent)
    turns: list[Turn] = []
    for _, record in lines.glance(source.path, _decoder):
        if record.type in ("user", "assistant"):
            if child or not record.is_sidechain:
                _take(session, record, turns)
        elif record.type in ("custom-title", "ai-title", "summary"):
            named = {
                "customTitle": record.custom_title, "aiTitle": record.ai_title,
                "summary": record.summary, "leafUuid": record.leaf_uuid,
            }  # fmt: skip
            claude_titles.note(session.state, record.type, named)
        if len(turns) >= GLANCE_TURNS:
            break
    session.info.title = claude_titles.title(session.state, source.path, child=child)
    return Batch(session.info, turns=turns, fresh=True) if turns else None


def _take(session: ClaudeSession, record: _Record, turns: list[Turn]) -> None:
    """Add what a message says, if it says anything."""
    info = session.info
    if record.uuid is not None:
        claude_titles.met(session.state, record.uuid)
    if not info.project:
        info.project = record.cwd
    if record.git_branch and record.git_branch != "HEAD":
        info.branch = record.git_branch
    message = record.message
    if message is None:
        return
    if isinstance(message.content, str):
        texts = [message.content]
    else:
        texts = [part.text for part in message.content if part.type == "text" and part.text]
        if not texts:
            return
    said = [Text(text) for text in texts if text and not text.isspace()]
    if not said:
        return
    time = session.seen(milliseconds(record.timestamp))
    if record.type == "assistant":
        if message.model != "<synthetic>" and not record.is_api_error_message:
            info.model = message.model or info.model
            turns.append(Turn(role="assistant", blocks=[*said], time=time))
        return
    claude_titles.mail(session.state, said[0].text)
    if record.is_meta or record.is_compact_summary or said[0].text.lstrip().startswith(_NOT_SAID):
        return
    if claude_titles.COMMAND.fullmatch(said[0].text):
        claude_titles.command(session.state, said[0].text)
        return
    _, typed = split_injected(said)
    if typed:
        claude_titles.prompt(session.state)
        turns.append(Turn(role="user", blocks=typed, time=time))
