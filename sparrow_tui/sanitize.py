"""Untrusted text made harmless: the one place every character passes on its way to the terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator

# Whole escape sequences: CSI, OSC/DCS/SOS/PM/APC strings (also unterminated), then two-byte ones.
# The one-character forms of C1 begin none: terminals read UTF-8, and in text that was decoded
# wrongly they stand beside words that must not go with them.
_ESCAPES = re.compile(
    "\x1b\\[[0-?]*[ -/]*[@-~]?"
    "|\x1b[\\]PX^_][^\x07\x1b\x9c\n]*(?:\x07|\x1b\\\\|\x9c)?"
    "|\x1b[ -/]*[0-~]?"
)
_SGR = re.compile("\x1b\\[[0-9;:]*m")
_DANGEROUS = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # C0 but tab, newline, return; DEL; C1
    "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # bidi, invisible
    "\u2028\u2029\U000e0000-\U000e007f\ud800-\udfff"
)
_BAD = re.compile(f"[{_DANGEROUS}]")
_SUSPECT = re.compile(f"[{_DANGEROUS}\r]")
_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")
PART = 200_000
"""Characters that are looked through at once."""


def _picture(match: re.Match[str]) -> str:
    """A visible stand-in for one dangerous character, so that a reader sees there was one."""
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if code in (0x2028, 0x2029):
        return "\n"
    return "\ufffd"


def clean(text: str) -> str:
    r"""Text that cannot act on a terminal.

    Escape sequences go; other control, bidi and invisible characters become visible
    stand-ins; tabs and newlines stay, ``\r\n`` and ``\r`` become ``\n``. Costs one regex
    search where there is nothing to do; a large text is looked through part by part, so that
    other threads get their turn.
    """
    if len(text) <= PART:
        return _clean(text)
    at = next((start for start, end in _parts(text) if _SUSPECT.search(text, start, end)), None)
    if at is None:
        return text
    return "".join([text[:at], *(_clean(text[start:end]) for start, end in _parts(text, at))])


def _clean(text: str) -> str:
    if not _SUSPECT.search(text):
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _BAD.sub(_picture, _ESCAPES.sub("", text))


def _parts(text: str, at: int = 0) -> Iterator[tuple[int, int]]:
    """Starts and ends of the parts of a text that can be made harmless one by one.

    No escape sequence and no pair of line ends is cut in two; none has an escape inside.
    """
    while at < len(text):
        end = at + PART
        escape = text.rfind("\x1b", at, end)
        sequence = _ESCAPES.match(text, escape) if escape >= 0 else None
        if sequence is not None and sequence.end() > end:
            end = escape if escape > at else sequence.end()
        if text[end - 1 : end + 1] == "\r\n":
            end += 1
        yield at, min(end, len(text))
        at = end


def clean_line(text: str, limit: int = 400) -> str:
    """One safe line of at most ``limit`` characters: white space runs become single spaces."""
    return clean(" ".join(text[: limit * 8].split()))[:limit].replace("\n", " ")


def split_sgr(text: str) -> list[tuple[str, str]]:
    """Terminal output cut at its colour codes, everything else made safe.

    Returns:
        Pairs of (SGR parameters in force from here, e.g. ``"1;31"``; safe text). The first
        pair's parameters are empty.
    """
    pieces: list[tuple[str, str]] = []
    at, parameters = 0, ""
    for match in _SGR.finditer(text):
        if match.start() > at:
            pieces.append((parameters, clean(text[at : match.start()])))
        parameters = match[0][2:-1]
        at = match.end()
    pieces.append((parameters, clean(text[at:])))
    return pieces


def storable(text: str) -> str:
    """Text that SQLite and UTF-8 can hold: NULs and lone surrogates become U+FFFD."""
    if text.isascii() and "\x00" not in text:
        return text
    starts = range(0, len(text), PART)
    if not any(_NOT_STORABLE.search(text, at, at + PART) for at in starts):
        return text
    return "".join([_NOT_STORABLE.sub("\ufffd", text[at : at + PART]) for at in starts])


def json_safe(text: str) -> str:
    """JSON that says the same without any dangerous character in it.

    They can only stand inside strings, where an escape means the same.
    """
    return _BAD.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def control_free(text: str) -> str:
    """Text without any dangerous character: the backstop for strings already on their way out."""
    return _BAD.sub("", text)
