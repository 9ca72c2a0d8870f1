"""What an export is made from: a session's facts and its turns, read as they are written out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sparrow_tui.model import Turn
from sparrow_tui.store.base import Session
from sparrow_tui.store.sqlite import SqliteStore


@dataclass(slots=True)
class Excerpt:
    """A session, or a range of its turns, to be written out."""

    session: Session
    start: int
    """``turn_index`` of the first turn."""
    end: int
    """One more than that of the last."""
    turns: Callable[[], Iterator[Turn]]
    """The turns as a stream, in constant memory; may be asked for more than once."""
    picture: Callable[[str], tuple[str, bytes] | None] = lambda ref: None
    """Media type and bytes of a picture the store keeps, by its reference."""
    notes: list[str] = field(default_factory=list)
    """Sentences for the user, complete once everything is written."""

    @property
    def whole(self) -> bool:
        """Whether nothing of the session is left out."""
        return self.start == 0 and self.end >= self.session.turns


def excerpt(
    store: SqliteStore, session: Session, start: int = 0, end: int | None = None
) -> Excerpt:
    """Turns ``start`` .. ``end`` of a session in a store; without ``end``, to its last turn."""
    store.places.frugal()  # a session of any size passes through
    stop = session.turns if end is None else min(end, session.turns)
    return Excerpt(
        session=session,
        start=start,
        end=stop,
        turns=lambda: store.turns(session.id, start, stop),
        picture=store.reader.attachment,
    )
