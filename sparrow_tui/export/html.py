"""A session as one HTML page that stands alone: no scripts, nothing loaded, all text escaped."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from html import escape

from sparrow_tui.export import html_text, telling
from sparrow_tui.export.html_style import POLICY, sheet
from sparrow_tui.export.markdown import DIFFED, length
from sparrow_tui.export.source import Excerpt
from sparrow_tui.model import Block, Image, Notice, Raw, Reasoning, Text, ToolResult, ToolUse, Turn
from sparrow_tui.sanitize import clean, clean_line
from sparrow_tui.text import diff, tools

# Formats without scripts of their own; SVG is not among them.
_SHOWN = frozenset(("image/png", "image/jpeg", "image/gif", "image/webp"))
_OPEN = 12
"""Lines of a result that is not folded."""


def pieces(excerpt: Excerpt) -> Iterator[str]:
    """The page, a turn at a time."""
    title = escape(telling.title(excerpt))
    yield (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{sheet()}</style>\n</head>\n<body>\n"
        f"<h1>{title}</h1>\n<dl>\n"
    )
    for name, value in telling.facts(excerpt):
        yield f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>\n"
    yield "</dl>\n"
    page = _Page(excerpt)
    previous: Turn | None = None
    for index, turn in enumerate(excerpt.turns(), excerpt.start):
        body = [part for block in turn.blocks for part in page.block(block)]
        if not body:
            continue
        kinds = [turn.role if turn.role in ("user", "assistant", "system", "summary") else "tool"]
        kinds += ["meta"] * turn.meta + ["taken"] * turn.branch
        yield f'<section class="{" ".join(kinds)}" id="t{index + 1}">\n'
        if telling.new_voice(turn, previous):
            yield _heading(turn, index)
        for part in body:
            yield part + "\n"
        yield "</section>\n"
        previous = turn
    yield "</body>\n</html>\n"


def _heading(turn: Turn, index: int) -> str:
    time = telling.moment(turn.time)
    return (
        f'<h2>{escape(telling.speaker(turn))} <a href="#t{index + 1}">turn {index + 1:,}</a>'
        + (f"<time>{escape(time)}</time>" if time else "")
        + "</h2>\n"
    )


class _Page:
    def __init__(self, excerpt: Excerpt) -> None:
        self._excerpt = excerpt
        self._calls = telling.Calls()

    def block(self, block: Block) -> Iterator[str]:
        """The elements of a block."""
        if isinstance(block, Text):
            if block.text.strip():
                yield f'<div class="said">{html_text.text(block.text)}</div>'
        elif isinstance(block, Reasoning):
            if block.text.strip():
                yield (
                    '<details class="thought"><summary>Reasoning</summary>'
                    f'<div class="said">{html_text.text(block.text)}</div></details>'
                )
        elif isinstance(block, ToolUse):
            yield self._use(block)
        elif isinstance(block, ToolResult):
            yield self._result(block)
        elif isinstance(block, Notice):
            failed = " error" if block.kind == "error" else ""
            kind = escape(clean_line(block.kind, 40))
            yield (
                f'<div class="notice{failed}"><b>{kind}</b>'
                f'<div class="said">{html_text.text(block.text)}</div></div>'
            )
        elif isinstance(block, Image):
            yield self._picture(block)
        elif isinstance(block, Raw):
            yield (
                f"<details><summary>Record of kind <b>{escape(clean_line(block.kind, 80))}</b>"
                f"</summary><pre>{html_text.code(tools.pretty(block.data), 'json')}</pre></details>"
            )

    def _use(self, block: ToolUse) -> str:
        self._calls.called(block)
        name = escape(clean_line(block.name) or "tool")
        about = escape(tools.gist(block.name, block.input))
        head = f'<summary><b>{name}</b> <span class="about">{about}</span></summary>'
        edit = diff.edit_of(block.name, block.input) if length(block.input) <= DIFFED else None
        if edit is not None:
            rest = telling.beside(block.input, edit.told)
            more = f"<pre>{html_text.code(tools.pretty(rest), 'json')}</pre>" if rest else ""
            return f"<details open>{head}{more}<pre>{html_text.spans(edit.lines)}</pre></details>"
        return f"<details>{head}{_input(block.input)}</details>"

    def _result(self, block: ToolResult) -> str:
        name = escape(self._calls.answered(block))
        about = escape(telling.outcome(block))
        parts: list[str] = []
        lines = 0
        for inner in block.content:
            if not isinstance(inner, Text):
                parts += self.block(inner)
                lines += 1
            elif inner.text.strip():
                parts.append(f"<pre>{html_text.output(inner.text)}</pre>")
                lines += inner.text.count("\n") + 1 + len(inner.text) // 400
        if block.child:
            parts.insert(
                0, f"<p>Sub-agent's session: <code>{escape(clean(block.child))}</code></p>"
            )
        failed = ' class="failed"' if block.is_error else ""
        opened = " open" if lines <= _OPEN else ""
        size = f"{lines:,} lines" if lines > _OPEN else ""
        told = ", ".join(part for part in (about, size) if part)
        return (
            f"<details{failed}{opened}><summary>Result{f' of {name}' if name else ''}"
            f"{f' ({told})' if told else ''}</summary>{''.join(parts)}</details>"
        )

    def _picture(self, block: Image) -> str:
        about = escape(telling.about_picture(block))
        media_type, data = block.media_type, block.data
        if block.ref and not data:
            found = self._excerpt.picture(block.ref)
            if found is not None:
                media_type = found[0] or media_type
                data = base64.b64encode(found[1]).decode()
        if data and media_type in _SHOWN:
            return f'<p><img alt="{about}" src="data:{media_type};base64,{escape(data)}"></p>'
        return f'<p class="notice">{about}</p>'


def _input(value: object) -> str:
    """A call's input: a command as such, the rest as JSON."""
    if value is None or value == {}:
        return ""
    if isinstance(value, str):
        return f"<pre>{escape(clean(value))}</pre>"
    shown = ""
    command = value.get("command", value.get("cmd")) if isinstance(value, dict) else None
    if isinstance(value, dict) and isinstance(command, str):
        shown = f"<pre>{html_text.code(command, 'bash')}</pre>"
        value = {key: item for key, item in value.items() if item is not command}
    if value:
        shown += f"<pre>{html_text.code(tools.pretty(value), 'json')}</pre>"
    return shown
