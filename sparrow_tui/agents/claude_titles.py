"""What a Claude Code session is called: by its user, by the model, by what it began with.

Everything is kept in the session's ``state``, so that it survives between readings.
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from sparrow_tui.agents import plain
from sparrow_tui.agents.common import as_text, title_of
from sparrow_tui.model import Block, Notice

COMMAND = re.compile(
    r"\s*(?:<command-(?:message|name|args)>.*?</command-(?:message|name|args)>\s*)+", re.DOTALL
)
"""A command as it stands in a user's record."""
LEAVES = 50
"""Summaries at a file's head that are remembered until their message comes."""
SETTINGS = frozenset(
    (
        "add-dir", "agents", "bug", "clear", "color", "compact", "config", "context", "copy",
        "cost", "doctor", "effort", "exit", "export", "extra-usage", "fast", "feedback", "help",
        "hooks", "ide", "keybindings", "login", "logout", "mcp", "memory", "model",
        "output-style", "permissions", "plugin", "privacy-settings", "quit", "release-notes",
        "reload-plugins", "remote-control", "rename", "resume", "rewind", "sandbox", "stats",
        "status", "statusline", "tasks", "terminal-setup", "theme", "todos", "upgrade", "usage",
        "vim",
    )
)  # fmt: skip
"""Commands that see to the program and say nothing about the work."""

MAIL = "<teammate-message"
"""How messages between agents of a team begin."""

_MAIL = re.compile(r"<teammate-message\b([^>]*)>\s*(.*?)\s*</teammate-message>", re.DOTALL)
_SUMMARY = re.compile(r'\bsummary="([^"]*)"')
_TAG = re.compile(r"<command-(name|args|message)>(.*?)</command-\1>", re.DOTALL)
_FIELDS = {"custom-title": "customTitle", "ai-title": "aiTitle", "summary": "summary"}


def note(state: dict[str, Any], kind: str, record: dict[str, Any]) -> None:
    """Take a title's record; the last one of its kind counts.

    Summaries at the head of a file may be another session's: they count once the message they
    sum up is met in this one.
    """
    text = as_text(record.get(_FIELDS[kind])).strip()
    leaf = record.get("leafUuid")
    if not text:
        return
    if kind == "summary" and isinstance(leaf, str) and not state.get("begun"):
        leaves: dict[str, str] = state.setdefault("leaves", {})
        leaves[leaf] = text
        if len(leaves) > LEAVES:
            del leaves[next(iter(leaves))]
    else:
        state[kind] = text


def met(state: dict[str, Any], own: Any) -> None:
    """A message of the session: its id may be the one a summary names."""
    if isinstance(own, str):
        state["begun"] = True
        leaves = state.get("leaves")
        if leaves and own in leaves:
            state["summary"] = leaves[own]


def command(state: dict[str, Any], text: str) -> list[Block]:
    """A command as it was typed, and what its message says if that is more than its name.

    ``/rename`` gives the session its title.
    """
    parts = {name: words.strip() for name, words in _TAG.findall(text)}
    name, words = parts.get("name", ""), parts.get("args", "")
    if name == "/rename" and words:
        state["custom-title"] = words
    typed = " ".join(x for x in (name, words) if x)
    if typed:
        _called(state, title_of(typed), bool(words) and name.lstrip("/") not in SETTINGS)
    said = parts.get("message", "")
    more: list[Block] = [] if said in ("", name, name.lstrip("/")) else [Notice("info", said)]
    return [Notice("command", typed), *more] if typed else more or [Notice("command", text)]


def goal(state: dict[str, Any], condition: str) -> None:
    """A goal the user set."""
    _called(state, title_of(condition), False)


def mail(state: dict[str, Any], text: str) -> None:
    """What agents of a team wrote each other: a member's session is named by its task.

    Its program's own notes are JSON.
    """
    for facts, words in _MAIL.findall(text) if text.lstrip().startswith(MAIL) else ():
        if words and not words.startswith("{"):
            summary = _SUMMARY.search(facts)
            _called(state, title_of(summary[1] if summary else words), False)
            return


def prompt(state: dict[str, Any]) -> None:
    """A prompt was typed: what came before it names the session only if it says something."""
    if not state.get("says"):
        state["says"] = True
        if state.get("called"):
            state["called"] = ""


def _called(state: dict[str, Any], text: str, says: bool) -> None:
    if not state.get("says") and (says or not state.get("called")):
        state["called"], state["says"] = text, says


def title(state: dict[str, Any], transcript: str, *, child: bool) -> str | None:
    """The session's title; empty: by its first prompt; ``None``: nothing is known.

    The user's own name for it wins, then the model's title, what a sub-agent was asked for, a
    summary, the folder's index, a command it began with.

    Args:
        state: of the session.
        transcript: path of its file.
        child: whether it is a sub-agent's.
    """
    for kind in ("custom-title", "ai-title", "given", "summary"):
        if state.get(kind):
            return str(state[kind])
    indexed = "" if child else indexed_title(transcript)
    if indexed:
        return indexed
    called = state.get("called")
    if not called and state.get("leaves"):
        return "" if state.get("says") else str(list(state["leaves"].values())[-1])
    return None if called is None else str(called)


def indexed_title(transcript: str) -> str:
    """The summary ``sessions-index.json`` has of a session; empty if none."""
    path = Path(transcript)
    index = path.with_name("sessions-index.json")
    try:
        status = index.stat()
    except OSError:
        return ""
    titles = _titles(str(index), status.st_mtime_ns, status.st_size)
    return titles.get(path.name.removesuffix(".jsonl"), "")


@lru_cache(maxsize=8)
def _titles(index: str, mtime: int, size: int) -> dict[str, str]:
    """Summaries by session id; the arguments beside the path tell when to read it again."""
    with suppress(OSError, msgspec.MsgspecError, RecursionError):
        value = msgspec.json.decode(plain.read_bytes(index))
        entries = value.get("entries") if isinstance(value, dict) else None
        return {
            entry["sessionId"]: as_text(entry.get("summary")).strip()
            for entry in (entries if isinstance(entries, list) else ())
            if isinstance(entry, dict) and isinstance(entry.get("sessionId"), str)
        }
    return {}
