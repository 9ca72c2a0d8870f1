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

PATIENCE = 0.5
"""Seconds after which a key is no longer waited for: its widget may be gone."""

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
        self._patience: asyncio.TimerHandle | None = None

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
        loop = asyncio.get_running_loop()
        self._patience = loop.call_later(PATIENCE, self._app.call_later, self._next, number)

    def _follow(self, node: MessagePump | None, number: int, again: list[MessagePump]) -> None:
        """Queue behind the key in ``node``, then in its parent, up to the app.

        There the key's binding acts. What it sends goes the same way, so the way is gone twice.
        """
        if node is not None and node.call_later(self._passed, node, number, again):
            return
        if again:
            self._follow(again.pop(), number, again)
        else:
            self._app.call_later(self._next, number)

    def _passed(self, node: MessagePump, number: int, again: list[MessagePump]) -> None:
        self._follow(None if node is self._app else node._parent, number, again)

    async def _next(self, number: int) -> None:
        """The key with a number has had its effect, or will not have it."""
        if number != self._number:
            return
        self._number = 0
        if self._patience is not None:
            self._patience.cancel()
        if self._waiting:
            await self._hand_out(self._waiting.popleft())
