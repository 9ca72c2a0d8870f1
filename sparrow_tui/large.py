"""Data of very many values, packed as the store keeps it and read a part at a time.

To make objects of 20 MB of JSON takes a tenth of a second in which no other thread runs, and to
drop them again some more; here they are made of a few kilobytes at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

LARGE = 1_000_000
"""Bytes of a packed value from which it may be left packed."""
MANY = 10_000
"""Values from which it is; fewer are long texts, which cost little."""
PART = 6_000
"""Bytes of which text is made at once."""
DEEPEST = 200
"""Levels that are taken apart."""
BEGINNING = 20_000
"""Bytes of a value that its beginning is made of."""
TOLD = 2_000
"""Bytes of an object's own member up to which it is in the beginning, wherever it stands."""
TOLD_MOST = 300
"""Members looked at for that."""

_decode = msgspec.msgpack.Decoder().decode
_items = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode
_members = msgspec.msgpack.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.msgpack.Encoder().encode


class Part(NamedTuple):
    """A stretch of a value's text: whole lines of it, or a piece of a long string in it."""

    head: str
    tail: str
    start: int
    """Where in the packed value it is made of stands; nothing between ``start`` and ``end``: the
    part is its head and tail."""
    end: int
    kind: str = ""
    """``array`` or ``map``: several items or members; ``string``: a piece of one; else a value."""
    number: int = 0
    """Items or members."""
    depth: int = 0


class Large:
    """A JSON value as MessagePack."""

    __slots__ = ("_beginning", "_parts", "packed")

    def __init__(self, packed: bytes) -> None:
        """Args: the value."""
        self.packed = packed
        self._parts: list[Part] | None = None
        self._beginning: Any = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Large) and self.packed == other.packed

    __hash__ = None  # type: ignore[assignment]

    @property
    def beginning(self) -> Any:
        """A value that begins as this one does, and has its short members: what tells of it."""
        self.prepare()
        return self._beginning

    @property
    def parts(self) -> list[Part]:
        """The text in parts."""
        return self.prepare()

    def prepare(self) -> list[Part]:
        """Find the parts. The first time this takes long: not in the user's way."""
        if self._parts is None:
            taker = _Taker(self.packed)
            self._beginning = taker.put(0, len(self.packed), 0, "", "")
            self._parts = taker.parts
        return self._parts

    def part_text(self, part: Part) -> str:
        """A part as JSON over several lines, ending with a line break if its last line is whole."""
        packed = self.packed[part.start : part.end]
        if not packed:
            return part.head + part.tail
        if part.kind == "string":
            said = msgspec.json.encode(packed.decode("utf-8", "replace")).decode()[1:-1]
            return part.head + said + part.tail
        if not part.kind:
            return part.head + _indented(_decode(packed), part.depth) + part.tail
        sign = b"\xdd" if part.kind == "array" else b"\xdf"
        value = _decode(sign + part.number.to_bytes(4, "big") + packed)
        lines = _indented(value, part.depth).split("\n", 1)[1].rsplit("\n", 1)[0]
        return part.head + lines + part.tail

    def text(self) -> str:
        """All of it as JSON over several lines."""
        return "".join([self.part_text(part) for part in self.parts])

    def texts(self) -> Iterator[Any]:
        """Strings, numbers and small containers that together hold every value, in order."""
        yield from _texts(memoryview(self.packed))


def opened(raw: msgspec.Raw) -> Any:
    """A packed value as what it is; as `Large` if it is data of very many values."""
    packed = memoryview(raw)
    if not packed:
        return None
    if len(packed) < LARGE or _number(packed, MANY) < MANY:
        return _decode(packed)
    return Large(bytes(packed))


def _indented(value: Any, depth: int) -> str:
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode("utf-8", "replace")
    return text.replace("\n", "\n" + "  " * depth)


def _kind(first: int) -> str:
    """What a packed value is, by its first byte."""
    if 0x90 <= first <= 0x9F or first in (0xDC, 0xDD):
        return "array"
    if 0x80 <= first <= 0x8F or first in (0xDE, 0xDF):
        return "map"
    return "string" if 0xA0 <= first <= 0xBF or first in (0xD9, 0xDA, 0xDB) else ""


def _header(packed: bytes | memoryview, start: int) -> int:
    """Bytes before an array's items, a map's members or a string's characters."""
    sizes = {0xDC: 3, 0xDD: 5, 0xDE: 3, 0xDF: 5, 0xD9: 2, 0xDA: 3, 0xDB: 5}
    return sizes.get(packed[start], 1)


def _children(value: memoryview) -> list[tuple[str | None, msgspec.Raw]]:
    """Items of an array or members of a map."""
    if _kind(value[0]) == "array":
        return [(None, item) for item in _items(value)]
    return [*_members(value).items()]


def _number(value: memoryview, most: int) -> int:
    """How many values there are; ``most`` if there are as many or more."""
    if _kind(value[0]) not in ("array", "map"):
        return 1
    if len(value) < PART:
        return min(_counted(_decode(value)), most)
    length = _header(value, 0)
    found = value[0] & 0xF if length == 1 else int.from_bytes(value[1:length], "big")
    for _, item in _children(value) if found < most else ():
        found += _number(memoryview(item), most - found) - 1
        if found >= most:
            break
    return min(found + 1, most)


def _counted(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value
    return 1 + sum(map(_counted, inner)) if isinstance(value, dict | list) else 1


def _texts(value: memoryview) -> Iterator[Any]:
    if len(value) <= PART or _kind(value[0]) not in ("array", "map"):
        yield _decode(value)
        return
    for _, item in _children(value):
        yield from _texts(memoryview(item))


class _Taker:
    """Takes a packed value apart."""

    def __init__(self, packed: bytes) -> None:
        self._packed = packed
        self._view = memoryview(packed)
        self._left = BEGINNING
        self.parts: list[Part] = []

    def put(self, start: int, end: int, depth: int, head: str, tail: str) -> Any:
        """Add the parts of a value; its beginning."""
        kind = _kind(self._packed[start])
        small = end - start <= PART
        if not small and kind == "string":
            return self._string(start, end, head, tail)
        if small or not kind or depth > DEEPEST:
            self.parts.append(Part(head, tail, start, end, "", 0, depth))
            return self._begun(self._view[start:end])
        return self._container(start, end, depth, head, tail, kind)

    def _begun(self, value: memoryview) -> Any:
        """A value as far as it belongs to the beginning."""
        self._left -= len(value)
        return _decode(value)

    def _container(self, start: int, end: int, depth: int, head: str, tail: str, kind: str) -> Any:
        opening, closing = "[]" if kind == "array" else "{}"
        some: Any = [] if kind == "array" else {}
        pad = "  " * (depth + 1)
        self.parts.append(Part(f"{head}{opening}\n", "", 0, 0))
        at = first = start + _header(self._packed, start)
        waiting = 0
        children = _children(self._view[start:end])
        for number, (key, item) in enumerate(children, 1):
            size = len(memoryview(item))
            name = b"" if key is None else _encode(key)
            last = number == len(children)
            comma = "\n" if last else ",\n"
            begun: Any = None
            if size > PART:
                if waiting:
                    self.parts.append(Part("", ",\n", first, at, kind, waiting, depth))
                    waiting = 0
                said = "" if key is None else f"{msgspec.json.encode(key).decode()}: "
                inside = at + len(name)
                known = self._left > 0
                begun = self.put(inside, inside + size, depth + 1, f"{pad}{said}", comma)
                first = at + len(name) + size
            else:
                waiting += 1
                known = self._left > 0 or (depth == 0 and number < TOLD_MOST and size < TOLD)
                if known:
                    begun = self._begun(memoryview(item))
            if known and key is None:
                some.append(begun)
            elif known:
                some[key] = begun
            at += len(name) + size
            if waiting and (last or at - first > PART):
                self.parts.append(Part("", comma, first, at, kind, waiting, depth))
                first, waiting = at, 0
        self.parts.append(Part(f"{'  ' * depth}{closing}", tail, 0, 0))
        return some

    def _string(self, start: int, end: int, head: str, tail: str) -> str:
        """A long string in pieces; none is cut inside a character."""
        at = first = start + _header(self._packed, start)
        while at < end:
            stop = min(at + PART, end)
            while stop < end and self._packed[stop] & 0xC0 == 0x80:
                stop -= 1
            before, after = f'{head}"' if at == first else "", f'"{tail}' if stop == end else ""
            self.parts.append(Part(before, after, at, stop, "string"))
            at = stop
        said = bytes(self._view[first : first + PART]).decode("utf-8", "ignore")
        self._left -= len(said)
        return said
