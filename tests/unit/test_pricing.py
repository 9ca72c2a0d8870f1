"""List prices, against prices computed by hand from the providers' price lists."""

from __future__ import annotations

import pytest

from sparrow_tui.model import Usage
from sparrow_tui.pricing import price

DECEMBER = 1_764_590_400_000
"""2025-12-01T12:00:00Z"""
MILLION = 1_000_000


@pytest.mark.parametrize(
    ("model", "usage", "micro"),
    [
        # Dollars a million tokens: input 3, output 15, cache read 0.30, cache write 3.75.
        ("claude-sonnet-4-5-20250929", Usage(1000, 200, 50_000, 4000), 3000 + 3000 + 15_000 + 15_000),
        ("claude-opus-4-1-20250805", Usage(1000, 200, 0, 0), 15_000 + 15_000),
        ("claude-sonnet-4-5[1m]", Usage(1000), 3000),
        ("anthropic/claude-sonnet-4.5", Usage(1000), 3000),
        # Bedrock in a region costs a tenth more.
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", Usage(1000), 3300),
        # Input 1.25, output 10, cached 0.125.
        ("gpt-5-codex", Usage(1000, 100, 10_000, 0, 60), 1250 + 1000 + 1250),
        ("openai/gpt-5-codex", Usage(1000), 1250),
    ],
)  # fmt: skip
def test_by_hand(model: str, usage: Usage, micro: int) -> None:
    assert price(model, usage, DECEMBER) == micro


def test_a_long_request_costs_more_from_its_first_token() -> None:
    # Beyond 200,000 tokens of input, cached or not: 6, 22.50, 0.60, 7.50.
    usage = Usage(150_000, 1000, 100_000, 1000)
    assert price("claude-sonnet-4-5", usage, DECEMBER) == 900_000 + 22_500 + 60_000 + 7500
    assert price("claude-sonnet-4-5", usage, DECEMBER, summed=True) == (
        450_000 + 15_000 + 30_000 + 3750
    )
    at_most = Usage(200_000)
    assert price("claude-sonnet-4-5", at_most, DECEMBER) == 600_000


def test_the_price_is_that_of_the_time() -> None:
    """DeepSeek was cheaper from 16:30 to 00:30 UTC until September 2025."""
    day = 1_754_006_400_000  # 2025-08-01T00:00:00Z
    hours = [price("deepseek-chat", Usage(1000), day + hour * 3_600_000) for hour in range(24)]
    assert (hours[0], hours[1], hours[16], hours[17]) == (135, 270, 270, 135)


def test_no_price_is_not_a_price_of_nothing() -> None:
    for model in ("", "llama3:8b", "nobody-knows-1", "/", ":", "\ud800", "x" * 5000):
        assert price(model, Usage(10), DECEMBER) is None
    assert price("nobody-knows-1", Usage(), DECEMBER) == 0
    assert price("claude-sonnet-4-5", Usage(1000), 10**18) is not None
    assert price("claude-sonnet-4-5", Usage(1000), None) is not None


def test_whole_requests_are_exact_however_many_tokens() -> None:
    whole = price("claude-sonnet-4-5", Usage(0, 0, 190_000, 0), DECEMBER)
    assert whole == 57_000
    assert price("claude-sonnet-4-5", Usage(output=MILLION), DECEMBER) == 15 * MILLION
