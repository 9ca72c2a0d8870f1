"""What an import tells about itself, as it goes and at its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import msgspec

from sparrow_tui.agents.base import Source

PAUSE = 0.1
"""Seconds between two reports."""


class Progress(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One report; it crosses to the app as a line of JSON."""

    phase: str
    """``waiting``, ``looking``, ``glancing``, ``reading``, ``indexing``, ``watching`` or
    ``failed``."""
    sources: int = 0
    of_sources: int = 0
    bytes: int = 0
    of_bytes: int = 0
    sessions: int = 0
    turns: int = 0
    glanced: int = 0
    of_glanced: int = 0
    """Sources glanced at, before they are read."""
    indexed: int = 0
    of_indexed: int = 0
    """Tool results put off, while they are indexed."""
    failed: int = 0
    seconds: float = 0.0
    agent: str = ""
    """Whose source was finished last."""
    message: str = ""

    @property
    def rate(self) -> float:
        """Bytes a second."""
        return self.bytes / self.seconds if self.seconds > 0 else 0.0

    @property
    def indexing(self) -> str:
        """How far the index of tool output is, in words."""
        share = f" · {self.indexed / self.of_indexed:.0%}" if self.of_indexed else ""
        return f"indexing tool output{share}"

    @property
    def glancing(self) -> str:
        """How far looking into new sources is, in words."""
        return f"listing sessions · {self.glanced / max(self.of_glanced, 1):.0%}"

    @property
    def eta(self) -> float | None:
        """Seconds left, as far as can be told."""
        if not self.rate or self.bytes >= self.of_bytes:
            return None
        return (self.of_bytes - self.bytes) / self.rate


class Failure(msgspec.Struct):
    """A source that could not be read."""

    agent: str
    path: str
    problem: str


class AgentReport(msgspec.Struct):
    """What was done for one agent."""

    read: int = 0
    failed: int = 0
    bytes: int = 0


class Report(msgspec.Struct, kw_only=True):
    """What a sync did."""

    read: int = 0
    """Sources read."""
    skipped: int = 0
    """Sources that had not changed."""
    failed: int = 0
    sessions: int = 0
    """Sessions new or changed."""
    turns: int = 0
    """Turns added."""
    bytes: int = 0
    seconds: float = 0.0
    agents: dict[str, AgentReport] = {}
    failures: list[Failure] = []
    gone: int = 0
    """Sources found deleted."""


def sized(number: float) -> str:
    """A number of bytes as people say it: ``835.2 kB``."""
    if number < 1000:
        return f"{number:.0f} B"
    for unit in ("kB", "MB"):
        number /= 1000
        if number < 1000:
            return f"{number:.1f} {unit}"
    return f"{number / 1000:.1f} GB"


def gone_in_words(number: int) -> str:
    """That sources were deleted by their agents, and what that means."""
    if number == 1:
        return "1 source is gone; its sessions are kept"
    return f"{number:,} sources are gone; their sessions are kept"


Emit = Callable[[Progress], None]


class Meter:
    """Counts an import's work and reports it, not too often."""

    def __init__(self, emit: Emit, sources: Iterable[Source] = ()) -> None:
        """Args: where reports go; what will be read."""
        every = list(sources)
        self._emit = emit
        self._started = time.monotonic()
        self._last = 0.0
        self._sessions: set[str] = set()
        self.now = Progress(
            phase="reading", of_sources=len(every), of_bytes=sum(source.size for source in every)
        )
        self.report = Report()

    def phase(self, phase: str, message: str = "") -> None:
        """Say at once that something else begins."""
        self.now.phase, self.now.message = phase, message
        self.tell(at_once=True)

    def wrote(self, sessions: Iterable[str], turns: int) -> None:
        """Turns are in the store; the first ones are told at once."""
        first = not self._sessions
        self._sessions.update(sessions)
        self.report.turns += turns
        self.now.turns = self.report.turns
        self.now.sessions = self.report.sessions = len(self._sessions)
        self.tell(at_once=first)

    def glancing(self, left: int) -> None:
        """So many sources are still to be glanced at."""
        if left and not self.now.of_glanced:
            self.now.of_glanced = left
            self.phase("glancing")
        self.now.glanced = self.now.of_glanced - left
        if not left and self.now.phase == "glancing":
            self.phase("reading")

    def finished(self, source: Source, problem: str) -> None:
        """A source was read to its end, or given up."""
        self.now.sources += 1
        self.now.bytes += source.size
        self.now.agent = source.agent
        held = self.report.agents.setdefault(source.agent, AgentReport())
        if problem:
            held.failed += 1
            self.report.failed += 1
            self.now.failed = self.report.failed
            self.report.failures.append(Failure(source.agent, source.path, problem))
        else:
            held.read += 1
            held.bytes += source.size
            self.report.read += 1
            self.report.bytes += source.size
        self.tell()

    def tell(self, *, at_once: bool = False) -> None:
        """Report, if the last report is long enough ago."""
        moment = time.monotonic()
        self.now.seconds = self.report.seconds = moment - self._started
        if at_once or moment - self._last >= PAUSE:
            self._last = moment
            self._emit(self.now)
