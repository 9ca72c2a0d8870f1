"""Counters from elsewhere, for the footer: asked for on threads of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual.message import Message

from sparrow_tui.app import messages
from sparrow_tui.metrics.remote import Reading, Remote, address, checked

if TYPE_CHECKING:
    from sparrow_tui.metrics.fleet import FleetWatch
    from sparrow_tui.metrics.scrape import Scraper

SCRAPED, FLEET = "scraped", "fleet"


class Remotes:
    """Endpoints that are scraped, and a Prometheus server, as far as they were named."""

    def __init__(
        self, post: Callable[[Message], object], scrape: Sequence[str], prometheus: str | None
    ) -> None:
        """Prepare, but do not start.

        Args:
            post: hands a message to the app; any thread may call it.
            scrape: addresses of endpoints.
            prometheus: address of a server.

        Raises:
            AddressError: one of them is no address.
        """
        self._threads: list[Scraper | FleetWatch] = []
        self.scopes: list[str] = []
        """Their names on the footer."""
        self._places = {SCRAPED: [*scrape], FLEET: [prometheus] if prometheus else []}
        if scrape:
            from sparrow_tui.metrics.scrape import Scraper

            self.scopes.append(SCRAPED)
            self._threads.append(Scraper(scrape, self._teller(post, SCRAPED)))
        if prometheus:
            from sparrow_tui.metrics.fleet import FleetWatch

            self.scopes.append(FLEET)
            self._threads.append(FleetWatch(prometheus, self._teller(post, FLEET)))

    def unheard(self) -> dict[str, Remote]:
        """What is known before anyone has answered, by scope."""
        return {
            scope: Remote(
                problem="asking…",
                of=len(self._places[scope]),
                places=[Reading(name=address(checked(url))) for url in self._places[scope]],
            )
            for scope in self.scopes
        }

    @staticmethod
    def _teller(post: Callable[[Message], object], scope: str) -> Callable[[Remote], object]:
        return lambda remote: post(messages.RemoteTold(scope, remote))

    def start(self) -> None:
        """Begin to ask."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ask no more."""
        for thread in self._threads:
            thread.stop()
