"""The transcript viewer: one session shown, its overview, its growth."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from sparrow_tui.app.transcript_loader import ReadFailed, Surveyed, TranscriptLoader
from sparrow_tui.app.transcript_places import Left, Place, Spot
from sparrow_tui.app.widgets.minimap import NUMBER, Minimap
from sparrow_tui.app.widgets.transcript_paint import Highlighter
from sparrow_tui.app.widgets.transcript_scroll import AHEAD
from sparrow_tui.app.widgets.transcript_taking import TranscriptTaking
from sparrow_tui.model import Text
from sparrow_tui.store.base import Session
from sparrow_tui.text.spans import Line, Span
from sparrow_tui.text.turns import clock_of

SURVEYS = 32
"""Sessions whose maps are kept."""


class TranscriptView(TranscriptTaking):
    """One session, in full."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "follow", "Follow", show=False, id="view.follow"),
        Binding("escape,h,left", "screen.back", "Back", key_display="Esc", id="view.back"),
        Binding("question_mark", "screen.help", "Help", key_display="?", id="view.help"),
    ]  # fmt: skip
    HELP = "The transcript. j/k and pages scroll, ] and [ go by prompts, t folds, n steps matches."

    def __init__(
        self,
        loader: TranscriptLoader,
        *,
        places: dict[str, Left] | None = None,
        id: str | None = None,
    ) -> None:
        """Args: who reads turns; where each session was left (kept up to date); the id."""
        super().__init__(loader, id=id)
        self.places = {} if places is None else places
        self.session: Session | None = None
        self.unread_from: int | None = None
        """The first turn that came since the reader was at the end."""
        self._surveys: dict[str, tuple[tuple[int, int | None], Surveyed]] = {}
        """Sessions looked over: their turns and last change then, and what was found."""
        self._was_read = False
        """Whether this session had the focus since it was opened."""

    def on_unmount(self) -> None:
        """Nothing more is read."""
        self.loader.stop()

    # Showing a session

    def open(
        self,
        session: Session,
        *,
        at: int | Spot | None = None,
        matches_due: bool = False,
        highlight: Highlighter | None = None,
    ) -> None:
        """Show a session.

        The one before stays on screen until the new one's turns are here.

        Args:
            session: which.
            at: a turn or a spot to begin at; ``None``: where it was left, else its beginning.
            matches_due: turns that match a search are told later (`show_matches`).
            highlight: finds the search's words in displayed text.
        """
        self.remember()
        self._generation += 1
        left = self.places.get(session.id)
        if at is None and left is not None:
            at = left.spot
        start = at.turn if isinstance(at, Spot) else at or 0
        start = min(max(start, 0), max(session.turns - 1, 0))

        def begin() -> None:
            self.session, self.session_id = session, session.id
            self.highlight = highlight
            self.forget_matches(due=matches_due)
            self.selected_from = None
            self.following = False
            self._marks.clear()
            self.said = ""
            self._map_of(session)
            self.cursor = Place(0)
            self._was_read = self.has_focus
            self.unread_from = None
            self.model.levels_reset()
            self.model.view.width = self.text_width
            if left is not None and left.seen < session.turns:
                self._news_from(left.seen)

        def show() -> None:
            if isinstance(at, Spot) and self.model.has(at.turn):
                self.show_place(self.model.find(at), self.page_height // 3)
            elif isinstance(at, int):
                self._show_match(start)
            else:
                self.show_place(Place(start), 1)

        self.loader.find("", None)
        self._finding = False
        self._opening = begin
        self._afterwards = []
        self._goal, self._goal_turn = show, start
        self._owed = 0
        self._wanted = None
        self._want_around(session.id, start)

    def close(self) -> None:
        """Show nothing: the session is not there any more."""
        self._generation += 1
        self._opening = self._goal = self._wanted = None
        self.session, self.session_id = None, ""
        self.following, self.selected_from, self.unread_from, self.said = False, None, None, ""
        self.model.clear(0)
        self.map, self.cursor = Minimap(), Place(0)
        self.forget_matches()
        self.redraw()

    def before_window(self) -> None:
        """The first window of a session replaces the one shown before."""
        if self._opening is not None:
            opening, self._opening = self._opening, None
            self.model.clear(0)
            opening()

    def _map_of(self, session: Session) -> None:
        """The map of a session that begins to be shown; looked over unless it was, as it is."""
        as_it_is, known = self._surveys.get(session.id, (None, None))
        if known is not None and as_it_is == (session.turns, session.updated_at):
            self.map = Minimap(known.buckets, known.total, self.hits, self.text_width)
        else:
            self.map = Minimap(total=session.turns, hits=self.hits)
            generation = self._generation
            self.set_timer(AHEAD, lambda: self._survey(session.id, generation))

    def _survey(self, session_id: str, generation: int) -> None:
        self.loader.survey(session_id, generation, NUMBER)

    def on_surveyed(self, event: Surveyed) -> None:
        """The session's stretches, for the minimap and the scrollbar."""
        event.stop()
        if event.generation == self._generation:
            self.map = Minimap(event.buckets, event.total, self.hits, self.text_width)
            self._refresh_changed()
            if self.map.is_complete and self.session is not None:
                self._surveys.pop(self.session.id, None)
                as_it_is = event.total, self.session.updated_at
                self._surveys[self.session.id] = as_it_is, event
                if len(self._surveys) > SURVEYS:
                    del self._surveys[next(iter(self._surveys))]

    def on_resize(self) -> None:
        """Heights are estimated anew for another width."""
        self.map.fit(self.text_width)

    def on_focus(self) -> None:
        """From now on the session counts as read."""
        self._was_read = True

    def remember(self) -> None:
        """Keep where the session shown is left, if it was read and not only passed by."""
        if self.session_id and self._rows and self._was_read:
            self.places.pop(self.session_id, None)
            seen = self.model.total if self.unread_from is None else self.unread_from
            self.places[self.session_id] = Left(self.spot(), seen)

    def on_read_failed(self, event: ReadFailed) -> None:
        """The store could not be read."""
        event.stop()
        self.app.notify(event.sentence, severity="error", markup=False)

    # Live

    def turns_appended(self, total: int) -> None:
        """The session has grown (or changed) in the store.

        Who sees the end goes on seeing it; who reads elsewhere is told, and nothing moves.
        """
        if self.put_off(partial(self.turns_appended, total)):
            return
        before = self.model.total
        sees_end = self._sees_end()
        if total > before:
            if self.unread_from is None:
                self._news_from(before)
            self.model.total = total
            if self.map.is_outgrown(total):
                self._survey(self.session_id, self._generation)
        if self.following or sees_end:
            self._owed = 0
            self._wanted = None
            self._goal, self._goal_turn = self._show_news(total - before), max(total - 1, 0)
            self._want_around(self.session_id, self._goal_turn)
        elif total != before or self._last_on_screen(before):
            self.reread()

    def _sees_end(self) -> bool:
        """Whether the end is on screen, and nothing is under way that it would be torn from."""
        waiting = self._opening is not None or self._goal is not None
        return not (waiting or self.selected_from) and self.model.at_end(self.page_height)

    def _show_news(self, number: int) -> Callable[[], None]:
        """What brings new turns at the end on screen; the cursor stays unless it follows."""

        def show() -> None:
            if self.following:
                self.show_end()
                return
            self.model.to_end(self.page_height)
            self._keep_cursor()
            self.redraw()
            if number > 0:
                self.say(f"{number:,} new turn{'' if number == 1 else 's'}")

        return show

    def _news_from(self, turn: int) -> None:
        """Mark where the reader left off."""
        self.unread_from = turn
        if not self.following:
            earlier, self.model.view.unread = self.model.view.unread, turn
            self.model.forget_layout(earlier)
            self.model.forget_layout(turn)

    def _last_on_screen(self, total: int) -> bool:
        return bool(self._rows) and self._rows[-1].turn >= total - 1

    def action_follow(self) -> None:
        """Stay at the end as the session grows, or stop doing so."""
        self.following = not self.following
        if self.following:
            self.action_end()
        self.redraw()

    def redraw(self) -> None:
        """Something on screen has changed; at the end nothing is unread."""
        super().redraw()
        if self.unread_from is not None and self._last_on_screen(self.model.total):
            self.unread_from = None

    # The last line

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
        if self.said:
            left.append(Span(f"   {self.said}", "notice"))
        right: list[Span] = []
        if self.selected_from is not None:
            right.append(Span("selecting: y copies  ", "notice"))
        if self.unread_from is not None and total > self.unread_from:
            news = total - self.unread_from
            right.append(Span(f"{news:,} new turn{'' if news == 1 else 's'} (G)  ", "ok"))
        if self.following:
            right.append(Span("following  ", "ok"))
        if self.hits:
            more = "+" if self._finding else ""
            at = self.hit + 1 if self.hit >= 0 else "–"
            right.append(Span(f"match {at}/{len(self.hits):,}{more}", "user"))
        if self._finding and (self._share or not self.hits):
            right.append(Span(f"  {self.progress()}", "dim"))
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
        if content is None or not (head and 0 <= block < len(content.blocks)):
            return
        if content.meta or not isinstance(content.blocks[block], Text):
            self.action_open()
