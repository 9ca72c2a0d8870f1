"""Processes that read sources side by side, with a bounded way back to the writer."""

from __future__ import annotations

import os
import queue
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from threading import Thread
from typing import TYPE_CHECKING, Any

from sparrow_tui import tokens
from sparrow_tui.scratch import scratch_dir
from sparrow_tui.store import prepared
from sparrow_tui.store.prepared import Glances, Prepared
from sparrow_tui.sync import memory
from sparrow_tui.sync.reading import Look, Task, take

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

UNIT = 64 << 10
ROOM = 512
LARGEST = 128
"""Parts wait for the writer in ``ROOM`` units of ``UNIT`` bytes, about what it writes at once, so
that reading goes on meanwhile. No part takes more than ``LARGEST`` units: several workers that
wait in the middle of one leave room for one of them to go on."""
LOADED = ("sparrow_tui.store.glance_parts", "sparrow_tui.agents.claude", "sparrow_tui.agents.codex")
"""Modules that nearly every large import needs."""
SMALL = 6_000_000
"""Bytes; less than this is read faster without starting processes."""

FIRST = 3
"""Groups of sources glanced at before processes begin, which takes a while: the first rows."""

SHORT = 71
"""Bytes of a folder's name; a socket's in it still fits where there is least room (macOS: 104)."""

NICER = 5
"""How much processes that read and build give way to the one that writes."""


def parts(tasks: Sequence[Task | Look], workers: int | None = None) -> Iterator[Prepared | Glances]:
    """What the sources say, in any order between tasks, in order within one.

    Args:
        tasks: in the order to begin them.
        workers: processes; ``None``: `processes`.
    """
    number = workers or processes()
    if number < 2 or len(tasks) < 2 or sum(task.size for task in tasks) < SMALL:
        met: set[str] = set()
        for task in tasks:
            yield from take(task, met)
        return
    make_ready(number)
    here = 0
    while here < min(FIRST, len(tasks)) and isinstance(tasks[here], Look):
        yield from take(tasks[here], set())
        here += 1
    if here < len(tasks):
        yield from _side_by_side(tasks[here:], number)


def processes() -> int:
    """How many worker processes there should be: one for each processor, at most four."""
    return min(4, os.cpu_count() or 1)


@cache
def beginning() -> Any:
    """How processes begin: from a server that loads what they need, where there are such.

    The server begins at once, beside what this process does meanwhile.
    """
    import multiprocessing

    if "forkserver" in multiprocessing.get_all_start_methods():
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__, *LOADED])
        # What a killed process shared its tracker removes; nobody needs to be told of that.
        sys.warnoptions.append("ignore::UserWarning:multiprocessing.resource_tracker")
        with suppress(OSError):  # no temporary directory, or none with a name short enough
            _serve()
            return context
    return multiprocessing.get_context("spawn")


def _serve() -> None:
    """Start the server that processes begin from, its socket in a folder of ours."""
    from multiprocessing import forkserver

    folder = os.fspath(scratch_dir())
    before = tempfile.tempdir
    if len(os.fsencode(folder)) <= SHORT:
        tempfile.tempdir = folder  # there is no other way to say where; it is looked at once
    try:
        forkserver.ensure_running()
    finally:
        tempfile.tempdir = before


def make_ready(number: int | None = None) -> None:
    """Prepare for processes that will be wanted soon; ``number``: see `parts`."""
    if (number or processes()) > 1:
        beginning()


def _side_by_side(tasks: Sequence[Task | Look], number: int) -> Iterator[Prepared | Glances]:
    context = beginning()
    waiting: Any = context.Queue()
    back: Any = context.Queue()
    room: Any = context.Semaphore(ROOM)
    started: Any = context.Event()
    for task in enumerate(tasks):
        waiting.put(task)
    for _ in range(number):
        waiting.put(None)
    team = [
        context.Process(target=_work, args=(waiting, back, room, started), daemon=True)
        for _ in range(number)
    ]
    for process in team:
        process.start()
    alive = number
    met: set[str] = set()
    left = set(range(len(tasks)))
    try:
        # Processes take a while to start: the newest sessions are read here until one has.
        while not started.is_set():
            try:
                given = waiting.get(timeout=0.2)
            except queue.Empty:
                break
            if given is None:
                waiting.put(None)
                break
            place, task = given
            yield from take(task, met)
            left.discard(place)
        while left:
            try:
                place, data = back.get(timeout=0.5)
            except queue.Empty:
                now = sum(process.is_alive() for process in team)
                if not now:
                    break
                if now < alive:
                    alive = now
                    _release(room, ROOM)  # one that was killed may have held all of it
                continue
            _release(room, _units(data))
            item = prepared.decode(data)
            if item.done:
                left.discard(place)
            yield item
        # A worker that was killed takes its source with it: read what is left right here.
        for place in sorted(left):
            yield from take(tasks[place], met)
    finally:
        _end(team)
        for channel in (waiting, back):
            channel.cancel_join_thread()
            channel.close()


def _units(data: bytes) -> int:
    return min(1 + len(data) // UNIT, LARGEST)


def _release(room: Any, units: int) -> None:
    for _ in range(units):
        room.release()


def _end(team: Sequence[BaseProcess]) -> None:
    for process in team:
        if process.is_alive():
            process.terminate()
    for process in team:
        process.join(2)


def begin() -> None:
    """What a worker process does first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C goes to all; the parent answers it
    Thread(target=_end_with_parent, daemon=True).start()
    memory.prepare()
    with suppress(OSError, AttributeError):
        os.nice(NICER)  # what they made is written first


def _work(waiting: Any, back: Any, room: Any, started: Any) -> None:
    """A worker process: read until there is nothing left, or the parent is gone."""
    begin()
    started.set()
    with suppress(KeyboardInterrupt, OSError, EOFError, BrokenPipeError):
        met: set[str] = set()
        while (given := waiting.get()) is not None:
            place, task = given
            if not isinstance(task, Look):
                tokens.forget_apart()
            for item in take(task, met):
                data = prepared.encode(item)
                for _ in range(_units(data)):
                    room.acquire()
                back.put((place, data))


def _end_with_parent() -> None:
    """A parent that was killed cannot end its workers, and their queues never close."""
    import multiprocessing

    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
