"""``sparrow-tui resume``: a session continued in its agent."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from sparrow_tui.cli.errors import UserError
from sparrow_tui.cli.fresh import fresh_store
from sparrow_tui.cli.output import say
from sparrow_tui.resume import CannotResume, Command, command, execute


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "resume",
        parents=[common],
        help="continue a session in its agent",
        description="Continue a session in its agent: shows the command and the directory it "
        "starts in, asks, and runs it without a shell.",
    )
    parser.add_argument("session", metavar="SESSION", help="an id, or the beginning of one")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--print", action="store_true", help="print the command for a shell and do nothing"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Show, ask, run; the exit code."""
    chosen = _chosen(options)
    if options.print:
        for doubt in (chosen.problem, chosen.warning):
            if doubt:
                say(doubt)
        print(chosen.line)
        return 0
    if chosen.problem:
        raise UserError(chosen.problem)
    where = f"\n  in {chosen.directory}" if chosen.directory else ""
    say(f"  {chosen.display}{where}")
    if chosen.warning:
        say(chosen.warning)
    if not options.yes:
        if not sys.stdin.isatty():
            raise UserError("resume asks first, and there is nobody to ask; give --yes", code=2)
        print("Run it? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            say("nothing was run")
            return 1
    try:
        return execute(chosen)
    except CannotResume as error:
        raise UserError(str(error)) from None


def _chosen(options: argparse.Namespace) -> Command:
    """The command; the store is closed again before anything runs."""
    with fresh_store(options) as store:
        session = store.load(store.resolve(options.session))
        assert session is not None
    try:
        return command(session)
    except CannotResume as error:
        raise UserError(str(error)) from None
