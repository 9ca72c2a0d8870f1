"""Markdown → display lines. Every character that says something stays; marks become style.

Line by line, since transcripts are often cut off in the middle and must still read well:
headings, lists, quotes, tables, rules, fenced code by language, and inside a line strong,
emphasis, code and links with their targets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sparrow_tui.sanitize import clean
from sparrow_tui.text.code import highlight
from sparrow_tui.text.spans import BLANK, Line, Span, cut, fold_spans
from sparrow_tui.text.wrap import width_of

_FENCE = re.compile(r"^(\s*)(`{3,}|~{3,})\s*([^`]*)$")
_HEADING = re.compile(r"^\s{0,3}(#{1,6})\s+(.*?)(?:\s+#+)?\s*$")
_RULE = re.compile(r"^\s{0,3}([-*_])(?:\s*\1){2,}\s*$")
_LIST = re.compile(r"^(\s*)([-*+]|\d{1,4}[.)])\s+(.*)$")
_TASK = re.compile(r"^\[([ xX])\]\s+")
_QUOTE = re.compile(r"^\s{0,3}>\s?(.*)$")
_DIVIDER = re.compile(r"^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$")
_INLINE = re.compile(
    r"(?P<code>(?<!`)(?P<ticks>`+)(?!`)(?P<codetext>.+?)(?<!`)(?P=ticks))(?!`)"
    r"|!?\[(?P<label>[^\]\n]*)\]\((?P<target>[^)\s]+)(?P<title>\s+\"[^\"]*\")?\)"
    r"|(?P<bold>\*\*|__)(?=\S)(?P<boldtext>.+?)(?<=\S)(?P=bold)"
    r"|(?<![\w*])(?P<star>\*)(?=[^\s*])(?P<startext>[^*\n]+?)(?<=[^\s*])\*(?![\w*])"
    r"|(?<![\w_])_(?=[^\s_])(?P<undertext>[^_\n]+?)(?<=[^\s_])_(?![\w_])"
    r"|~~(?=\S)(?P<struck>.+?)(?<=\S)~~"
    r"|(?P<url>https?://[^\s<>\")\]]+)"
)
MINOR = 3
"""Headings from this level on are strong, not coloured."""
NARROW = 20
"""Cells of a quote in which no other is looked for."""
MOST_INLINE = 4_000
"""Characters of a line in which inline marks are looked for."""
CODE_BAR = Span("▏ ", "rule")


def render(text: str, width: int, style: str = "text") -> list[Line]:
    """Display lines of a Markdown text.

    Args:
        text: as the agent wrote it; made safe here.
        width: cells of a line.
        style: of plain text.
    """
    source = clean(text).expandtabs(4).strip("\n").split("\n")
    lines: list[Line] = []
    at = 0
    while at < len(source):
        line = source[at]
        fence = _FENCE.match(line)
        if fence:
            at = _fenced(source, at, fence, width, lines)
        elif "|" in line and at + 1 < len(source) and _is_table(line, source[at + 1]):
            at = _table(source, at, width, style, lines)
        else:
            lines.extend(_line(line, width, style))
            at += 1
    return lines


def parts(text: str, size: int) -> Iterator[tuple[str, int]]:
    """A text in parts that are rendered one by one as the whole would be.

    Args:
        text: as the agent wrote it.
        size: characters after which a part ends at the next empty line outside of code.

    Yields:
        A part, made safe, and how many empty lines follow it.
    """
    part: list[str] = []
    length, empty, fence = 0, 0, ""
    for line in clean(text).strip("\n").split("\n"):
        if not fence and not line.strip() and length >= size:
            empty += 1
            while len(part) > 1 and not part[-1].strip():
                part.pop()  # at its end it would not be seen
                empty += 1
            continue
        if empty:
            yield "\n".join(part), empty
            part, length, empty = [], 0, 0
        if fence:
            if _closes(line, fence):
                fence = ""
        elif opening := _FENCE.match(line.expandtabs(4)):
            fence = opening[2]
        part.append(line)
        length += len(line) + 1
    yield "\n".join(part), empty


def _closes(line: str, mark: str) -> bool:
    """Whether a line ends the code that ``mark`` began."""
    closing = line.strip()
    return closing.startswith(mark) and not closing.strip(mark[0])


def _line(line: str, width: int, style: str) -> list[Line]:
    """One line outside of code and tables."""
    if not line.strip():
        return [BLANK]
    heading = _HEADING.match(line)
    if heading:
        level = "heading" if len(heading[1]) < MINOR else "strong"
        return fold_spans(inline(heading[2], level), width)
    if _RULE.match(line):
        return [(Span("─" * min(width, 40), "rule"),)]
    quote = _QUOTE.match(line)
    if quote:
        inner = _line(quote[1], width - 2, "quote") if width > NARROW else [(Span(quote[1]),)]
        return [(Span("▎ ", "rule"), *part) for part in inner]
    item = _LIST.match(line)
    if item:
        indent = " " * min(len(item[1]), 12)
        mark = "•" if item[2] in "-*+" else item[2]
        body = item[3]
        task = _TASK.match(body)
        if task:
            mark, body = ("☑" if task[1] in "xX" else "☐"), body[task.end() :]
        head = f"{indent}{mark} "
        return fold_spans(
            [Span(indent, style), Span(f"{mark} ", "label"), *inline(body, style)],
            width,
            " " * min(width_of(head), width // 2),
        )
    indent = " " * min(len(line) - len(line.lstrip()), width // 2)
    return fold_spans(inline(line, style), width, indent)


def inline(text: str, style: str = "text") -> list[Span]:
    """Spans of a line with its inline marks turned into style."""
    spans: list[Span] = []
    at = 0
    for match in _INLINE.finditer(text[:MOST_INLINE]):
        if match.start() > at:
            spans.append(Span(text[at : match.start()], style))
        if match["code"]:
            spans.append(Span(match["codetext"], "ticked"))
        elif match["target"]:
            label = match["label"]
            if (label and label != match["target"]) or match["title"]:
                target = f" ({match['target']}{match['title'] or ''})"
                spans.extend([Span(label, "link"), Span(target, "dim")])
            else:
                spans.append(Span(match["target"], "link"))
        elif match["boldtext"]:
            spans.extend(Span(s.text, "strong" if s.style == style else s.style)
                         for s in inline(match["boldtext"], style))  # fmt: skip
        elif match["startext"] or match["undertext"]:
            spans.append(Span(match["startext"] or match["undertext"], "emphasis"))
        elif match["struck"]:
            spans.append(Span(match["struck"], "strike"))
        else:
            spans.append(Span(match["url"], "link"))
        at = match.end()
    if at < len(text):
        spans.append(Span(text[at:], style))
    return spans or [Span("", style)]


def _fenced(source: list[str], at: int, fence: re.Match[str], width: int, lines: list[Line]) -> int:
    """A code block, to its closing fence or the end; the next line's number."""
    mark, language = fence[2], fence[3].strip()
    end = at + 1
    while end < len(source) and not _closes(source[end], mark):
        end += 1
    body = source[at + 1 : end]
    indent = len(fence[1])
    body = [line[indent:] if not line[:indent].strip() else line for line in body]
    if language:
        lines.append((CODE_BAR, Span(language, "label")))
    lines.extend(code_lines("\n".join(body), language, width))
    return end + 1


def code_lines(text: str, language: str, width: int) -> list[Line]:
    """Source code with a bar at its left; long lines are broken, nothing is cut."""
    lines: list[Line] = []
    for line in highlight(text, language):
        parts = fold_spans(line, max(width - 2, 1), "  ") if line else [BLANK]
        lines.extend((CODE_BAR, *part) for part in parts)
    return lines


def _is_table(line: str, following: str) -> bool:
    return "|" in following and bool(_DIVIDER.match(following)) and "-" in following


def _cells(line: str) -> list[str]:
    text = line.strip()
    text = text[1:] if text.startswith("|") else text
    text = text[:-1] if text.endswith("|") and not text.endswith("\\|") else text
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", text)]


def _table(source: list[str], at: int, width: int, style: str, lines: list[Line]) -> int:
    """A table in aligned columns; one too wide for the space becomes a list of its cells."""
    rows = [_cells(source[at])]
    sides = [(mark[:1] == ":", mark[-1:] == ":") for mark in _cells(source[at + 1])]
    end = at + 2
    while end < len(source) and "|" in source[end] and source[end].strip():
        rows.append(_cells(source[end]))
        end += 1
    columns = max(map(len, rows))
    cells = [
        [inline(row[c] if c < len(row) else "", style) for c in range(columns)] for row in rows
    ]
    widths = [
        max(1, *(sum(width_of(s.text) for s in row[c]) for row in cells)) for c in range(columns)
    ]
    if sum(widths) + 3 * (columns - 1) > width:
        room = width - 3 * (columns - 1)
        if room < columns * 6:
            for row in cells:
                for cell in row:
                    lines.extend(fold_spans([Span("· ", "label"), *cell], width, "  "))
                lines.append(BLANK)
            return end
        fair = room // columns
        spare = room - sum(min(w, fair) for w in widths)
        for place, wanted in sorted(enumerate(widths), key=lambda item: item[1]):
            more = min(max(0, wanted - fair), spare)
            widths[place] = min(wanted, fair) + more
            spare -= more
    for number, row in enumerate(cells):
        folded = [fold_spans(cell, widths[c]) for c, cell in enumerate(row)]
        for part in range(max(map(len, folded))):
            line: list[Span] = []
            for c, pieces in enumerate(folded):
                piece = cut(pieces[part], widths[c]) if part < len(pieces) else BLANK
                if number == 0:
                    piece = tuple(Span(s.text, "strong" if s.style == style else s.style)
                                  for s in piece)  # fmt: skip
                room = widths[c] - sum(width_of(s.text) for s in piece)
                left, right = sides[c] if c < len(sides) else (False, False)
                before = room if right and not left else room // 2 if right else 0
                gap = " │ " if c < columns - 1 else ""
                line += [Span(" " * before, style), *piece]
                line += [Span(" " * (room - before), style), Span(gap, "rule")]
            lines.append(tuple(span for span in line if span.text))
        if number == 0:
            lines.append((Span("─┼─".join("─" * w for w in widths), "rule"),))
    return end
