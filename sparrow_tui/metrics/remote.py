"""What others' counters say: one shape for scraped endpoints and for a Prometheus server."""

from __future__ import annotations

import time
from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec

from sparrow_tui.metrics.ancestor import Sample

NAME = "sparrow-tui"


class AddressError(Exception):
    """A URL that cannot be asked. The message is one sentence for the user."""


class Reading(msgspec.Struct, kw_only=True, frozen=True):
    """What one place says, at one moment. Cost is in micro-dollars, times are in seconds."""

    name: str
    """Its address without user name and password."""
    sample: Sample | None = None
    """Its counters, resets made good; ``None``: it has not answered yet."""
    cost_micro: int = 0
    tokens_a_minute: float | None = None
    """Between its last two answers; ``None``: not known."""
    series: int = 0
    """Of ours, in its last answer."""
    age: float | None = None
    """Since it answered; ``None``: it never did."""
    stale: bool = False
    """Its last answer is older than it should be."""
    problem: str = ""
    """Why it does not answer, in a few words; empty: it does."""
    failures: int = 0
    """Tries in vain since it last answered."""
    again: float | None = None
    """Until the next try; ``None``: not known."""


class Remote(msgspec.Struct, kw_only=True):
    """Counters from elsewhere at one moment. Cost is in micro-dollars."""

    sample: Sample = Sample()
    """The ancestor's counters, of all that answer added up; its cents are left at 0."""
    cost_micro: int = 0
    tokens_a_minute: float | None = None
    """``None``: not known yet, which is not 0."""
    history: Sequence[int] = ()
    """Tokens by step of time, oldest first."""
    up: int = 0
    """Places that answered last time."""
    of: int = 0
    """Places that are asked."""
    age: float | None = None
    """Seconds since the oldest answer these figures rest on; ``None``: nobody has answered."""
    stale: bool = False
    """Some of the figures are older than they should be."""
    problem: str = ""
    """One sentence about the first place that does not answer."""
    places: Sequence[Reading] = ()
    """Each of them."""
    at: float = msgspec.field(default_factory=time.monotonic)
    """When this was so, on the monotonic clock."""

    @property
    def note(self) -> str:
        """In a few words, what should be known about these figures; empty: they are fresh."""
        if self.of and self.age is None:
            return self.problem or "no answer yet"
        if self.problem or self.stale:
            old = f", {self.age:.0f} s old" if self.stale and self.age is not None else ""
            return f"{self.up}/{self.of} up{old}" + (f": {self.problem}" if self.problem else "")
        return ""


def checked(url: str) -> str:
    """An address that can be asked; ``http://`` is understood where nothing is said.

    Raises:
        AddressError: it is none.
    """
    text = url if "://" in url else f"http://{url}"
    try:
        parts = urlsplit(text)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or any(c.isspace() or not c.isprintable() for c in text):
        raise AddressError(
            f"{url!r} is not the address of an endpoint; give one such as http://127.0.0.1:9469"
        )
    return text


def address(url: str) -> str:
    """The same with its path: what tells two endpoints of one host apart."""
    path = urlsplit(url).path
    return f"{shown(url)}{path}"


def shown(url: str) -> str:
    """An address as it may be shown: without user name and password."""
    parts = urlsplit(url)
    host = parts.hostname or "?"
    return f"{host}:{parts.port}" if parts.port else host
