"""Changes to files → styled lines, with the changed words marked inside changed lines."""

from __future__ import annotations

import difflib
import re
from typing import Any

from sparrow_tui.sanitize import clean
from sparrow_tui.text.spans import Line, Span

CONTEXT = 3
MOST_LINES = 4_000
"""Lines of a side that are compared; longer sides are shown whole, old then new."""
_WORDS = re.compile(r"\w+|\s+|.")


def edit_lines(name: str, value: Any) -> list[Line] | None:
    """A tool's input as a diff, or ``None`` if it is no edit we understand.

    Understands the inputs of Edit, MultiEdit, Write, ``str_replace`` and ``apply_patch`` in the
    spellings agents use.
    """
    if isinstance(value, str):
        return patch_lines(value) if "*** Begin Patch" in value else None
    if not isinstance(value, dict):
        return None
    patch = value.get("patch") or value.get("input") or value.get("diff")
    if isinstance(patch, str) and ("*** Begin Patch" in patch or "\n@@" in f"\n{patch}"):
        return patch_lines(patch)
    edits = value.get("edits")
    if isinstance(edits, list):
        lines: list[Line] = []
        for edit in edits:
            part = _pair(edit) if isinstance(edit, dict) else None
            if part is not None:
                lines.extend([*([((Span("⋯", "hunk"),))] if lines else []), *compare(*part)])
        return lines or None
    pair = _pair(value)
    if pair is not None:
        return compare(*pair)
    content = value.get("content", value.get("file_text", value.get("contents")))
    if isinstance(content, str) and name.lower() in _WRITERS:
        return compare("", content)
    return None


_WRITERS = frozenset(
    ("write", "write_file", "write_to_file", "create_file", "create", "fs_write", "writefile")
)


def _pair(value: dict[str, Any]) -> tuple[str, str] | None:
    for old, new in (
        ("old_string", "new_string"), ("oldString", "newString"), ("old_str", "new_str"),
        ("oldText", "newText"), ("search", "replace"), ("old_text", "new_text"),
    ):  # fmt: skip
        if isinstance(value.get(old), str) and isinstance(value.get(new), str):
            return value[old], value[new]
    return None


def compare(old: str, new: str) -> list[Line]:
    """The difference of two texts as a unified diff without headers."""
    before = clean(old).expandtabs(4).split("\n") if old else []
    after = clean(new).expandtabs(4).split("\n") if new else []
    if len(before) > MOST_LINES or len(after) > MOST_LINES or not before or not after:
        return [
            *((Span("- ", "delete"), Span(line, "delete")) for line in before),
            *((Span("+ ", "add"), Span(line, "add")) for line in after),
        ]
    lines: list[Line] = []
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for group in matcher.get_grouped_opcodes(CONTEXT):
        if lines:
            lines.append((Span("⋯", "hunk"),))
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                lines.extend((Span("  ", "dim"), Span(line, "dim")) for line in before[i1:i2])
            else:
                lines.extend(_changed(before[i1:i2], after[j1:j2]))
    return lines or [(Span("no change", "dim"),)]


def _changed(before: list[str], after: list[str]) -> list[Line]:
    """Changed lines; where as many were taken as put in, the words that differ are marked."""
    if len(before) != len(after):
        return [
            *((Span("- ", "delete"), Span(line, "delete")) for line in before),
            *((Span("+ ", "add"), Span(line, "add")) for line in after),
        ]
    removed: list[Line] = []
    added: list[Line] = []
    for old, new in zip(before, after, strict=True):
        left, right = _marked(old, new)
        removed.append((Span("- ", "delete"), *left))
        added.append((Span("+ ", "add"), *right))
    return [*removed, *added]


def _marked(old: str, new: str) -> tuple[list[Span], list[Span]]:
    a, b = _WORDS.findall(old), _WORDS.findall(new)
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    if len(a) > 400 or len(b) > 400 or matcher.quick_ratio() < 0.4:
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
    """A patch's own lines, coloured by their first character."""
    lines: list[Line] = []
    for line in clean(patch).expandtabs(4).split("\n"):
        if line.startswith(("*** Begin Patch", "*** End Patch")):
            continue
        if line.startswith(("***", "+++", "---", "diff ", "index ")):
            lines.append((Span(line, "heading"),))
        elif line.startswith("@@"):
            lines.append((Span(line, "hunk"),))
        elif line.startswith("+"):
            lines.append((Span("+ ", "add"), Span(line[1:], "add")))
        elif line.startswith("-"):
            lines.append((Span("- ", "delete"), Span(line[1:], "delete")))
        else:
            lines.append((Span("  ", "dim"), Span(line[1:] if line[:1] == " " else line, "dim")))
    return lines


def size_of(lines: list[Line]) -> str:
    """``+3 -1``: how much a diff adds and takes."""
    added = sum(1 for line in lines if line and line[0].text == "+ ")
    taken = sum(1 for line in lines if line and line[0].text == "- ")
    return f"+{added} -{taken}"
