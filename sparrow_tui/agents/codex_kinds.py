"""Codex's kinds of record that are left out by rule, and marks of what it injects."""

from __future__ import annotations

SKIPPED_EVENTS = frozenset(
    (
        "agent_message_delta", "agent_message_content_delta", "agent_reasoning_delta",
        "agent_reasoning_raw_content", "agent_reasoning_raw_content_delta",
        "agent_reasoning_section_break", "apply_patch_approval_request", "background_event",
        "collab_agent_spawn_begin", "context_compacted",
        "deprecation_notice", "elicitation_request", "entered_review_mode",
        "exec_approval_request", "exec_command_begin", "exec_command_end",
        "exec_command_output_delta", "exited_review_mode", "get_history_entry_response",
        "image_generation_begin", "image_generation_end", "item_completed", "item_started",
        "list_custom_prompts_response", "list_skills_response", "mcp_list_tools_response",
        "mcp_startup_complete", "mcp_startup_update", "mcp_tool_call_begin", "mcp_tool_call_end",
        "patch_apply_begin", "patch_apply_end", "patch_apply_updated", "plan_delta",
        "plan_update", "raw_response_item", "reasoning_content_delta",
        "reasoning_raw_content_delta", "request_user_input", "session_configured",
        "shutdown_complete", "skills_update_available", "terminal_interaction",
        "thread_goal_updated", "turn_diff", "undo_completed", "undo_started",
        "view_image_tool_call", "warning", "web_search_begin", "web_search_end",
    )
)  # fmt: skip
"""Events that repeat what items say, or say nothing a reader wants."""
INJECTED = (
    "<environment_context>", "<user_instructions>", "# AGENTS.md instructions",
    "<permissions instructions>", "<app-context>", "<turn_aborted>", "<skill>", "<INSTRUCTIONS>",
    "<collaboration_mode>", "<subagent_notification>", "<model_switch>",
)  # fmt: skip
"""How what Codex itself puts among a user's messages begins."""
