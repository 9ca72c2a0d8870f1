"""``sparrow-tui sync``: import without the app."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from sparrow_tui.cli.errors import UserError
from sparrow_tui.cli.output import coloured, print_json, say
from sparrow_tui.export.forms import SCHEMA
from sparrow_tui.sanitize import clean_line
from sparrow_tui.store import open_store
from sparrow_tui.sync.progress import Progress, Report, gone_in_words, sized

BAR = 24
EPILOG = """\
JSON: {"schema": 1, "read", "skipped", "failed", "sessions", "turns", "bytes", "seconds",
"agents": {name: {"read", "failed", "bytes"}}, "gone", "failures": [{"agent", "path", "problem"}]}

"read" and "skipped" count sources (files, databases); "sessions" those new or changed; "turns"
those added; "bytes" those of the sources read.
"""


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "sync",
        parents=[common],
        help="import sessions without the app",
        description="Import what is new or changed: every agent's own places, or the PATHs given.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files and directories to import")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Import and say what was done; the exit code: 1 if a source could not be read."""
    from sparrow_tui.agents.base import Place
    from sparrow_tui.sync import memory
    from sparrow_tui.sync.importing import import_all
    from sparrow_tui.sync.lease import lease

    for path in options.paths:
        if not os.path.exists(path):
            raise UserError(f"there is no file or directory {path}", code=2)
    if options.no_sync:
        raise UserError("sync with --no-sync would do nothing; leave one of them out", code=2)
    store = open_store(options.store)
    bar = _Bar()
    memory.prepare()
    try:
        with lease(
            store.path,
            stopped=lambda: False,
            waiting=lambda: say("another sparrow-tui is importing; waiting for it…"),
            asks=True,
        ):
            report = import_all(store, Place.here(), bar.show, paths=options.paths)
    finally:
        bar.clear()
        store.close()
    for failure in report.failures:
        where = f"{failure.agent}: " if failure.agent else ""
        say(f"{where}{failure.path}: {failure.problem}")
    if options.json:
        print_json(report_form(report))
    else:
        print(in_words(report))
    return 1 if report.failed else 0


def report_form(report: Report) -> dict[str, Any]:
    """The report as JSON."""
    return {
        "schema": SCHEMA,
        "read": report.read,
        "skipped": report.skipped,
        "failed": report.failed,
        "sessions": report.sessions,
        "turns": report.turns,
        "bytes": report.bytes,
        "seconds": round(report.seconds, 3),
        "agents": {
            name: {"read": part.read, "failed": part.failed, "bytes": part.bytes}
            for name, part in sorted(report.agents.items())
        },
        "gone": report.gone,
        "failures": [
            {"agent": item.agent or None, "path": item.path, "problem": item.problem}
            for item in report.failures
        ],
    }


def in_words(report: Report) -> str:
    """The report in one line, and one for each agent."""
    lines = [
        f"read {_many(report.read, 'source')} ({sized(report.bytes)}), skipped "
        f"{report.skipped:,} unchanged, {report.failed:,} failed: "
        f"{_many(report.sessions, 'session')}, {_many(report.turns, 'new turn')} in "
        f"{report.seconds:.1f} s"
    ]
    for name, part in sorted(report.agents.items()):
        failed = f", {part.failed:,} failed" if part.failed else ""
        lines.append(f"  {clean_line(name):<14} {part.read:>7,} read{failed}")
    if report.gone:
        lines.append(f"  {gone_in_words(report.gone)} here")
    return "\n".join(lines)


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


class _Bar:
    """A progress bar on stderr, if that is a terminal."""

    def __init__(self) -> None:
        self._on = coloured(sys.stderr) or sys.stderr.isatty()
        self._shown = False

    def show(self, progress: Progress) -> None:
        """Draw it anew."""
        if not self._on:
            return
        if progress.phase == "reading" and progress.of_bytes:
            done = min(progress.bytes / progress.of_bytes, 1.0)
            filled = int(done * BAR)
            eta = f"  {progress.eta:.0f} s left" if progress.eta else ""
            text = (
                f"{'━' * filled}{'─' * (BAR - filled)} {done:4.0%}  {sized(progress.bytes)} of "
                f"{sized(progress.of_bytes)}  {progress.sessions:,} sessions  "
                f"{sized(progress.rate)}/s{eta}"
            )
        elif progress.phase == "glancing":
            text = progress.glancing
        elif progress.phase == "indexing":
            text = progress.indexing
        else:
            text = "looking for sessions…"
        sys.stderr.write(f"\r\x1b[2K{text}")
        sys.stderr.flush()
        self._shown = True

    def clear(self) -> None:
        """Leave an empty line."""
        if self._shown:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
