"""Codex's rollout items → turns: doubled messages once, totals as shares, forks without copies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from sparrow_tui.agents import codex_header, lines
from sparrow_tui.agents.base import Source, SourceError
from sparrow_tui.agents.codex_items import call_of, content_of, result_of, texts_of
from sparrow_tui.agents.codex_kinds import (
    SKIPPED_EVENTS,
    SKIPPED_ITEMS,
    SKIPPED_RECORDS,
    injected,
)
from sparrow_tui.agents.codex_turns import CodexTurns
from sparrow_tui.agents.common import as_text, data_url, json_or_text, milliseconds, whole
from sparrow_tui.agents.line_session import WRONG_SHAPE, Rewritten, note_blocks
from sparrow_tui.model import (
    Block,
    Image,
    Notice,
    Reasoning,
    Text,
    ToolResult,
    Turn,
)

HEADER_WITHIN = 200
"""Lines among which a header is looked for in a file whose name does not tell the session."""
TOOL_DEFINITIONS = frozenset(("function", "namespace", "custom"))
"""What a search for tools answers with, shown as it is."""
SPAWNING = frozenset(("spawn_agent",))
"""Tools that start a sub-agent and answer with its id."""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")


class CodexSession(CodexTurns):
    """One rollout."""

    @classmethod
    def of(cls, source: Source) -> Self:
        """The session a rollout holds: the id of its first header, else that in its name."""
        name = Path(source.path).name.removesuffix(".zst").removesuffix(".jsonl")
        named = _UUID.search(name)
        try:
            for number, (_, record) in enumerate(lines.records(source.path)):
                native = codex_header.header_id(record or {})
                if native:
                    # A copy beside the original is named after it and is a session of its own.
                    _, _, more = name.partition(native)
                    return cls(source, f"codex:{native}{more}")
                if named or number > HEADER_WITHIN:
                    break
        except SourceError:
            pass
        return cls(source, f"codex:{named[0] if named else name[-36:]}")

    def begin(self) -> None:
        """Find out which prompts are taken back further on, once it is known that some are."""
        if not self.state.get("rewritten"):
            return
        scout = type(self)(self.source, self.info.id)
        scout.state["scouting"] = True
        for _, record in lines.records(self.source.path):
            with suppress(*WRONG_SHAPE):
                for _ in scout.take(record or {}):
                    pass
        self.state["dead"] = scout.state.get("dead", [])
        self.state["known"] = scout.state.get("rollbacks", 0)

    def take(self, record: dict[str, Any]) -> Iterator[Turn]:
        """The turns a line completes."""
        time = milliseconds(record.get("timestamp"))
        payload = record.get("payload")
        if isinstance(payload, dict):
            self.seen(time)
            yield from self._envelope(str(record.get("type") or ""), payload, time)
        elif "record_type" in record:
            self.skip()
        elif "type" not in record and "id" in record:
            self.seen(time)
            self._header(record, time)
        else:
            yield from self._item(record, time)

    def _envelope(self, kind: str, body: dict[str, Any], time: int | None) -> Iterator[Turn]:
        if kind == "response_item":
            yield from self._item(body, time)
        elif kind == "event_msg":
            yield from self._event(body, time)
        elif kind == "session_meta":
            self._header(body, time)
        elif kind == "turn_context":
            self.skip()
            self._context(body)
        elif kind == "compacted":
            yield from self.close()
            self.keep()
            text = as_text(body.get("message")).strip()
            blocks: list[Block] = [Notice("compaction", "Context compacted")]
            if text:
                blocks.append(Text(text))
            yield self._turn("summary", blocks, time, meta=True, uid="")
        elif kind == "inter_agent_communication":
            yield from self._among_agents(body, time)
        elif kind in SKIPPED_RECORDS:
            self.skip()
        else:
            yield from self.close()
            yield self.unknown(kind or "record", body, time)

    def _header(self, body: dict[str, Any], time: int | None) -> None:
        self.skip()
        codex_header.take(self.info, self.state, body, time)

    def _context(self, body: dict[str, Any]) -> None:
        if not self.info.project and isinstance(body.get("cwd"), str):
            self.info.project = body["cwd"]
        if isinstance(body.get("model"), str) and body["model"]:
            self.info.model = body["model"]

    # Items

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

    # Events

    def _event(self, body: dict[str, Any], time: int | None) -> Iterator[Turn]:
        kind = str(body.get("type") or "")
        if kind == "token_count":
            self.skip()
            self._tokens(body.get("info"))
        elif kind == "user_message":
            text = as_text(body.get("message"))
            if injected(text, surely=True) or self._doubled("user", text, "event"):
                self.skip()
                return
            yield from self._prompted(text, body, time)
        elif kind in ("agent_message", "agent_reasoning", "agent_reasoning_raw_content"):
            text = as_text(body.get("message") or body.get("text"))
            spoken = kind == "agent_message"
            said = "assistant" if spoken else "reasoning"
            if not text.strip() or self._doubled(said, text, "event"):
                self.skip()
                return
            self.keep()
            yield from self._assistant([Text(text) if spoken else Reasoning(text)], time)
        elif kind in ("task_started", "turn_started"):
            self.skip()
            self.state["last"] = "working"
        elif kind in ("task_complete", "turn_complete"):
            self.skip()
            self.state["last"] = "waiting"
        elif kind == "thread_name_updated":
            self.skip()
            name = as_text(body.get("thread_name") or body.get("name")).strip()
            self.info.title = name or self.info.title
        elif kind == "collab_agent_spawn_end":
            self.skip()
            self._spawned(body.get("call_id"), body.get("new_thread_id"))
        elif kind == "sub_agent_activity":
            self.skip()
            if body.get("kind") == "started":
                self._spawned(body.get("event_id"), body.get("agent_thread_id"))
        elif kind == "item_completed" and isinstance(body.get("item"), dict):
            yield from self._completed(body["item"], time)
        elif kind == "thread_rolled_back":
            yield from self._settle(time)
            self.keep()
            self.state["last"] = "waiting"
            yield self._taken_back(whole(body.get("num_turns")), time)
        elif kind in ("turn_aborted", "error", "stream_error"):
            yield from self._settle(time)
            self.keep()
            self.state["last"] = "waiting"
            yield self._mark(kind, body, time)
        elif kind in SKIPPED_EVENTS:
            self.skip()
        else:
            yield from self.close()
            yield self.unknown(f"event_msg/{kind}", body, time)

    def _prompted(self, text: str, body: dict[str, Any], time: int | None) -> Iterator[Turn]:
        pictures: list[Block] = []
        for key in ("images", "local_images"):
            given = body.get(key)
            for url in given if isinstance(given, list) else ():
                if isinstance(url, str):
                    pictures.append(data_url(url))
        blocks = [Text(text), *pictures] if text.strip() else pictures
        if blocks:
            yield from self._prompt(blocks, time)
        else:
            self.skip()

    def _completed(self, item: dict[str, Any], time: int | None) -> Iterator[Turn]:
        """A plan is told only here; other items repeat what stands elsewhere."""
        text = as_text(item.get("text"))
        if item.get("type") not in ("Plan", "plan") or not text.strip():
            self.skip()
            return
        self.keep()
        yield from self._assistant([Text(text)], time)

    def _mark(self, kind: str, body: dict[str, Any], time: int | None) -> Turn:
        if kind == "turn_aborted":
            notice = Notice("interruption", f"Turn aborted ({as_text(body.get('reason'))})")
        else:
            notice = Notice("error", as_text(body.get("message")))
        turn = self._turn("system", [notice], time)
        turn.api_error = kind == "error"
        return turn

    def _taken_back(self, number: int, time: int | None) -> Turn:
        """The last prompts and what came of them are taken back; what was read must be told so."""
        count = self.state["rollbacks"] = self.state.get("rollbacks", 0) + 1
        standing: list[int] = self.state.setdefault("standing", [])
        dead = standing[max(0, len(standing) - number) :]
        del standing[len(standing) - len(dead) :]
        if self.state.get("scouting"):
            self.state.setdefault("dead", []).extend(dead)
        elif dead and count > self.state.get("known", 0):
            raise Rewritten
        self.state["prompt"] = -1  # until the next one
        return self._turn("system", [Notice("rewind", f"{number} turns taken back")], time)

    def _spawned(self, call: Any, child: Any) -> None:
        """A sub-agent has begun: its session belongs to the call, whose answer may be here."""
        if not isinstance(call, str) or not isinstance(child, str) or not child:
            return
        self.state.setdefault("children", {})[call] = f"codex:{child}"
        for turn in self.open:
            for block in turn.blocks:
                if isinstance(block, ToolResult) and block.tool_use_id == call:
                    block.child = f"codex:{child}"

    def finish(self) -> None:
        """What the session seems to be doing."""
        self.info.status = str(self.state.get("last") or "ended")
