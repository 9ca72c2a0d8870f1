"""What the app's threads and panes tell each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from textual.message import Message

from sparrow_tui.metrics.remote import Remote
from sparrow_tui.query import Problem, Query
from sparrow_tui.store.base import Session, SessionHit
from sparrow_tui.store.grouping import Group
from sparrow_tui.sync.progress import Progress


@dataclass
class Found(Message):
    """Results of a search, a stage at a time; later stages replace earlier ones."""

    generation: int
    text: str
    """What was typed."""
    query: Query
    """What was searched: with the nearest words, where some are nowhere."""
    sids: Sequence[int]
    """Every session found so far, in order."""
    groups: Sequence[Group] = ()
    """The groups they are in, if the list is grouped."""
    grouping: str = ""
    """What by."""
    details: Mapping[int, SessionHit] = field(default_factory=dict)
    """What the first rows show."""
    counts: Mapping[int, int] = field(default_factory=dict)
    hits: int = 0
    """Matching turns; a lower bound unless ``complete``."""
    complete: bool = True
    later: bool = False
    """A better answer to the same search than one told before."""
    refresh: bool = False
    """The same search again: the store has changed, or how the list is ordered."""
    notice: str = ""
    """A correction of what was typed."""
    problems: Sequence[Problem] = ()
    """Parts of the search that could not be used as typed."""
    took_ms: float = 0.0


@dataclass
class RowsFound(Message):
    """Details of rows that came into view."""

    generation: int
    details: Mapping[int, SessionHit]


@dataclass
class StoreChanged(Message):
    """Another process wrote to the store."""

    version: int

    def can_replace(self, message: Message) -> bool:
        """Only the last one of a burst matters."""
        return isinstance(message, StoreChanged)


@dataclass
class SessionFound(Message):
    """A session that was asked for by id or number."""

    session: Session
    turn: int | None
    focus: bool
    query: Query | None = None
    refresh: bool = False
    """The store changed while the session is shown."""

    @property
    def finds(self) -> bool:
        """Whether there are matches to be told of later."""
        return self.query is not None and bool(self.query.terms)


@dataclass
class SessionGone(Message):
    """A session that is shown is not in the store any more."""

    session_id: str


@dataclass
class MatchesFound(Message):
    """The turns of a session to show that a search finds."""

    session: Session
    query: Query
    turns: Sequence[int]


@dataclass
class EngineFailed(Message):
    """The store could not answer: one sentence."""

    sentence: str


@dataclass
class SyncTold(Message):
    """The import beside the app reports."""

    progress: Progress

    def can_replace(self, message: Message) -> bool:
        """Only the last one of a burst matters."""
        return isinstance(message, SyncTold)


@dataclass
class RemoteTold(Message):
    """Counters elsewhere have been asked for."""

    scope: str
    remote: Remote


@dataclass
class Call(Message):
    """Something to be done on the UI thread."""

    run: Callable[[], object]
