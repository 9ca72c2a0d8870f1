"""What of one turn matches; of a large one it is looked for beside the user's work."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from threading import Thread

from textual.message import Message

from sparrow_tui.model import Block, Image, Raw, ToolResult, ToolUse, Turn, block_texts
from sparrow_tui.text.inputs import exceeds
from sparrow_tui.text.pieces import Piece, chunks

FEW = 12
"""Pieces of a turn that are looked through at once."""
LITTLE = 200_000
"""Characters of a turn's blocks that are."""
REMEMBERED = 4
"""Answers that are kept."""

Finds = Callable[[str], Sequence[object]]


@dataclass
class TurnSearched(Message):
    """What was asked of a large turn is known: ask again."""


class TurnSearch:
    """Finds the pieces and the blocks of a turn that match. Asked from one thread."""

    def __init__(self, post: Callable[[Message], object]) -> None:
        """Args: how to hand a message to the viewer (thread-safe)."""
        self._post = post
        self._number = 0
        self._asked: tuple[object, Finds] | None = None
        self._answers: list[tuple[object, Finds, Sequence[int]]] = []

    def forget(self) -> None:
        """Something else is shown or looked for: let go of what was looked through."""
        self._number += 1
        self._asked = None
        self._answers = []

    def pieces(self, page: Sequence[Piece], finds: Finds) -> Sequence[int] | None:
        """Numbers of a page's pieces that may have a match; ``None``: it will be told.

        Args:
            page: of a turn; the same object as long as the turn is not laid out anew.
            finds: what matches in a text; the same object as long as the same is looked for.
        """
        looked = _fitting_pieces(page, finds)
        return [*looked] if len(page) <= FEW else self._beside(page, finds, looked)

    def blocks(self, turn: Turn, finds: Finds) -> Sequence[int] | None:
        """Numbers of a turn's blocks that match; ``None``: it will be told."""
        looked = _fitting_blocks(turn, finds)
        small = not exceeds([*_values(turn.blocks)], LITTLE)
        found = [*looked] if small else self._beside(turn, finds, looked)
        return None if found is None else [number for number in found if number >= 0]

    def _beside(self, of: object, finds: Finds, looked: Iterator[int]) -> Sequence[int] | None:
        for known, by, found in self._answers:
            if known is of and by is finds:
                return found
        if self._asked is None or self._asked[0] is not of or self._asked[1] is not finds:
            self._asked = of, finds
            self._number += 1
            work = (self._number, of, finds, looked)
            Thread(target=self._look, args=work, name="turn search", daemon=True).start()
        return None

    def _look(self, number: int, of: object, finds: Finds, looked: Iterator[int]) -> None:
        found = array("q")
        for place in looked:
            if number != self._number:
                return  # something else was asked meanwhile
            found.append(place)
        if number == self._number:
            self._asked = None
            self._answers = [(of, finds, found), *self._answers[: REMEMBERED - 1]]
            self._post(TurnSearched())


def _fitting_pieces(page: Sequence[Piece], finds: Finds) -> Iterator[int]:
    """Pieces that match, and those whose text is not known."""
    for number, piece in enumerate(page):
        text = piece.text
        if not text or finds(text):
            yield number


def _fitting_blocks(turn: Turn, finds: Finds) -> Iterator[int]:
    """Blocks that match; between, -1 stands for a stretch that was read."""
    for number, block in enumerate(turn.blocks):
        for text in block_texts(block):
            for part in chunks(text):
                if finds(part):
                    yield number
                    break
                yield -1
            else:
                continue
            break


def _values(blocks: Iterable[Block]) -> Iterator[object]:
    """What of blocks is searched."""
    for block in blocks:
        if isinstance(block, ToolResult):
            yield from _values(block.content)
        elif isinstance(block, ToolUse):
            yield block.input
        elif isinstance(block, Raw):
            yield block.data
        elif not isinstance(block, Image):
            yield block.text
