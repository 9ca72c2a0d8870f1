"""The worker's side of an import: a source read and encoded, a part at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from sparrow_tui.agents.base import Batch, Checkpoint, Source, SourceBusy, SourceError
from sparrow_tui.agents.registry import agent
from sparrow_tui.faultlog import record
from sparrow_tui.store.liveness import guess
from sparrow_tui.store.prepared import Glances, Prepared, prepare
from sparrow_tui.store.sources import BUSY, REFUSED

if TYPE_CHECKING:
    import apsw


class Task(NamedTuple):
    """A source, and what is to be done with it."""

    source: Source
    since: Checkpoint | None = None
    """How far it was read."""
    put_off_output: bool = False
    """Leave the words of tool output for later."""

    @property
    def size(self) -> int:
        """Bytes to read."""
        return self.source.size


class Look(NamedTuple):
    """Sources of which only what was said is wanted (see `Agent.glance`)."""

    sources: tuple[Source, ...]
    sid: int
    """The first one's session's number; the others' follow."""

    @property
    def size(self) -> int:
        """Bytes to look at."""
        return sum(source.size for source in self.sources)


def take(task: Task | Look, met: set[str]) -> Iterator[Prepared | Glances]:
    """Do a task; the last part is marked as done. Never raises.

    ``met``: see `prepare`.
    """
    if isinstance(task, Look):
        yield Glances(len(task.sources), look(task))
    else:
        yield from read(task.source, task.since, put_off_output=task.put_off_output, met=met)


def look(task: Look, beside: apsw.Connection | None = None) -> bytes:
    """What was said in sources, as a part; ``beside``: see `glance_parts.build`."""
    from sparrow_tui.store import glance_parts

    said = ((source, batch) for source in task.sources if (batch := _glance(source)) is not None)
    return glance_parts.build(said, task.sid, beside)


def _glance(source: Source) -> Batch | None:
    """What was said in a source's session; ``None`` where that cannot be told quickly."""
    reader = agent(source.agent)
    try:
        batch = reader.glance(source) if reader is not None else None
    except (SourceError, OSError):
        return None  # reading it will say why
    except Exception as error:
        record(error)
        return None
    if batch is not None:
        batch.session.status = guess(batch.turns)
    return batch


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
    module is its own source's problem and goes to the log. What may be read another time though
    it stays the same ends with a stamp that says so.
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
        except SourceBusy as error:
            problem, source = str(error), msgspec.structs.replace(source, stamp=BUSY)
        except SourceError as error:
            problem = str(error)
            if isinstance(error.__cause__, OSError):
                source = msgspec.structs.replace(source, stamp=REFUSED)
        except FileNotFoundError:
            problem = "it vanished while it was read"
        except OSError as error:
            problem = f"it cannot be read: {error.strerror or error}"
            source = msgspec.structs.replace(source, stamp=REFUSED)
        except Exception as error:
            record(error)
            problem = f"its reader failed ({type(error).__name__}); the log says where"
    if last is not None:
        yield last
    yield Prepared(source=source, checkpoint=None if problem else mark, done=True, problem=problem)
