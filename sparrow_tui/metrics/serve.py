"""Our page of counters over HTTP, for a Prometheus server to scrape."""

from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from urllib.parse import urlsplit

from sparrow_tui.metrics.page import CONTENT_TYPE, page
from sparrow_tui.store import open_store
from sparrow_tui.store.base import StoreError

HOST, PORT = "127.0.0.1", 9469
"""Where the page is served unless something else is said: this machine only."""


class AddressError(Exception):
    """An address cannot be served at. The message is one sentence for the user."""


def address_of(text: str) -> tuple[str, int]:
    """Host and port of ``HOST:PORT``, ``HOST``, ``:PORT`` or ``PORT``; ``[::1]:PORT`` too.

    Raises:
        AddressError: it is none of these.
    """
    if text.isdigit():
        text = f":{text}"
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname or HOST, PORT if parts.port is None else parts.port
    except ValueError as error:
        raise AddressError(
            f"{text!r} is not an address; give HOST:PORT, such as {HOST}:{PORT}"
        ) from error
    if parts.path or parts.query or parts.username:
        raise AddressError(f"{text!r} is not an address; give HOST:PORT, such as {HOST}:{PORT}")
    return host, port


class _Handler(BaseHTTPRequestHandler):
    """Answers ``/metrics``; nothing else exists."""

    server: PageServer
    server_version = "sparrow-tui"
    sys_version = ""
    timeout = 10

    def do_GET(self) -> None:
        """Answer with the page."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """Answer with the head alone."""
        self._answer(body=False)

    def _answer(self, *, body: bool) -> None:
        path = urlsplit(self.path).path
        if path == "/metrics":
            try:
                store = open_store(self.server.location, readonly=True)
                try:
                    self._send(200, page(store), body, CONTENT_TYPE)
                finally:
                    store.close()
            except StoreError as error:
                self._send(503, f"{error}\n", body)
        else:
            self._send(404, "there is nothing here; the counters are at /metrics\n", body)

    def _send(
        self, code: int, text: str, body: bool, kind: str = "text/plain; charset=utf-8"
    ) -> None:
        data = text.encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if body:
            self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Scrapes are no news."""


class PageServer(ThreadingHTTPServer):
    """Serves the counters of a store; one read-only connection for each request."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], location: str | None) -> None:
        """Take the address.

        Args:
            address: host and port; port 0 takes any that is free.
            location: the store.

        Raises:
            AddressError: the address is taken, or not this machine's.
        """
        self.location = location
        if ":" in address[0]:
            import socket

            self.address_family = socket.AF_INET6
        try:
            super().__init__(address, _Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise AddressError(
                f"{address[0]}:{address[1]} cannot be served at: {reason}; name another HOST:PORT"
            ) from error

    def server_bind(self) -> None:
        """Take the address, without asking a name server what this machine is called."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    @property
    def url(self) -> str:
        """Where the page is."""
        host, port = str(self.server_address[0]), self.server_address[1]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}/metrics"

    def serve_until(self, stopped: Callable[[], bool]) -> None:
        """Answer requests until told to stop."""
        self.timeout = 0.25
        while not stopped():
            self.handle_request()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is no fault of ours."""
