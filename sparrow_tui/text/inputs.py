"""A tool call's input → styled logical lines: changes as diffs, commands and code as such."""

from __future__ import annotations

from collections.abc import Iterator

from sparrow_tui.large import Large
from sparrow_tui.model import ToolUse
from sparrow_tui.sanitize import clean, clean_line
from sparrow_tui.text.code import highlight, language_of
from sparrow_tui.text.diff import Edit
from sparrow_tui.text.spans import Line, Span
from sparrow_tui.text.tools import PATHS, gist, pretty
from sparrow_tui.text.values import member_lines, value_lines

_CODE = {
    "command": "bash", "cmd": "bash", "script": "bash", "code": "python", "content": "",
    "file_text": "", "contents": "",
}  # fmt: skip
"""Keys of texts that are code, and the language where no path tells it."""
MANY = 10_000
"""Values of a large input beyond which it is shown as JSON."""
SHORT = 1_000
"""Characters of a task's words."""
_TASKS = ("todos", "plan", "newTodos", "tasks")
"""Keys of lists of tasks."""
_SUBJECTS = ("content", "step", "subject", "title", "text", "description")
_BOXES = {"completed": ("☑", "ok"), "done": ("☑", "ok"), "in_progress": ("◐", "warning"),
          "cancelled": ("☒", "dim")}  # fmt: skip


def exceeds(value: object, most: int) -> bool:
    """Whether a JSON value's strings have more than ``most`` characters; other values count as one.

    No more of it is looked at than that takes.
    """
    left, waiting = most, [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            left -= len(item)
        elif isinstance(item, Large):
            return True
        elif isinstance(item, dict | list):
            if len(item) > left:
                return True
            waiting.extend(item.values() if isinstance(item, dict) else item)
        else:
            left -= 1
        if left < 0:
            return True
    return False


def as_texts(value: object) -> Iterator[str]:
    """A large value as it would be read: keys and strings with their line breaks, one by one.

    Long strings are the value's own: a layout does not copy them. Data is JSON.
    """
    return iter([as_json(value)]) if _has_many(value) else _texts(value)


_last: list[tuple[object, str]] = []


def as_json(value: object) -> str:
    """`pretty`, remembered for the last value: a page is laid out anew for every other width."""
    if not _last or _last[0][0] is not value:
        _last[:] = [(value, pretty(value))]
    return _last[0][1]


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield f"{key}:"
            yield from _texts(item)
    elif isinstance(value, list) and value:
        for item in value:
            yield from _texts(item)
    else:
        yield value if isinstance(value, str) else str(value)


def _has_many(value: object) -> bool:
    """Whether a value is data: of more values than a text is put together from in a moment."""
    left, waiting = MANY, [value]
    while waiting and left >= len(waiting):
        item = waiting.pop()
        left -= 1
        if isinstance(item, dict | list):
            if len(item) > left:
                return True
            waiting.extend(item.values() if isinstance(item, dict) else item)
    return bool(waiting)


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
        return [*(member_lines(rest) if rest and not known else []), *edit.lines]
    if isinstance(value, str):
        return highlight(clean(value).expandtabs(4), "")
    if not isinstance(value, dict):
        return value_lines(value)
    listed = next((key for key in _TASKS if key in value and _are_tasks(value[key])), None)
    if listed is not None:
        rest = {key: item for key, item in value.items() if key != listed}
        return [*member_lines(rest), *map(_task, value[listed])]
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
    return [*lines, *member_lines(rest)]


def _are_tasks(value: object) -> bool:
    """Whether each of a list's items has a subject, a state and but a few words more."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(
            isinstance(item, dict)
            and isinstance(item.get("status"), str)
            and any(key in item for key in _SUBJECTS)
            and all(_is_short(part) for part in item.values())
            for item in value
        )
    )


def _is_short(part: object) -> bool:
    if isinstance(part, str):
        return len(part) < SHORT and "\n" not in part
    return isinstance(part, int | float | None)


def _task(item: dict[str, object]) -> Line:
    """A task as a box and its subject; what else is said of it stands dim behind."""
    subject = next(key for key in _SUBJECTS if key in item)
    box, style = _BOXES.get(str(item["status"]).lower(), ("☐", "dim"))
    more = [str(part) for key, part in item.items() if key != subject and part not in (None, "")]
    beside = clean_line(" · ".join(more).replace("in_progress", "in progress"), SHORT * len(more))
    said = Span(clean_line(str(item[subject]), SHORT), "text")
    return (Span(f"{box} ", style), said, Span(f"  {beside}", "dim"))


def _is_map(value: object) -> bool:
    return isinstance(value, dict)
