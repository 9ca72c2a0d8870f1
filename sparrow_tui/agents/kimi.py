"""Kimi: kimi-cli's and Kimi Code's session folders, where they are and what lies beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sparrow_tui.agents import plain
from sparrow_tui.agents.base import (
    Agent,
    Batch,
    Checkpoint,
    Place,
    Resume,
    Source,
    file_source,
    walk,
)
from sparrow_tui.agents.common import as_text, milliseconds
from sparrow_tui.agents.kimi_code import CodeWire
from sparrow_tui.agents.kimi_side import side_chains
from sparrow_tui.agents.kimi_wire import ContextFile, KimiSession, Wire
from sparrow_tui.agents.line_session import read_session, with_side
from sparrow_tui.agents.projects import by_hash, json_file
from sparrow_tui.agents.side_chains import with_chains
from sparrow_tui.model import SessionInfo

_NAMES = ("wire.jsonl", "context.jsonl", "state.json")
_READERS: dict[str, type[KimiSession]] = {"code": CodeWire, "wire": Wire, "context": ContextFile}


class Kimi(Agent):
    """Reads ``~/.kimi`` (kimi-cli) and ``~/.kimi-code`` (Kimi Code).

    `Source.kind` says which: ``code`` and ``wire`` are event logs, ``context`` is what older
    sessions of kimi-cli have instead.
    """

    name = "kimi"
    label = "Kimi"
    glyph = "☾"
    color = "#6ea8fe"
    no_restore = "it needs the model's own context beside the events, which is not kept"

    def roots(self, place: Place) -> list[Path]:
        """The session folders of both programs."""
        cli = place.path("KIMI_SHARE_DIR", place.home / ".kimi")
        code = place.path("KIMI_CODE_HOME", place.home / ".kimi-code")
        return [cli / "sessions", code / "sessions"]

    def sources(self, place: Place) -> Iterator[Source]:
        """One per session and one per sub-agent."""
        seen: set[str] = set()
        for root in self.roots(place):
            for entry in walk(root, (".jsonl",), 5):
                source = self.source_at(Path(entry.path))
                if source is not None and source.path not in seen:
                    seen.add(source.path)
                    yield source

    def sniff(self, path: Path, head: bytes) -> bool:
        """The first records of one of the three kinds."""
        first = head[:2000]
        if b'"type":"metadata"' in first.replace(b'": "', b'":"') and b"protocol_version" in first:
            return True
        return path.name == "context.jsonl" and (b"_checkpoint" in head or b"_usage" in head)

    def source_at(self, path: Path) -> Source | None:
        """A session's log, also for its ``state.json`` and for the context beside a log."""
        if path.name not in _NAMES:
            # An earlier context and a sub-agent's: the log beside them tells the same.
            if path.name.startswith("context_"):
                return None
            # The oldest sessions are <hash of the folder>/<id>.jsonl.
            if path.suffix != ".jsonl" or len(path.parent.name) != 32:
                return None if path.suffix != ".jsonl" else _log(self.name, path)
            folder = path.with_suffix("")
            if (folder / "wire.jsonl").exists() or (folder / "context.jsonl").exists():
                return None
            return file_source(self.name, path, "context")
        folder = path.parent
        if path.name == "state.json" and (folder / "agents" / "main" / "wire.jsonl").exists():
            return _log(self.name, folder / "agents" / "main" / "wire.jsonl")
        if (folder / "wire.jsonl").exists():
            return _log(self.name, folder / "wire.jsonl")
        source = file_source(self.name, folder / "context.jsonl", "context")
        return with_side(source, folder / "state.json")

    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Batch]:
        """The log as it is appended; title, folder and parent from the files beside it."""
        reader = _READERS.get(source.kind, Wire)

        def make(source: Source) -> KimiSession:
            return reader(source, _identity(Path(source.path), source.kind), _describe)

        def chains(ident: str, state: dict[str, Any], end: int) -> Iterator[Batch]:
            return side_chains(source, ident, end, lambda info: Wire(source, info, _describe))

        yield from with_chains(read_session(source, since, make), since, chains)

    def resume(self, session: SessionInfo) -> Resume | None:
        """``kimi --session ID`` where the session began; sub-agents cannot be opened."""
        if session.parent:
            return None
        return Resume(("kimi", "--session", session.native_id), session.project or "")


def _log(agent: str, path: Path) -> Source | None:
    """The source of an event log; the kind is told by its first bytes."""
    try:
        head = plain.read_bytes(path, 4096)
    except OSError:
        return None
    code = path.parent.parent.name == "agents" or b'"created_at"' in head.partition(b"\n")[0]
    kind = "code" if code else "wire"
    if code:
        return with_side(file_source(agent, path, kind), path.parent.parent.parent / "state.json")
    return with_side(file_source(agent, path, kind), path.parent / "state.json")


def _identity(path: Path, kind: str) -> SessionInfo:
    """A session's id and, for a sub-agent, its parent, from where the file is."""
    if kind == "code" and path.parent.parent.name == "agents":
        session = path.parent.parent.parent.name
        if path.parent.name == "main":
            return SessionInfo(id=f"kimi:{session}")
        return SessionInfo(id=f"kimi:{session}/{path.parent.name}", parent=f"kimi:{session}")
    if path.parent.parent.name == "subagents":
        session = path.parent.parent.parent.name
        return SessionInfo(id=f"kimi:{session}/{path.parent.name}", parent=f"kimi:{session}")
    native = path.parent.name if path.name in _NAMES else path.stem
    return SessionInfo(id=f"kimi:{native}")


def _describe(info: SessionInfo, path: Path, kind: str) -> None:
    """Fill in what ``state.json`` and the list of folders say."""
    if kind == "code" and path.parent.parent.name == "agents":
        state = json_file(path.parent.parent.parent / "state.json")
        if isinstance(state, dict):
            _code_state(info, state, path.parent.name)
        return
    state = json_file(path.parent / "state.json")
    if isinstance(state, dict) and not info.parent:
        title = as_text(state.get("custom_title") or state.get("title")).strip()
        info.title = title or info.title
    if info.project is None:
        info.project = _folder(path)


def _code_state(info: SessionInfo, state: dict[str, Any], agent: str) -> None:
    info.project = as_text(state.get("workDir")) or info.project
    if info.parent:
        agents = state.get("agents")
        described = agents.get(agent) if isinstance(agents, dict) else None
        parent = described.get("parentAgentId") if isinstance(described, dict) else None
        session = info.native_id.partition("/")[0]
        if isinstance(parent, str) and parent not in ("", "main"):
            info.parent = f"kimi:{session}/{parent}"
        return
    info.title = as_text(state.get("title")).strip() or info.title
    info.created_at = milliseconds(state.get("createdAt")) or info.created_at


def _folder(path: Path) -> str | None:
    """The project a kimi-cli session belongs to: its folder is named by the path's MD5."""
    for parent in path.parents:
        if parent.parent.name == "sessions":
            wanted, share = parent.name, parent.parent.parent
            break
    else:
        return None
    known = json_file(share / "kimi.json")
    entries = known.get("work_dirs") if isinstance(known, dict) else None
    for entry in entries if isinstance(entries, list) else []:
        name = as_text(entry.get("path")) if isinstance(entry, dict) else as_text(entry)
        named = hashlib.md5(name.encode(errors="replace"), usedforsecurity=False).hexdigest()
        # A folder on another machine has its name before the hash.
        if name and wanted.rpartition("_")[2] == named:
            return name
    return by_hash(share.parent, "md5").get(wanted)


AGENT = Kimi()
