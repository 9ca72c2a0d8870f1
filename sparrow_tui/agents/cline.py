"""Cline (editor, CLI) and Roo Code: a folder of JSON files for each task or session."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from sparrow_tui.agents import plain
from sparrow_tui.agents.base import (
    Agent,
    Batch,
    Checkpoint,
    Place,
    Resume,
    Source,
    SourceError,
    file_source,
    subfolders,
)
from sparrow_tui.agents.by_session import Seen, cut
from sparrow_tui.agents.cline_facts import describe, facts_of, list_of, project_of, total_of
from sparrow_tui.agents.cline_messages import DisplayLog
from sparrow_tui.agents.cline_requests import request_turns
from sparrow_tui.agents.cline_results import Results
from sparrow_tui.agents.common import (
    as_text,
    json_or_text,
    micro_dollars,
    milliseconds,
    title_of,
)
from sparrow_tui.agents.documents import load, sealed
from sparrow_tui.agents.line_session import with_side
from sparrow_tui.agents.projects import json_file
from sparrow_tui.agents.vscode_places import PRODUCTS, SERVERS, user_folders
from sparrow_tui.model import Coverage, SessionInfo, Turn

SHOWN, SENT = "ui_messages.json", "api_conversation_history.json"
"""A task's display log and its log of requests."""
_OLD_SENT = "claude_messages.json"
_SIDES = (SENT, "task_metadata.json", "history_item.json")
_PRODUCTS = (*PRODUCTS, "Cursor", "Windsurf", "Antigravity", "Trae", "Positron")
_SERVERS = (*SERVERS, ".cursor-server", ".windsurf-server")
_SESSION = ".messages.json"
_OWN_PLACE = re.compile(
    r'^\s*"roo-cline\.customStoragePath"\s*:\s*("(?:[^"\\\x00-\x1f]|\\["\\/bfnrt])*")', re.MULTILINE
)


class Tasks(Agent):
    """What both extensions share: ``tasks/<id>/`` in a folder of the editor's global storage."""

    extension: ClassVar[str]
    """Name of the extension's folder, in lower case."""
    inclusive: ClassVar[bool] = False
    """Whether a request's input tokens include cached ones."""

    def roots(self, place: Place) -> list[Path]:
        """``tasks`` of the extension in every editor's user directory."""
        users = user_folders(place, _PRODUCTS, _SERVERS)
        return [user / "globalStorage" / self.extension / "tasks" for user in users]

    def sources(self, place: Place) -> Iterator[Source]:
        """One source a task."""
        for root in self.roots(place):
            for folder in subfolders(root):
                source = self.source_at(folder / SHOWN)
                if source is not None:
                    yield source

    def sniff(self, path: Path, head: bytes) -> bool:
        """A task's log, below a folder that does not name another extension."""
        if path.name not in (SHOWN, SENT, _OLD_SENT):
            return False
        start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
        if not start.startswith(b"["):
            return False
        other = _extension_of(path)
        return other == self.extension or (not other and self._claims(path))

    def _claims(self, path: Path) -> bool:
        """Whether a task outside of an extension's folder is this agent's."""
        return False

    def source_at(self, path: Path) -> Source | None:
        """The task a file belongs to: by its display log, else by its log of requests."""
        if path.name not in (SHOWN, _OLD_SENT, *_SIDES):
            return None
        for name in (SHOWN, SENT, _OLD_SENT):
            source = file_source(self.name, path.with_name(name))
            if source is not None:
                sides = (path.with_name(side) for side in _SIDES if side != name)
                return with_side(source, *sides)
        return None

    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Batch]:
        """One task, whole, if one of its files changed."""
        seen, path = Seen(since), Path(source.path)
        messages, mark = load(path)
        if not isinstance(messages, list):
            raise SourceError("it is not a log of messages")
        native = path.parent.name
        if seen.same(native, [mark, source.stamp]):
            return
        info, coverage = SessionInfo(id=f"{self.name}:{native}"), Coverage()
        facts = facts_of(path)
        self._tell(info, facts)
        if path.name == SHOWN:
            sent = json_file(path.with_name(SENT))
            children = [f"{self.name}:{as_text(c)}" for c in list_of(facts.get("childIds"))]
            log = DisplayLog(info, Results(sent), children, self.inclusive)
            turns, coverage = log.read(messages), log.coverage
            info.project = info.project or project_of(sent)
        else:
            turns = request_turns(messages, info, coverage)
            info.usage = info.usage or total_of(facts, self.inclusive)
            info.cost_micro = micro_dollars(facts.get("totalCost")) or None
        yield from sealed(
            cut(info, titled(info, turns), coverage), seen, native, [mark, source.stamp]
        )

    def _tell(self, info: SessionInfo, facts: dict[str, Any]) -> None:
        """What the list of tasks says about one."""
        task = as_text(facts.get("title") or facts.get("task"))
        info.title = title_of(task) or None
        folder = facts.get("cwdOnTaskInitialization") or facts.get("workspace")
        info.project = as_text(folder or facts.get("shadowGitConfigWorkTree")) or None
        info.model = as_text(facts.get("modelId") or facts.get("model")) or None
        parent = as_text(facts.get("parentTaskId"))
        info.parent = f"{self.name}:{parent}" if parent else None
        for key in ("mode", "apiConfigName", "provider"):
            if facts.get(key):
                info.extra[key] = as_text(facts[key])
        made = info.native_id
        info.created_at = milliseconds(int(made)) if made.isdecimal() and len(made) == 13 else None
        info.updated_at = milliseconds(facts.get("ts"))


class Cline(Tasks):
    """Reads tasks of the extension and of the CLI, and the CLI's later sessions."""

    name = "cline"
    label = "Cline"
    glyph = "▣"
    color = "#9d7cff"
    no_restore = "the editor keeps its own list of conversations, which would not know the file"
    extension = "saoudrizwan.claude-dev"
    no_resume = "a task in an editor is opened from Cline's own view there"

    def roots(self, place: Place) -> list[Path]:
        """The extension's tasks, then ``tasks`` and ``sessions`` below ``~/.cline/data``."""
        data = place.path("CLINE_DATA_DIR", place.path("CLINE_DIR", place.home / ".cline") / "data")
        sessions = place.path("CLINE_SESSION_DATA_DIR", data / "sessions")
        return [*super().roots(place), data / "tasks", sessions]

    def sources(self, place: Place) -> Iterator[Source]:
        """One source a task or session."""
        yield from super().sources(place)
        for folder in subfolders(self.roots(place)[-1]):
            for entry in sorted(folder.glob(f"*{_SESSION}")):
                source = self.source_at(entry)
                if source is not None:
                    yield source

    def sniff(self, path: Path, head: bytes) -> bool:
        """As for any task, or a CLI session's messages."""
        if path.name.endswith(_SESSION):
            return b'"messages"' in head and b'"role"' in head and b'"sessionId"' in head
        return super().sniff(path, head)

    def _claims(self, path: Path) -> bool:
        return not path.with_name("history_item.json").exists()

    def source_at(self, path: Path) -> Source | None:
        """A task, or a session by its messages or its manifest."""
        if path.name.endswith(_SESSION):
            return with_side(file_source(self.name, path, "session"), _manifest(path))
        messages = path.with_name(path.stem + _SESSION)
        if path.suffix == ".json" and messages.is_file():
            return self.source_at(messages)
        return super().source_at(path)

    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Batch]:
        """One task or session, whole, if one of its files changed."""
        if source.kind != "session":
            yield from super().read(source, since)
            return
        seen, path = Seen(since), Path(source.path)
        document, mark = load(path)
        messages = document.get("messages") if isinstance(document, dict) else document
        if not isinstance(messages, list):
            raise SourceError("it is not a session of Cline")
        manifest = json_file(_manifest(path))
        facts = manifest if isinstance(manifest, dict) else {}
        native = as_text(facts.get("session_id")) or path.name.removesuffix(_SESSION)
        if seen.same(native, [mark, source.stamp]):
            return
        info, coverage = SessionInfo(id=f"cline:{native}"), Coverage()
        describe(info, facts)
        info.extra["interface"] = "CLI session"
        origin = document.get("origin") if isinstance(document, dict) else None
        if isinstance(origin, dict) and origin.get("parentThreadId"):
            info.parent = f"cline:{as_text(origin['parentThreadId'])}"
        turns = titled(info, request_turns(messages, info, coverage))
        yield from sealed(cut(info, turns, coverage), seen, native, [mark, source.stamp])

    def _tell(self, info: SessionInfo, facts: dict[str, Any]) -> None:
        super()._tell(info, facts)
        if facts.get("interface"):
            info.extra["interface"] = as_text(facts["interface"])

    def resume(self, session: SessionInfo) -> Resume | None:
        """``cline --id ID`` for the CLI's sessions, ``cline --taskId ID`` for its tasks."""
        flag = {"CLI session": "--id", "CLI task": "--taskId"}.get(
            as_text(session.extra.get("interface"))
        )
        if flag is None or session.parent:
            return None
        return Resume(("cline", flag, session.native_id), session.project or "")


class Roo(Tasks):
    """Reads the extension's tasks."""

    name = "roo"
    label = "Roo Code"
    glyph = "▤"
    color = "#d6a74a"
    extension = "rooveterinaryinc.roo-cline"
    inclusive = True
    no_restore = "the editor keeps its own list of conversations, which would not know the file"
    no_resume = "Roo Code opens its tasks from its own view in the editor only"

    def roots(self, place: Place) -> list[Path]:
        """The extension's tasks, also where its settings keep them elsewhere."""
        found = super().roots(place)
        for user in user_folders(place, _PRODUCTS, _SERVERS):
            own = _setting(user / "settings.json")
            if os.path.isabs(own):
                found.append(Path(own) / "tasks")
        return found

    def _claims(self, path: Path) -> bool:
        return path.with_name("history_item.json").exists()


def titled(info: SessionInfo, turns: Iterator[Turn]) -> Iterator[Turn]:
    """The turns; the first words of the person are the title where there is no other."""
    for turn in turns:
        if info.title is None and turn.role == "user" and not turn.meta:
            for block in turn.blocks:
                info.title = info.title or title_of(getattr(block, "text", "")) or None
        yield turn


def _setting(path: Path) -> str:
    """Where an editor's settings (JSON with comments) let Roo Code keep its tasks."""
    try:
        found = _OWN_PLACE.search(plain.read_text(path))
    except OSError:
        return ""
    return as_text(json_or_text(f"[{found[1]}]")[0]) if found else ""


def _extension_of(path: Path) -> str:
    """The extension whose folder a path is in; empty if it is in none."""
    for part in path.parts:
        lower = part.lower()
        for agent in AGENTS:
            if lower == agent.extension:
                return lower
    return ""


def _manifest(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(_SESSION) + ".json")


AGENTS: tuple[Tasks, ...] = (Cline(), Roo())
