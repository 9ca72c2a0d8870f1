"""What can be done with sessions from the main screen: organise, look into, take away, resume."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

from textual.binding import Binding, BindingType

from sparrow_tui.app import messages
from sparrow_tui.app.screens.dialogs import AskLine, Confirm
from sparrow_tui.app.screens.info import InfoScreen
from sparrow_tui.app.screens.panes import Panes
from sparrow_tui.store.base import Session
from sparrow_tui.store.organise import Organiser
from sparrow_tui.store.rows import sessions_by_sid
from sparrow_tui.store.sqlite import SqliteStore


class SessionActions(Panes):
    """Keys that organise the marked sessions, or act on the one shown or under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pin", "Pin or unpin", show=False, id="session.pin"),
        Binding("e", "rename", "Rename", show=False, id="session.rename"),
        Binding("t", "tag", "Tag", show=False, id="session.tag"),
        Binding("x", "hide", "Hide or show again", show=False, id="session.hide"),
        Binding("delete", "delete", "Delete from this store", show=False, id="session.delete"),
        Binding("i", "info", "About this session", show=False, id="session.info"),
        Binding("a", "unmark", "Select none", show=False, id="session.unmark"),
    ]

    def with_chosen(self, then: Callable[[Sequence[Session]], None]) -> None:
        """Do something with the sessions the user means, once their facts are read."""
        marked = sorted(self.sessions.marked)
        self._with(marked if marked and not self.transcript.has_focus else self._one(), then)

    def with_one(self, then: Callable[[Session], None]) -> None:
        """The same with the one that is read or under the cursor, whatever is selected."""
        self._with(self._one(), lambda sessions: then(sessions[0]))

    def _one(self) -> list[int]:
        shown = self.transcript.session
        if self.transcript.has_focus and shown is not None:
            return [shown.sid]
        return [] if self.sessions.selected is None else [self.sessions.selected]

    def _with(self, chosen: list[int], then: Callable[[Sequence[Session]], None]) -> None:
        if not chosen:
            self.app.notify("no session is selected", severity="warning")
            return

        def job(store: SqliteStore) -> list[Session]:
            found = sessions_by_sid(store.connection, chosen)
            return [found[sid] for sid in chosen if sid in found]

        self.app.engine.run_job(job, lambda sessions: then(sessions) if sessions else None)

    def on_call(self, event: messages.Call) -> None:
        """A thread has prepared something to be done here."""
        event.stop()
        event.run()

    def _write(
        self, change: Callable[[Organiser], object], done: str, *, marked: bool = True
    ) -> None:
        self.app.writer.submit(change, messages.Call(lambda: self._written(done, marked)))

    def _written(self, done: str, marked: bool) -> None:
        if marked:
            self.sessions.unmark()
        self.app.notify(done, markup=False, timeout=2.5)

    def action_pin(self) -> None:
        """Pinned sessions stay at the top of the list."""

        def act(sessions: Sequence[Session]) -> None:
            pinned = not all(session.pinned for session in sessions)

            def change(organiser: Organiser) -> None:
                for session in sessions:
                    organiser.pin(session.id, pinned)

            self._write(change, f"{_count(sessions)} {'pinned' if pinned else 'unpinned'}")

        self.with_chosen(act)

    def action_hide(self) -> None:
        """Hidden sessions are left out (``is:hidden`` finds them)."""

        def act(sessions: Sequence[Session]) -> None:
            hidden = not all(session.hidden for session in sessions)

            def change(organiser: Organiser) -> None:
                for session in sessions:
                    organiser.hide(session.id, hidden)

            them = "it" if len(sessions) == 1 else "them"
            note = f"hidden: is:hidden finds {them}" if hidden else "shown again"
            self._write(change, f"{_count(sessions)} {note}")

        self.with_chosen(act)

    def action_rename(self) -> None:
        """A name of the user's own."""

        def act(session: Session) -> None:
            def named(name: str | None) -> None:
                if name is None:
                    return
                said = "renamed" if name.strip() else "has its own title again"
                change = partial(Organiser.rename, session_id=session.id, name=name)
                self._write(change, said, marked=False)

            note = "Enter takes it, an empty name gives the agent's title back, Esc leaves it."
            value = session.name or session.title
            self.app.push_screen(AskLine("Name of this session", value, note), named)

        self.with_one(act)

    def action_tag(self) -> None:
        """Words of the user's own (``tag:word`` finds them)."""

        def act(sessions: Sequence[Session]) -> None:
            def tagged(text: str | None) -> None:
                if text is None:
                    return
                tags = {*text.replace(",", " ").split()}

                def change(organiser: Organiser) -> None:
                    for session in sessions:
                        organiser.tag(session.id, tags | ({*session.tags} - shared))

                self._write(change, f"{_count(sessions)} tagged")

            shared = {*sessions[0].tags}.intersection(*(session.tags for session in sessions))
            note = "Words with spaces between; tag:word finds them. Enter takes them."
            title = "Tags of 1 session"
            if len(sessions) > 1:
                title = f"Tags all {len(sessions):,} sessions have"
                note = f"{note} Tags only some of them have stay."
            self.app.push_screen(AskLine(title, " ".join(sorted(shared)), note), tagged)

        self.with_chosen(act)

    def action_delete(self) -> None:
        """From this store only; the agent's own file stays."""

        def act(sessions: Sequence[Session]) -> None:
            def answered(yes: bool | None) -> None:
                if not yes:
                    return

                def change(organiser: Organiser) -> None:
                    for session in sessions:
                        organiser.delete(session.id)

                self._write(change, f"{_count(sessions)} deleted from this store")

            gone = sum(1 for session in sessions if session.source_gone)
            details = (
                "The agent's own file is not touched; syncing does not bring it back."
                if len(sessions) == 1
                else "The agents' own files are not touched; syncing does not bring them back."
            )
            if gone:
                which = "This is" if len(sessions) == 1 else f"For {gone} of them this is"
                details += f"\n{which} the only copy: the agent's file is gone."
            names = "\n".join(f"  {session.title[:70]}" for session in sessions[:6])
            more = f"\n  and {len(sessions) - 6} more" if len(sessions) > 6 else ""
            title = f"Delete {_count(sessions)} from this store?"
            self.app.push_screen(Confirm(title, f"{names}{more}\n\n{details}"), answered)

        self.with_chosen(act)

    def action_unmark(self) -> None:
        """No session is selected for bulk actions any more."""
        self.sessions.unmark()

    def action_info(self) -> None:
        """All facts of a session."""

        def act(session: Session) -> None:
            look = self.app.looks.get(session.agent)
            label = look.label if look else session.agent
            self.app.push_screen(InfoScreen(session, label, self.app.present()))

        self.with_one(act)


def _count(sessions: Sequence[Session]) -> str:
    return "1 session" if len(sessions) == 1 else f"{len(sessions):,} sessions"
