"""The line under the transcript that takes a text to find or a place to go to."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from sparrow_tui.app import clock

PART = 200_000
"""Characters of a text that are searched at once; parts end where lines do, if there are any."""
OVERLAP = 2_000
"""Characters parts of one line have in common."""


@dataclass(frozen=True)
class Pattern:
    """What to find: accepts texts, and says where in a line it is."""

    fits: Callable[[str], bool]
    spots: Callable[[str], list[tuple[int, int]]]
    words: str = ""
    """Words that most texts it accepts have; empty: nothing is known of them."""


def pattern(text: str, *, regex: bool) -> Pattern:
    """A search pattern; capital letters matter only if there are any.

    Raises:
        ValueError: the regular expression is wrong; the message says how.
    """
    flags = re.MULTILINE | (0 if any(map(str.isupper, text)) else re.IGNORECASE)
    try:
        compiled = re.compile(text if regex else re.escape(text), flags)
    except re.error as error:
        raise ValueError(error.msg) from error

    def spots(line: str) -> list[tuple[int, int]]:
        return [match.span() for match in compiled.finditer(line) if match.end() > match.start()]

    words = "" if regex else " ".join(re.findall(r"\w+", text))
    return Pattern(lambda said: _found(compiled, said), spots, words)


def _found(wanted: re.Pattern[str], said: str) -> bool:
    """Whether a pattern is in a text, looked for part by part: a search holds the interpreter."""
    at, length = 0, len(said)
    while length - at > PART:
        end = said.rfind("\n", at, at + PART)
        if wanted.search(said, at, at + PART if end <= at else end):
            return True
        at = at + PART - OVERLAP if end <= at else end + 1
    return wanted.search(said, at) is not None


def destination(text: str, total: int, present: int) -> tuple[str, int]:
    """Where ``:`` is to lead.

    Args:
        text: a turn number (from 1), ``50%``, ``14:30``, ``2026-10-03`` or both with a space.
        total: turns of the session.
        present: now, in milliseconds since the epoch.

    Returns:
        ``("turn", turn_index)`` or ``("time", milliseconds since the epoch)``.

    Raises:
        ValueError: none of these; the message says what would be.
    """
    text = text.strip()
    if text.endswith("%") and text[:-1].isdecimal():
        return "turn", min(int(text[:-1]), 100) * max(total - 1, 0) // 100
    if text.lstrip("-").isdecimal():
        number = int(text)
        return "turn", total + number if number < 0 else max(number - 1, 0)
    today = datetime.fromtimestamp(present / 1000)
    for form in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"):
        try:
            return "time", int(datetime.strptime(text, form).timestamp() * 1000)
        except ValueError:
            continue
    for form in ("%H:%M:%S", "%H:%M"):
        try:
            at = datetime.strptime(text, form)
        except ValueError:
            continue
        moment = today.replace(hour=at.hour, minute=at.minute, second=at.second, microsecond=0)
        if moment > today:
            moment -= timedelta(days=1)
        return "time", int(moment.timestamp() * 1000)
    raise ValueError("turn number, 50%, 14:30 or 2026-10-03")


class FindText(Input):
    """What is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Go", key_display="Enter", id="find.go"),
    ]


class FindBar(Horizontal):
    """Hidden until asked for; tells what was typed, key by key."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Close", id="find.leave"),
        Binding("ctrl+r", "regex", "Regular expression", id="find.regex"),
        Binding("down,ctrl+n", "step(1)", "Next match", key_display="↓↑", id="find.next"),
        Binding("up", "step(-1)", "Previous match", show=False, id="find.previous"),
        Binding("f1", "screen.show_help", "Help", key_display="F1", id="find.help"),
    ]

    @dataclass
    class Find(Message):
        """Find this; ``None``: nothing more."""

        pattern: Pattern | None

    @dataclass
    class Goto(Message):
        """Go there (see `destination`)."""

        kind: str
        value: int

    @dataclass
    class Step(Message):
        """The next (1) or previous (-1) match."""

        step: int

    @dataclass
    class Left(Message):
        """The bar is closed."""

    def __init__(self, *, present: clock.Clock = clock.now, id: str | None = None) -> None:
        """Args: the clock "today" means; the widget's id."""
        super().__init__(id=id)
        self._present = present
        self._mode = "find"
        self._regex = False
        self.total = 0

    def compose(self) -> ComposeResult:
        """A label, the text, and what is wrong with it."""
        yield Static(Content("/"), id="find-label")
        yield FindText(id="find-text", compact=True)
        yield Static(Content(""), id="find-note")

    def ask(self, mode: str, total: int) -> None:
        """Open for ``find`` or ``goto`` in a session of ``total`` turns."""
        self._mode, self.total = mode, total
        self.add_class("-open")
        field = self.query_one("#find-text", Input)
        field.value = ""
        field.placeholder = (
            "find in this session (Ctrl+R regular expression)"
            if mode == "find"
            else f"turn 1–{total:,}, 50%, 14:30 or 2026-10-03 14:30"
        )
        self._label()
        field.focus()

    def _label(self) -> None:
        mark = ":" if self._mode == "goto" else ".*" if self._regex else "/"
        self.query_one("#find-label", Static).update(Content(mark))
        self.note("")

    def note(self, text: str) -> None:
        """Say something at the right."""
        self.query_one("#find-note", Static).update(Content(text))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._tell(event.value)

    def _tell(self, text: str) -> None:
        self.note("")
        if self._mode != "find" or not self.has_class("-open"):
            return
        try:
            self.post_message(self.Find(pattern(text, regex=self._regex) if text else None))
        except ValueError as error:
            self.note(str(error))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        if self._mode == "goto" and event.value.strip():
            try:
                where = destination(event.value, self.total, self._present())
            except ValueError as error:
                self.note(str(error))
                return
            self.post_message(self.Goto(*where))
        self._close()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A turn to go to has no matches."""
        return self._mode == "find" or action not in ("regex", "step")

    def action_regex(self) -> None:
        """Take the text as a regular expression, or literally."""
        self._regex = not self._regex
        self._label()
        self._tell(self.query_one("#find-text", Input).value)

    def action_step(self, step: int) -> None:
        """Step through matches while typing."""
        if self._mode == "find":
            self.post_message(self.Step(step))

    def action_leave(self) -> None:
        """Close; what was searched for is forgotten."""
        if self._mode == "find":
            self.post_message(self.Find(None))
        self._close()

    def _close(self) -> None:
        self.remove_class("-open")
        self.post_message(self.Left())
