"""Everything known of a session, in words: for the page about it and for the command line."""

from __future__ import annotations

from collections.abc import Iterator

from sparrow_tui.app import clock
from sparrow_tui.sanitize import clean_line
from sparrow_tui.store.base import Session
from sparrow_tui.store.liveness import status_now


def facts(session: Session, label: str, present: int) -> Iterator[tuple[str, str]]:
    """Names and values, safe; an empty name is a gap."""
    rows: list[tuple[str, str | None]] = [
        ("Session", session.id),
        ("Agent", label),
        ("Status", _status(session, present)),
        ("Name", session.name),
        ("Tags", ", ".join(session.tags)),
        ("Project", session.project),
        ("Branch", session.branch),
        ("Model", session.model),
        ("Sub-agent of", session.parent),
        ("", None),
        ("Begun", clock.stamp(session.created_at)),
        ("Last turn", clock.stamp(session.updated_at)),
        ("Turns", f"{session.turns:,}"),
        ("Text", f"{session.chars:,} characters"),
        ("", None),
    ]
    coverage = session.coverage
    if coverage is not None:
        rows += [*_counts(session), ("", None)]
    rows.append(("Source", session.source))
    if session.source_gone:
        rows.append(("Source gone", "its agent has deleted it: this is the only copy"))
    elif session.expires_at is not None:
        rows.append(("Expires", _expiry(session.expires_at, present)))
    rows.append(("", None))
    if coverage is None:
        rows.append(("Records", "not read in full yet: only what was said is here"))
    else:
        rows += [
            ("Records", f"{coverage.records:,} in the source"),
            ("Kept", f"{coverage.kept:,}"),
            ("Skipped by rule", f"{coverage.skipped:,}"),
            ("Unknown", f"{sum(coverage.unknown.values()):,} {_kinds(coverage.unknown)}"),
            ("Bad", f"{coverage.bad:,}"),
        ]
    for name, value in session.extra.items():
        rows.append((clean_line(str(name), 15), str(value)))
    for name, said in rows:
        if not name or said:
            yield name, clean_line(said or "", 400)


def _status(session: Session, present: int) -> str | None:
    """What the list's sign says, in words."""
    if session.ghost:
        return "only its prompts are left: its agent deleted it before it could be read"
    said = {"waiting": "waiting for you", "unclean": "stopped in the middle", "active": None}
    status = status_now(session, present)
    return said.get(status, status)


def _counts(session: Session) -> list[tuple[str, str]]:
    """What its turns add up to."""
    usage = session.usage
    cost = f"${session.cost_micro / 1e6:,.4f}" if session.cost_micro is not None else "not known"
    if session.unpriced:
        cost += f" ({session.unpriced:,} tokens without a price)"
    return [
        ("Requests", f"{session.requests:,} ok, {session.request_errors:,} failed"),
        ("Tool calls", f"{session.tool_calls:,}, {session.tool_errors:,} failed"),
        ("Tokens in", f"{usage.input:,}"),
        ("Tokens out", f"{usage.output:,} ({usage.reasoning:,} reasoning)"),
        ("Cache", f"{usage.cache_read:,} read, {usage.cache_write:,} written"),
        ("Cost", cost),
    ]


def _expiry(moment: int, present: int) -> str:
    """When the agent itself deletes the session."""
    when = f"in {clock.until(moment, present)}" if moment > present else "when it next cleans up"
    return f"its agent deletes it {when}; it stays here"


def _kinds(unknown: dict[str, int]) -> str:
    return f"({', '.join(sorted(unknown)[:6])})" if unknown else ""
