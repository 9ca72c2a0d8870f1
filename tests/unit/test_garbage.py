"""Collections of cycles wait for a quiet moment."""

from __future__ import annotations

import gc
import time

import pytest

from sparrow_tui.app import garbage
from sparrow_tui.app.garbage import Collector


@pytest.fixture
def collector():
    before = gc.get_threshold()
    collector = Collector()
    collector.begin()
    yield collector
    collector.end()
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


def make_rubbish(kept: list) -> None:
    """As many objects as are worth a collection."""
    kept.extend([] for _ in range(garbage.YOUNG * (garbage.OFTEN + 1)))


def test_it_waits_for_the_user_to_rest(collector, monkeypatch):
    make_rubbish(kept := [])
    collector.key_pressed()
    assert not collector.sweep()
    now = time.monotonic()
    monkeypatch.setattr(garbage.time, "monotonic", lambda: now + garbage.QUIET + 0.1)
    assert collector.sweep()
    assert not collector.sweep(), "there is nothing more to collect"
    assert kept


def test_no_full_collection_comes_by_itself(collector):
    full = gc.get_stats()[2]["collections"]
    for _ in range(10):
        make_rubbish(kept := [])
        kept.clear()
    assert gc.get_stats()[2]["collections"] == full
