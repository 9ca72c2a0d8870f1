"""A fleet's counters from a Prometheus server's HTTP API: sums, rates and a range.

https://prometheus.io/docs/prometheus/latest/querying/api/
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import msgspec

from sparrow_tui.metrics.ancestor import MAX_U64, Sample
from sparrow_tui.metrics.remote import NAME, Reading, Remote, address, checked, shown
from sparrow_tui.sanitize import clean_line

EVERY = 15.0
"""Seconds between two rounds of queries."""
SLOWEST = 120.0
TIMEOUT = 5.0
MOST_BYTES = 16 << 20
"""An answer larger than this is not read to its end."""
WINDOW = "5m"
"""Over which rates are taken: several scrapes, so that one that failed does not matter."""
HOURS = 24

_SUMS = {
    "requests_total": 'sum(sparrow_requests_total{status="ok"})',
    "requests_errors": 'sum(sparrow_requests_total{status="error"})',
    "tokens_input": 'sum(sparrow_tokens_used_total{direction="input"})',
    "tokens_output": 'sum(sparrow_tokens_used_total{direction="output"})',
    "tool_calls_total": 'sum(sparrow_tool_calls_total{status="ok"})',
    "tool_calls_errors": 'sum(sparrow_tool_calls_total{status="error"})',
    "active_sessions": "sum(sparrow_active_sessions)",
}
_DOLLARS = (
    "sum(sparrow_cost_dollars_total) or sum(sparrow_cost_usd_total) / 100"  # the ancestor's: cents
)
_RATE = f"sum(rate(sparrow_tokens_used_total[{WINDOW}])) * 60"
_PLACES = "count(sparrow_active_sessions)"
_SERIES = 'count({__name__=~"sparrow_.+"})'
_HISTORY = "sum(increase(sparrow_tokens_used_total[1h]))"


class FleetError(Exception):
    """The server cannot be asked. The message is one sentence."""


class Fleet:
    """A Prometheus server. Every method waits for the network."""

    def __init__(self, url: str) -> None:
        """Args: its address.

        Raises:
            AddressError: it is no address.
        """
        import httpx

        self.url = checked(url).rstrip("/")
        self.series = 0
        """Of ours, when it was asked last."""
        headers = {"Accept-Encoding": "identity", "User-Agent": NAME}
        self._client = httpx.Client(timeout=TIMEOUT, headers=headers)

    def close(self) -> None:
        """Let connections go."""
        self._client.close()

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """The value of an expression now, for each set of labels.

        Raises:
            FleetError: the server does not answer, or does not understand.
        """
        data = self._ask("query", {"query": expression})
        kind = data.get("resultType")
        try:
            result: Any = data["result"]
            if kind == "scalar":
                return [({}, float(result[1]))]
            if kind == "vector":
                return [(row["metric"], float(row["value"][1])) for row in result]
        except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
            raise FleetError(f"{shown(self.url)} answers with something else") from error
        raise FleetError(f"{shown(self.url)} answers with a {kind}, not with values")

    def query_range(
        self, expression: str, start: float, end: float, step: float
    ) -> list[tuple[dict[str, str], list[tuple[float, float]]]]:
        """The values of an expression over time, for each set of labels.

        Args:
            expression: in PromQL.
            start: seconds since the epoch.
            end: seconds since the epoch.
            step: seconds.

        Raises:
            FleetError: the server does not answer, or does not understand.
        """
        wanted = {"query": expression, "start": start, "end": end, "step": step}
        data = self._ask("query_range", wanted)
        try:
            return [
                (row["metric"], [(float(at), float(value)) for at, value in row["values"]])
                for row in data["result"]
            ]
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise FleetError(f"{shown(self.url)} answers with something else") from error

    def _ask(self, what: str, parameters: dict[str, Any]) -> dict[str, Any]:
        import httpx

        name = shown(self.url)
        try:
            body = json.loads(
                self._read(
                    f"{self.url}/api/v1/{what}", {**parameters, "timeout": f"{TIMEOUT:.0f}s"}
                )
            )
        except (TimeoutError, httpx.TimeoutException) as error:
            raise FleetError(f"{name} does not answer within {TIMEOUT:.0f} s") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise FleetError(f"{name} does not answer") from error
        except (ValueError, RecursionError) as error:
            raise FleetError(f"{name} is not a Prometheus server") from error
        if not isinstance(body, dict) or "status" not in body:
            raise FleetError(f"{name} is not a Prometheus server")
        if body["status"] != "success":
            raise FleetError(f"{name} says: {clean_line(str(body.get('error')), 200)}")
        data = body.get("data")
        return data if isinstance(data, dict) else {}

    def _read(self, url: str, parameters: dict[str, Any]) -> bytes:
        """An answer's body, within time and bounds however it drips or swells."""
        deadline = time.monotonic() + TIMEOUT
        data = bytearray()
        with self._client.stream("GET", url, params=parameters) as answer:
            for part in answer.iter_raw():
                data += part
                if len(data) > MOST_BYTES:
                    raise FleetError(f"{shown(self.url)} answers with more than can be shown")
                if time.monotonic() > deadline:
                    raise TimeoutError
        return bytes(data)

    def one(self, expression: str) -> float | None:
        """The one value of an expression; ``None`` where there is none.

        Raises:
            FleetError: the server does not answer, or does not understand.
        """
        found = self.query(expression)
        value = found[0][1] if found else None
        return value if value is not None and math.isfinite(value) else None

    def remote(self, now: float) -> Remote:
        """The fleet's counters.

        Args:
            now: seconds since the epoch.

        Raises:
            FleetError: the server does not answer, or does not understand.
        """
        values = {name: self.one(expression) for name, expression in _SUMS.items()}
        places = _count(self.one(_PLACES))
        self.series = _count(self.one(_SERIES))
        history = self.query_range(_HISTORY, now - HOURS * 3600, now, 3600)
        steps = dict(history[0][1]) if history else {}
        return Remote(
            sample=Sample(**{name: _count(value) for name, value in values.items()}),
            cost_micro=_count(self.one(_DOLLARS), 1_000_000),
            tokens_a_minute=self.one(_RATE),
            history=[_count(value) for _, value in sorted(steps.items())],
            up=places,
            of=places,
            age=0.0 if places else None,
            problem="" if places else f"{shown(self.url)} has none of Sparrow's counters",
        )


def _count(value: float | None, unit: int = 1) -> int:
    """A value as a count of parts of its unit; what is none is 0."""
    if value is None or not (math.isfinite(value) and value > 0):
        return 0
    return int(min(value * unit, MAX_U64))


class FleetWatch(Thread):
    """Asks a Prometheus server again and again. A daemon: leaving never waits for it."""

    def __init__(self, url: str, hear: Callable[[Remote], object]) -> None:
        """Prepare, but do not start.

        Args:
            url: the server's address.
            hear: takes the figures after each round; called on this thread.

        Raises:
            AddressError: it is no address.
        """
        super().__init__(name="fleet", daemon=True)
        self._fleet = Fleet(url)
        self._hear = hear
        self._stopping = Event()

    def stop(self) -> None:
        """End soon."""
        self._stopping.set()

    def run(self) -> None:
        """Ask until stopped; what was heard last stays, marked stale."""
        last = Remote(of=1)
        told: float | None = None
        pause, failures = EVERY, 0
        while not self._stopping.is_set():
            try:
                last = self._fleet.remote(time.time())
                told, pause, failures = time.monotonic(), EVERY, 0
            except FleetError as error:
                age = None if told is None else time.monotonic() - told
                pause, failures = min(pause * 2, SLOWEST), failures + 1
                last = msgspec.structs.replace(
                    last, problem=str(error), stale=told is not None, age=age, up=0,
                    at=time.monotonic(),
                )  # fmt: skip
            last.places = [self._reading(last, told, failures, pause)]
            self._hear(last)
            self._stopping.wait(pause)
        self._fleet.close()

    def _reading(self, last: Remote, told: float | None, failures: int, pause: float) -> Reading:
        return Reading(
            name=address(self._fleet.url),
            sample=None if told is None else last.sample,
            cost_micro=last.cost_micro,
            tokens_a_minute=last.tokens_a_minute,
            series=self._fleet.series,
            age=None if told is None else last.at - told,
            stale=last.stale,
            problem=last.problem,
            failures=failures,
            again=pause,
        )
