"""What was typed while Claude Code was busy, where only the queue tells it (``queue-operation``).

``enqueue`` has the words; ``dequeue`` takes them out to become a record of their own; ``remove``
takes them out to be given to the model in the midst of its work. Later versions write a
``queued_command`` attachment then; until 2.1.49 nothing else holds them. ``popAll`` gives all
back to the input box. What only the queue tells is shown as context: prompts are counted by the
records that are messages, as everybody counts them.
"""

from __future__ import annotations

from typing import Any

from sparrow_tui.agents.common import as_text, milliseconds
from sparrow_tui.model import Text, Turn

MOST = 200
"""Waiting words that are remembered."""


def note(state: dict[str, Any], record: dict[str, Any]) -> bool:
    """Take an operation; whether its record holds what nothing else may tell.

    Args:
        state: of the session; ``queue`` lists what waits as [words, time, told elsewhere],
            ``handed`` what the model got as [words, time, when].
        record: the operation's.
    """
    queue: list[list[Any]] = state.setdefault("queue", [])
    operation = record.get("operation")
    if operation == "enqueue":
        queue.append([as_text(record.get("content")), milliseconds(record.get("timestamp")), False])
        del queue[:-MOST]
    elif operation == "dequeue":
        _out(queue, False)
    elif operation == "popAll":
        queue.clear()
    elif operation == "remove" and not _out(queue, True):
        item = _out(queue, False)
        # A command of the program's has a record of its own; that a task began, its call tells.
        if item and item[0].strip() and not item[0].startswith(("/", '{"task_id"')):
            item[2] = milliseconds(record.get("timestamp"))
            state.setdefault("handed", []).append(item)
            return True
    return False


def _out(queue: list[list[Any]], told: bool) -> list[Any] | None:
    """Take the first that is told elsewhere, or the first that is not."""
    for number, item in enumerate(queue):
        if item[2] is told:
            return queue.pop(number)
    return None


def told(state: dict[str, Any], words: str) -> bool:
    """An attachment tells these words; whether they were shown already."""
    handed: list[list[Any]] = state.get("handed", [])
    for item in handed:
        if item[0] == words:
            handed.remove(item)
            return False
    for item in state.get("queue", ()):
        if item[0] == words and not item[2]:
            item[2] = True
            return False
    return words in state.get("shown", ())


def turns(state: dict[str, Any], branch: bool) -> list[Turn]:
    """Turns of what the model was given and nothing else told."""
    return [_turn(words, time, branch) for words, time, _ in state.get("handed", ())]


def due(state: dict[str, Any], time: int | None) -> bool:
    """Whether the model was given words before a moment; lines are written late at times."""
    return any(_before(item, time) for item in state.get("handed", ()))


def flush(state: dict[str, Any], branch: bool, time: int | None) -> list[Turn]:
    """The same of what was given before a moment, once and for all: what follows answers it."""
    handed: list[list[Any]] = state.pop("handed", [])
    past = [item for item in handed if _before(item, time)]
    if len(past) < len(handed):
        state["handed"] = [item for item in handed if not _before(item, time)]
    shown: list[str] = state.setdefault("shown", [])
    shown += [item[0] for item in past]
    del shown[:-MOST]
    return [_turn(words, typed, branch) for words, typed, _ in past]


def _before(item: list[Any], time: int | None) -> bool:
    return time is None or not item[2] or item[2] <= time


def _turn(words: str, time: int | None, branch: bool) -> Turn:
    uid = f"queued:{time}" if time else ""
    return Turn(role="user", blocks=[Text(words)], time=time, uid=uid, meta=True, branch=branch)
