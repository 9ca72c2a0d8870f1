"""Copilot Chat in VS Code, Insiders and VSCodium: chats of workspaces and of empty windows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sparrow_tui.agents import lines, plain, vscode_chat, vscode_log
from sparrow_tui.agents.base import (
    Agent,
    Batch,
    Checkpoint,
    Place,
    Source,
    SourceError,
    entry_source,
    file_source,
    subfolders,
    walk,
)
from sparrow_tui.agents.by_session import cut
from sparrow_tui.agents.common import as_text, milliseconds
from sparrow_tui.agents.vscode_places import path_of, user_folders, workspace_folder
from sparrow_tui.model import Coverage, SessionInfo, Turn

_FOLDERS = ("chatSessions", "emptyWindowChatSessions")


class CopilotVSCode(Agent):
    """Reads ``chatSessions/<id>.json`` and the later ``.jsonl`` logs of changes."""

    name = "copilot-vscode"
    label = "Copilot (VS Code)"
    glyph = "◆"
    color = "#0098ff"
    no_restore = "the editor keeps its own list of conversations, which would not know the file"
    no_resume = "VS Code opens its chats from its own history view only."

    def roots(self, place: Place) -> list[Path]:
        """``workspaceStorage`` and the empty windows' folder of each product's user directory."""
        return [
            folder
            for user in user_folders(place)
            for folder in (
                user / "workspaceStorage",
                user / "globalStorage" / "emptyWindowChatSessions",
            )
        ]

    def sources(self, place: Place) -> Iterator[Source]:
        """Chats; a ``.json`` is left alone once a ``.jsonl`` took over."""
        for root in self.roots(place):
            folders = [root]
            if root.name == "workspaceStorage":
                folders = [folder / "chatSessions" for folder in subfolders(root)]
            for folder in folders:
                for entry in walk(folder, (".json", ".jsonl"), 0):
                    if not _replaced(Path(entry.path)):
                        source = entry_source(self.name, entry)
                        if source is not None:
                            yield source

    def sniff(self, path: Path, head: bytes) -> bool:
        """A log's first line holds the whole state; a document has its keys."""
        if path.suffix == ".jsonl":
            return head.startswith(b'{"kind":0,') and b'"requests"' in head
        keys = (b'"requesterUsername"', b'"responderUsername"')
        return path.suffix == ".json" and b'"requests"' in head and any(k in head for k in keys)

    def source_at(self, path: Path) -> Source | None:
        """A chat's file; inside a user directory only in the chats' folders."""
        if path.suffix not in (".json", ".jsonl") or _replaced(path):
            return None
        if path.parent.name not in _FOLDERS and "User" in path.parts:
            return None
        return file_source(self.name, path)

    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Batch]:
        """The state is played back; handed over is what appended lines changed.

        Raises:
            SourceError: the file holds no chat.
        """
        path = Path(source.path)
        known = since.state if since is not None and isinstance(since.state, dict) else {}
        if path.suffix == ".json" or not lines.resumable(source.path, since, source.size):
            since, known = None, {}
        state, end, first, bad = _play(path, since.offset if since is not None else 0)
        if not isinstance(state, dict):
            raise SourceError("it holds no chat")
        requests = vscode_log.requests(state)
        before = int(known.get("requests") or 0)
        fresh = since is None or len(requests) < before
        if fresh and since is not None:
            state, end, first, bad = _play(path, 0)
        first = 0 if fresh else len(requests) if first is None else first
        coverage = Coverage(records=bad, bad=bad)
        unchanged = [vscode_chat.turns(request, Coverage()) for request in requests[:first]]
        start = sum(map(len, unchanged))
        info = _info(state, path)

        def turns() -> Iterator[Turn]:
            for number, request in enumerate(requests[first:], first):
                seen = not fresh and number < before
                for turn in vscode_chat.turns(request, Coverage() if seen else coverage):
                    info.model = turn.model or info.model
                    yield turn

        last: Batch | None = None
        for batch in cut(info, turns(), coverage, start=start, fresh=fresh):
            if last is not None:
                yield last
            last = batch
        last = last or Batch(info, start)
        if path.suffix == ".jsonl":
            head = lines.fingerprint(path, min(lines.HEAD, end)) if end else ""
            last.checkpoint = Checkpoint(end, head, 0, {"requests": len(requests)})
        yield last


def _play(path: Path, known: int) -> tuple[Any, int, int | None, int]:
    """Play a chat's file back.

    Args:
        path: the file.
        known: what earlier readings have covered (offset).

    Returns:
        The state; the offset of its end; the first request that lines after ``known`` changed
        (``None``: none); the number of broken lines after ``known``.
    """
    if path.suffix == ".json":
        return json_document(path), 0, 0, 0
    state: Any = None
    end, first, bad = 0, None, 0
    for at, line in lines.lines(path):
        end = at + len(line)
        entry = lines.parse(line)
        try:
            if not isinstance(entry, dict):
                raise ValueError("not a change")
            size = len(vscode_log.requests(state))
            state = vscode_log.apply(state, entry)
        except ValueError:
            bad += at >= known
            continue
        if at < known:
            continue
        steps = entry.get("k") or []
        touched: int | None = None
        if entry.get("kind") == 0:
            touched = 0
        elif steps[0] == "requests":
            dropped = entry.get("i")
            touched = steps[1] if len(steps) > 1 else dropped if dropped is not None else size
            if entry.get("kind") != 2 and len(steps) == 1:
                touched = 0
        if isinstance(touched, int):
            first = touched if first is None else min(first, touched)
    return state, end, first, bad


def json_document(path: Path) -> Any:
    """A JSON file's value; raises `SourceError` if it cannot be opened."""
    try:
        return lines.parse(plain.read_bytes(path))
    except OSError as error:
        raise SourceError(f"it cannot be opened: {error.strerror or error}") from error


def _info(state: dict[str, Any], path: Path) -> SessionInfo:
    times = [milliseconds(state.get("lastMessageDate"))]
    requests = vscode_log.requests(state)
    if requests and isinstance(requests[-1], dict):
        done = requests[-1].get("modelState")
        times.append(milliseconds(requests[-1].get("timestamp")))
        times.append(milliseconds(done.get("completedAt")) if isinstance(done, dict) else None)
    return SessionInfo(
        id=f"copilot-vscode:{as_text(state.get('sessionId')) or path.stem}",
        title=as_text(state.get("customTitle")).strip() or None,
        project=workspace_folder(path.parent.parent)
        or path_of(state.get("workingDirectory"))
        or None,
        created_at=milliseconds(state.get("creationDate")),
        updated_at=max((moment for moment in times if moment), default=None),
    )


def _replaced(path: Path) -> bool:
    return path.suffix == ".json" and path.with_suffix(".jsonl").exists()


AGENT = CopilotVSCode()
