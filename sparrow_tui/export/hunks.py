"""Changes of lines → sections of a unified diff that git and patch apply."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TypeAlias

CONTEXT = 3
MOST_COMPARED = 3_000
"""Lines of a side that are compared; longer sides are replaced whole."""

Edit: TypeAlias = tuple[int, int, list[str]]
"""Lines from the first index up to the second give way to these."""


def edits_between(old: list[str], new: list[str], offset: int = 0) -> list[Edit]:
    """What makes one list of lines the other; indices are counted from ``offset`` on."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    middle_old, middle_new = old[head : len(old) - tail], new[head : len(new) - tail]
    if not middle_old and not middle_new:
        return []
    at = offset + head
    if max(len(middle_old), len(middle_new)) > MOST_COMPARED:
        return [(at, at + len(middle_old), middle_new)]
    matcher = difflib.SequenceMatcher(None, middle_old, middle_new, autojunk=False)
    return [
        (at + i1, at + i2, middle_new[j1:j2])
        for tag, i1, i2, j1, j2 in matcher.get_opcodes()
        if tag != "equal"
    ]


def applied(lines: Sequence[str | None], edits: Sequence[Edit]) -> list[str | None]:
    """The lines after the edits, which are in order and do not touch."""
    result: list[str | None] = []
    at = 0
    for start, end, new in edits:
        result += [*lines[at:start], *new]
        at = end
    return [*result, *lines[at:]]


def hunks(lines: Sequence[str | None], edits: Sequence[Edit]) -> str:
    """The edits of a file as hunks with up to three known lines around.

    Args:
        lines: before the edits; ``None`` where a line is not known.
        edits: in order.
    """
    groups: list[list[Edit]] = []
    for edit in edits:
        between = lines[groups[-1][-1][1] : edit[0]] if groups else []
        if groups and len(between) <= 2 * CONTEXT and None not in between:
            groups[-1].append(edit)
        else:
            groups.append([edit])
    pieces = []
    shift = 0
    for group in groups:
        first, last = group[0][0], group[-1][1]
        start = first
        while start > 0 and first - start < CONTEXT and lines[start - 1] is not None:
            start -= 1
        end = last
        while end < len(lines) and end - last < CONTEXT and lines[end] is not None:
            end += 1
        body: list[str] = []
        at = start
        grown = 0
        for begin, stop, new in group:
            body += [_line(" ", line) for line in lines[at:begin]]
            body += [_line("-", line) for line in lines[begin:stop]]
            body += [_line("+", line) for line in new]
            grown += len(new) - (stop - begin)
            at = stop
        body += [_line(" ", line) for line in lines[at:end]]
        size = end - start
        pieces.append(
            f"@@ -{_range(start, size)} +{_range(start + shift, size + grown)} @@\n{''.join(body)}"
        )
        shift += grown
    return "".join(pieces)


def floating(old: list[str], new: list[str]) -> str:
    """One hunk for a change whose place in the file is not known.

    git and patch look for its lines in the whole file, but only if as many unchanged lines stand
    before the change as after it: the surplus is taken out and put in again. The whole of ``old``
    stays in the hunk, so that it fits in one place only.
    """
    edits = edits_between(old, new)
    if not edits:
        return ""
    head, tail = edits[0][0], len(old) - edits[-1][1]
    around = min(head, tail)
    body = [_line(" ", line) for line in old[:around]]
    body += [_line("-", line) for line in old[around : len(old) - around]]
    body += [_line("+", line) for line in new[around : len(new) - around]]
    body += [_line(" ", line) for line in old[len(old) - around :]]
    # Beginning at line 1 would mean: only there.
    return f"@@ -{_range(1, len(old))} +{_range(1, len(new))} @@\n{''.join(body)}"


def inserted(after: int, new: list[str]) -> str:
    """One hunk that puts lines in after a line of a file that is not known."""
    body = "".join(_line("+", line) for line in new)
    return f"@@ -{after},0 +{_range(after, len(new))} @@\n{body}"


def _range(start: int, size: int) -> str:
    """``3,7``: the first line counted from 1, or the one before where there are none."""
    return f"{start + 1 if size else start},{size}"


def _line(mark: str, line: str | None) -> str:
    assert line is not None
    return mark + line if line.endswith("\n") else f"{mark}{line}\n\\ No newline at end of file\n"
