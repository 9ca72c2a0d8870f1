"""Sessions by the beginning of their id: what a person pastes from a log or another program."""

from __future__ import annotations

import apsw

from sparrow_tui.query import Query
from sparrow_tui.sanitize import clean_line
from sparrow_tui.store.base import Hit, Session

LEAST = 8
"""Characters from which on a word may be the beginning of an id: the first group of a UUID."""
MOST = 20
"""Sessions with one such beginning that are looked at."""

# Agents by hops through an index and ids by ranges of another: no look at every session.
_FIND = """
WITH RECURSIVE named(agent) AS (
  SELECT min(agent) FROM session
  UNION ALL
  SELECT (SELECT min(agent) FROM session WHERE agent > named.agent) FROM named
  WHERE named.agent IS NOT NULL
), start(word) AS (
  SELECT ?1 UNION ALL SELECT agent || ':' || ?1 FROM named WHERE agent IS NOT NULL
)
SELECT sid FROM start CROSS JOIN session ON id >= word AND id < word || char(1114111)
ORDER BY length(id), updated_at DESC, sid DESC LIMIT ?2
"""


def words(query: Query) -> tuple[str, ...]:
    """The words of a query that may be the beginning of an id, one of which is enough."""
    if len(query.clauses) != 1:
        return ()
    return tuple(term.text for term in query.terms if _may_begin(term.text))


def _may_begin(word: str) -> bool:
    own = word.partition(":")[2] or word
    return len(own) >= LEAST and any(map(str.isdigit, own)) and not any(map(str.isspace, own))


def found(db: apsw.Connection, beginnings: tuple[str, ...]) -> list[int]:
    """Numbers of the sessions whose id, or whose agent's own id, begins so; whole ids first."""
    sids: dict[int, None] = {}
    for word in beginnings:
        for spelling in dict.fromkeys((word, word.lower())):
            rows = db.execute(_FIND, (spelling, MOST)).fetchall()
            sids.update((sid, None) for (sid,) in rows)
    return [*sids]


def hit(session: Session, beginnings: tuple[str, ...]) -> Hit | None:
    """How a list shows that a session's id begins as was typed, if it does."""
    for word in beginnings:
        for start in (0, session.id.find(":") + 1):
            if session.id.startswith((word, word.lower()), start):
                text, spans = clean_line(session.id), [(start, start + len(word))]
                return Hit(
                    session.id, session.sid, -1, "", session.updated_at, session.title, text, spans
                )
    return None
