"""Our archive of sessions: its contract and its engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sparrow_tui.store.sqlite import SqliteStore


def open_store(location: str | None = None, *, readonly: bool = False) -> SqliteStore:
    """Open the archive a location names, creating it if need be.

    Args:
        location: a path or URL; ``None``: the environment's ``SPARROW_TUI_STORE`` or the default.
        readonly: refuse to change anything.

    Raises:
        StoreError: it cannot be opened, with one sentence for the user.
    """
    from sparrow_tui.store.location import resolve
    from sparrow_tui.store.sqlite import SqliteStore

    return SqliteStore(resolve(location), readonly=readonly)
