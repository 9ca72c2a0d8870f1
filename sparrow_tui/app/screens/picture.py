"""A picture of a session, drawn as well as the terminal can."""

from __future__ import annotations

import base64
import binascii
import io
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult, SuspendNotSupported
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from sparrow_tui.model import Image
from sparrow_tui.sanitize import clean_line
from sparrow_tui.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from sparrow_tui.app.app import SparrowApp

MOST_PIXELS = 60_000_000
"""Larger pictures are not decoded: a small file may claim any size."""


class PictureError(Exception):
    """A picture cannot be shown. The message is one sentence."""


def bytes_of(image: Image, store: SqliteStore) -> bytes:
    """A picture's file.

    Raises:
        PictureError: only its address is known, or it is not there.
    """
    if image.ref:
        found = store.reader.attachment(image.ref)
        if found is not None:
            return found[1]
    if image.data:
        try:
            return base64.b64decode(image.data)
        except (binascii.Error, ValueError):
            raise PictureError("the picture's data is broken") from None
    if image.url:
        where = clean_line(image.url, 120)
        raise PictureError(f"only the picture's address was kept ({where}); it is not fetched")
    raise PictureError("the agent did not keep the picture")


def decoded(data: bytes) -> Any:
    """A picture, decoded; call it in a thread.

    Raises:
        PictureError: it is none, or too large.
    """
    import PIL.Image

    try:
        picture = PIL.Image.open(io.BytesIO(data))
        if picture.width * picture.height > MOST_PIXELS:
            raise PictureError(f"the picture is too large ({picture.width}×{picture.height})")
        picture.load()
    except PictureError:
        raise
    except Exception as error:
        raise PictureError(f"the picture cannot be decoded ({type(error).__name__})") from None
    return picture


def prepare(app: SparrowApp) -> None:
    """Find out what the terminal can draw; it has to be asked while the app does not listen."""
    import sys

    if "textual_image.widget" in sys.modules:
        return
    try:
        with app.suspend():
            import textual_image.widget
    except SuspendNotSupported:
        import textual_image.widget  # noqa: F401


class PictureScreen(ModalScreen[None]):
    """The picture in a frame."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,o,enter,space", "dismiss", "Close"),
    ]

    def __init__(self, picture: Any, image: Image) -> None:
        """Args: decoded; what is known of it. Call `prepare` before."""
        super().__init__(classes="dialog")
        self._picture = picture
        self._image = image

    def compose(self) -> ComposeResult:
        """The picture, and what it is."""
        from textual_image.widget import Image as Drawn

        kind = clean_line(self._image.media_type, 60) or "picture"
        size = f"{self._picture.width}×{self._picture.height}"
        with Vertical(classes="dialog--box", id="picture-box"):
            yield Drawn(self._picture, id="picture")
            note = f"{kind}  {size}  {self._image.size / 1024:,.1f} kB   Esc closes"
            yield Static(Content(note), classes="dialog--note")
