"""Codex's kinds of record that are left out by rule, and marks of what it injects."""

from __future__ import annotations

import re
from typing import Any

from sparrow_tui.agents.common import as_text

SKIPPED_EVENTS = frozenset(
    (
        "agent_message_delta", "agent_message_content_delta", "agent_reasoning_delta",
        "agent_reasoning_raw_content_delta",
        "agent_reasoning_section_break", "apply_patch_approval_request", "background_event",
        "collab_agent_spawn_begin", "context_compacted",
        "elicitation_request",
        "collab_agent_interaction_begin", "collab_agent_interaction_end", "collab_close_begin",
        "collab_close_end", "collab_resume_begin", "collab_resume_end", "collab_waiting_begin",
        "collab_waiting_end", "dynamic_tool_call_request", "dynamic_tool_call_response",
        "guardian_assessment", "hook_completed", "hook_started",
        "mcp_tool_call_update", "model_verification",
        "realtime_conversation_closed", "realtime_conversation_list_voices_response",
        "realtime_conversation_realtime",
        "realtime_conversation_sdp", "realtime_conversation_started", "request_permissions",
        "safety_buffering", "thread_settings_applied", "turn_moderation_metadata",
        "exec_approval_request", "exec_command_begin", "exec_command_end",
        "exec_command_output_delta", "exited_review_mode", "get_history_entry_response",
        "image_generation_begin", "image_generation_end", "item_completed", "item_started",
        "list_custom_prompts_response", "list_skills_response", "mcp_list_tools_response",
        "mcp_startup_complete", "mcp_startup_update", "mcp_tool_call_begin", "mcp_tool_call_end",
        "patch_apply_begin", "patch_apply_end", "patch_apply_updated", "plan_delta",
        "plan_update", "raw_response_item", "reasoning_content_delta",
        "reasoning_raw_content_delta", "request_user_input", "session_configured",
        "shutdown_complete", "skills_update_available", "terminal_interaction",
        "turn_diff", "undo_started",
        "view_image_tool_call", "web_search_begin", "web_search_end",
    )
)  # fmt: skip
"""Events that repeat what items say, or say nothing a reader wants."""
TOLD_EVENTS = {
    "deprecation_notice": ("", ("summary", "details")),
    "entered_review_mode": ("Review: ", ("user_facing_hint",)),
    "guardian_warning": ("", ("message",)),
    "model_reroute": ("Another model answers: ", ("to_model", "reason")),
    "thread_goal_updated": ("Goal: ", ("objective",)),
    "undo_completed": ("", ("message",)),
    "warning": ("", ("message",)),
}
"""Events that are marks: what stands before their words, and under which keys these are."""
SKIPPED_ITEMS = frozenset(
    (
        "additional_tools", "compaction", "compaction_summary", "compaction_trigger",
        "context_compaction", "ghost_snapshot",
    )
)  # fmt: skip
"""Items that are for the model alone."""
SKIPPED_RECORDS = frozenset(("world_state", "inter_agent_communication_metadata"))
"""Kinds of line that say nothing of the talk."""
INJECTED = (
    "<environment_context>", "<user_instructions>", "# AGENTS.md instructions",
    "<permissions instructions>", "<app-context>", "<turn_aborted>", "<skill>", "<INSTRUCTIONS>",
    "<collaboration_mode>", "<subagent_notification>", "<model_switch>", "<user_shell_command>",
    "<user_action>",
)  # fmt: skip
"""How what Codex itself puts among a user's messages begins."""

_TAGGED = re.compile(r"\s*<([A-Za-z][\w-]*)(?:\s[^>]*)?>.*</\1>\s*", re.DOTALL)
"""One tagged passage and nothing else: context, whatever its tag is called."""


def injected(text: str, *, surely: bool = False) -> bool:
    """Whether a user's message was put there by Codex.

    Args:
        text: of the message.
        surely: go by the known marks only, as for prompts that were typed for all we know.
    """
    text = text.lstrip()
    if text.startswith(INJECTED):
        return True
    return not surely and (text.startswith("Warning: ") or _TAGGED.fullmatch(text) is not None)


def event_words(kind: str, body: dict[str, Any]) -> str:
    """What an event of `TOLD_EVENTS` says; empty if nothing."""
    begins, keys = TOLD_EVENTS[kind]
    goal = body.get("goal")
    facts = goal if isinstance(goal, dict) else body
    said = "\n".join(words for key in keys if (words := as_text(facts.get(key)).strip()))
    return f"{begins}{said}" if said else ""
