"""What a tool call does to files: agents' spellings of edits → a few kinds of change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Replace:
    """A piece of text is replaced by another, once or wherever it stands."""

    path: str
    old: str
    new: str
    everywhere: bool = False


@dataclass(frozen=True, slots=True)
class Write:
    """A file gets new content; ``added``: after what it has."""

    path: str
    content: str
    added: bool = False


@dataclass(frozen=True, slots=True)
class Insert:
    """Text goes in after a line (counted from 1; 0: at the beginning)."""

    path: str
    after: int
    text: str


@dataclass(frozen=True, slots=True)
class Delete:
    """A file is deleted."""

    path: str


@dataclass(frozen=True, slots=True)
class Move:
    """A file gets another name."""

    path: str
    to: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """A change to a file whose input does not say what exactly it is."""

    path: str


Change: TypeAlias = Replace | Write | Insert | Delete | Move | Unclear

_PATHS = ("file_path", "filePath", "path", "target_file", "filename", "notebook_path", "file",
          "relative_workspace_path", "absolute_path", "TargetFile")  # fmt: skip
_PAIRS = (
    ("old_string", "new_string"), ("oldString", "newString"), ("old_str", "new_str"),
    ("oldText", "newText"), ("old_text", "new_text"), ("search", "replace"), ("old", "new"),
)  # fmt: skip
_ALL = ("replace_all", "replaceAll", "change_all", "allow_multiple")
_LISTS = ("edits", "replacements", "edit")
_CONTENTS = ("content", "file_text", "contents", "fileText")
_WRITERS = frozenset(
    ("write", "writefile", "write_file", "write_to_file", "create_file", "create", "fs_write",
     "createfile", "str_replace_editor", "str_replace_based_edit_tool", "text_editor",
     "developer__text_editor")
)  # fmt: skip
_UNCLEAR = frozenset(
    ("notebookedit", "edit_file", "insert_edit_into_file", "edit_notebook", "edit_notebook_file")
)
_READERS = frozenset(
    ("read", "read_file", "readfile", "view", "view_file", "open_file", "text_editor",
     "str_replace_editor", "str_replace_based_edit_tool", "developer__text_editor")
)  # fmt: skip
_SEARCH_REPLACE = re.compile(
    r"^<{5,9} SEARCH\s*?\n(.*?)^={5,9}\s*?\n(.*?)^>{5,9} REPLACE", re.MULTILINE | re.DOTALL
)
_BEGIN, _END = "*** Begin Patch", "*** End Patch"


def changes(name: str, value: Any) -> list[Change]:
    """The changes a call makes, in order; none if it edits no file.

    Args:
        name: of the tool.
        value: its input.
    """
    patch = _patch_text(name, value)
    if patch:
        return list(_patched(patch))
    if not isinstance(value, dict):
        return []
    low = name.lower().rsplit(".", 1)[-1]
    command = value.get("command")
    if command in ("view", "undo_edit"):
        return []
    path = _path(value)
    for key in _LISTS:
        items = value.get(key)
        items = [items] if isinstance(items, dict) else items
        if isinstance(items, list) and items and isinstance(items[0], dict):
            found = [pair for item in items if (pair := _pair(item, _path(item) or path))]
            return list(found) if found else [Unclear(path)] if path else []
    if not path:
        return []
    pair = _pair(value, path)
    if pair is not None:
        return [pair]
    if command == "insert" or "insert_line" in value:
        line = value.get("insert_line")
        text = value.get("insert_text", value.get("new_str"))
        if isinstance(line, int) and not isinstance(line, bool) and isinstance(text, str):
            return [Insert(path, max(line, 0), text)]
    content = next((value[key] for key in _CONTENTS if isinstance(value.get(key), str)), None)
    if content is not None:
        blocks = _SEARCH_REPLACE.findall(content)
        if low in ("search_replace", "replace_in_file") and blocks:
            return [Replace(path, old, new) for old, new in blocks]
        if low in _WRITERS and command in (None, "create", "write"):
            return [Write(path, content, value.get("mode") == "append")]
    blocks = _SEARCH_REPLACE.findall(value["diff"]) if isinstance(value.get("diff"), str) else []
    if blocks:
        return [Replace(path, old, new) for old, new in blocks]
    return [Unclear(path)] if low in _UNCLEAR else []


def read_path(name: str, value: Any) -> tuple[str, bool] | None:
    """The file a call reads, and whether it asks for all of it; ``None`` if it reads none."""
    if not isinstance(value, dict) or name.lower().rsplit(".", 1)[-1] not in _READERS:
        return None
    if value.get("command") not in (None, "view"):
        return None
    path = _path(value)
    parts = ("offset", "limit", "start_line", "end_line", "view_range", "pages")
    return (path, not any(value.get(part) for part in parts)) if path else None


def _path(value: dict[str, Any]) -> str:
    return next((value[k] for k in _PATHS if isinstance(value.get(k), str) and value[k]), "")


def _pair(value: dict[str, Any], path: str) -> Replace | Write | None:
    for old, new in _PAIRS:
        if path and isinstance(value.get(old), str) and isinstance(value.get(new), str):
            if not value[old]:
                # An empty text to look for makes a new file.
                return Write(path, value[new])
            everywhere = any(value.get(key) is True for key in _ALL)
            return Replace(path, value[old], value[new], everywhere)
    return None


def _patch_text(name: str, value: Any) -> str:
    """The text for ``apply_patch`` in a call's input, also where a shell was asked to run it."""
    texts: list[Any] = [value]
    if isinstance(value, dict):
        texts = [value.get(key) for key in ("input", "patch", "patchText", "patch_text", "diff")]
        command = value.get("command", value.get("cmd"))
        words = command if isinstance(command, list) else [command]
        if any(isinstance(word, str) and "apply_patch" in word for word in words):
            texts += words
    for text in texts:
        if isinstance(text, str) and _BEGIN in text:
            body = text[text.index(_BEGIN) + len(_BEGIN) :]
            return body.partition(f"\n{_END}")[0]
    return ""


def _patched(text: str) -> Iterator[Change]:
    """The changes of an ``apply_patch`` text (the format of Codex' prompt for that tool)."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        line = lines[at].rstrip("\r")
        at += 1
        kind, _, path = line.partition(": ")
        path = path.strip()
        if kind == "*** Delete File":
            yield Delete(path)
        elif kind == "*** Add File":
            added = []
            while at < len(lines) and lines[at].startswith("+"):
                added.append(lines[at][1:] + "\n")
                at += 1
            yield Write(path, "".join(added))
        elif kind == "*** Update File":
            if at < len(lines) and lines[at].startswith("*** Move to: "):
                moved = lines[at].partition(": ")[2].strip()
                at += 1
                # The name comes first: git and patch rename files as they were at the beginning.
                yield Move(path, moved)
                path = moved
            old: list[str] = []
            new: list[str] = []
            while (at < len(lines) and not lines[at].startswith("*** ")) or (
                at < len(lines) and lines[at].startswith("*** End of File")
            ):  # fmt: skip
                body = lines[at]
                at += 1
                if body.startswith(("@@", "*** End of File")):
                    yield from _chunk(path, old, new)
                    old, new = [], []
                elif body.startswith("+"):
                    new.append(body[1:] + "\n")
                elif body.startswith("-"):
                    old.append(body[1:] + "\n")
                elif body.startswith(" ") or at < len(lines):
                    old.append(body[1:] + "\n")
                    new.append(body[1:] + "\n")
            yield from _chunk(path, old, new)


def _chunk(path: str, old: list[str], new: list[str]) -> Iterator[Change]:
    if old != new:
        yield Replace(path, "".join(old), "".join(new)) if old else Write(path, "".join(new), True)
