"""Processes that read sources side by side, with a bounded way back to the writer."""

from __future__ import annotations

import gc
import multiprocessing
import os
import queue
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing.process import BaseProcess
from threading import Thread
from typing import Any

from sparrow_tui.agents.base import Checkpoint, Source
from sparrow_tui.store import prepared
from sparrow_tui.store.prepared import Prepared
from sparrow_tui.sync.reading import read

AHEAD = 24
"""Parts that may wait for the writer: with `agents.base.BATCH_BYTES` a bound on memory."""
SMALL = 6_000_000
"""Bytes; less than this is read faster without starting processes."""

GARBAGE = 50_000
"""New objects before a look for garbage: turns are trees, which free themselves."""

Task = tuple[Source, Checkpoint | None]


def parts(tasks: Sequence[Task], workers: int | None = None) -> Iterator[Prepared]:
    """What the sources say, in any order between sources, in order within one.

    Args:
        tasks: sources with their checkpoints, in the order to begin them.
        workers: processes; ``None``: one for each processor, at most four.
    """
    number = workers or min(4, os.cpu_count() or 1)
    if number < 2 or len(tasks) < 2 or sum(source.size for source, _ in tasks) < SMALL:
        for source, since in tasks:
            yield from read(source, since)
        return
    yield from _side_by_side(tasks, number)


def _side_by_side(tasks: Sequence[Task], number: int) -> Iterator[Prepared]:
    context = multiprocessing.get_context("spawn")
    waiting: Any = context.Queue()
    back: Any = context.Queue(AHEAD)
    for task in enumerate(tasks):
        waiting.put(task)
    for _ in range(number):
        waiting.put(None)
    processes = [
        context.Process(target=_work, args=(waiting, back), daemon=True) for _ in range(number)
    ]
    for process in processes:
        process.start()
    left = set(range(len(tasks)))
    try:
        # Processes take a while to start: the newest sessions are read here until they have.
        while back.empty():
            try:
                task = waiting.get(timeout=0.2)
            except queue.Empty:
                break
            if task is None:
                waiting.put(None)
                break
            place, (source, since) = task
            yield from read(source, since)
            left.discard(place)
        while left:
            try:
                place, data = back.get(timeout=0.5)
            except queue.Empty:
                if not any(process.is_alive() for process in processes):
                    break
                continue
            item = prepared.decode(data)
            if item.done:
                left.discard(place)
            yield item
        # A worker that was killed takes its source with it: read what is left right here.
        for place in sorted(left):
            source, since = tasks[place]
            yield from read(source, since)
    finally:
        _end(processes)
        for channel in (waiting, back):
            channel.cancel_join_thread()
            channel.close()


def _end(processes: Sequence[BaseProcess]) -> None:
    for process in processes:
        if process.is_alive():
            process.terminate()
    for process in processes:
        process.join(2)


def _work(waiting: Any, back: Any) -> None:
    """A worker process: read until there is nothing left, or the parent is gone."""
    Thread(target=_end_with_parent, daemon=True).start()
    gc.set_threshold(GARBAGE)
    with suppress(KeyboardInterrupt, OSError, EOFError, BrokenPipeError):
        while (task := waiting.get()) is not None:
            place, (source, since) = task
            for item in read(source, since):
                back.put((place, prepared.encode(item)))


def _end_with_parent() -> None:
    """A parent that was killed cannot end its workers, and their queues never close."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
