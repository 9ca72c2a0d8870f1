"""The app itself: ``sparrow-tui [PATH…]`` and ``sparrow-tui --demo``."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What may stand on the command line when no command does."""
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="files or directories to import (default: every agent's own places)",
    )
    parser.add_argument("--demo", action="store_true", help="look around in invented sessions")
    parser.add_argument(
        "--scrape",
        action="append",
        default=[],
        metavar="URL",
        help="also show the counters of a Prometheus endpoint (may be repeated)",
    )
    parser.add_argument(
        "--prometheus", metavar="URL", help="also show a fleet's counters from a Prometheus server"
    )
    parser.set_defaults(run=run)


FRAMES = "120"
"""Frames a second at most: Textual waits for the next one before it draws anything (60 else)."""
HANDOVER = 0.0005
"""Seconds a thread may keep the others waiting."""


def run(options: argparse.Namespace) -> int:
    """Open the app; its exit code."""
    from sparrow_tui.cli.errors import UserError
    from sparrow_tui.store import open_store

    for path in options.paths:
        if not os.path.exists(path):
            raise UserError(
                f"there is no file or directory {path}, nor a command of that name; "
                "sparrow-tui --help lists the commands",
                code=2,
            )
    if options.scrape or options.prometheus:
        _check_addresses([*options.scrape, *filter(None, [options.prometheus])])
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UserError(
            "the app needs a terminal; for scripts there are commands such as "
            "sparrow-tui search QUERY --json (see sparrow-tui --help)"
        )
    if options.demo:
        return _demo(options)
    # A thread that computes hands the interpreter over sooner when a key has come (5 ms else).
    sys.setswitchinterval(HANDOVER)
    os.environ.setdefault("TEXTUAL_FPS", FRAMES)
    # Say what is wrong with the store before the screen is taken over.
    open_store(options.store).close()
    return _open(options.store, options, sync=not options.no_sync)


def _check_addresses(urls: Sequence[str]) -> None:
    """Refuse what cannot be asked for counters before anything else happens."""
    from sparrow_tui.cli.errors import UserError
    from sparrow_tui.metrics.remote import AddressError, checked

    for url in urls:
        try:
            checked(url)
        except AddressError as error:
            raise UserError(str(error), code=2) from error


def _demo(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="sparrow-tui-demo-") as folder:
        location = str(Path(folder) / "demo.db")
        fill_demo(location)
        return _open(location, options, sync=False)


def fill_demo(location: str, now: int | None = None) -> None:
    """Write the invented sessions into a new store.

    Args:
        location: where.
        now: the present in milliseconds since the epoch.
    """
    from sparrow_tui.demo import library
    from sparrow_tui.store import open_store
    from sparrow_tui.store.prepared import prepare

    store = open_store(location)
    try:
        now = int(time.time() * 1000) if now is None else now
        store.write([prepare(batch) for batch in library(now)])
    finally:
        store.close()


def _open(location: str | None, options: argparse.Namespace, *, sync: bool) -> int:
    # Results follow the echo of a key by one frame: shorter frames, sooner results.
    os.environ.setdefault("TEXTUAL_FPS", "120")
    from sparrow_tui.app.app import DEMO, SparrowApp

    app = SparrowApp(
        location,
        sync=sync,
        paths=[os.path.abspath(p) for p in options.paths],
        scrape=options.scrape,
        prometheus=options.prometheus,
    )
    wanted = app.run()
    if app.fault:
        return 1
    if app.leaving_for is not None:
        from sparrow_tui.resume import execute

        return execute(app.leaving_for)
    return _demo(options) if wanted == DEMO else app.return_code or 0
