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
    """If not empty: the text itself must hold this, whatever the index says."""


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
            continue
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
    if match["phrase"] is not None:
        typed = match["phrase"]
        joined = [token for phrase in tokens.phrases(typed) for token in phrase]
        literal = "" if joined else typed.strip() and f'"{typed}"'
        if not joined:
            literal = match[0].lstrip("-").strip() if not typed.strip() else typed.strip()
        elif _MEANT.search(typed):
            literal = typed.strip()
        parts: tuple[tuple[str, ...], ...] = (tuple(joined),) if joined else ()
        return bool(match["not"]), Term(typed, parts, prefix=False, literal=literal)
    word = match[0]
    negated = len(word) > 1 and word[0] == "-" and any(map(str.isalnum, word))
    if negated:
        word = word[1:]
    word = word.replace("\x00", "")
    parts = tuple(map(tuple, tokens.phrases(word)))
    literal = word if not parts or _MEANT.search(word) else ""
    return negated, Term(word, parts, literal=literal)


def highlight(text: str, query: Query) -> list[tuple[int, int]]:
    """Where in a displayed text the query's words are: start and end offsets, in order."""
    pattern = _pattern(tuple(query.terms))
    if pattern is None or not text:
        return []
    folded, offsets = _aligned(text)
    found: list[tuple[int, int]] = []
    for match in pattern.finditer(folded):
        start, end = match.span()
        if offsets is not None:
            start, end = offsets[start], offsets[end - 1] + 1 if end > start else offsets[start]
        if end > start and (not found or start >= found[-1][1]):
            found.append((start, end))
    return found


@lru_cache(maxsize=64)
def _pattern(terms: tuple[Term, ...]) -> re.Pattern[str] | None:
    """One expression for all terms, on folded text."""
    choices = sorted({choice for term in terms for choice in _choices(term)}, key=len, reverse=True)
    return re.compile("|".join(choices)) if choices else None


def _choices(term: Term) -> Iterator[str]:
    if term.literal:
        yield re.escape(tokens.fold(term.literal))
        return
    for phrase in term.phrases:
        cjk = bool(re.match(f"[{tokens.CJK}]", phrase[0]))
        if cjk:
            # Overlapping pairs back to the characters they were.
            yield re.escape(phrase[0] + "".join(pair[1:] for pair in phrase[1:]))
            continue
        # U+0001 marks where a camelCase word could be cut: a beginning, and no gap.
        inner = r"[\W_]+".join("\x01?".join(map(re.escape, token)) for token in phrase)
        end = "" if term.prefix else r"(?![^\W_])"
        yield rf"(?<![^\W_]){inner}{end}"


def _aligned(text: str) -> tuple[str, list[int] | None]:
    """Folded text, and for each of its characters the offset it comes from (``None``: same).

    A boundary inside a camelCase word is marked with U+0001.
    """
    if text.isascii() and not _CAMEL_BREAK.search(text):
        return text.lower(), None
    folded: list[str] = []
    offsets: list[int] = []
    previous = ""
    for at, character in enumerate(text):
        following = text[at + 1 : at + 2]
        upper = character.isupper()
        if upper and (
            previous.islower() or previous.isdigit() or (previous.isupper() and following.islower())
        ):
            folded.append("\x01")
            offsets.append(at)
        plain = character.lower() if character.isascii() else tokens.fold(character)
        folded.append(plain)
        offsets.extend([at] * len(plain))
        previous = character
    return "".join(folded), offsets


_CAMEL_BREAK = re.compile(r"[a-z0-9][A-Z]|[A-Z]{2}[a-z]")
