"""``sparrow-tui show``: a session, or a scroll window of it, as text or JSON."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from sparrow_tui.cli.fresh import fresh_store
from sparrow_tui.cli.numbers import integer
from sparrow_tui.cli.output import BOLD, DIM, paint, stream_json, width
from sparrow_tui.export.forms import SCHEMA, session_form, turn_form
from sparrow_tui.model import Turn
from sparrow_tui.sanitize import clean_line
from sparrow_tui.store.base import Session
from sparrow_tui.store.sqlite import SqliteStore
from sparrow_tui.text.frames import FULL
from sparrow_tui.text.spans import plain
from sparrow_tui.text.turns import View, pieces

AROUND = 5
"""Turns on either side of ``--around``, unless said otherwise."""
EPILOG = """\
SESSION is a session's id (see sparrow-tui list), an agent's own id, or the beginning of one.
Without --around the whole session is printed, as it is read: sessions of any size.

JSON: {"schema": 1, "session": {…}, "start": n, "turns": [{"turn", "role", "time",
"blocks": [{"type", …}], "usage"}]}
"""


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "show",
        parents=[common],
        help="print a session, or a window of it",
        description="Print a session, or a window of it.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("session", metavar="SESSION", help="an id, or the beginning of one")
    parser.add_argument(
        "--around", type=integer, metavar="TURN", help="only a window around this turn (from 0)"
    )
    parser.add_argument(
        "--before", type=integer, metavar="N", help=f"turns before it ({AROUND} with --around)"
    )
    parser.add_argument(
        "--after", type=integer, metavar="N", help=f"turns after it ({AROUND} with --around)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the session; the exit code."""
    with fresh_store(options) as store:
        store.places.frugal()  # a session of any size passes through
        session_id = store.resolve(options.session)
        session = store.load(session_id)
        assert session is not None
        start, turns = _turns(store, session, options)
        if options.json:
            head = {"schema": SCHEMA, "session": session_form(session), "start": start}
            forms = (turn_form(turn, index) for index, turn in enumerate(turns, start))
            stream_json(head, "turns", forms)
        else:
            _print(store, session, start, turns)
    return 0


def _turns(
    store: SqliteStore, session: Session, options: argparse.Namespace
) -> tuple[int, Iterator[Turn]]:
    """The first ``turn_index`` and the turns."""
    asked = (options.around, options.before, options.after)
    if all(value is None for value in asked):
        return 0, store.turns(session.id)
    around = options.around if options.around is not None else 0
    before = AROUND if options.before is None else options.before
    after = AROUND if options.after is None else options.after
    window = store.scroll(session.id, around, before, after)
    assert window is not None
    return window.start, iter(window.turns)


def _print(store: SqliteStore, session: Session, start: int, turns: Iterator[Turn]) -> None:
    """As text: everything open, no colours but a heading's."""
    facts = [session.id, session.project, session.branch, session.model, f"{session.turns} turns"]
    print(paint(clean_line(session.title) or "(no prompt)", BOLD))
    print(paint("  ".join(clean_line(fact) for fact in facts if fact), DIM))
    view = View(width=max(min(width(), 120), 20), level=FULL, reasoning=True, branches=True)
    previous: Turn | None = None
    for index, turn in enumerate(turns, start):
        ids = [key for block in turn.blocks if (key := _call_id(block))]
        calls = store.places.calls(session.id, ids) if ids else {}
        for piece in pieces(turn, index, view, previous=previous, calls=calls):
            for line in piece.lines:
                print(plain(line).rstrip())
            piece.forget()
        previous = turn


def _call_id(block: Any) -> str:
    return str(getattr(block, "tool_use_id", "") or getattr(block, "id", ""))
