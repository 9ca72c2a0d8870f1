"""Widgets whose lines are kept until they are to be drawn anew.

Textual draws everything inside the rectangle around all that has changed, which while one types
is the whole screen; finding out that a widget is as it was costs it a quarter of a millisecond.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from textual.containers import Horizontal, Vertical
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

# Textual takes a widget's default style from its first base that is a widget.
if TYPE_CHECKING:
    _Base = Widget
else:
    _Base = object


class KeptLines(_Base):
    """Remembers its lines, for widgets that nothing but `refresh` changes."""

    _kept: tuple[Region, list[Strip]] | None = None

    def refresh(
        self,
        *regions: Region,
        repaint: bool = True,
        layout: bool = False,
        recompose: bool = False,
    ) -> Self:
        """Forget the lines, and ask to be drawn."""
        self._kept = None
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def notify_style_update(self) -> None:
        """Forget the lines: colours have changed."""
        self._kept = None
        super().notify_style_update()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Lines on their way to the screen."""
        if self._kept is None or self._kept[0] != crop:
            self._kept = (crop, super().render_lines(crop))
        return self._kept[1]


class KeptHorizontal(KeptLines, Horizontal):
    """Widgets side by side."""


class KeptVertical(KeptLines, Vertical):
    """Widgets above each other."""


class KeptStatic(KeptLines, Static):
    """A text."""
