"""Every agent we can read: our own modules and those other packages offer.

A package adds an agent with an entry point in the group ``sparrow_tui.agents`` that names an
instance of `sparrow_tui.agents.base.Agent`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module

from sparrow_tui.agents.base import Agent

MODULES = {
    "claude": ("claude",),
    "codex": ("codex",),
    "sparrow": ("sparrow",),
    "opencode": ("opencode",),
    "gemini": ("gemini",),
    "copilot_cli": ("copilot",),
    "copilot_vscode": ("copilot-vscode",),
    "cursor": ("cursor",),
    "crush": ("crush",),
    "opencode_go": ("opencode-go",),
    "pi": ("pi",),
    "goose": ("goose",),
    "qwen": ("qwen",),
    "kimi": ("kimi",),
    "vibe": ("vibe",),
    "droid": ("droid",),
    "cline": ("cline", "roo"),
    "kiro": ("kiro",),
    "llm": ("llm",),
    "amp": ("amp",),
    "chatgpt": ("chatgpt",),
    "claude_ai": ("claude-ai",),
    "aider": ("aider",),
    "generic": ("generic",),
}
"""Modules of this package that define ``AGENT`` (or ``AGENTS``, several of one family), with the
names of their agents.

A file given by hand belongs to the first that knows it: the generic one comes last.
"""
_MODULE_OF = {name: module for module, names in MODULES.items() for name in names}


@cache
def agents() -> dict[str, Agent]:
    """All agents by name, ours first. One that fails to load from elsewhere is left out."""
    return {agent.name: agent for agent in one_by_one()}


def one_by_one() -> Iterator[Agent]:
    """The same agents; one is loaded when the one before was taken."""
    for module in MODULES:
        yield from _ours(module).values()
    from importlib.metadata import entry_points  # takes as long to load as most of the agents

    seen = set(_MODULE_OF)
    for point in entry_points(group="sparrow_tui.agents"):
        try:
            agent = point.load()
        except Exception:  # another package's fault must not stop us
            continue
        if isinstance(agent, Agent) and agent.name not in seen:
            seen.add(agent.name)
            yield agent


def agent(name: str) -> Agent | None:
    """The agent of that name, if there is one; of ours only its own module is loaded."""
    if name in _MODULE_OF:
        return _ours(_MODULE_OF[name])[name]
    return agents().get(name)


def _ours(module: str) -> dict[str, Agent]:
    loaded = import_module(f"sparrow_tui.agents.{module}")
    return {agent.name: agent for agent in getattr(loaded, "AGENTS", None) or (loaded.AGENT,)}
