"""``sparrow-tui list``: sessions, newest first."""

from __future__ import annotations

import argparse
from typing import Any

from sparrow_tui.cli.fresh import fresh_store
from sparrow_tui.cli.numbers import whole
from sparrow_tui.cli.output import print_json, say, session_line
from sparrow_tui.export.forms import SCHEMA, session_form

EPILOG = """\
JSON: {"schema": 1, "total": n, "sessions": [{"id", "agent", "title", "project", "branch", "model",
"status", "created_at", "updated_at", "turns", "parent", "input_tokens", "output_tokens",
"cache_read_tokens", "cache_write_tokens", "tool_calls", "tool_errors", "cost_usd", …}]}
"""


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "list",
        parents=[common],
        help="list sessions, newest first",
        description="List sessions, last updated first.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--limit", type=whole, metavar="N", help="at most N sessions")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the sessions; the exit code."""
    with fresh_store(options) as store:
        total = store.count()
        sessions = store.list(limit=options.limit)
    if options.json:
        forms = [session_form(session) for session in sessions]
        print_json({"schema": SCHEMA, "total": total, "sessions": forms})
        return 0
    for session in sessions:
        print(session_line(session))
    if not total:
        say("no sessions yet; sparrow-tui doctor says where it looked")
    elif len(sessions) < total:
        say(f"{len(sessions):,} of {total:,} sessions")
    return 0
