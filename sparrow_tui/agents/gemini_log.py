"""One recorded conversation of Gemini CLI: its records put together again, and their turns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from sparrow_tui.agents import gemini_parts
from sparrow_tui.agents.common import as_text, milliseconds
from sparrow_tui.agents.injected import split_injected
from sparrow_tui.model import (
    Block,
    Coverage,
    Notice,
    Raw,
    Reasoning,
    SessionInfo,
    Text,
    ToolResult,
    ToolUse,
    Turn,
)

_NOTICES = {"info": "info", "warning": "info", "error": "error"}
_SETUP = ("This is the Gemini CLI. We are setting up the context", "<session_context>")
_UUID_LENGTH = 32


class OldRecord(Exception):
    """A record changes what was handed over before: the file must be read from its beginning."""


class Record:
    """The newest version of one message."""

    __slots__ = ("message", "offset", "rewound")

    def __init__(self, message: dict[str, Any], offset: int) -> None:
        self.message = message
        self.offset = offset
        """Where its first version starts in the file."""
        self.rewound = False
        """Undone by the user: kept, marked as a branch."""


class Log:
    """Messages in order, as the append-only log's lines leave them.

    A message written again replaces itself. ``$rewindTo`` undoes a message and those after it.
    ``$set.messages`` is the model's context after a compression or a masking of old tool
    output: messages new in it are taken in, but nothing said before is lost by it.
    """

    def __init__(self, partial: bool = False, before: int | None = None) -> None:
        self.header: dict[str, Any] = {}
        self.records: list[Record] = []
        self.partial = partial
        """Reading began in the middle: earlier messages are not here."""
        self.before = before
        """Time of the newest message before this part."""
        self.coverage = Coverage()
        self.answered: set[str] = set()
        """Calls that were answered last: the messages after may tell the answers again."""
        self._by_id: dict[str, Record] = {}

    def line(self, value: dict[str, Any] | None, offset: int, counted: bool = True) -> None:
        """Take one line of the log.

        Args:
            value: its JSON object; ``None`` if it is broken.
            offset: where it starts.
            counted: whether an earlier reading has counted it.

        Raises:
            OldRecord: it concerns messages before this part.
        """
        coverage = Coverage() if counted else self.coverage
        coverage.records += 1
        if value is None:
            coverage.bad += 1
            return
        coverage.kept += 1
        if isinstance(value.get("$rewindTo"), str):
            self._rewind(value["$rewindTo"])
        elif isinstance(value.get("$set"), dict):
            self._set(value["$set"], offset)
        elif isinstance(value.get("id"), str):
            self._message(value, offset, coverage)
        elif "sessionId" in value or "projectHash" in value:
            self._set(value, offset)
        else:
            kind = next(iter(value), "empty")
            coverage.unknown[kind] = coverage.unknown.get(kind, 0) + 1
            self.records.append(Record({"type": kind, "unknown": value}, offset))

    def document(self, value: dict[str, Any]) -> None:
        """Take a whole conversation in one JSON document."""
        self.header = {key: item for key, item in value.items() if key != "messages"}
        messages = value.get("messages", value.get("history"))
        for message in messages if isinstance(messages, list) else []:
            self.coverage.records += 1
            if isinstance(message, dict):
                self.coverage.kept += 1
                self.records.append(Record(message, 0))
            else:
                self.coverage.bad += 1

    def _message(self, message: dict[str, Any], offset: int, coverage: Coverage) -> None:
        known = self._by_id.get(message["id"])
        if known is not None and not known.rewound:
            known.message = message
            coverage.kept -= 1
            coverage.skipped += 1
            return
        moment = milliseconds(message.get("timestamp"))
        if self.partial and moment and self.before and moment < self.before:
            raise OldRecord
        self._by_id[message["id"]] = record = Record(message, offset)
        self.records.append(record)

    def _rewind(self, message_id: str) -> None:
        record = self._by_id.get(message_id)
        if record is None and self.partial:
            raise OldRecord
        at = self.records.index(record) if record is not None else 0
        for later in self.records[at:]:
            later.rewound = True

    def _set(self, facts: dict[str, Any], offset: int) -> None:
        messages = facts.get("messages")
        self.header.update({key: item for key, item in facts.items() if key != "messages"})
        if not isinstance(messages, list) or not messages:
            return
        if self.partial:
            raise OldRecord
        held: list[Record] = []
        for message in messages:
            if not isinstance(message, dict) or not isinstance(message.get("id"), str):
                continue
            known = self._by_id.get(message["id"])
            if known is None:
                self._by_id[message["id"]] = record = Record(message, offset)
                held.append(record)
            elif held:
                at = self.records.index(known)
                self.records[at:at] = held
                held = []
        self.records.extend(held)


def turns(
    log: Log, record: Record, coverage: Coverage, folder: Path | None = None
) -> Iterator[Turn]:
    """The turns of one message: what was said, then what its tools answered.

    Args:
        log: all messages, whose turns are asked for in order.
        record: one of the log's.
        coverage: counts unknown kinds.
        folder: where the session's sub-agents are recorded, to link them.
    """
    message = record.message
    kind = as_text(message.get("type") or message.get("role"))
    moment = milliseconds(message.get("timestamp") or message.get("ts"))
    content = message.get("displayContent") or message.get("content", message.get("parts"))
    base = Turn(role="user", blocks=[], time=moment, branch=record.rewound)
    message_id = as_text(message.get("id"))
    base.uid = message_id if len(message_id) >= _UUID_LENGTH else ""
    if "unknown" in message:
        base.role, base.blocks = "system", [Raw(kind, message["unknown"])]
        yield base
    elif kind in _NOTICES:
        said = "\n".join(
            block.text
            for block in gemini_parts.blocks(content, coverage)
            if isinstance(block, Text)
        )
        base.role, base.blocks = "system", [Notice(_NOTICES[kind], said)]
        base.api_error = kind == "error" and "API Error" in said
        if said.strip():
            yield base
    elif kind == "user":
        yield from _user(log, base, gemini_parts.blocks(content, coverage))
    elif kind in ("gemini", "qwen", "model", "assistant"):
        yield from _gemini(log, base, message, content, coverage, folder)
    else:
        coverage.unknown[kind] = coverage.unknown.get(kind, 0) + 1
        base.role, base.blocks = "system", [Raw(kind or "message", message)]
        yield base


def all_turns(log: Log, info: SessionInfo, folder: Path | None = None) -> Iterator[Turn]:
    """The turns of all messages; ``info`` learns the model; ``folder``: see `turns`."""
    for record in log.records:
        for turn in turns(log, record, log.coverage, folder):
            info.model = turn.model or info.model
            yield turn


def _user(log: Log, turn: Turn, said: list[Block]) -> Iterator[Turn]:
    """A user's message; tool answers in it (the API's own form) make a turn of their own."""
    answers: list[Block] = [
        block
        for block in said
        if isinstance(block, ToolResult) and block.tool_use_id not in log.answered
    ]
    rest: list[Block] = [block for block in said if not isinstance(block, ToolResult)]
    if answers:
        yield Turn(role="tool", blocks=answers, time=turn.time, uid=turn.uid, branch=turn.branch)
        turn.uid = ""
    first = next((block.text for block in rest if isinstance(block, Text)), "").lstrip()
    if first.startswith("<state_snapshot>"):
        turn.role = "summary"
    turn.meta = first.startswith(_SETUP)
    put_in, turn.blocks = split_injected(rest)
    if put_in:
        yield Turn(role="user", blocks=put_in, time=turn.time, branch=turn.branch, meta=True)
    if turn.blocks:
        yield turn


def _gemini(
    log: Log,
    turn: Turn,
    message: dict[str, Any],
    content: Any,
    coverage: Coverage,
    folder: Path | None,
) -> Iterator[Turn]:
    turn.role, turn.model = "assistant", as_text(message.get("model"))
    tokens = message.get("tokens")
    if isinstance(tokens, dict):
        turn.usage = gemini_parts.usage(
            *(tokens.get(key) for key in ("input", "output", "cached", "thoughts", "tool", "total"))
        )
        turn.usage_id = turn.uid if turn.usage is not None else ""
    for thought in _list(message.get("thoughts")):
        text = thought if isinstance(thought, str) else ""
        if isinstance(thought, dict):
            text = "\n\n".join(
                filter(None, (as_text(thought.get(key)) for key in ("subject", "description")))
            )
        if text.strip():
            turn.blocks.append(Reasoning(text))
    calls = [call for call in _list(message.get("toolCalls")) if isinstance(call, dict)]
    ids = {as_text(call.get("id")) for call in calls}
    said = gemini_parts.blocks(content, coverage)
    turn.blocks += [b for b in said if not (isinstance(b, ToolUse) and b.id in ids)]
    answers: list[ToolResult] = []
    answered = turn.time
    for call in calls:
        call_id, status = as_text(call.get("id")), as_text(call.get("status"))
        turn.blocks.append(ToolUse(call_id, as_text(call.get("name")), call.get("args")))
        content = call.get("result")
        if not content and isinstance(call.get("resultDisplay"), str):
            content = call["resultDisplay"]
        if not content and status not in ("success", "error", "cancelled"):
            continue
        answer = gemini_parts.result(
            call_id, content, coverage, failed=status in ("error", "cancelled") if status else None
        )
        child = as_text(call.get("agentId"))
        if child and folder is not None and _has(folder, f"{child}.jsonl"):
            answer.child = f"gemini:{child}"
        answers.append(answer)
        answered = milliseconds(call.get("timestamp")) or answered
    if answers:
        log.answered = {answer.tool_use_id for answer in answers if answer.tool_use_id}
    if turn.blocks or turn.usage:
        yield turn
    if answers:
        yield Turn(role="tool", blocks=[*answers], time=answered, branch=turn.branch)


def _has(folder: Path, name: str) -> bool:
    """Whether a folder has a file whose name came out of a log."""
    with suppress(OSError, ValueError):
        return (folder / name).is_file()
    return False


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
