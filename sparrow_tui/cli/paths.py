"""``sparrow-tui paths``: where our own files are."""

from __future__ import annotations

import argparse
from typing import Any

from sparrow_tui import paths
from sparrow_tui.cli.output import print_json
from sparrow_tui.export.forms import SCHEMA
from sparrow_tui.store.location import resolve


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "paths",
        parents=[common],
        help="where the store, settings, cache and log are",
        description="Where the store, settings, state, cache and log are.",
        epilog='JSON: {"schema": 1, "store", "config", "state", "cache", "log"}',
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the places; the exit code."""
    places = {
        "store": str(resolve(options.store)),
        "config": str(paths.config_file()),
        "state": str(paths.state_dir()),
        "cache": str(paths.cache_dir()),
        "log": str(paths.log_file()),
    }
    if options.json:
        print_json({"schema": SCHEMA, **places})
        return 0
    for name, place in places.items():
        print(f"{name:<7} {place}")
    return 0
