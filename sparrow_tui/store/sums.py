"""A session while it is written to: its sums, added to turn by turn."""

from __future__ import annotations

from dataclasses import dataclass, field

from sparrow_tui.model import Usage
from sparrow_tui.store.codec import Row
from sparrow_tui.store.contribution import NOTHING, contribution


@dataclass(slots=True)
class OpenSession:
    """A session while it is written to: its sums, kept here and stored once at the end."""

    sid: int
    id: str
    agent: str
    project: str | None
    branch: str | None
    model: str | None
    turns: int = 0
    usage: Usage = field(default_factory=Usage)
    requests: int = 0
    request_errors: int = 0
    tool_calls: int = 0
    tool_errors: int = 0
    cost_micro: int | None = None
    unpriced: int = 0
    chars: int = 0
    lines: int = 0
    created_at: int | None = None
    updated_at: int | None = None
    title: str | None = None
    prompt: str | None = None
    source: str | None = None
    ghost: int = 0
    glanced: int = 0
    """Whether only its talk is here until its source is read (see `glances`)."""
    indexed: tuple[str | None, str | None, str | None] | None = None
    """Title, first prompt and project as the index has them; ``None``: not in it yet."""
    own_cost: int | None = None
    """What its agent says the whole session cost, in micro-dollars: turns get no list prices."""
    last: int | None = None
    """Row id of the last turn."""
    since: int = 0
    """When that turn's chunk begins (see `docid`)."""

    def apply(self, row: Row, sign: int) -> None:
        """Count a turn in (+1) or out (-1)."""
        part = contribution(row, self.model or "", priced=self.own_cost is None)
        usage = part.usage
        if usage is not NOTHING:
            self.usage = Usage(
                self.usage.input + sign * usage.input,
                self.usage.output + sign * usage.output,
                self.usage.cache_read + sign * usage.cache_read,
                self.usage.cache_write + sign * usage.cache_write,
                self.usage.reasoning + sign * usage.reasoning,
            )
        self.requests += sign * part.requests
        self.request_errors += sign * part.request_errors
        self.tool_calls += sign * part.tool_calls
        self.tool_errors += sign * part.tool_errors
        self.unpriced += sign * part.unpriced
        if part.cost_micro is not None:
            self.cost_micro = (self.cost_micro or 0) + sign * part.cost_micro
        self.chars += sign * row.chars
        self.lines += sign * row.lines
        self.turns += sign
