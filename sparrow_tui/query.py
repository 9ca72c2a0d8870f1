"""The search language: typed text → a query that any engine can answer. Never fails.

Words are prefixes and all must be there; ``"…"`` is an exact phrase, ``-`` leaves out, ``OR``
joins alternatives, ``name:value`` are facets, ``sort:`` sets the order.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from sparrow_tui import query_facets as facets
from sparrow_tui import tokens
from sparrow_tui.query_facets import FACETS, SORTS, Facet

__all__ = ["EXAMPLES", "FACETS", "SORTS", "Facet", "Problem", "Query", "Term", "highlight", "parse"]

EXAMPLES = (
    ("retry backoff", "both words, each a prefix"),
    ('"exact phrase"', "these words in a row"),
    ("-word  a OR b", "without; one or the other"),
    ("agent:claude", "also project: branch: model: tag:"),
    ("role:user tool:bash", "who spoke, which tool"),
    ("file:client.py", "files that tools touched"),
    ("is:error has:image", "also is:subagent is:live is:pinned is:kept"),
    ("after:2d before:2026-10", "dates, or how long ago"),
    ("cost:>1 tokens:>50k", "also turns:>100 expires:<7d"),
    ("sort:best", "also new, old, long, cost"),
    ("5eed4abc-9def", "a session's id, or its first 8 characters or more"),
)
"""What can be typed, for the help page."""

MAX_TERMS = 24
"""Words of a query that count; more are said to be left out."""

_PART = re.compile(
    r"""(?P<space>\s+)
      | (?P<minus>-?)(?P<name>[A-Za-z]+):(?P<value>"[^"]*"?|[^\s"]*)
      | (?P<not>-?)"(?P<phrase>[^"]*)"?
      | (?P<word>\S+)""",
    re.VERBOSE,
)
# Signs the index drops but a person means: C++, c#, 100%, $HOME, a->b.
_MEANT = re.compile(r"[+#%$&*@^~=<>|\\]")


@dataclass(frozen=True, slots=True)
class Term:
    """One word or phrase."""

    text: str
    phrases: tuple[tuple[str, ...], ...]
    """Index tokens: every phrase must be there."""
    prefix: bool = True
    """Whether the last token of each phrase may go on."""
    literal: str = ""
    """If not empty: the text itself must hold this, whatever the case."""
    units: tuple[tuple[str, bool], ...] = ()
    """Index words that are all in every text that holds the term; whether each may go on."""
    exact: bool = False
    """Whether a turn with all the units surely holds the term; else its text decides."""
    joined: bool = False
    """Whether the text must be looked at for joined units: the index has not all of them."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A part of the query that could not be used as typed."""

    start: int
    end: int
    message: str


@dataclass(frozen=True, slots=True)
class Span:
    """What a part of the typed text was taken for."""

    start: int
    end: int
    kind: str
    """``word``, ``phrase``, ``operator``, ``facet``, ``negation`` or ``problem``."""


@dataclass(frozen=True, slots=True)
class Query:
    """A search, engine-neutral."""

    text: str
    clauses: tuple[tuple[Term, ...], ...] = ()
    """All clauses must hold; a clause holds if one of its terms does."""
    excluded: tuple[Term, ...] = ()
    facets: tuple[Facet, ...] = ()
    sort: str = ""
    """One of `SORTS`, or empty: newest first, then the best on top."""
    problems: tuple[Problem, ...] = ()
    spans: tuple[Span, ...] = ()

    @property
    def terms(self) -> list[Term]:
        """The words and phrases that are looked for."""
        return [term for clause in self.clauses for term in clause]

    @property
    def is_empty(self) -> bool:
        """Whether every session answers it."""
        return not (self.clauses or self.excluded or self.facets)


def parse(text: str, now_ms: int | None = None) -> Query:
    """Understand a typed text.

    Args:
        text: anything at all.
        now_ms: the present, for relative dates; milliseconds since the epoch.
    """
    now = int(time.time() * 1000) if now_ms is None else now_ms
    clauses: list[list[Term]] = []
    excluded: list[Term] = []
    found: list[Facet] = []
    problems: list[Problem] = []
    spans: list[Span] = []
    sort = ""
    joining = False
    for match in _PART.finditer(text):
        start, end = match.span()
        if match["space"] is not None:
            continue
        if match["name"] is not None:
            name = match["name"].lower()
            facet = facets.read(name, match["value"], bool(match["minus"]), now)
            if isinstance(facet, Facet):
                spans.append(Span(start, end, "facet"))
                if facet.name == "sort":
                    sort = facet.value
                else:
                    found.append(facet)
                continue
            if isinstance(facet, str):
                if facet:
                    problems.append(Problem(start, end, facet))
                spans.append(Span(start, end, "problem" if facet else "facet"))
                continue
        if match["word"] == "OR" and clauses and text[end:].strip():
            spans.append(Span(start, end, "operator"))
            joining = True
            continue
        negated, term = _term(match)
        kind = "negation" if negated else "phrase" if match["phrase"] is not None else "word"
        spans.append(Span(start, end, kind))
        if not term.phrases and not term.literal:
            continue  # a lone quote, minus or star: something is being typed
        if len(excluded) + sum(map(len, clauses)) >= MAX_TERMS:
            problems.append(Problem(start, end, f"only the first {MAX_TERMS} words are used"))
            break
        if negated:
            excluded.append(term)
        elif joining and clauses:
            clauses[-1].append(term)
        else:
            clauses.append([term])
        joining = False
    return Query(
        text,
        tuple(map(tuple, clauses)),
        tuple(excluded),
        tuple(found),
        sort,
        tuple(problems),
        tuple(spans),
    )


def _term(match: re.Match[str]) -> tuple[bool, Term]:
    """A word or phrase, and whether it is negated."""
    quoted = match["phrase"] is not None
    if quoted:
        negated, typed = bool(match["not"]), match["phrase"].replace("\x00", " ")
    else:
        typed = match[0].replace("\x00", "")
        negated = len(typed) > 1 and typed[0] == "-" and any(map(str.isalnum, typed))
        if negated:
            typed = typed[1:]
        if typed.strip('*-"') or len(typed.strip('"')) > 1:
            typed = typed.rstrip("*") or typed  # every word is a prefix: retr* is retr
        else:
            typed = ""
    phrases = tuple(map(tuple, tokens.phrases(typed)))
    units = tokens.units(typed)
    named = len(units) == 1 and units[0][0] in ("cplusplus", "csharp") and len(typed) < 4
    literal = typed.strip() if not phrases or _MEANT.search(typed) else ""
    if not tokens.fold(literal):
        literal = ""  # accents of nothing
    single = all(len(phrase) == 1 for phrase in phrases) and len(phrases) == len(units)
    one = len(units) == 1 and (named or single or len(phrases) == 1)
    exact = named or (not literal and (one or (single and not quoted)))
    ends = tuple((unit, goes_on and not quoted) for unit, goes_on in units)
    return negated, Term(typed, phrases, not quoted, literal, ends, exact)


def holds(text: str, terms: tuple[Term, ...]) -> bool:
    """Whether a text holds one of the terms: decides where the index cannot."""
    folded = tokens.fold(text)
    return any(_held(folded, term) for term in terms)


def _held(folded: str, term: Term) -> bool:
    if term.literal:
        return tokens.fold(term.literal) in folded
    held = all(pattern.search(folded) for pattern in _checks(term))
    return held and (not term.joined or tokens.joins(folded, term.units))


@lru_cache(maxsize=64)
def _checks(term: Term) -> list[re.Pattern[str]]:
    """Expressions that a folded text must all match to hold a term."""
    begins = rf"(?<![^\W_{_EASTERN}])"
    return [
        re.compile(choice if _CJK.match(phrase[0]) else begins + choice)
        for choice, phrase in zip(_choices(term), term.phrases, strict=False)
    ]


def highlight(text: str, query: Query) -> list[tuple[int, int]]:
    """Where in a displayed text the query's words are: start and end offsets, in order."""
    pattern = _pattern(tuple(query.terms))
    if pattern is None or not text:
        return []
    folded, offsets = _aligned(text)
    found: list[tuple[int, int]] = []
    match = pattern.search(folded)
    while match:
        start, end = match.span()
        first = start if offsets is None else offsets[start]
        if match.lastgroup and folded[start - 1 : start].isalnum() and not _begins(text, first):
            match = pattern.search(folded, start + 1)
            continue
        last = end if offsets is None else offsets[end - 1] + 1
        if last > first and (not found or first >= found[-1][1]):
            found.append((first, last))
        match = pattern.search(folded, max(end, start + 1))
    return found


def _begins(text: str, at: int) -> bool:
    """Whether a word may begin inside a run of letters: a camelCase part, or after CJK."""
    around = text[max(0, at - 1) : at + 2]
    return at > 0 and bool(_CAMEL_BREAK.match(around) or _CJK.match(around))


@lru_cache(maxsize=64)
def _pattern(terms: tuple[Term, ...]) -> re.Pattern[str] | None:
    """One expression for all terms, on folded text: words must begin at a beginning."""
    words = {choice for term in terms if not term.literal for choice in _choices(term)}
    signs = {choice for term in terms if term.literal for choice in _choices(term)}
    choices = [f"(?P<words>{'|'.join(sorted(words, key=len, reverse=True))})"] if words else []
    choices.extend(sorted(signs, key=len, reverse=True))
    return re.compile("|".join(choices)) if choices else None


def _choices(term: Term) -> Iterator[str]:
    if term.literal:
        yield re.escape(tokens.fold(term.literal))
    elif term.prefix:
        for phrase in term.phrases:
            yield _of_phrase(phrase, True)
    else:
        last = len(term.phrases) - 1
        pieces = [_of_phrase(phrase, at < last) for at, phrase in enumerate(term.phrases)]
        yield r"[\W_]*".join(pieces)


def _of_phrase(phrase: tuple[str, ...], goes_on: bool) -> str:
    """An expression for a run of tokens in folded text, wherever it begins."""
    if _CJK.match(phrase[0]):
        # Overlapping pairs back to the characters they were.
        return re.escape(phrase[0] + "".join(pair[1:] for pair in phrase[1:]))
    inner = r"[\W_]+".join(map(re.escape, phrase))
    return inner if goes_on or not phrase[0][0].isalnum() else rf"{inner}(?![^\W_{_EASTERN}])"


_EASTERN = "\u2e80-\U0003ffff"
"""Scripts without spaces, where a word of another script may begin or end. One range compiles
fast."""
_CJK = re.compile(f"[{tokens.CJK}]")


_folded = lru_cache(maxsize=4_096)(tokens.fold)


def _aligned(text: str) -> tuple[str, list[int] | None]:
    """Folded text, and for each of its characters the offset it comes from (``None``: same)."""
    if text.isascii():
        return text.lower(), None
    plain = {sign: _folded(sign) for sign in set(text) if not sign.isascii()}
    if all(len(folded) == 1 for folded in plain.values()):
        return text.translate({ord(sign): folded for sign, folded in plain.items()}).lower(), None
    pieces = [plain.get(sign) if sign in plain else sign.lower() for sign in text]
    offsets = [at for at, piece in enumerate(pieces) for _ in piece or ""]
    return "".join(piece or "" for piece in pieces), offsets


_CAMEL_BREAK = re.compile(r"[a-z0-9][A-Z]|[A-Z][A-Z][a-z]")
