"""``sparrow-tui doctor``: where things are, whether they are well, what could not be read."""

from __future__ import annotations

import argparse
import os
import shutil
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sparrow_tui.agents.base import Agent, Place, is_there
from sparrow_tui.agents.registry import agents
from sparrow_tui.app import clock
from sparrow_tui.app.session_facts import facts
from sparrow_tui.cli.output import BOLD, DIM, RED, YELLOW, paint, print_json
from sparrow_tui.export.forms import SCHEMA, session_form
from sparrow_tui.sanitize import clean_line
from sparrow_tui.store import open_store, sources
from sparrow_tui.store.base import StoreError
from sparrow_tui.store.location import resolve
from sparrow_tui.store.schema import VERSION
from sparrow_tui.sync.progress import gone_in_words

EXAMPLES = 5
"""Faults and unknown records shown of each agent; ``--json`` has all."""


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "doctor",
        parents=[common],
        help="where things are, and whether they are well",
        description="Where the store is, its size and health; for each agent where sessions were "
        "looked for, what was found and what could not be read. With SESSION: all that is known "
        "of it, and how much of its source was understood.",
        epilog='JSON: {"schema": 1, "store": {"path", "exists", "bytes", "version", "healthy", '
        '"problem", "sessions", "turns"}, "agents": {name: {"label", "places": [{"path", '
        '"exists"}], "resume", "retention_days", "sources", "sessions", "turns", "bytes", '
        '"gone", "coverage", "problems", "unknown"}}}; with SESSION: {"schema": 1, '
        '"session": {…}}',
    )
    parser.add_argument(
        "session", nargs="?", metavar="SESSION", help="an id, or the beginning of one"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the findings; the exit code: 1 if the store is not well."""
    if options.session is not None:
        return _one(options)
    report = examine(options.store)
    if options.json:
        print_json(report)
    else:
        _print(report)
    return 0 if report["store"]["healthy"] else 1


def _one(options: argparse.Namespace) -> int:
    """All that is known of one session."""
    store = open_store(options.store, readonly=True)
    try:
        session = store.load(store.resolve(options.session))
    finally:
        store.close()
    assert session is not None, "it was just found"
    if options.json:
        print_json({"schema": SCHEMA, "session": session_form(session)})
        return 0
    agent = agents().get(session.agent)
    print(paint(clean_line(session.title) or "(no prompt)", BOLD))
    for name, value in facts(session, agent.label if agent else session.agent, clock.now()):
        print(f"{paint(f'{name:<16}', DIM)}{value}" if name else "")
    return 0


def examine(location: str | None) -> dict[str, Any]:
    """Look at the store and at every agent's places."""
    path = resolve(location)
    found: dict[str, dict[str, Any]] = {}
    store_form: dict[str, Any] = {
        "path": str(path),
        "exists": path.exists(),
        "bytes": _bytes(path),
        "version": None,
        "healthy": True,
        "problem": None,
        "sessions": 0,
        "turns": 0,
    }
    if path.exists():
        try:
            store = open_store(location, readonly=True)
            try:
                db = store.connection
                store_form["version"] = VERSION
                # Covers the full-text index too: FTS5 checks itself when asked so.
                verdict = [row[0] for row in db.execute("PRAGMA integrity_check(5)").fetchall()]
                if verdict != ["ok"]:
                    store_form |= {"healthy": False, "problem": "; ".join(map(str, verdict))}
                counts = db.execute("SELECT count(*), sum(turns) FROM session").fetchone()
                store_form |= {"sessions": counts[0], "turns": counts[1] or 0}
                found = sources.report(db)
            finally:
                store.close()
        except StoreError as error:
            store_form |= {"healthy": False, "problem": str(error)}
    place = Place.here()
    agent_forms = {}
    for name, agent in agents().items():
        held = found.get(name, {})
        roots = agent.roots(place)
        agent_forms[name] = {
            "label": agent.label,
            "places": [{"path": str(root), "exists": is_there(root)} for root in roots],
            "resume": not agent.no_resume,
            "retention_days": _retention(agent, place),
            "sources": held.get("sources", 0),
            "bytes": held.get("bytes", 0),
            "gone": held.get("gone", 0),
            "sessions": held.get("sessions", 0),
            "turns": held.get("turns", 0),
            "coverage": held.get("coverage"),
            "problems": [*_closed(roots), *held.get("problems", [])],
            "unknown": held.get("unknown", []),
        }
    return {"schema": SCHEMA, "store": store_form, "agents": agent_forms}


def _retention(agent: Agent, place: Place) -> int | None:
    """After how many days the agent deletes its sources, by its settings as they are now."""
    try:
        return agent.retention_days(place)
    except Exception:  # whatever another program's settings hold
        return None


def _closed(roots: Iterable[Path]) -> list[dict[str, str]]:
    """The places that are there and may not be looked into."""
    closed = [root for root in roots if is_there(root) and not os.access(root, os.R_OK)]
    return [{"path": str(root), "problem": "it cannot be read"} for root in closed]


def _bytes(path: Path) -> int:
    """The store's size, its log included."""
    size = 0
    for suffix in ("", "-wal"):
        try:
            size += os.path.getsize(f"{path}{suffix}")
        except OSError:
            continue
    return size


def _print(report: dict[str, Any]) -> None:
    store = report["store"]
    print(f"{paint('Store', BOLD)}  {_short(store['path'])}")
    if not store["exists"]:
        print("  not there yet: the first sync makes it")
    else:
        health = "well" if store["healthy"] else paint(clean_line(store["problem"]), RED)
        print(
            f"  {store['bytes'] / 1e6:,.1f} MB, {store['sessions']:,} sessions, "
            f"{store['turns']:,} turns; {health}"
        )
    absent = []
    for held in report["agents"].values():
        if held["sources"] or held["sessions"] or any(p["exists"] for p in held["places"]):
            _agent(held)
        else:
            absent.append(clean_line(held["label"]))
    if absent:
        width = shutil.get_terminal_size((80, 24)).columns
        line = f"Not here: {', '.join(absent)}. Where they were looked for: doctor --json"
        print("\n" + textwrap.fill(line, width, subsequent_indent="  ", break_on_hyphens=False))


def _agent(held: dict[str, Any]) -> None:
    """What was found of one agent."""
    coverage = held["coverage"] or {}
    state = "nothing found"
    if held["sources"] or held["sessions"]:
        state = (
            f"{_many(held['sources'], 'source')}, {_many(held['sessions'], 'session')}, "
            f"{_many(held['turns'], 'turn')}"
        )
    if coverage.get("records"):
        state += f", {_share(coverage)} of records understood"
    print(f"\n{paint(clean_line(held['label']), BOLD)}  {state}")
    for place in held["places"]:
        if place["exists"]:
            print(f"  {_short(place['path'])}")
    missing = [place["path"] for place in held["places"] if not place["exists"]]
    if missing:
        more = f" nor {len(missing) - 1:,} more" if len(missing) > 1 else ""
        print(paint(f"  not there: {_short(missing[0])}{more}", DIM))
    if coverage.get("records"):
        unknown = sum(coverage.get("unknown", {}).values())
        print(
            f"  {coverage['records']:,} records: {coverage.get('kept', 0):,} kept, "
            f"{coverage.get('skipped', 0):,} skipped by rule, {unknown:,} unknown, "
            f"{coverage.get('bad', 0):,} bad"
        )
    if held["sources"] and held["retention_days"]:
        days = _many(held["retention_days"], "day")
        print(f"  its agent deletes a session {days} after its last change; here it stays")
    if held["gone"]:
        print(f"  {gone_in_words(held['gone'])} here")
    for item in held["problems"][:EXAMPLES]:
        print(paint(f"  {_short(item['path'])}: {clean_line(item['problem'])}", RED))
    if len(held["problems"]) > EXAMPLES:
        print(f"  and {len(held['problems']) - EXAMPLES:,} more that could not be read")
    for item in held["unknown"][:EXAMPLES]:
        print(paint(f"  {item['number']:,} unknown: {clean_line(item['kind'])}", YELLOW))
        if item["example"]:
            print(f"    as in {_short(item['example'])}")
    if len(held["unknown"]) > EXAMPLES:
        print(f"  and {len(held['unknown']) - EXAMPLES:,} more kinds that are unknown")


def _share(coverage: dict[str, Any]) -> str:
    """How much was understood, rounded down: 100 % is said of all only."""
    records = coverage["records"]
    lost = coverage.get("bad", 0) + sum(coverage.get("unknown", {}).values())
    hundredths = max(0, records - lost) * 10_000 // records
    return f"{hundredths / 100:g} %"


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _short(path: str) -> str:
    """A path as people write it, safe to print."""
    home = os.path.expanduser("~")
    if home != "~" and path.startswith(home + os.sep):
        path = "~" + path[len(home) :]
    return clean_line(path)
