"""Reading: from the selection in the list to the transcript, and what the transcript asks for."""

from __future__ import annotations

from collections.abc import Mapping

from textual import on
from textual.timer import Timer

from sparrow_tui.app import messages
from sparrow_tui.app.screens.outline import OutlineScreen
from sparrow_tui.app.screens.panes import Panes
from sparrow_tui.app.transcript_places import Spot
from sparrow_tui.app.widgets.find_bar import FindBar
from sparrow_tui.app.widgets.session_list import SessionList
from sparrow_tui.app.widgets.session_row import Look
from sparrow_tui.app.widgets.transcript_view import TranscriptView
from sparrow_tui.query import Query
from sparrow_tui.store.base import Session, SessionHit

SETTLED = 0.045
"""Seconds the selection stands still before the transcript follows it.

More than a key's repeat: while one moves or types, the list has the time for itself."""


class Reading(Panes):
    """The transcript follows the list."""

    def __init__(self) -> None:
        super().__init__()
        self.session: Session | None = None
        """What the transcript shows."""
        self._trail: list[tuple[str, Spot]] = []
        """Sessions one came from through sub-agent cards, and where those are."""
        self._return: tuple[str, Spot] | None = None
        """The one of these one is on the way back to."""
        self._next: tuple[int, int | None] | None = None
        """Session and turn to be shown once the selection stands still."""
        self._follow: Timer | None = None
        self._shown_as: tuple[str, int | None, Query | None] | None = None
        """Session, turn and search the transcript was opened with; none: it shows others now."""
        self._replaced = ""
        """Id of a session whose turns on screen are not in the store any more, but others."""
        self._moment: int | None = None
        """When the turn was made that is read in it."""

    # From the list

    @on(SessionList.Highlighted)
    def _highlighted(self, event: SessionList.Highlighted) -> None:
        event.stop()
        if isinstance(event, SessionList.Chosen):
            return
        self._trail.clear()
        self._next = (event.sid, _turn_of(event.hit))
        if self._follow is None:
            self._follow = self.set_timer(SETTLED, self._show_selected)
        else:
            self._follow.reset()

    def _show_selected(self) -> None:
        self._follow = None
        if self._next is not None:
            sid, turn = self._next
            self._next = None
            self.app.engine.open(sid, turn)

    @on(SessionList.Chosen)
    def _chosen(self, event: SessionList.Chosen) -> None:
        event.stop()
        self.app.remember_search(self.box.value)
        self._next = None
        self.app.engine.open(event.sid, _turn_of(event.hit), focus=True)

    def on_session_found(self, event: messages.SessionFound) -> None:
        """A session to show."""
        view = self.transcript
        before = self.session
        same = before is not None and before.id == event.session.id
        if event.refresh and not same:
            return  # another is shown by now
        self.session = event.session
        if event.refresh and before is not None and _was_a_glance(before, event.session):
            self._replaced = before.id
            self._moment = view.moment if view.has_focus else None
            self.app.engine.open(before.id, _turn_of(self.sessions.rows.details.get(before.sid)))
            return
        if not same:
            self.session_changed()
        self._head()
        if event.refresh:
            view.turns_appended(event.session.turns)
        else:
            self._read(event, anew=not same or event.turn is not None or event.focus)
        if event.focus:
            self.make_room(True)
            view.focus()

    def on_session_gone(self, event: messages.SessionGone) -> None:
        """What was read has been deleted: nothing is shown until another is chosen."""
        if self.session is None or self.session.id != event.session_id:
            return
        self.session = self._shown_as = None
        if self.transcript.has_focus_within:
            self.sessions.focus()
        self.transcript.close()
        self.heading.show(None, None)

    def _read(self, event: messages.SessionFound, anew: bool) -> None:
        """Open what is to be read, or where it is open already mark what is searched for now."""
        view, before = self.transcript, self._shown_as
        shown_as = (event.session.id, event.turn, event.query)
        replaced, self._replaced = self._replaced == event.session.id, ""
        if replaced:
            before, anew = None, True
        if before == shown_as or not (anew or (before and before[2] != event.query)):
            return
        self._shown_as = shown_as
        highlight = self.app.highlighter(event.query)
        if not anew:
            view.mark(highlight, due=event.finds)
            return
        back, self._return = self._return, None
        moment = self._moment if replaced else None
        view.open(
            event.session,
            at=back[1] if back and back[0] == event.session.id else event.turn,
            matches_due=event.finds,
            highlight=highlight,
        )
        if moment is not None:
            view.to_time(moment)

    def on_matches_found(self, event: messages.MatchesFound) -> None:
        """Where else in the session shown the search finds something."""
        shown = self._shown_as
        if shown is not None and (shown[0], shown[2]) == (event.session.id, event.query):
            self.transcript.show_matches(event.turns)

    def session_changed(self) -> None:
        """Another session than before is shown."""

    def set_looks(self, looks: Mapping[str, Look]) -> None:
        """How agents are named and coloured has become known."""
        self.sessions.set_looks(looks)
        self._head()

    def _head(self) -> None:
        if self.session is not None:
            self.heading.show(self.session, self.app.looks.get(self.session.agent))

    # From the transcript

    @on(TranscriptView.OpenChild)
    def _open_child(self, event: TranscriptView.OpenChild) -> None:
        event.stop()
        if self.session is not None:
            self._trail.append((self.session.id, self.transcript.spot()))
        self.app.engine.open(event.session_id, focus=True)

    @on(TranscriptView.Asked)
    def _asked(self, event: TranscriptView.Asked) -> None:
        event.stop()
        if event.what in ("find", "goto"):
            self.find_bar.ask(event.what, self.transcript.model.total)
        elif event.what == "outline" and self.session is not None:
            outline = OutlineScreen(
                self.app.location, self.session.id, self.transcript.current_turn
            )
            self.app.push_screen(
                outline, lambda turn: None if turn is None else self.transcript.to_turn(turn)
            )

    @on(FindBar.Find)
    def _find(self, event: FindBar.Find) -> None:
        event.stop()
        wanted = event.pattern
        self._shown_as = None
        if wanted is None:
            self.transcript.find(None, None)
        else:
            self.transcript.find(wanted.fits, wanted.spots, wanted.words)

    @on(FindBar.Goto)
    def _goto(self, event: FindBar.Goto) -> None:
        event.stop()
        if event.kind == "time":
            self.transcript.to_time(event.value)
        else:
            self.transcript.to_turn(event.value)

    @on(FindBar.Step)
    def _find_step(self, event: FindBar.Step) -> None:
        event.stop()
        self.transcript.action_match(event.step)

    @on(FindBar.Left)
    def _find_left(self, event: FindBar.Left) -> None:
        event.stop()
        self.transcript.focus()

    def back_to_parent(self) -> bool:
        """From a sub-agent to the session its card is in, if one came from there."""
        if not self._trail:
            return False
        self._return = self._trail.pop()
        session_id, spot = self._return
        self.app.engine.open(session_id, spot.turn, focus=True)
        return True


def _was_a_glance(before: Session, now: Session) -> bool:
    """Whether a session was read meanwhile (`store.glances`): its turns have other numbers."""
    return before.coverage is None and before.source is not None and now.coverage is not None


def _turn_of(hit: SessionHit | None) -> int | None:
    """The turn of a session's best hit, if a turn matched."""
    best = hit.best if hit is not None else None
    return best.turn if best is not None and best.turn >= 0 else None
