"""Tokens → money: list prices at the time of the request, from the genai-prices package.

Offline: the prices are the package's own table. What it does not know has no price.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sparrow_tui.model import Usage

_THOUSAND = 1000
_BEDROCK = re.compile(r"(?:[a-z-]+\.)?(?:anthropic|amazon|meta|mistral|deepseek|openai|qwen)\.")

Rates = tuple[Decimal, Decimal, Decimal, Decimal]
"""Micro-dollars for one token of input, output, cache read and cache write."""


def price(model: str, usage: Usage, time_ms: int | None, *, summed: bool = False) -> int | None:
    """What a request cost at list price.

    Args:
        model: the model's name as the agent wrote it.
        usage: its tokens; ``input`` without what came from a cache.
        time_ms: when, in milliseconds since the epoch; ``None``: at today's price.
        summed: the tokens are of many requests: prices of long ones do not apply.

    Returns:
        Micro-dollars, or ``None`` if the model has no known price.
    """
    if not usage.total:
        return 0
    if time_ms is None:
        time_ms = int(time.time() * 1000)
    return _price(model.strip(), usage, time_ms, summed)


@lru_cache(maxsize=4096)
def _price(model: str, usage: Usage, time_ms: int, summed: bool) -> int | None:
    """As `price`; a turn's price is asked for its session and again for the counters."""
    known = _find(model)
    if known is None:
        return None
    moment = _moment(time_ms)
    prices = known.get_prices(moment)
    asked = 0 if summed else usage.input + usage.cache_read + usage.cache_write
    rates = _rates(_Prices(prices), asked)
    return round(
        rates[0] * usage.input
        + rates[1] * usage.output
        + rates[2] * usage.cache_read
        + rates[3] * usage.cache_write
    )


def _moment(time_ms: int) -> datetime:
    try:
        return datetime.fromtimestamp(time_ms / 1000, UTC)
    except (OverflowError, OSError, ValueError):
        return datetime.now(UTC)


class _Prices:
    """A model's prices at one time, known by identity: the package makes each once."""

    def __init__(self, prices: Any) -> None:
        self.prices = prices

    def __hash__(self) -> int:
        return id(self.prices)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Prices) and other.prices is self.prices


def _rates(known: _Prices, asked: int) -> Rates:
    """Prices of single tokens of a request that asks with so many."""
    passed = [start for start in _thresholds(known) if asked > start]
    return _rates_beyond(known, passed[-1] if passed else None)


@lru_cache(maxsize=1024)
def _thresholds(known: _Prices) -> tuple[int, ...]:
    """Numbers of input tokens beyond which other prices hold."""
    tiers = (getattr(value, "tiers", ()) for value in vars(known.prices).values())
    return tuple(sorted({int(tier.start) for found in tiers for tier in found}))


@lru_cache(maxsize=4096)
def _rates_beyond(known: _Prices, threshold: int | None) -> Rates:
    """Prices of single tokens beyond a threshold, from what a thousand more of each cost."""
    base = 0 if threshold is None else threshold + 1
    # Where nothing is beyond, small enough not to pass the first threshold.
    more = _THOUSAND if threshold is not None or not _thresholds(known) else 1

    def cost(**tokens: int) -> Decimal:
        from genai_prices import Usage as Tokens

        total: Decimal = known.prices.calc_price(Tokens(**tokens))["total_price"]
        return total * 1_000_000

    alone = cost(input_tokens=base) if base else Decimal(0)
    asking = (cost(input_tokens=base + more) - alone) / more
    answering = (cost(input_tokens=base, output_tokens=more) - alone) / more
    reading = (cost(input_tokens=base + more, cache_read_tokens=more) - alone) / more
    writing = (cost(input_tokens=base + more, cache_write_tokens=more) - alone) / more
    return asking, answering, reading, writing


@lru_cache(maxsize=4096)
def _find(model: str) -> Any:
    """The package's knowledge of a model, or ``None``."""
    from genai_prices import Usage as Tokens
    from genai_prices import calc_price

    for name, provider in _names(model):
        try:
            return calc_price(Tokens(input_tokens=1), model_ref=name, provider_id=provider).model
        except (LookupError, ValueError):
            continue
    return None


def _names(model: str) -> list[tuple[str, str | None]]:
    """Names to look a model up by, with a provider where its name tells one.

    Its own, and without what routers put before and after it.
    """
    plain = model.rsplit("/", 1)[-1]
    bedrock = [(plain, "aws")] if _BEDROCK.match(plain) else []
    router = [(model, "openrouter")] if "/" in model else []
    names = [model, plain, plain.partition(":")[0], plain.partition("[")[0]]
    return [
        *bedrock,
        *((name, None) for name in dict.fromkeys(names) if name),
        *router,
    ]
