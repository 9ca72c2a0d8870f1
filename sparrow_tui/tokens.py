"""Text and query words as index tokens: one meaning of a word for every engine.

The index's own tokenizer (letters and digits, folded, no diacritics) is fed with *index text*.
That is the text itself with three changes, made only where they are needed:

* runs of Chinese, Japanese and Korean characters become their overlapping pairs, so that any
  part of two or more characters is found;
* at its end stand the tails of camelCase words (``getUserById``: ``UserById``, ``ById``,
  ``Id``), so that a prefix finds any part; the words themselves stay, so phrases hold;
* ß, æ, ligatures and full-width forms become plain letters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

MAX_TOKEN = 120
"""Characters of a token that count; longer ones (hashes, base64) are cut in queries and index."""

CJK = (
    "\u1100-\u11ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3040-\u30ff\u3105-\u312f\u3130-\u318f"
    "\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003ffff"
)
_CJK_RUN = re.compile(f"[{CJK}]+")
_CAMEL = re.compile(r"\b(?=[A-Za-z0-9]{0,80}(?:[a-z0-9][A-Z]|[A-Z]{2}[a-z]))[A-Za-z0-9]{3,80}\b")
_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_COMPATIBLE = re.compile("[ßẞæÆœŒøØłŁđĐıĳŉſ\ufb00-\ufb06\uff01-\uff5e]")
_FOLDED = str.maketrans(
    {
        "ß": "ss", "ẞ": "ss", "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe", "ø": "o", "Ø": "o",
        "ł": "l", "Ł": "l", "đ": "d", "Đ": "d", "ı": "i", "ſ": "s", "ĳ": "ij", "ŉ": "n",
    }
)  # fmt: skip
_TOKEN = re.compile(r"[^\W_]+")
_LONG = re.compile(rf"[^\W_]{{{MAX_TOKEN + 1},}}")


def index_text(text: str) -> str:
    """What the index is fed for a text."""
    if not text.isascii():
        if _COMPATIBLE.search(text):
            text = _compatible(text)
        if _CJK_RUN.search(text):
            text = _CJK_RUN.sub(lambda match: f" {pairs(match[0])} ", text)
    words = set(text.split())
    if max(map(len, words), default=0) > MAX_TOKEN:
        text = _LONG.sub(lambda match: match[0][:MAX_TOKEN], text)
    # Most words have no capital: the expression need not try them.
    mixed = " ".join([word for word in words if not word.islower()])
    tails = {tail for match in _CAMEL.finditer(mixed) for tail in _tails(match[0])}
    return f"{text}\n{' '.join(sorted(tails))}" if tails else text


def pairs(run: str) -> str:
    """A run of CJK characters as overlapping pairs, the last character alone at the end."""
    return " ".join([*(run[i : i + 2] for i in range(len(run) - 1)), run[-1]])


def _tails(word: str) -> Iterator[str]:
    for boundary in _BOUNDARY.finditer(word):
        yield word[boundary.start() :]


def _compatible(text: str) -> str:
    folded = text.translate(_FOLDED)
    return _COMPATIBLE.sub(lambda match: unicodedata.normalize("NFKC", match[0]), folded)


def fold(text: str) -> str:
    """Lower case without diacritics, as the index sees letters."""
    if text.isascii():
        return text.lower()
    text = _compatible(text).lower()
    plain = unicodedata.normalize("NFD", text)
    return "".join(c for c in plain if not unicodedata.combining(c))


def phrases(word: str) -> list[list[str]]:
    """A query word as phrases of index tokens that must each be there.

    A plain word is one phrase of one token; ``src/auth.rs`` is one phrase of three. Where CJK
    meets other letters the word falls apart into several phrases. Every phrase's last token
    may be a prefix. Empty: the index can say nothing about this word.
    """
    found: list[list[str]] = []
    at = 0
    for run in _CJK_RUN.finditer(word):
        found.extend(_plain(word[at : run.start()]))
        characters = run[0]
        found.append([characters[i : i + 2] for i in range(len(characters) - 1)] or [characters])
        at = run.end()
    found.extend(_plain(word[at:]))
    return found


def _plain(text: str) -> list[list[str]]:
    tokens = [token[:MAX_TOKEN] for token in _TOKEN.findall(fold(text))]
    return [tokens] if tokens else []
