"""claude.ai's data export: conversations with their messages, projects and uploaded texts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sparrow_tui.agents.base import Agent, Batch, Checkpoint, Place, Source, SourceError
from sparrow_tui.agents.by_session import Seen, cut
from sparrow_tui.agents.common import anthropic_block, as_text, milliseconds
from sparrow_tui.agents.documents import Incomplete, sealed
from sparrow_tui.agents.exports import conversations, downloads, is_export, source_of
from sparrow_tui.agents.injected import user_turns
from sparrow_tui.agents.line_session import WRONG_SHAPE, count_unknown
from sparrow_tui.model import (
    Block,
    Coverage,
    Image,
    Raw,
    SessionInfo,
    Text,
    ToolResult,
    ToolUse,
    Turn,
)

_UNSUPPORTED = "This block is not supported on your current device yet."
"""What an export writes as the text of a message that used tools."""


class ClaudeAi(Agent):
    """Reads the export's zip or its ``conversations.json``, given by hand or downloaded."""

    name = "claude-ai"
    label = "claude.ai"
    glyph = "✳"
    color = "#d97757"
    no_restore = "sessions come from an export, and the website takes none back"
    no_resume = "a conversation of claude.ai goes on in its own app, which takes no command"

    def roots(self, place: Place) -> list[Path]:
        """The download folder."""
        return [place.home / "Downloads"]

    def sources(self, place: Place) -> Iterator[Source]:
        """Exports there with conversations of this kind."""
        yield from downloads(self.name, place, "chat_messages")

    def sniff(self, path: Path, head: bytes) -> bool:
        """Conversations with ``chat_messages``."""
        return is_export(path, head, "chat_messages")

    def source_at(self, path: Path) -> Source | None:
        """A zip or a JSON file."""
        return source_of(self.name, path)

    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Batch]:
        """Conversations that are new or changed, one at a time, each whole."""
        seen = Seen(since)
        found = 0
        try:
            for conversation in conversations(source.path):
                if isinstance(conversation, dict) and isinstance(
                    conversation.get("chat_messages"), list
                ):
                    found += 1
                    yield from _conversation(conversation, seen)
        except Incomplete:
            # An export that breaks off still has the conversations before.
            if not found:
                raise
        if not found:
            raise SourceError("it holds no conversations of claude.ai")


def _conversation(conversation: dict[str, Any], seen: Seen) -> Iterator[Batch]:
    messages = conversation["chat_messages"]
    native = as_text(conversation.get("uuid"))
    if not native:
        return
    mark = [as_text(conversation.get(key)) for key in ("updated_at", "name")]
    if seen.same(native, [*mark, len(messages)]):
        return
    info = SessionInfo(
        id=f"claude-ai:{native}",
        title=as_text(conversation.get("name")).strip() or None,
        model=as_text(conversation.get("model")) or None,
        created_at=milliseconds(conversation.get("created_at")),
        updated_at=milliseconds(conversation.get("updated_at")),
    )
    project = conversation.get("project")
    if isinstance(project, dict) and project.get("name"):
        info.extra["project"] = as_text(project["name"])
    coverage = Coverage()
    leaf = as_text(conversation.get("current_leaf_message_uuid"))
    turns = _turns(messages, leaf, info, coverage)
    yield from sealed(cut(info, turns, coverage), seen, native, [*mark, len(messages)])


def _turns(messages: list[Any], leaf: str, info: SessionInfo, coverage: Coverage) -> Iterator[Turn]:
    live = _live(messages, leaf)
    for message in messages:
        coverage.records += 1
        try:
            turns = _message(message, coverage)
        except WRONG_SHAPE:
            coverage.bad += 1
            continue
        if not turns:
            coverage.skipped += 1
            continue
        coverage.kept += 1
        for turn in turns:
            turn.branch = live is not None and as_text(message.get("uuid")) not in live
            if turn.time is not None:
                info.created_at = info.created_at or turn.time
                info.updated_at = max(turn.time, info.updated_at or turn.time)
            yield turn


def _live(messages: list[Any], leaf: str) -> set[str] | None:
    """Messages that lead to the last one; ``None`` where the export does not link them."""
    parents = {
        as_text(message.get("uuid")): as_text(message.get("parent_message_uuid"))
        for message in messages
        if isinstance(message, dict) and message.get("uuid")
    }
    if not any(parent in parents for parent in parents.values()):
        return None
    key = leaf if leaf in parents else next(reversed(parents))
    live: set[str] = set()
    while key in parents and key not in live:
        live.add(key)
        key = parents[key]
    return live


def _message(message: dict[str, Any], coverage: Coverage) -> list[Turn]:
    """A message's turns. The model's tool results stand inside its message: they come after."""
    blocks = _blocks(message, coverage)
    time, uid = milliseconds(message.get("created_at")), as_text(message.get("uuid"))
    sender = as_text(message.get("sender"))
    if sender == "human":
        return user_turns([*blocks, *_attached(message)], time=time, uid=uid)
    if sender != "assistant":
        count_unknown(coverage, f"sender {sender}")
        return [
            Turn(role="system", blocks=[Raw(f"sender {sender}", message)], time=time, meta=True)
        ]
    turns: list[Turn] = []
    for block in [*blocks, *_attached(message)]:
        role = "tool" if isinstance(block, ToolResult) else "assistant"
        if not turns or turns[-1].role != role:
            turns.append(Turn(role=role, blocks=[], time=time))
        turns[-1].blocks.append(block)
    if turns:
        turns[0].uid, turns[0].duration_ms = uid, _duration(message.get("content"))
    return turns


def _duration(content: Any) -> int | None:
    """How long an answer took to write, where its blocks tell when they began and ended."""
    parts = content if isinstance(content, list) else []
    blocks = [part for part in parts if isinstance(part, dict)]
    begun = [milliseconds(part.get("start_timestamp")) for part in blocks]
    ended = [milliseconds(part.get("stop_timestamp")) for part in blocks]
    first = min((moment for moment in begun if moment), default=0)
    last = max((moment for moment in ended if moment), default=0)
    return last - first if 0 < first < last else None


def _blocks(message: dict[str, Any], coverage: Coverage) -> list[Block]:
    content = message.get("content")
    blocks: list[Block] = []
    calls: list[str] = []
    for number, part in enumerate(content if isinstance(content, list) else []):
        block = anthropic_block(part) if isinstance(part, dict) else Raw("part", part)
        if isinstance(block, ToolUse):
            # Older exports leave out the ids: a call and the result after it get one of ours.
            block.id = block.id or f"{as_text(message.get('uuid'))}:{number}"
            calls.append(block.id)
        elif isinstance(block, ToolResult) and not block.tool_use_id and calls:
            block.tool_use_id = calls.pop(0)
        elif isinstance(block, ToolResult) and block.tool_use_id in calls:
            calls.remove(block.tool_use_id)
        elif isinstance(block, Raw):
            if block.kind in ("token_budget", "flag"):
                continue
            count_unknown(coverage, f"block {block.kind}")
        if block is not None:
            blocks.append(block)
    text = as_text(message.get("text"))
    if not blocks and text.strip() and _UNSUPPORTED not in text:
        blocks.append(Text(text))
    return blocks


def _attached(message: dict[str, Any]) -> Iterator[Block]:
    """Texts that were uploaded, and names of other files."""
    attachments = message.get("attachments")
    for attachment in attachments if isinstance(attachments, list) else []:
        if isinstance(attachment, dict):
            name = as_text(attachment.get("file_name"))
            text = as_text(attachment.get("extracted_content"))
            if text.strip():
                yield Text(f"[{name}]\n{text}" if name else text)
            elif name:
                yield Image(media_type=as_text(attachment.get("file_type")) or "file", url=name)
    # Newer exports list the files under both names.
    files = message.get("files") or message.get("files_v2")
    for file in files if isinstance(files, list) else []:
        if isinstance(file, dict) and file.get("file_name"):
            kind = as_text(file.get("file_kind")) or "file"
            yield Image(media_type=kind, url=as_text(file["file_name"]))


AGENT = ClaudeAi()
