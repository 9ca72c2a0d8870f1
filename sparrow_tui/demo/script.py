"""A short hand for writing invented sessions down."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

from sparrow_tui.agents.base import Batch
from sparrow_tui.model import (
    Block,
    Coverage,
    Image,
    Notice,
    Raw,
    Reasoning,
    SessionInfo,
    Text,
    ToolResult,
    ToolUse,
    Turn,
    Usage,
)

MINUTE = 60_000


class Script:
    """A session being written, one turn after another."""

    def __init__(self, session_id: str, started: int, model: str, **facts: Any) -> None:
        self.info = SessionInfo(id=session_id, model=model, created_at=started, **facts)
        self.clock = started
        self.model = model
        self.turns: list[Turn] = []
        self._calls = 0

    def _turn(self, role: str, blocks: list[Block], seconds: float = 20, **more: Any) -> Turn:
        self.clock += int(seconds * 1000)
        turn = Turn(
            role=role,
            blocks=blocks,
            time=self.clock,
            uid=f"{self.info.id}#{len(self.turns)}",
            **more,
        )
        self.turns.append(turn)
        return turn

    def user(self, text: str, *blocks: Block, after: float = 60) -> Script:
        """The person types."""
        self._turn("user", [Text(text), *blocks], after)
        return self

    def says(
        self, text: str = "", *, thinks: str = "", use: ToolUse | None = None, seconds: float = 8
    ) -> Script:
        """The model answers: thinking, text, a tool call, in this order."""
        blocks: list[Block] = []
        if thinks:
            blocks.append(Reasoning(thinks))
        if text:
            blocks.append(Text(text))
        if use is not None:
            blocks.append(use)
        size = sum(len(getattr(block, "text", "")) for block in blocks)
        usage = Usage(
            input=40 + 13 * len(self.turns),
            output=30 + size // 3,
            cache_read=9_000 + 1_400 * len(self.turns),
            cache_write=600 + size,
            reasoning=len(thinks) // 4,
        )
        self._turn("assistant", blocks, seconds, model=self.model, usage=usage)
        return self

    def tool(
        self,
        name: str,
        arguments: Any,
        result: str | list[Block],
        *,
        says: str = "",
        thinks: str = "",
        error: bool = False,
        seconds: float = 2,
        child: str = "",
    ) -> Script:
        """The model calls a tool and the tool answers."""
        self._calls += 1
        call = f"call_{self._calls:02}"
        self.says(says, thinks=thinks, use=ToolUse(call, name, arguments))
        content: list[Block] = [Text(result)] if isinstance(result, str) else result
        block = ToolResult(
            call, content, is_error=error, duration_ms=int(seconds * 1000), child=child
        )
        self._turn("tool", [block], seconds)
        return self

    def notice(self, kind: str, text: str) -> Script:
        """A mark in the story."""
        self._turn("system", [Notice(kind, text)], 1, api_error=kind == "error")
        return self

    def raw(self, kind: str, data: Any) -> Script:
        """A record of a kind nobody has told us about."""
        self._turn("system", [Raw(kind, data)], 1)
        return self

    def batch(self, status: str = "ended") -> Batch:
        """The session as a reader would hand it over."""
        unknown = [b.kind for t in self.turns for b in t.blocks if isinstance(b, Raw)]
        self.info.updated_at = self.clock
        self.info.status = status
        coverage = Coverage(
            records=len(self.turns) + 3,
            kept=len(self.turns),
            skipped=3,
            unknown={kind: unknown.count(kind) for kind in unknown},
        )
        return Batch(session=self.info, turns=self.turns, coverage=coverage, fresh=True)


def picture(width: int = 96, height: int = 48) -> Image:
    """A small PNG: a bar chart in the captain's colours."""
    colours = [(242, 169, 60), (78, 201, 176), (111, 166, 230), (240, 103, 74)]
    heights = [12, 30, 22, 40, 18, 34, 26, 44]
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            bar, inside = divmod(x, width // len(heights))
            lit = inside > 1 and height - y <= heights[bar % len(heights)]
            rows.extend(colours[bar % len(colours)] if lit else (22, 18, 13))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n"
    for kind, body in ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows))), (b"IEND", b"")):
        data += struct.pack(">I", len(body)) + kind + body
        data += struct.pack(">I", zlib.crc32(kind + body))
    return Image("image/png", base64.b64encode(data).decode(), size=len(data))
