"""``sparrow-tui export``: a session, or a range of its turns, written in another format."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sparrow_tui.cli.errors import UserError
from sparrow_tui.cli.fresh import fresh_store
from sparrow_tui.cli.output import say
from sparrow_tui.export import formats
from sparrow_tui.export.files import Refused, write_atomically
from sparrow_tui.export.source import excerpt
from sparrow_tui.sanitize import clean

EPILOG = """\
SESSION is a session's id (see sparrow-tui list), an agent's own id, or the beginning of one.

md     Markdown; HTML and pictures from elsewhere in it are made inert
html   one self-contained page, dark or light as the reader's system is; loads nothing
json   the shape of show --json, with the pictures in it
patch  the edits of the session in order, for git apply or patch -p1 in the project's directory;
       edits that failed or were taken back are left out

--turns A:B takes turns A up to, not including, B, counted from 0 as in JSON (what headings and the
app call turn 1 is 0); either may be left out, and negative numbers count from the end (write
--turns=-20: then).
"""


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "export",
        parents=[common],
        help="write a session as Markdown, HTML, JSON or a patch",
        description="Write a session as Markdown, HTML, JSON or a patch. Sessions of any size.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("session", metavar="SESSION", help="an id, or the beginning of one")
    parser.add_argument(
        "--format", choices=list(formats.FORMATS), required=True, help="which of those below"
    )
    parser.add_argument("--turns", metavar="A:B", help="only these turns")
    parser.add_argument(
        "--redact", action="store_true", help="replace secrets that are found by a marker"
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write there (mode 0600) instead of to stdout (-)"
    )
    parser.add_argument("--force", action="store_true", help="replace FILE if it is there")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the session; the exit code."""
    bounds = _bounds(options.turns)
    if options.output == "":
        raise UserError("-o needs the name of a file", code=2)
    with fresh_store(options) as store:
        session = store.load(store.resolve(options.session))
        assert session is not None
        start, end = _within(options.turns, bounds, session.turns)
        selected = excerpt(store, session, start, end)
        text = formats.pieces(selected, options.format, redact=options.redact)
        if options.output in (None, "-"):
            _print(text, exact=options.format == "patch")
        else:
            try:
                size = write_atomically(Path(options.output), text, force=options.force)
            except Refused as error:
                raise UserError(str(error)) from None
            say(f"wrote {options.output}: {end - start:,} turns, {size:,} bytes")
    for note in selected.notes:
        say(note)
    return 0


def _print(text: Iterator[str], *, exact: bool) -> None:
    """Write to stdout: to a terminal what is safe there, to a file or pipe UTF-8 as it is."""
    if sys.stdout.isatty():
        for piece in text:
            sys.stdout.write(clean(piece) if exact else piece)
        return
    sys.stdout.flush()
    for piece in text:
        sys.stdout.buffer.write(piece.encode("utf-8", "replace"))
    sys.stdout.buffer.flush()


def _bounds(text: str | None) -> tuple[int | None, int | None]:
    """The two numbers of ``A:B``."""
    if text is None:
        return None, None
    match = re.fullmatch(r"\s*(-?\d{1,15})?\s*:\s*(-?\d{1,15})?\s*", text, re.ASCII)
    if match is None:
        raise UserError(
            f"--turns {text!r} is not a range of turns; write 10:20, 10: or :20", code=2
        )
    return (
        None if match[1] is None else int(match[1]),
        None if match[2] is None else int(match[2]),
    )


def _within(text: str | None, bounds: tuple[int | None, int | None], total: int) -> tuple[int, int]:
    """First turn and one past the last, inside a session of ``total`` turns."""
    start, end, _ = slice(*bounds).indices(total)
    if text is not None and start >= end:
        raise UserError(
            f"--turns {text!r} holds no turn: the session has {total:,}, counted from 0", code=2
        )
    return start, max(end, start)
