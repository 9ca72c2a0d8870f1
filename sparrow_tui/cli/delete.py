"""``sparrow-tui delete``: a session out of our store; the agent's own file stays."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from sparrow_tui.cli.errors import UserError
from sparrow_tui.cli.output import say
from sparrow_tui.sanitize import clean_line
from sparrow_tui.store import open_store


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "delete",
        parents=[common],
        help="remove a session from our store only",
        description="Remove a session from our store. The agent's own file is never touched, and "
        "syncing does not bring the session back (importing its file by PATH does).",
    )
    parser.add_argument("session", metavar="SESSION", help="an id, or the beginning of one")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Ask, and delete; the exit code."""
    store = open_store(options.store)
    try:
        session = store.load(store.resolve(options.session))
        assert session is not None
        if not options.yes:
            if not sys.stdin.isatty():
                raise UserError("delete asks first, and there is nobody to ask; give --yes", code=2)
            title = clean_line(session.title, 70) or "(no prompt)"
            only = " It is the only copy left." if session.source_gone else ""
            what = f"“{title}” ({clean_line(session.id)}, {session.turns:,} turns)"
            question = f"Delete {what} from this store?{only} [y/N] "
            print(question, end="", file=sys.stderr, flush=True)
            if sys.stdin.readline().strip().lower() not in ("y", "yes"):
                say("nothing was deleted")
                return 1
        store.delete(session.id)
    finally:
        store.close()
    say(f"deleted {session.id} from this store")
    return 0
