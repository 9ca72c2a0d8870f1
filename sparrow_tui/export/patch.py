"""All edits of a session as one patch, in order, for ``git apply`` or ``patch -p1``."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from sparrow_tui.export import telling
from sparrow_tui.export.edits import Change, changes, read_path
from sparrow_tui.export.sections import Sections
from sparrow_tui.export.source import Excerpt
from sparrow_tui.model import Text, ToolResult, ToolUse
from sparrow_tui.sanitize import clean_line

WAITING = 256
"""Calls whose result may be outstanding; the oldest then counts as answered."""


@dataclass(slots=True)
class _Call:
    turn: int
    name: str
    changes: list[Change]
    reads: tuple[str, bool] | None


def pieces(excerpt: Excerpt) -> Iterator[str]:
    """The patch, a call at a time. Not safe to print: it keeps every character of the files.

    An edit counts once its result says that it was made, or if the session ends before. What was
    read before is what gives an edit its place. Paths are taken from the session's project.
    """
    return _Patch(excerpt).pieces()


class _Patch:
    def __init__(self, excerpt: Excerpt) -> None:
        self.excerpt = excerpt
        self.sections = Sections(excerpt.session.project or "")
        self.waiting: OrderedDict[str, _Call] = OrderedDict()
        self.written = 0
        self.failed = 0

    def pieces(self) -> Iterator[str]:
        session = self.excerpt.session
        yield f"# Edits of {clean_line(session.id)}: {telling.title(self.excerpt)}\n"
        if session.project:
            yield f"# Made in {clean_line(session.project)}\n"
        for index, turn in enumerate(self.excerpt.turns(), self.excerpt.start):
            for block in turn.blocks:
                if isinstance(block, ToolUse):
                    if turn.branch:
                        self.failed += bool(changes(block.name, block.input))
                        continue
                    yield from self._called(block, index)
                elif isinstance(block, ToolResult):
                    call = self.waiting.pop(block.tool_use_id, None)
                    if call is not None:
                        yield from self._answered(call, block)
        for call in self.waiting.values():
            yield from self._made(call, "")
        self._tell()

    def _called(self, block: ToolUse, index: int) -> Iterator[str]:
        made = changes(block.name, block.input)
        reads = None if made else read_path(block.name, block.input)
        if not made and reads is None:
            return
        self.waiting[block.id] = _Call(index, block.name, made, reads)
        if len(self.waiting) > WAITING:
            _, oldest = self.waiting.popitem(last=False)
            yield from self._made(oldest, "")

    def _answered(self, call: _Call, block: ToolResult) -> Iterator[str]:
        if block.is_error or block.exit_code:
            self.failed += bool(call.changes)
            return
        answer = "\n".join(inner.text for inner in block.content if isinstance(inner, Text))
        if call.reads is not None:
            self.sections.saw(call.reads[0], answer, whole=call.reads[1])
        else:
            yield from self._made(call, answer)

    def _made(self, call: _Call, answer: str) -> Iterator[str]:
        for number, change in enumerate(call.changes):
            # The answer shows the file after all of a call's changes.
            last = number == len(call.changes) - 1
            guesses, missing = self.sections.guessed, self.sections.left_out
            section = self.sections.section(change, answer if last and number == 0 else "")
            head = f"\n# Turn {call.turn + 1:,}, {clean_line(call.name, 60)}"
            path = clean_line(change.path)
            if self.sections.left_out > missing:
                yield f"{head}: what it does to {path} cannot be written as a patch\n"
            elif section:
                self.written += 1
                guess = self.sections.guessed > guesses
                yield f"{head}{': the session does not show the file before' if guess else ''}\n"
                yield section
        if renames := self.sections.renames():
            self.written += 1
            yield f"\n# Turn {call.turn + 1:,}, {clean_line(call.name, 60)}\n{renames}"

    def _tell(self) -> None:
        notes = self.excerpt.notes
        sections = self.sections
        notes.append(f"{self.written:,} edits are in the patch")
        if sections.guessed:
            notes.append(
                f"{sections.guessed:,} of them change files the session does not show: their "
                "place is looked for when they are applied (git apply needs --unidiff-zero)"
            )
        if sections.left_out:
            notes.append(f"{sections.left_out:,} changes could not be written as a patch")
        if self.failed:
            notes.append(f"{self.failed:,} edits that failed or were taken back are left out")
