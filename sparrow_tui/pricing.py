"""Tokens → money: list prices at the time of the request, from the genai-prices package.

Offline: the prices are the package's own table. What it does not know has no price.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sparrow_tui.model import Usage

FLAT = 100_000
"""Input tokens up to which every known price is proportional; beyond, tiers may apply."""
MOST = 4_000_000
"""Tokens of a request larger than any."""
_DAY_MS = 86_400_000

Rates = tuple[Decimal, Decimal, Decimal, Decimal]
"""Micro-dollars for one token of input, output, cache read and cache write."""


def price(model: str, usage: Usage, time_ms: int | None) -> int | None:
    """What a request cost at list price.

    Args:
        model: the model's name as the agent wrote it.
        usage: its tokens; ``input`` without what came from a cache.
        time_ms: when, in milliseconds since the epoch; ``None``: at today's price.

    Returns:
        Micro-dollars, or ``None`` if the model has no known price.
    """
    if not model or not usage.total:
        return None if usage.total else 0
    day = None if time_ms is None else time_ms // _DAY_MS
    rates = _rates(model, day)
    if rates is None:
        return None
    if usage.input + usage.cache_read + usage.cache_write > FLAT and not _even(model, day):
        exact = _ask(model, day, usage)
        return None if exact is None else round(exact)
    return round(
        rates[0] * usage.input
        + rates[1] * usage.output
        + rates[2] * usage.cache_read
        + rates[3] * usage.cache_write
    )


@lru_cache(maxsize=4096)
def _rates(model: str, day: int | None) -> Rates | None:
    """Prices of single tokens, from requests of a thousand."""
    kinds = (
        Usage(input=1000),
        Usage(output=1000),
        Usage(cache_read=1000),
        Usage(cache_write=1000),
    )
    found = []
    for usage in kinds:
        cost = _ask(model, day, usage)
        if cost is None:
            return None
        found.append(cost / 1000)
    return found[0], found[1], found[2], found[3]


@lru_cache(maxsize=4096)
def _even(model: str, day: int | None) -> bool:
    """Whether large requests cost in proportion to small ones: most models know no tiers."""
    rates = _rates(model, day)
    large = Usage(input=MOST, output=MOST)
    return rates is not None and _ask(model, day, large) == (rates[0] + rates[1]) * MOST


def _ask(model: str, day: int | None, usage: Usage) -> Decimal | None:
    """The package's answer, in micro-dollars."""
    from genai_prices import Usage as Tokens
    from genai_prices import calc_price

    when: dict[str, Any] = {}
    if day is not None:
        when["genai_request_timestamp"] = datetime.fromtimestamp(day * 86_400, UTC)
    tokens = Tokens(
        input_tokens=usage.input + usage.cache_read + usage.cache_write,
        output_tokens=usage.output,
        cache_read_tokens=usage.cache_read,
        cache_write_tokens=usage.cache_write,
    )
    for name in _names(model):
        try:
            return Decimal(calc_price(tokens, model_ref=name, **when).total_price) * 1_000_000
        except (LookupError, ValueError):
            continue
    return None


def _names(model: str) -> list[str]:
    """The model's name, and without what routers put before and after it."""
    plain = model.strip().rsplit("/", 1)[-1]
    names = [model.strip(), plain, plain.partition(":")[0], plain.partition("[")[0]]
    return list(dict.fromkeys(name for name in names if name))
