"""What a user's message holds besides the person's words: agents' own notes, tool results."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sparrow_tui.model import Block, Text, ToolResult, Turn

_TAGGED = re.compile(
    r"\s*<(system-reminder|system-notification|environment_details|git-context|user_info"
    r"|ide_opened_file|ide_selection|ide_diagnostics|steering-reminder|EnvironmentContext)"
    r"(?:\s[^>]*)?>.*?</\1>\s*",
    re.DOTALL,
)


def split_injected(blocks: Sequence[Block]) -> tuple[list[Block], list[Block]]:
    """Blocks of a user's message as (put in by the agent, said by the person).

    Only whole tagged passages at the start or the end of a text are taken out; the words stay
    as they are.
    """
    put_in: list[Block] = []
    said: list[Block] = []
    for block in blocks:
        if not isinstance(block, Text) or "</" not in block.text:
            said.append(block)
            continue
        text = block.text
        before: list[str] = []
        after: list[str] = []
        while (match := _TAGGED.match(text)) is not None:
            before.append(match[0].strip())
            text = text[match.end() :]
        for match in list(_TAGGED.finditer(text)):
            if match.end() == len(text):
                after.append(match[0].strip())
                text = text[: match.start()]
        put_in.extend(Text(words) for words in (*before, *after))
        if text.strip():
            said.append(Text(text))
    return put_in, said


def user_turns(
    blocks: Sequence[Block], *, time: int | None = None, uid: str = "", role: str = "user"
) -> list[Turn]:
    """A message sent to the model as turns: tool results, the agent's notes, the person's words.

    Args:
        blocks: of the message.
        time: of the message.
        uid: of the message; the first turn gets it.
        role: of what is neither a result nor a note.
    """
    results: list[Block] = [block for block in blocks if isinstance(block, ToolResult)]
    put_in, said = split_injected([b for b in blocks if not isinstance(b, ToolResult)])
    turns: list[Turn] = []
    if results:
        turns.append(Turn(role="tool", blocks=results, time=time))
    if put_in:
        turns.append(Turn(role=role, blocks=put_in, time=time, meta=True))
    if said:
        turns.append(Turn(role=role, blocks=said, time=time))
    if turns:
        turns[0].uid = uid
    return turns
