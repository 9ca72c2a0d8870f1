"""The pictures of a ChatGPT export: files beside the conversations, named after their ids."""

from __future__ import annotations

import base64
import os
import re
import zipfile
from contextlib import suppress
from pathlib import Path

from sparrow_tui.agents import plain
from sparrow_tui.agents.exports import ARCHIVE, ENTRY_LIMIT
from sparrow_tui.model import Block, Image, ToolResult

LIMIT = 20_000_000
"""Bytes of a picture; a larger one is only named."""
_ID = re.compile(r"(?:^|/)(file[-_][A-Za-z0-9]+)[^/]*$")
_POINTER = re.compile(r"^[a-z-]+://(file[-_][A-Za-z0-9]+)")
_KINDS = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8"), "image/gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
)


class Pictures:
    """Pictures by the ids that conversations point to; nothing is read before one is asked for."""

    def __init__(self, path: str) -> None:
        """Of the export at ``path``: a zip, or ``conversations.json`` with the files beside it."""
        self._path = Path(path)
        self._archive: zipfile.ZipFile | None = None
        self._names: dict[str, str] | None = None

    def close(self) -> None:
        """Let go of the zip."""
        if self._archive is not None:
            self._archive.close()

    def fill(self, blocks: list[Block]) -> None:
        """Put the bytes of pictures into blocks, also into what tools answered."""
        for block in blocks:
            if isinstance(block, ToolResult):
                self.fill(block.content)
            elif isinstance(block, Image) and not block.data and (data := self._read(block.url)):
                kind = next((kind for magic, kind in _KINDS if magic.match(data)), "")
                if kind:
                    block.data = base64.b64encode(data).decode("ascii")
                    block.media_type, block.size = kind, len(data)

    def _read(self, pointer: str) -> bytes:
        """A file's bytes; none if it is not there, cannot be read or is too large."""
        match = _POINTER.match(pointer)
        if match is None:
            return b""
        if self._names is None:
            self._names = {}
            # Without files, or with a zip that lies about them, pictures stay names.
            with suppress(OSError, ValueError, RuntimeError, zipfile.BadZipFile):
                self._names = self._found()
        name = self._names.get(match[1])
        if name is None:
            return b""
        try:
            if self._archive is None:
                data = plain.read_bytes(name, LIMIT + 1)
            else:
                with self._archive.open(name) as file:
                    data = file.read(LIMIT + 1)
        except Exception:  # zlib, lzma, zipfile and the system each have their own
            return b""
        return data if len(data) <= LIMIT else b""

    def _found(self) -> dict[str, str]:
        """Names of the files by their ids."""
        if ARCHIVE.search(self._path.name):
            self._archive = zipfile.ZipFile(self._path)
            names = [member.filename for member in self._archive.infolist()[:ENTRY_LIMIT]]
        else:
            folders = (self._path.parent, self._path.parent / "dalle-generations")
            names = [
                entry.path
                for folder in folders
                if folder.is_dir()
                for entry in os.scandir(folder)
                if entry.is_file()
            ]
        return {match[1]: name for name in names if (match := _ID.search(name.replace("\\", "/")))}
