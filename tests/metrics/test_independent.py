"""The counters against counts made another way: from the files themselves, in a few lines."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sparrow_tui.cli import main
from sparrow_tui.store import open_store
from sparrow_tui.store.sqlite import SqliteStore
from sparrow_tui.store.totals import Sums
from tests.agents.real import CORPUS, needs_corpus
from tests.on_disk import claude_file, native

CLAUDE = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")


def records(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_bytes().splitlines():
        try:
            record = json.loads(line.decode("utf-8", "replace"), strict=False)
        except ValueError:
            continue
        if isinstance(record, dict):
            yield record


def claude_requests(paths: Iterable[Path]) -> dict[str, list[int]]:
    """Tokens by message id: the field-wise maximum over all lines of all files."""
    found: dict[str, list[int]] = {}
    for path in paths:
        for record in records(path):
            message = record.get("message")
            if record.get("type") != "assistant" or not isinstance(message, dict):
                continue
            if message.get("model") == "<synthetic>" or not isinstance(message.get("usage"), dict):
                continue
            key = message.get("id") or record.get("requestId") or record.get("uuid")
            now = [message["usage"].get(name) or 0 for name in CLAUDE]
            found[key] = [*map(max, found.get(key, [0] * 4), now)]
    return found


def claude_calls(paths: Iterable[Path]) -> set[str]:
    """Ids of tool calls."""
    return {
        block["id"]
        for path in paths
        for record in records(path)
        if record.get("type") == "assistant"
        and isinstance(record.get("message"), dict)
        and isinstance(record["message"].get("content"), list)
        for block in record["message"]["content"]
        if block.get("type") == "tool_use"
    }


def codex_total(path: Path) -> list[int]:
    """The last running total of a rollout: uncached input, output, cached input, reasoning."""
    last: dict[str, int] = {}
    for record in records(path):
        payload = record.get("payload")
        if isinstance(payload, dict) and payload.get("type") == "token_count":
            last = (payload.get("info") or {}).get("total_token_usage") or last
    cached = last.get("cached_input_tokens", 0)
    return [
        last.get("input_tokens", 0) - cached, last.get("output_tokens", 0), cached,
        last.get("reasoning_output_tokens", 0),
    ]  # fmt: skip


def column_sums(rows: Iterable[list[int]], width: int = 4) -> list[int]:
    return [sum(column) for column in zip(*rows, strict=True)] or [0] * width


def tokens(sums: Sums) -> list[int]:
    return [sums.input, sums.output, sums.cache_read, sums.cache_write]


def sync(location: str, *paths: Path) -> SqliteStore:
    assert main(["sync", "--store", location, *map(str, paths)]) == 0
    return open_store(location, readonly=True)


@needs_corpus
@pytest.mark.slow
def test_real_sessions_of_claude(tmp_path: Path) -> None:
    assert CORPUS is not None
    home = tmp_path / "claude"
    shutil.copytree(CORPUS / "claude", home)
    files = sorted(home.rglob("*.jsonl"))
    requests = claude_requests(files)
    store = sync(str(tmp_path / "a.db"), home)
    try:
        sums = store.totals.overall(agent="claude")
        assert tokens(sums) == column_sums(requests.values())
        assert sums.tool_calls == len(claude_calls(files))
        assert sums.requests == len(requests)
        assert sum(s.tool_calls for _, s in store.totals.by("tool")) == sums.tool_calls
    finally:
        store.close()


@needs_corpus
@pytest.mark.slow
def test_real_sessions_of_codex(tmp_path: Path) -> None:
    assert CORPUS is not None
    home = tmp_path / "codex"
    shutil.copytree(CORPUS / "codex", home)
    store = sync(str(tmp_path / "a.db"), home)
    try:
        sums = store.totals.overall(agent="codex")
        expected = column_sums(codex_total(path) for path in sorted(home.rglob("*.jsonl")))
        assert [sums.input, sums.output, sums.cache_read, sums.reasoning] == expected
    finally:
        store.close()


@pytest.fixture
def location(tmp_path: Path) -> str:
    return str(tmp_path / "store" / "a.db")


def overall(location: str) -> tuple[int, ...]:
    store = open_store(location, readonly=True)
    try:
        sums = store.totals.overall()
        return (sums.turns, sums.requests, *tokens(sums), sums.cost_micro)
    finally:
        store.close()


def expect(location: str, *folders: Path) -> None:
    files = [path for folder in folders for path in folder.rglob("*.jsonl")]
    assert list(overall(location)[2:6]) == column_sums(claude_requests(files).values())


def test_once_whatever_happens_to_the_files(private_home: Path, location: str) -> None:
    """Synced again, resumed in a copy, cut short, written anew, deleted, brought back."""
    original = claude_file(private_home, 1, "hello", "hi", "more?", "yes", "and?", "done")
    projects = private_home / ".claude" / "projects"

    def again(number: int, *options: str) -> tuple[int, ...]:
        """Sync; every change of a file gets a time of its own."""
        for path in projects.rglob("*.jsonl"):
            os.utime(path, (1_764_600_000 + number, 1_764_600_000 + number))
        assert main(["sync", "--store", location, *options]) == 0
        return overall(location)

    counted = again(1)
    assert counted[:4] == (6, 3, 30, 15)
    assert again(2) == counted
    expect(location, projects)

    fork = original.path.with_name(f"{native(2)}.jsonl")
    fork.write_text(original.path.read_text().replace(native(1), native(2)))
    assert again(3) == counted  # the same messages under another session's id
    with open(fork, "a") as file:
        file.write(original.line("a new question", sessionId=native(2)))
        file.write(original.line("a new answer", sessionId=native(2)))
    grown = again(4)
    assert grown[:4] == (8, 4, 40, 20)
    expect(location, projects)

    lines = original.path.read_text().splitlines(keepends=True)
    original.path.write_text("".join(lines[:2]))
    assert again(5) == grown  # counters do not fall
    original.path.write_text("".join(lines))
    assert again(6) == grown  # and what comes again is no news

    assert main(["delete", f"claude:{native(1)}", "--store", location, "--no-sync", "--yes"]) == 0
    assert overall(location) == grown
    assert again(7) == grown
    fork.unlink()
    assert again(8) == grown


def test_a_store_made_anew_counts_the_same(private_home: Path, tmp_path: Path) -> None:
    for number in range(3):
        claude_file(private_home, number, "hello", "hi", "more?", "yes")
    one, two = str(tmp_path / "1.db"), str(tmp_path / "2.db")
    for location in (one, two):
        assert main(["sync", "--store", location]) == 0
    assert overall(one) == overall(two)
    expect(one, private_home / ".claude")
