"""The lines of a Qwen Code session as a tree: what hangs where, and which branches were left."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sparrow_tui.agents import lines
from sparrow_tui.agents.common import as_text

SPOKEN = {"user", "assistant", "tool_result"}
"""Record types that are part of the talk; only they and a rewind can start a branch."""


def records(path: str, offset: int) -> Iterator[tuple[int, int, list[dict[str, Any]]]]:
    """Lines with their start and end, and the objects in them."""
    for at, line in lines.lines(path, offset):
        yield at, at + len(line), objects(line)


def objects(line: bytes) -> list[dict[str, Any]]:
    """The objects of a line: one, or several glued together by writers that raced; none."""
    value = lines.parse(line)
    if value is not None:
        return [value] if isinstance(value, dict) else []
    found: list[dict[str, Any]] = []
    text, position = line.decode("utf-8", errors="replace").strip(), 0
    while position < len(text):
        try:
            value, position = json.JSONDecoder().raw_decode(text, position)
        except (ValueError, RecursionError):
            break
        if isinstance(value, dict):
            found.append(value)
    return found


def joins(record: dict[str, Any], tail: set[str]) -> bool:
    """Whether a record goes on where the talk stands; only spoken ones and rewinds can fork."""
    if not _forks(record):
        return True
    parent = record.get("parentUuid")
    return not isinstance(parent, str) or parent in tail or as_text(record.get("uuid")) in tail


def _forks(record: dict[str, Any]) -> bool:
    return as_text(record.get("type")) in SPOKEN or record.get("subtype") == "rewind"


def dead(path: str) -> list[tuple[int, int]]:
    """Stretches of a file (offsets) that later records forked away from."""
    placed: dict[str, int] = {}
    tail: set[str] = set()
    found: list[tuple[int, int]] = []
    for at, end, found_here in records(path, 0):
        for record in found_here:
            uuid, parent = as_text(record.get("uuid")), record.get("parentUuid")
            if isinstance(parent, str) and parent in placed and not joins(record, tail):
                found.append((placed[parent], at))
            tail = {uuid} if _forks(record) else tail | {uuid}
            placed.setdefault(uuid, end)
    return found
