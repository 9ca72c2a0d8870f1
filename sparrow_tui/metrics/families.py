"""A page of samples, text or OpenMetrics, as the counters we know."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

import msgspec

from sparrow_tui.metrics.ancestor import MAX_U64, Sample

ACCEPT = "text/plain;version=0.0.4;q=1,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1"
"""The ancestor's page is not OpenMetrics, so the text format comes first."""
OPENMETRICS = "application/openmetrics-text"
NOTHING = "there is none of Sparrow's counters on the page"

_LABEL = {
    ("sparrow_requests_total", "status", "ok"): "requests_total",
    ("sparrow_requests_total", "status", "error"): "requests_errors",
    ("sparrow_tokens_used_total", "direction", "input"): "tokens_input",
    ("sparrow_tokens_used_total", "direction", "output"): "tokens_output",
    ("sparrow_tool_calls_total", "status", "ok"): "tool_calls_total",
    ("sparrow_tool_calls_total", "status", "error"): "tool_calls_errors",
}
_PLAIN = {"sparrow_active_sessions": "active_sessions"}
_CENTS, _DOLLARS = "sparrow_cost_usd_total", "sparrow_cost_dollars_total"

_OURS = re.compile(r"^(?:(?:# (?:HELP|TYPE|UNIT) )?sparrow_.*|# EOF)$", re.MULTILINE)
"""Lines about our families: a page of another program may be long, and parsing takes its time."""

Key = tuple[str, tuple[tuple[str, str], ...]]
"""A series: name and sorted labels."""


class PageError(Exception):
    """A page that cannot be used. The message is a few words."""


class Counts(msgspec.Struct):
    """The counters of one page; cost in micro-dollars."""

    values: dict[str, int]
    """Fields of `Sample`, without its cents."""
    cost_micro: int
    odd: frozenset[str] = frozenset()
    """What of it the page gives no count for (NaN, negative): of these fields, or ``cost``."""

    def sample(self) -> Sample:
        """As the ancestor's counters."""
        return Sample(**self.values)


def series_of(text: str, content_type: str = "") -> dict[Key, float]:
    """Sparrow's samples on a page; what else is there is not even parsed.

    Args:
        text: the page.
        content_type: as the server declares it; OpenMetrics is read by its own grammar.

    Raises:
        PageError: it does not follow the grammar, or holds no sample.
    """
    from prometheus_client.openmetrics.parser import (
        text_string_to_metric_families as openmetrics,
    )
    from prometheus_client.parser import text_string_to_metric_families as plain

    families = openmetrics if content_type.startswith(OPENMETRICS) else plain
    found: dict[Key, float] = {}
    try:
        for family in families("".join(line + "\n" for line in _OURS.findall(text))):
            for sample in family.samples:
                found[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
    except Exception as error:  # the parser raises whatever its code stumbles over
        raise PageError("the page is not in Prometheus' format") from error
    if not found:
        raise PageError(NOTHING)
    return found


def counts_of(series: Mapping[Key, float]) -> Counts:
    """Our counters among the samples of a page, added up over labels we do not know.

    What is no count adds nothing.

    Raises:
        PageError: none of Sparrow's counters is there.
    """
    values: dict[str, int] = {}
    cents = dollars = None
    odd = set()
    for (name, labels), value in series.items():
        fine = math.isfinite(value) and value >= 0
        number = min(value, MAX_U64) if fine else 0.0
        field: str | None = name
        if name == _CENTS:
            cents = (cents or 0.0) + number
        elif name == _DOLLARS:
            dollars = (dollars or 0.0) + number
        else:
            field = _PLAIN.get(name) or next(
                (_LABEL[name, *pair] for pair in labels if (name, *pair) in _LABEL), None
            )
            if field is not None:
                values[field] = min(values.get(field, 0) + int(number), MAX_U64)
        if field is not None and not fine:
            odd.add(field)
    if cents is dollars is None or (_CENTS if dollars is None else _DOLLARS) in odd:
        odd.add("cost")
    if not values and cents is None and dollars is None:
        raise PageError(NOTHING)
    cost = dollars * 1_000_000 if dollars is not None else (cents or 0.0) * 10_000
    return Counts(values, int(cost), frozenset(odd))


def total(parts: Iterable[Counts]) -> Counts:
    """Counters of several pages added up."""
    values: dict[str, int] = {}
    cost = 0
    for part in parts:
        cost += part.cost_micro
        for name, value in part.values.items():
            values[name] = min(values.get(name, 0) + value, MAX_U64)
    return Counts(values, cost)
