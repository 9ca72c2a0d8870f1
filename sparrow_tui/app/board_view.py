"""What of the dashboard is looked at, and how keys move on from there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sparrow_tui.app.board import Board, Wanted
from sparrow_tui.app.figures import METRICS, Metric
from sparrow_tui.app.widgets.charts_plot import steps_that_fit
from sparrow_tui.store.spans import moved, spans, start_of


@dataclass
class View:
    """Kept while the dashboard is left."""

    number: int = 0
    """Of the figure, in `METRICS`."""
    unit: str = "day"
    apart: str = "agent"
    last: int | None = None
    """A moment in the last step; ``None``: the present, as it moves on."""
    cursor: int | None = None
    """When the step under the cursor begins; ``None``: the last one."""
    table: bool = False
    panel: str = "calendar"
    """The one shown where there is room for one only."""

    @property
    def metric(self) -> Metric:
        """The figure looked at."""
        return METRICS[self.number]

    def wanted(self, width: int, now: int) -> Wanted:
        """The question whose answer shows this.

        Args:
            width: cells the chart has.
            now: the present in milliseconds since the epoch.
        """
        return Wanted(
            self.unit, steps_that_fit(self.unit, width), self.last or now, now, self.apart,
            sessions=self.metric.name == "sessions",
        )  # fmt: skip

    def is_of(self, board: Board | None) -> bool:
        """Whether an answer is about what is looked at."""
        if board is None or not self.shown_by(board):
            return False
        return (board.wanted.unit, board.wanted.apart) == (self.unit, self.apart)

    def shown_by(self, board: Board | None) -> bool:
        """Whether an answer has everything that is looked at."""
        return board is not None and (board.wanted.sessions or self.metric.name != "sessions")

    def place(self, board: Board) -> int:
        """Which of an answer's steps the cursor stands on."""
        starts = [step.start for step in board.steps]
        if self.cursor is None:
            return len(starts) - 1
        return max((n for n, start in enumerate(starts) if start <= self.cursor), default=0)

    def stand_on(self, starts: Sequence[int], place: int) -> None:
        """The cursor has moved to one of the steps shown; on the present it moves on with it."""
        at_end = place == len(starts) - 1 and self.last is None
        self.cursor = None if at_end else starts[place]

    def step_by(self, unit: str, width: int, now: int) -> None:
        """Other steps of time; the cursor stays where it is as far as it can."""
        before, self.unit = self.unit, unit
        if self.cursor is not None:
            shown = spans(self.last or now, unit, steps_that_fit(unit, width))
            if not shown[0].start <= self.cursor < shown[-1].end:
                self.last = moved(start_of(self.cursor, before), before, 1) - 1
        if self.last is not None and self.last >= start_of(now, unit):
            self.last = None

    def go(self, board: Board, steps: int, end: int | None) -> None:
        """Look at other times: never past the present, never before anything was counted.

        Args:
            board: what is shown.
            steps: how many steps later.
            end: 0: the first times counted, 1: the present; ``None``: as ``steps`` say.
        """
        unit, number = self.unit, board.wanted.number
        newest = start_of(board.wanted.now, unit)
        oldest = start_of(board.earliest if board.earliest is not None else newest, unit)
        first_end = min(moved(oldest, unit, number - 1), newest)
        at_end = start_of(board.wanted.last, unit)
        if end is not None:
            wanted = newest if end else first_end
            self.cursor = wanted if end else oldest
        else:
            wanted = min(max(moved(at_end, unit, steps), first_end), newest)
            edge = spans(wanted, unit, number)[0].start
            if abs(steps) == 1:
                self.cursor = edge if steps < 0 else wanted
            elif self.cursor is not None:
                self.cursor = min(max(self.cursor, edge), wanted)
        self.last = None if wanted >= newest else wanted
        if self.last is None and self.cursor is not None and self.cursor >= newest:
            self.cursor = None
