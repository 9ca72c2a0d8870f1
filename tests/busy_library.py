"""A year of invented work, for pictures of charts: growing, quieter at weekends, never random."""

from __future__ import annotations

import random
from datetime import datetime

from sparrow_tui.model import SessionInfo, Text, ToolResult, ToolUse, Turn, Usage
from sparrow_tui.store import open_store
from sparrow_tui.store.prepared import Prepared, rows

DAY = 86_400_000
WHO = (
    ("claude", "claude-sonnet-4-5", 12), ("claude", "claude-opus-4-1", 4),
    ("codex", "gpt-5-codex", 7), ("gemini", "gemini-2.5-pro", 3), ("opencode", "gpt-5-mini", 3),
    ("crush", "claude-haiku-4-5", 2), ("qwen", "qwen3-coder-plus", 1),
)  # fmt: skip
TOOLS = (
    ("Bash", 40, 6_000, 0.07), ("Read", 34, 80, 0.01), ("Edit", 22, 140, 0.04),
    ("Grep", 16, 350, 0.0), ("Write", 7, 120, 0.0), ("WebFetch", 4, 3_800, 0.16),
    ("Task", 3, 74_000, 0.0), ("apply_patch", 8, 260, 0.09), ("TodoWrite", 6, 30, 0.0),
)  # fmt: skip
PROJECTS = ("harbor", "ledger", "lighthouse", "inventory", "harbor-web", "proxy", "atlas", "docs")


def fill(location: str, now: int) -> None:
    """Write it into a new store.

    Args:
        location: where.
        now: the present in milliseconds since the epoch; all times lie before it.
    """
    chance = random.Random(11)
    items = []
    for age in range(330, -1, -1):
        began = now // DAY * DAY - age * DAY
        free = datetime.fromtimestamp(began / 1000).weekday() >= 5 or 190 < age < 205
        number = max(0, round(chance.gauss(5 - age / 90, 1.6) * (0.25 if free else 1)))
        items += [_session(chance, f"{age}-{n}", began, now) for n in range(number)]
    store = open_store(location)
    for start in range(0, len(items), 100):
        store.write(items[start : start + 100])
    store.close()


def _session(chance: random.Random, name: str, day: int, now: int) -> Prepared:
    agent, model, _ = chance.choices(WHO, [weight for _, _, weight in WHO])[0]
    at = day + round(chance.triangular(7.5, 19, 14) * 3_600_000)
    info = SessionInfo(id=f"{agent}:{name}", model=model, created_at=at, title=f"Session {name}")
    info.project = f"/home/ada/{chance.choices(PROJECTS, range(len(PROJECTS), 0, -1))[0]}"
    turns: list[Turn] = []
    for step in range(chance.randrange(4, 22)):
        tool, _, lasts, fails = chance.choices(TOOLS, [weight for _, weight, _, _ in TOOLS])[0]
        usage = Usage(chance.randrange(900, 5_000), chance.randrange(200, 1_800),
                      4_000 * step, 2_500)  # fmt: skip
        call = ToolUse(f"c{step}", tool, {})
        turns.append(Turn(role="assistant", blocks=[Text("so"), call], time=at, model=model,
                          usage=usage, uid=f"{name}.{step}"))  # fmt: skip
        took = round(lasts * chance.uniform(0.4, 1.9))
        at += took + chance.randrange(5_000, 90_000)
        result = ToolResult(f"c{step}", [Text("done")], is_error=chance.random() < fails,
                            duration_ms=took)  # fmt: skip
        turns.append(Turn(role="tool", blocks=[result], time=at, uid=f"{name}.{step}r"))
    turns = [turn for turn in turns if (turn.time or 0) <= now] or turns[:1]
    info.updated_at = turns[-1].time
    return Prepared(session=info, start=0, rows=rows(turns))
