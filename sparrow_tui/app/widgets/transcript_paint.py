"""Display lines → strips: the style vocabulary in the theme's colours, matches marked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from rich.color import Color
from rich.segment import Segment
from rich.style import Style

from sparrow_tui.text.spans import Line, line_width, plain

Highlighter = Callable[[str], Sequence[tuple[int, int]]]

STYLES = (
    "dim", "user", "assistant", "tool", "ok", "error", "warning", "code", "ticked", "heading",
    "quote", "link", "strong", "emphasis", "strike", "add", "delete", "add-word", "delete-word",
    "hunk", "keyword", "string", "number", "comment", "name", "notice", "key", "rule", "label",
)  # fmt: skip
"""The vocabulary of `sparrow_tui.text.spans`, without ``text``."""

_FLAGS = {"1": "bold", "2": "dim", "3": "italic", "4": "underline", "7": "reverse", "9": "strike"}


@lru_cache(maxsize=1024)
def sgr_style(parameters: str) -> Style:
    """The look SGR parameters ask for; what is not understood is left out."""
    style = Style()
    numbers = [int(n) if n.isdigit() else 0 for n in parameters.split(";")]
    at = 0
    while at < len(numbers):
        number = numbers[at]
        if number in (38, 48):
            mode = numbers[at + 1] if at + 1 < len(numbers) else 0
            values = [min(value, 255) for value in numbers[at + 2 : at + (5 if mode == 2 else 3)]]
            colour = None
            if mode == 2 and len(values) == 3:
                colour = Color.from_rgb(*values)
            elif mode == 5 and len(values) == 1:
                colour = Color.from_ansi(values[0])
            at += 5 if mode == 2 else 3
            if colour is not None:
                style += Style(color=colour) if number == 38 else Style(bgcolor=colour)
            continue
        if 30 <= number <= 37 or 90 <= number <= 97:
            style += Style(color=Color.from_ansi(number - 30 if number < 40 else number - 82))
        elif 40 <= number <= 47 or 100 <= number <= 107:
            style += Style(bgcolor=Color.from_ansi(number - 40 if number < 50 else number - 92))
        elif str(number) in _FLAGS:
            style += Style.parse(_FLAGS[str(number)])
        at += 1
    return style


class Painter:
    """Knows the styles of one theme."""

    def __init__(self, base: Style, look: Callable[[str], Style]) -> None:
        """Take the styles in force.

        Args:
            base: of plain text.
            look: a style by its name.
        """
        self.base = base
        self._look = look
        self._styles = {"text": base}

    def style(self, name: str) -> Style:
        """A style by its name in the vocabulary."""
        found = self._styles.get(name)
        if found is None:
            if name.startswith("sgr:"):
                return self.base + sgr_style(name[4:])
            found = self._styles[name] = self._look(name)
        return found

    def line(
        self, line: Line, width: int, highlight: Highlighter | None, under: Style | None
    ) -> list[Segment]:
        """Segments of a line, exactly ``width`` cells together.

        Args:
            line: what to show; no wider than ``width``.
            width: in cells.
            highlight: finds matches in the line's text.
            under: laid under everything (cursor, selection).
        """
        segments = [Segment(text, self.style(style)) for text, style in line if text]
        if highlight is not None and line:
            spots = highlight(plain(line))
            if spots:
                segments = _marked(segments, spots, self.style("match"))
        room = width - line_width(line)
        if room > 0:
            segments.append(Segment(" " * room, self.base))
        return segments if under is None else self._lit(segments, under)

    def _lit(self, segments: list[Segment], under: Style) -> list[Segment]:
        """Segments on another background, except where they have one of their own."""
        ground = Style(bgcolor=under.bgcolor)
        return [
            Segment(text, style + ground)
            if style is not None and style.bgcolor == self.base.bgcolor
            else Segment(text, style)
            for text, style, _ in segments
        ]


def _marked(
    segments: list[Segment], spots: Sequence[tuple[int, int]], style: Style
) -> list[Segment]:
    """Segments with another style over some stretches of their joined text."""
    result: list[Segment] = []
    position = 0
    for text, base, _ in segments:
        end = position + len(text)
        at = 0
        for first, last in spots:
            if last <= position or first >= end:
                continue
            low, high = max(first - position, 0), min(last - position, len(text))
            if low > at:
                result.append(Segment(text[at:low], base))
            result.append(Segment(text[low:high], (base or Style()) + style))
            at = high
        if at < len(text):
            result.append(Segment(text[at:], base))
        position = end
    return result
