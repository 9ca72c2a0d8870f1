"""``sparrow-tui restore``: a kept session written back as the agent's own file."""

from __future__ import annotations

import argparse
import sys
from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from sparrow_tui.agents.base import Place, SourceError, is_there
from sparrow_tui.agents.registry import agents
from sparrow_tui.cli.errors import UserError
from sparrow_tui.model import Block, Image, ToolResult, Turn
from sparrow_tui.store import open_store
from sparrow_tui.store.base import Session
from sparrow_tui.store.sqlite import SqliteStore


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to the command line."""
    able = ", ".join(agent.label for agent in agents().values() if agent.restorable)
    parser = commands.add_parser(
        "restore",
        parents=[common],
        help="write a kept session back as the agent's own file",
        description="Write a session that is kept here back as the agent's own file, so that the "
        "agent can open it again, with its sub-agents. Never "
        f"overwrites. Possible for: {able}.",
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
        children = store.reader.children(session.id)
        inside = [child for child in children if agent.is_inside(child.info)]
        print(
            agent.restore_whole(
                session.info,
                _turns(store, session),
                ((child.info, _turns(store, child)) for child in inside),
                Place.here(),
            )
        )
        left = 0
        for child in children:
            if child in inside:
                continue
            try:
                print(agent.restore(child.info, _turns(store, child), Place.here()))
            except SourceError:
                left += not (child.source and is_there(child.source))
        if left:
            them = "1 sub-agent was" if left == 1 else f"{left:,} sub-agents were"
            print(f"{them} not written back; what was done stays here", file=sys.stderr)
    finally:
        store.close()
    return 0


def _turns(store: SqliteStore, session: Session) -> Iterator[Turn]:
    for turn in store.turns(session.id):
        yield replace(turn, blocks=_with_pictures(store, turn.blocks))


def _with_pictures(store: SqliteStore, blocks: Sequence[Block]) -> list[Block]:
    """Blocks with the bytes of the pictures that the store keeps beside them."""
    found: list[Block] = []
    for block in blocks:
        if isinstance(block, ToolResult):
            block = replace(block, content=_with_pictures(store, block.content))
        elif (
            isinstance(block, Image) and block.ref and (kept := store.reader.attachment(block.ref))
        ):
            block = replace(block, data=b64encode(kept[1]).decode(), ref="")
        found.append(block)
    return found
