"""Moving through a transcript: by lines, pages, turns and times, prompts and errors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from sparrow_tui.app.transcript_places import Place
from sparrow_tui.app.widgets.transcript_scroll import TranscriptScroll
from sparrow_tui.model import Text, Turn
from sparrow_tui.store.flags import Flag
from sparrow_tui.store.sqlite import SqliteStore


class TranscriptMoving(TranscriptScroll):
    """Keys that move; going back ends following."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "line(1)", "Line down", show=False, id="view.down"),
        Binding("up,k", "line(-1)", "Line up", show=False, id="view.up"),
        Binding("pagedown,space", "page(1)", "Page down", show=False, id="view.pagedown"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="view.pageup"),
        Binding("ctrl+d", "page(0.5)", "Half a page down", show=False, id="view.halfdown"),
        Binding("ctrl+u", "page(-0.5)", "Half a page up", show=False, id="view.halfup"),
        Binding("g,home", "start", "First turn", show=False, id="view.start"),
        Binding("G,end", "end", "Last turn", show=False, key_display="G", id="view.end"),
        Binding("right_square_bracket", "step('prompt', 1)", "Next prompt", key_display="]",
                show=False, id="view.nextprompt"),
        Binding("left_square_bracket", "step('prompt', -1)", "Previous prompt", key_display="[",
                show=False, id="view.prevprompt"),
        Binding("J", "message(1)", "Next message", show=False, key_display="J",
                id="view.nextmessage"),
        Binding("K", "message(-1)", "Previous message", show=False, key_display="K",
                id="view.prevmessage"),
        Binding("right_curly_bracket", "step('error', 1)", "Next tool error", key_display="}",
                show=False, id="view.nexterror"),
        Binding("left_curly_bracket", "step('error', -1)", "Previous tool error",
                key_display="{", show=False, id="view.preverror"),
        Binding("colon,ctrl+g", "goto", "Go to turn or time", show=False, key_display=":",
                id="view.goto"),
        Binding("O", "outline", "Outline", key_display="O", id="view.outline"),
    ]  # fmt: skip

    following = False
    """Whether the end stays on screen as the session grows."""

    @dataclass
    class Asked(Message):
        """Something another pane answers: ``find``, ``goto`` or ``outline``."""

        what: str

    @dataclass
    class _Placed(Message):
        """Where something is, from the loader."""

        generation: int
        turn: int | None
        what: str

    @property
    def current_turn(self) -> int:
        """The turn the cursor is in."""
        return self.cursor.turn

    @property
    def moment(self) -> int | None:
        """When the turn the cursor is in was made, in milliseconds since the epoch."""
        turn = self.model.turns.get(self.cursor.turn)
        return turn.time if turn is not None else None

    def scroll_lines(self, lines: int) -> None:
        """Scroll; going back ends following."""
        if lines < 0:
            self.following = False
        super().scroll_lines(lines)

    def _drag_to(self, y: int) -> None:
        self.following = False
        super()._drag_to(y)

    def action_line(self, lines: int) -> None:
        """Move by lines."""
        if self.put_off(partial(self.action_line, lines)):
            return
        if lines < 0:
            self.following = False
        self.move_cursor(lines)

    def action_page(self, pages: float) -> None:
        """Scroll by pages, one line less than a whole one."""
        if self.put_off(partial(self.action_page, pages)):
            return
        lines = max(1, int(abs(pages) * (self.page_height - 1)))
        if pages > 0:
            # No line goes by unseen because its turn was not here yet.
            lines = max(1, min(lines, len(self._rows) - 1))
        self.scroll_lines(lines if pages > 0 else -lines)

    def action_start(self) -> None:
        """The first turn."""
        self.following = False
        self.go(0, lambda: self.show_place(Place(0), 0))

    def action_end(self) -> None:
        """The last turn."""
        if not self.put_off(self.action_end):
            self.go(self.model.total - 1, self.show_end)

    def to_turn(self, turn: int) -> None:
        """Show a turn at the top."""
        self.following = False
        turn = min(max(turn, 0), max(self.model.total - 1, 0))
        self.go(turn, lambda: self.show_place(Place(turn), 1))

    def to_time(self, moment: int) -> None:
        """Show the first turn at or after a time (milliseconds since the epoch)."""
        if self.put_off(partial(self.to_time, moment)):
            return
        session, generation = self.session_id, self._generation

        def job(store: SqliteStore) -> Message:
            return self._Placed(generation, store.places.at_time(session, moment), "time")

        self.loader.ask(job)

    def action_step(self, what: str, step: int) -> None:
        """The next or previous prompt or error."""
        mask = Flag.PROMPT if what == "prompt" else Flag.TOOL_ERROR | Flag.API_ERROR
        session, generation, turn = self.session_id, self._generation, self.cursor.turn

        def job(store: SqliteStore) -> Message:
            return self._Placed(generation, store.places.next(session, turn, mask, step), what)

        self.loader.ask(job)

    def action_message(self, step: int) -> None:
        """The next or previous turn in which somebody says something."""
        if self.put_off(partial(self.action_message, step)):
            return
        turn = self.cursor.turn + step
        while 0 <= turn < self.model.total:
            content = self.model.turns.get(turn)
            if content is None or _says(content, self.model.view.branches):
                self.to_turn(turn)
                return
            turn += step
        self.say("no more messages this way")

    def on_transcript_moving__placed(self, event: _Placed) -> None:
        """Where the next one is."""
        event.stop()
        if event.generation != self._generation:
            return
        if event.turn is None:
            self.say(f"no more {event.what}s this way")
        else:
            self.to_turn(event.turn)

    def action_goto(self) -> None:
        """Ask for a turn or time to go to."""
        self.post_message(self.Asked("goto"))

    def action_outline(self) -> None:
        """List prompts, edits, errors and sub-agents."""
        self.post_message(self.Asked("outline"))


def _says(turn: Turn, branches: bool) -> bool:
    """Whether a turn has words of a person or a model, and is shown."""
    if turn.meta or turn.role == "tool" or (turn.branch and not branches):
        return False
    return any(isinstance(block, Text) and block.text.strip() for block in turn.blocks)
