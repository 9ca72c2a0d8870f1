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
    """As many objects as are worth a collection; what forgets them does not free them."""
    for _ in range(garbage.YOUNG * (garbage.OFTEN + 1)):
        cycle: list = []
        cycle.append(cycle)
        kept.append(cycle)


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


def test_a_collection_looks_at_what_is_new_and_now_and_then_at_everything(collector, monkeypatch):
    later = time.monotonic() + 1_000
    monkeypatch.setattr(garbage.time, "monotonic", lambda: later)
    frozen = []
    for _ in range(garbage.WHOLE):
        make_rubbish(kept := [])
        assert collector.sweep()
        frozen.append(gc.get_freeze_count())
        kept.clear()
    assert frozen[-1] > 0
    assert frozen[-1] < frozen[-2], "what had died among the old was found"


def test_no_collection_looks_at_much_while_keys_come(collector):
    collector.key_pressed()
    looked: list[tuple[int, int]] = []

    def told(phase: str, about: dict[str, int]) -> None:
        if phase == "start" and about["generation"]:
            looked.append((about["generation"], len(gc.get_objects(generation=1))))

    gc.callbacks.append(told)
    try:
        kept = [[] for _ in range(garbage.YOUNG * garbage.STAYED * 4)]
    finally:
        gc.callbacks.remove(told)
    assert kept
    assert len(looked) >= 3
    assert {generation for generation, _ in looked} == {1}
    assert max(number for _, number in looked) <= garbage.YOUNG * (garbage.STAYED + 2)
