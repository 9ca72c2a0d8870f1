"""Row ids of turns that sort by time, so that an index read backwards is newest-first.

31 bits of seconds since 2010-01-01 UTC, 22 bits of session number, 10 bits that tell apart
turns of one session in one second: 63 bits, always positive. The session is read off the id
without a join.
"""

from __future__ import annotations

EPOCH = 1_262_304_000
"""2010-01-01T00:00:00Z in Unix seconds; earlier times count as this."""
SID_BITS = 22
SLOT_BITS = 10
SLOTS = 1 << SLOT_BITS
MAX_SID = (1 << SID_BITS) - 1
_SHIFT = SID_BITS + SLOT_BITS
MAX_SECOND = (1 << 31) - 1


def first(time_ms: int | None, sid: int) -> int:
    """The lowest id of a session in the second of ``time_ms``."""
    second = 0 if time_ms is None else min(max(time_ms // 1000 - EPOCH, 0), MAX_SECOND)
    return (second << _SHIFT) | (sid << SLOT_BITS)


def following(docid: int) -> int:
    """The next id of the same session: the next slot, or the next second's first."""
    if (docid + 1) & (SLOTS - 1):
        return docid + 1
    return ((docid >> _SHIFT) + 1 << _SHIFT) | (sid_of(docid) << SLOT_BITS)


def last_of_second(docid: int) -> int:
    """The highest id of the same session in the same second."""
    return docid | (SLOTS - 1)


def sid_of(docid: int) -> int:
    """The session number inside an id."""
    return (docid >> SLOT_BITS) & MAX_SID


def time_of(docid: int) -> int:
    """The time inside an id, in milliseconds since the Unix epoch, to the second."""
    return ((docid >> _SHIFT) + EPOCH) * 1000


def at_or_after(time_ms: int) -> int:
    """The lowest id any session can have at that time: for date ranges."""
    return first(time_ms, 0)
