"""Where our own files live on each platform."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

APP = "sparrow-tui"
STORE_VARIABLE = "SPARROW_TUI_STORE"


def default_store() -> Path:
    """The archive used when none is named."""
    return Path(platformdirs.user_data_dir(APP, appauthor=False)) / "archive.db"


def config_file() -> Path:
    """The user's settings."""
    return Path(platformdirs.user_config_dir(APP, appauthor=False)) / "settings.json"


def state_dir() -> Path:
    """What the app remembers by itself, such as where a reader stopped."""
    return Path(platformdirs.user_state_dir(APP, appauthor=False))


def cache_dir() -> Path:
    """What can be made again at any time."""
    return Path(platformdirs.user_cache_dir(APP, appauthor=False))


def log_file() -> Path:
    """Where unexpected errors are written down."""
    return Path(platformdirs.user_log_dir(APP, appauthor=False)) / "sparrow-tui.log"


def private_dir(path: Path) -> Path:
    """Make a directory only its owner can read, if it is not there yet; the path."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def open_private(path: Path) -> int:
    """Create (or truncate) a file only its owner can read; a file descriptor for writing."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)


def stylesheet() -> Path:
    """The app's stylesheet: inside the package when installed, beside it in a checkout."""
    package = Path(__file__).parent
    shipped = package / "styles.tcss"
    return shipped if shipped.is_file() else package.parent / "styles.tcss"
