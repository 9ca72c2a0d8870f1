"""The transcript viewer: reading, moving by what matters, folding, marks, following."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from sparrow_tui.app import taking
from sparrow_tui.app.transcript_loader import (
    FindTold,
    ReadFailed,
    TranscriptLoader,
)
from sparrow_tui.app.transcript_model import Place, Spot
from sparrow_tui.app.widgets.minimap import NUMBER, Minimap
from sparrow_tui.app.widgets.transcript_paint import Highlighter
from sparrow_tui.app.widgets.transcript_scroll import TranscriptScroll
from sparrow_tui.model import Image, Reasoning, Text, ToolResult, ToolUse, block_texts
from sparrow_tui.store.base import Session
from sparrow_tui.store.codec import Flag
from sparrow_tui.store.places import Bucket
from sparrow_tui.store.sqlite import SqliteStore
from sparrow_tui.text.cards import FOLDED, FULL
from sparrow_tui.text.spans import Line, Span, plain
from sparrow_tui.text.turns import clock_of

NOWHERE = Spot(-1, 0, 0)


class TranscriptView(TranscriptScroll):
    """One session, in full."""

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
        Binding("right_curly_bracket", "step('error', 1)", "Next tool error", key_display="}",
                show=False, id="view.nexterror"),
        Binding("left_curly_bracket", "step('error', -1)", "Previous tool error",
                key_display="{", show=False, id="view.preverror"),
        Binding("n", "match(1)", "Next match", id="view.nextmatch"),
        Binding("N", "match(-1)", "Previous match", show=False, key_display="N",
                id="view.prevmatch"),
        Binding("slash", "find", "Find", key_display="/", id="view.find"),
        Binding("colon,ctrl+g", "goto", "Go to turn or time", show=False, key_display=":",
                id="view.goto"),
        Binding("enter", "open", "Open", id="view.open"),
        Binding("t", "fold", "Fold", id="view.fold"),
        Binding("T", "fold_all", "Fold or unfold all", show=False, key_display="T",
                id="view.foldall"),
        Binding("r", "reasoning", "Show or hide reasoning", show=False, id="view.reasoning"),
        Binding("i", "details", "Tokens, cost, durations", show=False, id="view.details"),
        Binding("b", "branches", "Turns taken back", show=False, id="view.branches"),
        Binding("O", "outline", "Outline", key_display="O", id="view.outline"),
        Binding("m", "mark", "Set a mark (then a letter)", show=False, id="view.mark"),
        Binding("apostrophe", "to_mark", "Back to a mark", show=False, key_display="'",
                id="view.tomark"),
        Binding("f", "follow", "Follow", show=False, id="view.follow"),
        Binding("v", "select", "Select lines", show=False, id="view.select"),
        Binding("y", "copy", "Copy", id="view.copy"),
        Binding("Y", "copy_turn", "Copy the turn", show=False, key_display="Y",
                id="view.copyturn"),
        Binding("C", "copy_code", "Copy the code block", show=False, key_display="C",
                id="view.copycode"),
        Binding("o", "picture", "Open the picture", show=False, id="view.picture"),
        Binding("h,left", "screen.back", "Back", show=False, id="view.back"),
    ]  # fmt: skip
    HELP = "The transcript. j/k and pages scroll, ] and [ go by prompts, t folds, n steps matches."

    @dataclass
    class OpenChild(Message):
        """Show the session of a sub-agent."""

        session_id: str

    @dataclass
    class Asked(Message):
        """Something another pane answers: ``find``, ``goto`` or ``outline``."""

        what: str

    @dataclass
    class Copied(Message):
        """Text to take away."""

        text: str
        what: str

    @dataclass
    class PictureWanted(Message):
        """A picture to look at."""

        image: Image

    @dataclass
    class _Placed(Message):
        """Where something is, from the loader."""

        generation: int
        turn: int | None
        what: str

    @dataclass
    class _Mapped(Message):
        """The session in stretches, from the loader."""

        generation: int
        buckets: list[Bucket]
        width: int
        """Columns of text the heights are estimated for."""

    def __init__(
        self,
        loader: TranscriptLoader,
        *,
        places: dict[str, Spot] | None = None,
        id: str | None = None,
    ) -> None:
        """Args: who reads turns; where each session was left (kept up to date); the id."""
        super().__init__(loader, id=id)
        self.places = {} if places is None else places
        self.session: Session | None = None
        self.hits: list[int] = []
        self.hit = -1
        self.following = False
        self.unread_from: int | None = None
        self._marks: dict[str, Spot] = {}
        self._letter_for = ""
        self._find_number = 0
        self._finding = False
        self._said = ""
        self.map_width = 0
        """Columns of text the minimap is made for."""

    # Showing a session

    @property
    def current_turn(self) -> int:
        """The turn the cursor is in."""
        return self.cursor.turn

    def open(
        self,
        session: Session,
        *,
        at: int | None = None,
        hits: Sequence[int] = (),
        highlight: Highlighter | None = None,
    ) -> None:
        """Show a session.

        The one before stays on screen until the new one's turns are here.

        Args:
            session: which.
            at: a turn to begin at; ``None``: where it was left, else its beginning.
            hits: turns that match a search.
            highlight: finds the search's words in displayed text.
        """
        self.remember()
        self._generation += 1
        remembered = self.places.get(session.id, NOWHERE)
        start = at if at is not None else max(remembered.turn, 0)
        start = min(max(start, 0), max(session.turns - 1, 0))
        view = self.model.view

        def begin() -> None:
            self.session, self.session_id = session, session.id
            self.highlight = highlight
            self.hits = list(hits)
            self.hit = self._hit_near(start) if hits else -1
            self.selected_from = None
            self.following = False
            self.unread_from = None
            self._marks.clear()
            self._said = ""
            self.map = Minimap()
            self.cursor = Place(0)
            view.width = self.text_width

        def show() -> None:
            if at is not None:
                self._show_match(start)
            elif remembered is not NOWHERE and self.model.has(remembered.turn):
                self.show_place(self.model.find(remembered), self.page_height // 3)
            else:
                self.show_place(Place(start), 1)

        def swap() -> None:
            begin()
            self.model.levels_reset()

        self.loader.find("", None)
        self._finding = False
        self._opening = swap
        self._goal, self._goal_turn = show, start
        self._owed = 0
        self._wanted = None
        span = self.page_height * 2 + 20
        self.loader.want(session.id, self._generation, start, max(start - span, 0), start + span)
        self._ask_map(session.id)

    def before_window(self) -> None:
        """The first window of a session replaces the one shown before."""
        if self._opening is not None:
            opening, self._opening = self._opening, None
            self.model.clear(0)
            opening()

    def _ask_map(self, session_id: str) -> None:
        generation, width = self._generation, self.text_width

        def job(store: SqliteStore) -> Message:
            found = store.places.buckets(session_id, NUMBER, width)
            return self._Mapped(generation, found, width)

        self.loader.ask(job)

    def on_transcript_view__mapped(self, event: _Mapped) -> None:
        """The session's stretches."""
        event.stop()
        if event.generation == self._generation:
            self._buckets = event.buckets
            self.map_width = event.width
            self.map = Minimap(event.buckets, self.hits)
            self.refresh()

    def on_resize(self) -> None:
        """Heights are estimated anew for another width."""
        if self.session_id and self.text_width != self.map_width:
            self._ask_map(self.session_id)

    def remember(self) -> None:
        """Keep where the session shown is left."""
        if self.session_id and self._rows:
            self.places.pop(self.session_id, None)
            if self.cursor.turn or self.cursor.line:
                self.places[self.session_id] = self.spot()

    def on_read_failed(self, event: ReadFailed) -> None:
        """The store could not be read."""
        event.stop()
        self.app.notify(event.sentence, severity="error", markup=False)

    # Live

    def turns_appended(self, total: int) -> None:
        """The session has grown (or changed) in the store."""
        before = self.model.total
        if total > before:
            if self.unread_from is None and not self.following:
                self.unread_from = before
            self.model.total = total
            self._ask_map(self.session_id)
        if self.following:
            self.unread_from = None
            self.go(total - 1, self.show_end)
        if total != before or self._last_on_screen(before):
            self.reread()

    def _last_on_screen(self, total: int) -> bool:
        return bool(self._rows) and self._rows[-1].turn >= total - 1

    def action_follow(self) -> None:
        """Stay at the end as the session grows, or stop doing so."""
        self.following = not self.following
        if self.following:
            self.action_end()
        self.redraw()

    def scroll_lines(self, lines: int) -> None:
        """Scroll; going back ends following, reaching the end ends being behind."""
        if lines < 0:
            self.following = False
        super().scroll_lines(lines)
        if self._rows and self._rows[-1].turn >= self.model.total - 1:
            self.unread_from = None

    # Moving

    def action_line(self, lines: int) -> None:
        """Move by lines."""
        if lines < 0:
            self.following = False
        self.move_cursor(lines)

    def action_page(self, pages: float) -> None:
        """Scroll by pages, one line less than a whole one."""
        lines = max(1, int(abs(pages) * (self.page_height - 1)))
        self.scroll_lines(lines if pages > 0 else -lines)

    def action_start(self) -> None:
        """The first turn."""
        self.following = False
        self.go(0, lambda: self.show_place(Place(0), 0))

    def action_end(self) -> None:
        """The last turn."""
        self.unread_from = None
        self.go(self.model.total - 1, self.show_end)

    def to_turn(self, turn: int) -> None:
        """Show a turn at the top."""
        self.following = False
        turn = min(max(turn, 0), max(self.model.total - 1, 0))
        self.go(turn, lambda: self.show_place(Place(turn), 1))

    def to_time(self, moment: int) -> None:
        """Show the first turn at or after a time (milliseconds since the epoch)."""
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

    def on_transcript_view__placed(self, event: _Placed) -> None:
        """Where the next one is."""
        event.stop()
        if event.generation != self._generation:
            return
        if event.turn is None:
            self.say(f"no more {event.what}s this way")
        else:
            self.to_turn(event.turn)

    # Matches

    def _hit_near(self, turn: int) -> int:
        return min(range(len(self.hits)), key=lambda number: abs(self.hits[number] - turn))

    def action_match(self, step: int) -> None:
        """The next or previous matching turn."""
        if not self.hits:
            self.say("nothing searched for: / finds in this session")
            return
        turn = self.cursor.turn
        if 0 <= self.hit < len(self.hits) and self.hits[self.hit] == turn:
            number = self.hit + step
        elif step > 0:
            number = next((n for n, hit in enumerate(self.hits) if hit > turn), 0)
        else:
            number = next((n for n, h in reversed([*enumerate(self.hits)]) if h < turn), -1)
        self.hit = number % len(self.hits)
        self.following = False
        found = self.hits[self.hit]
        self.go(found, lambda: self._show_match(found))

    def _show_match(self, turn: int) -> None:
        """Show a turn at its best match, opening the cards that hide it."""
        place = self._match_in(turn)
        if place is None and self.highlight is not None:
            content = self.model.turns.get(turn)
            for number, block in enumerate(content.blocks if content else ()):
                if any(self.highlight(text) for text in block_texts(block)):
                    self.model.view.levels[(turn, number)] = FULL
                    if content is not None and content.meta:
                        self.model.view.levels[(turn, 0)] = FULL
            if content is not None and content.branch:
                self.model.view.branches = True
            self.model.forget_layout(turn)
            place = self._match_in(turn)
        self._strips.clear()
        self.show_place(place or Place(turn), min(self.page_height // 4, 6))

    def _match_in(self, turn: int) -> Place | None:
        """The line of a turn with the most matches."""
        best: tuple[int, Place] | None = None
        if self.highlight is None:
            return None
        looked = 0
        for number, piece in enumerate(self.model.page(turn) or []):
            for line, content in enumerate(piece.lines):
                looked += 1
                found = len(self.highlight(plain(content))) if content else 0
                if found and (best is None or found > best[0]):
                    best = (found, Place(turn, number, line))
            if best is not None and looked > 2_000:
                break
        return best[1] if best else None

    def find(self, fits: Callable[[str], bool] | None, highlight: Highlighter | None) -> None:
        """Search this session.

        Args:
            fits: accepts the text form of a turn that matches; ``None``: end the search.
            highlight: finds matches in displayed text.
        """
        self._find_number = self.loader.find(self.session_id, fits)
        self._finding = fits is not None
        self.hits, self.hit = [], -1
        self.highlight = highlight
        self.map = Minimap(self._buckets)
        self.restyle()

    def on_find_told(self, event: FindTold) -> None:
        """The search through the session found something."""
        event.stop()
        if event.search != self._find_number or not self._finding:
            return
        first = not self.hits
        self.hits.extend(event.turns)
        self._finding = not event.done
        if event.turns:
            self.map = Minimap(self._buckets, self.hits)
        if self.hits and (first or self.hit < 0):
            following = [n for n, hit in enumerate(self.hits) if hit >= self.cursor.turn]
            if following or event.done:
                self.hit = following[0] if following else 0
                turn = self.hits[self.hit]
                self.go(turn, lambda: self._show_match(turn))
        if event.done and not self.hits:
            self.say("not in this session")
        self.redraw()

    def action_find(self) -> None:
        """Search in this session."""
        self.post_message(self.Asked("find"))

    def action_goto(self) -> None:
        """Ask for a turn or time to go to."""
        self.post_message(self.Asked("goto"))

    def action_outline(self) -> None:
        """List prompts, edits, errors and sub-agents."""
        self.post_message(self.Asked("outline"))

    # Folding and details

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
        self._strips.clear()
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
        if isinstance(said, Text | Reasoning):
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
        key = (
            said.id
            if isinstance(said, ToolUse)
            else (said.tool_use_id if isinstance(said, ToolResult) else "")
        )
        call = self.model.call(key) if key else None
        child = call.child if call is not None and call.child else getattr(said, "child", "")
        if child:
            self.post_message(self.OpenChild(child))
        elif isinstance(said, Image):
            self.action_picture()
        elif said is not None and (not isinstance(said, Text) or content.meta):
            level = self.model.view.level_of(turn, 0 if content.meta else block)
            self._set_level(FOLDED if level > FOLDED else FULL)

    def _change(self, change: Callable[[], None]) -> None:
        fixed, row = self._head_row()
        self.cursor = self.model.relayout(lambda view: change(), fixed, row, self.page_height)
        self._strips.clear()
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

    def action_details(self) -> None:
        """Tokens, cost and durations of each turn."""
        view = self.model.view

        def change() -> None:
            view.details = not view.details

        self._change(change)

    def action_branches(self) -> None:
        """Turns the user rewound from."""
        view = self.model.view

        def change() -> None:
            view.branches = not view.branches

        self._change(change)

    # Marks

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
            if event.key == "escape" and self.selected_from is not None:
                event.stop()
                event.prevent_default()
                self.selected_from = None
                self.restyle()
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
            self.go(spot.turn, lambda: self.show_place(self.model.find(spot)))
        else:
            self.say(f"there is no mark {letter}")

    # Taking away

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

    # The last line

    def say(self, text: str) -> None:
        """A word on the last line, until the next key."""
        self._said = text
        self.refresh()

    def redraw(self) -> None:
        """Something on screen has changed."""
        if not self._letter_for:
            self._said = ""
        super().redraw()

    def status(self) -> tuple[Line, Line]:
        """Where one is, and what is going on."""
        total = self.model.total
        if not self.session_id:
            return (), ()
        turn = self.cursor.turn
        content = self.model.turns.get(turn)
        left = [Span(f"turn {turn + 1:,} of {total:,}" if total else "no turns", "dim")]
        if content is not None and content.time is not None:
            left.append(Span(f"  {clock_of(content.time)}", "dim"))
        if self._said:
            left.append(Span(f"   {self._said}", "notice"))
        right: list[Span] = []
        if self.selected_from is not None:
            right.append(Span("selecting: y copies  ", "notice"))
        if self.unread_from is not None and total > self.unread_from:
            right.append(Span(f"{total - self.unread_from:,} new (G)  ", "ok"))
        if self.following:
            right.append(Span("following  ", "ok"))
        if self.hits:
            more = "+" if self._finding else ""
            at = self.hit + 1 if self.hit >= 0 else "–"
            right.append(Span(f"match {at}/{len(self.hits):,}{more}", "user"))
        elif self._finding:
            right.append(Span("searching…", "dim"))
        return tuple(left), tuple(right)

    # Mouse

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor; on the head of a card it opens or closes it."""
        if event.x >= self.size.width - 2 or event.y >= len(self._rows):
            return
        event.stop()
        self.focus()
        place = self._rows[event.y]
        block = self.model.block(place)
        above = self._rows[event.y - 1] if event.y else None
        head = above is None or above.turn != place.turn or self.model.block(above) != block
        self.cursor = place
        self.redraw()
        content = self.model.turns.get(place.turn)
        said = content.blocks[block] if content and 0 <= block < len(content.blocks) else None
        if head and said is not None and not isinstance(said, Text):
            self.action_open()
