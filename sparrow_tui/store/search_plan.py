"""A query as questions to the index: an FTS5 expression, a range of row ids, a set of sessions."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import apsw
import msgspec

from sparrow_tui import tokens
from sparrow_tui.query import Facet, Query, Term
from sparrow_tui.store import docid, idents
from sparrow_tui.store.flags import Flag
from sparrow_tui.store.liveness import LIVE_AT
from sparrow_tui.store.turn_words import FILE, FLAG_WORDS, meta_word

NAMED_SESSIONS = 300
"""Up to so many sessions are named in the expression; more are filtered from its results."""
GROWING = 3
"""Letters of a last word from which on prompts are searched for words that begin so."""
NOTHING = f'"{meta_word("n", "")}"'
"""Matches no turn."""

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

_integers = msgspec.json.Decoder(list[int]).decode

Condition = tuple[str, tuple[object, ...]]
"""SQL about a row of ``session``, and its values."""
NOT_HIDDEN: Condition = ("hidden = 0", ())
Sessions = Callable[[tuple[Condition, ...]], frozenset[int]]
"""Gives the numbers of the sessions for which all conditions hold."""


@dataclass(slots=True)
class Plan:
    """How a query is answered."""

    match: str = ""
    """FTS5 expression for the parts of the index; empty: no condition the index knows."""
    said: str = ""
    """``match``, of prompts only."""
    phrase: str = ""
    """FTS5 expression for prompts and titles that hold the words in a row."""
    growing: str = ""
    """The same with a last word that may go on."""
    titled: str = ""
    """FTS5 expression for session titles; empty: titles do not matter."""
    idents: tuple[str, ...] = ()
    """Words that may be the beginning of a session's id."""
    low: int = 0
    high: int = docid.END
    """Row ids lie in ``low <= id < high``, which is wider than the times asked for."""
    since: int | None = None
    until: int | None = None
    """Times of turns lie in ``since <= time < until``, milliseconds."""
    conditions: tuple[Condition, ...] = ()
    """What must be true of a session."""
    sids: frozenset[int] | None = None
    """Only these sessions; ``None``: any."""
    without: frozenset[int] = frozenset()
    """Not these sessions."""
    checks: tuple[tuple[Term, ...], ...] = ()
    """Of each clause the text itself must hold one."""
    refusals: tuple[Term, ...] = ()
    """The text must hold none of these."""

    @property
    def on_turns(self) -> bool:
        """Whether single turns are asked for, not sessions as a whole."""
        return bool(self.match or self.checks or self.refusals)

    @property
    def reads_texts(self) -> bool:
        """Whether the index alone cannot answer."""
        return bool(self.checks or self.refusals)

    @property
    def dated(self) -> bool:
        """Whether times are limited."""
        return self.since is not None or self.until is not None

    def allows(self, sid: int) -> bool:
        """Whether a session is among those wanted."""
        return (self.sids is None or sid in self.sids) and sid not in self.without

    def kept(self, sids: Collection[int]) -> list[int]:
        """Those of the sessions that are wanted, in their order."""
        return [sid for sid in sids if self.allows(sid)]


def plan(query: Query, sessions: Sessions, *, glances: bool = False) -> Plan:
    """Work out how to answer a query.

    Args:
        query: what is asked.
        sessions: looks up which sessions fulfil conditions; may remember.
        glances: whether parts of the index are of glances, which have no joined words.
    """
    result = Plan()
    if glances:
        query = _apart(query)
    wanted: list[str] = []
    unwanted: list[str] = []
    conditions: list[Condition] = []
    hidden = on_turn = False
    for facet in query.facets:
        words = turn_words(facet)
        if words:
            on_turn = True
            (unwanted if facet.negated else wanted).append(words)
        elif facet.name in ("before", "after"):
            _limit(result, facet)
        else:
            hidden = hidden or (facet.name, facet.value, facet.negated) == ("is", "hidden", False)
            condition, values = session_condition(facet)
            conditions.append((f"NOT ({condition})" if facet.negated else condition, values))
    checks: list[tuple[Term, ...]] = []
    for clause in query.clauses:
        if not all(term.exact for term in clause):
            checks.append(clause)
        if all(term.units for term in clause):
            wanted.append(" OR ".join(_units(term) for term in clause))
    unwanted.extend(_units(term) for term in query.excluded if term.exact)
    result.refusals = tuple(term for term in query.excluded if not term.exact)
    result.checks = tuple(checks)
    result.conditions = (*conditions, *([] if hidden else [NOT_HIDDEN]))
    if not (wanted or unwanted or checks or result.refusals):
        return result  # sessions as a whole: nobody needs their numbers beforehand
    if conditions:
        result.sids = sessions(tuple(conditions))
    if not hidden:
        result.without = sessions((("hidden = 1", ()),))
    if wanted or unwanted:
        if result.sids is not None and len(result.sids) <= NAMED_SESSIONS:
            names = (f'"{meta_word("s", sid)}"' for sid in sorted(result.sids))
            wanted.append(" OR ".join(names) or NOTHING)
        positive = " AND ".join(f"({part})" for part in wanted) or f'"{meta_word("r", "")}" *'
        negative = " OR ".join(f"({part})" for part in unwanted)
        result.match = f"({positive}) NOT ({negative})" if negative else positive
    if result.match and query.clauses:
        result.said = f'({result.match}) AND "{FLAG_WORDS[int(Flag.PROMPT)]}"'
    if not (on_turn or query.excluded or result.dated):
        result.idents = idents.words(query)
    worded = all(term.phrases and not term.literal for term in query.terms)
    if query.clauses and worded and not (on_turn or query.excluded):
        _titles(result, query)
    return result


def _apart(query: Query) -> Query:
    """A query whose joined words are looked for in their pieces, and then in the texts."""
    return replace(
        query,
        clauses=tuple(tuple(map(_in_pieces, clause)) for clause in query.clauses),
        excluded=tuple(map(_in_pieces, query.excluded)),
    )


def _in_pieces(term: Term) -> Term:
    if not any(tokens.JOINER in unit for unit, _ in term.units):
        return term
    return replace(term, exact=False, joined=True)


def _titles(result: Plan, query: Query) -> None:
    """Expressions for the indexes that know phrases: titles, and what people typed."""
    if not result.dated:
        clauses = [" OR ".join(_phrases(term) for term in clause) for clause in query.clauses]
        result.titled = " AND ".join(f"({clause})" for clause in clauses)
    if any(len(clause) > 1 for clause in query.clauses):
        return
    words = [token for term in query.terms for phrase in term.phrases for token in phrase]
    if all(token[0].isalnum() for token in words):
        result.phrase = f'"{" ".join(words)}"'
        if query.terms[-1].prefix and len(words[-1]) >= GROWING:
            result.growing = f"{result.phrase} *"


def _units(term: Term) -> str:
    """A term's index words. They hold letters and digits only, so nothing needs escaping."""
    units = tokens.apart(term.units) if term.joined else term.units
    parts = [f'"{unit}" *' if goes_on else f'"{unit}"' for unit, goes_on in units]
    return "(" + " AND ".join(parts) + ")"


def _phrases(term: Term) -> str:
    """A term for an index that knows phrases."""
    star = " *" if term.prefix else ""
    return "(" + " AND ".join(f'"{" ".join(phrase)}"{star}' for phrase in term.phrases) + ")"


def turn_words(facet: Facet) -> str:
    """The expression for a facet that is about single turns; empty for the others."""
    if facet.name == "role":
        return f'"{meta_word("r", facet.value)}"'
    if facet.name == "tool":
        return f'"{meta_word("t", facet.value)}" *'
    if facet.name == "has" or (facet.name, facet.value) == ("is", "error"):
        return f'"{meta_word("f", facet.value)}"'
    if facet.name == "file":
        found = tokens.units(facet.value.replace("*", " "))
        parts = [f'"{FILE}{unit}" *' if more else f'"{FILE}{unit}"' for unit, more in found]
        return " AND ".join(parts) or NOTHING
    return ""


def _limit(result: Plan, facet: Facet) -> None:
    """Dates are ranges of row ids. A negated ``before`` is an ``after``."""
    moment = int(facet.number)
    if (facet.name == "after") != facet.negated:
        result.since = max(result.since or 0, moment)
        result.low = docid.at(result.since - docid.SLACK_MS)
    else:
        result.until = moment if result.until is None else min(result.until, moment)
        result.high = docid.at(result.until + docid.SLACK_MS)


def session_condition(facet: Facet) -> Condition:
    """SQL for a facet about whole sessions."""
    name, value = facet.name, facet.value
    if name == "is":
        return _IS[value], ()
    if name in _NUMBERS:
        return f"{_NUMBERS[name]} {facet.operator} ?", (facet.number,)
    if name == "expires":
        limit = int(time.time() * 1000 + facet.number * _DAY)
        return f"coalesce(expires_at {facet.operator} ?, 0) AND NOT source_gone", (limit,)
    if name == "agent":
        # Its whole name, if there is such an agent: claude is not also claude_ai.
        return (
            "agent = ? OR agent LIKE ? ESCAPE '\\'"
            " AND NOT EXISTS (SELECT 1 FROM session WHERE agent = ?)"
        ), (value.lower(), _pattern(value, "", "%"), value.lower())
    if name == "tag":
        return "coalesce(tags, '') LIKE ? ESCAPE '\\'", (_pattern(value, '%"', "%"),)
    if name == "session":
        return "id LIKE ? ESCAPE '\\'", (_pattern(value, "%", "%"),)
    return f"coalesce({_LIKE[name]}, '') LIKE ? ESCAPE '\\'", (_pattern(value, "%", "%"),)


def _pattern(value: str, before: str, after: str) -> str:
    for sign in "\\%_":
        value = value.replace(sign, f"\\{sign}")
    return before + value + after


def sessions_with(db: apsw.Connection, conditions: tuple[Condition, ...]) -> frozenset[int]:
    """The numbers of the sessions for which all conditions hold."""
    values = tuple(value for _, some in conditions for value in some)
    where = " AND ".join(f"({condition})" for condition, _ in conditions)
    # One text instead of rows: a row costs more to fetch than to find.
    text = db.execute(f"SELECT json_group_array(sid) FROM session WHERE {where}", values).get
    return frozenset(_integers(text))
