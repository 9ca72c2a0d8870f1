"""What the dashboard can show of a step of time: how each figure is read and written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sparrow_tui.store.totals import Sums
from sparrow_tui.text.figures import compact, dollars


@dataclass(frozen=True, slots=True)
class Cell:
    """What is known of one step of time, or of one label in it."""

    sums: Sums
    sessions: int = 0


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure."""

    name: str
    title: str
    """On its tile."""
    noun: str
    """After a value."""
    value: Callable[[Cell], float]
    text: Callable[[float], str] = compact
    least: float = 1
    """Distance of marks on the axis, at the least."""
    adds_up: bool = True
    """Whether labels' values can be stacked and added."""
    error: bool = False
    """Whether more of it is worse."""


def failures(sums: Sums) -> int:
    """Tool calls and requests that failed."""
    return sums.tool_errors + sums.request_errors


def error_rate(sums: Sums) -> float:
    """Failures in a hundred tool calls and requests; 0 if there were none."""
    tried = sums.tool_calls + sums.requests + sums.request_errors
    return 100 * failures(sums) / tried if tried else 0.0


def _percent(value: float) -> str:
    return f"{value:.0f}%" if value >= 10 or value == int(value) else f"{value:.1f}%"


METRICS = (
    Metric("tokens", "Tokens", "tokens", lambda cell: cell.sums.fresh),
    Metric("cost", "Cost", "", lambda cell: cell.sums.cost_micro,
           lambda value: dollars(round(value)), least=10_000),
    Metric("requests", "Requests", "requests", lambda cell: cell.sums.requests),
    Metric("tools", "Tools", "tool calls", lambda cell: cell.sums.tool_calls),
    Metric("errors", "Errors", "errors", lambda cell: failures(cell.sums), error=True),
    Metric("rate", "Error %", "of calls and requests failed", lambda cell: error_rate(cell.sums),
           _percent, least=0.5, adds_up=False, error=True),
    Metric("sessions", "Sessions", "sessions", lambda cell: cell.sessions),
)  # fmt: skip
"""In the order of their keys. Tokens are those not read from a cache."""
