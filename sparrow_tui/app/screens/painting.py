"""When the main screen is drawn: at once, never for what lies below another, once for a resize."""

from __future__ import annotations

import asyncio
import time

from textual import events
from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget

from sparrow_tui.app.compositor import SparingCompositor

HANDOVER = 0.0002
"""Seconds the interpreter is left to the thread that writes to the terminal: it would have to wait
for its turn until some other work of this thread is done."""


class Painting(Screen[None]):
    """A screen that knows when it is worth drawing."""

    def __init__(self) -> None:
        super().__init__()
        self._compositor = SparingCompositor()
        self._laid_out: Size | None = None
        """The size its widgets have taken or are taking."""
        self._held = False
        """Widgets are taking another size: what they draw meanwhile would be drawn again."""

    def paint(self, *widgets: Widget) -> None:
        """Draw what has changed now, not with the next tick of Textual's timer.

        Args:
            widgets: changed too; by themselves they would tell it after this.
        """
        if self.is_current:
            self._dirty_widgets.update(widgets)
            self._on_timer_update()
            for widget in widgets:
                widget._repaint_required = False  # done: it need not tell
            time.sleep(HANDOVER)

    def _compositor_refresh(self) -> None:
        # For each change below Textual draws the screen on top anew, all of it; and again with
        # each message that arrives below. What lies below is drawn when it is seen.
        if self.is_active and not self._held:
            super()._compositor_refresh()

    def _screen_resized(self, size: Size) -> None:
        waiting = {widget for widget, _ in self._compositor.layers if widget._layout_required}
        super()._screen_resized(size)
        for widget, _ in self._compositor.layers:
            if widget not in waiting:
                widget._layout_required = False  # by its new size, which is laid out

    async def _on_resize(self, event: events.Resize) -> None:
        # Textual draws everything as widgets were before they knew of their size, tells the screen
        # of its own size once more, does it all again, then lays out again because sizes have
        # changed, and draws each widget when it has told that it did.
        event.prevent_default()
        event.stop()
        # The app knows the size there is now: of two in a row the older may come back later.
        size = self.app.size
        if size == self._laid_out:
            return
        if event.size != size:
            event = events.Resize(size, size)
        self._laid_out = size
        self._held = True
        try:
            await super()._on_resize(event)
            await asyncio.sleep(0)  # each widget takes its size
        finally:
            self._held = False
        self._repaint_required = False  # of all widgets the screen is one
        self.paint(*self._compositor.visible_widgets)
