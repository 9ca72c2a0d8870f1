"""The dashboard's questions to the engine: one at a time, the newest wish next."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sparrow_tui.app.board import Board, Wanted, board

if TYPE_CHECKING:
    from sparrow_tui.app.app import SparrowApp


class BoardAsking:
    """Begins before the screen stands: what the store takes and what making it takes overlap."""

    def __init__(self, app: SparrowApp) -> None:
        self._app = app
        self._next: Wanted | None = None
        self.board: Board | None = None
        """The last answer."""
        self.busy = False
        """Whether an answer is awaited."""
        self.asked = 0
        """Times the store was asked: what tests count."""
        self.hear: Callable[[], object] = lambda: None
        """Called on the UI's thread when there is another answer."""

    def ask(self, wanted: Wanted) -> None:
        """Answer this in the engine's own time; of several wishes the newest."""
        if self.busy:
            self._next = wanted
            return
        self.busy = True
        self.asked += 1
        self._app.engine.run_job(lambda store: board(store, wanted), self._answered)

    def _answered(self, answer: Board | None) -> None:
        self.busy = False
        if answer is not None:
            self.board = answer
            self.hear()
        wanted, self._next = self._next, None
        if wanted is not None:
            self.ask(wanted)
