"""Keys typed faster than the app acts on them are handed out one after the other.

Textual gives each key to the widget that has the focus when the key arrives, and acts on bindings
later, when the key has bubbled up. Of ``/word`` sent in one piece every letter would go to the
widget ``/`` leads away from, where letters are commands.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from textual import events
from textual.app import App
from textual.message_pump import MessagePump

LOOK = 0.05
"""Seconds between looks whether the widget a key is in has gone, and the key with it."""
PATIENCE = 10.0
"""Seconds after which a key is no longer waited for: a busy machine takes its time, a widget that
waits for another key would take for ever."""

Deliver = Callable[[events.Event], Awaitable[None]]


class KeyOrder:
    """Holds a key (or a paste) back until the one before it has had its effect."""

    def __init__(self, app: App[str], deliver: Deliver) -> None:
        """Prepare.

        Args:
            app: where keys arrive.
            deliver: gives an event to the widget that has the focus.
        """
        self._app = app
        self._deliver = deliver
        self._waiting: deque[events.Event] = deque()
        self._number = 0
        """Of the key under way; 0: none is."""
        self._handed_out = 0
        self._at: MessagePump | None = None
        """Whose queue the key under way is in."""
        self._look: asyncio.TimerHandle | None = None

    @property
    def used(self) -> bool:
        """Whether any key has come."""
        return bool(self._handed_out)

    @property
    def busy(self) -> bool:
        """Whether a key is under way, or waits."""
        return bool(self._number or self._waiting)

    async def take(self, event: events.Event) -> None:
        """A key has arrived: hand it out now, or when its turn comes."""
        if self._number:
            self._waiting.append(event)
        else:
            await self._hand_out(event)

    async def _hand_out(self, event: events.Event) -> None:
        self._handed_out += 1
        self._number = number = self._handed_out
        target = self._app.focused or self._app.screen
        await self._deliver(event)
        self._follow(target, number, [target])
        self._watch(number, asyncio.get_running_loop().time() + PATIENCE)

    def _watch(self, number: int, deadline: float) -> None:
        """Go on without a key that has been lost."""
        loop = asyncio.get_running_loop()
        if self._at is None or self._at._closed or loop.time() > deadline:
            self._app.call_later(self._next, number)
        else:
            self._look = loop.call_later(LOOK, self._watch, number, deadline)

    def _follow(self, node: MessagePump | None, number: int, again: list[MessagePump]) -> None:
        """Queue behind the key in ``node``, then in its parent, up to the app.

        There the key's binding acts. What it sends goes the same way, so the way is gone twice.
        """
        self._at = node
        if node is not None and node.call_later(self._passed, node, number, again):
            return
        if again:
            self._follow(again.pop(), number, again)
        else:
            self._at = self._app
            self._app.call_later(self._next, number)

    def _passed(self, node: MessagePump, number: int, again: list[MessagePump]) -> None:
        self._follow(None if node is self._app else node._parent, number, again)

    async def _next(self, number: int) -> None:
        """The key with a number has had its effect, or will not have it."""
        if number != self._number:
            return
        self._number = 0
        if self._look is not None:
            self._look.cancel()
        if self._waiting:
            await self._hand_out(self._waiting.popleft())
