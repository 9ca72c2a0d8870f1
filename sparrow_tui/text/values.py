"""JSON values → styled lines: nothing of them is lost, texts of several lines read as such."""

from __future__ import annotations

import json
import re
from itertools import takewhile
from typing import Any

import msgspec

from sparrow_tui.sanitize import clean
from sparrow_tui.text.spans import Line, Span

DEEPEST = 40
"""Levels that are indented; what lies deeper stands in one line."""
_TOKEN = re.compile(r'("(?:[^"\\]|\\.)*")|([{}\[\],:])|([^\s{}\[\],:"]+)')


def one_line(value: Any) -> str:
    """A value as JSON in one safe line."""
    return clean(msgspec.json.encode(value).decode("utf-8", "replace")).replace("\n", " ")


def beginning(value: Any, most: int) -> Any:
    """A part of a JSON value that as JSON has its first ``most`` characters, if it has so many.

    No more of it is looked at than that takes.
    """
    left = most

    def part(item: Any) -> Any:
        nonlocal left
        left -= 1
        if isinstance(item, str):
            left -= min(len(item), most)
            return item[:most]
        if isinstance(item, dict):
            some: dict[str, Any] = {}
            for key, inner in item.items():
                if left <= 0:
                    break
                left -= len(key)
                some[key] = part(inner)
            return some
        if isinstance(item, list):
            return [part(inner) for inner in takewhile(lambda _: left > 0, item)]
        return item

    return part(value)


_PLAIN_KEY = re.compile(r"[\w.-]{1,200}")


def value_lines(value: Any) -> list[Line]:
    """A JSON value over several lines.

    It looks like JSON, but a text with line breaks stands below its key as it is, after ``|``.
    """
    lines: list[list[Span]] = [[]]
    _put(lines, value, 0)
    return [tuple(line) for line in lines]


def member_lines(value: dict[str, Any]) -> list[Line]:
    """The members of a JSON object, each on lines of its own, without the braces around them."""
    lines: list[list[Span]] = []
    for key, item in value.items():
        name = key if _PLAIN_KEY.fullmatch(key) else one_line(str(key))
        lines.append([Span(name, "keyword"), Span(": ", "code")])
        _put(lines, item, 0)
    return [tuple(line) for line in lines]


def _put(lines: list[list[Span]], value: Any, depth: int) -> None:
    """Add a value to the last line, and below it."""
    if isinstance(value, str) and ("\n" in value.strip("\n") or "\t" in value):
        lines[-1].append(Span("|", "dim"))
        for part in clean(value).expandtabs(4).split("\n"):
            lines.append([Span("  " * (depth + 1)), Span(part, "string")])
    elif isinstance(value, dict | list) and value and depth < DEEPEST:
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        lines[-1].append(Span(opening, "code"))
        items = value.items() if isinstance(value, dict) else ((None, item) for item in value)
        for number, (key, item) in enumerate(items, 1):
            lines.append([Span("  " * (depth + 1))])
            if key is not None:
                lines[-1] += [Span(one_line(str(key)), "keyword"), Span(": ", "code")]
            _put(lines, item, depth + 1)
            if number < len(value) and lines[-1][-1].style != "string":
                lines[-1].append(Span(",", "code"))
        lines.append([Span("  " * depth), Span(closing, "code")])
    else:
        lines[-1].append(_scalar(value))


def _scalar(value: Any) -> Span:
    if isinstance(value, str):
        return Span(one_line(value), "text")
    return Span(one_line(value), "number" if isinstance(value, int | float) else "name")


def json_lines(text: str) -> list[Line] | None:
    """A text that is a JSON object or array, indented; ``None`` if it is none.

    Its own spelling of numbers, keys and texts stays: only white space between them changes.
    """
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return None
    lines: list[list[Span]] = [[]]
    depth, opened = 0, False
    for match in _TOKEN.finditer(text):
        said, mark, word = match.groups()
        if mark in ("}", "]"):
            depth -= 1
            if not opened:
                lines.append([Span("  " * min(depth, DEEPEST))])
        elif opened:
            lines.append([Span("  " * min(depth, DEEPEST))])
        opened = mark in ("{", "[")
        depth += opened
        if said is not None:
            key = text[match.end() : match.end() + 20].lstrip().startswith(":")
            lines[-1].append(Span(said, "keyword" if key else "string"))
        elif mark == ":":
            lines[-1].append(Span(": ", "code"))
        elif mark is not None:
            lines[-1].append(Span(mark, "code"))
            if mark == ",":
                lines.append([Span("  " * min(depth, DEEPEST))])
        else:
            lines[-1].append(Span(word, "number"))
    return [tuple(line) for line in lines]
