"""One pass: look for what changed, read it, write it, index what was put off."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from sparrow_tui.agents.base import Agent, Place, Source
from sparrow_tui.agents.registry import agents
from sparrow_tui.scratch import sweep
from sparrow_tui.store import glances, sources
from sparrow_tui.store.prepared import Glances, Prepared
from sparrow_tui.store.sqlite import SqliteStore
from sparrow_tui.sync.discover import look
from sparrow_tui.sync.indexing import Indexing
from sparrow_tui.sync.progress import Emit, Failure, Meter, Progress, Report
from sparrow_tui.sync.reading import Look, Task
from sparrow_tui.sync.reading import look as look_at
from sparrow_tui.sync.workers import SMALL, make_ready, parts

LOOK, LEAST_LOOK, MOST_LOOK = 400_000, 3_000_000, 16_000_000
"""Bytes of the sources that are glanced at together: at first, at last, and at most."""
SHARES = 5
"""Later groups of sources are at most this part of what is left to be glanced at."""
MANY_LEFT = 16
"""So many sources whose sessions were left out are glanced at again at once."""
FIRST_ROWS = 150
"""Turns of the first transaction: the first sessions show at once."""
MOST_ROWS = 5_000
"""Turns of a transaction once the import is under way."""
WAIT = 0.5
MOST_WAIT = 4.0
"""Seconds after which what has come is written, however little: at first and later on. Fewer,
larger transactions leave the index fewer segments to merge."""
Stopped = Callable[[], bool]


def import_all(
    store: SqliteStore,
    place: Place,
    emit: Emit,
    *,
    paths: Sequence[str] = (),
    stopped: Stopped = lambda: False,
    pressed: Stopped = lambda: False,
    workers: int | None = None,
    indexing: Indexing | None = None,
) -> Report:
    """Bring the store up to date.

    Args:
        store: opened for writing; its caller holds the lease.
        place: the machine.
        emit: takes reports.
        paths: files and directories given by hand; none: every agent's own places.
        stopped: asked between transactions; true ends the pass early, nothing half-written.
        pressed: true leaves the rest of the tool output to ``indexing``, for later.
        workers: reading processes.
        indexing: goes on with what is left; ``None``: nobody does.
    """
    emit(Progress(phase="looking"))
    sweep()
    held = sources.known(store.connection)
    if paths:
        with store.transaction():
            for key in sources.reread_deleted(store.connection):
                held.get(key[0], {}).pop(key[1], None)
    found = look(place, held, paths, partial(make_ready, workers))
    meter = Meter(emit, found.changed)
    meter.report.skipped = found.unchanged
    meter.report.gone = len(found.gone)
    for path, problem in found.problems:
        meter.report.failed += 1
        meter.report.failures.append(Failure("", path, problem))
    if found.gone:
        with store.transaction():
            sources.mark_gone(store.connection, found.gone)
    if found.changed:
        import_sources(
            store, found.changed, meter, stopped=stopped, workers=workers, revive=bool(paths),
            glance=_new(store, found.changed, held),
        )  # fmt: skip
    if not stopped():
        store.end_glances()
        rest = indexing or Indexing(store, workers)
        try:
            rest.run(meter, lambda: stopped() or pressed())
        finally:
            if indexing is None:
                rest.close()
    expire(store, place, found.changed)
    if found.changed:
        store.checkpoint()
    meter.tell(at_once=True)
    return meter.report


def import_sources(
    store: SqliteStore,
    changed: Sequence[Source],
    meter: Meter,
    *,
    stopped: Stopped = lambda: False,
    workers: int | None = None,
    revive: bool = False,
    live: bool = False,
    glance: Sequence[Source] = (),
) -> None:
    """Read sources and write them, in transactions that grow as the import goes on.

    Args:
        store: where to.
        changed: what to read, in this order.
        meter: counts and reports.
        stopped: true ends it early.
        workers: reading processes.
        revive: bring back sessions the user deleted.
        live: a few appended lines: index everything at once.
        glance: what was said in these is wanted first, before anything is read.
    """
    tasks: list[Task | Look] = [*looks(glance, store.following_sid())]
    seen = {source.path for source in glance}
    read_before = sources.any_read(store.connection)
    # What can only be read comes before what was glanced at, names for what is known last.
    for source in sorted(changed, key=lambda source: (not source.mtime, source.path in seen)):
        key = (source.agent, source.path)
        mark = sources.checkpoint(store.connection, key) if read_before else None
        tasks.append(Task(source, mark, not live))
    take_in = _TakingIn(store, glance)
    glancing = len(glance)
    meter.glancing(glancing)
    waiting: list[Prepared] = []
    rows, limit, wait, since = 0, FIRST_ROWS, WAIT, time.monotonic()

    def flush() -> None:
        nonlocal waiting, rows, limit, wait, since
        if waiting:
            done = store.write(waiting, revive=revive)
            meter.wrote(done.sessions, done.turns)
            for item in waiting:
                if item.done and item.source is not None:
                    meter.finished(item.source, item.problem)
        waiting, rows, since = [], 0, time.monotonic()
        limit, wait = min(limit * 2, MOST_ROWS), min(wait * 1.5, MOST_WAIT)

    reading = parts(tasks, workers)
    try:
        for item in reading:
            if isinstance(item, Glances):
                glancing -= item.sources
                meter.wrote(take_in(item.part, last=not glancing), 0)
                meter.glancing(glancing)
                if stopped():
                    return
                continue
            waiting.append(item)
            rows += len(item.rows) + 1
            if rows >= MOST_ROWS if glancing else rows >= limit or time.monotonic() - since > wait:
                flush()
                if stopped():
                    return
        flush()
    finally:
        reading.close()  # type: ignore[attr-defined]


def looks(sources: Sequence[Source], sid: int) -> Iterator[Look]:
    """Sources in groups that are glanced at together.

    The first are small, for the first rows, and the last, so that all processes end together.

    Args:
        sources: newest first.
        sid: from here on no session has a number.
    """
    left = sum(source.size for source in sources)
    group: list[Source] = []
    size, most = 0, LOOK
    for number, source in enumerate(sources, 1):
        group.append(source)
        size += source.size
        if size >= min(most, max(left // SHARES, LEAST_LOOK)) or number == len(sources):
            yield Look(tuple(group), sid)
            sid, left, most = sid + len(group), left - size, min(2 * most, MOST_LOOK)
            group, size = [], 0


class _TakingIn:
    """Takes in what was said. What is left out of a part is glanced at again."""

    def __init__(self, store: SqliteStore, sources: Iterable[Source]) -> None:
        """Args: where to; all sources that are glanced at."""
        self._store = store
        self._sources = {source.path: source for source in sources}
        self._left: list[str] = []

    def __call__(self, part: bytes, *, last: bool) -> set[str]:
        """Take in a part; ids of new sessions. ``last``: no other part comes."""
        sessions = self._take(part)
        if self._left and (last or len(self._left) >= MANY_LEFT):
            again = tuple(self._sources[path] for path in self._left)
            self._left.clear()
            look = Look(again, self._store.following_sid())
            sessions |= self._take(look_at(look, self._store.connection))
        return sessions

    def _take(self, part: bytes) -> set[str]:
        if not part:
            return set()
        taken = self._store.take_in_glances(part)
        self._left += taken.left
        return taken.sessions


def _new(store: SqliteStore, changed: Sequence[Source], held: sources.Known) -> list[Source]:
    """Sources that were never read and can be glanced at, where reading them all takes long."""
    quick = {name for name, agent in agents().items() if type(agent).glance is not Agent.glance}
    glanced = glances.paths(store.connection)
    found = [
        source
        for source in changed
        if source.agent in quick
        and source.path not in held.get(source.agent, ())
        and source.path not in glanced
    ]
    return found if sum(source.size for source in found) > SMALL else []


def expire(store: SqliteStore, place: Place, only: Iterable[Source] | None = None) -> None:
    """Write down when each agent will delete its sources; ``only``: these sources."""
    touched: dict[str, list[str]] | None = None
    if only is not None:
        touched = {}
        for source in only:
            touched.setdefault(source.agent, []).append(source.path)
    with store.transaction():
        for name, agent in agents().items():
            try:
                days = agent.retention_days(place)
            except Exception:
                days = None
            paths = None if touched is None else touched.get(name, [])
            sources.mark_expiry(store.connection, name, days, paths)
