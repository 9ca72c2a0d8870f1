"""A session as Markdown: headings by speaker, calls and results as fenced blocks."""

from __future__ import annotations

from collections.abc import Iterator

from sparrow_tui.export import telling
from sparrow_tui.export.markdown_safe import code, fenced, inert, plain
from sparrow_tui.export.source import Excerpt
from sparrow_tui.model import Block, Image, Notice, Raw, Reasoning, Text, ToolResult, ToolUse, Turn
from sparrow_tui.sanitize import clean_line
from sparrow_tui.text import diff, tools
from sparrow_tui.text.spans import plain as characters

DIFFED = 200_000
"""Characters of an edit beyond which its input is shown instead of a difference."""


def pieces(excerpt: Excerpt) -> Iterator[str]:
    """The document, a turn at a time; safe to print and to display."""
    yield f"# {plain(telling.title(excerpt))}\n\n"
    for name, value in telling.facts(excerpt):
        yield f"- **{name}:** {code(value)}\n"
    calls = telling.Calls()
    previous: Turn | None = None
    for index, turn in enumerate(excerpt.turns(), excerpt.start):
        parts = [part for block in turn.blocks for part in _block(block, calls)]
        if not parts:
            continue
        if telling.new_voice(turn, previous):
            yield _heading(turn, index)
        for part in parts:
            yield f"\n{part}\n"
        previous = turn


def _heading(turn: Turn, index: int) -> str:
    said = [plain(telling.speaker(turn)), f"turn {index + 1:,}", telling.moment(turn.time)]
    return "\n## " + " · ".join(part for part in said if part) + "\n"


def _block(block: Block, calls: telling.Calls) -> Iterator[str]:
    """The parts of a block, each a paragraph or more."""
    if isinstance(block, Text):
        if block.text.strip():
            yield inert(block.text.strip("\n"))
    elif isinstance(block, Reasoning):
        if block.text.strip():
            quoted = inert(block.text.strip("\n")).split("\n")
            yield "> *Reasoning*\n>\n" + "\n".join(f"> {line}".rstrip() for line in quoted)
    elif isinstance(block, ToolUse):
        calls.called(block)
        about = tools.gist(block.name, block.input)
        name = plain(clean_line(block.name) or "tool")
        yield f"**{name}**" + (f" {code(about)}" if about else "")
        yield from _input(block)
    elif isinstance(block, ToolResult):
        yield from _result(block, calls)
    elif isinstance(block, Notice):
        yield f"*{plain(block.kind)}:* {inert(block.text.strip())}"
    elif isinstance(block, Image):
        yield f"\\[{plain(telling.about_picture(block))}\\]"
    elif isinstance(block, Raw):
        yield f"*Record of kind* {code(block.kind)}"
        yield fenced(tools.pretty(block.data), "json")


def _input(block: ToolUse) -> Iterator[str]:
    """What a call was given: a change as a difference, a command as such, the rest as JSON."""
    value = block.input
    if value is None or value == {}:
        return
    if length(value) <= DIFFED:
        edit = diff.edit_of(block.name, value)
        if edit is not None:
            rest = telling.beside(value, edit.told)
            if rest:
                yield fenced(tools.pretty(rest), "json")
            yield fenced("\n".join(characters(line) for line in edit.lines), "diff")
            return
    if isinstance(value, str):
        yield fenced(value)
        return
    command = value.get("command", value.get("cmd")) if isinstance(value, dict) else None
    if isinstance(command, str):
        yield fenced(command, "sh")
        value = {key: item for key, item in value.items() if item is not command}
    if value:
        yield fenced(tools.pretty(value), "json")


def _result(block: ToolResult, calls: telling.Calls) -> Iterator[str]:
    name = plain(calls.answered(block))
    about = telling.outcome(block)
    yield f"*Result{f' of {name}' if name else ''}{f' ({about})' if about else ''}:*"
    if block.child:
        yield f"Sub-agent's session: {code(block.child)}"
    for inner in block.content:
        if isinstance(inner, Text):
            if inner.text.strip():
                yield fenced(inner.text)
        else:
            yield from _block(inner, calls)


def length(value: object) -> int:
    """Characters of the strings in a JSON value."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(length, value.values()))
    if isinstance(value, list):
        return sum(map(length, value))
    return 0
