"""The ancestor's eight counters and their Prometheus text, to the byte; and reading it back."""

from __future__ import annotations

import re
from threading import Lock

import msgspec

MAX_U64 = (1 << 64) - 1


class Sample(msgspec.Struct, frozen=True):
    """The counters at one moment."""

    requests_total: int = 0
    requests_errors: int = 0
    tokens_input: int = 0
    tokens_output: int = 0
    tool_calls_total: int = 0
    tool_calls_errors: int = 0
    cost_usd_cents: int = 0
    active_sessions: int = 0


FIELDS = Sample.__struct_fields__

# Family, help, kind, and for each sample its label and field: the ancestor's order.
_PAGE = (
    ("sparrow_requests_total", "Total number of requests", "counter",
     (('{status="ok"}', "requests_total"), ('{status="error"}', "requests_errors"))),
    ("sparrow_tokens_used_total", "Total tokens used", "counter",
     (('{direction="input"}', "tokens_input"), ('{direction="output"}', "tokens_output"))),
    ("sparrow_tool_calls_total", "Total tool calls", "counter",
     (('{status="ok"}', "tool_calls_total"), ('{status="error"}', "tool_calls_errors"))),
    ("sparrow_cost_usd_total", "Total cost in USD cents", "counter", (("", "cost_usd_cents"),)),
    ("sparrow_active_sessions", "Active sessions", "gauge", (("", "active_sessions"),)),
)  # fmt: skip

_FIELD_OF = {family + label: name for family, _, _, samples in _PAGE for label, name in samples}
_LINE = re.compile(r"^([a-zA-Z_:][\w:]*)\s*(\{[^}]*\})?\s+(\S+)(?:\s+-?\d+)?\s*$")


def render(sample: Sample) -> str:
    """The ancestor's exposition text for these values (see its ``Metrics::render``)."""
    lines = []
    for family, text, kind, samples in _PAGE:
        lines.append(f"# HELP {family} {text}\n# TYPE {family} {kind}\n")
        lines.extend(f"{family}{label} {getattr(sample, name)}\n" for label, name in samples)
    return "".join(lines)


def parse(text: str) -> Sample:
    """Read a page in the ancestor's format.

    Other families, comments, time stamps and labels in another order are passed over or
    accepted; a sample that is not there is 0.

    Raises:
        ValueError: none of the eight samples is on the page, or one of them is not a number.
    """
    values: dict[str, int] = {}
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        labels = re.sub(r"\s+", "", match[2] or "").replace(",}", "}")
        name = _FIELD_OF.get(match[1] + labels)
        if name is not None:
            values[name] = _count(match[1], match[3])
    if not values:
        raise ValueError("there is none of Sparrow's counters on this page")
    return Sample(**values)


def _count(family: str, text: str) -> int:
    """A sample's value; counts beyond 2⁵³ stay exact."""
    number = int(text) if text.isascii() and text.isdigit() else float(text)
    if not 0 <= number <= MAX_U64:
        raise ValueError(f"{family} is {text}, not a count")
    return int(number)


class Metrics:
    """Eight counters that any thread may add to."""

    def __init__(self, sample: Sample | None = None) -> None:
        """Start from zero, or from a sample."""
        self._lock = Lock()
        start = sample or Sample()
        self._values = {name: getattr(start, name) for name in FIELDS}

    def add(self, name: str, amount: int = 1) -> None:
        """Add to a counter; like the ancestor's atomics it wraps at 2⁶⁴.

        Raises:
            KeyError: there is no such counter.
        """
        with self._lock:
            self._values[name] = (self._values[name] + amount) & MAX_U64

    def set(self, name: str, value: int) -> None:
        """Set a gauge. Raises `KeyError` if there is no such one."""
        with self._lock:
            if name not in self._values:
                raise KeyError(name)
            self._values[name] = value & MAX_U64

    def sample(self) -> Sample:
        """All counters at one moment."""
        with self._lock:
            return Sample(**self._values)

    def render(self) -> str:
        """The ancestor's exposition text."""
        return render(self.sample())
