"""A change to a file → its section of a patch, with what the session shows around it."""

from __future__ import annotations

import posixpath
import re

from sparrow_tui.export.edits import Change, Delete, Insert, Move, Replace, Unclear, Write
from sparrow_tui.export.hunks import (
    Edit,
    applied,
    edits_between,
    floating,
    hunks,
    inserted,
)
from sparrow_tui.export.known import Known, KnownFiles, lines_of, numbered

_DRIVE = re.compile(r"^[A-Za-z]:[\\/]")
_WAS_THERE = re.compile(r"\b(?:has been updated|overwr[io]t|updated the file)", re.IGNORECASE)
_ESCAPES = {"\t": "\\t", "\n": "\\n", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


class Sections:
    """Makes sections in the order of the changes; each starts where the last one ended."""

    def __init__(self, project: str) -> None:
        """``project``: the directory the patch is to be applied in."""
        self.files = KnownFiles()
        self.project = _slashed(project).rstrip("/")
        self._touched: set[str] = set()
        self._renamed: dict[str, str] = {}
        self.guessed = 0
        """Changes whose place or file's earlier content the session does not show."""
        self.left_out = 0
        """Changes that cannot be written as a patch."""

    def saw(self, path: str, text: str, *, whole: bool) -> None:
        """The session has shown a file (see `KnownFiles.saw`)."""
        self.files.saw(self._key(path), text, whole=whole)

    def section(self, change: Change, answer: str = "") -> str:
        """The section for a change; empty if it changes nothing or cannot be written.

        Args:
            change: made.
            answer: what the tool said to it; some show the lines around.
        """
        key = self._key(change.path)
        if isinstance(change, Replace):
            return self._replace(key, change, answer)
        if isinstance(change, Write):
            return self._write(key, change, answer)
        if isinstance(change, Insert):
            return self._insert(key, change)
        if isinstance(change, Delete):
            return self._delete(key)
        if isinstance(change, Move):
            return self._move(key, self._key(change.to))
        assert isinstance(change, Unclear)
        self.files.forget(key)
        self.left_out += 1
        return ""

    def _replace(self, key: str, change: Replace, answer: str) -> str:
        known = self.files.get(key)
        if known is not None:
            edits = find(known, change.old, change.new, everywhere=change.everywhere)
            if edits:
                return self._edited(key, known, edits)
        shown = numbered(answer)
        if shown is not None and change.new:
            before = _before([None] * shown[0] + shown[1], change)
            edits = find(before, change.old, change.new) if before is not None else []
            if before is not None and edits:
                return self._edited(key, before, edits)
        self.files.forget(key)
        old, new = change.old, change.new
        if not old.endswith("\n"):
            old, new = old + "\n", new + "\n"
        elif new and not new.endswith("\n"):
            new += "\n"
        body = floating(lines_of(old), lines_of(new))
        self.guessed += bool(body)
        return self._headed(key, body)

    def _write(self, key: str, change: Write, answer: str) -> str:
        known = self.files.get(key)
        lines = lines_of(change.content)
        held = known.all() if known is not None else None
        if known is not None and held is not None:
            edits = edits_between(held, [*held, *lines] if change.added else lines)
            return self._edited(key, known, edits)
        if change.added:
            self.files.forget(key)
            self.left_out += 1
            return ""
        self.files.put(key, Known([*lines], complete=True))
        self.guessed += known is not None or _WAS_THERE.search(answer) is not None
        return self._headed(key, hunks([], [(0, 0, lines)]) if lines else "", "new")

    def _insert(self, key: str, change: Insert) -> str:
        known = self.files.get(key)
        lines = lines_of(change.text if change.text.endswith("\n") else change.text + "\n")
        if known is not None and change.after <= len(known.lines):
            return self._edited(key, known, [(change.after, change.after, lines)])
        self.files.forget(key)
        self.guessed += 1
        return self._headed(key, inserted(change.after, lines))

    def _delete(self, key: str) -> str:
        known = self.files.get(key)
        self.files.forget(key)
        lines = known.all() if known is not None else None
        if lines is None:
            self.left_out += 1
            return ""
        return self._headed(key, hunks(lines, [(0, len(lines), [])]) if lines else "", "deleted")

    def _move(self, key: str, to: str) -> str:
        known = self.files.get(key)
        self.files.move(key, to)
        lines = known.all() if known is not None else None
        if lines is not None:
            gone = hunks(lines, [(0, len(lines), [])]) if lines else ""
            come = hunks([], [(0, 0, lines)]) if lines else ""
            return self._headed(key, gone, "deleted") + self._headed(to, come, "new")
        if key in self._touched:
            # git and patch would move the file as it was before its edits.
            self.files.forget(to)
            self.left_out += 1
            return ""
        self._renamed[to] = key
        return ""

    def renames(self) -> str:
        """Sections of the moves no section has told yet; to be asked for after each call."""
        return "".join(self._headed(to, "", "renamed") for to in list(self._renamed))

    def _edited(self, key: str, known: Known, edits: list[Edit]) -> str:
        body = hunks(known.lines, edits)
        known.lines = applied(known.lines, edits)
        self.files.put(key, known)
        return self._headed(key, body)

    def _headed(self, key: str, body: str, mode: str = "") -> str:
        """Hunks below the names git and patch want to see."""
        if not body and not mode:
            return ""
        self._touched.add(key)
        name = self._name(key)
        before = self._name(self._renamed.pop(key, key))
        old, new = _quoted("a/" + before), _quoted("b/" + name)
        head = f"diff --git {old} {new}\n"
        if before != name:
            # In one section: patch cannot change a file it has just moved.
            head += f"similarity index {0 if body else 100}%\n"
            head += f"rename from {_quoted(before)}\nrename to {_quoted(name)}\n"
        elif mode:
            head += f"{mode} file mode 100644\n"
        if body:
            # A name with a space in it ends with a tab.
            tab = "\t" if " " in name else ""
            head += "--- " + ("/dev/null" if mode == "new" else old + tab) + "\n"
            head += "+++ " + ("/dev/null" if mode == "deleted" else new + tab) + "\n"
        return head + body

    def _key(self, path: str) -> str:
        """One spelling of a file's path."""
        path = _slashed(path)
        if not path.startswith("/"):
            path = f"{self.project}/{path}"
        return posixpath.normpath(path)

    def _name(self, key: str) -> str:
        """The path below the project, or all of it without its root."""
        if self.project and key.startswith(self.project + "/"):
            return key[len(self.project) + 1 :]
        return key.lstrip("/") or "unnamed"


def find(known: Known, old: str, new: str, *, everywhere: bool = False) -> list[Edit]:
    """Where a text stands in a file, as edits that put another in its place; none if nowhere."""
    found: list[Edit] = []
    for start, run in known.runs():
        text = "".join(run)
        at = text.find(old) if old else -1
        if at < 0:
            continue
        if everywhere:
            found += edits_between(run, lines_of(text.replace(old, new)), start)
            continue
        end = at + len(old)
        begin = text.rfind("\n", 0, at) + 1
        if not (old.endswith("\n") and (new.endswith("\n") or (not new and begin == at))):
            stop = text.find("\n", end)
            stop = len(text) if stop < 0 else stop + 1
        else:
            stop = end
        after = lines_of(text[begin:at] + new + text[end:stop])
        return edits_between(lines_of(text[begin:stop]), after, start + text.count("\n", 0, begin))
    return found


def _before(lines: list[str | None], change: Replace) -> Known | None:
    """A file as it was, from lines shown after a change; ``None`` if the change is not there."""
    shown = Known(lines, complete=False)
    back = find(shown, change.new, change.old, everywhere=change.everywhere)
    return Known(applied(lines, back), complete=False) if back else None


def _slashed(path: str) -> str:
    path = f"/{path}" if _DRIVE.match(path) else path
    return path.replace("\\", "/") if _DRIVE.match(path[1:]) or path.startswith("\\\\") else path


def _quoted(name: str) -> str:
    """A path as git writes it: in quotes with escapes where it has to be."""
    if not any(c in _ESCAPES or ord(c) < 32 or 127 <= ord(c) < 160 for c in name):
        return name
    return '"' + "".join(_ESCAPES.get(c) or _octal(c) for c in name) + '"'


def _octal(character: str) -> str:
    if 32 <= ord(character) < 127 or ord(character) >= 160:
        return character
    return "".join(f"\\{byte:03o}" for byte in character.encode())
