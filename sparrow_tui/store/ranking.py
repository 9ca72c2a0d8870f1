"""Which sessions answer a query best: a score from a bounded set of candidates."""

from __future__ import annotations

import heapq
import math
import time
from array import array
from dataclasses import dataclass, field

import apsw
import msgspec

from sparrow_tui.query import Query
from sparrow_tui.store import idents
from sparrow_tui.store.search_plan import Plan
from sparrow_tui.store.stream import Chunks, Stream

TOP = 40
"""Sessions that are put in order of score."""
SAID = 200
"""Newest prompts with the words that are looked at."""
SECONDS = 0.005
"""Of processor time: how long prompts with all words are looked for."""
PHRASE_SECONDS = 0.02
"""The same for those with the words in a row, which come first."""
FIRST_TEXTS = 150
"""Texts read for a stage where the index alone cannot answer."""


@dataclass(slots=True)
class Results:
    """Sessions that match, as far as they are known."""

    query: Query
    sids: array[int] = field(default_factory=lambda: array("q"))
    """In order."""
    best: dict[int, int] = field(default_factory=dict)
    """Row id of a session's newest or best hit; none for a title's match."""
    counts: dict[int, int] = field(default_factory=dict)
    """Matching turns by session, where known."""
    hits: int = 0
    complete: bool = True
    notice: str = ""
    settled: bool = False
    """The top stays as it is: what is still to come is the rest of the list, and counts."""


def ranked(db: apsw.Connection, steps: Plan, newest: Results, chunks: Chunks) -> Results:
    """The best sessions on top, the others as they were.

    Those whose id begins with the word come first, then those whose title or prompt holds the
    words in a row, whole words before a last word that goes on. Then counts, for those and for the
    sessions of the newest matches: words in the title, words in a prompt, the logarithm of the
    number of hits, and less by the logarithm of the age. Scoring the newest matches only costs
    nothing anybody can see in known item searches, and makes the cost independent of the archive's
    size.
    """
    best = dict(newest.best)
    scores = {sid: 0.6 * math.log1p(newest.counts.get(sid, 0)) for sid in newest.sids}
    for sid in titled(db, steps, steps.titled):
        scores[sid] = scores.get(sid, 0.0) + 2.0
    said: set[int] = set()
    for row_id in _prompts(db, steps, chunks, steps.said, "talk"):
        sid = chunks.sid_of(row_id)
        if sid and sid not in said:
            said.add(sid)
            best[sid] = row_id
            scores[sid] = scores.get(sid, 0.0) + 0.8
    for phrase, worth in ((steps.phrase, 100.0), (steps.growing, 20.0)):
        exact: dict[int, int] = dict.fromkeys(titled(db, steps, phrase), 0)
        for row_id in reversed(_prompts(db, steps, chunks, phrase, "prompt", PHRASE_SECONDS)):
            exact[chunks.sid_of(row_id)] = row_id
        exact.pop(0, None)
        for sid, row_id in exact.items():
            if row_id:
                best[sid] = row_id
            if scores.get(sid, 0.0) < worth:
                scores[sid] = scores.get(sid, 0.0) + worth
    for place, sid in enumerate(by_id(db, steps)):
        scores[sid] = 1_000_000.0 - 1_000 * place
    now = time.time() * 1000
    for sid, updated in _updated(db, scores).items():
        scores[sid] -= 0.45 * math.log1p(max(0.0, now - updated) / 86_400_000)
    top = heapq.nlargest(TOP, scores, key=lambda sid: (scores[sid], sid))
    order = dict.fromkeys([*top, *newest.sids, *scores])
    return Results(
        newest.query, array("q", order), best, newest.counts, newest.hits, newest.complete,
        settled=True,
    )  # fmt: skip


def titled(db: apsw.Connection, steps: Plan, match: str, most: int = 200) -> list[int]:
    """Sessions whose title, first prompt or place matches."""
    if not steps.titled or not match:
        return []
    rows = db.execute(
        "SELECT rowid FROM fts_title WHERE fts_title MATCH ? ORDER BY rowid DESC LIMIT ?",
        (match, most),
    ).fetchall()
    return steps.kept([sid for (sid,) in rows])


def by_id(db: apsw.Connection, steps: Plan) -> list[int]:
    """Sessions whose id begins with the word that is looked for."""
    return steps.kept(idents.found(db, steps.idents))


def _prompts(
    db: apsw.Connection,
    steps: Plan,
    chunks: Chunks,
    match: str,
    family: str,
    seconds: float = SECONDS,
) -> list[int]:
    """The newest prompts that match."""
    if not match:
        return []
    stream = Stream(
        db,
        steps,
        chunks,
        match=match,
        families=(family,),
        most=SAID,
        texts=FIRST_TEXTS,
        seconds=seconds,
    )
    return list(stream)


def _updated(db: apsw.Connection, sids: dict[int, float]) -> dict[int, int]:
    wanted = msgspec.json.encode(list(sids)).decode()
    rows = db.execute(
        "SELECT sid, coalesce(updated_at, 0) FROM session"
        " WHERE sid IN (SELECT value FROM json_each(?))",
        (wanted,),
    )
    return dict(rows.fetchall())
