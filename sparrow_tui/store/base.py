"""The store's contract: what a session store does, and the rows it gives back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import msgspec

from sparrow_tui.model import Coverage, SessionInfo, Turn, Usage


class StoreError(Exception):
    """The store cannot do what was asked. The message is one sentence for the user."""


class StoreUnwritable(StoreError):
    """The archive cannot be changed now, but it can be read."""


class StoreBusy(StoreUnwritable):
    """Another program is writing; trying again later will do."""


class StoreFull(StoreUnwritable):
    """No space is left; what was written before is kept, the rest is not there at all."""


class Interrupted(Exception):
    """A query was cut short by `SessionStore.interrupt`."""


class Session(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One session as lists and headers show it."""

    sid: int
    """The store's own small number for the session."""
    id: str
    agent: str
    title: str = ""
    """Best title known: the user's name for it, the agent's title, or the first prompt."""
    name: str | None = None
    """The name the user gave it here, if any."""
    status: str = "active"
    project: str | None = None
    branch: str | None = None
    model: str | None = None
    created_at: int | None = None
    updated_at: int | None = None
    turns: int = 0
    parent: str | None = None
    parent_tool_use: str | None = None
    usage: Usage = Usage()
    requests: int = 0
    request_errors: int = 0
    tool_calls: int = 0
    tool_errors: int = 0
    cost_micro: int | None = None
    """Micro-dollars; ``None`` if nothing in the session could be priced."""
    unpriced: int = 0
    """Tokens whose model has no known price."""
    chars: int = 0
    """Characters of text in all turns."""
    lines: int = 0
    """Line breaks in all turns, plus one a turn."""
    coverage: Coverage | None = None
    """``None``: its source was only glanced at yet (see `glances`)."""
    source: str | None = None
    """Path of the file or database it came from."""
    source_gone: bool = False
    expires_at: int | None = None
    """When the agent itself will delete the source."""
    pinned: bool = False
    hidden: bool = False
    ghost: bool = False
    tags: tuple[str, ...] = ()
    extra: dict[str, Any] = {}

    @property
    def info(self) -> SessionInfo:
        """What an agent's module knows a session by."""
        return SessionInfo(
            id=self.id,
            title=self.title or None,
            project=self.project,
            branch=self.branch,
            model=self.model,
            created_at=self.created_at,
            updated_at=self.updated_at,
            status=self.status,
            parent=self.parent,
            parent_tool_use=self.parent_tool_use,
            usage=self.usage,
            cost_micro=self.cost_micro,
            ghost=self.ghost,
            extra=self.extra,
        )


class Window(msgspec.Struct):
    """Turns ``start`` .. ``start + len(turns)`` of a session of ``total`` turns."""

    session_id: str
    start: int
    turns: list[Turn]
    total: int


class TurnMark(msgspec.Struct, array_like=True, frozen=True):
    """What is known of a turn without reading it: enough for heights, outline and minimap."""

    index: int
    role: str
    flags: int
    """Bits of `sparrow_tui.store.flags.Flag`."""
    chars: int
    lines: int
    time: int | None = None


class ToolCall(msgspec.Struct, array_like=True, frozen=True):
    """A tool call of a session and where its result is."""

    id: str
    name: str
    use_index: int
    result_index: int | None = None
    is_error: bool | None = None
    duration_ms: int | None = None
    child: str | None = None
    """Id of the sub-agent session it started."""


class Hit(msgspec.Struct):
    """A turn that matches a query."""

    session: str
    sid: int
    turn: int
    """``turn_index``; -1: the session itself matched, by its name, title, place or id."""
    role: str
    time: int | None
    title: str
    snippet: str
    """Safe one-line text around the best match."""
    spans: list[tuple[int, int]]
    """Where in ``snippet`` the query's words are: start and end offsets."""
    docid: int = 0
    score: float = 0.0


class SearchPage(msgspec.Struct):
    """One page of hits."""

    hits: list[Hit]
    total: int
    """Matching turns; a lower bound unless ``complete``."""
    complete: bool
    """Whether ``total`` counts every match."""
    problems: list[str] = []
    """One sentence for each part of the query that could not be used as typed."""
    next_docid: int | None = None
    """Give it as ``before`` to get the next page; ``None`` at the end."""


class SessionHit(msgspec.Struct):
    """The matches of one session."""

    session: Session
    hits: int
    """Matching turns; a lower bound unless the results are complete."""
    best: Hit | None


class RecentInput(msgspec.Struct):
    """Something a person typed to an agent."""

    text: str
    session: str
    turn: int
    time: int | None


# `SessionStore.list` hides the built-in inside the class.
RecentInputs: TypeAlias = list[RecentInput]
TurnMarks: TypeAlias = list[TurnMark]


class SessionStore(ABC):
    """An archive of sessions.

    The first eight operations are the ancestor's. All methods block and may be called from
    one thread at a time; several stores may be open on the same archive, one of them writing.
    Methods raise `StoreError` where the archive itself fails, and `Interrupted`.
    """

    @abstractmethod
    def close(self) -> None:
        """Release the archive. Idempotent."""

    @abstractmethod
    def save(self, session_id: str, turns: Sequence[Turn], name: str | None = None) -> None:
        """Make ``turns`` the whole content of a session, creating it if need be.

        ``created_at``, ``status`` and everything the user set survive; ``name`` is changed
        only if given. Atomic.
        """

    @abstractmethod
    def append(self, session_id: str, turns: Sequence[Turn]) -> int:
        """Add turns at a session's end, creating it if need be; the new number of turns.

        Costs O(new turns). Atomic.
        """

    @abstractmethod
    def load(self, session_id: str) -> Session | None:
        """One session's facts, or ``None`` if there is no such session."""

    @abstractmethod
    def list(self, *, limit: int | None = None, offset: int = 0) -> list[Session]:
        """Sessions that are not hidden, last updated first; all of them without ``limit``."""

    @abstractmethod
    def count(self) -> int:
        """How many sessions `list` would give."""

    @abstractmethod
    def delete(self, session_id: str) -> bool:
        """Remove a session with its turns and index for good; False if there is none.

        Only our copy goes. A later sync does not bring it back.
        """

    @abstractmethod
    def search(self, text: str, *, limit: int = 50, before: int | None = None) -> SearchPage:
        """Turns that match a query (see `sparrow_tui.query`), newest first.

        Never fails for any text. ``before`` continues after an earlier page.
        """

    @abstractmethod
    def scroll(self, session_id: str, around: int, before: int, after: int) -> Window | None:
        """A window of ``before + 1 + after`` turns around a turn; ``None``: no such session.

        Any integers will do: the window is moved inside the session and refilled at both
        ends, so it is shorter only if the session is. Costs O(window).
        """

    @abstractmethod
    def recent_inputs(self, limit: int = 50) -> RecentInputs:
        """The newest distinct things people typed, newest first."""

    @abstractmethod
    def turns(self, session_id: str, start: int = 0, end: int | None = None) -> Iterator[Turn]:
        """Turns ``start`` .. ``end`` as a stream, in constant memory."""

    @abstractmethod
    def marks(self, session_id: str, start: int = 0, end: int | None = None) -> TurnMarks:
        """`TurnMark` of turns ``start`` .. ``end`` without reading their bodies."""

    @abstractmethod
    def version(self) -> int:
        """A number that changes when another connection has written."""

    @abstractmethod
    def interrupt(self) -> None:
        """Make a running query of this store raise `Interrupted`. Safe from any thread."""


def chunked(turns: Iterable[Turn], size: int) -> Iterator[list[Turn]]:
    """Turns in lists of at most ``size``."""
    chunk: list[Turn] = []
    for turn in turns:
        chunk.append(turn)
        if len(chunk) >= size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
