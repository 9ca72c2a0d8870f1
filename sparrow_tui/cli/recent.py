"""``sparrow-tui recent``: what people typed to their agents, newest first, each once."""

from __future__ import annotations

import argparse
from typing import Any

from sparrow_tui.cli.fresh import fresh_store
from sparrow_tui.cli.numbers import whole
from sparrow_tui.cli.output import DIM, age, paint, print_json, say, width
from sparrow_tui.export.forms import SCHEMA, input_form
from sparrow_tui.sanitize import clean_line

EPILOG = 'JSON: {"schema": 1, "inputs": [{"text", "session", "turn", "time"}]}'


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "recent",
        parents=[common],
        help="recent user inputs",
        description="What was typed to agents lately, newest first, each text once.",
        epilog=EPILOG,
    )
    parser.add_argument("--limit", type=whole, default=50, metavar="N", help="at most N (50)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the inputs; the exit code."""
    with fresh_store(options) as store:
        inputs = store.recent_inputs(options.limit)
    if options.json:
        print_json({"schema": SCHEMA, "inputs": [input_form(said) for said in inputs]})
        return 0
    for said in inputs:
        text = clean_line(said.text, max(width() - 8, 20))
        print(f"{paint(f'{age(said.time):>5}', DIM)}  {text}")
    if not inputs and options.limit:
        say("nothing was typed yet; sparrow-tui doctor says where it looked")
    return 0
