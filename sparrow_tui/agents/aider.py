"""aider: one Markdown history per project, in which every run begins with a heading."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from sparrow_tui.agents import lines, plain
from sparrow_tui.agents.base import (
    Agent,
    Batch,
    Checkpoint,
    Place,
    Source,
    SourceError,
    file_source,
)
from sparrow_tui.agents.by_session import cut
from sparrow_tui.agents.common import micro_dollars
from sparrow_tui.agents.line_session import some
from sparrow_tui.agents.projects import known
from sparrow_tui.model import Block, Coverage, Notice, Reasoning, SessionInfo, Text, Turn, Usage
from sparrow_tui.scrub import scrubbed

HISTORY = ".aider.chat.history.md"
_START = re.compile(rb"# aider chat started at (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\s*$")
_TOKENS = re.compile(r"Tokens: (.+?)\.(?:\s|$)")
_COUNT = re.compile(r"([\d.,]+)([kM]?) (sent|cache write|cache hit|received)")
_COST = re.compile(r"Cost: \$([\d.,]+) message")
_MODEL = re.compile(r"(?:Main m|M)odels?:? (\S+)(?: with |$)")
_VERSION = re.compile(r"[Aa]ider (v[\d.]+\S*)$")
_FAILED = re.compile(r"> litellm\.\w+(?:Error|Exception|Timeout)\b|> API Error: ")
"""A line in which aider tells why a request to the model failed."""
_SETTING = re.compile(
    r"^chat-history-file:[ \t]*([\"']?)([^\n\"'#]+?)\1[ \t]*(?:#.*)?$", re.MULTILINE
)
_THOUGHT = re.compile(
    r"(?:^-+\n+)?^► \**THINKING\**\s*$\n(.*?)(?:^-+\n+)?^► \**ANSWER\**\s*$\n?",
    re.MULTILINE | re.DOTALL,
)


class Aider(Agent):
    """Reads ``.aider.chat.history.md`` of every project we know of.

    Projects are those that other agents' registries name and the folders up to three levels
    below home, at most a thousand of them; nothing else is searched. Another file is read where
    aider is told to write it: by ``AIDER_CHAT_HISTORY_FILE`` or in ``.aider.conf.yml``, at home
    or in the project; a relative name is one in each project.
    """

    name = "aider"
    label = "aider"
    glyph = "≡"
    color = "#14b014"
    no_restore = "its history file holds all runs of a project, one after the other"
    no_resume = "aider keeps one history per project and cannot reopen a single run of it"

    def roots(self, place: Place) -> list[Path]:
        """The histories that exist now."""
        return [Path(source.path) for source in self.sources(place)]

    def sources(self, place: Place) -> Iterator[Source]:
        """Histories beside projects, each once."""
        named = (place.env.get("AIDER_CHAT_HISTORY_FILE", ""), _configured(place.home))
        names = [name for name in named if name]
        candidates = [Path(name) for name in names if Path(name).is_absolute()]
        for project in known(place):
            own = _configured(project)
            candidates += [project / name for name in (HISTORY, *names, own) if name]
        for path in dict.fromkeys(candidates):
            source = file_source(self.name, path)
            if source is not None:
                yield source

    def sniff(self, path: Path, head: bytes) -> bool:
        """The heading of a run among the first lines."""
        return any(_START.match(line) for line in head[:4096].splitlines())

    def source_at(self, path: Path) -> Source | None:
        """A Markdown file."""
        return file_source(self.name, path) if path.suffix == ".md" else None

    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Batch]:
        """Runs from the last one known on; that one is read again from its heading.

        Runs without a prompt are passed over.
        """
        offset, head = 0, lines.fingerprint(source.path)
        seen: dict[str, int] = {}
        if since is not None and lines.resumable(source.path, since, source.size):
            state = since.state if isinstance(since.state, dict) else {}
            offset, seen = since.offset, dict(state.get("seen") or {})
        runs = _runs(source.path, offset)
        current = next(runs, None)
        while current is not None:
            following = next(runs, None)
            started, begin, text = current
            number = seen.get(started, 0)
            checkpoint = Checkpoint(begin, head, 0, {"seen": dict(seen)})
            seen[started] = number + 1
            if following is not None:
                checkpoint = Checkpoint(following[1], head, 0, {"seen": dict(seen)})
            info = _info(source, started, number, following is None)
            coverage = Coverage()
            turns = list(_turns(text, info, coverage))
            if any(turn.role == "user" for turn in turns):
                last: Batch | None = None
                for batch in cut(info, turns, coverage):
                    batch.session = scrubbed(batch.session)
                    if last is not None:
                        yield last
                    last = batch
                if last is not None:
                    last.checkpoint = checkpoint
                    yield last
            current = following


def _configured(folder: Path) -> str:
    """The history's name as a folder's ``.aider.conf.yml`` sets it, or nothing."""
    try:
        settings = plain.read_bytes(folder / ".aider.conf.yml", 100_000)
        found = _SETTING.search(settings.decode("utf-8", "replace"))
    except (OSError, ValueError):
        return ""
    return os.path.expanduser(found[2].strip()) if found else ""


def _info(source: Source, started: str, number: int, newest: bool) -> SessionInfo:
    """A run's facts. Its heading has local time without a zone; nothing else has a time."""
    name = f"{source.path}\n{started}\n{number}".encode(errors="replace")
    begun = int(datetime.fromisoformat(started).timestamp() * 1000) if _valid(started) else None
    info = SessionInfo(id=f"aider:{hashlib.blake2b(name, digest_size=8).hexdigest()}")
    info.project = str(Path(source.path).parent)
    info.created_at = info.updated_at = begun
    if newest and source.mtime > (begun or 0):
        # The file was last written by its last run.
        info.updated_at = source.mtime
    return info


def _valid(started: str) -> bool:
    try:
        datetime.fromisoformat(started).timestamp()
    except (ValueError, OverflowError, OSError):
        return False
    return True


def _runs(path: str, offset: int) -> Iterator[tuple[str, int, str]]:
    """Runs as (time in the heading, offset of the heading, text below it)."""
    started, begin = "", offset
    held: list[bytes] = []
    with lines.open_source(path) as file:
        try:
            file.seek(offset)
            for line in file:
                match = _START.match(line)
                if match is not None:
                    if started:
                        yield started, begin, _decoded(held)
                    started, begin, held = match[1].decode(), offset, []
                elif started:
                    held.append(line)
                offset += len(line)
        except OSError as error:
            raise SourceError(f"it cannot be read: {error.strerror or error}") from error
    if started:
        yield started, begin, _decoded(held)


def _decoded(held: list[bytes]) -> str:
    return b"".join(held).decode("utf-8", errors="replace").replace("\r\n", "\n")


def _turns(text: str, info: SessionInfo, coverage: Coverage) -> Iterator[Turn]:
    """A run's turns by aider's own rules: ``####`` is the person, ``>`` the program.

    Tokens and cost stand in the program's lines after an answer and go to that answer.
    """
    pieces: list[tuple[str, list[str]]] = []
    for line in text.split("\n"):
        if line.startswith("#### ") or line == "####":
            kind, line = "user", line[5:]
        elif line.startswith("> ") or line == ">":
            kind = "error" if _FAILED.match(line) else "system"
            line = line[2:]
        else:
            kind = "assistant"
            if not line.strip() and (not pieces or pieces[-1][0] != "assistant"):
                continue
        if not pieces or pieces[-1][0] != kind or kind == "error":
            pieces.append((kind, []))
        pieces[-1][1].append(line.rstrip() if kind != "assistant" else line)
    turns: list[Turn] = []
    for kind, held in pieces:
        words = "\n".join(held).strip("\n").rstrip()
        if not words.strip():
            continue
        coverage.records += 1
        coverage.kept += 1
        if kind == "assistant":
            turns.append(Turn(role=kind, blocks=_answer(words), model=info.model or ""))
        elif kind == "user":
            turns.append(Turn(role=kind, blocks=[Text(words)]))
        elif kind == "error":
            turns.append(Turn(role="system", blocks=[Notice(kind, words)], api_error=True))
        else:
            turns.append(Turn(role=kind, blocks=[Notice("info", words)], meta=True))
            _note(words, turns, info)
    yield from turns


def _answer(words: str) -> list[Block]:
    """An answer; what the model thought before it stands between two marks."""
    thought = _THOUGHT.search(words)
    if thought is None:
        return [Text(words)]
    rest = (words[: thought.start()] + words[thought.end() :]).strip("\n")
    blocks: list[Block] = [Reasoning(thought[1].strip())]
    return [*blocks, Text(rest)] if rest.strip() else blocks


def _note(words: str, turns: list[Turn], info: SessionInfo) -> None:
    """Take model, tokens and cost from the program's own lines."""
    for line in words.split("\n"):
        model = _MODEL.match(line)
        if model is not None:
            # Said again when the person changes it.
            info.model = model[1]
        elif version := _VERSION.match(line):
            info.extra["version"] = version[1]
        tokens = _TOKENS.search(line)
        if tokens is None:
            continue
        counts = {name: _number(*number) for *number, name in _COUNT.findall(tokens[1])}
        read, written = counts.get("cache hit", 0), counts.get("cache write", 0)
        usage = some(
            Usage(
                input=max(0, counts.get("sent", 0) - read - written),
                output=counts.get("received", 0),
                cache_read=read,
                cache_write=written,
            )
        )
        cost = _COST.search(line)
        answer = next((turn for turn in reversed(turns) if turn.role != "system"), turns[-1])
        if answer.role == "user" or answer.usage is not None:
            answer = turns[-1]
        answer.usage = usage if answer.usage is None or usage is None else answer.usage + usage
        answer.cost_micro = micro_dollars(cost[1].replace(",", "")) if cost else None


def _number(digits: str, unit: str) -> int:
    """``4.2k`` and its likes."""
    try:
        value = float(digits.replace(",", "").rstrip("."))
    except ValueError:
        return 0
    return round(value * {"": 1, "k": 1000, "M": 1_000_000}[unit])


AGENT = Aider()
