"""What agents put into a user's message by themselves, told apart from what the person typed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sparrow_tui.model import Block, Text

_TAGGED = re.compile(
    r"\s*<(system-reminder|system-notification|environment_details|git-context|user_info)"
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
        text, before, after = block.text, [], []
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
