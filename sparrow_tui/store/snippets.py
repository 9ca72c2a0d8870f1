"""The piece of a text that shows best why it was found."""

from __future__ import annotations

import re

from sparrow_tui import tokens
from sparrow_tui.query import Query, highlight
from sparrow_tui.sanitize import clean_line

WIDTH = 160
"""Characters of a snippet."""
BEFORE = 40
"""Characters before the match."""
LOOK = 2_000_000
"""Characters of a text that are looked through for the best place."""


def snippet(text: str, query: Query) -> tuple[str, list[tuple[int, int]]]:
    """A safe line around the best match, and where the query's words are in it."""
    at = _best_place(text[:LOOK], query)
    start = max(0, at - BEFORE)
    if start:
        # Begin at a word, not inside one.
        space = re.compile(r"\s").search(text, start, at)
        start = space.end() if space else start
    line = clean_line(text[start : start + WIDTH * 3], WIDTH)
    spans = highlight(line, query)
    if start:
        return f"…{line}", [(first + 1, last + 1) for first, last in spans]
    return line, spans


def _best_place(text: str, query: Query) -> int:
    """Where the first of the query's words stands, preferring places with several of them."""
    low = text.lower()
    firsts = []
    for term in query.terms:
        if term.literal:
            firsts.append(term.literal.lower())
        firsts.extend(_visible(phrase) for phrase in term.phrases)
    places: list[int] = []
    for word in firsts:
        places.extend(_find(low, word, 4))
    if not places:
        folded = tokens.fold(text)
        for word in firsts:
            places.extend(at for at in _find(folded, word, 2) if at < len(text))
    if not places:
        return 0

    def score(at: int) -> tuple[int, int]:
        around = low[max(0, at - BEFORE) : at + WIDTH - BEFORE]
        return sum(word in around for word in firsts), -at

    return max(places, key=score)


def _visible(phrase: tuple[str, ...]) -> str:
    """The first token of a phrase as it stands in a text."""
    if re.match(f"[{tokens.CJK}]", phrase[0]):
        return phrase[0] + "".join(pair[1:] for pair in phrase[1:])
    return phrase[0]


def _find(text: str, word: str, most: int) -> list[int]:
    """Beginnings of a word, those at a word's boundary first."""
    found: list[int] = []
    inside: list[int] = []
    at = text.find(word)
    for _ in range(50):
        if at < 0 or len(found) >= most:
            break
        (inside if at and text[at - 1].isalnum() else found).append(at)
        at = text.find(word, at + 1)
    return (found + inside)[:most]
