"""Sums by hour, and of longer blocks of hours, kept as turns arrive: what charts are drawn from.

Hours (of UTC) are apart by agent, model and project at once. A chart over years would read very
many of them, so the same sums are also kept by days and by 32 days of UTC, apart by one label at
a time. Any span of hours, whatever zone its ends are midnights of, is a few such blocks with
hours at the edges: `pieces`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import apsw
import msgspec

FIELDS = (
    "turns", "requests", "request_errors", "input", "output", "cache_read", "cache_write",
    "reasoning", "tool_calls", "tool_errors", "cost_micro", "unpriced",
)  # fmt: skip
"""Columns that are summed."""
LABELS = ("agent", "model", "project")
"""What sums can be kept apart by, besides time and tool."""
BLOCKS = (768, 24)
"""Hours of the longer blocks, counted from the epoch; the larger is a multiple of the smaller."""
EVER = (-BLOCKS[0] << 40, BLOCKS[0] << 40)
"""First hour and end of all time."""

_COLUMNS = ", ".join(f"{name} INTEGER NOT NULL DEFAULT 0" for name in FIELDS)
TABLES = f"""
CREATE TABLE bucket(                -- sums by hour (Unix hours, UTC)
  hour INTEGER NOT NULL, agent TEXT NOT NULL, model TEXT NOT NULL, project TEXT NOT NULL,
  {_COLUMNS},
  PRIMARY KEY (hour, agent, model, project)
) WITHOUT ROWID;
CREATE TABLE tool_bucket(           -- tool calls by hour; errors by the hour of the call's answer
  hour INTEGER NOT NULL, agent TEXT NOT NULL, tool TEXT NOT NULL,
  calls INTEGER NOT NULL DEFAULT 0, errors INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (hour, agent, tool)
) WITHOUT ROWID;
CREATE TABLE block(                 -- the same sums by blocks of hours and one label
  hours INTEGER NOT NULL,           -- how long a block is: 24 or 768
  kind TEXT NOT NULL,               -- agent, model, project or tool
  no INTEGER NOT NULL,              -- Unix hour of its beginning / hours
  label TEXT NOT NULL,
  {_COLUMNS},
  PRIMARY KEY (hours, kind, no, label)
) WITHOUT ROWID;
"""
_MORE = ", ".join(f"{name} = {name} + excluded.{name}" for name in FIELDS)
_ADD = (
    f"INSERT INTO bucket VALUES ({', '.join('?' * (4 + len(FIELDS)))})"
    f" ON CONFLICT(hour, agent, model, project) DO UPDATE SET {_MORE}"
)
_ADD_TOOL = (
    "INSERT INTO tool_bucket VALUES (?,?,?,?,?) ON CONFLICT(hour, agent, tool)"
    " DO UPDATE SET calls = calls + excluded.calls, errors = errors + excluded.errors"
)
_ADD_BLOCK = (
    f"INSERT INTO block VALUES ({', '.join('?' * (4 + len(FIELDS)))})"
    f" ON CONFLICT(hours, kind, no, label) DO UPDATE SET {_MORE}"
)
_SUMS = ", ".join(f"sum({name})" for name in FIELDS)
_OF_TOOLS = {"tool_calls": "calls", "tool_errors": "errors"}

Key = tuple[int, str, str, str]
"""Hour, agent, model and project."""
ToolKey = tuple[int, str, str]
"""Hour, agent and tool."""


def add(
    db: apsw.Connection,
    sums: Mapping[Key, Sequence[int]],
    tools: Mapping[ToolKey, Sequence[int]] | None = None,
) -> None:
    """Add to the sums. Its caller holds the transaction.

    Args:
        db: the archive.
        sums: what is more, in the order of `FIELDS`.
        tools: calls and errors that are more.
    """
    blocks: dict[tuple[int, str, int, str], list[int]] = {}
    for (hour, *labels), values in sums.items():
        for hours in BLOCKS:
            for kind, label in zip(LABELS, labels, strict=True):
                held = blocks.setdefault((hours, kind, hour // hours, label), [0] * len(FIELDS))
                for place, value in enumerate(values):
                    held[place] += value
    calls, errors = FIELDS.index("tool_calls"), FIELDS.index("tool_errors")
    for (hour, _, tool), numbers in (tools or {}).items():
        for hours in BLOCKS:
            held = blocks.setdefault((hours, "tool", hour // hours, tool), [0] * len(FIELDS))
            held[calls] += numbers[0]
            held[errors] += numbers[1]
    if sums:
        db.executemany(_ADD, [(*key, *values) for key, values in sums.items()])
    if tools:
        db.executemany(_ADD_TOOL, [(*key, *numbers) for key, numbers in tools.items()])
    if blocks:
        db.executemany(_ADD_BLOCK, [(*key, *values) for key, values in blocks.items()])


def pieces(first: int, end: int, blocks: Sequence[int] = BLOCKS) -> Iterator[tuple[int, int, int]]:
    """The fewest blocks that make up the hours from ``first`` to before ``end``.

    Yields:
        How many hours the blocks have (1: hours themselves), the number of the first one, and
        the number after the last.
    """
    if first >= end:
        return
    if not blocks:
        yield 1, first, end
        return
    hours, *smaller = blocks
    low, high = -(-first // hours), end // hours
    if low >= high:
        yield from pieces(first, end, smaller)
        return
    yield from pieces(first, low * hours, smaller)
    yield hours, low, high
    yield from pieces(high * hours, end, smaller)


def read(
    db: apsw.Connection, spans: Sequence[tuple[int, int]], apart: str | None = None
) -> list[tuple[int, str, list[int]]]:
    """The sums of spans of hours.

    Args:
        db: the archive.
        spans: first hour and the hour after the last; `EVER`: of all time.
        apart: one of `LABELS`, or ``tool`` (calls and their errors only); ``None``: everything
            under the empty label.

    Returns:
        Place of the span, label, and sums in the order of `FIELDS`; nothing for what has none.
    """
    wanted = [(n, *piece) for n, span in enumerate(spans) for piece in pieces(*span)]
    kind = apart or "agent"
    label = "label" if apart else "''"
    hourly = _of_tools() if apart == "tool" else f"{kind} AS label, {', '.join(FIELDS)} FROM bucket"
    source, table = hourly.rsplit(" FROM ", 1)
    # CROSS JOIN keeps the pieces outside: each is one range of a primary key.
    rows = db.execute(
        "WITH piece AS MATERIALIZED (SELECT value ->> 0 AS place, value ->> 1 AS size,"
        " value ->> 2 AS low, value ->> 3 AS high FROM json_each(?))"
        f" SELECT place, {label}, {_SUMS} FROM ("
        f"SELECT place, label, {', '.join(FIELDS)} FROM piece CROSS JOIN block"
        " WHERE hours = size AND kind = ? AND no >= low AND no < high"
        f" UNION ALL SELECT place, {source} FROM piece CROSS JOIN {table}"
        " WHERE size = 1 AND hour >= low AND hour < high) GROUP BY 1, 2",
        (msgspec.json.encode(wanted).decode(), kind),
    ).fetchall()
    return [(place, name, values) for place, name, *values in rows]


def _of_tools() -> str:
    columns = ", ".join(f"{_OF_TOOLS.get(name, '0')} AS {name}" for name in FIELDS)
    return f"tool AS label, {columns} FROM tool_bucket"
