"""Endpoints asked for their counters again and again, on a thread of their own.

A place that does not answer is asked less and less often; what it said last stays, marked stale.
A counter that falls was reset: what it counts from there on is added to what it counted before.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

from sparrow_tui.metrics.families import ACCEPT, Counts, PageError, counts_of, series_of, total
from sparrow_tui.metrics.remote import NAME, Reading, Remote, address, checked, shown
from sparrow_tui.sanitize import clean_line

EVERY = 5.0
"""Seconds between two scrapes of a place that answers."""
SLOWEST = 60.0
"""Seconds between two tries of a place that has not answered for long."""
TIMEOUT = 3.0
"""Seconds a scrape may take in all."""
MOST_BYTES = 4 << 20
"""A page larger than this is not read to its end."""
PAUSE = 0.2
"""Seconds between two looks whether there is news to hand over."""
STALE = 3.2
"""Times its interval after which an answer is stale."""


@dataclass
class Endpoint:
    """One place, and what it said so far."""

    url: str
    counts: Counts | None = None
    """Resets made good: counters never fall."""
    answered: float | None = None
    """When it last did, on the monotonic clock."""
    problem: str = ""
    failures: int = 0
    due: float = 0.0
    rate: float | None = None
    """Tokens a minute between its last two answers."""
    series: int = 0
    """Of ours, in its last answer."""
    _raw: Counts | None = None
    _before: dict[str, int] = field(default_factory=dict)
    _cost_before: int = 0

    def take(self, counts: Counts, now: float, series: int = 0) -> None:
        """An answer has come, with so many series."""
        self.series = series
        if self._raw is not None:
            counts = _made_good(counts, self._raw)
            for name, value in self._raw.values.items():
                if name != "active_sessions" and counts.values.get(name, value) < value:
                    self._before[name] = self._before.get(name, 0) + value
            if counts.cost_micro < self._raw.cost_micro:
                self._cost_before += self._raw.cost_micro
        self._raw = counts
        whole = Counts(
            {name: value + self._before.get(name, 0) for name, value in counts.values.items()},
            counts.cost_micro + self._cost_before,
        )
        if self.counts is not None and self.answered is not None and now > self.answered:
            grown = _tokens(whole) - _tokens(self.counts)
            self.rate = max(0, grown) * 60 / (now - self.answered)
        self.counts, self.answered = whole, now
        self.problem, self.failures = "", 0
        self.due = now + EVERY

    def fail(self, problem: str, now: float) -> None:
        """It did not answer, or not with a page of counters."""
        self.problem = problem
        self.failures += 1
        self.rate = None
        self.due = now + min(EVERY * 2 ** min(self.failures, 8), SLOWEST)

    def reading(self, now: float) -> Reading:
        """What it says, for others."""
        return Reading(
            name=address(self.url),
            sample=None if self.counts is None else self.counts.sample(),
            cost_micro=0 if self.counts is None else self.counts.cost_micro,
            tokens_a_minute=self.rate,
            series=self.series,
            age=None if self.answered is None else now - self.answered,
            stale=self.stale(now),
            problem=self.problem,
            failures=self.failures,
            again=max(0.0, self.due - now) if self.due else None,
        )

    def stale(self, now: float) -> bool:
        """Whether its last answer is older than it should be."""
        return self.answered is not None and now - self.answered > EVERY * STALE


def _made_good(counts: Counts, before: Counts) -> Counts:
    """What a page leaves out, or gives no count for, is as it was: else its return would add."""
    held = {
        name: value
        for name, value in before.values.items()
        if name != "active_sessions" and (name in counts.odd or name not in counts.values)
    }
    cost = before.cost_micro if "cost" in counts.odd else counts.cost_micro
    return Counts({**counts.values, **held}, cost)


class Scraper(Thread):
    """Asks endpoints and hands over what they say. A daemon: leaving never waits for a scrape."""

    def __init__(self, urls: Sequence[str], hear: Callable[[Remote], object]) -> None:
        """Prepare, but do not start.

        Args:
            urls: addresses; one without a path means ``/metrics`` there.
            hear: takes the sums after each round; called on this thread.

        Raises:
            AddressError: one of them is no address.
        """
        super().__init__(name="scrape", daemon=True)
        self.endpoints = [Endpoint(_with_path(checked(url))) for url in urls]
        self._hear = hear
        self._stopping = Event()
        self._news = False

    def stop(self) -> None:
        """End soon."""
        self._stopping.set()

    def run(self) -> None:
        """Ask until stopped."""
        asyncio.run(self._rounds())

    def snapshot(self) -> list[Reading]:
        """What each place says now; any thread may ask."""
        now = time.monotonic()
        return [place.reading(now) for place in self.endpoints]

    async def _rounds(self) -> None:
        import httpx

        limits = httpx.Limits(max_connections=32, max_keepalive_connections=32)
        # Not compressed: a small answer must not become a large one here.
        headers = {"Accept": ACCEPT, "Accept-Encoding": "identity", "User-Agent": NAME}
        async with httpx.AsyncClient(
            limits=limits, headers=headers, timeout=TIMEOUT, follow_redirects=False
        ) as client:
            asking = [asyncio.create_task(self._watch(client, place)) for place in self.endpoints]
            told = 0.0
            while not self._stopping.is_set():
                now = time.monotonic()
                if self._news or now - told > EVERY:  # answers grow old without news
                    told, self._news = now, False
                    self._hear(self.remote())
                await asyncio.sleep(PAUSE)
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)

    async def _watch(self, client: Any, place: Endpoint) -> None:
        """Scrape one place whenever it is due; one that hangs keeps no other waiting."""
        while True:
            await self._ask(client, place)
            self._news = True
            await asyncio.sleep(max(0.0, place.due - time.monotonic()))

    async def _ask(self, client: Any, place: Endpoint) -> None:
        """Scrape one place."""
        import httpx

        try:
            async with asyncio.timeout(TIMEOUT):
                text, kind = await _page(client, place.url)
            series = series_of(text, kind)
            place.take(counts_of(series), time.monotonic(), len(series))
        except (TimeoutError, httpx.TimeoutException):
            place.fail(f"no answer within {TIMEOUT:.0f} s", time.monotonic())
        except PageError as error:
            place.fail(str(error), time.monotonic())
        except httpx.ConnectError:
            place.fail("nobody answers there", time.monotonic())
        except Exception as error:  # whatever it sends: the other places are asked on
            place.fail(f"the answer broke off ({type(error).__name__})", time.monotonic())

    def remote(self) -> Remote:
        """What all places together say now."""
        readings = self.snapshot()
        counts = total(place.counts for place in self.endpoints if place.counts is not None)
        told = [reading for reading in readings if reading.age is not None]
        rates = [r.tokens_a_minute for r in told if r.tokens_a_minute is not None]
        problem = next(
            (
                f"{shown(place.url)}: {reading.problem}"
                for place, reading in zip(self.endpoints, readings, strict=True)
                if reading.problem
            ),
            "",
        )
        return Remote(
            sample=counts.sample(),
            cost_micro=counts.cost_micro,
            tokens_a_minute=sum(rates) if rates else None,
            up=sum(1 for reading in told if not reading.problem),
            of=len(readings),
            age=max((reading.age for reading in told if reading.age is not None), default=None),
            stale=any(reading.stale for reading in told),
            problem=problem,
            places=readings,
        )


async def _page(client: Any, url: str) -> tuple[str, str]:
    """A page and its content type.

    Raises:
        PageError: the answer is no page of counters.
    """
    async with client.stream("GET", url) as answer:
        if answer.next_request is not None:
            raise PageError(_moved(answer.next_request))
        if answer.status_code != 200:
            raise PageError(f"the answer is HTTP {answer.status_code}")
        kind = answer.headers.get("Content-Type", "")
        if kind.startswith("text/html"):
            raise PageError("the answer is a web page")
        data = bytearray()
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise PageError("the page is compressed though that was not asked for")
        async for part in answer.aiter_raw():
            data += part
            if len(data) > MOST_BYTES:
                raise PageError("the page is too large")
    try:
        return data.decode("utf-8"), kind
    except UnicodeDecodeError as error:
        raise PageError("the page is not text") from error


def _moved(onward: Any) -> str:
    """What to do about an endpoint that is elsewhere: addresses are the user's to choose."""
    where = clean_line(f"{shown(str(onward.url))}{onward.url.path}", 80)
    return f"it has moved to {where}: name that address instead"


def _tokens(counts: Counts) -> int:
    return counts.values.get("tokens_input", 0) + counts.values.get("tokens_output", 0)


def _with_path(url: str) -> str:
    rest = url.partition("://")[2]
    return f"{url.rstrip('/')}/metrics" if "/" not in rest.rstrip("/") else url
