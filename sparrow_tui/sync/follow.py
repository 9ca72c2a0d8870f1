"""Following the agents' files as they are written."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Event, Thread

from watchfiles import Change
from watchfiles._rust_notify import RustNotify  # public in its documentation: "Rust backend"

from sparrow_tui.agents.base import Place
from sparrow_tui.agents.registry import agents
from sparrow_tui.sync.discover import Roots, shared

DEBOUNCE_MS = 120
"""Longest time changes are gathered."""
STEP_MS = {True: 20, False: 100}
"""Changes closer together than this are one burst: in trees, and beside single files."""
LOOK_SECONDS = 2.0
"""How often places that did not exist are looked for."""
ASK_SECONDS = 1.0
"""How often who waits for changes asks whether to wait on."""
POLL_SECONDS = 15.0
"""How often everything is looked at where the system cannot watch (any more)."""

Places = dict[str, int]
"""Directories that are watched, with their inode numbers: one made anew is another."""


def roots_of(place: Place) -> Roots:
    """Where every agent writes on this machine."""
    found: Roots = {}
    for name, agent in agents().items():
        try:
            found[name] = [os.fspath(path) for path in agent.roots(place)]
        except OSError:
            continue
    return found


class Watcher:
    """Gathers the names of files that are written, made or removed, from its creation on.

    Two threads watch: whole trees, and directories of which only what is directly in them
    matters. They hand over names only, so that nothing is missed while an import goes on.
    """

    def __init__(self, roots: Roots, stop: Event) -> None:
        """Begin to watch.

        Args:
            roots: as `roots_of` gives them.
            stop: ends it.
        """
        self._bursts: SimpleQueue[set[str] | None] = SimpleQueue()
        self._roots = roots
        self._stop = stop
        for recursive in (True, False):
            # Registered here: whatever is written from now on is noticed.
            places = watchable(roots, recursive)
            notify = _begin(places, recursive)
            Thread(
                target=self._run, args=(recursive, places, notify), name="watch", daemon=True
            ).start()

    @property
    def pending(self) -> bool:
        """Whether something changed that was not taken yet."""
        return not self._bursts.empty()

    def take(self, seconds: float, unless: Callable[[], bool]) -> tuple[set[str], bool]:
        """Everything that changed since it was last asked.

        Args:
            seconds: how long to wait for something.
            unless: true ends the waiting; asked now and then.

        Returns:
            Paths; and whether a place has appeared, so that everything must be looked at.
        """
        paths: set[str] = set()
        everything = False
        try:
            burst = self._next(time.monotonic() + seconds, unless)
            while True:
                if burst is None:
                    everything = True
                else:
                    paths |= burst
                burst = self._bursts.get_nowait()
        except Empty:
            return paths, everything

    def _next(self, end: float, unless: Callable[[], bool]) -> set[str] | None:
        """The next burst; raises `Empty` if none comes until then."""
        while True:
            left = end - time.monotonic()
            try:
                return self._bursts.get(timeout=max(0.0, min(left, ASK_SECONDS)))
            except Empty:
                if left <= ASK_SECONDS or unless():
                    raise

    def _run(self, recursive: bool, places: Places, notify: RustNotify | None) -> None:
        while not self._stop.is_set():
            heard = notify is not None and self._listen(recursive, places, notify)
            # With nothing to watch, look for it; where the system cannot watch, look less often.
            if not heard:
                self._stop.wait(POLL_SECONDS if places else LOOK_SECONDS)
            places = watchable(self._roots, recursive)
            notify = _begin(places, recursive)
            if places:
                self._bursts.put(None)
        self._bursts.put(set())  # ends a `take` that waits

    def _listen(self, recursive: bool, places: Places, notify: RustNotify) -> bool:
        """Hand over bursts until places appear or vanish; false if watching failed."""
        looked = time.monotonic()
        timeout, step = int(LOOK_SECONDS * 1000), STEP_MS[recursive]
        with notify:
            while not self._stop.is_set():
                try:
                    told = notify.watch(DEBOUNCE_MS, step, timeout, self._stop)
                except (OSError, RuntimeError):
                    return False
                if isinstance(told, set):
                    burst = {path for _, path in told if _wanted(path)}
                    if burst:
                        self._bursts.put(burst)
                    if any(change == Change.deleted and path in places for change, path in told):
                        return True  # one made anew in its place would not be watched
                if time.monotonic() - looked > LOOK_SECONDS:
                    looked = time.monotonic()
                    if watchable(self._roots, recursive) != places:
                        return True
        return True


def _begin(places: Places, recursive: bool) -> RustNotify | None:
    """Watch from now on; ``None`` if there is nothing, or the system has no watches left."""
    try:
        return RustNotify([*places], False, False, 0, recursive, True) if places else None
    except (OSError, RuntimeError):
        return None


def watchable(roots: Roots, recursive: bool) -> Places:
    """What there is to watch now: without places inside others; for a file its directory."""
    both = shared(roots)
    deep: set[str] = set()
    shallow: set[str] = set()
    for paths in roots.values():
        for path in paths:
            if os.path.isdir(path):
                (shallow if path in both else deep).add(path)
            elif os.path.exists(path):
                shallow.add(os.path.dirname(path))
    trees: list[str] = []
    for path in sorted(deep):
        if not _inside(path, trees):
            trees.append(path)
    chosen = trees if recursive else sorted(p for p in shallow if not _inside(p, trees))
    found: Places = {}
    for path in chosen:
        with suppress(OSError):
            found[path] = os.stat(path).st_ino
    return found


def files_of(names: set[str]) -> set[str]:
    """The names, and for a directory that appeared the files in it.

    What is written into a new directory before it is watched is not told of.
    """
    found = set(names)
    for name in names:
        if os.path.isdir(name):
            for folder, _, files in os.walk(name):
                found.update(os.path.join(folder, file) for file in files)
    return found


def _inside(path: str, places: Sequence[str]) -> bool:
    return any(path == place or path.startswith(place.rstrip(os.sep) + os.sep) for place in places)


def _wanted(path: str) -> bool:
    """Lock files change without anything to read."""
    return not path.endswith((".lock", ".tmp", ".swp", "-shm", "~"))
