"""Every agent we can read: our own modules and those other packages offer.

A package adds an agent with an entry point in the group ``sparrow_tui.agents`` that names an
instance of `sparrow_tui.agents.base.Agent`.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from sparrow_tui.agents.base import Agent

MODULES = (
    "claude",
    "codex",
    "sparrow",
    "opencode",
    "gemini",
    "copilot_cli",
    "copilot_vscode",
    "cursor",
    "crush",
    "opencode_go",
    "pi",
    "goose",
    "qwen",
    "kimi",
    "vibe",
    "droid",
    "cline",
    "kiro",
    "llm",
    "amp",
    "chatgpt",
    "claude_ai",
    "aider",
    "generic",
)
"""Modules of this package that define ``AGENT`` (or ``AGENTS``, several of one family).

A file given by hand belongs to the first that knows it: the generic one comes last.
"""


@cache
def agents() -> dict[str, Agent]:
    """All agents by name, ours first. One that fails to load from elsewhere is left out."""
    found: dict[str, Agent] = {}
    for module in MODULES:
        loaded = import_module(f"sparrow_tui.agents.{module}")
        for agent in getattr(loaded, "AGENTS", None) or (loaded.AGENT,):
            found[agent.name] = agent
    for point in entry_points(group="sparrow_tui.agents"):
        try:
            agent = point.load()
        except Exception:  # another package's fault must not stop us
            continue
        if isinstance(agent, Agent):
            found.setdefault(agent.name, agent)
    return found


def agent(name: str) -> Agent | None:
    """The agent of that name, if there is one."""
    return agents().get(name)
