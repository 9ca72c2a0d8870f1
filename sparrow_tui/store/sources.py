"""What is remembered of the agents' files: how far each was read, and what went wrong."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from typing import Any

import apsw
import msgspec
import zstandard

from sparrow_tui.agents.base import Checkpoint, Source
from sparrow_tui.model import Coverage
from sparrow_tui.store import codec
from sparrow_tui.store.durations import ingested

_checkpoint = msgspec.msgpack.Decoder(Checkpoint).decode
_encode = msgspec.msgpack.Encoder().encode
_coverage = msgspec.json.Decoder(Coverage).decode

Key = tuple[str, str]
"""Agent's name and path."""
Known = dict[str, dict[str, str]]
"""Stamps of sources by agent and path."""

DAY = 86_400_000
BUSY = "busy"
"""In place of a source's stamp: its program kept it from being read. No stamp is so."""
REFUSED = "refused"
"""In place of a stamp: the system kept it from being read."""
TICK = 100
"""Milliseconds in which a file may change twice and look as if it had changed once: clocks of
files are coarse, and who watches them tells a little later."""


def known(db: apsw.Connection) -> Known:
    """The sources that were read and are not known to be gone."""
    following = "SELECT min(agent) FROM source WHERE agent > ? AND NOT gone"
    every = "SELECT path, stamp FROM source WHERE agent = ? AND NOT gone"
    found: Known = {}
    agent = ""
    while (agent := db.execute(following, (agent,)).get) is not None:
        found[agent] = dict(db.execute(every, (agent,)))
    return found


def changed(db: apsw.Connection, found: Iterable[Source]) -> list[Source]:
    """Those of some sources that are not as they were when they were read.

    A watcher tells of more than that: reading a database that its program has open is one of the
    things that look like writing to it.
    """
    now = int(time.time() * 1000)
    stamp = "SELECT stamp FROM source WHERE agent = ? AND path = ? AND NOT gone"
    return [
        source
        for source in found
        if abs(now - source.mtime) < TICK
        or db.execute(stamp, (source.agent, source.path)).get != source.stamp
    ]


def busy(db: apsw.Connection) -> list[str]:
    """Paths of sources whose programs kept them from being read."""
    rows = db.execute("SELECT path FROM source WHERE stamp = ? AND NOT gone", (BUSY,))
    return [path for (path,) in rows]


def any_read(db: apsw.Connection) -> bool:
    """Whether any source was ever read."""
    return db.execute("SELECT 1 FROM source LIMIT 1").get is not None


def checkpoint(db: apsw.Connection, key: Key) -> Checkpoint | None:
    """How far a source was read; ``None``: from the beginning, please.

    So it is with one that was gone: which of its sessions it has again is to be seen.
    """
    data = db.execute(
        "SELECT checkpoint FROM source WHERE agent = ? AND path = ? AND NOT gone", key
    ).get
    try:
        return _checkpoint(codec.unpack(data)) if data else None
    except (msgspec.MsgspecError, zstandard.ZstdError):
        return None


def reread_deleted(db: apsw.Connection) -> set[Key]:
    """Let sources of sessions the user deleted be read from their beginning; which these are."""
    rows = db.execute("SELECT DISTINCT agent, path FROM deleted WHERE path IS NOT NULL").fetchall()
    for key in rows:
        db.execute("UPDATE source SET checkpoint = NULL WHERE agent = ? AND path = ?", key)
    return set(rows)


def record(
    db: apsw.Connection,
    source: Source,
    mark: Checkpoint | None,
    problem: str = "",
    records: int = 0,
) -> None:
    """Write down that a source was read to its end, or that it could not be.

    Args:
        db: inside a transaction.
        source: as it was when it was found.
        mark: how far it was read.
        problem: why it could not be read.
        records: read of it this time.
    """
    now = int(time.time() * 1000)
    if not problem:
        before = db.execute(
            "SELECT size FROM source WHERE agent = ? AND path = ? AND checkpoint IS NOT NULL",
            (source.agent, source.path),
        ).get
        grown = source.size - before if before is not None else source.size
        ingested(
            db, source.agent, grown if grown >= 0 else source.size, records, now - source.mtime
        )
    db.execute(
        "INSERT INTO source(agent, path, stamp, size, mtime, kind, checkpoint, problem, read_at)"
        " VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT(agent, path) DO UPDATE SET"
        " stamp = excluded.stamp, size = excluded.size, mtime = excluded.mtime,"
        " kind = excluded.kind, checkpoint = excluded.checkpoint, problem = excluded.problem,"
        " read_at = excluded.read_at, gone = 0",
        (
            source.agent, source.path, source.stamp, source.size, source.mtime, source.kind,
            codec.pack(_encode(mark)) if mark else None, problem or None, now,
        ),
    )  # fmt: skip


def mark_gone(db: apsw.Connection, keys: Iterable[Key]) -> None:
    """The files of these sources were deleted; what was read from them stays."""
    for agent, path in keys:
        db.execute("UPDATE source SET gone = 1 WHERE agent = ? AND path = ?", (agent, path))
        db.execute(
            "UPDATE session SET source_gone = 1, expires_at = NULL WHERE agent = ? AND source = ?",
            (agent, path),
        )


def mark_emptied(db: apsw.Connection, session_id: str) -> None:
    """A session's source is there, and holds nothing of it any more."""
    db.execute("UPDATE session SET source_gone = 1, expires_at = NULL WHERE id = ?", (session_id,))


def below(db: apsw.Connection, path: str) -> list[Key]:
    """Sources that are a path, or in the directory it was; those known to be gone left out."""
    inside = path.rstrip(os.sep) + os.sep
    # Paths from "…/" to before "…0", the sign that follows the slash: all that begin so.
    rows = db.execute(
        "SELECT agent, path FROM source WHERE (path = ? OR path >= ? AND path < ?) AND NOT gone",
        (path, inside, inside[:-1] + chr(ord(os.sep) + 1)),
    ).fetchall()
    return [(agent, found) for agent, found in rows]


def mark_expiry(
    db: apsw.Connection, agent: str, days: int | None, paths: Iterable[str] | None = None
) -> None:
    """When the agent will delete the source of each of its sessions.

    Args:
        db: inside a transaction.
        agent: whose sessions.
        days: how long it keeps a source; ``None``: for ever.
        paths: the sources that changed; of the others nothing is new as long as the agent keeps
            sources as long as before. ``None``: look at all of them.
    """
    note = f"retention {agent}"
    kept = db.execute("SELECT value FROM note WHERE key = ?", (note,)).get
    if kept != (days or 0):
        db.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (note, days or 0))
        paths = None
    elif paths is not None and not (paths := list(paths)):
        return
    if days is None:
        db.execute(
            "UPDATE session SET expires_at = NULL WHERE agent = ? AND expires_at IS NOT NULL",
            (agent,),
        )
        return
    update = (
        "UPDATE session SET expires_at = at FROM (SELECT path, mtime + ? AS at FROM source"
        " WHERE agent = ? AND NOT gone{}) AS found WHERE session.agent = ?"
        " AND session.source = found.path AND NOT session.source_gone"
        " AND session.expires_at IS NOT found.at"
    )
    age = days * DAY
    if paths is None:
        db.execute(update.format(""), (age, agent, agent))
        return
    for path in paths:
        db.execute(update.format(" AND path = ?"), (age, agent, path, agent))


def note_unknown(db: apsw.Connection, source: Source, coverage: Coverage) -> None:
    """Remember kinds of record nobody told us about, with a place where one is."""
    for kind, number in coverage.unknown.items():
        where = coverage.examples.get(kind, "")
        place = f"{source.path}:{where}" if where.isdecimal() else f"{source.path} ({where})"
        db.execute(
            "INSERT INTO unknown_record VALUES (?,?,?,?) ON CONFLICT(agent, kind) DO UPDATE SET"
            " number = number + excluded.number",
            (source.agent, kind[:200], number, place if where else source.path),
        )


def report(db: apsw.Connection) -> dict[str, dict[str, Any]]:
    """For each agent: sources, bytes, problems, unknown kinds of record, sums of coverage."""
    agents: dict[str, dict[str, Any]] = {}
    for agent, number, size, gone in db.execute(
        "SELECT agent, count(*), sum(size), sum(gone) FROM source GROUP BY agent"
    ).fetchall():
        agents[agent] = {
            "sources": number, "bytes": size, "gone": gone, "problems": [], "unknown": [],
        }  # fmt: skip
    for agent, path, problem in db.execute(
        "SELECT agent, path, problem FROM source WHERE problem IS NOT NULL AND NOT gone"
        " ORDER BY agent, path"
    ).fetchall():
        agents[agent]["problems"].append({"path": path, "problem": problem})
    for agent, sessions, turns in db.execute(
        "SELECT agent, count(*), sum(turns) FROM session GROUP BY agent"
    ).fetchall():
        held = agents.setdefault(
            agent, {"sources": 0, "bytes": 0, "gone": 0, "problems": [], "unknown": []}
        )
        held["sessions"], held["turns"] = sessions, turns
    for agent, held in agents.items():
        total = Coverage()
        for (text,) in db.execute(
            "SELECT coverage FROM session WHERE agent = ? AND coverage IS NOT NULL", (agent,)
        ).fetchall():
            total.add(_coverage(text))
        held["coverage"] = msgspec.to_builtins(total)
        examples = dict(
            db.execute(
                "SELECT kind, example FROM unknown_record WHERE agent = ?", (agent,)
            ).fetchall()
        )
        held["unknown"] = [
            {"kind": kind, "number": number, "example": examples.get(kind[:200])}
            for kind, number in sorted(total.unknown.items(), key=lambda item: -item[1])
        ]
    return agents
