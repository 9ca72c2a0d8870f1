"""A session seen through a scroll window: which line is on top, and what lies around it.

Only turns near the view are held. A place is a turn, a piece of its page and a line of that
piece; nothing here needs the height of what is not on screen, so a session of a million turns
costs what one of a hundred costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sparrow_tui.app.transcript_places import Place, Spot, place_of, spot_of
from sparrow_tui.app.turn_window import TurnWindow
from sparrow_tui.text.turns import View


class TranscriptModel(TurnWindow):
    """Walks the lines of the turns that are held."""

    # Walking

    def forward(self, place: Place) -> Iterator[Place]:
        """Lines from a place on, up to the end or to the first turn that is not held."""
        turn, piece, line = place
        while turn < self.total:
            page = self.page(turn)
            if page is None:
                return
            while piece < len(page):
                count = len(page[piece].lines)
                while line < count:
                    yield Place(turn, piece, line)
                    line += 1
                piece, line = piece + 1, 0
            turn, piece, line = turn + 1, 0, 0

    def backward(self, place: Place) -> Iterator[Place]:
        """Lines before a place, nearest first."""
        turn, piece, line = place
        page = self.page(turn)
        if page is None and turn < self.total:
            return
        while True:
            while line > 0:
                line -= 1
                yield Place(turn, piece, line)
            if piece > 0:
                piece -= 1
            else:
                turn -= 1
                if turn < 0:
                    return
                page = self.page(turn)
                if page is None:
                    return
                piece = len(page) - 1
            line = len(page[piece].lines) if page and piece >= 0 else 0
            piece = max(piece, 0)

    def rows(self, height: int) -> list[Place]:
        """The lines on screen."""
        found = []
        for place in self.forward(self.top):
            found.append(place)
            if len(found) >= height:
                break
        return found

    def walk(self, place: Place, lines: int) -> tuple[Place, int]:
        """The place some lines on (or back), and how many there were, as far as is held."""
        steps = 0
        if lines > 0:
            ways = self.forward(place)
            next(ways, None)
            for found in ways:
                place, steps = found, steps + 1
                if steps >= lines:
                    break
        elif lines < 0:
            for found in self.backward(place):
                place, steps = found, steps - 1
                if steps <= lines:
                    break
        return place, steps

    def moved(self, place: Place, lines: int) -> Place:
        """The place some lines on (or back), as far as there are lines held."""
        return self.walk(place, lines)[0]

    def scroll(self, lines: int, height: int) -> int:
        """Move the view; by how many lines it could. The end stays at the bottom."""
        self.top, steps = self.walk(self.first_of(self.top), lines)
        self.settle(height)
        self.trim()
        return steps

    def settle(self, height: int) -> None:
        """Leave no room below the end that lines above could fill."""
        shown = 0
        for place in self.forward(self.top):
            shown += 1
            if shown >= height:
                return
            last = place
        reached_end = shown == 0 or last.turn >= self._last_shown()
        if reached_end and shown < height:
            self.top = self.moved(self.top, shown - height)

    def _last_shown(self) -> int:
        """The last turn that has lines, as far as is known."""
        turn = self.total - 1
        while turn > 0 and self.page(turn) == []:
            turn -= 1
        return turn

    def first_of(self, place: Place) -> Place:
        """The place itself, or the first line after it if it has none (a blank turn)."""
        found = next(self.forward(place), None)
        if found is not None:
            return found
        return next(self.backward(place), place)

    def first_said(self, place: Place) -> Place:
        """The first line from a place on that has something on it."""
        found = self.first_of(place)
        return next((p for p in self.forward(found) if self.line(p)), found)

    def to_end(self, height: int) -> None:
        """The last line at the bottom."""
        self.top = self.moved(Place(self.total), -height)

    def at_end(self, height: int) -> bool:
        """Whether the last line is on screen."""
        shown = self.rows(height + 1)
        if not shown:
            return True
        return len(shown) <= height and shown[-1].turn >= self._last_shown()

    def lay_ahead(self, height: int) -> bool:
        """Lay out one turn (or piece of one) of the page below the view, or of that above it.

        Returns:
            Whether there was one; what will come into view is laid out else.
        """
        for step, lines in ((1, 2 * height), (-1, height)):
            turn, number = self.top.turn, self.top.piece
            while lines > 0 and turn in self.turns:
                new = turn not in self._pages
                page = self.page(turn) or []
                if new:
                    return True
                start = number if number >= 0 else len(page) - 1
                for piece in page[start:] if step > 0 else page[start::-1] if page else ():
                    if not piece.is_laid_out:
                        return bool(piece.lines)
                    lines -= len(piece.lines)
                    if lines <= 0:
                        break
                turn, number = turn + step, 0 if step > 0 else -1
        return False

    # Places that outlive a layout

    def spot(self, place: Place) -> Spot:
        """What stands at a place."""
        return spot_of(self.page(place.turn) or [], place)

    def find(self, spot: Spot) -> Place:
        """Where something stands now; the beginning of its block if it is folded away."""
        return place_of(self.page(spot.turn) or [], spot)

    def inside(self, turn: int, fraction: float) -> Place:
        """The line a fraction of the way through a turn that is held."""
        page = self.page(turn)
        if not page:
            return Place(turn)
        at = min(max(fraction, 0.0), 1.0) * len(page)
        piece = min(int(at), len(page) - 1)
        lines = len(page[piece].lines)
        return Place(turn, piece, min(int((at - piece) * lines), max(lines - 1, 0)))

    def relayout(
        self, change: Callable[[View], None], fixed: Place, row: int, height: int
    ) -> Place:
        """Change how turns are shown, and keep what is at a place on its row.

        Args:
            change: alters the view.
            fixed: the place that shall not move.
            row: its row on screen.
            height: of the screen.

        Returns:
            The place in the new layout.
        """
        spot = self.spot(fixed)
        change(self.view)
        self._pages.clear()
        place = self.first_of(self.find(spot))
        self.top = self.moved(place, -row)
        self.settle(height)
        return place

    def fold(self, turn: int, block: int, level: int, fixed: Place, row: int, height: int) -> Place:
        """Open or close one card; what is at ``fixed`` stays on its row."""
        spot = self.spot(fixed)
        self.view.levels[(turn, block)] = level
        self.forget_layout(turn)
        place = self.first_of(self.find(spot))
        self.top = self.moved(place, -row)
        self.settle(height)
        return place
