"""The command line: what was asked for, and which module answers."""

from __future__ import annotations

import argparse
import contextlib
import errno
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from sparrow_tui import __version__

PROG = "sparrow-tui"

COMMANDS: dict[str, str] = {
    "sync": "import sessions without the app",
    "list": "list sessions, newest first",
    "search": "find turns",
    "show": "print a session, or a window of it",
    "recent": "recent user inputs",
    "export": "write a session as Markdown, HTML, JSON or a patch",
    "resume": "continue a session in its agent",
    "restore": "write a kept session back as the agent's own file",
    "delete": "remove a session from our store only",
    "stats": "tokens, cost and calls as tables",
    "metrics": "the counters in Prometheus' text format",
    "doctor": "where things are, and whether they are well",
    "paths": "where the store, settings, cache and log are",
}
"""Commands and what they do; ``sparrow_tui.cli.<name>`` answers."""


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one sentence."""

    def __init__(self, **options: object) -> None:
        options.setdefault("allow_abbrev", False)
        super().__init__(**options)  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where help is; exit code 2."""
        self.exit(2, f"{PROG}: {message}; see {self.prog} --help\n")


def common_options() -> argparse.ArgumentParser:
    """Options that stand before or after a command."""
    common = Parser(prog=PROG, add_help=False, argument_default=argparse.SUPPRESS)
    group = common.add_argument_group("common options")
    group.add_argument(
        "--store",
        metavar="PATH",
        help="the archive to use: a file or sqlite:///file (else $SPARROW_TUI_STORE)",
    )
    group.add_argument(
        "--no-sync", action="store_true", help="leave the store as it is: import nothing"
    )
    return common


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; its exit code: 0 ok, 1 failed, 2 usage."""
    # Not list(): the command of that name, once imported, hides it here.
    arguments = [*(sys.argv[1:] if argv is None else argv)]
    _prepare_streams()
    try:
        code = _run(arguments)
        sys.stdout.flush()
        return code
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _give_up_output()
        return 0
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
            return _report(error)
        _give_up_output()
        print(f"{PROG}: the output cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    except Exception as error:
        return _report(error)


def _prepare_streams() -> None:
    """Streams that were closed swallow; those that cannot say a character say ``?`` instead."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _give_up_output() -> None:
    """Nobody takes our output any more; keep the interpreter from complaining at exit."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(arguments: list[str]) -> int:
    common = common_options()
    before, rest = common.parse_known_args(_options_first(arguments))
    command = next((word for word in rest if not word.startswith("-")), None)
    if command in COMMANDS:
        parser = Parser(prog=PROG, add_help=False)
        commands = parser.add_subparsers(parser_class=Parser)
        module = import_module(f"sparrow_tui.cli.{command}")
        module.register(commands, common)
        rest.remove(command)
        parser.prog = f"{PROG} {command}"  # whose help is meant when something is wrong
        arranged = getattr(module, "arranged", None)
        options = parser.parse_args([command, *(arranged(rest) if arranged else rest)])
    else:
        app = import_module("sparrow_tui.cli.app")

        parser = Parser(
            prog=PROG,
            description="The terminal cockpit for coding agents' sessions.",
            epilog=_commands_help(),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            parents=[common],
        )
        parser.add_argument("--version", action="version", version=f"{PROG} {__version__}")
        app.add_arguments(parser)
        options = parser.parse_args(rest)
    for name, value in vars(before).items():
        setattr(options, name, value)
    options.store = getattr(options, "store", None)
    options.no_sync = getattr(options, "no_sync", False)
    return int(options.run(options))


def _options_first(arguments: list[str]) -> list[str]:
    """The arguments as they are, ``--version`` anywhere taken as asked for at the top."""
    if "--version" in arguments[: arguments.index("--") if "--" in arguments else None]:
        return ["--version"]
    return arguments


def _commands_help() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {text}" for name, text in COMMANDS.items()]
    return "\n".join(
        [
            "commands:",
            *lines,
            "",
            f"Without a command the app opens. {PROG} COMMAND --help says more.",
        ]
    )


def _report(error: Exception) -> int:
    """One sentence for the user; the trace of a fault of ours goes to the log."""
    from sparrow_tui.agents.base import SourceError
    from sparrow_tui.cli.errors import UserError
    from sparrow_tui.sanitize import clean
    from sparrow_tui.store.base import StoreError

    if isinstance(error, StoreError | UserError | SourceError):
        print(f"{PROG}: {clean(str(error))}", file=sys.stderr)
        return getattr(error, "code", 1)
    from sparrow_tui.faultlog import record

    where = record(error)
    print(
        f"{PROG}: something went wrong that should not have ({type(error).__name__}); "
        f"{f'details are in {where}' if where else 'the log could not be written'}",
        file=sys.stderr,
    )
    return 1
