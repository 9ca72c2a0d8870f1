"""Text and query words as index words: one meaning of a word for every engine.

The index splits what it is fed at everything that is neither a letter nor a digit and folds
ASCII case; all else is decided here, so that text and query cannot disagree. *Index text* is the
text with these changes, each made only where it is needed:

* letters beyond ASCII are folded (case, diacritics, ß and ligatures, full-width forms), signs
  beyond ASCII become spaces;
* runs of Chinese, Japanese and Korean characters become their overlapping pairs, so that any
  part of two or more characters is found;
* at its end stand words that are not in the text as such: the tails of camelCase words
  (``getUserById``: ``UserById``, ``ById``, ``Id``), so that a prefix finds any part; neighbours
  in an identifier, version or path as one word (``src/auth.rs``: ``src⋅auth``, ``auth⋅rs``, the
  dot standing for `JOINER`), so that ``auth.rs`` is one look-up; emoji; C++ and C#.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from operator import add

MAX_TOKEN = 120
"""Characters of a token that count; longer ones (hashes, base64) are cut in queries and index."""
REMEMBERED = 40
MOST_REMEMBERED, MOST_APART = 100_000, 100_000
"""Characters of a word, and words, whose index text is remembered; the latter for a short while."""
_BETWEEN = b',;!?()[]{}<>"`*=|&$%^~'
"""Signs that join nothing and name nothing: the index sees spaces. With spaces in their place
fewer words are new, and only new ones are looked at closely."""
_SPACES = bytes.maketrans(_BETWEEN, b" " * len(_BETWEEN))
_ARROW = "→".encode()
"""Between a line and its number in what Claude Code's Read tool shows."""
JOINER = "\ue000"
"""Between the two tokens of a joined word. Private use: never a letter of a text."""

CJK = (
    "\u1100-\u11ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3040-\u30ff\u3105-\u312f\u3130-\u318f"
    "\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003ffff"
)
_ONLY_CJK = re.compile(f"[{CJK}]+").fullmatch
_CJK_RUN = re.compile(f"[{CJK}]+")
_TAILS = re.compile("(?:[a-z0-9]|[A-Z](?=[A-Z][a-z]))(?=([A-Z][A-Za-z0-9]{0,80}))")
_FOREIGN = re.compile(f"[0-9A-Za-z]*[^\\x00-\\x7f{CJK}][^\\x00-/:-@\\[-`{{-\\x7f{CJK}]*")
_SIGNS = re.compile(r"[^\w\x00-\x7f]+")
_STOPS = re.compile("[、。，！？；（）〈-】]")
"""Signs between words where no spaces are: whatever stands around them, nothing joins there."""
_COMPATIBLE = re.compile("[ĳŉſ\ufb00-\ufb06\uff01-\uff5e]")
_FOLDED = str.maketrans(
    {
        "ß": "ss", "ẞ": "ss", "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe", "ø": "o", "Ø": "o",
        "ł": "l", "Ł": "l", "đ": "d", "Đ": "d", "ı": "i", "ſ": "s", "ĳ": "ij", "ŉ": "n",
        "’": "'",
    }
)  # fmt: skip
_LETTER = f"[^\\W_{CJK}]"
_TOKEN = re.compile(r"[^\W_]+")
_INDEXED = re.compile(f"[^\\W_]+(?:{JOINER}[^\\W_]+)?")
_LONG = re.compile(rf"[^\W_]{{{MAX_TOKEN + 1},}}")
_JOIN = r"[-_./:\\'@]{1,2}"
_JOINED = re.compile(f"{_LETTER}+(?:{_JOIN}{_LETTER}+)+")
_PAIRS = re.compile(f"([0-9A-Za-z]++)(?={_JOIN}([0-9A-Za-z]++))")
_ONE_JOIN = re.compile(_JOIN)
_NAMED = re.compile(r"(?<![^\W_])[cC](?:\+\+|#)(?![^\W_])")
_NAMES = {"+": "cplusplus", "#": "csharp"}
_EMOJI = re.compile("[\u2600-\u27bf\U0001f000-\U0001faff]")


def index_text(text: str, *, in_order: bool = False, joined: bool = True) -> str:
    """What the index is fed for a text.

    Args:
        text: any text.
        in_order: keep the order of words, for an index that knows phrases; else each word once.
        joined: neighbours as one word, too; false saves a tenth of an index's work.
    """
    if not in_order:
        return index_text_of(words(text), joined=joined)
    plain: list[str] = []
    extra: list[str] = []
    for word in _spaced(text).split():
        fed, added = _remembered(word) if len(word) <= REMEMBERED else _parted(word)
        plain.append(fed)
        extra += added
    return " ".join([*plain, *extra])  # what is added at the end: it would break phrases


def words(text: str) -> set[str]:
    """A text's words as white space parts them, and signs that the index does not know."""
    return set(_spaced(text).split())


def _spaced(text: str) -> str:
    """A text with spaces for signs that only part words."""
    data = text.encode(errors="surrogatepass").translate(_SPACES).replace(_ARROW, b" ")
    return data.decode(errors="surrogatepass")


def index_text_of(words: Iterable[str], *, joined: bool = True) -> str:
    """What the index is fed for `words`; ``joined``: see `index_text`."""
    return " ".join(map(_fed if joined else _fed_apart, words))


class _Fed(dict[str, str]):
    """Words of texts, between white space, as the index is fed them; most come again."""

    def __init__(self, *, joined: bool) -> None:
        super().__init__()
        self._joined = joined
        self._most = MOST_REMEMBERED if joined else MOST_APART

    def __missing__(self, word: str) -> str:
        fed = self._fed(word)
        if len(word) <= REMEMBERED:
            if len(self) >= self._most:
                self.clear()
            self[word] = fed
        return fed

    def _fed(self, word: str) -> str:
        if not word.isascii():
            if len(word) > REMEMBERED and len(parts := _STOPS.split(word)) > 1:
                return " ".join(map(self.__getitem__, parts))
        elif len(word) <= MAX_TOKEN:  # what `_feed` would do, in fewer steps: these are the most
            one_case = word.islower() or word.isupper()
            if word.isalnum():
                return (
                    word if one_case or word.isdigit() else " ".join([word, *_TAILS.findall(word)])
                )
            if one_case and "+" not in word and "#" not in word:
                if not self._joined:
                    return word
                return " ".join([word, *map(JOINER.join, _PAIRS.findall(word))])
        extra: list[str] = []
        fed = _feed(word, extra, joined=self._joined)
        return " ".join([fed, *extra]) if extra else fed


_fed = _Fed(joined=True).__getitem__
_apart = _Fed(joined=False)
_fed_apart = _apart.__getitem__


def forget_apart() -> None:
    """Give back the memory of words that were not joined: they are wanted at an import's begin."""
    _apart.clear()


def _parted(word: str) -> tuple[str, Sequence[str]]:
    """A word between white space as the index takes it, and what it adds."""
    extra: list[str] = []
    return _feed(word, extra), extra


_remembered = lru_cache(maxsize=20_000)(_parted)


def _feed(word: str, extra: list[str], *, joined: bool = True) -> str:
    """A word between white space as the index takes it; ``extra`` gets what it adds."""
    plain = word
    if len(word) > MAX_TOKEN:
        plain = _LONG.sub(lambda match: match[0][:MAX_TOKEN], word)
    if not plain.isascii():
        plain = _foreign(plain, extra, joined=joined)
    if not plain.islower() and not plain.isupper():
        extra += _TAILS.findall(plain)
    if not plain.isalnum():
        if joined:
            extra += map(JOINER.join, _PAIRS.findall(plain))
        if "+" in plain or "#" in plain:
            extra += [_NAMES[match[0][1]] for match in _NAMED.finditer(plain)]
    return plain


def _foreign(word: str, extra: list[str], *, joined: bool) -> str:
    """A word with letters or signs beyond ASCII as the index takes it; ``extra`` gets more."""
    if _ONLY_CJK(word) and word.isalpha() and unicodedata.is_normalized("NFC", word):
        return pairs(word)
    highest = max(word)
    if highest >= "\u2600":
        extra += _EMOJI.findall(word)
    plain = _SIGNS.sub(" ", _plain_letters(word))
    if len(plain) > MAX_TOKEN:
        plain = _LONG.sub(lambda match: match[0][:MAX_TOKEN], plain)
    for match in _JOINED.finditer(plain) if joined else ():
        parts = _ONE_JOIN.split(match[0])
        extra += [f"{one}{JOINER}{other}" for one, other in pairwise(parts)]
    if highest < CJK[0]:
        return plain
    return _CJK_RUN.sub(lambda run: f" {pairs(run[0])} ", plain)


@lru_cache(maxsize=20_000)
def index_words(text: str) -> tuple[str, ...]:
    """The index words of a short text (a path), as the index itself would split them."""
    return tuple(dict.fromkeys(_INDEXED.findall(index_text(text, in_order=True).lower())))


def pairs(run: str) -> str:
    """A run of CJK characters as overlapping pairs, the last character alone at the end."""
    return " ".join([*map(add, run, run[1:]), run[-1]])


def _plain_letters(text: str) -> str:
    """Letters beyond ASCII without case and diacritics; ASCII and signs stay."""
    if not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    return _FOREIGN.sub(lambda match: match[0].translate(_letters), text)


class _Letters(dict[int, str]):
    """Characters of words in NFC without case and diacritics, by their codes."""

    def __missing__(self, code: int) -> str:
        letter = chr(code).translate(_FOLDED)
        letter = _COMPATIBLE.sub(lambda match: unicodedata.normalize("NFKC", match[0]), letter)
        plain = unicodedata.normalize("NFD", letter.casefold().lower())
        bare = "".join(sign for sign in plain if not unicodedata.combining(sign))
        self[code] = unicodedata.normalize("NFC", bare)
        return self[code]


_letters = _Letters()


def fold(text: str) -> str:
    """Lower case without diacritics, as the index sees letters; signs stay."""
    return text.lower() if text.isascii() else _plain_letters(text).lower()


def phrases(word: str) -> list[list[str]]:
    """Words of a query as runs of tokens that stand one after the other in a text.

    A plain word is one run of one token; ``src/auth.rs`` is one run of three. Where CJK meets
    other letters, or an emoji stands, the word falls apart into several runs. Every run's last
    token may be a prefix. Empty: the index can say nothing about this word.
    """
    found: list[list[str]] = []
    for part in _parts(fold(word)):
        if isinstance(part, list):
            found.append(part)
        else:
            tokens = [token[:MAX_TOKEN] for token in _TOKEN.findall(part)]
            if tokens:
                found.append(tokens)
    return found


def units(word: str) -> list[tuple[str, bool]]:
    """Words of a query as index words that a turn must have, all of them.

    Returns:
        Index words, each with whether it may go on when the query's word is a prefix: the last
        of each run (see `phrases`).
    """
    found: list[tuple[str, bool]] = []
    named = _NAMED.search(word)
    if named and named[0] == word.strip():
        return [(_NAMES[word.strip()[1]], False)]
    for part in _parts(fold(word)):
        if isinstance(part, list):
            found.extend((token, False) for token in part[:-1])
            found.append((part[-1], not _EMOJI.match(part[-1])))
            continue
        places = list(_TOKEN.finditer(part))
        alone = True
        for number, place in enumerate(places):
            token = place[0][:MAX_TOKEN]
            last = number + 1 == len(places)
            if not last and _ONE_JOIN.fullmatch(part, place.end(), places[number + 1].start()):
                following = places[number + 1][0][:MAX_TOKEN]
                found.append((f"{token}{JOINER}{following}", number + 2 == len(places)))
                alone = False
                continue
            if alone:
                found.append((token, last))
            alone = True
    return list(dict.fromkeys(found))


def apart(found: Iterable[tuple[str, bool]]) -> list[tuple[str, bool]]:
    """Words as `units` gives them for an index that has no joined ones: these in their pieces."""
    pieces: list[tuple[str, bool]] = []
    for unit, goes_on in found:
        *before, last = unit.split(JOINER)
        pieces += [(piece, False) for piece in before]
        pieces.append((last, goes_on))
    return list(dict.fromkeys(pieces))


def joins(folded: str, found: Iterable[tuple[str, bool]]) -> bool:
    """Whether a folded text has the joined ones among words that `units` gave."""
    wanted = [(unit, goes_on) for unit, goes_on in found if JOINER in unit]
    words = set(index_text(folded).split())
    return all(
        unit in words or (goes_on and any(word.startswith(unit) for word in words))
        for unit, goes_on in wanted
    )


def _parts(folded: str) -> Iterator[str | list[str]]:
    """Folded text cut at CJK runs and emoji: these as lists of tokens, the rest as text."""
    at = 0
    for run in _PIECE.finditer(folded):
        yield folded[at : run.start()]
        signs = run[0]
        if _EMOJI.match(signs):
            yield [signs]
        else:
            yield [signs[i : i + 2] for i in range(len(signs) - 1)] or [signs]
        at = run.end()
    yield folded[at:]


_PIECE = re.compile(f"[{CJK}]+|[\u2600-\u27bf\U0001f000-\U0001faff]")
