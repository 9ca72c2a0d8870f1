"""What all tests share: a private home, no colours or themes from outside, a fixed present."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long a busy machine takes says nothing about what is tested.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")

for _name in [name for name in os.environ if name.startswith(("TEXTUAL", "SPARROW"))]:
    if _name not in ("SPARROW_TUI_CORPUS", "TEXTUAL_SNAPSHOT_TEMPDIR"):
        del os.environ[_name]
os.environ.pop("NO_COLOR", None)
# Dozens of programs are started: they need not all compile the same modules.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ["TZ"] = "UTC"
time.tzset()

NOW = 1_767_225_600_000
"""2026-01-01T00:00:00Z: the present in tests that show ages."""


@pytest.fixture(autouse=True)
def private_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home for each test, so that nobody's real sessions or settings are touched."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    for name in list(os.environ):
        if name.startswith("XDG_") or name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME"):
            monkeypatch.delenv(name)
    return home


@pytest.fixture
def location(tmp_path: Path) -> str:
    """Where a store may be made."""
    return str(tmp_path / "store" / "archive.db")


@pytest.fixture
def store(location: str) -> Iterator[object]:
    """An empty store."""
    from sparrow_tui.store import open_store

    opened = open_store(location)
    yield opened
    opened.close()
