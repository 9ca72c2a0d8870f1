"""What every agent's history is turned into: sessions, turns and their content blocks.

Times are integer milliseconds since the Unix epoch, UTC; an unknown time is ``None``.
Money is integer micro-dollars. Structs encode to JSON and MessagePack by msgspec; a block
carries its kind in ``type``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import msgspec

from sparrow_tui.large import Large
from sparrow_tui.sanitize import storable


class Text(msgspec.Struct, tag="text", omit_defaults=True):
    """Something said, in Markdown as the agent wrote it."""

    text: str


class Reasoning(msgspec.Struct, tag="reasoning", omit_defaults=True):
    """The model's thinking, where the agent kept it in the clear."""

    text: str


class Image(msgspec.Struct, tag="image", omit_defaults=True):
    """A picture: inline (``data``, base64), by address, or kept in the store by its hash."""

    media_type: str = ""
    data: str = ""
    """Base64 of the bytes; empty once the store keeps the picture as an attachment."""
    url: str = ""
    """An address or path named by the agent; never fetched."""
    ref: str = ""
    """Key of the attachment in the store (hex SHA-256 of the bytes)."""
    size: int = 0
    """Bytes of the decoded picture; 0 if not known."""


class ToolUse(msgspec.Struct, tag="tool_use", omit_defaults=True):
    """The model calls a tool. ``input`` is any JSON value (mostly an object).

    Where turns are read to be shown, data of very many values is `Large`; in `Raw` too.
    """

    id: str
    name: str
    input: Any = None


class ToolResult(msgspec.Struct, tag="tool_result", omit_defaults=True):
    """What a tool answered; paired with its call by ``tool_use_id``."""

    tool_use_id: str
    content: list[Block] = []
    is_error: bool | None = None
    duration_ms: int | None = None
    exit_code: int | None = None
    child: str = ""
    """Id of the sub-agent session this call started, if the source links one."""


class Notice(msgspec.Struct, tag="notice", omit_defaults=True):
    """A mark in the story that neither the user nor the model said.

    ``kind`` is one of ``compaction``, ``summary``, ``interruption``, ``error``, ``model``,
    ``command``, ``rewind`` or ``info``.
    """

    kind: str
    text: str = ""


class Raw(msgspec.Struct, tag="raw", omit_defaults=True):
    """A block or record whose kind is not known: kept as the JSON value it was."""

    kind: str
    data: Any = None


Block: TypeAlias = Text | Reasoning | Image | ToolUse | ToolResult | Notice | Raw


class Usage(msgspec.Struct, omit_defaults=True, frozen=True):
    """Tokens of one request or a sum of requests; ``input`` leaves out what came from a cache."""

    input: int = 0
    output: int = 0
    """Includes ``reasoning``."""
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0

    def __add__(self, other: Usage) -> Usage:
        """Field-wise sum."""
        return Usage(
            self.input + other.input,
            self.output + other.output,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
            self.reasoning + other.reasoning,
        )

    def beyond(self, other: Usage) -> Usage:
        """What of this is more than ``other``, field-wise and never negative."""
        return Usage(
            max(0, self.input - other.input),
            max(0, self.output - other.output),
            max(0, self.cache_read - other.cache_read),
            max(0, self.cache_write - other.cache_write),
            max(0, self.reasoning - other.reasoning),
        )

    def largest(self, other: Usage) -> Usage:
        """Field-wise maximum."""
        return Usage(
            max(self.input, other.input),
            max(self.output, other.output),
            max(self.cache_read, other.cache_read),
            max(self.cache_write, other.cache_write),
            max(self.reasoning, other.reasoning),
        )

    @property
    def total(self) -> int:
        """All tokens, cached or not."""
        return self.input + self.output + self.cache_read + self.cache_write


class Turn(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One message of a session; its position in the session is its ``turn_index``."""

    role: str
    """``user``, ``assistant``, ``tool`` (only tool results), ``system`` or ``summary``."""
    blocks: list[Block]
    time: int | None = None
    model: str = ""
    uid: str = ""
    """The agent's own id of this message, the same in resumed and forked copies; else empty."""
    usage: Usage | None = None
    """This turn's own share: over a session's turns it adds up to the session's tokens."""
    usage_id: str = ""
    """Id of the request the usage belongs to. Over all sessions an id counts once."""
    usage_total: Usage | None = None
    """All of ``usage_id`` up to and with this turn, where that is more than ``usage``."""
    cost_micro: int | None = None
    """Micro-dollars for this turn as the agent itself recorded them."""
    duration_ms: int | None = None
    meta: bool = False
    """Injected by the agent (reminders, command echoes), not typed by the person."""
    branch: bool = False
    """On a branch the user rewound from: kept, hidden unless asked for."""
    api_error: bool = False
    """A request to the model that failed."""


class SessionInfo(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What a reader knows about a session; ``None`` means not known or unchanged."""

    id: str
    """``agent:native-id``."""
    title: str | None = None
    project: str | None = None
    """Absolute working directory the session started in."""
    branch: str | None = None
    model: str | None = None
    created_at: int | None = None
    updated_at: int | None = None
    status: str | None = None
    """``working``, ``waiting``, ``ended``, ``unclean``, ``active`` or what the agent wrote."""
    parent: str | None = None
    """Id of the session that started this one as a sub-agent."""
    parent_tool_use: str | None = None
    """The parent's ``ToolUse.id`` that started it."""
    cost_micro: int | None = None
    """Total cost on disk, only where the agent records it per session and not per turn."""
    usage: Usage | None = None
    """Total tokens, only where the agent records them per session and not per turn."""
    ghost: bool = False
    """Only traces are left (prompts of a session whose transcript was deleted)."""
    extra: dict[str, Any] = {}
    """Facts particular to the agent (version, originator…), shown in the info panel."""

    @property
    def agent(self) -> str:
        """The agent's name: the id up to its first colon; ``local`` if it has none."""
        agent, colon, _ = self.id.partition(":")
        return agent if colon else "local"

    @property
    def native_id(self) -> str:
        """The id the agent itself uses."""
        _, colon, native = self.id.partition(":")
        return native if colon else self.id


class Coverage(msgspec.Struct, omit_defaults=True):
    """How much of a source reached the store, in records (lines, rows or messages)."""

    records: int = 0
    kept: int = 0
    skipped: int = 0
    """Left out by rule: progress, snapshots, copies of what is kept."""
    bad: int = 0
    """Could not be read (broken JSON, wrong shape)."""
    unknown: dict[str, int] = {}
    """Kinds nobody has told us about, with their number; they are kept as ``Raw``."""
    examples: dict[str, str] = {}
    """Where in the source one of each of these is: a line's number, or a record's key."""

    def add(self, other: Coverage) -> None:
        """Add another part's figures to these."""
        self.records += other.records
        self.kept += other.kept
        self.skipped += other.skipped
        self.bad += other.bad
        for kind, number in other.unknown.items():
            self.unknown[kind] = self.unknown.get(kind, 0) + number

    def locate(self, place: str) -> None:
        """Note a place for kinds that are new since the last call."""
        if len(self.examples) < len(self.unknown):
            for kind in self.unknown:
                self.examples.setdefault(kind, place)


def text_form(blocks: Iterable[Block]) -> str:
    """What of a turn is searchable.

    As in the ancestor (text, reasoning, tool names, nested texts of results, joined by
    newlines), and beyond it: tool inputs, notices and raw records. Pictures give nothing.
    """
    pieces: list[str] = []
    for block in blocks:
        if type(block) is Text:  # the most there is
            pieces.append(storable(block.text))
        else:
            pieces += block_texts(block)
    return _joined(pieces)


def _joined(pieces: Iterable[str]) -> str:
    return "\n".join([piece for piece in pieces if piece and not piece.isspace()])


def block_texts(block: Block) -> Iterator[str]:
    """The searchable pieces of one block, in reading order."""
    if isinstance(block, Text | Reasoning | Notice):
        yield storable(block.text)
    elif isinstance(block, ToolUse):
        yield storable(block.name)
        yield from value_texts(block.input)
    elif isinstance(block, ToolResult):
        for inner in block.content:
            yield from block_texts(inner)
    elif isinstance(block, Raw):
        yield from value_texts(block.data)


def value_texts(value: Any) -> Iterator[str]:
    """The strings and numbers inside a JSON value, keys left out; those of `Large` data joined.

    A million strings would take long to let go of.
    """
    if isinstance(value, str):
        yield storable(value)
    elif isinstance(value, dict):
        for item in value.values():
            yield from value_texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from value_texts(item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, Large):
        for item in value.texts():
            yield _joined(value_texts(item))
