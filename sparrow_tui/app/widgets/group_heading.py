"""The line above the sessions of one project, day or agent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from rich.segment import Segment
from textual.strip import Strip

from sparrow_tui.app.widgets.cell_line import fitted
from sparrow_tui.app.widgets.session_row import Look, Styles
from sparrow_tui.sanitize import clean_line


def group_name(key: str, by: str, looks: Mapping[str, Look], present: int) -> tuple[str, str]:
    """What a group is called, and what may be added where there is room.

    Args:
        key: see `sparrow_tui.store.grouping.Group`.
        by: what the list is grouped by.
        looks: how agents are named.
        present: now, in milliseconds since the epoch.
    """
    if not key:
        return f"no {by}", ""
    if by == "agent":
        look = looks.get(key)
        return (look.label if look else clean_line(key)), ""
    if by == "day":
        return _day(key, datetime.fromtimestamp(present / 1000).date())
    path = key.rstrip("/\\") or key
    cut = max(path.rfind("/"), path.rfind("\\")) + 1
    return clean_line(path[cut:]), clean_line(path[:cut].rstrip("/\\"), 200)


def _day(key: str, today: date) -> tuple[str, str]:
    day = date.fromisoformat(key)
    gone = (today - day).days
    near = {0: "Today", 1: "Yesterday"}.get(gone)
    if near:
        return near, key
    return (day.strftime("%A"), key) if 0 < gone < 7 else (key, day.strftime("%A"))


def draw_heading(name: tuple[str, str], count: int, width: int, styles: Styles) -> Strip:
    """The heading: name, what may be added, a rule, the number of sessions."""
    number = f" {count:,} "
    room = max(width - len(number) - 2, 1)
    title = fitted(name[0], room)
    pieces = [Segment(" ", styles.base), Segment(title.text, styles.heading)]
    room -= title.cells
    if name[1] and room > 8:
        more = fitted(f"  {name[1]}", room - 3)
        pieces.append(Segment(more.text, styles.dim))
        room -= more.cells
    rule = f" {'─' * (room - 1)}" if room > 1 else ""
    pieces += [Segment(rule, styles.rule), Segment(number, styles.dim)]
    return Strip(pieces).adjust_cell_length(width, styles.base)
