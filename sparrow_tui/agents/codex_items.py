"""Codex's response items as turns: messages, reasoning, tools and what they answered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sparrow_tui.agents.codex_content import call_of, content_of, result_of, texts_of
from sparrow_tui.agents.codex_kinds import SKIPPED_ITEMS, injected
from sparrow_tui.agents.codex_turns import CodexTurns
from sparrow_tui.agents.common import as_text, json_or_text
from sparrow_tui.agents.line_session import note_blocks
from sparrow_tui.model import Image, Notice, Reasoning, Text, ToolResult, Turn

TOOL_DEFINITIONS = frozenset(("function", "namespace", "custom"))
"""What a search for tools answers with, shown as it is."""
SPAWNING = frozenset(("spawn_agent",))
"""Tools that start a sub-agent and answer with its id."""


class CodexItems(CodexTurns):
    """What the model was sent and what it answered."""

    def _item(self, body: dict[str, Any], time: int | None) -> Iterator[Turn]:
        kind = str(body.get("type") or ("message" if "role" in body and "content" in body else ""))
        if kind == "message":
            yield from self._message(body, time)
        elif kind == "reasoning":
            parts = [*texts_of(body.get("summary")), *texts_of(body.get("content"))]
            new = [part for part in parts if not self._doubled("reasoning", part, "item")]
            if new:
                self.keep()
                yield from self._assistant([Reasoning("\n\n".join(new))], time)
            else:
                self.skip()
        elif kind.endswith("_output"):
            self.keep()
            self._result(body, time)
        elif kind.endswith("_call"):
            self.keep()
            use = call_of(kind, body)
            if use.name in SPAWNING:
                self.state.setdefault("spawning", []).append(use.id)
            yield from self._assistant([use], time)
            if kind == "image_generation_call" and isinstance(body.get("result"), str):
                image = Image("image/png", body["result"], size=len(body["result"]) * 3 // 4)
                call = str(body.get("call_id") or body.get("id") or "")
                self._answer(ToolResult(call, [image]), time)
        elif kind == "agent_message":
            yield from self._among_agents(body, time)
        elif kind in SKIPPED_ITEMS:
            self.skip()
        else:
            yield from self.close()
            yield self.unknown(f"response_item/{kind}", body, time)

    def _message(self, body: dict[str, Any], time: int | None) -> Iterator[Turn]:
        role = str(body.get("role") or "")
        blocks = content_of(body.get("content"))
        text = "\n".join(block.text for block in blocks if isinstance(block, Text))
        note_blocks(self.coverage, blocks)
        if not blocks:
            self.skip()
        elif role == "assistant":
            if self._doubled("assistant", text, "item"):
                self.skip()
                return
            self.keep()
            yield from self._assistant(blocks, time)
        elif role == "user" and not injected(text):
            if self._doubled("user", text, "item"):
                self.skip()
                return
            yield from self._prompt(blocks, time)
        else:
            yield from self._settle(time)
            self.keep()
            shown = "user" if role == "user" else "system"
            yield self._turn(shown, blocks, time, meta=True)

    def _among_agents(self, body: dict[str, Any], time: int | None) -> Iterator[Turn]:
        """What one agent of a team tells another: written as an item, a record or both."""
        blocks = content_of(body.get("content"))
        text = "\n".join(block.text for block in blocks if isinstance(block, Text))
        way = "item" if "type" in body else "event"
        if not text.strip() or self._doubled("agents", text, way):
            self.skip()
            return
        yield from self._settle(time)
        self.keep()
        names = [as_text(body.get(key)) for key in ("author", "recipient")]
        told = Notice("info", " → ".join(name for name in names if name) or "agent")
        yield self._turn("user", [told, *blocks], time, meta=True)

    def _result(self, body: dict[str, Any], time: int | None) -> None:
        output = body.get("output")
        if output is None:
            output = body.get("tools")
        call = str(body.get("call_id") or "")
        result = result_of(call, output, body)
        children = self.state.get("children", {})
        if call in self.state.get("spawning", ()):
            told = json_or_text(output)
            child = told.get("agent_id") if isinstance(told, dict) else None
            result.child = f"codex:{child}" if isinstance(child, str) and child else ""
        result.child = children.get(call, result.child)
        note_blocks(self.coverage, [result], TOOL_DEFINITIONS)
        self._answer(result, time)

    def _spawned(self, call: Any, child: Any) -> None:
        """A sub-agent has begun: its session belongs to the call, whose answer may be here."""
        if not isinstance(call, str) or not isinstance(child, str) or not child:
            return
        self.state.setdefault("children", {})[call] = f"codex:{child}"
        for turn in self.open:
            for block in turn.blocks:
                if isinstance(block, ToolResult) and block.tool_use_id == call:
                    block.child = f"codex:{child}"
