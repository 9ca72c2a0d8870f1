"""What Tab offers in the search box: names of facets, and values of them that the store holds."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sparrow_tui import query as language

Completer = Callable[[str, str], Awaitable[list[str]]]
"""Facet name and what is typed of its value → values the store holds."""

LEAST = 2
"""Letters of a facet's name before it is offered: people mostly type words."""

_LAST = re.compile(r'(?P<minus>-?)(?P<name>[A-Za-z]+):(?P<value>"[^"]*|\S*)$|\S+$')


@dataclass(frozen=True, slots=True)
class Offer:
    """Ways to go on with a text."""

    start: int
    """Where in the text they would stand; they replace all after it."""
    choices: tuple[str, ...]

    def applied(self, text: str, number: int) -> str:
        """The text with one of the choices in it."""
        return text[: self.start] + self.choices[number % len(self.choices)]


async def offer(text: str, complete: Completer) -> Offer | None:
    """What can follow a text whose end is being typed; ``None``: nothing that is known."""
    last = _LAST.search(text)
    if last is None:
        return None
    if last["name"] is None:
        typed = last[0].lstrip("-").lower()
        if len(typed) < LEAST:
            return None
        start = last.end() - len(typed)
        names = [f"{name}:" for name in language.FACETS if name.startswith(typed)]
        return Offer(start, tuple(names)) if names else None
    name = last["name"].lower()
    if name not in language.FACETS:
        return None
    typed = last["value"].strip('"')
    values = await complete(name, typed)
    choices = [_quoted(value) for value in values if value.lower() != typed.lower()]
    return Offer(last.start("value"), tuple(choices)) if choices else None


def _quoted(value: str) -> str:
    return f'"{value}"' if re.search(r"\s", value) else value
