"""What both kinds of Kiro CLI's line files need: the file of facts beside them, titles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sparrow_tui.agents.common import title_of
from sparrow_tui.agents.projects import json_file
from sparrow_tui.model import Block, Text


def side_of(path: Path) -> Path:
    """The file of facts beside a session's lines."""
    if path.name == "messages.jsonl":
        return path.with_name("session.json")
    return path.with_suffix(".json")


def native_id(path: Path, key: str, otherwise: str) -> str:
    """A session's id as the file of facts gives it, else by the name of its file or folder."""
    native = table(json_file(side_of(path))).get(key)
    return f"kiro:{native if isinstance(native, str) and native else otherwise}"


def title_in(blocks: list[Block]) -> str | None:
    """The title the first words of a prompt make."""
    for block in blocks:
        if isinstance(block, Text):
            return title_of(block.text) or None
    return None


def table(value: Any) -> dict[str, Any]:
    """A table as it is; anything else as an empty one."""
    return value if isinstance(value, dict) else {}
