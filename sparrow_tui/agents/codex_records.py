"""Codex's rollout items → turns: doubled messages once, totals as shares, forks without copies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from sparrow_tui.agents import lines
from sparrow_tui.agents.base import Source, SourceError
from sparrow_tui.agents.codex_items import call_of, content_of, result_of, texts_of
from sparrow_tui.agents.codex_kinds import INJECTED, SKIPPED_EVENTS
from sparrow_tui.agents.common import as_text, data_url, json_or_text, milliseconds, whole
from sparrow_tui.agents.line_session import WRONG_SHAPE, LineSession, Rewritten
from sparrow_tui.model import (
    Block,
    Image,
    Notice,
    Reasoning,
    Text,
    ToolResult,
    Turn,
    Usage,
)

RECENT = 12
"""Messages remembered to recognise their double."""
HEADER_WITHIN = 200
"""Lines among which a header is looked for in a file whose name does not tell the session."""
SPAWNING = frozenset(("spawn_agent",))
"""Tools that start a sub-agent and answer with its id."""
REPLAY_MS = 2_000
"""A fork writes its parent's items anew at once: within this time of its own beginning."""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")


class CodexSession(LineSession):
    """One rollout."""

    @classmethod
    def of(cls, source: Source) -> CodexSession:
        """The session a rollout holds: the id of its first header, else that in its name."""
        name = Path(source.path).name.removesuffix(".zst").removesuffix(".jsonl")
        named = _UUID.search(name)
        try:
            for number, (_, record) in enumerate(lines.records(source.path)):
                native = _header_id(record or {})
                if native:
                    return cls(source, f"codex:{native}")
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
            self._meta(record, time)
        else:
            yield from self._item(record, time)

    def _envelope(self, kind: str, body: dict[str, Any], time: int | None) -> Iterator[Turn]:
        if kind == "response_item":
            yield from self._item(body, time)
        elif kind == "event_msg":
            yield from self._event(body, time)
        elif kind == "session_meta":
            self._meta(body, time)
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
        elif kind == "world_state":
            self.skip()
        else:
            yield from self.close()
            yield self.unknown(kind or "record", body, time)

    def _meta(self, body: dict[str, Any], time: int | None) -> None:
        """The first header is the session's own; forks carry copies of their parents' after it."""
        self.skip()
        if self.state.get("meta"):
            if isinstance(body.get("id"), str) and f"codex:{body['id']}" != self.info.id:
                self.state.setdefault("origin", body["id"])
            return
        self.state["meta"] = True
        self.state["began"] = time or milliseconds(body.get("timestamp"))
        if isinstance(body.get("cwd"), str):
            self.info.project = body["cwd"]
        git = body.get("git")
        if isinstance(git, dict) and isinstance(git.get("branch"), str):
            self.info.branch = git["branch"]
        for name in ("originator", "cli_version", "model_provider"):
            if isinstance(body.get(name), str):
                self.info.extra[name.replace("_", " ")] = body[name]
        origin = body.get("forked_from_id")
        source = body.get("source")
        if isinstance(source, dict) and "subagent" in source:
            spawn = source["subagent"]
            spawn = spawn.get("thread_spawn", spawn) if isinstance(spawn, dict) else {}
            if isinstance(spawn.get("agent_role"), str):
                self.info.extra["agent type"] = spawn["agent_role"]
            parent = spawn.get("parent_thread_id") or body.get("parent_thread_id") or origin
            if isinstance(parent, str):
                self.info.parent = f"codex:{parent}"
        if isinstance(origin, str):
            self.state["origin"] = origin

    def _context(self, body: dict[str, Any]) -> None:
        if not self.info.project and isinstance(body.get("cwd"), str):
            self.info.project = body["cwd"]
        if isinstance(body.get("model"), str) and body["model"]:
            self.info.model = body["model"]

    def _uid(self, time: int | None) -> str:
        """The same in a fork's copy: the origin's id and the place among the items."""
        number = self.state.get("number", 0)
        self.state["number"] = number + 1
        origin = self.state.get("origin") if self._replaying(time) else None
        return f"{origin or self.info.native_id}#{number}"

    def _replaying(self, time: int | None) -> bool:
        began = self.state.get("began")
        if not self.state.get("origin") or began is None or time is None:
            return False
        return bool(time <= began + REPLAY_MS)

    def _turn(
        self,
        role: str,
        blocks: list[Block],
        time: int | None,
        *,
        meta: bool = False,
        uid: str | None = None,
    ) -> Turn:
        """A turn of the prompt at hand; it counts under its own id, as its copies in forks do."""
        name = self._uid(time) if uid is None else uid
        taken_back = self.state.get("prompt", -1) in self.state.get("dead", ())
        return Turn(role=role, blocks=blocks, time=time, uid=name, meta=meta, branch=taken_back)

    # Items

    def _item(self, body: dict[str, Any], time: int | None) -> Iterator[Turn]:
        kind = str(body.get("type") or "")
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
        elif kind in ("compaction", "compaction_summary", "context_compaction", "ghost_snapshot"):
            self.skip()
        else:
            yield from self.close()
            yield self.unknown(f"response_item/{kind}", body, time)

    def _message(self, body: dict[str, Any], time: int | None) -> Iterator[Turn]:
        role = str(body.get("role") or "")
        blocks = content_of(body.get("content"))
        text = "\n".join(block.text for block in blocks if isinstance(block, Text))
        if not blocks:
            self.skip()
        elif role == "assistant":
            if self._doubled("assistant", text, "item"):
                self.skip()
                return
            self.keep()
            yield from self._assistant(blocks, time)
        elif role == "user" and not text.lstrip().startswith(INJECTED):
            if self._doubled("user", text, "item"):
                self.skip()
                return
            yield from self._prompt(blocks, time)
        else:
            yield from self._settle(time)
            self.keep()
            shown = "user" if role == "user" else "system"
            yield self._turn(shown, blocks, time, meta=True)

    def _settle(self, time: int | None) -> Iterator[Turn]:
        """Close the answer at hand. Tokens it did not take stand in a turn of their own."""
        yield from self.close()
        pending = self.state.pop("pending", None)
        if pending:
            turn = self._turn("system", [], time, meta=True)
            turn.usage = Usage(*pending)
            yield turn

    def _prompt(self, blocks: list[Block], time: int | None) -> Iterator[Turn]:
        yield from self._settle(time)
        self.keep()
        self.state["last"] = "working"
        number = self.state["prompt"] = self.state.get("prompts", 0)
        self.state["prompts"] = number + 1
        self.state.setdefault("standing", []).append(number)
        yield self._turn("user", blocks, time)

    def _assistant(self, blocks: list[Block], time: int | None) -> Iterator[Turn]:
        """What the model said joins its open turn, unless a tool answered since."""
        if not (self.open and self.open[-1].role == "assistant"):
            yield from self.close()
            turn = self._turn("assistant", [], time)
            turn.model = self.info.model or ""
            self.open = [turn]
            pending = self.state.pop("pending", None)
            if pending:
                turn.usage = Usage(*pending)
        self.open[-1].blocks.extend(blocks)

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
        self._answer(result, time)

    def _answer(self, result: ToolResult, time: int | None) -> None:
        self.state["last"] = "working"
        if not (self.open and self.open[-1].role == "tool"):
            self.open.append(self._turn("tool", [], time))
        self.open[-1].blocks.append(result)
        self.open[-1].time = time or self.open[-1].time

    def _doubled(self, kind: str, text: str, way: str) -> bool:
        """Messages stand twice in most rollouts, as item and as event: the second is skipped.

        What comes again by the same way was said again.
        """
        recent: list[list[str]] = self.state.setdefault("recent", [])
        said = text.strip()[:400]
        other = [kind, said, "event" if way == "item" else "item"]
        if other in recent:
            recent.remove(other)
            return True
        recent.append([kind, said, way])
        del recent[:-RECENT]
        return False

    # Events

    def _event(self, body: dict[str, Any], time: int | None) -> Iterator[Turn]:
        kind = str(body.get("type") or "")
        if kind == "token_count":
            self.skip()
            self._tokens(body.get("info"), time)
        elif kind == "user_message":
            text = as_text(body.get("message"))
            if not text.strip() or self._doubled("user", text, "event"):
                self.skip()
                return
            images = body.get("images")
            more = [data_url(url) for url in images or () if isinstance(url, str)]
            yield from self._prompt([Text(text), *more], time)
        elif kind in ("agent_message", "agent_reasoning"):
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
            self._spawned(body)
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

    def _spawned(self, body: dict[str, Any]) -> None:
        """A sub-agent has begun: its session belongs to the call, whose answer may be here."""
        call, child = body.get("call_id"), body.get("new_thread_id")
        if not isinstance(call, str) or not isinstance(child, str) or not child:
            return
        self.state.setdefault("children", {})[call] = f"codex:{child}"
        for turn in self.open:
            for block in turn.blocks:
                if isinstance(block, ToolResult) and block.tool_use_id == call:
                    block.child = f"codex:{child}"

    def _tokens(self, info: Any, time: int | None) -> None:
        """The growth of the session's running total belongs to the answer at hand."""
        total = info.get("total_token_usage") if isinstance(info, dict) else None
        if not isinstance(total, dict):
            return
        cached = whole(total.get("cached_input_tokens"))
        now = Usage(
            max(0, whole(total.get("input_tokens")) - cached),
            whole(total.get("output_tokens")),
            cached,
            0,
            whole(total.get("reasoning_output_tokens")),
        )
        before = Usage(*self.state.get("total", [0, 0, 0, 0, 0]))
        self.state["total"] = [now.input, now.output, now.cache_read, 0, now.reasoning]
        if self._replaying(time):
            return
        share = now.beyond(before) if now.total >= before.total else now
        if not share.total:
            return
        for turn in reversed(self.open):
            if turn.role == "assistant":
                turn.usage = share if turn.usage is None else turn.usage + share
                return
        pending = Usage(*self.state.get("pending", [0, 0, 0, 0, 0])) + share
        self.state["pending"] = [pending.input, pending.output, pending.cache_read, 0,
                                 pending.reasoning]  # fmt: skip

    def finish(self) -> None:
        """What the session seems to be doing."""
        self.info.status = str(self.state.get("last") or "ended")

    def provisional(self) -> list[Turn]:
        """Nothing counted is lost: tokens no answer has taken yet, in the next turn's place."""
        pending = self.state.get("pending")
        if not pending:
            return []
        number = self.state.get("number", 0)
        turn = self._turn("system", [], self.info.updated_at, meta=True)
        self.state["number"] = number
        turn.usage = Usage(*pending)
        return [turn]


def _header_id(record: dict[str, Any]) -> str:
    """The session's id in a header line of either form; empty for other records."""
    body = record.get("payload") if record.get("type") == "session_meta" else record
    if not isinstance(body, dict) or (body is record and "type" in record):
        return ""
    return body["id"] if isinstance(body.get("id"), str) else ""
