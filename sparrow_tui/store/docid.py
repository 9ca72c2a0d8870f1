"""Row ids of turns that sort by time, so that an index read backwards is newest-first.

A row id is a chunk's number and a place in the chunk (6 bits); a chunk holds up to 64 turns of
one session that follow each other within an hour, and its number is 256-second steps since
2010-01-01 UTC with 6 bits to tell apart chunks that begin in the same step. Ids are thus dense
where turns are: FTS5 stores the differences between them, and this makes its index half the size
of one with the time in full in every id (100,000 turns: 73 against 150 MB, 64 with 1, 2, 3…).
The table ``chunk`` says whose a chunk is.
"""

from __future__ import annotations

EPOCH = 1_262_304_000
"""2010-01-01T00:00:00Z in Unix seconds; earlier times count as this."""
STEP = 256
"""Seconds that share a range of chunk numbers."""
STEP_BITS = 6
PLACE_BITS = 6
PLACES = 1 << PLACE_BITS
"""Turns of a chunk."""
SPAN = 3600
"""Seconds after its first turn during which a chunk takes more turns."""
SLACK_MS = (SPAN + 86_400) * 1000
"""How far a turn's time may be from what its id says: a crowded step's chunks go to later ones."""
END = (1 << 63) - 1
"""Above every id."""


def second_of(time_ms: int) -> int:
    """Seconds since `EPOCH`."""
    return min(max(time_ms // 1000 - EPOCH, 0), (1 << 40) - 1)


def first_chunk(second: int) -> int:
    """The lowest number of a chunk that begins then."""
    return second // STEP << STEP_BITS


def chunk_of(docid: int) -> int:
    """The number of the chunk an id is in."""
    return docid >> PLACE_BITS


def first_of(chunk: int) -> int:
    """The first id of a chunk."""
    return chunk << PLACE_BITS


def at(time_ms: int) -> int:
    """The lowest id of a chunk that begins then."""
    return first_of(first_chunk(second_of(time_ms)))


def last_at(time_ms: int) -> int:
    """The highest id of a chunk that begins in the same `STEP`."""
    return first_of(first_chunk(second_of(time_ms)) + (1 << STEP_BITS)) - 1
