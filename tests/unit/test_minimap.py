"""The map of a session: useful before the session has been looked over."""

from __future__ import annotations

from sparrow_tui.app.widgets.minimap import Minimap
from sparrow_tui.store.places import Bucket


def stretch(start: int, turns: int = 10, errors: int = 0) -> Bucket:
    return Bucket(start, turns, 0, turns, 4 * turns, 100 * turns, 0, 0, errors, 0, 0)


def test_before_anything_is_known_turns_count_alike():
    before = Minimap(total=1_000)
    assert not before.is_complete
    assert before.position(500) == 0.5
    assert before.turn_at(0.25)[0] == 250
    assert not any(before.marks(20))


def test_what_is_not_looked_over_yet_is_taken_to_be_like_the_rest():
    part = Minimap([stretch(0), stretch(10, errors=1)], total=100)
    whole = Minimap([stretch(start) for start in range(0, 100, 10)], total=100)
    assert not part.is_complete
    assert whole.is_complete
    assert part.height == whole.height
    assert part.turn_at(0.7) == whole.turn_at(0.7)
    assert part.marks(10)[1] == "error"
    assert not any(part.marks(10)[2:])


def test_a_session_without_turns_has_a_map():
    empty = Minimap()
    assert empty.is_complete
    assert empty.position(0) == 0
