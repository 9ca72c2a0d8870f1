"""What one turn adds to its session's sums."""

from __future__ import annotations

from dataclasses import dataclass

from sparrow_tui.model import Usage
from sparrow_tui.pricing import price
from sparrow_tui.store.codec import Row
from sparrow_tui.store.flags import Flag

NOTHING = Usage()
_API_ERROR = int(Flag.API_ERROR)


@dataclass(slots=True)
class Contribution:
    """What one turn adds to its session's sums."""

    requests: int
    request_errors: int
    usage: Usage
    tool_calls: int
    tool_errors: int
    cost_micro: int | None
    unpriced: int


def contribution(row: Row, model: str, *, priced: bool = True) -> Contribution:
    """What a turn adds.

    A request is an assistant turn; one that goes on with an earlier turn's request is none of
    its own. A failed request counts as an error instead. Tool calls count when called.

    Args:
        row: the turn.
        model: the session's model, for turns that name none.
        priced: turns without a cost of their own get list prices; not where the agent records
            what the whole session cost.
    """
    asked, failed = requests(row)
    usage = row.usage or NOTHING
    cost, unpriced = row.cost_micro, 0
    if cost is None and priced and usage.total:
        total = row.usage_total or usage
        before = NOTHING if total is usage else total.beyond(usage)
        cost, unpriced = listed(row.model or model, before, total, row.time)
    errors = sum(1 for result in row.results if result[1]) if row.results else 0
    return Contribution(asked, failed, usage, len(row.calls), errors, cost, unpriced)


def requests(row: Row) -> tuple[int, int]:
    """Requests a turn is (0 or 1), and requests that failed."""
    if row.flags & _API_ERROR:
        return 0, 1
    return int(row.role == "assistant" and row.usage_total is None), 0


def listed(model: str, before: Usage, after: Usage, moment: int | None) -> tuple[int | None, int]:
    """List price, in micro-dollars, of what a request grew by; and tokens without a price.

    The difference of two prices of the whole request, so that the sum is what the request costs
    once it is long enough for other prices.
    """
    whole = price(model, after, moment)
    if whole is None:
        return None, after.beyond(before).total
    already = price(model, before, moment) if before.total else 0
    return max(0, whole - (already or 0)), 0
