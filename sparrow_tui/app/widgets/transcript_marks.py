"""Marks: a letter set at a place, and the way back to it."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from sparrow_tui.app.transcript_loader import TranscriptLoader
from sparrow_tui.app.transcript_places import Spot
from sparrow_tui.app.widgets.transcript_folding import TranscriptFolding


class TranscriptMarks(TranscriptFolding):
    """Takes the letter typed after ``m`` or ``'``."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "mark", "Set a mark (then a letter)", show=False, id="view.mark"),
        Binding("apostrophe", "to_mark", "Back to a mark", show=False, key_display="'",
                id="view.tomark"),
    ]  # fmt: skip

    def __init__(self, loader: TranscriptLoader, *, id: str | None = None) -> None:
        """Args: who reads turns; the widget's id."""
        super().__init__(loader, id=id)
        self._marks: dict[str, Spot] = {}
        self._letter_for = ""

    def action_mark(self) -> None:
        """Mark this place with the letter typed next."""
        self._letter_for = "m"
        self.say("mark: a letter")

    def action_to_mark(self) -> None:
        """Go to the place marked with the letter typed next."""
        self._letter_for = "'"
        self.say("go to mark: a letter" if self._marks else "no marks here yet: m sets one")

    def on_key(self, event: events.Key) -> None:
        """The letter after m or '."""
        if not self._letter_for:
            return
        purpose, self._letter_for = self._letter_for, ""
        if event.key == "escape" or not event.is_printable or not event.character:
            self.say("")
            return
        event.stop()
        event.prevent_default()
        letter = event.character
        if purpose == "m":
            self._marks[letter] = self.spot()
            self.say(f"marked {letter}")
        elif letter in self._marks:
            spot = self._marks[letter]
            self._marks["'"] = self.spot()
            self.say("")
            self.following = False
            self.go(spot.turn, lambda: self.show_place(self.model.find(spot)))
        else:
            self.say(f"there is no mark {letter}")
