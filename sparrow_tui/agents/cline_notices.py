"""Errors, compactions and remarks of Cline's and Roo Code's display log as turns."""

from __future__ import annotations

from typing import Any

from sparrow_tui.agents.common import (
    as_text,
    micro_dollars,
    whole,
)
from sparrow_tui.model import (
    Block,
    Notice,
    Text,
    Turn,
)

_ERRORS = frozenset(
    [
        "error",
        "error_retry",
        "api_req_failed",
        "api_req_retry_delayed",
        "diff_error",
        "clineignore_error",
        "rooignore_error",
        "command_permission_denied",
        "condense_context_error",
        "mistake_limit_reached",
    ]
)


_API_ERRORS = ("api_req_failed", "error_retry", "api_req_retry_delayed")


def notice(kind: str, text: str, value: dict[str, Any], message: dict[str, Any]) -> Turn | None:
    """Errors, compactions and remarks of the extension; ``None`` for an unknown kind."""
    if kind in _ERRORS:
        words = as_text(value.get("errorMessage") or value.get("message")) or text
        turn = Turn(role="system", blocks=[Notice("error", words)])
        turn.api_error = kind in _API_ERRORS
        return turn
    if kind == "condense_context":
        condensed = message.get("contextCondense")
        facts = condensed if isinstance(condensed, dict) else {}
        blocks: list[Block] = [Notice("compaction", _sizes(facts))]
        if as_text(facts.get("summary")).strip():
            blocks.append(Text(as_text(facts["summary"])))
        turn = Turn(role="summary", blocks=blocks)
        turn.cost_micro = micro_dollars(facts.get("cost")) or None
        return turn
    if kind in ("sliding_window_truncation", "condense", "summarize_task"):
        cut = message.get("contextTruncation")
        words = _sizes(cut) if isinstance(cut, dict) else text
        return Turn(role="system", blocks=[Notice("compaction", words)])
    if kind in ("info", "mcp_notification", "generate_explanation"):
        return Turn(role="system", blocks=[Notice("info", as_text(value.get("title")) or text)])
    return None


def _sizes(facts: dict[str, Any]) -> str:
    before, after = facts.get("prevContextTokens"), facts.get("newContextTokens")
    return f"{whole(before)} → {whole(after)} tokens" if before or after else ""
