"""Codex's turns in the making: whose copies they are, what was said twice, who takes the tokens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sparrow_tui.agents import codex_header, codex_tokens
from sparrow_tui.agents.line_session import LineSession
from sparrow_tui.model import Block, ToolResult, Turn

RECENT = 12
"""Messages remembered to recognise their double."""


class CodexTurns(LineSession):
    """What a rollout's records are put together with."""

    def _uid(self, time: int | None) -> str:
        """The same in a fork's copy: the origin's id and the place among the items."""
        number = self.state.get("number", 0)
        self.state["number"] = number + 1
        copied = codex_header.replaying(self.state, time)
        origin = self.state.get("origin") if copied else None
        return f"{origin or self.state.get('own') or self.info.native_id}#{number}"

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

    def _settle(self, time: int | None) -> Iterator[Turn]:
        """Close the answer at hand. Tokens it did not take stand in a turn of their own."""
        yield from self.close()
        if (pending := codex_tokens.held(self.state)) is not None:
            del self.state["pending"]
            turn = self._turn("system", [], time, meta=True)
            codex_tokens.give(turn, *pending)
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
            if (pending := codex_tokens.held(self.state)) is not None:
                del self.state["pending"]
                codex_tokens.give(turn, *pending)
        self.open[-1].blocks.extend(blocks)

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

    def _tokens(self, info: Any) -> None:
        """The growth of the session's running total belongs to the answer at hand."""
        share = codex_tokens.grown(self.state, info)
        if share is None:
            return
        if self.info.model is None and (told := codex_tokens.model_by_window(info)):
            self.info.model = told
            self.info.extra["model"] = "not recorded, told by its context window"
        for turn in reversed(self.open):
            if turn.role == "assistant":
                turn.model = turn.model or self.info.model or ""
                codex_tokens.give(turn, *share)
                return
        codex_tokens.hold(self.state, *share)

    def provisional(self) -> list[Turn]:
        """Nothing counted is lost: tokens no answer has taken yet, in the next turn's place."""
        pending = codex_tokens.held(self.state)
        if pending is None:
            return []
        turn = Turn(role="system", blocks=[], time=self.info.updated_at, meta=True)
        codex_tokens.give(turn, *pending)
        return [turn]
