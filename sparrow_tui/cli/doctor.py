"""``sparrow-tui doctor``: where things are, whether they are well, what could not be read."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from sparrow_tui.agents.base import Place
from sparrow_tui.agents.registry import agents
from sparrow_tui.cli.output import BOLD, DIM, RED, YELLOW, paint, print_json
from sparrow_tui.export.forms import SCHEMA
from sparrow_tui.sanitize import clean_line
from sparrow_tui.store import open_store, sources
from sparrow_tui.store.base import StoreError
from sparrow_tui.store.location import resolve
from sparrow_tui.store.schema import VERSION

EXAMPLES = 5
"""Faults and unknown records shown of each agent; ``--json`` has all."""


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "doctor",
        parents=[common],
        help="where things are, and whether they are well",
        description="Where the store is, its size and health; for each agent where sessions were "
        "looked for, what was found and what could not be read.",
        epilog='JSON: {"schema": 1, "store": {"path", "exists", "bytes", "version", "healthy", '
        '"problem", "sessions", "turns"}, "agents": {name: {"label", "places": [{"path", '
        '"exists"}], "sources", "sessions", "turns", "bytes", "gone", "coverage", "problems", '
        '"unknown"}}}',
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the findings; the exit code: 1 if the store is not well."""
    report = examine(options.store)
    if options.json:
        print_json(report)
    else:
        _print(report)
    return 0 if report["store"]["healthy"] else 1


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
        agent_forms[name] = {
            "label": agent.label,
            "places": [{"path": str(root), "exists": root.exists()} for root in agent.roots(place)],
            "resume": not agent.no_resume,
            "sources": held.get("sources", 0),
            "bytes": held.get("bytes", 0),
            "gone": held.get("gone", 0),
            "sessions": held.get("sessions", 0),
            "turns": held.get("turns", 0),
            "coverage": held.get("coverage"),
            "problems": held.get("problems", []),
            "unknown": held.get("unknown", []),
        }
    return {"schema": SCHEMA, "store": store_form, "agents": agent_forms}


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
    print(paint("Store", BOLD))
    print(f"  {clean_line(store['path'])}")
    if not store["exists"]:
        print("  not there yet: the first sync makes it")
    else:
        health = "well" if store["healthy"] else paint(clean_line(store["problem"]), RED)
        print(
            f"  {store['bytes'] / 1e6:,.1f} MB, {store['sessions']:,} sessions, "
            f"{store['turns']:,} turns; {health}"
        )
    for held in report["agents"].values():
        there = [place for place in held["places"] if place["exists"]]
        state = (
            f"{held['sources']:,} sources, {held['sessions']:,} sessions, {held['turns']:,} turns"
            if held["sources"] or held["sessions"]
            else ("nothing found" if there else "not here")
        )
        print(f"\n{paint(clean_line(held['label']), BOLD)}  {state}")
        for place in held["places"]:
            mark = "✓" if place["exists"] else paint("·", DIM)
            print(f"  {mark} {clean_line(place['path'])}")
        _details(held)


def _details(held: dict[str, Any]) -> None:
    coverage = held["coverage"] or {}
    if coverage.get("records"):
        unknown = sum(coverage.get("unknown", {}).values())
        print(
            f"  records: {coverage['records']:,} in the sources, {coverage.get('kept', 0):,} kept, "
            f"{coverage.get('skipped', 0):,} skipped by rule, {unknown:,} unknown, "
            f"{coverage.get('bad', 0):,} bad"
        )
    if held["gone"]:
        print(f"  {held['gone']:,} sources are gone; their sessions are kept here")
    for item in held["problems"][:EXAMPLES]:
        print(paint(f"  {clean_line(item['path'])}: {clean_line(item['problem'])}", RED))
    if len(held["problems"]) > EXAMPLES:
        print(f"  and {len(held['problems']) - EXAMPLES:,} more that could not be read")
    for item in held["unknown"][:EXAMPLES]:
        example = f" (as in {clean_line(item['example'])})" if item["example"] else ""
        text = f"  unknown record {clean_line(item['kind'])}: {item['number']:,}{example}"
        print(paint(text, YELLOW))
