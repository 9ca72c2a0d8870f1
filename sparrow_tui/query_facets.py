"""Facets of the search language: their names, and what their values may be."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

SORTS = ("new", "old", "best", "long", "cost")
IS = ("error", "subagent", "live", "pinned", "kept", "ghost", "hidden", "unread")
HAS = ("image", "edit", "reasoning", "notice")
ROLES = ("user", "assistant", "tool", "system", "summary")

_TEXT = ("agent", "project", "branch", "model", "tool", "file", "tag", "session", "status")
_NUMBER = ("tokens", "cost", "turns")
FACETS = (*_TEXT, "role", "is", "has", "before", "after", *_NUMBER, "expires", "sort")
"""Names of all facets."""

_COMPARED = re.compile(r"(<=|>=|<|>|=)?\s*\$?(\d+(?:\.\d+)?)\s*([kKmM]?)$")
_AGO = re.compile(r"(\d+)\s*(h|d|w|m|y)$")
_UNITS = {"h": 1 / 24, "d": 1, "w": 7, "m": 30, "y": 365}
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Facet:
    """One condition beside the words."""

    name: str
    value: str
    negated: bool = False
    operator: str = ":"
    """``:`` or, for numbers, ``<``, ``<=``, ``>``, ``>=``, ``=``."""
    number: float = 0
    """Numbers: the value. Dates: milliseconds since the epoch. ``expires``: days."""


def read(name: str, typed: str, negated: bool, now: int) -> Facet | str | None:
    """A facet as typed.

    Args:
        name: what stands before the colon, in lower case.
        typed: what stands after it, quotes and all.
        negated: whether a minus stands before it.
        now: the present in milliseconds since the epoch.

    Returns:
        The facet; or one line that says what is wrong; or an empty line if the value is still
        to be typed; or ``None`` if this is no facet at all (a word with a colon in it).
    """
    value = typed.strip('"').strip()
    if name not in FACETS:
        near = _near(name)
        if near and not typed.startswith("/"):
            return f"there is no facet {name}:, perhaps {near}: is meant"
        return None
    if not value:
        return ""
    reader = _READERS.get(name, _text)
    return reader(name, value, negated, now)


def _text(name: str, value: str, negated: bool, now: int) -> Facet | str:
    return Facet(name, value.replace("\x00", ""), negated)


def _one_of(choices: tuple[str, ...]) -> Callable[[str, str, bool, int], Facet | str]:
    def reader(name: str, value: str, negated: bool, now: int) -> Facet | str:
        matching = [choice for choice in choices if choice.startswith(value.lower())]
        if not matching:
            return f"{name}: takes {', '.join(choices[:-1])} or {choices[-1]}"
        return Facet(name, matching[0], negated)

    return reader


def _number(name: str, value: str, negated: bool, now: int) -> Facet | str:
    match = _COMPARED.match(value)
    if match is None:
        return f"{name}: takes a number such as >50, <=2k or 100"
    factor = {"": 1, "k": 1e3, "m": 1e6}[match[3].lower()]
    return Facet(name, value, negated, match[1] or ">=", float(match[2]) * factor)


def _expires(name: str, value: str, negated: bool, now: int) -> Facet | str:
    match = re.match(r"(<=|>=|<|>)?\s*(\d+)\s*([dw]?)$", value)
    if match is None:
        return "expires: takes a number of days such as <7d"
    days = int(match[2]) * (7 if match[3] == "w" else 1)
    return Facet(name, value, negated, match[1] or "<=", days)


def _date(name: str, value: str, negated: bool, now: int) -> Facet | str:
    moment = moment_of(value, now)
    if moment is None:
        return f"{name}: takes a date such as 2026-10-01, yesterday or 2d"
    return Facet(name, value, negated, ":", moment)


def moment_of(value: str, now: int) -> int | None:
    """The start of a day, month or year, or a time that long ago; local time.

    Args:
        value: ``2026``, ``2026-10``, ``2026-10-01``, ``today``, ``yesterday``, ``2d``, ``3w``…
        now: the present.

    Returns:
        Milliseconds since the epoch, or ``None`` if the value is no date.
    """
    text = value.lower()
    try:
        present = datetime.fromtimestamp(now / 1000)
        today = present.replace(hour=0, minute=0, second=0, microsecond=0)
        if text in ("today", "now"):
            return int(today.timestamp() * 1000)
        if text == "yesterday":
            return int((today - timedelta(days=1)).timestamp() * 1000)
        ago = _AGO.match(text)
        if ago:
            return max(0, now - int(int(ago[1]) * _UNITS[ago[2]] * DAY_MS))
        if re.fullmatch(r"\d{4}", text):
            text = f"{text}-01-01"
        elif re.fullmatch(r"\d{4}-\d{1,2}", text):
            year, month = text.split("-")
            text = f"{year}-{int(month):02}-01"
        return max(0, int(datetime.fromisoformat(text.upper()).timestamp() * 1000))
    except (ValueError, OverflowError, OSError):
        return None


def _near(name: str) -> str:
    """The facet a mistyped name probably means."""
    if len(name) < 3:
        return ""
    from difflib import get_close_matches

    close = get_close_matches(name, FACETS, n=1, cutoff=0.75)
    return close[0] if close else ""


_READERS: dict[str, Callable[[str, str, bool, int], Facet | str]] = {
    "role": _one_of(ROLES),
    "is": _one_of(IS),
    "has": _one_of(HAS),
    "sort": _one_of(SORTS),
    "before": _date,
    "after": _date,
    "expires": _expires,
    **dict.fromkeys(_NUMBER, _number),
}
