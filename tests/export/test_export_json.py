"""JSON exports: the shape of ``show --json``, valid, with pictures, safe to print."""

from __future__ import annotations

import base64
import json

from excerpts import HOSTILE, call, excerpt_of

from sparrow_tui.export import json as exported
from sparrow_tui.export.forms import turn_form
from sparrow_tui.model import Image, Text, ToolResult, Turn, Usage


def test_the_shape_and_every_turn() -> None:
    turns = [
        Turn(role="user", time=1_767_225_600_123, blocks=[Text("hello")]),
        Turn(role="assistant", blocks=[Text("yes")], usage=Usage(1, 2, 3, 4, 1)),
        *call(1, "Bash", {"command": "ls"}),
    ]
    found = json.loads("".join(exported.pieces(excerpt_of(turns, title="A title"))))
    assert (found["schema"], found["start"], found["session"]["title"]) == (1, 0, "A title")
    assert found["turns"] == [turn_form(turn, index) for index, turn in enumerate(turns)]
    assert found["turns"][0]["time"] == "2026-01-01T00:00:00.123Z"


def test_an_empty_session_is_valid() -> None:
    assert json.loads("".join(exported.pieces(excerpt_of([]))))["turns"] == []


def test_hostile_text_comes_back_but_cannot_act() -> None:
    text = HOSTILE + "\U000e0041\u2028\ufeff"
    written = "".join(exported.pieces(excerpt_of([Turn(role="user", blocks=[Text(text)])])))
    assert not any(c in written for c in "\x1b\x07\x9b\u202e\u2066\U000e0041\u2028\ufeff")
    assert json.loads(written)["turns"][0]["blocks"][0]["text"] == text


def test_pictures_are_put_in_also_within_results() -> None:
    turns = [
        Turn(role="user", blocks=[Image("image/png", ref="r1")]),
        Turn(role="tool", blocks=[ToolResult("c", [Image("image/png", ref="r1")])]),
    ]
    source = excerpt_of(turns, {"r1": ("image/png", b"bytes")})
    first, second = json.loads("".join(exported.pieces(source)))["turns"]
    data = base64.b64encode(b"bytes").decode()
    assert first["blocks"][0]["data"] == second["blocks"][0]["content"][0]["data"] == data
    assert turns[0].blocks[0].data == ""  # the turn itself is left as it was
