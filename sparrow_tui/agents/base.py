"""What an agent's module must offer: where its sessions are, what changed, how to read them.

One module per agent defines a subclass of `Agent` and one instance of it named ``AGENT``.
Sources belong to other programs: they are opened read-only, and a file that vanishes or
breaks while it is read is normal.
"""

from __future__ import annotations

import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from sparrow_tui.model import Coverage, SessionInfo, Turn

BATCH_TURNS = 500
"""A reader hands over at most about this many turns at a time, so that memory stays small."""
BATCH_BYTES = 4_000_000
"""... or about this many bytes of source, whichever comes first."""


GLANCE_TURNS = 20_000
"""A glance gives at most about so many turns of a session."""


class SourceError(Exception):
    """A source cannot be read. The message is one sentence for the user, without the path."""


class SourceBusy(SourceError):
    """A source cannot be read just now: its program works on it."""


@dataclass(frozen=True, slots=True)
class Place:
    """The machine as an agent's module sees it; tests build their own."""

    home: Path
    env: Mapping[str, str] = field(default_factory=dict)
    platform: str = sys.platform
    """As `sys.platform`: ``linux``, ``darwin``, ``win32``."""

    @classmethod
    def here(cls) -> Place:
        """This machine, this user."""
        return cls(Path.home(), dict(os.environ), sys.platform)

    def path(self, variable: str, default: Path) -> Path:
        """The directory an environment variable names, else ``default``."""
        value = self.env.get(variable, "")
        return Path(value).expanduser() if value else default

    @property
    def config_home(self) -> Path:
        """Where programs keep per-user configuration (``~/.config`` and its likes)."""
        if self.platform == "darwin":
            return self.home / "Library" / "Application Support"
        if self.platform == "win32":
            return self.path("APPDATA", self.home / "AppData" / "Roaming")
        return self.path("XDG_CONFIG_HOME", self.home / ".config")

    @property
    def data_home(self) -> Path:
        """Where programs keep per-user data (``~/.local/share`` and its likes)."""
        if self.platform == "darwin":
            return self.home / "Library" / "Application Support"
        if self.platform == "win32":
            return self.path("LOCALAPPDATA", self.home / "AppData" / "Local")
        return self.path("XDG_DATA_HOME", self.home / ".local" / "share")


class Source(msgspec.Struct, frozen=True, gc=False):
    """One file or database an agent wrote: the unit that is looked at, read and remembered."""

    agent: str
    path: str
    """Absolute path; with ``agent`` it identifies the source."""
    stamp: str
    """Cheap fingerprint (`stamp`). Equal stamp: nothing to read."""
    size: int = 0
    """Bytes, for progress."""
    mtime: int = 0
    """Milliseconds since the epoch: newest sources are read first."""
    kind: str = ""
    """For agents with several layouts: which one."""


class Checkpoint(msgspec.Struct):
    """How far a source was read, and what the reader needs to go on from there."""

    offset: int = 0
    """Bytes (line files): everything before is done."""
    head: str = ""
    """Fingerprint of the file's first bytes; differs: the file was rewritten."""
    turns: int = 0
    """Next ``turn_index`` at ``offset`` (single-session sources)."""
    state: Any = None
    """Plain JSON-able values of the reader's own."""


class Batch(msgspec.Struct):
    """Part of what a source says about one session, in order.

    The stored turns from ``start`` on are replaced by ``turns``. A batch without turns
    changes the session's facts only.
    """

    session: SessionInfo
    start: int = 0
    turns: list[Turn] = []
    coverage: Coverage = msgspec.field(default_factory=Coverage)
    """Of this batch alone."""
    fresh: bool = False
    """True for the first batch of a session read from its beginning: earlier turns and
    coverage of this session from this source no longer count."""
    sliding: bool = False
    """The source keeps only the newest turns: ``turns`` is its whole content, to be aligned
    with what is stored; nothing stored is dropped."""
    checkpoint: Checkpoint | None = None
    """Where to go on if reading stops after this batch."""


@dataclass(frozen=True, slots=True)
class Resume:
    """A command that opens a session in its agent again. Never run through a shell."""

    argv: tuple[str, ...]
    directory: str = ""
    """Start directory; empty: any."""


class Agent(ABC):
    """One coding agent's files."""

    name: ClassVar[str]
    """Short lower-case name: the part of a session id before the colon."""
    label: ClassVar[str]
    """The agent's name as people write it."""
    glyph: ClassVar[str] = "●"
    """One single-width character for narrow lists."""
    color: ClassVar[str] = "#b9b0a3"
    """Hex colour of the agent's badge."""
    no_resume: ClassVar[str] = ""
    """Why `resume` gives nothing, for agents that cannot reopen a session."""
    restorable: ClassVar[bool] = False
    """True if `restore` can write a session back as the agent's own file."""

    no_restore: ClassVar[str] = ""
    """Why `restore` gives nothing, for agents that are not ``restorable``."""

    @abstractmethod
    def roots(self, place: Place) -> list[Path]:
        """The directories and files this agent writes to, whether or not they exist."""

    @abstractmethod
    def sources(self, place: Place) -> Iterator[Source]:
        """Every source below `roots` that exists. Missing or unreadable folders are passed over."""

    @abstractmethod
    def sniff(self, path: Path, head: bytes) -> bool:
        """Whether a file given by hand is this agent's, from its name and first 64 KiB."""

    @abstractmethod
    def source_at(self, path: Path) -> Source | None:
        """The source for a file given by hand or named by a file watcher.

        ``None`` if the file is not a source of this agent (a lock, a temporary file, a side
        file that belongs to no source).
        """

    @abstractmethod
    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Batch]:
        """What a source says, from its beginning or from a checkpoint on.

        Args:
            source: what to read.
            since: where the last reading stopped; ``None`` reads everything. A reader that
                finds the checkpoint no longer fits starts over with ``fresh`` batches.

        Yields:
            Batches of about `BATCH_TURNS` turns, the last one with a checkpoint.

        Raises:
            SourceError: the source as a whole cannot be read. A bad line or row is counted
                in the coverage and passed over.
        """

    def glance(self, source: Source) -> Batch | None:
        """What was said in a source's session, and no more: found much faster than by `read`.

        It is shown and searched until `read` replaces it, so it may leave out whatever takes
        long to tell, but must name the session as `read` does.

        Returns:
            ``None`` if there is no faster way for this source, or nothing was said in it.

        Raises:
            SourceError: the source cannot be read.
        """
        return None

    def resume(self, session: SessionInfo) -> Resume | None:
        """The command that continues a session, or ``None`` (see `no_resume`)."""
        return None

    def retention_days(self, place: Place) -> int | None:
        """After how many days the agent deletes a session's source; ``None``: it does not."""
        return None

    def restore(self, session: SessionInfo, turns: Iterable[Turn], place: Place) -> Path:
        """Write a session back as the agent's own new file and return its path.

        Never overwrites. Raises `SourceError` where that cannot be done.
        """
        why = f": {self.no_restore}" if self.no_restore else ""
        raise SourceError(f"{self.label} sessions cannot be written back{why}")

    def is_inside(self, session: SessionInfo) -> bool:
        """Whether a sub-agent's session is part of its parent's source."""
        return False

    def restore_whole(
        self,
        session: SessionInfo,
        turns: Iterable[Turn],
        inside: Iterable[tuple[SessionInfo, Iterable[Turn]]],
        place: Place,
    ) -> Path:
        """As `restore`, with the sub-agents' sessions for which `is_inside`."""
        return self.restore(session, turns, place)


def stamp(status: os.stat_result) -> str:
    """Fingerprint of a file: its size, and its times to the nanosecond.

    Whoever sets back the time of writing changes the other one (POSIX).
    """
    return f"{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}"


def file_source(agent: str, path: Path | str, kind: str = "") -> Source | None:
    """A source that is one file; ``None`` if it is gone or not a regular file."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    if not os.path.isfile(path):
        return None
    return Source(
        agent,
        os.fspath(path),
        stamp(status),
        status.st_size,
        status.st_mtime_ns // 1_000_000,
        kind,
    )


def database_source(agent: str, path: Path | str, kind: str = "") -> Source | None:
    """A source that is an SQLite database: its write-ahead log counts for stamp and time.

    Of the log only the time it was written: SQLite gives it its owner whenever root reads it.
    """
    main = file_source(agent, path, kind)
    if main is None:
        return None
    log = file_source(agent, f"{os.fspath(path)}-wal")
    if log is None or log.size == 0:
        return main
    return Source(
        agent,
        main.path,
        f"{main.stamp}+{log.stamp.rpartition(':')[0]}",
        main.size + log.size,
        max(main.mtime, log.mtime),
        kind,
    )


def is_there(path: Path | str) -> bool:
    """Whether something is at a path. What may not be looked at is there."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError:
        pass
    return True


def subfolders(root: Path | str) -> list[Path]:
    """The folders in a folder, by name; none if it is missing or unreadable."""
    try:
        return sorted(Path(entry.path) for entry in os.scandir(root) if entry.is_dir())
    except OSError:
        return []


def walk(root: Path | str, suffixes: tuple[str, ...], depth: int = 8) -> Iterator[os.DirEntry[str]]:
    """Files below a folder whose names end in one of ``suffixes``; links are not followed."""
    folders = [(os.fspath(root), depth)]
    while folders:
        folder, deeper = folders.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError:
            continue
        for entry in entries:
            try:
                if entry.name.endswith(suffixes) and entry.is_file():
                    yield entry
                elif deeper > 0 and entry.is_dir(follow_symlinks=False):
                    folders.append((entry.path, deeper - 1))
            except OSError:
                continue


def entry_source(agent: str, entry: os.DirEntry[str], kind: str = "") -> Source | None:
    """As `file_source`, from a directory entry (one system call)."""
    try:
        status = entry.stat()
    except OSError:
        return None
    mtime = status.st_mtime_ns // 1_000_000
    return Source(agent, entry.path, stamp(status), status.st_size, mtime, kind)
