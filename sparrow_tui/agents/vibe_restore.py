"""A session written as a new folder of Mistral Vibe (what its ``session_logger.py`` writes)."""

from __future__ import annotations

import getpass
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from sparrow_tui.agents.base import SourceError
from sparrow_tui.agents.projects import json_file
from sparrow_tui.agents.restoring import moment_of, write_new
from sparrow_tui.model import Image, Reasoning, SessionInfo, Text, ToolResult, ToolUse, Turn, Usage

MESSAGES, META = "messages.jsonl", "meta.json"
_NATIVE = re.compile(r"[A-Za-z0-9_-]{1,100}")


def write_back(root: Path, prefix: str, session: SessionInfo, turns: Iterable[Turn]) -> Path:
    """Write a session's two files, both or none, and return the messages' path.

    Args:
        root: the folder of all sessions.
        prefix: how their folders' names begin.
        session: its facts; ``usage`` is of all its turns.
        turns: in order.

    Raises:
        SourceError: it exists, it has nothing Vibe would keep, or it cannot be written; nothing
            is left behind.
    """
    native = session.native_id
    if not _NATIVE.fullmatch(native):
        raise SourceError("its id cannot be part of a folder's name; nothing was written")
    for folder in root.glob(f"{prefix}_*_{native[:4]}*"):
        meta = json_file(folder / META)
        if isinstance(meta, dict) and meta.get("session_id") == native:
            raise SourceError(f"{folder} exists; nothing was written")
    begun = moment_of(session.created_at)
    folder = root / f"{prefix}_{begun:%Y%m%d_%H%M%S}_{native[:8]}"
    beside = folder.with_name(folder.name + ".restoring")
    try:
        counted = _Counted(turns)
        write_new(beside / MESSAGES, counted.messages())
        if not counted.number:
            raise SourceError("it has no messages that Vibe would keep; nothing was written")
        write_new(beside / META, [_meta(session, counted)])
        # A folder with something in it is never replaced.
        os.rename(beside, folder)
    except OSError as error:
        raise SourceError(f"{folder} cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder / MESSAGES


class _Counted:
    """The messages of turns; their number and tokens are known when the last is made."""

    def __init__(self, turns: Iterable[Turn]) -> None:
        self._turns = turns
        self.number = 0
        self.usage = Usage()

    def messages(self) -> Iterator[dict[str, Any]]:
        names: dict[str, str] = {}
        for turn in self._turns:
            self.usage += turn.usage or Usage()
            if turn.branch:
                continue
            for message in _messages(turn, names):
                self.number += 1
                yield message


def _messages(turn: Turn, names: dict[str, str]) -> Iterator[dict[str, Any]]:
    """A turn's messages: one, but one for each tool result. Notices and system texts go.

    Args:
        turn: to write.
        names: names of the tools called so far by the calls' ids; added to.
    """
    told: dict[str, Any] = {"message_id": turn.uid} if turn.uid else {}
    if turn.meta:
        told["injected"] = True
    texts = [block.text for block in turn.blocks if isinstance(block, Text)]
    images = [_image(block) for block in turn.blocks if isinstance(block, Image)]
    # Vibe joins parts by line breaks.
    content: Any = texts[0] if len(texts) == 1 else [{"type": "text", "text": t} for t in texts]
    if turn.role == "tool":
        for block in turn.blocks:
            if isinstance(block, ToolResult):
                answer = "\n".join(b.text for b in block.content if isinstance(b, Text))
                call = {"tool_call_id": block.tool_use_id, "name": names.get(block.tool_use_id, "")}
                yield {"role": "tool", "content": answer, **call, **told}
                told.pop("message_id", None)
    elif turn.role in ("user", "summary") and (texts or images):
        shown = {"images": images} if images else {}
        yield {"role": "user", "content": content if texts else "", **shown, **told}
    elif turn.role == "assistant":
        message: dict[str, Any] = {"role": "assistant", **told}
        if texts:
            message["content"] = content
        thoughts = [block.text for block in turn.blocks if isinstance(block, Reasoning)]
        if thoughts:
            message["reasoning_content"] = "\n\n".join(thoughts)
        calls = [block for block in turn.blocks if isinstance(block, ToolUse)]
        if calls:
            message["tool_calls"] = [_call(use, number) for number, use in enumerate(calls)]
            names.update({use.id: use.name for use in calls})
        if texts or thoughts or calls:
            yield message


def _image(image: Image) -> dict[str, Any]:
    kept = {"kind": "inline", "data": image.data}
    if not image.data:
        kept = {"kind": "file", "path": image.url}
    alias = image.url.replace("\\", "/").rpartition("/")[2]
    return {"source": kept, "alias": alias, "mime_type": image.media_type or "image/png"}


def _call(use: ToolUse, number: int) -> dict[str, Any]:
    given = use.input if isinstance(use.input, str) else msgspec.json.encode(use.input).decode()
    function = {"name": use.name, "arguments": given}
    return {"id": use.id, "index": number, "type": "function", "function": function}


def _meta(session: SessionInfo, counted: _Counted) -> dict[str, Any]:
    """What Vibe asks of a session's metadata, and what we know beside."""
    used = session.usage or counted.usage
    cached = used.cache_read
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = "unknown"
    meta: dict[str, Any] = {
        "session_id": session.native_id,
        "start_time": moment_of(session.created_at).isoformat(),
        "end_time": moment_of(session.updated_at).isoformat(),
        "git_commit": session.extra.get("commit"),
        "git_branch": session.branch,
        "environment": {"working_directory": session.project},
        "username": user,
        "title": session.title,
        "title_source": "manual" if session.title else "auto",
        "total_messages": counted.number,
        "stats": {
            "session_prompt_tokens": used.input + cached + used.cache_write,
            "session_completion_tokens": used.output,
            "session_cached_tokens": cached,
        },
    }
    if session.cost_micro is not None:
        # Vibe writes it down with every save, by the prices of the time.
        meta["stats"]["session_cost"] = session.cost_micro / 1_000_000
    if session.extra.get("continues"):
        meta["parent_session_id"] = session.extra["continues"]
    if session.model:
        meta["config"] = {"active_model": session.model}
    return meta
