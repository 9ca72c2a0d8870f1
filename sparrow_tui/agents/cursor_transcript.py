"""Cursor's agent transcripts: what was said and which tools were called, without their answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sparrow_tui.agents import cursor_messages, lines, plain
from sparrow_tui.agents.base import Batch, Checkpoint, Source, SourceError
from sparrow_tui.agents.by_session import cut
from sparrow_tui.agents.common import as_text
from sparrow_tui.agents.projects import by_slug
from sparrow_tui.model import (
    Block,
    Coverage,
    Raw,
    Reasoning,
    SessionInfo,
    Text,
    ToolResult,
    ToolUse,
    Turn,
)

FOLDER = "agent-transcripts"
_SPEAKER = re.compile(r"^(user|assistant):\s*$", re.MULTILINE)
_MARK = re.compile(r"^\[(Thinking|Tool call|Tool result)\][ \t]*(.*)$", re.MULTILINE)
_TITLE = re.compile(r"\*\*[^*\n]+\*\*(?:\n\n+[^\n]+)*\n*")
"""A titled thought with its paragraphs."""
_SILENT = {"turn_ended", "turn_started"}


def read(source: Source, since: Checkpoint | None) -> Iterator[Batch]:
    """JSONL from where it was left; the text form whole.

    Early in 2026 both were written, and only the text form told calls.
    """
    path = Path(source.path)
    if path.suffix == ".jsonl" and _tells_more(path.with_suffix(".txt"), path):
        path = path.with_suffix(".txt")
    if path.suffix == ".txt":
        coverage = Coverage()
        try:
            text = plain.read_text(path)
        except OSError as error:
            raise SourceError(f"it cannot be opened: {error.strerror or error}") from error
        yield from cut(info(source), _text_turns(text, coverage), coverage)
        return
    if not lines.resumable(source.path, since, source.size):
        since = None
    end = since.offset if since is not None else 0
    number = start = since.turns if since is not None else 0
    coverage, session = Coverage(), info(source)

    def turns() -> Iterator[Turn]:
        nonlocal end, number
        for at, line in lines.lines(path, end):
            value = lines.parse(line)
            end = at + len(line)
            coverage.records += 1
            made = _record(value, str(at), coverage)
            number += len(made)
            if since is None and session.created_at is None:
                session.created_at = next((turn.time for turn in made if turn.time), None)
            yield from made

    last: Batch | None = None
    for batch in cut(session, turns(), coverage, start=start, fresh=since is None):
        if last is not None:
            yield last
        last = batch
    if last is not None:
        head = lines.fingerprint(path, min(lines.HEAD, end)) if end else ""
        last.checkpoint = Checkpoint(end, head, number)
        yield last


def _tells_more(text: Path, records: Path) -> bool:
    """Whether a session's text form has calls and its JSONL has none."""
    try:
        return b"\n[Tool call]" in plain.read_bytes(text) and b'"tool_use"' not in plain.read_bytes(
            records
        )
    except OSError:
        return False


def info(source: Source) -> SessionInfo:
    """All that a transcript's place tells: its id, its parent's, and a shortened project."""
    path = Path(source.path)
    parts = path.parts
    project: str | None = None
    extra: dict[str, Any] = {}
    if FOLDER in parts[:-1] and parts.index(FOLDER) >= 4:
        at = parts.index(FOLDER)
        slug = parts[at - 1]
        project = by_slug(Path(*parts[: at - 3])).get(slug)
        if project is None:
            extra["project_slug"] = slug
    parent = path.parent.parent.name if path.parent.name == "subagents" else ""
    return SessionInfo(
        id=f"cursor:{path.stem}",
        project=project,
        updated_at=source.mtime or None,
        parent=f"cursor:{parent}" if parent else None,
        extra=extra,
    )


def _record(value: Any, name: str, coverage: Coverage) -> list[Turn]:
    """The turns of one line."""
    if not isinstance(value, dict):
        coverage.bad += 1
        return []
    message = value.get("message")
    if isinstance(message, dict) and value.get("role"):
        made = cursor_messages.turns({**message, "role": value["role"]}, coverage, name)
        for turn in made:
            if turn.role == "assistant":
                turn.model = as_text(value.get("model")) or turn.model
    elif as_text(value.get("type")) in _SILENT:
        made = []
    else:
        kind = as_text(value.get("type")) or "record"
        coverage.unknown[kind] = coverage.unknown.get(kind, 0) + 1
        made = [Turn(role="system", blocks=[Raw(kind, value)])]
    if made:
        coverage.kept += 1
    else:
        coverage.skipped += 1
    return made


def _text_turns(text: str, coverage: Coverage) -> Iterator[Turn]:
    """The text form: ``user:`` and ``assistant:`` lines, bracketed marks inside."""
    pieces = _SPEAKER.split(text)
    if len(pieces) == 1 and text.strip():
        coverage.records += 1
        coverage.bad += 1
    for number in range(1, len(pieces), 2):
        role, said = pieces[number], pieces[number + 1].strip("\n")
        coverage.records += 1
        if role == "user":
            made = cursor_messages.turns({"role": role, "content": said}, coverage)
        else:
            made = _marked(said, str(number))
        if made:
            coverage.kept += 1
        else:
            coverage.skipped += 1
        yield from made


def _marked(said: str, name: str) -> list[Turn]:
    """An assistant's passage cut at its marks; an answer belongs to the newest call."""
    pieces = _MARK.split(said)
    turns: list[Turn] = []
    call = ""

    def add(role: str, block: Block) -> None:
        if not turns or turns[-1].role != role:
            turns.append(Turn(role=role, blocks=[]))
        turns[-1].blocks.append(block)

    if pieces[0].strip():
        add("assistant", Text(pieces[0].strip()))
    for number in range(1, len(pieces), 3):
        mark, rest, raw = pieces[number : number + 3]
        body = raw.strip("\n")
        if mark == "Thinking":
            thought, aloud = _thought(f"{rest}{raw}")
            if thought:
                add("assistant", Reasoning(thought))
            if aloud:
                add("assistant", Text(aloud))
        elif mark == "Tool call":
            # What is said aloud stands before the calls: the rest is arguments.
            call = f"{name}.{number}"
            tool, stars, patch = rest.partition("***")  # a patch begins in the name's line
            arguments = f"{stars}{patch}\n{body}" if stars else body
            add("assistant", ToolUse(call, tool.strip(), arguments or None))
        else:
            add("tool", ToolResult(call, [Text(body)] if body.strip() else []))
    return turns


def _thought(words: str) -> tuple[str, str]:
    """A passage marked as thinking, as (thought, said aloud): nothing marks where it ends.

    A thought is a line, and what is said aloud follows a blank one. A titled thought has
    paragraphs below its title; another thought or what is said aloud is the next line.
    """
    if words.startswith("\n"):
        return "", words.strip()
    words = words.strip()
    if not words.startswith("**"):
        thought, _, aloud = words.partition("\n\n")
        return thought, aloud.strip()
    end = 0
    for title in _TITLE.finditer(words):
        if title.start() > end:
            break
        end = title.end()
    return words[:end].strip(), words[end:].strip()
