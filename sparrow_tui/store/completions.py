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
    return [v for v in known(db, facet) if v.lower().startswith(start)][:MOST]


def known(db: apsw.Connection, facet: str) -> list[str]:
    """Values the store holds of a facet, or all it may have; some hundred at most."""
    if facet in _FIXED:
        return [*_FIXED[facet]]
    if facet in _COLUMNS:
        statement = (
            f"SELECT {facet} FROM session WHERE {facet} <> '' GROUP BY {facet}"
            " ORDER BY count(*) DESC LIMIT 500"
        )
    elif facet == "tool":
        statement = (
            "SELECT name FROM (SELECT name FROM call WHERE name <> '' LIMIT 50000)"
            " GROUP BY name ORDER BY count(*) DESC LIMIT 200"
        )
    elif facet == "tag":
        statement = (
            "SELECT value FROM session, json_each(session.tags) GROUP BY value"
            " ORDER BY count(*) DESC LIMIT 200"
        )
    else:
        return []
    found = [str(value) for (value,) in db.execute(statement).fetchall()]
    if facet == "project":
        found = [value.rstrip("/\\").replace("\\", "/").rsplit("/", 1)[-1] for value in found]
    return [value for value in dict.fromkeys(found) if value]
