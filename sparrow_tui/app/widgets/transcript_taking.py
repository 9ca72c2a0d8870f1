"""Taking away: lines selected, a block, a turn, code, a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from sparrow_tui.app import taking
from sparrow_tui.app.widgets.transcript_marks import TranscriptMarks
from sparrow_tui.model import Block, Image, ToolResult
from sparrow_tui.text.cards import PICTURE
from sparrow_tui.text.spans import Span, plain


class TranscriptTaking(TranscriptMarks):
    """Says what is to be copied or looked at; others do it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "select", "Select lines", show=False, id="view.select"),
        Binding("y", "copy", "Copy", id="view.copy"),
        Binding("Y", "copy_turn", "Copy the turn", show=False, key_display="Y",
                id="view.copyturn"),
        Binding("C", "copy_code", "Copy the code block", show=False, key_display="C",
                id="view.copycode"),
        Binding("o", "picture", "Open the picture", show=False, id="view.picture"),
    ]  # fmt: skip

    @dataclass
    class Copied(Message):
        """Text to take away: what makes it, which may take long, and what it is."""

        make: Callable[[], str]
        what: str

    def on_key(self, event: events.Key) -> None:
        """Escape ends selecting."""
        if event.key == "escape" and self.selected_from is not None:
            event.stop()
            event.prevent_default()
            self.selected_from = None
            self.restyle()

    def action_select(self) -> None:
        """Begin to select lines, or stop."""
        self.selected_from = self.cursor if self.selected_from is None else None
        self.restyle()

    def action_copy(self) -> None:
        """Copy the selected lines, else the block under the cursor."""
        if self.selected_from is not None:
            first, last = sorted((self.selected_from, self.cursor))
            lines = []
            for place in self.model.forward(first):
                lines.append(plain(self.model.line(place)).rstrip())
                if place >= last:
                    break
            self.selected_from = None
            self.restyle()
            self.post_message(self.Copied(lambda: "\n".join(lines), f"{len(lines):,} lines"))
            return
        turn, block = self._here()
        content = self.model.turns.get(turn)
        if content is not None and 0 <= block < len(content.blocks):
            wanted = partial(taking.block_text, content.blocks[block])
            self.post_message(self.Copied(wanted, "block"))
        else:
            self.action_copy_turn()

    def action_copy_turn(self) -> None:
        """Copy the turn under the cursor."""
        content = self.model.turns.get(self.cursor.turn)
        if content is not None:
            self.post_message(self.Copied(partial(taking.turn_text, content), "turn"))

    def action_copy_code(self) -> None:
        """Copy the fenced code under the cursor."""
        turn, block = self._here()
        content = self.model.turns.get(turn)
        if content is None:
            return
        here = plain(self.model.line(self.cursor))
        self.post_message(self.Copied(partial(taking.code_at, content, block, here), "code"))

    def action_picture(self) -> None:
        """Look at the picture under the cursor, else at the first of this turn."""
        turn, number = self._here()
        content = self.model.turns.get(turn)
        blocks = content.blocks if content else []
        here = _pictures(blocks[number]) if 0 <= number < len(blocks) else []
        wanted = here or [image for block in blocks for image in _pictures(block)]
        if wanted:
            self.post_message(self.PictureWanted(wanted[self._passed(PICTURE) if here else 0]))
        else:
            self.say("no picture in this turn")

    def _passed(self, sign: Span) -> int:
        """How many lines of the cursor's block that begin with a sign stand above it."""
        here = self._here()
        lines = takewhile(
            lambda place: (place.turn, self.model.block(place)) == here,
            self.model.backward(self.cursor),
        )
        return sum(self.model.line(place)[:1] == (sign,) for place in lines)


def _pictures(block: Block) -> list[Image]:
    """A block's pictures: itself, or those in a result."""
    inside = block.content if isinstance(block, ToolResult) else [block]
    return [image for image in inside if isinstance(image, Image)]
