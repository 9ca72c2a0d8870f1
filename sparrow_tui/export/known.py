"""What a session shows of the files it reads and edits, as far as memory allows."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator

MOST_CHARACTERS = 8_000_000
"""Of all files together; beyond it the file not used for longest is forgotten."""
READ_AT_ONCE = 2_000
"""Lines agents read of a file if not asked for more: so many may not be all."""
MOST_LINES = 400_000
"""Line numbers beyond this are not believed."""

# What programs put before a line: its number and a tab, an arrow, a bar.
_NUMBERED = re.compile(r" *(\d{1,7})(→|\t|\| ?|: ?)(.*)", re.DOTALL)
_PIECES = re.compile(r"[^\n]*\n|[^\n]+")


def lines_of(text: str) -> list[str]:
    """A text's lines with their line breaks."""
    return _PIECES.findall(text)


class Known:
    """The lines of a file that are known; the others are ``None``."""

    def __init__(self, lines: list[str | None], *, complete: bool) -> None:
        self.lines = lines
        self.complete = complete
        """Whether nothing follows the last line."""

    def runs(self) -> Iterator[tuple[int, list[str]]]:
        """Stretches of known lines: index of the first, and the lines."""
        run: list[str] = []
        for index, line in enumerate(self.lines):
            if line is not None:
                run.append(line)
            elif run:
                yield index - len(run), run
                run = []
        if run:
            yield len(self.lines) - len(run), run

    def learn(self, start: int, lines: list[str]) -> None:
        """Lines from index ``start`` on have been seen."""
        missing = start + len(lines) - len(self.lines)
        if missing > 0:
            self.complete = False
            self.lines.extend([None] * missing)
        self.lines[start : start + len(lines)] = lines

    def all(self) -> list[str] | None:
        """Every line of the file, if all are known."""
        lines = [line for line in self.lines if line is not None]
        return lines if self.complete and len(lines) == len(self.lines) else None

    @property
    def characters(self) -> int:
        """How much is kept."""
        return sum(len(line) + 60 if line else 8 for line in self.lines)


class KnownFiles:
    """Files by path, those used last first to stay."""

    def __init__(self, most: int = MOST_CHARACTERS) -> None:
        self._files: OrderedDict[str, Known] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self._most = most

    def get(self, path: str) -> Known | None:
        """What is known of a file."""
        if path in self._files:
            self._files.move_to_end(path)
        return self._files.get(path)

    def put(self, path: str, known: Known) -> None:
        """Remember a file, in the place of what was known of it; `put` again what was changed."""
        self._files[path] = known
        self._files.move_to_end(path)
        self._sizes[path] = known.characters
        while sum(self._sizes.values()) > self._most and self._files:
            oldest, _ = self._files.popitem(last=False)
            del self._sizes[oldest]

    def forget(self, path: str) -> None:
        """Nothing is known of a file any more."""
        self._files.pop(path, None)
        self._sizes.pop(path, None)

    def move(self, path: str, to: str) -> None:
        """A file has another name."""
        known = self.get(path)
        self.forget(path)
        if known is not None:
            self.put(to, known)

    def saw(self, path: str, text: str, *, whole: bool) -> None:
        """A tool has shown a file.

        Args:
            path: of the file.
            text: what the tool answered; lines with numbers, or the content as it is.
            whole: whether all of the file was asked for.
        """
        found = numbered(text)
        if found is not None:
            start, lines = found
            known = self.get(path)
            if known is None or (whole and start == 0):
                known = Known([], complete=False)
            known.learn(start, lines)
            known.complete = known.complete or (whole and start == 0 and len(lines) < READ_AT_ONCE)
            self.put(path, known)
        elif whole and text and not text.startswith("<"):
            lines = lines_of(text if text.endswith("\n") else text + "\n")
            self.put(path, Known([*lines], complete=False))


def numbered(text: str) -> tuple[int, list[str]] | None:
    """Lines with consecutive numbers before them in a tool's answer.

    Returns:
        Index of the first (counted from 0) and the lines without their numbers, each with a line
        break; ``None`` if there are none.
    """
    first = -1
    mark = ""
    lines: list[str] = []
    for line in text.split("\n"):
        match = _NUMBERED.fullmatch(line)
        number = int(match[1]) if match else -1
        if match is None or (lines and (number != first + len(lines) or match[2] != mark)):
            if lines:
                break
            continue
        if not lines:
            if not 1 <= number <= MOST_LINES:
                continue
            first, mark = number, match[2]
        lines.append(match[3] + "\n")
    # One line could be anything, such as a match of a search.
    return (first - 1, lines) if len(lines) > 1 or (lines and first == 1) else None
