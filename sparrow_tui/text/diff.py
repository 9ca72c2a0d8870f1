"""Changes to files → styled lines, with the changed words marked inside changed lines."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from sparrow_tui.sanitize import clean
from sparrow_tui.text.spans import Line, Span
from sparrow_tui.text.values import one_line

CONTEXT = 3
MOST_LINES = 4_000
"""Lines of a side that are compared; longer sides are shown whole, old then new."""
MOST_PAIRS = 400
"""Pairs of lines that are compared to find which was changed into which."""
ALIKE = 0.6
_WORDS = re.compile(r"\w+|\s+|.")


class Edit(NamedTuple):
    """A tool's input as a change."""

    lines: list[Line]
    told: frozenset[str]
    """Keys of the input that the lines tell."""


def edit_of(name: str, value: Any, *, whole: bool = True) -> Edit | None:
    """A tool's input as a diff, or ``None`` if it is no edit we understand.

    Understands the inputs of Edit, MultiEdit, Write, ``str_replace`` and ``apply_patch`` in the
    spellings agents use.

    Args:
        name: of the tool.
        value: its input.
        whole: with all lines that stay as they are, not only those around a change.
    """
    if isinstance(value, str):
        return Edit(patch_lines(value), frozenset()) if is_patch(value) else None
    if not isinstance(value, dict):
        return None
    for key in ("patch", "input", "diff"):
        patch = value.get(key)
        if isinstance(patch, str) and ("*** Begin Patch" in patch or "\n@@" in f"\n{patch}"):
            return Edit(patch_lines(patch), frozenset((key,)))
    edits = value.get("edits")
    if isinstance(edits, list):
        return _edits(edits, whole)
    pair = _pair(value)
    if pair is not None:
        return Edit(compare(value[pair[0]], value[pair[1]], whole=whole), frozenset(pair))
    for key in ("content", "file_text", "contents"):
        content = value.get(key)
        if isinstance(content, str) and name.lower() in _WRITERS:
            return Edit(compare("", content), frozenset((key,)))
    return None


def _edits(edits: list[Any], whole: bool) -> Edit | None:
    """Several replacements in one file; anything else about one stands above it."""
    lines: list[Line] = []
    for edit in edits:
        pair = _pair(edit) if isinstance(edit, dict) else None
        if pair is None:
            return None
        rest = {key: item for key, item in edit.items() if key not in pair}
        if lines or rest:
            about = f"⋯ {one_line(rest)}" if rest else "⋯"
            lines.append((Span(about, "hunk"),))
        lines.extend(compare(edit[pair[0]], edit[pair[1]], whole=whole))
    return Edit(lines, frozenset(("edits",))) if lines else None


def is_patch(text: str) -> bool:
    """Whether a text is a patch as `git diff` or ``apply_patch`` write it."""
    return "*** Begin Patch" in text or _UNIFIED.search(text) is not None


_UNIFIED = re.compile(r"^--- .*\n\+\+\+ .*\n@@ ", re.MULTILINE)
_WRITERS = frozenset(
    ("write", "write_file", "write_to_file", "create_file", "create", "fs_write", "writefile")
)


def _pair(value: dict[str, Any]) -> tuple[str, str] | None:
    """The keys of what is replaced and of what it is replaced by."""
    for old, new in (
        ("old_string", "new_string"), ("oldString", "newString"), ("old_str", "new_str"),
        ("oldText", "newText"), ("search", "replace"), ("old_text", "new_text"),
    ):  # fmt: skip
        if isinstance(value.get(old), str) and isinstance(value.get(new), str):
            return old, new
    return None


def compare(old: str, new: str, *, whole: bool = True) -> list[Line]:
    """The difference of two texts as a unified diff without headers.

    Args:
        old: before.
        new: after.
        whole: with all lines both have, not only those around a change.
    """
    before = clean(old).expandtabs(4).split("\n") if old else []
    after = clean(new).expandtabs(4).split("\n") if new else []
    if len(before) > 1 and len(after) > 1 and not before[-1] and not after[-1]:
        del before[-1], after[-1]  # both end with a line break: no line stands behind it
    if len(before) > MOST_LINES or len(after) > MOST_LINES or not before or not after:
        return [
            *((Span("- ", "delete"), Span(line, "delete")) for line in before),
            *((Span("+ ", "add"), Span(line, "add")) for line in after),
        ]
    lines: list[Line] = []
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    groups = [matcher.get_opcodes()] if whole else matcher.get_grouped_opcodes(CONTEXT)
    for group in groups:
        if lines:
            lines.append((Span("⋯", "hunk"),))
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                lines.extend((Span("  ", "dim"), Span(line, "dim")) for line in before[i1:i2])
            else:
                lines.extend(_changed(before[i1:i2], after[j1:j2]))
    return lines or [(Span("no change", "dim"),)]


def _changed(before: list[str], after: list[str]) -> list[Line]:
    """Changed lines; where a new line is like an old one, the words that differ are marked."""
    removed: list[Line] = [(Span("- ", "delete"), Span(line, "delete")) for line in before]
    added: list[Line] = [(Span("+ ", "add"), Span(line, "add")) for line in after]
    for old, new in _alike(before, after):
        left, right = _marked(before[old], after[new])
        removed[old] = (Span("- ", "delete"), *left)
        added[new] = (Span("+ ", "add"), *right)
    return [*removed, *added]


def _alike(before: list[str], after: list[str]) -> Iterator[tuple[int, int]]:
    """Pairs of lines that were changed into one another, in order."""
    if len(before) == len(after):
        yield from ((number, number) for number in range(len(before)))
        return
    if len(before) * len(after) > MOST_PAIRS:
        return
    matcher = difflib.SequenceMatcher(None, autojunk=False)
    begin = 0
    for number, old in enumerate(before):
        matcher.set_seq2(old)
        for other in range(begin, len(after)):
            matcher.set_seq1(after[other])
            if old.strip() and matcher.quick_ratio() > ALIKE and matcher.ratio() > ALIKE:
                yield number, other
                begin = other + 1
                break


def _marked(old: str, new: str) -> tuple[list[Span], list[Span]]:
    a, b = _WORDS.findall(old), _WORDS.findall(new)
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    if len(a) > 400 or len(b) > 400 or matcher.quick_ratio() < 0.4 or matcher.ratio() < 0.4:
        return [Span(old, "delete")], [Span(new, "add")]
    left: list[Span] = []
    right: list[Span] = []
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        same = tag == "equal"
        if i2 > i1:
            left.append(Span("".join(a[i1:i2]), "delete" if same else "delete-word"))
        if j2 > j1:
            right.append(Span("".join(b[j1:j2]), "add" if same else "add-word"))
    return left, right


def patch_lines(patch: str) -> list[Line]:
    """A patch's own lines, coloured by their first character, changed words marked."""
    lines: list[Line] = []
    removed: list[str] = []
    added: list[str] = []

    def settle() -> None:
        lines.extend(_changed(removed, added))
        removed.clear()
        added.clear()

    for line in clean(patch).expandtabs(4).split("\n"):
        if line.startswith("-") and not line.startswith("--- "):
            if added:
                settle()
            removed.append(line[1:])
            continue
        if line.startswith("+") and not line.startswith("+++ "):
            added.append(line[1:])
            continue
        settle()
        if line.startswith(("*** Begin Patch", "*** End ")):
            lines.append((Span(line, "dim"),))
        elif line.startswith(("***", "+++", "---", "diff ", "index ")):
            lines.append((Span(line, "heading"),))
        elif line.startswith("@@"):
            lines.append((Span(line, "hunk"),))
        else:
            lines.append((Span("  ", "dim"), Span(line[1:] if line[:1] == " " else line, "dim")))
    settle()
    return lines


def size_of(lines: list[Line]) -> str:
    """``+3 -1``: how much a diff adds and takes."""
    added = sum(1 for line in lines if line and line[0].text == "+ ")
    taken = sum(1 for line in lines if line and line[0].text == "- ")
    return f"+{added} -{taken}"
