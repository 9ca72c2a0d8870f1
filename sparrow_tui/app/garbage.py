"""Python's collector of unreachable cycles: it works while the user rests, not between two keys.

A full collection looks at every object, 50 to 100 ms with a transcript on screen. Nearly all of
what the app drops is freed without the collector, so that it can wait for a quiet moment.
"""

from __future__ import annotations

import gc
import time

QUIET = 0.7
"""Seconds without a key after which there is time."""
YOUNG = 5_000
"""Objects made, and not freed, after which the young ones are looked at: under a millisecond."""
OFTEN = 3
"""Looks at the young ones after which a full collection is worth its time."""
STAYED = 10
"""Looks at the young ones after which those that stayed are looked at: some milliseconds. Of
hundreds of looks it would be a tenth of a second."""
AT_LAST = 1_000
"""Looks at these after which all are looked at even if the user never rests."""
WHOLE = 50
"""Collections after which one looks at everything again; those between look at what is new."""


class Collector:
    """Chooses the moments for collections of the whole process."""

    def __init__(self) -> None:
        self._before = gc.get_threshold()
        self._key = 0.0
        self._sweeps = 0

    def begin(self) -> None:
        """Start-up is over: what it left in memory stays, and is not looked at again."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(YOUNG, STAYED, AT_LAST)

    def end(self) -> None:
        """Leave the collector as it was."""
        gc.unfreeze()
        gc.set_threshold(*self._before)

    def key_pressed(self) -> None:
        """The user is at work."""
        self._key = time.monotonic()

    def sweep(self) -> bool:
        """Collect if there is something to collect and the user rests; whether it was done."""
        _, young, stayed = gc.get_count()
        if (young < OFTEN and not stayed) or time.monotonic() - self._key < QUIET:
            return False
        self._sweeps += 1
        if self._sweeps % WHOLE == 0:
            gc.unfreeze()
        gc.collect()
        gc.freeze()
        return True
