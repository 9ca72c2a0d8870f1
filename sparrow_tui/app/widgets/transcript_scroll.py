"""Scroll windows: turns are asked for as they are needed, and the lines move past."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual import events
from textual.timer import Timer

from sparrow_tui.app.transcript_loader import TranscriptLoader, WindowRead
from sparrow_tui.app.transcript_places import Place, Spot
from sparrow_tui.app.widgets.transcript_canvas import TranscriptCanvas

AHEAD = 0.03
"""Seconds after a change on screen, when it is painted, before more is read and laid out."""
MOMENT = 0.004
"""Seconds of laying out before keys are looked at again."""


class TranscriptScroll(TranscriptCanvas):
    """Moves through the lines of a session. What they mean is its heirs' matter."""

    def __init__(self, loader: TranscriptLoader, *, id: str | None = None) -> None:
        """Args: who reads turns; the widget's id."""
        super().__init__(id=id)
        self.loader = loader
        self.session_id = ""
        self._generation = 0
        self._goal: Callable[[], None] | None = None
        """What to do once the turns it needs are here."""
        self._goal_turn = 0
        self._opening: Callable[[], None] | None = None
        """Another session is about to be shown: what begins it."""
        self._afterwards: list[Callable[[], None]] = []
        """What was asked for meanwhile."""
        self._owed = 0
        """Lines still to scroll when more turns are here."""
        self._wanted: tuple[int, int] | None = None
        self._dragging = False
        self._ahead: Timer | None = None

    def on_resize(self) -> None:
        """Set the text anew; the cursor's line stays where it is."""
        # A frame may have been drawn in the new size with the old layout.
        self._forget_lines()
        self._seen.clear()
        width = self.text_width
        if width == self.model.view.width:
            self.model.settle(self.page_height)
            self.redraw()
            return

        def widen(view: object) -> None:
            self.model.view.width = width

        row = min(self._row_of(self.cursor), self.page_height - 1)
        self.cursor = self.model.relayout(widen, self.cursor, max(row, 0), self.page_height)
        self.redraw()

    # Reading windows

    def go(self, turn: int, then: Callable[[], None]) -> None:
        """Do something once a turn is held; at once if it is."""
        if self._opening is not None:
            return
        turn = min(max(turn, 0), max(self.model.total - 1, 0))
        self._owed = 0
        if self.model.has(turn):
            self._goal = None
            then()
            self.redraw()
            return
        self._goal, self._goal_turn = then, turn
        self._wanted = None
        self._want_around(self.session_id, turn)

    def _want_around(self, session_id: str, turn: int) -> None:
        """Ask for what fills the screen around a turn; the pages beside it come after."""
        span = self.page_height + 2
        self.loader.want(session_id, self._generation, turn, max(turn - span, 0), turn + span)

    def on_window_read(self, event: WindowRead) -> None:
        """Turns that were asked for are here."""
        event.stop()
        if event.generation != self._generation:
            return
        opening = self._opening is not None
        self.before_window()
        if opening or event.total < self.model.total:
            self.model.total = event.total  # that it has grown is told apart, as news
        if self.model.hold(event.start, event.turns, event.calls):
            self._wanted = None  # else asking again would bring the same
        goal = self._goal
        if goal is not None and (self.model.has(self._goal_turn) or not event.total):
            self._goal = None
            goal()
            afterwards, self._afterwards = self._afterwards, []
            for action in afterwards:
                action()
        elif self._owed:
            owed, self._owed = self._owed, 0
            self.scroll_lines(owed)
        self.redraw()

    def before_window(self) -> None:
        """A window has come; for heirs."""

    def put_off(self, action: Callable[[], None]) -> bool:
        """Whether a session is on its way in: then the action is for when it is here."""
        if self._opening is not None:
            self._afterwards.append(action)
        return self._opening is not None

    def _fetch(self) -> None:
        """Ask for turns the view will soon need."""
        if self._goal is not None or not self.session_id:
            return
        missing = self.model.missing(self.page_height)
        if missing is not None and missing != self._wanted:
            self._wanted = missing
            self.loader.want(self.session_id, self._generation, self.model.top.turn, *missing)

    def reread(self) -> None:
        """Read what is on screen again: it may have changed."""
        top = self.model.top.turn
        end = max(top + self.page_height + 1, self.cursor.turn + 1)
        self.loader.want(self.session_id, self._generation, top, max(top - 1, 0), end)

    def redraw(self) -> None:
        """Something on screen has changed; more turns may be needed."""
        super().redraw()
        if self._owed or len(self._rows) < self.page_height:
            self._fetch()
        if self._ahead is None:
            self._ahead = self.set_timer(AHEAD, self._go_ahead)

    def _go_ahead(self) -> None:
        """Have ready what the next key may bring into view; laid out a moment at a time."""
        self._ahead = None
        self._fetch()
        until = time.monotonic() + MOMENT
        while self.model.lay_ahead(self.page_height):
            if time.monotonic() > until:
                self._ahead = self.set_timer(MOMENT, self._go_ahead)
                return

    # Moving

    def scroll_lines(self, lines: int) -> None:
        """Scroll the text; the cursor stays on screen."""
        done = self.model.scroll(lines, self.page_height)
        missing = lines - done
        if missing and not self._edge(lines):
            self._owed = missing
        self._keep_cursor()
        self.redraw()

    def _edge(self, lines: int) -> bool:
        if lines < 0:
            return next(self.model.backward(self.model.top), None) is None and (
                self.model.has(0) or self.model.total == 0
            )
        return self.model.has(self.model.total - 1)

    def _keep_cursor(self) -> None:
        """The cursor stays on screen."""
        rows = self.model.rows(self.page_height)
        if rows and self.cursor not in rows:
            self.cursor = rows[0] if self.cursor < rows[0] else rows[-1]

    def move_cursor(self, lines: int) -> None:
        """Move the cursor by lines; the text scrolls before the cursor meets an edge."""
        self.cursor = self.model.moved(self.model.first_of(self.cursor), lines)
        margin = min(self.page_height // 3, 8)
        row = self._row_of(self.cursor)
        if lines > 0 and row >= self.page_height - margin:
            self.model.scroll(row - (self.page_height - margin) + 1, self.page_height)
        elif lines < 0 and row < margin:
            self.model.scroll(row - margin, self.page_height)
        self.redraw()

    def show_place(self, place: Place, row: int | None = None) -> None:
        """Put a line on screen with the cursor on it; where it is already seen nothing moves."""
        place = self.model.first_said(place)
        seen = place in self.model.rows(self.page_height)
        if not seen or row is not None:
            self.model.top = self.model.moved(place, -(2 if row is None else row))
            self.model.settle(self.page_height)
        self.cursor = place
        self.redraw()

    def show_end(self) -> None:
        """The last line at the bottom, the cursor on it."""
        self.model.to_end(self.page_height)
        rows = self.model.rows(self.page_height)
        self.cursor = rows[-1] if rows else Place(0)
        self.redraw()

    def _row_of(self, place: Place) -> int:
        """Row of a place on screen; negative above it, the height or more below."""
        rows = self.model.rows(self.page_height)
        if place in rows:
            return rows.index(place)
        if rows and place < rows[0]:
            walk = self.model.backward(rows[0])
            return -next((n for n, p in enumerate(walk, 1) if p <= place or n > 200), 1)
        walk = self.model.forward(rows[-1]) if rows else iter(())
        return (
            self.page_height - 1 + next((n for n, p in enumerate(walk) if p >= place or n > 200), 0)
        )

    def spot(self) -> Spot:
        """What the cursor stands on."""
        return self.model.spot(self.cursor)

    # Mouse

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Three lines on."""
        event.stop()
        self.said = ""
        self.scroll_lines(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Three lines back."""
        event.stop()
        self.said = ""
        self.scroll_lines(-3)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of the scrollbar."""
        if event.x >= self.size.width - 2 and event.y < self.page_height:
            event.stop()
            self._dragging = True
            self.said = ""
            self.capture_mouse()
            self._drag_to(event.y)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag the scrollbar."""
        if self._dragging:
            event.stop()
            self._drag_to(event.y)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Let go of the scrollbar."""
        if self._dragging:
            event.stop()
            self._dragging = False
            self.release_mouse()

    def _drag_to(self, y: int) -> None:
        if y >= self.page_height - 1:
            self.go(self.model.total - 1, self.show_end)
            return
        turn, inside = self.map.turn_at(y / max(self.page_height, 1))
        self.go(turn, lambda: self.show_place(self.model.inside(turn, inside), 0))
