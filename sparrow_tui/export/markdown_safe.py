"""Markdown from a transcript made inert: no HTML, no pictures from elsewhere, fences closed.

Code keeps its characters. Where it cannot be told by the rules of CommonMark alone that a place
is code, it is treated as prose: the worst that happens there is a backslash that shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sparrow_tui.sanitize import clean

_FENCE = re.compile(r"^( {0,3})(`{3,}|~{3,})(.*)$")
_RUN = re.compile(r"\\.|`+")
# A backslash with what it escapes is passed over; what could begin a tag or a picture is not.
_LIVE = re.compile(r"\\.|<(?!https?://|mailto:)(?=[A-Za-z/!?])|!(?=\[)|&(?=#?\w{1,31};)")


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
    longest = max((len(run) for run in re.findall(r"`+", safe)), default=0)
    ticks = "`" * (longest + 1)
    pad = " " if safe.startswith("`") or safe.endswith("`") else ""
    return f"{ticks}{pad}{safe}{pad}{ticks}"


def plain(text: str) -> str:
    """One line of prose none of whose characters means anything in Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#|~!&])", r"\\\1", " ".join(clean(text).split()))


def _lines(text: str) -> Iterator[str]:
    fence = ""
    indent = 0
    torn = False
    for line in text.split("\n"):
        match = _FENCE.match(line)
        if fence:
            closes = match is not None and match[2].startswith(fence) and not match[3].strip()
            if closes:
                fence = ""
                yield line
            elif line.strip() and len(line) - len(line.lstrip(" ")) < indent:
                # Out of the list item the fence is in, so perhaps out of the fence.
                yield _prose(line, True)[0]
            else:
                yield line
        elif match is not None and not (match[2][0] == "`" and "`" in match[3]):
            indent, fence, torn = len(match[1]), match[2], False
            yield match[1] + match[2] + _LIVE.sub("", match[3])
        else:
            torn = torn and bool(line.strip())
            safe, torn = _prose(line, torn)
            yield safe
    if fence:
        yield " " * indent + fence


def _prose(line: str, torn: bool) -> tuple[str, bool]:
    """A line outside fences with everything live escaped.

    Args:
        line: as written.
        torn: whether a code span may be open from a line before; then nothing here is code.

    Returns:
        The line, and whether a code span may go on after it.
    """
    if torn:
        return _LIVE.sub(_escaped, line), True
    safe: list[str] = []
    at = 0
    runs = [match for match in _RUN.finditer(line) if match[0][0] == "`"]
    # In code a backslash is a backslash: closing runs are looked for among all of them.
    ends = {}
    for match in re.finditer(r"`+", line):
        ends.setdefault(len(match[0]), []).append(match.start())
    for run in runs:
        if run.start() < at:
            continue
        end = next((e for e in ends[len(run[0])] if e >= run.end()), None) \
            if len(run[0]) in ends else None
        if end is None:
            torn = True
            continue
        safe += [_LIVE.sub(_escaped, line[at : run.start()]), line[run.start() : end + len(run[0])]]
        at = end + len(run[0])
    safe.append(_LIVE.sub(_escaped, line[at:]))
    return "".join(safe), torn


def _escaped(match: re.Match[str]) -> str:
    return match[0] if match[0][0] == "\\" else f"\\{match[0]}"
