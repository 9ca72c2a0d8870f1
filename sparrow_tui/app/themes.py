"""Sparrow's three palettes as Textual themes.

Colours are the ancestor's (``captain``, ``midnight``, ``paper``); see its ``theme.rs``. Those that
could not be read well are darker (``paper``) or lighter: text stands out from its ground by 4.5 to
1 at least, lines and hints by 3 to 1 (WCAG 2.2).
"""

from __future__ import annotations

import os

from textual.color import Color
from textual.theme import Theme

PALETTES: dict[str, dict[str, str]] = {
    "captain": {
        "brand": "#f2a93c", "coral": "#f0674a", "agent": "#4ec9b0", "planner": "#6fa6e6",
        "add": "#74c258", "rem": "#d96a63", "gold": "#f2c94c", "steel": "#b9b0a3",
        "bg": "#0e0b08", "panel": "#16120d", "line": "#2c251c", "fg": "#ece2cf",
        "dim": "#897d6c", "dimmer": "#685e50",
    },
    "midnight": {
        "brand": "#6fa6e6", "coral": "#9b7ed1", "agent": "#4ec9b0", "planner": "#6fa6e6",
        "add": "#74c258", "rem": "#d96a63", "gold": "#f2c94c", "steel": "#b9b0a3",
        "bg": "#06080e", "panel": "#0e121a", "line": "#202633", "fg": "#d6deeb",
        "dim": "#7a8499", "dimmer": "#565f72",
    },
    "paper": {
        "brand": "#95500f", "coral": "#a63a2a", "agent": "#266c58", "planner": "#2e5a9c",
        "add": "#306b25", "rem": "#a03223", "gold": "#755600", "steel": "#5e5547",
        "bg": "#f3eee1", "panel": "#e7e0cc", "line": "#c6bca3", "fg": "#2a2418",
        "dim": "#6a604c", "dimmer": "#8a806b",
    },
}  # fmt: skip

CHARTS = {
    "captain": ("#f2a93c", "#4ec9b0", "#6fa6e6", "#b58adb", "#e0795c", "#a3c25a"),
    "midnight": ("#6fa6e6", "#4ec9b0", "#b58adb", "#e6b35c", "#e08a8a", "#8fc46a"),
    "paper": ("#b3691f", "#2f7d67", "#2e5a9c", "#7d4a9c", "#b0503c", "#6d7f22"),
}
"""Colours series of charts are told apart by, as far apart as the palette lets them."""

DEFAULT = "captain"
READABLE = 4.5
"""Contrast of text to its ground."""


def contrast(one: Color, other: Color) -> float:
    """How far two colours stand apart, 1 to 21 (WCAG 2.2)."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Color) -> float:
    parts = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4
             for part in colour.normalized)  # fmt: skip
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


def readable(colour: str, theme: Theme) -> str:
    """A colour chosen without regard to the theme, as near as it can be read there; hex."""
    ground = Color.parse(theme.background or ("#000000" if theme.dark else "#ffffff"))
    ink = Color.parse(theme.foreground or ("#ffffff" if theme.dark else "#000000"))
    wanted = Color.parse(colour)
    for step in range(11):
        found = wanted.blend(ink, step / 10)
        if contrast(found, ground) >= READABLE:
            break
    return found.hex


def chart_colours(name: str) -> dict[str, str]:
    """The variables ``$chart-0`` … of a theme; themes not of ours have captain's."""
    return {f"chart-{n}": colour for n, colour in enumerate(CHARTS.get(name, CHARTS[DEFAULT]))}


def _theme(name: str, colours: dict[str, str]) -> Theme:
    """A Textual theme from one of the palettes."""
    return Theme(
        name=name,
        primary=colours["brand"],
        secondary=colours["agent"],
        accent=colours["planner"],
        warning=colours["gold"],
        error=colours["rem"],
        success=colours["add"],
        foreground=colours["fg"],
        background=colours["bg"],
        surface=colours["bg"],
        panel=colours["panel"],
        boost=colours["panel"],
        dark=name != "paper",
        variables={
            **chart_colours(name),
            "border": colours["line"],
            "border-blurred": colours["line"],
            "text-muted": colours["dim"],
            "text-disabled": colours["dimmer"],
            "foreground-muted": colours["dim"],
            "foreground-disabled": colours["dimmer"],
            "footer-key-foreground": colours["brand"],
            "footer-background": colours["bg"],
            "footer-description-foreground": colours["dim"],
            "footer-item-background": colours["bg"],
            "scrollbar": colours["line"],
            "scrollbar-hover": colours["dimmer"],
            "scrollbar-active": colours["dim"],
            "scrollbar-background": colours["bg"],
            "scrollbar-background-hover": colours["bg"],
            "scrollbar-background-active": colours["bg"],
            "scrollbar-corner-color": colours["bg"],
            "block-cursor-background": colours["line"],
            "block-cursor-foreground": colours["fg"],
            "block-cursor-blurred-background": colours["panel"],
            "input-cursor-background": colours["brand"],
            "input-cursor-foreground": colours["bg"],
            "input-selection-background": f"{colours['brand']} 30%",
        },
    )


THEMES = tuple(_theme(name, colours) for name, colours in PALETTES.items())


def initial_theme(remembered: str | None = None) -> str:
    """The theme to start with: the user's last choice, ``$SPARROW_THEME``, else captain."""
    wanted = remembered or os.environ.get("SPARROW_THEME", "")
    return wanted or DEFAULT
