"""Secrets in a session replaced by markers, found by the detectors of detect-secrets."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, repeat
from typing import Any

import msgspec

from sparrow_tui.export.secrets import Detector, Place
from sparrow_tui.export.source import Excerpt
from sparrow_tui.model import Block, Notice, Raw, Reasoning, Text, ToolResult, ToolUse, Turn

MOST_REMEMBERED = 20_000
"""Different secrets that are looked for in the whole session; further ones only where found.
With the next figure it bounds the memory."""
MOST_CHARACTERS = 1_000_000
"""Characters of these."""
SHARED, FEW = 4, 4
"""Characters by which these are told apart step by step, and how many need not be."""
WORTH_REMEMBERING = 8
"""Characters from which a secret is replaced wherever it stands, in words of any kind."""


class Redactor:
    """Replaces secrets by ``[redacted: kind]`` and counts them.

    A secret that some place gives away (``password = "…"``) is replaced in all places, also
    where it stands alone: show it everything with `learn` first.
    """

    def __init__(self) -> None:
        self._detector = Detector()
        self._known: dict[str, str] = {}
        self._characters = 0
        self._too_many = False
        self._looked = False
        """Whether the detectors have nothing to find in what is replaced: they take longest."""
        self._lengths: dict[str, list[int]] = {}
        """Of those remembered, by how they begin."""
        self._beginning: re.Pattern[str] | None = None
        self.counts: Counter[str] = Counter()
        """Replacements by kind."""

    def learn(self, turn: Turn) -> int:
        """Remember the secrets of a turn.

        Returns:
            For `turn`: by what to know it again if it has none; else 0.
        """
        texts = [*_texts(turn.blocks)]
        has_some = sum([self.learn_text(text, key) for text, key in texts])
        return 0 if has_some else hash(tuple(texts))

    def learn_text(self, text: str, key: str = "") -> bool:
        """Remember the secrets of a text, called ``key`` if anything; whether it has any."""
        has_some = False
        for start, end, kind in self._detector.find(text, key):
            has_some = True
            secret = text[start:end]
            if len(secret) < WORTH_REMEMBERING or secret in self._known:
                continue
            room = MOST_CHARACTERS - self._characters
            if len(self._known) >= MOST_REMEMBERED or len(secret) > room:
                self._too_many = True
                continue
            self._characters += len(secret)
            self._known[secret] = kind
            lengths = self._lengths.setdefault(secret[:WORTH_REMEMBERING], [])
            if len(secret) not in lengths:
                lengths.append(len(secret))
                lengths.sort(reverse=True)
            self._beginning = None
        return has_some

    def text(self, text: str, key: str = "") -> str:
        """A text without its secrets."""
        if not text:
            return text
        found = [] if self._looked else list(self._detector.find(text, key))
        if self._known:
            found += self._known_in(text)
        if not found:
            return text
        pieces: list[str] = []
        at = 0
        for start, end, kind in _merged(found):
            pieces += [text[at:start], f"[redacted: {kind}]"]
            self.counts[kind] += 1
            at = end
        return "".join(pieces) + text[at:]

    def _known_in(self, text: str) -> Iterator[Place]:
        """Where secrets that are remembered stand; of those that begin alike the longest."""
        if self._beginning is None:
            self._beginning = re.compile(_any_of(list(self._lengths)))
        at = 0
        while (match := self._beginning.search(text, at)) is not None:
            start = match.start()
            at = start + 1
            for length in self._lengths[match[0]]:
                secret = text[start : start + length]  # shorter where the text ends
                kind = self._known.get(secret)
                if kind is not None:
                    at = start + len(secret)
                    yield start, at, kind
                    break

    def value(self, value: Any, key: str = "") -> Any:
        """A JSON value without the secrets in its strings and keys."""
        if isinstance(value, str):
            return self.text(value, key)
        if isinstance(value, dict):
            return {
                self.text(name) if isinstance(name, str) else name: self.value(item, str(name))
                for name, item in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.value(item, key) for item in value]
        return value

    def block(self, block: Block) -> Block:
        """A block without its secrets. Pictures stay as they are."""
        replace = msgspec.structs.replace
        if isinstance(block, Text | Reasoning | Notice):
            return replace(block, text=self.text(block.text))
        if isinstance(block, ToolUse):
            return replace(block, input=self.value(block.input))
        if isinstance(block, ToolResult):
            return replace(block, content=[self.block(inner) for inner in block.content])
        if isinstance(block, Raw):
            return replace(block, data=self.value(block.data))
        return replace(block, url=self.text(block.url))

    def turn(self, turn: Turn, learned: int = 0) -> Turn:
        """A turn without its secrets; ``learned`` is what `learn` gave of it."""
        self._looked = learned != 0 and learned == hash(tuple(_texts(turn.blocks)))
        try:
            blocks = [self.block(block) for block in turn.blocks]
        finally:
            self._looked = False
        return msgspec.structs.replace(turn, blocks=blocks)

    def summary(self) -> str:
        """``3 secrets were redacted: 2 × AWS Access Key, 1 × Secret Keyword``."""
        total = self.counts.total()
        kinds = ", ".join(f"{number:,} × {kind}" for kind, number in self.counts.most_common())
        head = f"{total:,} {'secret was' if total == 1 else 'secrets were'} redacted"
        if not total:
            return f"{head}; look it over before you pass it on"
        more = (
            f"; only {len(self._known):,} different ones were looked for everywhere: others may "
            "still stand where nothing gives them away"
        )
        return f"{head}: {kinds}{more if self._too_many else ''}"


def _any_of(texts: list[str], depth: int = 0) -> str:
    """An expression for any of some texts of one length, by their first characters.

    With thousands of alternatives each character would be compared with every one of them.
    """
    if depth == SHARED or len(texts) < FEW:
        return "|".join(re.escape(text[depth:]) for text in texts)
    groups: dict[str, list[str]] = {}
    for text in texts:
        groups.setdefault(text[depth], []).append(text)
    return "|".join(
        f"{re.escape(first)}(?:{_any_of(group, depth + 1)})" for first, group in groups.items()
    )


def redacted(excerpt: Excerpt) -> Excerpt:
    """The same turns and facts without their secrets; ``notes`` are shared.

    The turns are read twice: to learn what is secret, and to replace it. Eight bytes a turn are
    kept between.
    """
    redactor = Redactor()
    session = excerpt.session
    replaced = msgspec.structs.replace(session)
    result = Excerpt(replaced, excerpt.start, excerpt.end, lambda: turns(), excerpt.picture)
    result.notes = excerpt.notes

    def turns() -> Iterator[Turn]:
        redactor.counts.clear()
        for turn, what in zip(excerpt.turns(), chain(learned, repeat(0)), strict=False):
            yield redactor.turn(turn, what)
        excerpt.notes.append(redactor.summary())

    learned = array("q", map(redactor.learn, excerpt.turns()))
    replaced.title = redactor.text(session.title)
    replaced.name = redactor.text(session.name) if session.name else session.name
    return result


def _texts(blocks: Iterable[Block]) -> Iterator[tuple[str, str]]:
    """The texts of blocks, each with the name it was given in a JSON object."""
    for block in blocks:
        if isinstance(block, Text | Reasoning | Notice):
            yield block.text, ""
        elif isinstance(block, ToolUse):
            yield from _named(block.input, "")
        elif isinstance(block, ToolResult):
            yield from _texts(block.content)
        elif isinstance(block, Raw):
            yield from _named(block.data, "")
        else:
            yield block.url, ""


def _named(value: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield value, key
    elif isinstance(value, dict):
        for name, item in value.items():
            yield str(name), ""
            yield from _named(item, str(name))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _named(item, key)


def _merged(found: list[tuple[int, int, str]]) -> Iterator[tuple[int, int, str]]:
    """Places in order; those that overlap are one, of the kind that begins first."""
    found.sort(key=lambda place: (place[0], -place[1]))
    start, end, kind = found[0]
    for following in found[1:]:
        if following[0] < end:
            end = max(end, following[1])
        else:
            yield start, end, kind
            start, end, kind = following
    yield start, end, kind
