"""The append-only log of a chat in VS Code: changes to one document, applied in order."""

from __future__ import annotations

from typing import Any


def apply(state: Any, entry: dict[str, Any]) -> Any:
    """One line of the log: the whole state, or a value set, pushed or deleted at a path.

    Args:
        state: what the lines before left; changed in place.
        entry: ``{kind, k, v, i}``; kind 0 whole, 1 set, 2 push (dropping from ``i`` on), 3 delete.

    Returns:
        The new state.

    Raises:
        ValueError: the entry does not fit the state.
    """
    kind, path, value = entry.get("kind"), entry.get("k"), entry.get("v")
    if kind == 0:
        return value
    if not isinstance(path, list) or not path or kind not in (1, 2, 3):
        raise ValueError("no such change")
    at = state
    try:
        for step in path[:-1]:
            at = at[step]
        last = path[-1]
        if kind == 1:
            if isinstance(at, list) and last == len(at):
                at.append(value)
            else:
                at[last] = value
        elif kind == 3:
            if isinstance(at, dict):
                at.pop(last, None)
            else:
                at[last] = None
        else:
            if isinstance(at, dict) and not isinstance(at.get(last), list):
                at[last] = []
            target, start = at[last], entry.get("i")
            if isinstance(start, int) and 0 <= start < len(target):
                del target[start:]
            target.extend(value if isinstance(value, list) else [])
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError("no such place") from error
    return state


def requests(state: Any) -> list[Any]:
    """The requests of a chat's state."""
    found = state.get("requests") if isinstance(state, dict) else None
    return found if isinstance(found, list) else []
