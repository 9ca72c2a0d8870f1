"""ChatGPT's data export: conversations as trees of messages, of which one branch is shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sparrow_tui.agents.base import Agent, Batch, Checkpoint, Place, Source, SourceError
from sparrow_tui.agents.by_session import Seen, cut
from sparrow_tui.agents.chatgpt_content import message_turn
from sparrow_tui.agents.chatgpt_pictures import Pictures
from sparrow_tui.agents.common import as_text, milliseconds
from sparrow_tui.agents.documents import Incomplete, sealed
from sparrow_tui.agents.exports import conversations, downloads, is_export, source_of
from sparrow_tui.agents.line_session import WRONG_SHAPE
from sparrow_tui.model import Coverage, SessionInfo, ToolResult, ToolUse, Turn

_PLACEHOLDERS = {"", "New chat", "New Chat"}


class ChatGpt(Agent):
    """Reads the export's zip or its ``conversations.json``, given by hand or downloaded."""

    name = "chatgpt"
    label = "ChatGPT"
    glyph = "◎"
    color = "#10a37f"
    no_restore = "sessions come from an export, and the website takes none back"
    no_resume = "a conversation of ChatGPT goes on in its own app, which takes no command"

    def roots(self, place: Place) -> list[Path]:
        """The download folder."""
        return [place.home / "Downloads"]

    def sources(self, place: Place) -> Iterator[Source]:
        """Exports there with conversations of this kind."""
        yield from downloads(self.name, place, "mapping")

    def sniff(self, path: Path, head: bytes) -> bool:
        """Conversations with a ``mapping``."""
        return is_export(path, head, "mapping")

    def source_at(self, path: Path) -> Source | None:
        """A zip or a JSON file."""
        return source_of(self.name, path)

    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Batch]:
        """Conversations that are new or changed, one at a time, each whole."""
        seen, pictures = Seen(since), Pictures(source.path)
        found = 0
        try:
            for conversation in conversations(source.path):
                if not isinstance(conversation, dict) or not isinstance(
                    conversation.get("mapping"), dict
                ):
                    continue
                found += 1
                yield from _conversation(conversation, seen, pictures)
        except Incomplete:
            # An export that breaks off still has the conversations before.
            if not found:
                raise
        finally:
            pictures.close()
        if not found:
            raise SourceError("it holds no conversations of ChatGPT")


def _conversation(conversation: dict[str, Any], seen: Seen, pictures: Pictures) -> Iterator[Batch]:
    mapping = conversation["mapping"]
    native = as_text(conversation.get("conversation_id") or conversation.get("id"))
    if not native:
        return
    mark = [as_text(conversation.get("update_time")), len(mapping)]
    mark += [as_text(conversation.get("current_node")), as_text(conversation.get("title"))]
    if seen.same(native, mark):
        return
    title = as_text(conversation.get("title")).strip()
    info = SessionInfo(
        id=f"chatgpt:{native}",
        title=None if title in _PLACEHOLDERS else title,
        model=as_text(conversation.get("default_model_slug")) or None,
        created_at=milliseconds(conversation.get("create_time")),
        updated_at=milliseconds(conversation.get("update_time")),
    )
    for key in ("gizmo_id", "conversation_template_id"):
        if conversation.get(key):
            info.extra[key] = as_text(conversation[key])
    if conversation.get("is_archived") is True:
        info.extra["archived"] = True
    coverage = Coverage()
    current = as_text(conversation.get("current_node"))
    turns = _turns(mapping, current, info, coverage, pictures)
    yield from sealed(cut(info, turns, coverage), seen, native, mark)


def _turns(
    mapping: dict[str, Any],
    current: str,
    info: SessionInfo,
    coverage: Coverage,
    pictures: Pictures,
) -> Iterator[Turn]:
    """Turns in the order of the tree; what does not lead to the current node is a branch."""
    live = _live(mapping, current)
    calls: dict[str, str] = {}
    for key in _order(mapping, live):
        node = mapping[key]
        message = node.get("message") if isinstance(node, dict) else None
        if message is None:
            continue
        coverage.records += 1
        try:
            turn = message_turn(message, coverage)
        except WRONG_SHAPE:
            coverage.bad += 1
            continue
        if turn is None:
            coverage.skipped += 1
            continue
        coverage.kept += 1
        pictures.fill(turn.blocks)
        _pair(turn, key, as_text(node.get("parent")), calls)
        turn.uid = turn.uid or key
        turn.branch = key not in live
        if turn.model and not turn.branch:
            info.model = turn.model
        if turn.time is not None:
            info.created_at = info.created_at or turn.time
            info.updated_at = max(turn.time, info.updated_at or turn.time)
        yield turn


def _pair(turn: Turn, key: str, parent: str, calls: dict[str, str]) -> None:
    """Give a tool's result the id of the call above it: the export does not name it.

    Args:
        turn: of the node.
        key: the node.
        parent: the node above.
        calls: per node, the call that it makes or answers; the node's is added.
    """
    for block in turn.blocks:
        if isinstance(block, ToolUse):
            calls[key] = block.id
        elif isinstance(block, ToolResult) and calls.get(parent):
            block.tool_use_id = calls[key] = calls[parent]


def _live(mapping: dict[str, Any], current: str) -> set[str]:
    """Nodes from the current one up to the root; where it is missing, from the last node."""
    key = current if current in mapping else next(reversed(mapping), "")
    live: set[str] = set()
    while key in mapping and key not in live:
        live.add(key)
        node = mapping[key]
        key = as_text(node.get("parent")) if isinstance(node, dict) else ""
    return live


def _order(mapping: dict[str, Any], live: set[str]) -> list[str]:
    """All nodes, parents first; at a fork the live child comes last, so that it reads on."""
    children: dict[str, list[str]] = {}
    roots: list[str] = []
    for key, node in mapping.items():
        parent = as_text(node.get("parent")) if isinstance(node, dict) else ""
        if parent in mapping and parent != key:
            children.setdefault(parent, []).append(key)
        else:
            roots.append(key)
    order: list[str] = []
    seen: set[str] = set()
    waiting = sorted(roots, key=lambda key: key not in live)
    while waiting:
        key = waiting.pop()
        if key in seen:
            continue
        seen.add(key)
        order.append(key)
        # The last pushed is the next out: dead children first, then the live one.
        below = children.get(key, [])
        below.reverse()
        waiting.extend(sorted(below, key=lambda child: child not in live))
    # Nodes in a ring hang from no root.
    return order + [key for key in mapping if key not in seen]


AGENT = ChatGpt()
