"""What ``--store`` may say, and which engine answers for it."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sparrow_tui.paths import STORE_VARIABLE, default_store
from sparrow_tui.store.base import StoreError


def resolve(location: str | None) -> Path:
    """The archive file a location means.

    Args:
        location: a path, a ``sqlite:`` URL, or ``None`` for the environment's or the default.

    Raises:
        StoreError: the location is of a kind we do not know.
    """
    if location is None:
        location = os.environ.get(STORE_VARIABLE) or None
    if location is None:
        return default_store()
    if not location.strip():
        raise StoreError("the store's location is empty; name a file")
    if "://" in location or location.startswith("sqlite:"):
        parts = urlsplit(location)
        if parts.scheme not in ("sqlite", "file"):
            # Never echo the whole URL: it may hold a password.
            raise StoreError(
                f"stores of kind “{parts.scheme}” are not supported; "
                "name a file, or sqlite:///absolute/path"
            )
        path = unquote(parts.path)
        # sqlite:////path, as some tools write it, names the same file as sqlite:///path.
        if path.startswith("//"):
            path = path[1:]
        location = path
    if "\x00" in location:
        raise StoreError("the store's location holds a NUL character; name a file")
    return Path(location).expanduser().absolute()
