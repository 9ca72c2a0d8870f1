"""Values of facets, for completing what is being typed."""

from __future__ import annotations

import apsw

from sparrow_tui.query_facets import HAS, IS, ROLES, SORTS

MOST = 20

_FIXED: dict[str, tuple[str, ...]] = {
    "role": ROLES,
    "is": IS,
    "has": HAS,
    "sort": SORTS,
    "before": ("today", "yesterday", "7d", "30d"),
    "after": ("today", "yesterday", "7d", "30d"),
    "expires": ("<7d", "<30d"),
    "cost": (">1", ">10"),
    "tokens": (">50k", ">1m"),
    "turns": (">100",),
}
_COLUMNS = ("agent", "project", "branch", "model", "status")


def values(db: apsw.Connection, facet: str, typed: str) -> list[str]:
    """Values that begin as typed, the most frequent first; a project by its last part."""
    start = typed.strip('"').lower()
    if facet in _FIXED:
        found = list(_FIXED[facet])
    elif facet in _COLUMNS:
        rows = db.execute(
            f"SELECT {facet} FROM session WHERE {facet} <> '' GROUP BY {facet}"
            " ORDER BY count(*) DESC LIMIT 500"
        )
        found = [value for (value,) in rows.fetchall()]
        if facet == "project":
            found = [value.rstrip("/\\").replace("\\", "/").rsplit("/", 1)[-1] for value in found]
    elif facet == "tool":
        rows = db.execute(
            "SELECT name FROM (SELECT name FROM call WHERE name <> '' LIMIT 50000)"
            " GROUP BY name ORDER BY count(*) DESC LIMIT 200"
        )
        found = [value for (value,) in rows.fetchall()]
    elif facet == "tag":
        rows = db.execute(
            "SELECT value FROM session, json_each(session.tags) GROUP BY value"
            " ORDER BY count(*) DESC LIMIT 200"
        )
        found = [str(value) for (value,) in rows.fetchall()]
    else:
        return []
    return [v for v in dict.fromkeys(found) if v and v.lower().startswith(start)][:MOST]
