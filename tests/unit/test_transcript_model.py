"""The scroll window over a session, for any session and any way through it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sparrow_tui.app.transcript_model import TranscriptModel
from sparrow_tui.app.transcript_places import Place
from sparrow_tui.app.turn_window import HELD
from sparrow_tui.model import Notice, Text, ToolResult, Turn
from sparrow_tui.text.frames import FULL
from sparrow_tui.text.spans import plain

TEXTS = st.text(alphabet="ab \n漢é", max_size=120)


@st.composite
def sessions(draw) -> list[Turn]:
    turns = []
    for _ in range(draw(st.integers(1, 25))):
        role = draw(st.sampled_from(["user", "assistant", "tool"]))
        text = draw(TEXTS)
        block = ToolResult("x", [Text(text)]) if role == "tool" else Text(text)
        blank = draw(st.booleans()) and draw(st.booleans())
        turns.append(Turn(role=role, blocks=[] if blank else [block]))
    return turns


def model_of(turns: list[Turn], width: int = 20) -> TranscriptModel:
    model = TranscriptModel()
    model.clear(len(turns))
    model.view.width = width
    model.hold(0, turns, {})
    return model


def every_line(model: TranscriptModel) -> list[Place]:
    return list(model.forward(Place(0)))


@given(sessions(), st.integers(1, 30))
def test_forward_and_backward_are_the_same_lines(turns, width):
    model = model_of(turns, width)
    forward = every_line(model)
    backward = list(model.backward(Place(len(turns))))
    assert forward == backward[::-1]
    assert forward == sorted(set(forward))


@given(sessions(), st.integers(1, 12), st.lists(st.integers(-40, 40), max_size=12))
def test_any_scrolling_fills_the_screen(turns, height, steps):
    model = model_of(turns)
    lines = every_line(model)
    for step in steps:
        model.scroll(step, height)
        rows = model.rows(height)
        assert len(rows) == min(height, len(lines))
        if rows:
            start = lines.index(rows[0])
            assert rows == lines[start : start + height]


@given(sessions(), st.integers(1, 12))
def test_paging_down_shows_every_line_once(turns, height):
    model = model_of(turns)
    lines = every_line(model)
    seen = model.rows(height)
    while not model.at_end(height):
        before = model.top
        model.scroll(height, height)
        assert model.top > before
        seen += [row for row in model.rows(height) if row > seen[-1]]
    assert seen == lines


@given(sessions(), st.integers(1, 12))
def test_the_end_is_at_the_bottom(turns, height):
    model = model_of(turns)
    lines = every_line(model)
    model.to_end(height)
    assert model.rows(height) == lines[-height:]


@settings(deadline=None)
@given(sessions(), st.data())
def test_a_place_outlives_a_new_layout(turns, data):
    model = model_of(turns, 20)
    lines = [line for line in every_line(model) if plain(model.line(line)).strip()]
    if not lines:
        return
    place = data.draw(st.sampled_from(lines))
    width = data.draw(st.integers(5, 40))
    block = model.block(place)

    def change(view) -> None:
        view.width = width

    after = model.relayout(change, place, 0, 5)
    assert after.turn == place.turn
    assert model.block(after) == block

    def back(view) -> None:
        view.width = 20

    again = model.relayout(back, after, 0, 5)
    assert again.turn == place.turn


@given(sessions(), st.integers(30, 60), st.integers(0, 30))
def test_only_what_is_held_is_walked(turns, height, around):
    model = TranscriptModel()
    model.clear(1_000_000)
    model.view.width = 20
    start = 500_000
    model.hold(start, turns, {})
    model.top = Place(start + min(around, len(turns) - 1))
    assert all(start <= row.turn < start + len(turns) for row in model.rows(height))
    assert model.missing(height) is not None


def test_turns_far_from_the_view_are_held_when_they_come() -> None:
    model = TranscriptModel()
    model.total = 5_000
    said = [Turn(role="user", blocks=[Text("x")])] * HELD
    model.hold(0, said, {})
    model.hold(4_000, said[:200], {})
    assert model.has(4_000)
    assert model.has(0)
    assert len(model.turns) <= HELD


def test_folded_context_does_not_end_a_voice() -> None:
    said = Turn(role="assistant", blocks=[Text("one")])
    more = Turn(role="assistant", blocks=[Text("two")])
    hook = Turn(role="system", blocks=[Notice("info", "Hook"), Text("wind")], meta=True)
    model = model_of([said, hook, hook, more], 40)
    lines = [plain(model.line(place)) for place in every_line(model)]
    assert [line for line in lines if line.startswith("●")] == ["● Assistant"]
    assert lines[3:5] == ["· Hook  wind  +1 line"] * 2
    model.fold(2, 0, FULL, Place(0), 0, 9)
    lines = [plain(model.line(place)) for place in every_line(model)]
    assert [line for line in lines if line.startswith("●")] == ["● Assistant"] * 2
    assert lines[4:7] == ["", "· Hook", "wind"]
