"""Claude Code's marks in the talk: ``system`` records, links to pull requests and artifacts."""

from __future__ import annotations

from typing import Any

from sparrow_tui.agents import claude_titles
from sparrow_tui.agents.common import as_text, whole
from sparrow_tui.model import Block, Notice

LINKS = 50
"""Addresses that are remembered, so that each is told once."""


def system(state: dict[str, Any], subtype: str, record: dict[str, Any]) -> list[Block]:
    """The marks of a ``system`` record; none if it says nothing a reader wants."""
    if subtype == "turn_duration":
        return []
    text = as_text(record.get("content")).strip()
    if subtype == "stop_hook_summary":
        said = [*_strings(record.get("hookErrors")), as_text(record.get("stopReason")).strip()]
        said = [part for part in said if part]
        return [Notice("error", "Stop hook: " + "\n".join(said))] if said else []
    if subtype == "api_error":
        return _retried(state, record)
    if subtype in ("compact_boundary", "microcompact_boundary"):
        facts = record.get("compactMetadata") or record.get("microcompactMetadata") or {}
        before = whole(facts.get("preTokens")) if isinstance(facts, dict) else 0
        more = f" (from {before:,} tokens)" if before else ""
        return [Notice("compaction", f"{text or 'Conversation compacted'}{more}")]
    if subtype == "local_command" or claude_titles.COMMAND.match(text):
        return claude_titles.command(state, text)
    if failure := _failure(record.get("error")):
        return [Notice("error", "\n".join(part for part in (text, failure) if part))]
    explained = as_text(record.get("apiRefusalExplanation")).strip()
    said = [part for part in (text, explained) if part]
    return [Notice("summary" if subtype == "away_summary" else "info", "\n".join(said) or subtype)]


def _strings(value: Any) -> list[str]:
    return [as_text(item).strip() for item in value] if isinstance(value, list) else []


def _failure(error: Any) -> str:
    if not isinstance(error, dict):
        return as_text(error).strip()
    return as_text(error.get("formatted") or error.get("message")).strip()


def _retried(state: dict[str, Any], record: dict[str, Any]) -> list[Block]:
    """A request that failed and is tried again; a row of the same failures is told once."""
    said = _failure(record.get("error"))
    if not said or (said == state.get("retried") and whole(record.get("retryAttempt")) > 1):
        return []
    state["retried"] = said
    return [Notice("error", f"API error, tried again: {said}")]


def link(state: dict[str, Any], record: dict[str, Any]) -> list[Block]:
    """A pull request or an artifact of the session, the first time it is named."""
    address = as_text(record.get("prUrl") or record.get("frameUrl"))
    known: list[str] = state.setdefault("links", [])
    if not address or address in known:
        return []
    known.append(address)
    del known[:-LINKS]
    name = as_text(record.get("title")) or f"Pull request #{whole(record.get('prNumber'))}"
    return [Notice("info", f"{name}  {address}")]
