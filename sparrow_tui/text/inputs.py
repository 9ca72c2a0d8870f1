"""A tool call's input → styled logical lines: changes as diffs, commands and code as such."""

from __future__ import annotations

from sparrow_tui.model import ToolUse
from sparrow_tui.sanitize import clean
from sparrow_tui.text.code import highlight, language_of
from sparrow_tui.text.diff import Edit
from sparrow_tui.text.spans import Line, Span
from sparrow_tui.text.tools import PATHS, gist
from sparrow_tui.text.values import value_lines

_CODE = {
    "command": "bash", "cmd": "bash", "script": "bash", "code": "python", "content": "",
    "file_text": "", "contents": "",
}  # fmt: skip
"""Keys of texts that are code, and the language where no path tells it."""


def size_of(value: object) -> int:
    """Characters of the strings of a JSON value, roughly."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(size_of, value.values()))
    if isinstance(value, list):
        return sum(map(size_of, value))
    return 4


def as_text(value: object) -> str:
    """A large input as it would be read: strings with their line breaks."""
    if isinstance(value, dict):
        return "\n".join(f"{key}:\n{as_text(item)}" for key, item in value.items())
    if isinstance(value, list):
        return "\n".join(map(as_text, value))
    return value if isinstance(value, str) else str(value)


def input_lines(block: ToolUse, edit: Edit | None, *, gist_whole: bool) -> list[Line]:
    """An input in full.

    Args:
        block: the call.
        edit: the change it makes, if it is one.
        gist_whole: whether the card's first line says all of the gist.
    """
    value = block.input
    if value is None or value == {}:
        return []
    if edit is not None:
        rest = {k: v for k, v in value.items() if k not in edit.told} if _is_map(value) else {}
        known = len(rest) == 1 and gist_whole and next(iter(rest)) in PATHS
        return [*(value_lines(rest) if rest and not known else []), *edit.lines]
    if isinstance(value, str):
        return highlight(clean(value).expandtabs(4), "")
    if not isinstance(value, dict):
        return value_lines(value)
    if gist_whole and len(value) == 1 and gist(block.name, value) in value.values():
        return []  # the card's first line says it all
    codes = [key for key, item in value.items() if key in _CODE and isinstance(item, str)]
    rest = {key: item for key, item in value.items() if key not in codes}
    path = next((value[key] for key in PATHS if isinstance(value.get(key), str)), "")
    lines: list[Line] = []
    for key in codes:
        if gist_whole and value[key] == gist(block.name, value):
            continue
        if len(codes) > 1:
            lines.append((Span(f"{key}:", "label"),))
        lines += highlight(clean(value[key]).expandtabs(4), _CODE[key] or language_of(path))
    # What it is about comes first, what it is set to after.
    return [*lines, *value_lines(rest)] if rest else lines


def _is_map(value: object) -> bool:
    return isinstance(value, dict)
