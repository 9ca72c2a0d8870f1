"""A query as questions to the index: an FTS5 expression, a range of row ids, a set of sessions."""

from __future__ import annotations

import time
from dataclasses import dataclass

import apsw

from sparrow_tui.query import Facet, Query, Term
from sparrow_tui.store import docid
from sparrow_tui.store.index import meta_word
from sparrow_tui.store.liveness import LIVE_AT

NAMED_SESSIONS = 300
"""Up to so many sessions are named in the expression; more are filtered from its results."""

_DAY = 86_400_000
_LIVE = f"({LIVE_AT.replace('?1', 'unixepoch() * 1000')})"
_IS = {
    "subagent": "parent IS NOT NULL",
    "live": _LIVE,
    "pinned": "pinned",
    "kept": "source_gone",
    "ghost": "ghost",
    "hidden": "hidden",
    "unread": _LIVE,
}
_NUMBERS = {
    "tokens": "(input + output + cache_read + cache_write)",
    "cost": "(coalesce(cost_micro, 0) / 1e6)",
    "turns": "turns",
}
_LIKE = {"project": "project", "branch": "branch", "model": "model", "status": "status"}


@dataclass(slots=True)
class Plan:
    """How a query is answered."""

    match: str = ""
    """FTS5 expression for the parts of the index; empty: no condition on turns."""
    title_match: str = ""
    """FTS5 expression for session titles; empty: titles do not matter."""
    low: int = 0
    high: int = (1 << 63) - 1
    """Row ids lie in ``low <= id < high``."""
    sids: frozenset[int] | None = None
    """Only these sessions; ``None``: any."""
    literals: tuple[str, ...] = ()
    """The text itself must hold each of these, whatever the case."""

    @property
    def on_turns(self) -> bool:
        """Whether single turns are asked for, not sessions as a whole."""
        return bool(self.match or self.literals)

    def allows(self, row_id: int) -> bool:
        """Whether a turn's session is among those wanted."""
        return self.sids is None or docid.sid_of(row_id) in self.sids


def plan(db: apsw.Connection, query: Query) -> Plan:
    """Work out how to answer a query."""
    result = Plan()
    wanted: list[str] = []
    unwanted: list[str] = []
    conditions: list[tuple[str, tuple[object, ...]]] = []
    hidden = False
    for facet in query.facets:
        words = _turn_words(facet)
        if words:
            (unwanted if facet.negated else wanted).append(words)
        elif facet.name in ("before", "after"):
            _limit(result, facet)
        else:
            hidden = hidden or (facet.name, facet.value) == ("is", "hidden")
            condition, values = _session_condition(facet)
            conditions.append((f"NOT ({condition})" if facet.negated else condition, values))
    literals: list[str] = []
    title = []
    for clause in query.clauses:
        literals.extend(term.literal for term in clause if term.literal and len(clause) == 1)
        indexed = [_term(term) for term in clause if term.phrases]
        if indexed:
            wanted.append(f"{{text files}} : ({' OR '.join(indexed)})")
            title.append(f"({' OR '.join(indexed)})")
    unwanted.extend(f"{{text files}} : ({_term(t)})" for t in query.excluded if t.phrases)
    result.literals = tuple(literals)
    if conditions or (not hidden and _any_hidden(db)):
        result.sids = _sessions(db, conditions, hidden)
    if wanted or unwanted or literals:
        if result.sids is not None and len(result.sids) <= NAMED_SESSIONS:
            names = " OR ".join(meta_word("s", sid) for sid in sorted(result.sids))
            wanted.append(f"{{meta}} : ({names or 'xnone'})")
        positive = " AND ".join(f"({part})" for part in wanted) or "({meta} : x *)"
        negative = " OR ".join(f"({part})" for part in unwanted)
        result.match = f"({positive}) NOT ({negative})" if negative else positive
    whole_session = not any(_turn_words(facet) for facet in query.facets)
    if title and whole_session and not unwanted and not literals:
        result.title_match = " AND ".join(title)
    return result


def _term(term: Term) -> str:
    """A word as FTS5 phrases. Tokens hold letters and digits only, so nothing needs escaping."""
    star = " *" if term.prefix else ""
    return "(" + " AND ".join(f'"{" ".join(phrase)}"{star}' for phrase in term.phrases) + ")"


def _turn_words(facet: Facet) -> str:
    """The expression for a facet that is about single turns; empty for the others."""
    if facet.name == "role":
        return f"{{meta}} : {meta_word('r', facet.value)}"
    if facet.name == "tool":
        return f"{{meta}} : {meta_word('t', facet.value)} *"
    if facet.name == "has" or (facet.name, facet.value) == ("is", "error"):
        return f"{{meta}} : {meta_word('f', facet.value)}"
    if facet.name == "file":
        from sparrow_tui.tokens import phrases

        found = phrases(facet.value.replace("*", " "))
        if found:
            return "{files} : " + _term(Term(facet.value, tuple(map(tuple, found))))
        return "{meta} : xnone"
    return ""


def _limit(result: Plan, facet: Facet) -> None:
    """Dates are ranges of row ids. A negated ``before`` is an ``after``."""
    bound = docid.at_or_after(int(facet.number))
    if (facet.name == "after") != facet.negated:
        result.low = max(result.low, bound)
    else:
        result.high = min(result.high, bound)


def _session_condition(facet: Facet) -> tuple[str, tuple[object, ...]]:
    """SQL for a facet about whole sessions."""
    name, value = facet.name, facet.value
    if name == "is":
        return _IS[value], ()
    if name in _NUMBERS:
        operator = "=" if facet.operator == "=" else facet.operator
        return f"{_NUMBERS[name]} {operator} ?", (facet.number,)
    if name == "expires":
        limit = int(time.time() * 1000 + facet.number * _DAY)
        return f"coalesce(expires_at {facet.operator} ?, 0) AND NOT source_gone", (limit,)
    if name == "agent":
        return "agent LIKE ? ESCAPE '\\'", (_pattern(value, "", "%"),)
    if name == "tag":
        return "coalesce(tags, '') LIKE ? ESCAPE '\\'", (_pattern(value, '%"', "%"),)
    if name == "session":
        return "id LIKE ? ESCAPE '\\'", (_pattern(value, "%", "%"),)
    return f"coalesce({_LIKE[name]}, '') LIKE ? ESCAPE '\\'", (_pattern(value, "%", "%"),)


def _pattern(value: str, before: str, after: str) -> str:
    for sign in "\\%_":
        value = value.replace(sign, f"\\{sign}")
    return before + value + after


def _any_hidden(db: apsw.Connection) -> bool:
    return db.execute("SELECT 1 FROM session WHERE hidden LIMIT 1").get is not None


def _sessions(
    db: apsw.Connection, conditions: list[tuple[str, tuple[object, ...]]], hidden: bool
) -> frozenset[int]:
    clauses = [condition for condition, _ in conditions]
    if not hidden:
        clauses.append("NOT hidden")
    values = [value for _, some in conditions for value in some]
    rows = db.execute(
        "SELECT sid FROM session WHERE " + " AND ".join(f"({clause})" for clause in clauses),
        tuple(values),
    )
    return frozenset(sid for (sid,) in rows.fetchall())
