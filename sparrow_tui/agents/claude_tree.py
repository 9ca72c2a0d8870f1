"""Claude Code's tree of records: which prompts were taken back by going back and asking anew."""

from __future__ import annotations

from typing import Any

from sparrow_tui.agents import lines
from sparrow_tui.agents.common import anthropic_blocks
from sparrow_tui.model import Block, Text

INJECTED = (
    "<local-command-", "<system-reminder>", "<task-notification>", "<teammate-message", "Caveat:",
    "<bash-",
)  # fmt: skip
"""How texts begin that stand in a user's record without being typed."""
PROMPTS = 2_000
"""Prompts whose place in the tree is remembered."""


def is_prompt(blocks: list[Block]) -> bool:
    """Whether a user's record says something of the person's own."""
    text = next((block.text for block in blocks if isinstance(block, Text)), "").lstrip()
    return bool(text) and not text.startswith((*INJECTED, "[Request interrupted", "<command-"))


def place(state: dict[str, Any], record: dict[str, Any]) -> bool:
    """Note where a prompt stands; ``state["branch"]`` says then whether what follows is dead.

    Prompts with one parent are a fork, of which the last in the file is the live one. A fork
    lies on a dead branch if its first prompt did.

    Args:
        state: of the session; ``dead`` lists the prompts known to be taken back.
        record: a prompt's.

    Returns:
        True if this prompt takes back one that was given as live.
    """
    parent, own = record.get("parentUuid"), record.get("uuid")
    dead = state.get("dead") or []
    if not isinstance(parent, str) or not isinstance(own, str):
        state["branch"] = own in dead
        return False
    asked: dict[str, list[Any]] = state.setdefault("asked", {})
    sibling, inside = asked.pop(parent, (own, bool(state.get("branch"))))
    state["branch"] = inside or own in dead
    asked[parent] = [own, inside]
    if len(asked) > PROMPTS:
        del asked[next(iter(asked))]
    return sibling != own and sibling not in dead and own not in dead


def dead_prompts(path: str) -> list[str]:
    """Ids of prompts that were taken back: another prompt with the same parent follows."""
    last: dict[str, str] = {}
    dead: list[str] = []
    for _, record in lines.records(path):
        if record is None or record.get("type") != "user" or record.get("isMeta"):
            continue
        message = record.get("message")
        content = message.get("content") if isinstance(message, dict) else None
        if isinstance(content, list) and any(
            isinstance(part, dict) and part.get("type") == "tool_result" for part in content
        ):
            continue
        if not is_prompt(anthropic_blocks(content)):
            continue
        parent, own = record.get("parentUuid"), record.get("uuid")
        if isinstance(parent, str) and isinstance(own, str):
            if parent in last and last[parent] != own:
                dead.append(last[parent])
            last[parent] = own
    return dead
