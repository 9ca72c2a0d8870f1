"""From the store's counters to the footer's figures."""

from __future__ import annotations

from collections.abc import Sequence

from sparrow_tui.app.clock import HOUR, MINUTE
from sparrow_tui.app.widgets.footer_cells import Figures, Pinned
from sparrow_tui.metrics.remote import Remote
from sparrow_tui.store.sqlite import SqliteStore
from sparrow_tui.store.steps import HOUR_MS, day_start

SCOPES = ("all", "list", "session")
"""Scopes of the store's own counters; `remote_figures` shows others'."""


def count(
    store: SqliteStore,
    scope: str,
    *,
    sids: Sequence[int],
    session: int | None,
    pinned: Sequence[Pinned],
    now: int,
) -> Figures:
    """The figures of a scope.

    Args:
        store: asked from the thread that owns it.
        scope: one of `SCOPES`.
        sids: sessions in the list.
        session: number of the session shown.
        pinned: counts of saved searches (see `Tally`).
        now: the present in milliseconds since the epoch.
    """
    totals = store.totals
    if scope == "list":
        sums = totals.of_sessions(sids)
    elif scope == "session":
        sums = totals.of_sessions([session] if session is not None else [])
    else:
        sums = totals.overall()
    today = totals.overall(since=day_start(now))
    hours = dict(store.totals.hours(now // HOUR_MS - 24))
    newest = now // HOUR_MS
    return Figures(
        scope=scope,
        requests=sums.requests,
        request_errors=sums.request_errors,
        input=sums.input,
        output=sums.output,
        cache=sums.cache_read + sums.cache_write,
        tool_calls=sums.tool_calls,
        tool_errors=sums.tool_errors,
        cost_micro=sums.cost_micro,
        unpriced=sums.unpriced,
        active=totals.active(now),
        today_tokens=today.fresh,
        today_cost=today.cost_micro,
        rate=_rate(hours, now),
        history=tuple(hours.get(hour, 0) for hour in range(newest - 23, newest + 1)),
        pinned=tuple(pinned),
    )


def remote_figures(scope: str, remote: Remote) -> Figures:
    """The figures of counters elsewhere; what they do not say stays out.

    Args:
        scope: its name on the footer.
        remote: what they said last.
    """
    sample = remote.sample
    return Figures(
        scope=scope,
        requests=sample.requests_total,
        request_errors=sample.requests_errors,
        input=sample.tokens_input,
        output=sample.tokens_output,
        # On a page those that went well, here all of them.
        tool_calls=sample.tool_calls_total + sample.tool_calls_errors,
        tool_errors=sample.tool_calls_errors,
        cost_micro=remote.cost_micro,
        active=sample.active_sessions,
        rate=remote.tokens_a_minute or 0.0,
        history=tuple(remote.history),
        known=remote.age is not None,
        note=remote.note,
        dated=False,
    )


def _rate(hours: dict[int, int], now: int) -> float:
    """Tokens a minute over this hour and the last, the latter as far as it is an hour ago."""
    hour = now // HOUR_MS
    gone = (now % HOUR) / HOUR
    tokens = hours.get(hour, 0) + hours.get(hour - 1, 0) * (1 - gone)
    return float(tokens / (HOUR / MINUTE))
