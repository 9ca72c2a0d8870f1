"""Colours can be told from their ground."""

from __future__ import annotations

import pytest
from textual.color import Color

from sparrow_tui.agents.registry import agents
from sparrow_tui.app.themes import PALETTES, READABLE, THEMES, contrast, readable

TEXTS = ("brand", "coral", "agent", "planner", "add", "rem", "gold", "steel", "fg", "dim")


def test_contrast_is_that_of_the_guidelines() -> None:
    black, white = Color.parse("#000"), Color.parse("#fff")
    assert contrast(black, white) == contrast(white, black) == pytest.approx(21)
    assert contrast(Color.parse("#777"), white) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("name", PALETTES)
def test_every_text_can_be_read(name: str) -> None:
    colours = {key: Color.parse(value) for key, value in PALETTES[name].items()}
    for ground in ("bg", "panel"):
        dull = {key for key in TEXTS if contrast(colours[key], colours[ground]) < READABLE}
        assert not dull, ground
    assert all(contrast(colours[key], colours["line"]) >= 3 for key in TEXTS)
    assert contrast(colours["dimmer"], colours["bg"]) >= 3
    for key in ("add", "rem"):  # changed words have a ground of their own
        assert contrast(colours[key], colours["bg"].blend(colours[key], 0.15)) >= READABLE


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_every_agent_can_be_read(theme) -> None:
    ground = Color.parse(theme.background)
    for agent in agents().values():
        shown = readable(agent.color, theme)
        assert contrast(Color.parse(shown), ground) >= READABLE, agent.name
        if contrast(Color.parse(agent.color), ground) >= READABLE:
            assert shown.lower() == agent.color.lower()
