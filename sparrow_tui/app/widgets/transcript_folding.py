"""Folding: how far cards, reasoning, details and turns taken back are open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from sparrow_tui.app.transcript_places import Place
from sparrow_tui.app.widgets.transcript_finding import TranscriptFinding
from sparrow_tui.model import Block, Image, Notice, Reasoning, Text, ToolResult, ToolUse
from sparrow_tui.text.frames import FOLDED, FULL


class TranscriptFolding(TranscriptFinding):
    """Opens and closes; the line under the cursor stays where it is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="view.open"),
        Binding("t", "fold", "Fold", id="view.fold"),
        Binding("T", "fold_all", "Fold or unfold all", show=False, key_display="T",
                id="view.foldall"),
        Binding("r", "reasoning", "Show or hide reasoning", show=False, id="view.reasoning"),
        Binding("i", "details", "Tokens, cost, durations", show=False, id="view.details"),
        Binding("b", "branches", "Turns taken back", show=False, id="view.branches"),
    ]  # fmt: skip

    @dataclass
    class OpenChild(Message):
        """Show the session of a sub-agent."""

        session_id: str

    @dataclass
    class PictureWanted(Message):
        """A picture to look at."""

        image: Image

    def _here(self) -> tuple[int, int]:
        return self.cursor.turn, self.model.block(self.cursor)

    def _head_row(self) -> tuple[Place, int]:
        """The first line of the cursor's block, and its row (the cursor's if it is off screen)."""
        turn, block = self._here()
        row = self._rows.index(self.cursor) if self.cursor in self._rows else 0
        for number, place in enumerate(self._rows):
            if place.turn == turn and self.model.block(place) == block:
                return place, number
        return self.cursor, row

    def _set_level(self, level: int) -> None:
        turn, block = self._here()
        content = self.model.turns.get(turn)
        if content is None:
            return
        fixed, row = self._head_row()
        key = 0 if content.meta else max(block, 0)
        place = self.model.fold(turn, key, level, fixed, row, self.page_height)
        self.cursor = place
        self.redraw()

    def action_fold(self) -> None:
        """Folded, the first lines, everything: the next of these for the card here."""
        turn, block = self._here()
        content = self.model.turns.get(turn)
        if content is None or (block < 0 and not content.meta):
            return
        said = content.blocks[max(block, 0)]
        level = self.model.view.level_of(turn, 0 if content.meta else block)
        if isinstance(said, Text) and not content.meta:
            self.say("nothing to fold here")
        elif isinstance(said, Text | Reasoning | Notice):
            opened = level > FOLDED or (isinstance(said, Reasoning) and self.model.view.reasoning)
            self._set_level(FOLDED if opened else FULL)
        else:
            self._set_level((level + 1) % 3)

    def action_open(self) -> None:
        """Open or close the card here; a sub-agent's card leads to its session."""
        turn, block = self._here()
        content = self.model.turns.get(turn)
        if content is None:
            return
        if content.branch and not self.model.view.branches:
            self.action_branches()
            return
        said = content.blocks[block] if 0 <= block < len(content.blocks) else None
        child = self._child(said)
        if child:
            self.post_message(self.OpenChild(child))
        elif isinstance(said, Image):
            self.post_message(self.PictureWanted(said))
        elif said is not None and (not isinstance(said, Text) or content.meta):
            level = self.model.view.level_of(turn, 0 if content.meta else block)
            self._set_level(FOLDED if level > FOLDED else FULL)

    def _child(self, said: Block | None) -> str:
        """The sub-agent's session a card leads to, if any."""
        if isinstance(said, ToolUse):
            call = self.model.call(said.id)
        elif isinstance(said, ToolResult):
            call = self.model.call(said.tool_use_id)
        else:
            return ""
        if call is not None and call.child:
            return call.child
        return said.child if isinstance(said, ToolResult) else ""

    def _change(self, change: Callable[[], None]) -> None:
        fixed, row = self._head_row()
        self.cursor = self.model.relayout(lambda view: change(), fixed, row, self.page_height)
        self.redraw()

    def action_fold_all(self) -> None:
        """All cards folded, previewed or open."""
        view = self.model.view

        def change() -> None:
            view.level = (view.level + 1) % 3
            view.levels.clear()

        self._change(change)
        self.say(("all folded", "all previewed", "all open")[view.level])

    def action_reasoning(self) -> None:
        """Reasoning in full, or its first line."""
        view = self.model.view

        def change() -> None:
            view.reasoning = not view.reasoning

        self._change(change)
        self.say("reasoning in full" if view.reasoning else "reasoning in a line")

    def action_details(self) -> None:
        """Tokens, cost and durations of each turn."""
        view = self.model.view

        def change() -> None:
            view.details = not view.details

        self._change(change)
        self.say("times, tokens and cost" if view.details else "without details")

    def action_branches(self) -> None:
        """Turns the user rewound from."""
        view = self.model.view

        def change() -> None:
            view.branches = not view.branches

        self._change(change)
        self.say("turns taken back are " + ("shown" if view.branches else "hidden"))
