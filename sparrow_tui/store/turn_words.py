"""Words of the index that are about a turn and not in its text: role, tools, session, files.

They begin with a private-use character, which no text's word does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from sparrow_tui import tokens
from sparrow_tui.store.flags import Flag

META = "\ue001"
"""Begins words about a turn."""
FILE = "\ue002"
"""Begins words of the paths a turn's tools were given."""

_PLAIN_WORDS = re.compile(r"(?<![^\W_])[^\W\d_]{4,24}(?![^\W_])").findall
_NOT_ALNUM = re.compile(r"[\W_]+")
FLAG_WORDS = {
    int(Flag.TOOL_ERROR): f"{META}ferror",
    int(Flag.API_ERROR): f"{META}ferror",
    int(Flag.IMAGE): f"{META}fimage",
    int(Flag.EDIT): f"{META}fedit",
    int(Flag.REASONING): f"{META}freasoning",
    int(Flag.NOTICE): f"{META}fnotice",
    int(Flag.PROMPT): f"{META}fprompt",
}
"""Words for what a turn has in it."""


@lru_cache(maxsize=20_000)
def meta_word(kind: str, value: object) -> str:
    """A word about a turn: ``r`` role, ``t`` tool, ``s`` session number."""
    return f"{META}{kind}{_NOT_ALNUM.sub('', tokens.fold(str(value)))}"


def about(role: str, flags: int, tools: Sequence[str] = (), files: Sequence[str] = ()) -> str:
    """What is known of a turn beside its text and its session, as words."""
    if not tools and not files:
        return _always(role, flags)
    words = [_always(role, flags)]
    words.extend(meta_word("t", tool) for tool in dict.fromkeys(tools))
    for path in dict.fromkeys(files):
        words.extend(FILE + word for word in tokens.index_words(path))
    return " ".join(words)


@lru_cache(maxsize=2_000)
def _always(role: str, flags: int) -> str:
    """Words for whose a turn is, and for what it has in it."""
    had = dict.fromkeys(word for flag, word in FLAG_WORDS.items() if flags & flag)
    return " ".join([meta_word("r", role), *had])


def plain_words(words: set[str], met: set[str]) -> str:
    """Words people and models use, for nearest words: what could be mistyped.

    Args:
        words: a turn's `tokens.words`.
        met: what was in turns before; grows.

    Returns:
        What the turn adds, in lower case, with spaces between.
    """
    new = words - met
    if not new:
        return ""
    found = {*_PLAIN_WORDS(tokens.index_text_of(new).lower())} - met
    met.update(word for word in new if len(word) <= tokens.REMEMBERED)
    met |= found
    return " ".join(found)
