"""Taking a session away: copying, exporting, reading it in another program, resuming it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import ClassVar

from textual import on
from textual.app import SuspendNotSupported
from textual.binding import Binding, BindingType

from sparrow_tui.app import clipboard, messages
from sparrow_tui.app.screens.dialogs import AskLine, Confirm
from sparrow_tui.app.screens.picture import (
    PictureError,
    PictureScreen,
    bytes_of,
    decoded,
    prepare,
)
from sparrow_tui.app.screens.session_actions import SessionActions
from sparrow_tui.app.widgets.transcript_view import TranscriptView
from sparrow_tui.export import formats
from sparrow_tui.export.files import Refused
from sparrow_tui.faultlog import record
from sparrow_tui.resume import CannotResume, command
from sparrow_tui.store import open_store
from sparrow_tui.store.base import Session, StoreError
from sparrow_tui.store.sqlite import SqliteStore


class TakingActions(SessionActions):
    """Keys that bring a session elsewhere."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("R", "resume", "Resume in its agent", show=False, key_display="R",
                id="session.resume"),
        Binding("U", "copy_resume", "Copy the resume command", show=False, key_display="U",
                id="session.copyresume"),
        Binding("w", "export", "Export to a file", show=False, id="session.export"),
        Binding("P", "pager", "Read in $PAGER", show=False, key_display="P", id="session.pager"),
        Binding("E", "editor", "Read in $EDITOR", show=False, key_display="E",
                id="session.editor"),
    ]  # fmt: skip

    @on(TranscriptView.Copied)
    def _copied(self, event: TranscriptView.Copied) -> None:
        event.stop()

        def take(_: SqliteStore) -> Callable[[], object]:
            text = event.make()

            def copy() -> None:
                if not text:
                    self.transcript.say(f"no {event.what} here to copy")
                    return
                clipboard.copy(text, self.app.copy_to_clipboard)
                self.transcript.say(f"copied {event.what}: {len(text):,} characters")

            return copy

        self._beside(take)

    # Resuming

    def action_resume(self) -> None:
        """Leave, and continue the session in its agent."""

        def act(session: Session) -> None:
            try:
                chosen = command(session)
            except CannotResume as error:
                self.app.notify(str(error), severity="warning", markup=False)
                return
            if chosen.problem:
                self.app.notify(chosen.problem, severity="warning", markup=False)
                return

            def answered(yes: bool | None) -> None:
                if yes:
                    self.app.leave_for(chosen)

            where = f"\nin {chosen.directory}" if chosen.directory else ""
            doubt = f"\n\n{chosen.warning}" if chosen.warning else ""
            details = f"{chosen.display}{where}{doubt}"
            self.app.push_screen(Confirm("Leave, and run this?", details), answered)

        self.with_one(act)

    def action_copy_resume(self) -> None:
        """The command that continues the session, ready to be pasted."""

        def act(session: Session) -> None:
            try:
                line = command(session).line
            except CannotResume as error:
                self.app.notify(str(error), severity="warning", markup=False)
                return
            clipboard.copy(line, self.app.copy_to_clipboard)
            self.app.notify(f"copied: {line}", markup=False)

        self.with_one(act)

    # Exporting

    def action_export(self) -> None:
        """Write a session to a file; its ending says in which format."""

        def act(session: Session) -> None:
            name = str(self.app.here / formats.file_name(session, "md"))

            def named(text: str | None) -> None:
                if text and text.strip():
                    self._export(session, text.strip())

            note = (
                "The ending chooses the format: .md, .html, .json or .patch (all edits). "
                "End the line with “ redact” to hide secrets. Enter writes it."
            )
            self.app.push_screen(AskLine("Export to", name, note), named)

        self.with_one(act)

    def _export(self, session: Session, text: str) -> None:
        redact = text.endswith(" redact")
        path = Path(text.removesuffix(" redact").strip()).expanduser()
        form = path.suffix.removeprefix(".")
        if form not in formats.FORMATS:
            endings = ", ".join(f".{name}" for name in formats.FORMATS)
            self.app.notify(f"the name must end in one of {endings}", severity="warning")
            return

        def write(store: SqliteStore) -> Callable[[], object]:
            notes = formats.write(store, session, form, path, redact=redact)
            said = "; ".join([f"written to {path}", *notes])
            return lambda: self.app.notify(said, markup=False, timeout=8)

        self._beside(write)

    def _beside(self, work: Callable[[SqliteStore], Callable[[], object]]) -> None:
        """Do something long in a thread with a store of its own, and then something here."""
        app = self.app

        def run() -> None:
            try:
                store = open_store(app.location, readonly=True)
                try:
                    then = work(store)
                finally:
                    store.close()
            except (StoreError, Refused, PictureError, OSError) as error:
                sentence = str(error)
                then = lambda: app.notify(sentence, severity="error", markup=False)  # noqa: E731
            except Exception as error:
                record(error)
                then = lambda: app.notify("that failed; the log says why", severity="error")  # noqa: E731
            app.from_thread(messages.Call(then))

        Thread(target=run, name="beside", daemon=True).start()

    # Other programs

    def action_pager(self) -> None:
        """Read the session as Markdown in the user's pager."""
        self._outside(os.environ.get("PAGER") or "less")

    def action_editor(self) -> None:
        """Read a copy of the session as Markdown in the user's editor."""
        self._outside(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")

    def _outside(self, program: str) -> None:
        argv = shlex.split(program)
        if not argv or shutil.which(argv[0]) is None:
            self.app.notify(f"{program} is not installed", severity="warning", markup=False)
            return

        def act(session: Session) -> None:
            def write(store: SqliteStore) -> Callable[[], object]:
                folder = Path(tempfile.mkdtemp(prefix="sparrow-tui-"))
                path = folder / formats.file_name(session, "md")
                formats.write(store, session, "md", path)
                return lambda: self._run_outside([*argv, str(path)], folder)

            self._beside(write)

        self.with_one(act)

    def _run_outside(self, argv: list[str], folder: Path) -> None:
        """Give the terminal to a program until it ends; its copy is removed."""
        try:
            with self.app.suspend():
                subprocess.call(argv)
        except SuspendNotSupported:
            self.app.notify("this terminal cannot be given to another program", severity="warning")
        except OSError as error:
            self.app.notify(f"{argv[0]}: {error.strerror}", severity="error", markup=False)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        self.app.refresh()

    # Pictures

    @on(TranscriptView.PictureWanted)
    def _picture_wanted(self, event: TranscriptView.PictureWanted) -> None:
        event.stop()
        image = event.image

        def load(store: SqliteStore) -> Callable[[], object]:
            picture = decoded(bytes_of(image, store))

            def show() -> None:
                prepare(self.app)
                self.app.push_screen(PictureScreen(picture, image))

            return show

        self._beside(load)
