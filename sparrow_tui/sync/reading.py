"""The worker's side of an import: a source read and encoded, a part at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sparrow_tui.agents.base import Checkpoint, Source, SourceError
from sparrow_tui.agents.registry import agent
from sparrow_tui.faultlog import record
from sparrow_tui.store.liveness import guess
from sparrow_tui.store.prepared import Prepared, glanced, prepare


class Task(NamedTuple):
    """A source, and what is to be done with it."""

    source: Source
    since: Checkpoint | None = None
    """How far it was read."""
    glance: bool = False
    """Only what was said is wanted (see `Agent.glance`)."""
    put_off_output: bool = False
    """Leave the words of tool output for later."""


def take(task: Task, met: set[str]) -> Iterator[Prepared]:
    """Do a task; the last part is marked as done. Never raises.

    ``met``: see `prepare`.
    """
    if task.glance:
        yield look_at(task.source)
    else:
        yield from read(task.source, task.since, put_off_output=task.put_off_output, met=met)


def look_at(source: Source) -> Prepared:
    """What was said in a source's session; no session where that cannot be told quickly."""
    item: Prepared | None = None
    reader = agent(source.agent)
    try:
        batch = reader.glance(source) if reader is not None else None
        if batch is not None:
            batch.session.status = guess(batch.turns)
            item = glanced(batch, source)
    except (SourceError, OSError):
        pass  # reading it will say why
    except Exception as error:
        record(error)
    item = item or Prepared(source=source, glance=True)
    item.done = True
    return item


def read(
    source: Source,
    since: Checkpoint | None,
    *,
    put_off_output: bool = False,
    met: set[str] | None = None,
) -> Iterator[Prepared]:
    """Everything a source says, the last part marked as done.

    ``put_off_output``: leave the words of tool output for later; ``met``: see `prepare`.

    Never raises: a source that cannot be read ends with its problem. A fault in an agent's
    module is its own source's problem and goes to the log.
    """
    reader = agent(source.agent)
    last: Prepared | None = None
    mark = since
    problem = ""
    if reader is None:
        problem = f"there is no reader for {source.agent}"
    else:
        try:
            for batch in reader.read(source, since):
                if last is not None:
                    yield last
                if batch.session.status is None and not reader.no_resume:
                    batch.session.status = guess(batch.turns)
                last = prepare(batch, source, put_off_output=put_off_output, met=met)
                mark = batch.checkpoint or mark
        except SourceError as error:
            problem = str(error)
        except FileNotFoundError:
            problem = "it vanished while it was read"
        except OSError as error:
            problem = f"it cannot be read: {error.strerror or error}"
        except Exception as error:
            record(error)
            problem = f"its reader failed ({type(error).__name__}); the log says where"
    if last is not None:
        yield last
    yield Prepared(source=source, checkpoint=None if problem else mark, done=True, problem=problem)
