"""Taking away: lines selected, a block, a turn, code, a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from sparrow_tui.app import taking
from sparrow_tui.app.widgets.transcript_marks import TranscriptMarks
from sparrow_tui.model import Image, ToolResult
from sparrow_tui.text.spans import plain


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
        """Text to take away."""

        text: str
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
            self.post_message(self.Copied("\n".join(lines), f"{len(lines):,} lines"))
            return
        turn, block = self._here()
        content = self.model.turns.get(turn)
        if content is not None and 0 <= block < len(content.blocks):
            self.post_message(self.Copied(taking.block_text(content.blocks[block]), "block"))
        else:
            self.action_copy_turn()

    def action_copy_turn(self) -> None:
        """Copy the turn under the cursor."""
        content = self.model.turns.get(self.cursor.turn)
        if content is not None:
            self.post_message(self.Copied(taking.turn_text(content), "turn"))

    def action_copy_code(self) -> None:
        """Copy the fenced code under the cursor."""
        turn, block = self._here()
        content = self.model.turns.get(turn)
        code = (
            taking.code_at(content, block, plain(self.model.line(self.cursor))) if content else ""
        )
        if code:
            self.post_message(self.Copied(code, "code"))
        else:
            self.say("no code block in this turn")

    def action_picture(self) -> None:
        """Look at the picture of this turn."""
        content = self.model.turns.get(self.cursor.turn)
        inside = [
            image
            for block in (content.blocks if content else ())
            for image in (block.content if isinstance(block, ToolResult) else [block])
            if isinstance(image, Image)
        ]
        if inside:
            self.post_message(self.PictureWanted(inside[0]))
        else:
            self.say("no picture in this turn")
