"""What commands print: JSON objects, lines that fit the terminal, a little colour."""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from sparrow_tui.app import clock
from sparrow_tui.sanitize import clean, clean_line, json_safe
from sparrow_tui.store.base import Session
from sparrow_tui.text.wrap import width_of

BOLD, DIM, YELLOW, RED, CYAN = "1", "2", "33", "31", "36"


def print_json(value: Any) -> None:
    """One JSON object on stdout."""
    _in_utf8()
    data = msgspec.json.format(msgspec.json.encode(value), indent=2)
    sys.stdout.write(json_safe(data.decode("utf-8", "replace")) + "\n")


def stream_json(head: dict[str, Any], key: str, items: Iterable[Any]) -> None:
    """One JSON object whose last key is a list that is written as it comes."""
    _in_utf8()
    opening = json_safe(msgspec.json.encode(head).decode())
    sys.stdout.write(opening[:-1] + ("," if head else "") + f'"{key}":[')
    for number, item in enumerate(items):
        sys.stdout.write("\n" if not number else ",\n")
        sys.stdout.write(json_safe(msgspec.json.encode(item).decode("utf-8", "replace")))
    sys.stdout.write("]}\n")


def _in_utf8() -> None:
    """JSON is UTF-8 whatever the terminal speaks (RFC 8259, 8.1)."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.encoding.lower() != "utf-8":
        sys.stdout.reconfigure(encoding="utf-8")


def coloured(stream: Any = None) -> bool:
    """Whether colours are wanted there: a terminal, and nobody said no."""
    stream = stream or sys.stdout
    return bool(stream.isatty()) and "NO_COLOR" not in os.environ


def paint(text: str, code: str) -> str:
    """Safe text in a colour, if stdout shows colours."""
    return f"\x1b[{code}m{text}\x1b[0m" if coloured() and text else text


def width() -> int:
    """Columns to print in; plenty where nobody looks."""
    return shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 200


def fit(text: str, cells: int) -> str:
    """A safe line cut or filled to a number of cells."""
    safe = clean_line(text, max(cells, 1) * 2)
    if width_of(safe) > cells:
        while safe and (over := width_of(safe) - cells + 1) > 0:
            safe = safe[: len(safe) - max(1, over // 2)]
        safe += "…" if cells > 0 else ""
    return safe + " " * (cells - width_of(safe))


def age(moment: int | None) -> str:
    """How long ago: ``12m``, ``3h``, ``5d``."""
    return clock.age(moment, clock.now())


def fate(session: Session) -> str:
    """What becomes of the agent's own file, or has; empty if nothing soon."""
    if session.source_gone:
        return "kept"
    return clock.expiry(session.expires_at, clock.now())


def session_line(session: Session) -> str:
    """A session in one line: age, agent, turns, title, project, id."""
    room = max(width() - 5 - 10 - 7 - 3, 40)
    ident = clean_line(session.id, 60)
    note_room = len(note) + 2 if (note := fate(session)) else 0
    title_room = max(room - len(ident) - 2 - note_room, 20)
    return "  ".join(
        [
            f"{age(session.updated_at):>4}",
            paint(fit(session.agent, 9), CYAN),
            f"{session.turns:>6,}",
            fit(session.title or "(no prompt)", title_room),
            paint(ident, DIM),
            *([paint(note, YELLOW)] if note else []),
        ]
    ).rstrip()


def lit(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Safe text with some stretches in colour."""
    pieces, at = [], 0
    for start, end in spans:
        pieces += [text[at:start], paint(text[start:end], f"{BOLD};{YELLOW}")]
        at = end
    return "".join(pieces) + text[at:]


def say(sentence: str) -> None:
    """A message on stderr."""
    print(clean(sentence), file=sys.stderr)
