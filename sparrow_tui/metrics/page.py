"""The page of counters: the ancestor's eight to the byte, then what we add, by prometheus_client.

Everything is read from tables that are kept as turns arrive; a page costs the same at any size of
store. Labels are bounded: models and tools beyond the busiest become ``other``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from sparrow_tui.metrics.ancestor import Sample, render
from sparrow_tui.sanitize import clean_line
from sparrow_tui.store.connection import translated
from sparrow_tui.store.durations import Histogram
from sparrow_tui.store.liveness import STATES
from sparrow_tui.store.sqlite import SqliteStore
from sparrow_tui.store.totals import Sums

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MODELS = 40
"""Models with series of their own: those with most tokens."""
AGENTS = 40
"""Agents with series of their own: those with most turns."""
TOOLS = 40
"""Tools with series of their own: those called most."""
LONGEST = 120
"""Characters of a label's value."""
OTHER = "other"
KINDS = ("input", "output", "cache_read", "cache_write", "reasoning")
"""Kinds of token; reasoning tokens are output tokens too."""


def sample_of(sums: Sums, active: int) -> Sample:
    """The ancestor's counters from ours.

    What it prints as ``status="ok"`` are requests that did not fail and calls without an error;
    its cost is in whole cents.
    """
    return Sample(
        requests_total=sums.requests,
        requests_errors=sums.request_errors,
        tokens_input=sums.input,
        tokens_output=sums.output,
        tool_calls_total=max(0, sums.tool_calls - sums.tool_errors),
        tool_calls_errors=sums.tool_errors,
        cost_usd_cents=sums.cost_micro // 10_000,
        active_sessions=active,
    )


def page(store: SqliteStore, now: int | None = None) -> str:
    """The whole page in Prometheus' text format 0.0.4.

    Args:
        store: whose counters.
        now: the present in milliseconds since the epoch; states of sessions age by it.

    Raises:
        StoreError: the store cannot be read.
    """
    moment = int(time.time() * 1000) if now is None else now
    with translated(store.path):
        store.connection.execute("BEGIN")  # one moment of the store for all samples
        try:
            sums, active = store.totals.overall(), store.totals.active(moment)
            registry = CollectorRegistry(auto_describe=False)
            registry.register(_Store(store, sums, moment))
            return render(sample_of(sums, active)) + generate_latest(registry).decode()
        finally:
            store.connection.execute("COMMIT")


class _Store(Collector):
    """The store's counters as metric families."""

    def __init__(self, store: SqliteStore, sums: Sums, now: int) -> None:
        self._store = store
        self._rows = [
            (_label(agent), _label(model), part) for agent, model, part in store.totals.labelled()
        ]
        tokens = [(model, part.tokens) for _, model, part in self._rows]
        self._models = _busiest(tokens, MODELS)
        self._agents = _busiest(((agent, part.turns) for agent, _, part in self._rows), AGENTS)
        self._sums = sums
        self._now = now

    def describe(self) -> Iterable[Metric]:
        """Nothing is known before it is collected."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Every family of ours."""
        yield CounterMetricFamily(
            "sparrow_cost_dollars", "Cost in US dollars", value=self._sums.cost_micro / 1e6
        )
        yield from self._by_model()
        yield from self._by_tool()
        yield from self._sessions()
        yield from self._reading()
        yield _histograms(
            "sparrow_turn_duration_seconds", "How long turns took, where the agent tells",
            ("agent", "model"), self._store.totals.durations("turn"),
            lambda key: (self._agent(key[0]), self._model(key[1])),
        )  # fmt: skip
        yield _histograms(
            "sparrow_search_seconds", "How long searches in the app took", ("stage",),
            self._store.totals.durations("search"), lambda key: (key[1],),
        )  # fmt: skip

    def _agent(self, name: str) -> str:
        """The label of an agent."""
        name = _label(name)
        return name if name in self._agents else OTHER

    def _model(self, name: str) -> str:
        """The label of a model."""
        name = _label(name)
        return name if name in self._models else OTHER

    def _by_model(self) -> Iterator[Metric]:
        apart: dict[tuple[str, str], Sums] = {}
        turns: dict[str, int] = {}
        for name, model, sums in self._rows:
            agent = self._agent(name)
            turns[agent] = turns.get(agent, 0) + sums.turns
            apart.setdefault((agent, self._model(model)), Sums()).add(sums)
        labels = ["agent", "model"]
        tokens = CounterMetricFamily(
            "sparrow_model_tokens", "Tokens by kind", labels=[*labels, "kind"]
        )
        requests = CounterMetricFamily(
            "sparrow_model_requests", "Requests to models", labels=[*labels, "status"]
        )
        cost = CounterMetricFamily(
            "sparrow_model_cost_dollars", "Cost in US dollars", labels=labels
        )
        unpriced = CounterMetricFamily(
            "sparrow_unpriced_tokens", "Tokens of models without a known price", labels=labels
        )
        for key, sums in sorted(apart.items()):
            for kind in KINDS:
                tokens.add_metric([*key, kind], getattr(sums, kind))
            requests.add_metric([*key, "ok"], sums.requests)
            requests.add_metric([*key, "error"], sums.request_errors)
            cost.add_metric(key, sums.cost_micro / 1e6)
            if sums.unpriced:
                unpriced.add_metric(key, sums.unpriced)
        told = CounterMetricFamily("sparrow_turns", "Turns of sessions", labels=["agent"])
        for agent, number in sorted(turns.items()):
            told.add_metric([agent], number)
        yield from (tokens, requests, cost, unpriced, told)

    def _by_tool(self) -> Iterator[Metric]:
        rows = [(_label(tool), sums) for tool, sums in self._store.totals.by("tool")]
        kept = _busiest(((tool, sums.tool_calls) for tool, sums in rows), TOOLS)
        apart: dict[str, Sums] = {}
        for tool, sums in rows:
            apart.setdefault(tool if tool in kept else OTHER, Sums()).add(sums)
        calls = CounterMetricFamily(
            "sparrow_tool_calls_by_tool", "Tool calls by tool", labels=["tool", "status"]
        )
        for tool, sums in sorted(apart.items()):
            calls.add_metric([tool, "ok"], max(0, sums.tool_calls - sums.tool_errors))
            calls.add_metric([tool, "error"], sums.tool_errors)
        yield calls
        yield _histograms(
            "sparrow_tool_duration_seconds",
            "From a tool's call to its answer, approval included, where times are on disk",
            ("tool",), self._store.totals.durations("tool"),
            lambda key: (tool if (tool := _label(key[1])) in kept else OTHER,),
        )  # fmt: skip

    def _sessions(self) -> Iterator[Metric]:
        sessions = GaugeMetricFamily(
            "sparrow_sessions", "Sessions in the store by state", labels=["agent", "state"]
        )
        states: dict[tuple[str, str], int] = {}
        for (agent, state), number in self._store.totals.states(self._now).items():
            key = (self._agent(agent), state if state in STATES else OTHER)
            states[key] = states.get(key, 0) + number
        for state_key, number in sorted(states.items()):
            sessions.add_metric(state_key, number)
        yield sessions
        size = 0
        for path in (self._store.path, self._store.path.with_name(self._store.path.name + "-wal")):
            if path.exists():
                size += os.stat(path).st_size
        yield GaugeMetricFamily("sparrow_store_bytes", "Size of the store on disk", value=size)

    def _reading(self) -> Iterator[Metric]:
        size = CounterMetricFamily(
            "sparrow_ingest_bytes", "Bytes read from agents' files", labels=["agent"]
        )
        records = CounterMetricFamily(
            "sparrow_ingest_records", "Records read from agents' files", labels=["agent"]
        )
        lag = GaugeMetricFamily(
            "sparrow_ingest_lag_seconds",
            "From the change of the source read last to its reading",
            labels=["agent"],
        )
        for read in self._store.totals.ingest():
            size.add_metric([_label(read.agent)], read.bytes)
            records.add_metric([_label(read.agent)], read.records)
            lag.add_metric([_label(read.agent)], read.lag_ms / 1000)
        yield from (size, records, lag)


def _label(name: str) -> str:
    """A name from a transcript as the value of a label: one short line, safe on a terminal."""
    return clean_line(name, LONGEST)


def _busiest(numbers: Iterable[tuple[str, int]], most: int) -> set[str]:
    """The names with the largest sums."""
    sums: dict[str, int] = {}
    for name, number in numbers:
        sums[name] = sums.get(name, 0) + number
    return set(sorted(sums, key=lambda name: (-sums[name], name))[:most])


def _histograms(
    family_name: str,
    text: str,
    labels: tuple[str, ...],
    parts: Mapping[tuple[str, str], Histogram],
    relabel: Callable[[tuple[str, str]], tuple[str, ...]],
) -> Metric:
    """Histograms as one family, those that get the same labels added up."""
    sums: dict[tuple[str, ...], Histogram] = {}
    for key, part in parts.items():
        name = relabel(key)
        sums[name] = sums[name].plus(part) if name in sums else part
    family = HistogramMetricFamily(family_name, text, labels=labels)
    for key_labels, held in sorted(sums.items()):
        below, buckets = 0, []
        for bound, number in zip((*held.bounds, "+Inf"), held.slots, strict=True):
            below += number
            buckets.append((str(bound), float(below)))
        family.add_metric(key_labels, buckets, held.total)
    return family
