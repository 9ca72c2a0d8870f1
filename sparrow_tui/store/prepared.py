"""What a worker process hands the writer: parts of sessions, ready for the tables."""

from __future__ import annotations

import msgspec

from sparrow_tui.agents.base import Batch, Checkpoint, Source
from sparrow_tui.model import Coverage, SessionInfo, Text, Turn
from sparrow_tui.scrub import scrubbed
from sparrow_tui.store import codec
from sparrow_tui.store.index import family_of

MOST_MET = 100_000
"""Words remembered as met before."""


class Glances(msgspec.Struct, tag=True):
    """What was said in the sessions of some sources."""

    sources: int
    part: bytes
    """See `glance_parts.build`."""
    done: bool = True
    """Nothing more comes of these sources."""


class Prepared(msgspec.Struct, kw_only=True, tag=True):
    """Part of one session from one source, encoded."""

    source: Source | None = None
    """``None`` for turns given through the API rather than read from a file."""
    session: SessionInfo | None = None
    """``None`` if this only says how far the source was read."""
    start: int = 0
    rows: list[codec.Row] = []
    coverage: Coverage = msgspec.field(default_factory=Coverage)
    fresh: bool = False
    sliding: bool = False
    checkpoint: Checkpoint | None = None
    done: bool = False
    """The source was read to its end: its stamp and checkpoint may be recorded."""
    problem: str = ""
    """Why the source could not be read, one sentence."""


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Prepared | Glances).decode


def prepare(
    batch: Batch,
    source: Source | None = None,
    *,
    put_off_output: bool = False,
    met: set[str] | None = None,
) -> Prepared:
    """Encode a reader's batch.

    Args:
        batch: part of a session.
        source: where it is from.
        put_off_output: leave words of what tools do for later (`store.deferred`).
        met: words prepared before for the same archive, and written by the same call of
            `Writer.write` or an earlier one; grows.
    """
    return Prepared(
        source=source,
        session=scrubbed(batch.session),
        start=batch.start,
        rows=rows(batch.turns, sliding=batch.sliding, put_off_output=put_off_output, met=met),
        coverage=batch.coverage,
        fresh=batch.fresh,
        sliding=batch.sliding,
        checkpoint=_storable(batch.checkpoint),
    )


def _storable(mark: Checkpoint | None) -> Checkpoint | None:
    """A checkpoint that can be kept: its state may quote what the source says."""
    try:
        encode(mark)
    except (UnicodeEncodeError, OverflowError):
        return scrubbed(mark)
    return mark


def rows(
    turns: list[Turn],
    *,
    sliding: bool = False,
    put_off_output: bool = False,
    met: set[str] | None = None,
) -> list[codec.Row]:
    """Turns as rows. Sliding sources restamp their turns, so times stay out of the digest."""
    met = set() if met is None else met
    if len(met) > MOST_MET:
        met.clear()
    if sliding:
        return [_without_time_in_digest(turn, met) for turn in turns]
    return [_row(turn, met, to_index=not put_off_output or _talks(turn)) for turn in turns]


def _row(turn: Turn, met: set[str], *, to_index: bool = True) -> codec.Row:
    talk = family_of(turn.role) == "talk"
    return codec.encode(turn, to_index=to_index, met=met if talk else None)


def _talks(turn: Turn) -> bool:
    """Whether something is said in a turn: what tools are asked and answer can wait."""
    if turn.role != "assistant":
        return turn.role != "tool"
    return any(isinstance(block, Text) for block in turn.blocks)


def _without_time_in_digest(turn: Turn, met: set[str]) -> codec.Row:
    if turn.time is None:
        return _row(turn, met)
    plain = codec.encode(msgspec.structs.replace(turn, time=None), to_index=False)
    return msgspec.structs.replace(_row(turn, met), digest=plain.digest)
