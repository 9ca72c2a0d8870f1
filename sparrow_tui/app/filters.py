"""Filters by key: facets put into the search text, changed and taken out again."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORD = re.compile(r'-?[\w-]+:"[^"]*"?|"[^"]*"?|\S+')


def value_of(text: str, facet: str) -> str | None:
    """The value a facet has in a search text, or ``None``."""
    for match in _WORD.finditer(text):
        if match[0].startswith(f"{facet}:"):
            return match[0][len(facet) + 1 :].strip('"')
    return None


def put(text: str, facet: str, value: str | None) -> str:
    """The text with a facet set to a value, or without it."""
    words = [m[0] for m in _WORD.finditer(text) if not m[0].startswith(f"{facet}:")]
    if value is not None:
        quoted = f'"{value}"' if " " in value else value
        words.append(f"{facet}:{quoted}")
    rest = " ".join(words)
    return f"{rest} " if rest else ""


def cycle(text: str, facet: str, values: Sequence[str]) -> str:
    """The text with a facet moved to its next value; after the last one it is taken out."""
    present = value_of(text, facet)
    if present is None:
        following = values[0] if values else None
    elif present in values:
        place = values.index(present) + 1
        following = values[place] if place < len(values) else None
    else:
        following = None
    return put(text, facet, following)
