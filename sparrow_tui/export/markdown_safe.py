"""Markdown from a transcript made inert: no HTML, no pictures from elsewhere, fences closed.

Code keeps its characters. Where it cannot be told from the line alone that a place is code, it
is treated as prose: the worst that happens there is a backslash that shows. The rules are
CommonMark's (spec 0.31, fenced code blocks and code spans) with GitHub's tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sparrow_tui.sanitize import clean

_FENCE = re.compile(r"( *)(`{3,}|~{3,})(.*)")
_CONTAINER = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)]|>)")
_HIDDEN = re.compile(r"[\s>*+\-]*(?:\d{1,9}[.)][\s>*+\-]*)*(?:`{3,}|~{3,})")
_TICKS = re.compile(r"`+")
_OPENING = re.compile(r"\\.|`+")
# A backslash is passed over with what it escapes; what could begin a tag or a picture is not.
_LIVE = re.compile(r"\\.|<(?!(?:https?://|mailto:)[^\s<>`]*>)(?=[A-Za-z/!?])|!(?=\[)")
# A link's target may hide a backtick unless it is as simple as this.
_TARGET = re.compile(r"\]\((?![^\s()<>\"'`]*\))")


def inert(text: str) -> str:
    """Markdown that shows the same and does nothing, whatever displays it."""
    return "\n".join(_lines(clean(text)))


def fenced(text: str, language: str = "") -> str:
    """A text as a fenced block no line of it can end."""
    safe = clean(text).rstrip("\n")
    longest = max((len(run) for run in re.findall(r"`{3,}", safe)), default=2)
    fence = "`" * (longest + 1)
    info = re.sub(r"[^\w+#.-]", "", language)[:30]
    return f"{fence}{info}\n{safe}\n{fence}"


def code(text: str) -> str:
    """One line as inline code."""
    safe = " ".join(clean(text).split())
    if not safe:
        return ""
    longest = max((len(run) for run in _TICKS.findall(safe)), default=0)
    ticks = "`" * (longest + 1)
    pad = " " if safe.startswith("`") or safe.endswith("`") else ""
    return f"{ticks}{pad}{safe}{pad}{ticks}"


def plain(text: str) -> str:
    """One line of prose none of whose characters means anything in Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#|~!&])", r"\\\1", " ".join(clean(text).split()))


def _lines(text: str) -> Iterator[str]:
    opened: re.Match[str] | None = None
    """The open fence, if there is one for certain."""
    nested = False
    """There may be a list item or a quotation around."""
    hidden = False
    """There may be a fence inside that list item or quotation."""
    torn = False
    blank = True
    for raw in text.split("\n"):
        line = raw.expandtabs(4) if raw[:4].lstrip(" ").startswith("\t") else raw
        match = _FENCE.match(line)
        if opened is not None:
            indent = len(opened[1])
            if match and match[2].startswith(opened[2]) and not match[3].strip() and (
                nested or len(match[1]) <= 3
            ):  # fmt: skip
                # In a list item other depths than the opening's could mean the opposite.
                yield opened[1] + match[2] if nested else line
                opened, blank, torn = None, False, False
                continue
            if not nested or not line.strip() or len(line) - len(line.lstrip(" ")) >= indent:
                yield raw
                continue
            yield opened[1] + opened[2]
            opened, blank, torn = None, False, False
        if blank and line.strip() and not line.startswith(" "):
            nested = hidden = False
        nested = nested or _CONTAINER.match(line) is not None
        if match and len(match[1]) <= 3 and not (match[2][0] == "`" and "`" in match[3]):
            if not (hidden and match[1]):
                opened, hidden = match, False
                yield line
                continue
            line = f"{match[1]}\\{line.lstrip(' ')}"
        elif nested and _HIDDEN.match(line):
            hidden = True
        blank = not line.strip()
        torn = not blank and torn
        safe, torn = _prose(line, torn or hidden)
        yield safe
    if opened is not None:
        yield opened[1] + opened[2]


def _prose(line: str, torn: bool) -> tuple[str, bool]:
    """A line outside fences with everything live escaped.

    Args:
        line: as written.
        torn: whether a code span may be open from a line before; then nothing here is code.

    Returns:
        The line, and whether a code span may go on after it.
    """
    if "`" not in line or torn:
        return _LIVE.sub(_escaped, line), torn
    target = _TARGET.search(line)
    closing: dict[int, list[int]] = {}
    for run in _TICKS.finditer(line):
        closing.setdefault(len(run[0]), []).append(run.start())
    safe: list[str] = []
    at = 0
    for run in _OPENING.finditer(line):
        if run[0][0] == "\\" or run.start() < at:
            continue
        ends = closing.get(len(run[0]), [])
        while ends and ends[0] < run.end():
            ends.pop(0)
        if not ends:
            torn = True
            continue
        if "|" in line[run.end() : ends[0]] or (target is not None and target.start() < ends[0]):
            # Perhaps two cells of a table, or the target of a link.
            return "".join(safe) + _LIVE.sub(_escaped, line[at:]), True
        stop = ends[0] + len(run[0])
        safe += [_LIVE.sub(_escaped, line[at : run.start()]), line[run.start() : stop]]
        at = stop
    safe.append(_LIVE.sub(_escaped, line[at:]))
    return "".join(safe), torn


def _escaped(match: re.Match[str]) -> str:
    return match[0] if match[0][0] == "\\" else f"\\{match[0]}"
