"""Sparrow's recorded runs (``transcripts/<run>/events.jsonl``) → turns, tokens and cost."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

from sparrow_tui.agents import lines, plain
from sparrow_tui.agents.base import Source
from sparrow_tui.agents.common import (
    anthropic_blocks,
    as_text,
    micro_dollars,
    milliseconds,
    title_of,
    whole,
)
from sparrow_tui.agents.line_session import LineSession, append_text
from sparrow_tui.model import (
    Block,
    Image,
    Notice,
    Reasoning,
    Text,
    ToolResult,
    ToolUse,
    Turn,
    Usage,
)

_SKIPPED = frozenset(
    ("TokenUsageEstimated", "CostUpdate", "UpdateAvailable", "TokenUsage", "ToolUseStarted",
     "Message", "CheckpointCreated", "PlanUpdated", "Heartbeat", "Progress", "DiffApplied",
     "ApprovalRequested", "AgentStatus", "AutonomyChanged")
)  # fmt: skip
_STATES = {"completed": "ended", "interrupted": "unclean", "aborted": "unclean"}


class RunSession(LineSession):
    """One run. Its events carry no times; the run's beginning stands for all of them."""

    @classmethod
    def of(cls, source: Source) -> RunSession:
        """The session of a run: its folder's name is its id."""
        return cls(source, f"sparrow:run-{Path(source.path).parent.name}")

    def begin(self) -> None:
        """What was asked, of which model, when."""
        inputs = _json(Path(self.source.path).with_name("inputs.json"))
        meta = _json(Path(self.source.path).with_name("meta.json"))
        began = milliseconds(inputs.get("timestamp")) or milliseconds(meta.get("created_at"))
        self.state["time"] = self.seen(began)
        self.info.model = as_text(inputs.get("model_id")) or None
        self.state["task"] = as_text(inputs.get("task")).strip()

    def take(self, record: dict[str, Any]) -> Iterator[Turn]:
        """The turns an event completes."""
        kind = str(record.get("type") or "")
        time = self.state.get("time")
        if kind == "RunStarted":
            yield from self._started(record)
        elif kind in ("ThinkingDelta", "ReasoningDelta"):
            self.keep()
            text = as_text(record.get("text"))
            # What the run shows as its answer is streamed under the name of thinking.
            block: Block = Text(text) if kind == "ThinkingDelta" else Reasoning(text)
            append_text((yield from self._answer()).blocks, block)
        elif kind == "ToolUseProposed":
            self.keep()
            call = as_text(record.get("id"))
            turn = yield from self._answer()
            if not any(isinstance(b, ToolUse) and b.id == call for b in turn.blocks):
                turn.blocks.append(ToolUse(call, as_text(record.get("name")), record.get("args")))
        elif kind == "ToolOutput":
            result = ToolResult(
                as_text(record.get("id")), _blocks(record.get("blocks")),
                is_error=bool(record.get("is_error")),
            )  # fmt: skip
            self.keep()
            yield from self.close()
            yield Turn(role="tool", blocks=[result], time=time)
        elif kind in ("RouteSelected", "ModelSwitched"):
            self._routed(kind, record)
            self.skip()
        elif kind == "RunFinished":
            self.keep()
            yield from self._finished(record.get("outcome"))
        elif kind in ("Error", "Compacted"):
            self.keep()
            yield from self.close()
            said = record.get("message") or record.get("error") or record.get("summary")
            text = as_text(said)
            if kind == "Compacted" and "before_chars" in record:
                sizes = (whole(record.get(f"{when}_chars")) for when in ("before", "after"))
                text = f"{' → '.join(map(str, sizes))} characters"
            notice = Notice("error" if kind == "Error" else "compaction", text or kind)
            yield Turn(role="system", blocks=[notice], time=time, api_error=kind == "Error")
        elif kind in _SKIPPED:
            self.skip()
        elif (remark := _remark(kind, record)) is not None:
            self.keep()
            yield from self.close()
            yield Turn(role="system", blocks=[remark], time=time, meta=True)
        else:
            yield from self.close()
            yield self.unknown(kind or "event", record, time)

    def _answer(self) -> Generator[Turn, None, Turn]:
        """The turn the model is at: ``return`` value of the generator."""
        if not self.open:
            self.open = [
                Turn(role="assistant", blocks=[], time=self.state.get("time"),
                     model=self.info.model or "")
            ]  # fmt: skip
        yield from ()
        return self.open[-1]

    def _started(self, record: dict[str, Any]) -> Iterator[Turn]:
        self.keep()
        task = as_text(record.get("task")).strip() or self.state.get("task", "")
        self.info.status = "working"
        if task:
            self.info.title = title_of(task)
            yield Turn(role="user", blocks=[Text(task)], time=self.state.get("time"))

    def _routed(self, kind: str, record: dict[str, Any]) -> None:
        chain = record.get("chain")
        model = chain[0] if isinstance(chain, list) and chain else record.get("to")
        if isinstance(model, str) and model:
            self.info.model = model

    def _finished(self, outcome: Any) -> Iterator[Turn]:
        """Tokens and cost of the run stand in its outcome."""
        facts = outcome if isinstance(outcome, dict) else {}
        status = as_text(facts.get("status"))
        self.info.status = _STATES.get(status, status or "ended")
        tokens = facts.get("tokens")
        turn = yield from self._answer()
        if isinstance(tokens, dict):
            turn.usage = Usage(whole(tokens.get("input")), whole(tokens.get("output")))
        turn.cost_micro = micro_dollars(facts.get("cost_usd"))
        duration = facts.get("duration_ms")
        turn.duration_ms = whole(duration) if duration is not None else None
        yield from self.close()
        if status not in ("", "completed"):
            yield Turn(
                role="system",
                blocks=[Notice("info", f"Run {status}")],
                time=self.state.get("time"),
                api_error=status.startswith("error"),
            )


def _remark(kind: str, record: dict[str, Any]) -> Notice | None:
    """What happened beside the talk, as a notice; ``None`` for events nobody told us about."""
    if kind == "DiffProposed":
        return Notice("info", f"{as_text(record.get('file'))}\n{as_text(record.get('patch'))}")
    if kind == "TestResult":
        passed, failed = whole(record.get("passed")), whole(record.get("failed"))
        words = f"Tests: {passed} passed, {failed} failed\n{as_text(record.get('detail'))}".strip()
        return Notice("error" if failed else "info", words)
    if kind == "AgentSpawned":
        role, model = as_text(record.get("role")), as_text(record.get("model"))
        return Notice("info", f"Agent {role} started ({model})")
    if kind == "ApprovalResolved":
        return Notice("info", f"Approval: {as_text(record.get('decision'))}")
    if kind == "SkillLearned":
        return Notice("info", f"Skill learned: {as_text(record.get('name'))}")
    return None


def _blocks(value: Any) -> list[Block]:
    """A tool's output: ``{"Text": …}``, ``{"Json": …}``, ``{"Image": …}`` or ``{"Diff": …}``."""
    blocks: list[Block] = []
    for part in value if isinstance(value, list) else [value]:
        kind, inner = next(iter(part.items())) if _is_variant(part) else ("", None)
        facts = inner if isinstance(inner, dict) else {}
        if kind in ("Text", "Json"):
            text = as_text(inner)
            if text.strip():
                blocks.append(Text(text))
        elif kind == "Diff":
            blocks.append(Text(f"{as_text(facts.get('file'))}\n{as_text(facts.get('patch'))}"))
        elif kind == "Image" and isinstance(facts.get("data"), list):
            data = b64encode(bytes(whole(byte) & 255 for byte in facts["data"])).decode("ascii")
            size = len(facts["data"])
            blocks.append(Image(as_text(facts.get("mime")), data, size=size))
        else:
            blocks.extend(anthropic_blocks(part))
    return blocks


def _is_variant(part: Any) -> bool:
    """Whether a value is one of an enumeration's, named by its only key."""
    return isinstance(part, dict) and len(part) == 1


def _json(path: Path) -> dict[str, Any]:
    """A small JSON object beside the events; empty if there is none."""
    try:
        value = lines.parse(plain.read_bytes(path))
    except OSError:
        return {}
    return value if isinstance(value, dict) else {}
