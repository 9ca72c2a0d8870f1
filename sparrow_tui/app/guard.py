"""The backstop on the way out: no control character leaves the app inside a segment."""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from sparrow_tui.sanitize import control_free


class ControlGuard(LineFilter):
    """Deletes control characters from everything drawn; they are all zero cells wide."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments, copied only where there is something to delete."""
        guarded: list[Segment] | None = None
        for at, segment in enumerate(segments):
            text = segment.text
            if text.isascii() and text.isprintable():
                continue
            safe = control_free(text)
            if safe != text:
                guarded = guarded or list(segments)
                guarded[at] = Segment(safe, segment.style)
        return guarded or segments
