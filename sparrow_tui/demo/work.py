"""The shorter invented sessions: what fills a list."""

from __future__ import annotations

from collections.abc import Iterator

from sparrow_tui.agents.base import Batch
from sparrow_tui.demo.script import MINUTE, Script

HOUR = 60 * MINUTE
DAY = 24 * HOUR

# agent:id, age, model, title, project, branch, prompt, answer
_SHORT = (
    ("claude:demo-0101", 5 * HOUR, "claude-sonnet-4-5", "Type hints for the parser",
     "/home/ada/code/lighthouse", "types", "Add type hints to parser.py, mypy --strict clean.",
     "All 41 functions are annotated; `mypy --strict` reports no issues."),
    ("codex:demo-0102", 9 * HOUR, "gpt-5-codex", "Upgrade to Python 3.13",
     "/home/ada/code/ledger", "py313", "Upgrade CI and code to Python 3.13.",
     "CI runs 3.11 to 3.13. `imp` is gone, so the loader uses `importlib` now."),
    ("crush:demo-0103", 30 * HOUR, "qwen3-coder", "Release notes for 2.4",
     "/home/ada/code/harbor", "main", "Write release notes from the commits since v2.3.",
     "## 2.4\n\n- retries for payments\n- faster list of orders\n- three fixes"),
    ("pi:demo-0104", 2 * DAY, "claude-haiku-4-5", "Rename getUserById to find_user",
     "/home/ada/code/inventory", "main", "Rename getUserById to find_user everywhere.",
     "Renamed in 14 files; the public alias `getUserById` stays until 1.0."),
    ("copilot:demo-0105", 3 * DAY, "gpt-5-mini", "Accessibility of the login form",
     "/home/ada/code/harbor-web", "a11y", "Check the login form with a screen reader in mind.",
     "Two labels were missing and the error was not announced; both are fixed."),
    ("claude:demo-0106", 6 * DAY, "claude-opus-4-1", "Memory leak in the worker pool",
     "/home/ada/code/lighthouse", "main", "Workers grow to 2 GB over a day. Find the leak.",
     "Tracebacks kept frames alive: exceptions were stored with their `__traceback__`."),
    ("goose:demo-0107", 9 * DAY, "gpt-4.1", "Dockerfile half as large",
     "/home/ada/code/ledger", "docker", "Make the image smaller.",
     "A multi-stage build: 1.1 GB → 420 MB. The compiler stays behind."),
    ("aider:demo-0108", 16 * DAY, "gpt-4o", "Unit tests for the tax rules",
     "/home/ada/code/ledger", "main", "Cover tax.py with tests, edge cases too.",
     "31 tests; one found a rounding error at exactly 0.005."),
    ("qwen:demo-0109", 24 * DAY, "qwen3-coder-plus", "Strasse oder Straße?",
     "/home/ada/code/inventory", "main", "Make search find Straße when people type strasse.",
     "Both fold to `strasse` in the index; café and cafe find each other as well."),
    ("claude:demo-0110", 27 * DAY, "claude-sonnet-4", "Log format for the proxy",
     "/home/ada/code/proxy", "main", "Switch the proxy's log to JSON lines.",
     "One JSON object a line, times in UTC, secrets masked."),
)  # fmt: skip


def batches(now: int) -> Iterator[Batch]:
    """The short sessions, newest first."""
    for session_id, age, model, title, project, branch, prompt, answer in _SHORT:
        script = Script(session_id, now - age, model, title=title, project=project, branch=branch)
        script.user(prompt, after=0)
        script.tool("Bash", {"command": "git status --short"}, " M README.md", seconds=0.1)
        script.says(answer, seconds=18)
        yield script.batch()
