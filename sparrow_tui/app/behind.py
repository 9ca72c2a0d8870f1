"""The search that finds the sessions behind a point of a chart."""

from __future__ import annotations

from datetime import datetime

from sparrow_tui.query_facets import moment_of


def search_for(
    start: int | None = None, end: int | None = None, error: bool = False, **facets: str
) -> str:
    """Text for the search box.

    Args:
        start: sessions that went on at this time or later, milliseconds since the epoch.
        end: and before this one.
        error: only those with errors.
        facets: values of other facets; empty ones are left out.
    """
    words = [] if start is None else [f"after:{_moment(start)}"]
    words += [] if end is None else [f"before:{_moment(end)}"]
    words += [f"{name}:{_quoted(value)}" for name, value in facets.items() if value.strip()]
    words += ["is:error"] if error else []
    return " ".join(words)


def _moment(moment: int) -> str:
    """A time as people write it; with its zone where the clock says the same twice."""
    local = datetime.fromtimestamp(moment / 1000)
    form = (
        f"{local:%Y-%m-%d}" if (local.hour, local.minute) == (0, 0) else f"{local:%Y-%m-%dT%H:%M}"
    )
    if moment_of(form, moment) == moment:
        return form
    return local.astimezone().isoformat(timespec="minutes")


def _quoted(value: str) -> str:
    """A value that may hold spaces; of one with quotes the longest part without."""
    if '"' in value:
        value = max(value.split('"'), key=len)
    return f'"{value}"' if not value.replace("-", "").replace("_", "").isalnum() else value
