"""The words people and models said: the nearest ones to a word that is not there."""

from __future__ import annotations

import time

import apsw

from sparrow_tui import query as language
from sparrow_tui.query import Query, Term
from sparrow_tui.store import index

SHORTEST, LONGEST = 4, 24
"""Letters of a word that is corrected."""
TWO_SLIPS = 8
"""Letters from which on a word may have two slips; ``getuser`` is not ``revuser`` mistyped."""
FRESH_SECONDS = 120
"""After so long words are read again."""
MOST_READ = 8
"""Beginnings whose words are remembered."""
FREQUENT = 200
"""Turns up to which a word's are counted."""

# One text instead of rows: a row costs more to fetch than to find.
_FROM = "SELECT group_concat(word, ' ') FROM word WHERE word >= ?1 AND word < ?1 || char(0x10ffff)"
"""Words that begin with a letter."""
_SECOND = """
WITH RECURSIVE first(letter) AS (
  SELECT substr(min(word), 1, 1) FROM word
  UNION ALL
  SELECT (SELECT substr(word, 1, 1) FROM word WHERE word > letter || char(0x10ffff) LIMIT 1)
  FROM first WHERE letter IS NOT NULL
), begin(letters) AS (SELECT letter || ?1 FROM first UNION SELECT letter || ?2 FROM first)
SELECT group_concat(word, ' ') FROM begin
CROSS JOIN word ON word >= letters AND word < letters || char(0x10ffff)
"""
"""Words whose second letter is one of two: a look for each first letter there is."""


class Vocabulary:
    """Words by their first letters, read when first needed."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._db = connection
        self._read: dict[tuple[str, ...], tuple[float, list[str]]] = {}

    def corrected(self, query: Query) -> tuple[Query, str]:
        """The query with words that are nowhere replaced by the nearest that are.

        Returns:
            The query, changed or not, and what is to be said about it; empty: nothing was found.
        """
        changes: dict[tuple[int, int], tuple[str, str]] = {}
        spans = [span for span in query.spans if span.kind == "word"]
        for clause in query.clauses:
            for term in clause:
                word = term.units[0][0] if len(clause) == 1 and _plain(term) else ""
                # The word itself first: beginnings are put together from all that begin so.
                if not word or self._turns(f'"{word}"', 1) or self._turns(f'"{word}" *', 1):
                    continue
                near = self.nearest(word)
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
        found = self._near(word, self._words(_FROM, word[0]))
        if not found:
            # Another first letter: it was put in, or changed places with the second …
            found = self._near(word, self._words(_FROM, word[1]))
            # … or is wrong, or was left out.
            found |= self._near(word, self._words(_SECOND, word[0], word[1]))
        frequent = {near: self._turns(f'"{near}"', FREQUENT) for near in found}
        kept = [near for near in found if frequent[near]]
        kept.sort(key=lambda near: (found[near], -frequent[near], abs(len(near) - len(word))))
        return kept[:most]

    def _near(self, word: str, words: list[str]) -> dict[str, float]:
        from rapidfuzz import process  # only what is mistyped waits for it to be loaded
        from rapidfuzz.distance import DamerauLevenshtein

        slips = 1 if len(word) < TWO_SLIPS else 2
        found = process.extract(
            word, words, scorer=DamerauLevenshtein.distance, score_cutoff=slips, limit=12
        )
        return {near: slips for near, slips, _ in found if near != word}

    def _words(self, statement: str, *letters: str) -> list[str]:
        """The words a statement gives for letters."""
        read_at, words = self._read.get(letters, (0.0, []))
        if not words or time.monotonic() - read_at > FRESH_SECONDS:
            text = self._db.execute(statement, letters).get
            words = (text or "").split()
            if len(self._read) >= MOST_READ:
                self._read.clear()
            self._read[letters] = (time.monotonic(), words)
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
