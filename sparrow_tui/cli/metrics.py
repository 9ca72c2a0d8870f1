"""``sparrow-tui metrics``: the counters as a page, a file or a service for Prometheus."""

from __future__ import annotations

import argparse
import os
import signal
import stat
import tempfile
from pathlib import Path
from threading import Event
from typing import Any

from sparrow_tui.cli.errors import UserError
from sparrow_tui.cli.fresh import fresh_store
from sparrow_tui.cli.output import print_json, say
from sparrow_tui.export.forms import SCHEMA

EXAMPLES = {"prometheus": "prometheus.yml", "grafana": "grafana.json"}
EPILOG = """\
The page begins with the eight counters of the agent Sparrow, to the byte; sparrow_cost_usd_total
among them is in cents, sparrow_cost_dollars_total below in dollars. JSON:
{"schema": 1, "families": [{"name", "type", "help", "samples": [{"name", "labels", "value"}]}]}

FILE is replaced in one step and readable by everyone on this machine, so that node_exporter's
textfile collector can read it; it holds names of agents, models and tools, and numbers.
"""


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "metrics",
        parents=[common],
        help="the counters in Prometheus' text format",
        description="The counters of everything in the store, in Prometheus' text format 0.0.4.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--json", action="store_true", help="print one JSON object")
    way.add_argument(
        "--serve",
        nargs="?",
        const="",
        metavar="HOST:PORT",
        help="serve the page at /metrics (127.0.0.1:9469) and keep importing, until stopped",
    )
    way.add_argument("--textfile", metavar="FILE", help="write the page to a file, in one step")
    way.add_argument(
        "--example",
        choices=sorted(EXAMPLES),
        help="print a configuration to start from: Prometheus' scrape job, a Grafana dashboard",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print, write or serve the page; the exit code."""
    if options.example:
        from importlib.resources import files

        example = files("sparrow_tui.metrics") / "examples" / EXAMPLES[options.example]
        print(example.read_text(encoding="utf-8"), end="")
        return 0
    if options.serve is not None:
        return _serve(options)
    from sparrow_tui.metrics.page import page

    with fresh_store(options) as store:
        text = page(store)
    if options.textfile is not None:
        _write(Path(options.textfile), text)
    elif options.json:
        print_json(page_form(text))
    else:
        print(text, end="")
    return 0


def page_form(text: str) -> dict[str, Any]:
    """A page as JSON."""
    from prometheus_client.parser import text_string_to_metric_families

    return {
        "schema": SCHEMA,
        "families": [
            {
                "name": family.name,
                "type": family.type,
                "help": family.documentation,
                "samples": [
                    {"name": sample.name, "labels": sample.labels, "value": sample.value}
                    for sample in family.samples
                ],
            }
            for family in text_string_to_metric_families(text)
        ],
    }


def _write(path: Path, text: str) -> None:
    """Replace a file in one step.

    Raises:
        UserError: it cannot be written.
    """
    if path.is_dir():
        raise UserError(f"{path} is a directory; name a file ending in .prom", code=2)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                os.fchmod(file.fileno(), stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IROTH)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}") from error


def _serve(options: argparse.Namespace) -> int:
    """Serve until told to stop; importing goes on in a process of its own."""
    from sparrow_tui.metrics.serve import HOST, PORT, AddressError, PageServer, address_of
    from sparrow_tui.store import open_store
    from sparrow_tui.sync.client import SyncProcess
    from sparrow_tui.sync.progress import Progress

    open_store(options.store).close()  # say what is wrong with it before anything else
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        address = address_of(options.serve) if options.serve else (HOST, PORT)
    except AddressError as error:
        raise UserError(str(error), code=2) from error
    try:
        server = PageServer(address, options.store)
    except AddressError as error:
        raise UserError(str(error)) from error

    def hear(progress: Progress) -> None:
        if progress.phase == "failed":
            say(f"importing has stopped: {progress.message}")

    sync = None if options.no_sync else SyncProcess(options.store, hear)
    try:
        if sync is not None:
            sync.start()
        say(f"serving {server.url} (Ctrl+C ends)")
        server.serve_until(stop.is_set)
    finally:
        server.server_close()
        if sync is not None:
            sync.stop()
            sync.wait(5)
    return 0
