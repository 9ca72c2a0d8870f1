"""A session's own row while it is written to: read, and stored again with what was learned."""

from __future__ import annotations

import os
from collections.abc import Sequence

import apsw
import msgspec

from sparrow_tui.agents.common import title_of
from sparrow_tui.model import Block, Coverage, SessionInfo, Text, Usage
from sparrow_tui.store import codec
from sparrow_tui.store.codec import Row
from sparrow_tui.store.flags import Flag
from sparrow_tui.store.prepared import Prepared
from sparrow_tui.store.sums import OpenSession

_PROMPT = int(Flag.PROMPT)
_coverage = msgspec.json.Decoder(Coverage).decode


def load(db: apsw.Connection, info: SessionInfo, *, create: bool) -> OpenSession | None:
    """The session of an id, with what its reader says of it; ``None`` if there is none."""
    row = db.execute(
        "SELECT sid, id, agent, project, branch, model, turns, input, output, cache_read,"
        " cache_write, reasoning, requests, request_errors, tool_calls, tool_errors,"
        " cost_micro, unpriced, chars, lines, created_at, updated_at, title, prompt, source,"
        " ghost, coverage IS NULL FROM session WHERE id = ?",
        (info.id,),
    ).fetchone()
    if row is not None:
        held = (*row[:7], Usage(*row[7:12]), *row[12:])
        session = OpenSession(*held)
        session.indexed = (session.title, session.prompt, session.project)
    elif create:
        sid = db.execute("SELECT coalesce(max(sid), 0) + 1 FROM session").get
        db.execute(
            "INSERT INTO session(sid, id, agent) VALUES (?, ?, ?)", (sid, info.id, info.agent)
        )
        session = OpenSession(sid, info.id, info.agent, None, None, None)
    else:
        return None
    session.project = info.project or session.project
    session.branch = info.branch or session.branch
    session.model = info.model or session.model
    session.own_cost = info.cost_micro
    return session


def note_turn(session: OpenSession, row: Row) -> None:
    """Learn the session's times and first prompt from a turn."""
    note_time(session, row.time)
    if row.flags & _PROMPT and row.role == "user" and _says_little(session.prompt):
        note_prompt(session, codec.decode(row.body).blocks)


def note_time(session: OpenSession, moment: int | None) -> None:
    """Learn the session's times from a turn's."""
    if moment is not None:
        session.created_at = min(session.created_at or moment, moment)
        session.updated_at = max(session.updated_at or moment, moment)


def note_prompt(session: OpenSession, blocks: Sequence[Block]) -> None:
    """Learn what the session may be called from something its user typed."""
    if _says_little(session.prompt):
        said = [block.text for block in blocks if isinstance(block, Text)]
        session.prompt = title_of("\n".join(said)) or session.prompt


def note_facts(session: OpenSession, info: SessionInfo) -> None:
    """Learn the session's times from its reader."""
    if info.created_at is not None:
        session.created_at = info.created_at
    if info.updated_at is not None:
        session.updated_at = max(session.updated_at or 0, info.updated_at)


def store_facts(db: apsw.Connection, session: OpenSession, item: Prepared) -> None:
    """Write down what the reader says about the session.

    Of a session that was only glanced at, a part without turns does not say how much was read.
    """
    info = item.session
    assert info is not None
    coverage: Coverage | None = item.coverage
    if session.glanced:
        coverage = None
    elif not item.fresh:
        kept = db.execute("SELECT coverage FROM session WHERE sid = ?", (session.sid,)).get
        if kept:
            coverage = _coverage(kept)
            coverage.add(item.coverage)
    told = item.source is not None and (item.rows or item.fresh)
    held = session.source
    source = item.source.path if item.source is not None and told else held
    if held and held != source and not session.ghost and os.path.exists(held):
        source = held  # a copy elsewhere does not take the original's place
    session.title = session.title if info.title is None else info.title
    db.execute(
        "UPDATE session SET title = ?, project = ?, branch = ?, model = ?,"
        " status = coalesce(?, status), parent = coalesce(?, parent),"
        " parent_tool_use = coalesce(?, parent_tool_use), coverage = ?,"
        " source = ?, source_gone = source_gone AND NOT ?, ghost = ?,"
        " extra = json_patch(coalesce(extra, '{}'), ?) WHERE sid = ?",
        (
            session.title, session.project, session.branch, session.model,
            info.status if item.rows or not item.fresh else None,  # without turns it says nothing
            info.parent, info.parent_tool_use,
            None if coverage is None else msgspec.json.encode(coverage).decode(),
            source, bool(told) or (item.source is not None and item.source.path == held),
            info.ghost if told else session.ghost,
            msgspec.json.encode(info.extra).decode(), session.sid,
        ),
    )  # fmt: skip


def store_sums(db: apsw.Connection, session: OpenSession) -> None:
    """Write down what its turns add up to."""
    usage = session.usage
    db.execute(
        "UPDATE session SET turns = ?, input = ?, output = ?, cache_read = ?, cache_write = ?,"
        " reasoning = ?, requests = ?, request_errors = ?, tool_calls = ?, tool_errors = ?,"
        " cost_micro = ?, unpriced = ?, chars = ?, lines = ?, created_at = ?, updated_at = ?,"
        " prompt = ? WHERE sid = ?",
        (
            session.turns, usage.input, usage.output, usage.cache_read, usage.cache_write,
            usage.reasoning, session.requests, session.request_errors, session.tool_calls,
            session.tool_errors, session.cost_micro, session.unpriced, session.chars,
            session.lines, session.created_at, session.updated_at or session.created_at,
            session.prompt, session.sid,
        ),
    )  # fmt: skip


def _says_little(prompt: str | None) -> bool:
    """Whether a session should rather be called by a later prompt: by none yet, or a command."""
    return not prompt or (prompt.startswith("/") and " " not in prompt and "." not in prompt)
