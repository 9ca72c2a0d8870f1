"""Figures for people: counts and money in few characters, values as a row of bars."""

from __future__ import annotations

from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"


def compact(number: float) -> str:
    """A count in at most five characters: ``999``, ``1.2k``, ``34M``."""
    for limit, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= limit * 0.9995:
            value = number / limit
            return f"{value:.1f}{unit}" if value < 99.95 else f"{value:.0f}{unit}"
    return f"{number:.0f}"


def dollars(micro: int) -> str:
    """Micro-dollars for people: ``$0.02``, ``$41.20``, ``$1,204``."""
    value = micro / 1_000_000
    if 0 < value < 0.01:
        return "<$0.01"
    return f"${value:,.2f}" if value < 1_000 else f"${value:,.0f}"


def sparkline(values: Sequence[int]) -> str:
    """Values as a row of bars."""
    top = max(values, default=0)
    if not top:
        return "▁" * len(values)
    return "".join(_BARS[min(-(-value * 7 // top), 7)] if value else "▁" for value in values)
