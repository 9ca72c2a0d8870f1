"""An outline's lines: found, picked, and small."""

from __future__ import annotations

import tracemalloc

from sparrow_tui.app.outline import STRETCH, Item, outline
from sparrow_tui.app.outline_items import OutlineItems, Picked
from sparrow_tui.model import Text, Turn
from sparrow_tui.store import open_store

WORDS = ["retry", "gateway", "Timeout", "parser", "naïve"]


def batches(number: int):
    for start in range(0, number, 150):
        yield [
            Item(
                4 * n, "edit" if n % 7 == 0 else "prompt", f"{WORDS[n % 5]} of step {n} in src/a.py"
            )
            for n in range(start, min(start + 150, number))
        ]


def filled(number: int) -> OutlineItems:
    items = OutlineItems()
    for batch in batches(number):
        items.add(batch)
    items.add([])
    return items


def test_lines_are_what_was_put_in():
    items, plain = filled(1_000), [item for batch in batches(1_000) for item in batch]
    assert len(items) == 1_000
    assert [items.item(n) for n in range(1_000)] == plain
    for words in ([], ["timeout"], ["edit", "naïve"], ["99", "src"], ["nowhere"]):
        fits = [n for n, item in enumerate(plain)
                if all(word in f"{item.kind} {item.text}".lower() for word in words)]  # fmt: skip
        assert [*items.fitting(words)] == fits
        assert [*items.fitting(words, 600)] == [n for n in fits if n >= 600]
        picked = Picked(items, fits)
        assert [*picked] == [plain[n] for n in fits]
        at = max((row for row, n in enumerate(fits) if plain[n].turn <= 2_002), default=0)
        assert picked.at_turn(2_002) == at


def test_many_lines_take_little_memory():
    tracemalloc.start()
    items = filled(40_000)
    picked = Picked(items, items.fitting([]))
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(picked) == 40_000
    assert held < 2_000_000


def test_the_first_lines_do_not_wait_for_the_last(tmp_path):
    store = open_store(str(tmp_path / "s.db"))
    prompts = [Turn(role="user", blocks=[Text(f"number {n}")]) for n in range(3 * STRETCH)]
    store.save("demo:1", prompts)
    looked = []
    flagged = store.places.flagged
    store.places.flagged = lambda *a: looked.append(a[2:]) or flagged(*a)
    lines = outline(store, "demo:1")
    assert next(lines)[0] == Item(0, "prompt", "number 0")
    assert looked == [(0, STRETCH)]
    assert sum(map(len, lines)) > 2 * STRETCH
    store.close()
