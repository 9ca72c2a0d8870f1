"""Codex's rollouts: the kinds of lines, and the events among them, as turns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from sparrow_tui.agents import codex_header, lines
from sparrow_tui.agents.base import Source, SourceError
from sparrow_tui.agents.codex_items import CodexItems
from sparrow_tui.agents.codex_kinds import (
    SKIPPED_EVENTS,
    SKIPPED_RECORDS,
    TOLD_EVENTS,
    event_words,
    injected,
)
from sparrow_tui.agents.common import as_text, data_url, milliseconds, whole
from sparrow_tui.agents.line_session import WRONG_SHAPE, Rewritten
from sparrow_tui.model import Block, Notice, Reasoning, Text, Turn

HEADER_WITHIN = 200
"""Lines among which a header is looked for in a file whose name does not tell the session."""
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")


class CodexSession(CodexItems):
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
            self.info.extra.pop("model", None)

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
        elif kind in TOLD_EVENTS:
            yield from self._told(event_words(kind, body), time)
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

    def _told(self, words: str, time: int | None) -> Iterator[Turn]:
        """An event in words; a goal stands in several, of which the first is enough."""
        if not words or words == self.state.get("told"):
            self.skip()
            return
        self.state["told"] = words
        yield from self.close()
        self.keep()
        yield self._turn("system", [Notice("info", words)], time, meta=True, uid="")

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

    def finish(self) -> None:
        """What the session seems to be doing."""
        self.info.status = str(self.state.get("last") or "ended")
