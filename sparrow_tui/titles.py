"""Titles are one line of plain words: the marks of Markdown are for longer texts."""

from __future__ import annotations

import re

_CODE = re.compile(r"(`+)([^`].*?)(?<!`)\1(?!`)")
_LINK = re.compile(r"!?\[([^\[\]]+)\]\([^()\s]*\)")
# A mark stands at a word's edge. Powers, globs and paths are no marks: 2**8, src/**/*.py, *.md.
_STRONG = re.compile(
    r"(?<![A-Za-z0-9_*/.])(\*\*|~~)(?=[^\s*/~.])(.+?)(?<=[^\s*/~])\1(?![A-Za-z0-9_*/.])"
)
_WEAK = re.compile(r"(?<![A-Za-z0-9_*/.])\*(?=[^\W\d_])([^*]+?)(?<=\w)\*(?![A-Za-z0-9_*/.])")


def unmarked(text: str) -> str:
    """A line without the marks of Markdown, its words as they are.

    Args:
        text: a title or a prompt's line; nearly all have none, and cost a look.
    """
    if not ("*" in text or "`" in text or "](" in text or "~~" in text):
        return text
    pieces = _CODE.split(text)
    # Text, fence, code, text, …: what stands in code is not marked, whatever it looks like.
    pieces[::3] = [_words(piece) for piece in pieces[::3]]
    del pieces[1::3]
    return "".join(pieces).strip("`")


def _words(text: str) -> str:
    text = _LINK.sub(r"\1", text)
    return _WEAK.sub(r"\1", _STRONG.sub(r"\2", text))
