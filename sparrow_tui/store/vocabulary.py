"""The words people and models said: the nearest ones to a word that is not there."""

from __future__ import annotations

import time

import apsw
from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from sparrow_tui import query as language
from sparrow_tui.query import Query, Term
from sparrow_tui.store import index

SHORTEST, LONGEST = 4, 24
"""Letters of a word that is corrected."""
FRESH_SECONDS = 120
"""After so long words are read again."""
FREQUENT = 200
"""Turns up to which a word's are counted."""


class Vocabulary:
    """Words by their first letter, read when first needed."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._db = connection
        self._read: dict[str, tuple[float, list[str]]] = {}

    def corrected(self, query: Query) -> tuple[Query, str]:
        """The query with words that are nowhere replaced by the nearest that are.

        Returns:
            The query, changed or not, and what is to be said about it; empty: nothing was found.
        """
        changes: dict[tuple[int, int], tuple[str, str]] = {}
        spans = [span for span in query.spans if span.kind == "word"]
        for clause in query.clauses:
            for term in clause:
                if len(clause) > 1 or not _plain(term) or self._turns(f'"{term.units[0][0]}" *', 1):
                    continue
                near = self.nearest(term.units[0][0])
                if near:
                    for span in spans:
                        if query.text[span.start : span.end] == term.text:
                            changes[span.start, span.end] = (term.text, near[0])
        if not changes:
            return query, ""
        text = query.text
        for (start, end), (_, right) in sorted(changes.items(), reverse=True):
            text = text[:start] + right + text[end:]
        said = dict.fromkeys(f"{right} for {wrong}" for wrong, right in changes.values())
        return language.parse(text), f"showing {', '.join(said)}"

    def nearest(self, word: str, most: int = 3) -> list[str]:
        """Words at most two slips away (one for short words), the nearest first.

        A slip is a letter too many, too few, wrong, or two in the wrong order. Words with the
        same first letter are asked first; of equally near ones the more frequent is the likelier.
        """
        if not SHORTEST <= len(word) <= LONGEST:
            return []
        found = self._near(word, self._words(word[0]))
        if not found:
            found = self._near(word, self._words(""))
        frequent = {near: self._turns(f'"{near}"', FREQUENT) for near in found}
        kept = [near for near in found if frequent[near]]
        kept.sort(key=lambda near: (found[near], -frequent[near], abs(len(near) - len(word))))
        return kept[:most]

    def _near(self, word: str, words: list[str]) -> dict[str, float]:
        slips = 1 if len(word) < 6 else 2
        found = process.extract(
            word, words, scorer=DamerauLevenshtein.distance, score_cutoff=slips, limit=12
        )
        return {near: slips for near, slips, _ in found if near != word}

    def _words(self, beginning: str) -> list[str]:
        """Words that begin so."""
        read_at, words = self._read.get(beginning, (0.0, []))
        if not words or time.monotonic() - read_at > FRESH_SECONDS:
            rows = self._db.execute(
                "SELECT word FROM word WHERE word >= ? AND word < ?",
                (beginning, f"{beginning}\U0010ffff"),
            ).fetchall()
            words = [word for (word,) in rows]
            self._read[beginning] = (time.monotonic(), words)
        return words

    def _turns(self, match: str, most: int) -> int:
        """Turns and titles that match, counted up to ``most``."""
        number = 0
        for name in [*index.tables(self._db), "fts_title"]:
            number += self._db.execute(
                f"SELECT count(*) FROM (SELECT 1 FROM {name} WHERE {name} MATCH ? LIMIT ?)",
                (match, most - number),
            ).get
            if number >= most:
                break
        return number


def _plain(term: Term) -> bool:
    """Whether a term is one word that could be mistyped."""
    if len(term.units) != 1 or term.literal or not term.prefix:
        return False
    return len(term.units[0][0]) >= SHORTEST and term.units[0][0] == term.phrases[0][0]
