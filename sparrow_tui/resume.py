"""Going on with a session in its agent: the command, where it starts, and what stands against it.

The command is run without a shell; nothing of a session's file is interpreted by one.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from sparrow_tui.agents.registry import agents
from sparrow_tui.sanitize import clean
from sparrow_tui.store.base import Session


class CannotResume(Exception):
    """A session cannot be continued. The message is one sentence for the user."""


@dataclass(frozen=True, slots=True)
class Command:
    """What continues a session."""

    argv: tuple[str, ...]
    """The program's name and its arguments."""
    directory: str
    """Where it starts; empty: anywhere."""
    program: str
    """Absolute path of the program; empty if there is none."""
    problem: str
    """One sentence on why it cannot be run now; empty if it can."""
    warning: str = ""
    """One sentence on what may go wrong; empty if nothing is known."""

    @property
    def display(self) -> str:
        """The command as one would type it; safe to print."""
        return clean(shlex.join(self.argv))

    @property
    def line(self) -> str:
        """The command with its directory, to be pasted into a shell; safe to print."""
        return clean(f"cd {shlex.quote(self.directory)} && " if self.directory else "") + (
            self.display
        )


def command(
    session: Session,
    *,
    which: Callable[[str], str | None] = shutil.which,
    is_directory: Callable[[str], bool] = os.path.isdir,
) -> Command:
    """The command that continues a session, and whether it can be run here.

    Args:
        session: as the store gave it.
        which: finds a program.
        is_directory: whether a directory is there.

    Raises:
        CannotResume: the agent has no such command, or the session's file asks for one that
            could mean something else.
    """
    agent = agents().get(session.agent)
    if agent is None:
        raise CannotResume(f"no agent called {session.agent} is known here")
    if session.ghost:
        raise CannotResume(f"{agent.label} has deleted this session: only its prompts are left")
    found = agent.resume(session.info)
    if found is None:
        reason = agent.no_resume or (
            f"{agent.label} cannot open a sub-agent's session; resume {session.parent}"
            if session.parent
            else f"{agent.label} has no command that opens this session"
        )
        raise CannotResume(reason[:1].lower() + reason[1:].rstrip("."))
    natives = [known.partition(":")[2] for known in (session.id, session.parent or "")]
    for word in (*found.argv, found.directory):
        if any(not c.isprintable() for c in word):
            raise CannotResume("the session's id or directory holds characters no command has")
    # An id comes from a file anybody may have written: it must not be read as an option.
    if any(native.startswith("-") for native in natives) or not all(found.argv):
        raise CannotResume("the session's id could be taken for an option of the agent's program")
    if found.directory and not os.path.isabs(found.directory):
        raise CannotResume(f"the session's directory, {found.directory}, is not an absolute path")
    program = which(found.argv[0]) or ""
    problem = ""
    if not program:
        problem = f"{found.argv[0]} is not installed, or not on the PATH"
    elif found.directory and not is_directory(found.directory):
        problem = f"the session's directory, {found.directory}, is not there"
    warning = ""
    if session.source_gone:
        warning = f"{agent.label} has deleted its file of this session and may not find it"
        if agent.restorable:
            warning += "; sparrow-tui restore writes it back"
    return Command(
        argv=found.argv,
        directory=found.directory,
        # Before the directory changes, so that no program there is run instead.
        program=os.path.abspath(program) if program else "",
        problem=problem,
        warning=warning,
    )


def execute(chosen: Command) -> int:
    """Become the agent's program, in the session's directory. Leave full-screen modes before.

    Returns:
        The program's exit code, on systems where a process cannot become another; else never.

    Raises:
        CannotResume: it cannot be started.
    """
    if chosen.problem:
        raise CannotResume(chosen.problem)
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        if chosen.directory:
            os.chdir(chosen.directory)
        if sys.platform == "win32":
            return subprocess.call([chosen.program, *chosen.argv[1:]])
        os.execv(chosen.program, chosen.argv)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CannotResume(f"{chosen.argv[0]} could not be started: {reason}") from None
