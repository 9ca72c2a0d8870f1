"""The words of the index: the nearest ones to a word that is not there."""

from __future__ import annotations

import time
from functools import cached_property

import apsw
from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from sparrow_tui.store import index

MOST = 400_000
"""Words held."""
FRESH_SECONDS = 120
"""After so long the words are read again."""


class Vocabulary:
    """Words by number of turns, read when first needed."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._db = connection
        self._read_at = 0.0

    @cached_property
    def _words(self) -> list[str]:
        words: dict[str, None] = {}
        # Temporary tables only, in memory: the archive itself stays read-only.
        query_only = self._db.pragma("query_only")
        self._db.pragma("query_only", False)
        try:
            self._read(words)
        finally:
            self._db.pragma("query_only", query_only)
        self._read_at = time.monotonic()
        return list(words)

    def _read(self, words: dict[str, None]) -> None:
        for name in [*index.tables(self._db), "fts_title"]:
            if not name.startswith("fts_output"):
                self._db.execute(
                    f"CREATE VIRTUAL TABLE IF NOT EXISTS temp.vocabulary_{name}"
                    f" USING fts5vocab(main, {name}, 'col')"
                )
                rows = self._db.execute(
                    f"SELECT term FROM temp.vocabulary_{name} WHERE col <> 'meta'"
                    " AND length(term) BETWEEN 4 AND 24 AND term NOT GLOB '*[0-9]*' LIMIT ?",
                    (MOST - len(words),),
                )
                words.update(dict.fromkeys(word for (word,) in rows.fetchall()))

    def nearest(self, word: str, most: int = 3) -> list[str]:
        """Words at most two slips away (one for short words), the nearest first."""
        if len(word) < 4 or len(word) > 24:
            return []
        if time.monotonic() - self._read_at > FRESH_SECONDS:
            self.__dict__.pop("_words", None)
        slips = 1 if len(word) < 6 else 2
        found = process.extract(
            word,
            self._words,
            scorer=DamerauLevenshtein.distance,
            score_cutoff=slips,
            limit=most * 4,
        )
        # Of equally near words the one that begins alike is the likelier.
        ordered = sorted(found, key=lambda hit: (hit[1], hit[0][:2] != word[:2], len(hit[0])))
        return [hit[0] for hit in ordered if hit[0] != word][:most]
