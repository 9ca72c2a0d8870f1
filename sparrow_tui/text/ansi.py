"""Terminal output → styled lines: its colours, nothing else of it."""

from __future__ import annotations

from sparrow_tui.sanitize import split_sgr
from sparrow_tui.text.spans import Line, Span

MOST = 2_000_000
"""Characters in which colours are looked for."""


def has_colours(text: str) -> bool:
    """Whether a text holds colour codes at all."""
    return "\x1b[" in text


def coloured(text: str) -> list[Line]:
    """Logical lines of terminal output; SGR parameters in force become ``sgr:`` styles."""
    lines: list[list[Span]] = [[]]
    state: list[str] = []
    for parameters, piece in split_sgr(text[:MOST]):
        state = _after(state, parameters)
        style = f"sgr:{';'.join(state)}" if state else "text"
        for number, part in enumerate(piece.expandtabs(4).split("\n")):
            if number:
                lines.append([])
            if part:
                lines[-1].append(Span(part, style))
    return [tuple(line) for line in lines]


def _after(state: list[str], parameters: str) -> list[str]:
    """The parameters in force after another SGR sequence."""
    if not parameters:
        return []
    kept = list(state)
    numbers = parameters.replace(":", ";").split(";")
    at = 0
    while at < len(numbers):
        number = numbers[at].lstrip("0") or "0"
        width = 1
        if number in ("38", "48") and at + 1 < len(numbers):
            width = 5 if numbers[at + 1] == "2" else 3 if numbers[at + 1] == "5" else 2
        group = [number, *numbers[at + 1 : at + width]]
        if number == "0":
            kept = []
        elif number in ("39", "49"):
            kept = _without(kept, "3" if number == "39" else "4")
        elif number in ("22", "23", "24", "27", "29"):
            off = {"22": ("1", "2"), "23": ("3",), "24": ("4",), "27": ("7",), "29": ("9",)}
            kept = [item for item in kept if item not in off[number]]
        else:
            if number[0] in "349" and len(number) >= 2:
                kept = _without(kept, "4" if number[0] == "4" or number[:2] == "10" else "3")
            kept.append(";".join(group))
        at += width
    return kept[-6:]


def _without(state: list[str], ground: str) -> list[str]:
    """The state without its foreground (``3``) or background (``4``) colour."""
    starts = ("3", "9") if ground == "3" else ("4", "10")
    return [item for item in state if not (len(item) >= 2 and item.startswith(starts))]
