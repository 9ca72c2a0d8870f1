"""``sparrow-tui restore``: a kept session written back as the agent's own file."""

from __future__ import annotations

import argparse
from typing import Any

from sparrow_tui.agents.base import Place
from sparrow_tui.agents.registry import agents
from sparrow_tui.cli.errors import UserError
from sparrow_tui.model import SessionInfo
from sparrow_tui.store import open_store


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to the command line."""
    able = ", ".join(agent.label for agent in agents().values() if agent.restorable)
    parser = commands.add_parser(
        "restore",
        parents=[common],
        help="write a kept session back as the agent's own file",
        description="Write a session that is kept here back as the agent's own file, so that the "
        f"agent can open it again. Never overwrites. Possible for: {able}.",
    )
    parser.add_argument("session", metavar="SESSION", help="an id, or the beginning of one")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the file and print its path; the exit code."""
    store = open_store(options.store, readonly=True)
    try:
        session = store.load(store.resolve(options.session))
        assert session is not None
        agent = agents().get(session.agent)
        if agent is None or not agent.restorable:
            label = agent.label if agent else session.agent
            why = agent.no_restore if agent else ""
            raise UserError(
                f"{label} sessions cannot be written back as the agent's own file"
                f"{f' ({why})' if why else ''}; "
                "sparrow-tui export writes Markdown, HTML or JSON"
            )
        info = SessionInfo(
            id=session.id,
            title=session.title or None,
            project=session.project,
            branch=session.branch,
            model=session.model,
            created_at=session.created_at,
            updated_at=session.updated_at,
            usage=session.usage,
            cost_micro=session.cost_micro,
            extra=session.extra,
        )
        path = agent.restore(info, store.turns(session.id), Place.here())
    finally:
        store.close()
    print(path)
    return 0
